/** cmviewcl, against the screen and the line format that were published, and the reader of the latter. */
import { describe, expect, test } from 'vitest';
import { parseCommand } from '../../../src/lab/commands/commands.ts';
import { viewCluster } from '../../../src/lab/commands/view.ts';
import type { ClusterState } from '../../../src/lab/manager/model.ts';
import { initialState } from '../../../src/lab/manager/package-manager.ts';
import type { PackageFile } from '../../../src/serviceguard/package-file.ts';
import { packageIn, parseLineView, partsOf } from '../../../src/serviceguard/view.ts';
import { Drive, members, packageOf, served } from './lab-cluster.ts';

function view(state: ClusterState, ...argv: string[]) {
  const parsed = parseCommand('cmviewcl', argv);
  if (!parsed.ok || parsed.request.command !== 'cmviewcl') throw new Error('must parse');
  return viewCluster(state, parsed.request);
}
const text = (state: ClusterState, ...argv: string[]): string => view(state, ...argv).lines.join('\n');

function everywhere(file: PackageFile): PackageFile {
  return { ...file, lines: file.lines.map((line) => (line.keyword === 'node_name' ? { ...line, value: '*' } : line)) };
}

/** The cluster whose screen was published: two members, one package [GH-wiki]. */
function published(): Drive {
  const config = everywhere(packageOf('pkg_eq'));
  return new Drive(initialState({ name: 'EQ_TitanN1_cluster', members: ['tn1s003', 'tn1s004'], subnets: ['10.9.0.0'] }))
    .feed({ kind: 'configuration-applied', packages: [config] })
    .feed({ kind: 'cluster-run', members: [] })
    .start('pkg_eq', 'tn1s003');
}

describe('table', () => {
  test('plain cmviewcl is the published screen, blank for blank', () => {
    expect(view(published().state).lines).toEqual([
      'CLUSTER              STATUS       ',
      'EQ_TitanN1_cluster   up           ',
      '  ',
      '  NODE           STATUS       STATE        ',
      '  tn1s003        up           running      ',
      '',
      '    PACKAGE        STATUS           STATE            AUTO_RUN    NODE        ',
      '    pkg_eq         up               running          enabled     tn1s003     ',
      '  ',
      '  NODE           STATUS       STATE        ',
      '  tn1s004        up           running      ',
    ]);
  });

  test('columns grow with long values', () => {
    const long = 'a-package-with-a-long-name';
    const drive = new Drive(published().state).feed({ kind: 'configuration-applied', packages: [everywhere(packageOf(long))] });
    const [heading = '', row = ''] = view(drive.state, '-p', long).lines;
    expect(row.startsWith(`${long}   down`)).toBe(true);
    expect(heading.indexOf('STATUS')).toBe(row.indexOf('down'));
  });

  test('packages that run nowhere follow under UNOWNED_PACKAGES', () => {
    const drive = published()
      .feed({ kind: 'package-halt', packages: ['pkg_eq'], members: [], force: false })
      .halt('pkg_eq', 'tn1s003');
    const lines = view(drive.state).lines;
    const from = lines.indexOf('UNOWNED_PACKAGES');
    expect(lines.slice(from)).toEqual([
      'UNOWNED_PACKAGES',
      '',
      '    PACKAGE        STATUS           STATE            AUTO_RUN    NODE        ',
      '    pkg_eq         down             halted           disabled    unowned     ',
    ]);
  });
});

