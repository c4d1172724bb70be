/** Legacy packages in the emulated package manager: what is different, and only that. */
import { describe, expect, test } from 'vitest';
import { parseCommand } from '../../../src/lab/commands/commands.ts';
import { viewCluster } from '../../../src/lab/commands/view.ts';
import { checkPackage, type MemberObservation, neededObservations } from '../../../src/lab/manager/configuration/check.ts';
import { initialState } from '../../../src/lab/manager/package-manager.ts';
import { type PackageFile, parsePackageFile } from '../../../src/serviceguard/package-file.ts';
import { Drive, members, subnet } from './lab-cluster.ts';

const script = '/etc/cmcluster/csync/csync_control.sh';
const text = `PACKAGE_NAME csync
${members.map((member) => `NODE_NAME ${member}`).join('\n')}
RUN_SCRIPT ${script}
RUN_SCRIPT_TIMEOUT 60
HALT_SCRIPT ${script}
HALT_SCRIPT_TIMEOUT 60
SUBNET ${subnet}
SERVICE_NAME csync_monitor
SERVICE_FAIL_FAST_ENABLED NO
SERVICE_HALT_TIMEOUT 10
`;

function fileOf(more = ''): PackageFile {
  const parsed = parsePackageFile(text + more, 'csync.conf');
  if (!parsed.ok) throw new Error('must parse');
  return parsed.value;
}

function starting(): Drive {
  return new Drive(initialState({ name: 'lab', members, subnets: [subnet] }))
    .feed({ kind: 'configuration-applied', packages: [fileOf()] })
    .feed({ kind: 'cluster-run', members: [] });
}
const runs = (drive: Drive, restarts: number | 'unlimited') =>
  drive.feed({ kind: 'service-run', package: 'csync', member: 'alpha', service: 'csync_monitor', restarts });
const dies = (drive: Drive) => drive.feed({ kind: 'service-died', package: 'csync', member: 'alpha', service: 'csync_monitor' });

describe('services of a legacy package', () => {
  test('are those its script has started, with the restarts of cmrunserv', () => {
    const drive = runs(starting(), 2).start('csync', 'alpha');
    expect(drive.of('csync').services).toEqual([{ name: 'csync_monitor', status: 'up', restarts: 0, limit: 2 }]);
    expect(dies(dies(drive)).of('csync')).toMatchObject({ status: 'up', owner: 'alpha' });
    expect(drive.of('csync').services[0]?.restarts).toBe(2);
    expect(dies(drive).of('csync')).toMatchObject({ status: 'failing', nodeSwitch: { alpha: false } });
    expect(drive.halt('csync', 'alpha').of('csync')).toMatchObject({ owner: 'beta', nodeSwitch: { alpha: false } });
  });

  test('that were never started are not up', () => {
    expect(starting().start('csync', 'alpha').of('csync').services[0]?.status).toBe('uninitialized');
  });

  test('cannot be started when no start of the package runs there', () => {
    const drive = runs(starting(), 0).start('csync', 'alpha');
    const before = drive.state;
    expect(runs(drive, 7).state).toEqual(before);
    expect(drive.log).toContain('Ignored service-run');
  });
});

test('a halt of a legacy package that ends with 3 counts as 1', () => {
  const drive = starting()
    .start('csync', 'alpha')
    .feed({ kind: 'package-halt', packages: ['csync'], members: [], force: false });
  expect(drive.halt('csync', 'alpha', 3).of('csync')).toMatchObject({ status: 'down', state: 'failed', autoRun: false });
});

test('a legacy package has no maintenance mode', () => {
  const drive = starting()
    .start('csync', 'alpha')
    .feed({ kind: 'package-switch', packages: ['csync'], enable: false, members: [] })
    .feed({ kind: 'package-maintenance', packages: ['csync'], members: [], on: true });
  expect(drive.wanted('reply')[0]).toMatchObject({
    exitCode: 1,
    errorLines: [expect.stringContaining('legacy'), expect.any(String)],
  });
});

test('a lost SUBNET moves a legacy package', () => {
  const drive = starting().start('csync', 'alpha').feed({ kind: 'subnet-changed', member: 'alpha', subnet, status: 'down' });
  expect(drive.of('csync').status).toBe('failing');
});

test('cmviewcl of a legacy package has style and scripts, in the published order', () => {
  const parsed = parseCommand('cmviewcl', ['-v', '-f', 'line', '-p', 'csync']);
  if (!parsed.ok || parsed.request.command !== 'cmviewcl') throw new Error('must parse');
  const { lines } = viewCluster(starting().start('csync', 'alpha').state, parsed.request);
  const names = lines.map((line) => line.split('=')[0]);
  expect(lines).toContain('style=legacy');
  // [MIG p.11], but for the line of HP-UX (local_lan_failover_allowed).
  const published = [
    ...['name', 'type', 'status', 'state', 'highly_available', 'summary', 'autorun', 'owner', 'id', 'initial_autorun'],
    ...[
      'failover_policy',
      'failback_policy',
      'failfast',
      'run_script',
      'run_script_timeout',
      'halt_script',
      'halt_script_timeout',
    ],
    'priority',
  ];
  expect(names.slice(0, published.length)).toEqual(published);
  expect(lines).toContain(`run_script=${script}`);
  expect(lines).toContain('priority=no_priority');
});

describe('cmcheckconf of a legacy package', () => {
  const { state } = starting();
  const well: MemberObservation = { reachable: true, executable: [script], validated: {} };
  const allWell = Object.fromEntries(members.map((member) => [member, well]));
  const codes = (more: string, observations = allWell) =>
    checkPackage({ file: fileOf(more), fileName: 'csync.conf', state, observations }).map(({ code, member }) =>
      member === undefined ? code : `${code} ${member}`,
    );

  test('looks for the control scripts on every member and calls none of them', () => {
    expect(neededObservations(fileOf(), state)).toEqual({ members: [...members], executable: [script], validate: [] });
    expect(codes('')).toEqual([]);
    expect(codes('', { ...allWell, beta: { ...well, executable: [] } })).toEqual(['package-not-executable beta']);
  });

  test.each([
    ['SUBNET 10.8.0.0', ['package-subnet-unknown']],
    ['DEPENDENCY_NAME other', ['lab-value']],
    ['STORAGE_GROUP x', ['lab-value']],
    ['PACKAGE_TYPE MULTI_NODE', ['lab-value']],
  ])('refuses %s', (line, expected) => {
    expect(codes(`${line}\n`)).toEqual(expected);
  });
});
