/** What cmcheckconf checks of a package, and which changes a running package takes. */
import { describe, expect, test } from 'vitest';
import {
  checkPackage,
  checkTogether,
  type MemberObservation,
  neededObservations,
} from '../../../src/lab/manager/configuration/check.ts';
import { parseClusterFile, printClusterFile } from '../../../src/lab/manager/configuration/cluster-file.ts';
import { refuseOnlineChange } from '../../../src/lab/manager/configuration/online-change.ts';
import { type PackageFile, parsePackageFile } from '../../../src/serviceguard/package-file.ts';
import { members, packageOf, served, subnet } from './lab-cluster.ts';

const sound = `package_name csync
module_name sg/failover
module_version 1
module_name sg/monitor_subnet
module_version 1
module_name sg/package_ip
module_version 1
module_name sg/volume_group
module_version 1
module_name sg/filesystem
module_version 1
module_name sg/service
module_version 1
module_name sg/external
module_version 1
module_name sg/pev
module_version 1
package_type failover
node_name alpha
node_name beta
run_script_timeout 60
halt_script_timeout 60
monitored_subnet ${subnet}
ip_subnet ${subnet}
ip_address 10.9.0.50
vg csyncvg
fs_name /dev/csyncvg/policy
fs_directory /csync
fs_type ext4
service_name csync_monitor
service_cmd "$SGCONF/csync/csync.sh monitor"
external_script $SGCONF/csync/csync.sh
pev_digest abc
`;

const well: MemberObservation = {
  reachable: true,
  executable: ['$SGCONF/csync/csync.sh'],
  validated: { '$SGCONF/csync/csync.sh': { exitCode: 0, output: '' } },
};
const allWell = { alpha: well, beta: well };

function fileOf(text: string): PackageFile {
  const parsed = parsePackageFile(text, 'csync.conf');
  if (!parsed.ok) throw new Error('must parse');
  return parsed.value;
}

const { state } = served();
const codes = (text: string, observations: Record<string, MemberObservation> = allWell): string[] =>
  checkPackage({ file: fileOf(text), fileName: 'csync.conf', state, observations }).map((problem) =>
    `${problem.code} ${problem.place?.line ?? problem.member ?? ''}`.trim(),
  );

describe('cmcheckconf of a package', () => {
  test('a sound package passes', () => {
    expect(codes(sound)).toEqual([]);
  });

  test('asks for the scripts and the service commands on the members of the package', () => {
    expect(neededObservations(fileOf(sound), state)).toEqual({
      members: ['alpha', 'beta'],
      executable: ['$SGCONF/csync/csync.sh'],
      validate: ['$SGCONF/csync/csync.sh'],
    });
  });

  const last = sound.split('\n').length;
  test.each([
    ['auto_run maybe', [`package-attribute-value ${last}`]],
    ['run_script_timeout 5000', [`package-attribute-twice ${last}`]],
    ['halt_script_timeout 60', [`package-attribute-twice ${last}`]],
    ['log_level 6', [`package-attribute-value ${last}`]],
    ['nonsense 1', [`package-attribute-unknown ${last}`]],
    ['RUN_SCRIPT /x', [`package-legacy ${last}`]],
    ['tkit/nfs/nfs/XFS a', [`package-module-toolkit ${last}`]],
    ['external_pre_script /x', [`package-module-missing ${last}`, 'package-not-executable alpha', 'package-not-executable beta']],
    ['module_name sg/nothing', [`package-module-unknown ${last}`]],
    ['module_name sg/dependency', [`lab-module ${last}`]],
    ['module_name sg/pr_cntl', [`lab-module-idle ${last}`]],
    ['node_name delta', [`package-member-unknown ${last}`]],
    ['monitored_subnet 10.8.0.0', [`package-subnet-unknown ${last}`]],
    ['failover_policy site_preferred', [`lab-value ${last}`]],
    ['service_name other', [`package-group-incomplete ${last}`]],
    ['fs_server host', [`package-rule ${last}`, `lab-value ${last}`]],
    ['pev_digest def', [`package-attribute-twice ${last}`]],
    ['package_type multi_node', [`package-attribute-twice ${last}`, 'package-type']],
  ])('refuses or warns about: %s', (line, expected) => {
    expect(codes(`${sound}${line}\n`)).toEqual(expected);
  });

  test('a file system on a volume group that is not listed', () => {
    expect(codes(sound.replace('vg csyncvg\n', ''))).toEqual(['package-vg-missing 26']);
  });

  test('an attribute before the one that opens its group', () => {
    expect(codes(sound.replace('fs_name /dev', 'fs_mount_opt "-o rw"\nfs_name /dev'))).toEqual(['package-group-order 27']);
  });

  test('scripts without a time-out are warned about', () => {
    const problems = checkPackage({
      file: fileOf(sound.replace('run_script_timeout 60\n', '')),
      fileName: 'f',
      state,
      observations: allWell,
    });
    expect(problems).toMatchObject([{ code: 'package-no-timeout', severity: 'warning' }]);
  });

  test('what is missing or fails on one member is reported with the member', () => {
    expect(codes(sound, { alpha: well })).toEqual(['package-member-unreachable beta']);
    expect(codes(sound, { alpha: well, beta: { ...well, executable: [] } })).toEqual(['package-not-executable beta']);
    const failing = { ...well, validated: { '$SGCONF/csync/csync.sh': { exitCode: 1, output: 'settings differ\n' } } };
    const [problem] = checkPackage({ file: fileOf(sound), fileName: 'f', state, observations: { alpha: failing, beta: well } });
    expect(problem).toMatchObject({
      code: 'package-validate-failed',
      member: 'alpha',
      text: expect.stringContaining('settings differ'),
    });
  });

  test('any end of validate but 0 makes the package invalid', () => {
    const ended = (exitCode: number | null) => ({ ...well, validated: { '$SGCONF/csync/csync.sh': { exitCode, output: '' } } });
    for (const exitCode of [1, 2, 3, 126, null])
      expect(codes(sound, { alpha: ended(exitCode), beta: well })).toEqual(['package-validate-failed alpha']);
    expect(codes(sound, { alpha: { ...well, validated: {} }, beta: well })).toEqual(['package-validate-failed alpha']);
  });

  test('service names are unique in the cluster', () => {
    const other = fileOf(sound.replace('package_name csync', 'package_name other'));
    expect(checkTogether([other], state)).toMatchObject([{ code: 'package-service-taken' }]);
    expect(checkTogether([fileOf(sound)], state)).toEqual([]);
    expect(checkTogether([fileOf(sound), fileOf(sound)], state).map((problem) => problem.code)).toContain('package-twice');
  });
});

