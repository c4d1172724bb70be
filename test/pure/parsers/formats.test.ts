/**
 * The files that different versions of csync share: a sample of each, recorded from version 0.1.0, is read; an unknown newer version does
 * what the table of formats says.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/base/problem.ts';
import { newerFormat, newerIn } from '../../../src/base/version.ts';
import { parseHistory } from '../../../src/cluster/apply/history.ts';
import { fetchSet } from '../../../src/cluster/apply/sets.ts';
import { parseCondition } from '../../../src/cluster/condition/member-condition.ts';
import { parseRecord } from '../../../src/cluster/policy/commit.ts';
import { parseStage, parseTakenBack } from '../../../src/cluster/policy/stage.ts';
import { alertStateText, noAlertState, parseAlertState, parseRehearsed } from '../../../src/contract/alerts.ts';
import { formats } from '../../../src/contract/formats.ts';
import { parseHandover, parsePromotion } from '../../../src/contract/handover.ts';
import { maintenanceFrom, parseMaintenance } from '../../../src/contract/maintenance-file.ts';
import { parseMonitorState } from '../../../src/contract/monitor-state.ts';
import { parseApplied, readManifest } from '../../../src/contract/package-directory.ts';
import { sentinelEpoch } from '../../../src/contract/policy-file-system.ts';
import { isAnnounced } from '../../../src/contract/restart-notice.ts';
import { parseRoster } from '../../../src/contract/roster.ts';
import { parseSettingsJson } from '../../../src/settings/settings.ts';
import { parseSettings } from '../../../src/settings/settings-yaml.ts';
import { noticeOf } from '../../../src/verbs/cluster/alert-delivery.ts';
import { repository, settingsText } from '../../support.ts';

type Name = keyof typeof formats;

const recorded = (name: string): string => readFileSync(join(repository, 'test/recorded/version-0.1.0', name), 'utf8');
const newer = (text: string): string => JSON.stringify({ ...(JSON.parse(text) as object), version: 2 });
const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof Failure) return `${error.problems[0]?.code} ${error.problems[0]?.member ?? ''}`.trim();
    throw error;
  }
  return 'accepted';
};

/** What the reader makes of the sample, and of an unknown newer version. */
const readers: Readonly<Record<Name, () => void>> = {
  settings: () => {
    const sample = recorded('csync.yaml');
    expect(parseSettings(sample, 'csync.yaml')).toMatchObject({ ok: true, value: { monitorOwner: expect.any(String) } });
    expect(parseSettings(`${sample}version: 1\n`, 'csync.yaml').ok).toBe(true);
    const { ok, problems } = parseSettings(settingsText({ version: 2, later_setting: 'x' }), 'csync.yaml');
    expect([ok, problems.map(({ code }) => code)]).toEqual([false, ['file-newer', 'settings-unknown-key']]);
    expect(parseSettings(settingsText({ version: 'two' }), 'csync.yaml').problems[0]?.code).toBe('settings-value');
  },
  appliedSettings: () => {
    const sample = recorded('settings.json');
    expect(sample).not.toContain('monitorOwner');
    expect(parseSettingsJson(sample)).toMatchObject({ packageName: 'csync', monitorOwner: expect.stringContaining('warn') });
    expect(parseSettingsJson(newer(sample))).toMatch(/^the file has format 2: a newer csync wrote it/);
    const { packageName: _gone, ...rest } = JSON.parse(sample) as Record<string, unknown>;
    expect(typeof parseSettingsJson(JSON.stringify(rest)), 'a setting that each version has is not filled in').toBe('string');
  },
  manifest: () => {
    const sample = recorded('manifest.json');
    expect(readManifest(sample)).toMatchObject({
      toolkitVersion: '0.1.0',
      files: { 'csync.sh': expect.any(String) },
      beside: {},
    });
    expect([newerIn(sample), newerIn(newer(sample))]).toEqual([null, 2]);
  },
  roster: () => {
    const sample = recorded('roster.json');
    expect(parseRoster(sample)?.members.map(({ name }) => name)).toEqual(['m1', 'm2', 'm3']);
    expect(codeOf(() => parseRoster(newer(sample), 'm2'))).toBe('file-newer m2');
    expect(parseRoster('{"version": 1}'), 'damaged').toBeNull();
  },
  history: () => {
    const sample = recorded('history.json');
    const [about] = parseHistory(sample);
    expect(about).toMatchObject({ number: 1, toolkitVersion: '0.1.0' });
    // Its number counts: another set must not get it.
    const [later] = parseHistory(newer(sample));
    expect(later).toMatchObject({ number: 1 });
    const asked = fetchSet({} as never, { members: [] } as never, {} as never, later ?? expect.fail());
    return expect(asked).rejects.toMatchObject({ problems: [{ code: 'file-newer' }] }) as never;
  },
  applied: () => {
    expect(parseApplied('0123456789abcdef /csync fedcba9876543210 later words\n')).toEqual({
      set: '0123456789abcdef',
      mountPoint: '/csync',
      previous: 'fedcba9876543210',
    });
    expect(parseApplied('2 of another form\n')).toBeNull();
  },
  sentinel: () => {
    const sample = recorded('sentinel.json');
    expect(sentinelEpoch(sample)).toBeGreaterThan(0);
    expect(sentinelEpoch(newer(sample))).toBe(sentinelEpoch(sample));
  },
  monitorState: () => {
    const sample = recorded('monitor.json').trim();
    expect(parseMonitorState(sample)).toMatchObject({ version: 1, package: 'csync', brake: null, verdict: null });
    const said = (monitor: string) =>
      parseCondition({ text: `daemons 1\nmonitor ${monitor}\nclock 5.0\n`, asked: 4, answered: 6 })?.monitor;
    expect(said(sample)).toMatchObject({ package: 'csync' });
    expect(said(newer(sample))).toBe(2);
  },
  handover: () => {
    expect(parseHandover(recorded('handover.json'))).toMatchObject({ member: expect.stringMatching(/^m\d$/) });
    expect(parsePromotion(recorded('promotion.json'))).toMatchObject({ epoch: expect.any(Number) });
    expect(parseHandover('{"version": 2, "of": "m1"}')).toBeNull();
  },
  maintenance: () => {
    expect(parseMaintenance(recorded('csync.debug')).until).toBeGreaterThan(0);
    expect(maintenanceFrom('paused by a newer csync\n', 1)).toEqual({ until: null, serviceguard: null, overdue: false });
  },
  restartNotice: () => {
    const sample = recorded('restart-notice');
    const [pid = '', startTime = '', until = ''] = sample.trim().split(' ');
    expect(isAnnounced(sample, { pid: Number(pid), startTime }, Number(until) - 1)).toBe(true);
    expect(isAnnounced(`newer ${sample}`, { pid: Number(pid), startTime }, Number(until) - 1)).toBe(false);
  },
  commitRecord: () => {
    const sample = recorded('commit.json');
    expect(parseRecord(sample)).toMatchObject({ commit: 1, message: 'begin' });
    expect(codeOf(() => parseRecord(newer(sample)))).toBe('file-newer');
  },
  alertState: () => {
    const state = alertStateText(noAlertState);
    expect(parseAlertState(state)).toEqual(noAlertState);
    expect(parseAlertState(newer(state))).toBeNull();
    expect(parseRehearsed('{"version": 1, "ready": true, "sentence": ""}')).toMatchObject({ ready: true });
    expect(parseRehearsed('{"version": 2, "ready": true, "sentence": ""}')).toBeNull();
  },
  // A hook reads it: test/process/host/hooks.test.ts.
  notice: () => {
    const due = { event: 'space', subject: '', state: 'raised', text: '', fix: '', since: 0 } as const;
    expect(noticeOf(due, 'csync', 'm1', 0).version).toBe(1);
  },
  stagedRollout: () => {
    const sample = JSON.stringify({ record: JSON.parse(recorded('commit.json')), base: '', edit: '', hosts: [] });
    expect(parseStage(sample)).toMatchObject({ record: { commit: 1 } });
    expect(codeOf(() => parseStage(newer(sample)))).toBe('file-newer');
    expect(codeOf(() => parseTakenBack(newer(sample)))).toBe('file-newer');
  },
  rehearsal: () => expect(JSON.parse(recorded('rehearsal.json'))).toMatchObject({ format: 1, toolkit: '0.1.0' }),
};

describe('a file that version 0.1.0 wrote', () => {
  it.each(Object.keys(formats) as Name[])('%s: is read, and an unknown newer one does what the table says', async (name) => {
    await readers[name]();
  });

  it('is recorded for each format that it had', () => {
    expect(existsSync(join(repository, 'test/recorded/version-0.1.0/csync.yaml'))).toBe(true);
  });
});

it.each<[unknown, number | null]>([
  [{}, null],
  [{ version: 1 }, null],
  [{ version: 2 }, 2],
  [{ version: 'x' }, null],
  [[], null],
  [null, null],
])('the version of %j that this csync does not know', (data, version) => expect(newerFormat(data)).toBe(version));