describe('table with -v, -l, -n, -p', () => {
  test('-v has the sections of the manual in their order', () => {
    const lines = text(served().state, '-v', '-p', 'csync')
      .split('\n')
      .map((line) => line.trim().split(/\s+/).join(' '));
    expect(lines).toEqual([
      'PACKAGE STATUS STATE AUTO_RUN NODE',
      'csync up running enabled alpha',
      '',
      'Policy_Parameters:',
      'POLICY_NAME CONFIGURED_VALUE',
      'Failover configured_node',
      'Failback manual',
      '',
      'Script_Parameters:',
      'ITEM STATUS MAX_RESTARTS RESTARTS NAME',
      'Service up 0 0 csync_monitor',
      'Subnet up 0 0 10.9.0.0',
      '',
      'Node_Switching_Parameters:',
      'NODE_TYPE STATUS SWITCHING NAME',
      'Primary up enabled alpha (current)',
      'Alternate up enabled beta',
      'Alternate up enabled gamma',
    ]);
  });

  test('-v of a package that runs nowhere lists subnets once for each member', () => {
    const drive = served()
      .feed({ kind: 'package-halt', packages: ['csync'], members: [], force: false })
      .halt('csync', 'alpha');
    const shown = text(drive.state, '-v', '-p', 'csync');
    expect(shown).toMatch(/ITEM +STATUS +NODE_NAME +NAME/);
    expect(shown.match(/Subnet +up +(alpha|beta|gamma) +10\.9\.0\.0/g)).toHaveLength(3);
    expect(shown).not.toContain('(current)');
  });

  test('-l and -n choose what is listed', () => {
    const { state } = served();
    expect(view(state, '-l', 'cluster').lines.at(-1)?.trim().split(/\s+/)).toEqual(['lab', 'up']);
    expect(text(state, '-l', 'node')).not.toContain('PACKAGE');
    expect(text(state, '-l', 'package')).not.toContain('alpha          up');
    expect(text(state, '-n', 'alpha')).toContain('csync');
    expect(text(state, '-n', 'beta')).not.toContain('csync');
  });

  test('a level without -v is one list with one heading, as scripts that drop the heading expect', () => {
    const { state } = served();
    const rows = (...argv: string[]) => view(state, ...argv).lines.map((line) => line.trim().split(/\s+/).join(' '));
    expect(rows('-l', 'node')).toEqual(['NODE STATUS STATE', ...members.map((member) => `${member} up running`)]);
    expect(rows('-l', 'package')).toEqual(['PACKAGE STATUS STATE AUTO_RUN NODE', 'csync up running enabled alpha']);
  });

  test('an unknown package ends with 1 and the words that scripts look for', () => {
    const result = view(served().state, '-p', 'nopkg');
    expect(result).toMatchObject({ exitCode: 1, lines: [] });
    expect(result.errorLines[0]).toMatch(/^cmviewcl: .*is not a configured package name/);
  });
});

