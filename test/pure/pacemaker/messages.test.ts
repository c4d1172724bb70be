/** What csync prints about a cluster names its engine and the engine's commands, and nothing of the other one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adapterFor } from '../../../src/cfengine/adapter.ts';
import { clusterSightings } from '../../../src/cluster/alerts/sightings.ts';
import type { MemberCondition } from '../../../src/cluster/condition/member-condition.ts';
import { judgeStatus, type MemberStatus, type StatusInput } from '../../../src/cluster/condition/status.ts';
import { statusText } from '../../../src/cluster/condition/status-text.ts';
import { stepsOff, stepsOn } from '../../../src/cluster/procedures/maintenance.ts';
import { planRecovery, planRemoval } from '../../../src/cluster/procedures/recovery.ts';
import { emptyRoster } from '../../../src/contract/roster.ts';
import type { PackageStatus } from '../../../src/engine/engine.ts';
import { readView } from '../../../src/engine/pacemaker/status.ts';
import { repository, serviceguardWords, settingsFor } from '../../support.ts';

const words = {
  serviceguard: serviceguardWords,
  pacemaker: /Pacemaker|corosync|\bcrm_|cibadmin|\bpcs\b|target-role/,
} as const;
const now = Date.UTC(2026, 10, 23, 12);
/** An applied package whose cluster answers, and no host besides the members. */
const quiet = { applied: true, clusterAnswers: true, clients: [], roster: emptyRoster, unread: [], moving: false, now };

const seen: MemberCondition = {
  daemons: 1,
  mounted: false,
  address: false,
  clock: { ahead: 0, doubt: 0.1 },
  sentinel: '{"epoch":3,"member":"m1","at":"2026-11-23T10:00:00.000Z"}',
  policyDigest: 'ab'.repeat(32),
  staged: null,
  leaving: null,
  room: 'enough',
  view: { cards: [], behind: null },
  maintenance: null,
  monitor: null,
};

const conditions = fc.option(
  fc.record({
    daemons: fc.constantFrom(0, 1, 2),
    mounted: fc.boolean(),
    address: fc.boolean(),
    maintenance: fc.constantFrom(
      null,
      'until 2026-11-23T13:00:00.000Z\n',
      'until 2026-11-23T11:00:00.000Z serviceguard auto_run=yes\n',
    ),
  }),
  { nil: null },
);
const statuses = fc.option(
  fc.record({
    status: fc.constantFrom('up', 'down', 'unknown'),
    state: fc.constantFrom('running', 'halted', 'maintenance', 'blocked', 'partly active', 'starting'),
    owner: fc.constantFrom(null, 'm1', 'm2', 'm9'),
    autoRun: fc.boolean(),
    switching: fc.dictionary(fc.constantFrom('m1', 'm2'), fc.boolean()).map((one) => new Map(Object.entries(one))),
    failures: fc.constantFrom([], [{ member: 'm1', text: 'csync_main: start failed' }]),
  }),
  { nil: null },
);

describe.each(['serviceguard', 'pacemaker'] as const)('with %s', (engine) => {
  const other = words[engine === 'pacemaker' ? 'serviceguard' : 'pacemaker'];
  const settings = settingsFor({ engine, members: ['m1', 'm2'] });
  const input = (
    status: PackageStatus | null,
    facts: readonly (Partial<MemberCondition> | null)[],
    more: Partial<StatusInput>,
  ) => ({
    place: settings,
    ...quiet,
    status,
    clusterMembers: ['m1', 'm2'],
    members: facts.map(
      (one, at): MemberStatus => ({
        member: `m${at + 1}`,
        seen: one === null ? null : { ...seen, ...one },
        noAnswer: { why: 'no route', remedy: 'ssh m1 true' },
        inCluster: at === 0 ? 'up' : 'down',
        switching: status?.switching.get(`m${at + 1}`) ?? null,
        staleFiles: [],
      }),
    ),
    ...more,
  });

  it('the status of any cluster is in its words', () => {
    const more = fc.record({ applied: fc.boolean(), clusterAnswers: fc.boolean(), moving: fc.boolean() });
    fc.assert(
      fc.property(statuses, fc.tuple(conditions, conditions), more, (status, facts, flags) => {
        const all = input(status, facts, flags);
        expect(statusText(judgeStatus(all), all)).not.toMatch(other);
        const view = status && { name: null, members: new Map([['m1', 'up']]), packages: new Map([['csync', status]]) };
        expect(JSON.stringify(clusterSightings(view, settings))).not.toMatch(other);
      }),
      { numRuns: 500 },
    );
  });

  it('plans of recovery, removal and maintenance are in its words', () => {
    const left = fc.option(
      fc.record({ mounted: fc.boolean(), address: fc.boolean(), active: fc.boolean(), users: fc.constant(['7 vim']) }),
      { nil: null },
    );
    fc.assert(
      fc.property(statuses, left, left, fc.boolean(), (status, m1, m2, run) => {
        const noAnswer = { why: 'no route', remedy: 'is it up?' };
        const members = [m1, m2].map((one, at) => ({ member: `m${at + 1}`, left: one, noAnswer }));
        const adapter = adapterFor(settings);
        const recovery = planRecovery({ settings, adapter, status, members, clusterAnswers: run, commandMember: 'm1', run });
        const steps = [
          ...(recovery.ok ? recovery.value : []),
          ...planRemoval(settings, { status, commandMember: 'm1', unconfigure: run }),
          ...(status === null
            ? []
            : [
                ...stepsOn({ settings, owner: 'm1', commandMember: 'm1', status, file: null }, now, run),
                ...stepsOff({
                  settings,
                  owner: 'm1',
                  commandMember: 'm1',
                  status,
                  file: { until: now, serviceguard: { autoRun: true } },
                }),
              ]),
        ];
        const texts = [...steps.map(({ text }) => text), ...recovery.problems.map(({ text, remedy }) => `${text} ${remedy}`)];
        expect(texts.filter((text) => other.test(text))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

const failed = 'm1 may not start the group: csync_main: the monitor reported a failure';

describe('the status of a cluster that crm_mon printed', () => {
  it.each([
    ['serving', 'serving', []],
    ['halted', 'halted', ['m3 is standby in the cluster', failed]],
    ['after-kill', 'serving', [failed]],
    ['standby', 'serving', ['m3 is standby in the cluster', failed]],
  ])('%s is %s', (name, condition, texts) => {
    const settings = settingsFor({ engine: 'pacemaker' });
    const view = readView(readFileSync(join(repository, `test/recorded/pacemaker/crm_mon-${name}.xml`), 'utf8'));
    const status = view.packages.get('csync') ?? null;
    const verdict = judgeStatus({
      place: settings,
      ...quiet,
      status,
      clusterMembers: settings.members,
      members: settings.members.map((member) => ({
        member,
        seen: { ...seen, mounted: member === status?.owner, address: member === status?.owner },
        noAnswer: { why: '', remedy: '' },
        inCluster: view.members.get(member) ?? 'unknown',
        switching: status?.switching.get(member) ?? null,
        staleFiles: [],
      })),
    });
    expect(verdict.condition).toBe(condition);
    const told = verdict.advice.map(({ text }) => text);
    for (const text of texts) expect(told).toContain(text);
    expect(told.filter((text) => /may not start|in the cluster/.test(text))).toHaveLength(texts.length);
  });
});