describe('changes while the package runs', () => {
  const before = packageOf('csync');
  const change = (values: Record<string, string>, drive = served()) =>
    refuseOnlineChange(drive.of('csync').config, packageOf('csync', values), drive.state).map((problem) => problem.code);

  test('values for scripts, switches and policies may change', () => {
    expect(
      change({ pev_level: '2', auto_run: 'no', failback_policy: 'automatic', run_script_timeout: '90', log_level: '3' }),
    ).toEqual([]);
  });

  test('what would have to be started or mounted may not', () => {
    expect(change({ service_cmd: '/opt/other' })).toEqual(['package-online-change']);
    expect(change({ ip_address: '10.9.0.77' })).toEqual(['package-online-change']);
    expect(change({ vgchange_cmd: 'vgchange -a e' })).toEqual(['package-online-change']);
  });

  test('nothing is refused for a package that is down or new', () => {
    const drive = served()
      .feed({ kind: 'package-halt', packages: ['csync'], members: [], force: false })
      .halt('csync', 'alpha');
    expect(change({ service_cmd: '/opt/other' }, drive)).toEqual([]);
    expect(refuseOnlineChange(null, before, served().state)).toEqual([]);
  });

  test('a restart limit below the restarts so far needs the counter reset first', () => {
    const drive = served({ service_restart: '3' });
    for (let death = 0; death < 2; death += 1)
      drive.feed({ kind: 'service-died', package: 'csync', member: 'alpha', service: 'csync_monitor' });
    expect(change({ service_restart: '1' }, drive)).toEqual(['package-online-restarts']);
    expect(change({ service_restart: '2' }, drive)).toEqual([]);
  });

  test('the member it runs on must stay in the list', () => {
    const without = { ...before, lines: before.lines.filter((line) => line.value !== 'alpha') };
    expect(refuseOnlineChange(before, without, served().state).map((problem) => problem.code)).toEqual(['package-online-owner']);
  });

  test('nothing at all in maintenance mode', () => {
    const drive = served().feed({ kind: 'package-switch', packages: ['csync'], enable: false, members: [] });
    drive.feed({ kind: 'package-maintenance', packages: ['csync'], on: true, members: [] });
    expect(change({ pev_level: '2' }, drive)).toEqual(['package-online-maintenance']);
  });
});

describe('cluster file', () => {
  const is = { name: 'lab', members, memberTimeoutMicroseconds: 14_000_000 };

  test('what is printed reads back to the same', () => {
    expect(parseClusterFile(printClusterFile(is), 'c', is)).toEqual({ ok: true, value: is, problems: [] });
  });

  test('what the lab cannot follow is refused with a sentence', () => {
    const text = `${printClusterFile(is)}QS_HOST q\nNODE_NAME alpha\nSOMETHING 1\nMEMBER_TIMEOUT soon\n`;
    const read = parseClusterFile(text, 'c', is);
    expect(read.problems.map((problem) => problem.text)).toMatchObject([
      expect.stringContaining('quorum server'),
      expect.stringContaining('SOMETHING'),
      expect.stringContaining('lists alpha twice'),
      expect.stringContaining('MEMBER_TIMEOUT'),
    ]);
  });
});