describe('line format', () => {
  test('with -p the attributes stand bare, in the published order', () => {
    const lines = view(served().state, '-v', '-f', 'line', '-p', 'csync').lines;
    expect(lines.map((line) => line.split('=')[0]).slice(0, 9)).toEqual([
      ...['name', 'type', 'status', 'state', 'highly_available', 'summary', 'autorun', 'owner', 'id'],
    ]);
    expect(lines).toContain('last_halt_failed=no');
    expect(lines.filter((line) => line.startsWith('node:'))).toEqual([
      ...['node:alpha|name=alpha', 'node:alpha|status=up', 'node:alpha|switching=enabled'],
      ...['node:beta|name=beta', 'node:beta|status=down', 'node:beta|switching=enabled'],
      ...['node:gamma|name=gamma', 'node:gamma|status=down', 'node:gamma|switching=enabled'],
    ]);
  });

  test('without -p they carry the prefix; the first name is the cluster’s', () => {
    const lines = view(served().state, '-f', 'line').lines;
    expect(lines.find((line) => line.startsWith('name='))).toBe('name=lab');
    expect(lines).toContain('node:alpha|state=running');
    expect(lines).toContain('package:csync|status=up');
    expect(lines).toContain('package:csync|owner=alpha');
  });

  test('-v has the interfaces and subnets of each node; without it they are missing', () => {
    const { state } = served();
    const of = (...argv: string[]) => view(state, '-f', 'line', ...argv).lines.filter((line) => /(interface|subnet):/.test(line));
    expect(of('-v', '-n', 'beta')).toEqual([
      ...['interface:eth0|name=eth0', 'interface:eth0|status=up'],
      ...['subnet:10.9.0.0|name=10.9.0.0', 'subnet:10.9.0.0|status=up', 'subnet:10.9.0.0|ip_monitor=off'],
    ]);
    expect(of('-v')).toContain('node:alpha|subnet:10.9.0.0|name=10.9.0.0');
    expect(of()).toEqual([]);
  });

  test('summary and highly_available say whether the package could still move', () => {
    const drive = served();
    const of = () => parseLineView(text(drive.state, '-f', 'line', '-p', 'csync')).own;
    expect([of().get('summary'), of().get('highly_available')]).toEqual(['ok', 'yes']);
    drive.feed({ kind: 'package-switch', packages: ['csync'], enable: false, members: ['beta', 'gamma'] });
    expect([of().get('summary'), of().get('highly_available')]).toEqual(['degraded', 'no']);
    drive.feed({ kind: 'package-switch', packages: ['csync'], enable: true, members: ['beta', 'gamma'] });
    drive.feed({ kind: 'package-switch', packages: ['csync'], enable: false, members: [] });
    expect([of().get('summary'), of().get('highly_available')]).toEqual(['degraded', 'no']);
    drive.feed({ kind: 'package-halt', packages: ['csync'], members: [], force: false }).halt('csync', 'alpha');
    expect([of().get('summary'), of().get('owner')]).toEqual(['critical', 'unowned']);
  });

  test('-s config shows the configuration while the cluster is down', () => {
    const drive = new Drive(initialState({ name: 'lab', members, subnets: ['10.9.0.0'] }));
    drive.feed({ kind: 'configuration-applied', packages: [packageOf('csync')] });
    const lines = view(drive.state, '-f', 'line', '-s', 'config').lines;
    expect(lines).toContain('package:csync|auto_run=yes');
    expect(lines).toContain('package:csync|service_cmd:/opt/monitor|service_cmd=/opt/monitor');
  });
});

describe('reader of the line format', () => {
  test('reads what the lab prints, with and without prefix', () => {
    const { state } = served();
    const whole = parseLineView(text(state, '-v', '-f', 'line'));
    const one = parseLineView(text(state, '-v', '-f', 'line', '-p', 'csync'));
    expect(packageIn(whole, 'csync')).toEqual(one);
    expect(packageIn(one, 'csync')).toBe(one);
    expect(packageIn(whole, 'other')).toBe(null);
    expect(partsOf(one, 'node').map(([name, part]) => [name, part.own.get('switching')])).toEqual([
      ['alpha', 'enabled'],
      ['beta', 'enabled'],
      ['gamma', 'enabled'],
    ]);
  });

  test('reads published output of a real cluster and ignores what it does not know', () => {
    const published = [
      'name=pkg-simple',
      'type=failover',
      'status=down',
      'run_script=/etc/cmcluster/pkg/a=b|c',
      'group:crs_node_1_NG|member:1|node:node_1|name=node_1',
      'module_name:sg/failover|module_name=sg/failover',
      'chatter without a sign',
      '=nothing',
    ];
    const read = parseLineView(published.join('\r\n'));
    expect(Object.fromEntries(read.own)).toEqual({
      name: 'pkg-simple',
      type: 'failover',
      status: 'down',
      run_script: '/etc/cmcluster/pkg/a=b|c',
    });
    expect(
      read.parts
        .get('group')
        ?.get('crs_node_1_NG')
        ?.parts.get('member')
        ?.get('1')
        ?.parts.get('node')
        ?.get('node_1')
        ?.own.get('name'),
    ).toBe('node_1');
    expect(read.parts.get('module_name')?.get('sg/failover')?.own.get('module_name')).toBe('sg/failover');
  });
});
