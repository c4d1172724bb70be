/** examples/monitoring: alert rules and dashboard, by promtool and against the metrics that csync writes. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { monitorSample, rehearsalSample } from '../../../scripts/generate/pages/metrics-page.ts';
import { have, repository, scratchDirectory } from '../../support.ts';

const scratch = scratchDirectory();
const file = (name: string) => join(repository, 'examples/monitoring', name);
const samples = `${monitorSample}${rehearsalSample}`;
const metrics = new Set([...samples.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
const dashboard = JSON.parse(readFileSync(file('csync-dashboard.json'), 'utf8')) as {
  panels: { id: number; title: string; targets: { expr: string }[] }[];
};
const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr.replaceAll('$package', 'csync')));
const rules = readFileSync(file('csync.rules.yml'), 'utf8');

describe('examples/monitoring', () => {
  it('uses metrics that exist, and every alert has a test', () => {
    const named = [...`${rules}\n${expressions.join('\n')}`.matchAll(/\bcsync_\w+/g)].map(([name]) => name);
    expect(named.filter((name) => !metrics.has(name))).toEqual([]);
    const tests = readFileSync(join(repository, 'test/fixtures/csync.rules.test.yml'), 'utf8');
    const alerts = [...rules.matchAll(/alert: (\w+)/g)].map(([, name = '']) => name);
    expect(alerts.filter((name) => !new RegExp(`alertname: ${name}\\n +exp_alerts:\\n`).test(tests))).toEqual([]);
  });

  it('has a dashboard whose panels have numbers of their own', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(expressions.length).toBeGreaterThanOrEqual(ids.length);
  });
});

describe.skipIf(!have('promtool'))('promtool', () => {
  const promtool = (words: readonly string[], input = '') => {
    const { status, stdout, stderr } = spawnSync('promtool', words, { encoding: 'utf8', input });
    return { status, output: `${stdout}${stderr}` };
  };

  it('accepts the alert rules, and each fires in the history that it is for, in no other', () => {
    expect(promtool(['check', 'rules', file('csync.rules.yml')])).toMatchObject({ status: 0 });
    expect(promtool(['test', 'rules', join(repository, 'test/fixtures/csync.rules.test.yml')])).toMatchObject({ status: 0 });
  });

  it('accepts the metrics of the monitor and of a rehearsal, also their names and units', () => {
    expect(promtool(['check', 'metrics'], samples)).toEqual({ status: 0, output: '' });
  });

  it('accepts the expressions of the dashboard', () => {
    const groups = expressions.map((expr, index) => ({ record: `panel:${index}`, expr }));
    const path = join(scratch, 'dashboard.rules.yml');
    writeFileSync(path, JSON.stringify({ groups: [{ name: 'dashboard', rules: groups }] }));
    expect(promtool(['check', 'rules', path])).toMatchObject({ status: 0 });
  });
});
