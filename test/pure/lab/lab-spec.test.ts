/** What a lab consists of: names, addresses, and what cannot be one. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { labVerbRows } from '../../../src/cli/lab.ts';
import { clientNames, hostsFile, isSetUp, labSpec, serviceguardHosts, specProblem } from '../../../src/lab/machines/lab-spec.ts';
import { quirkNames, quirksOf, quirksOnBoot, quirkTable } from '../../../src/lab/machines/quirks/quirks.ts';
import { labSettings, repository } from '../../support.ts';

const settings = labSettings();
const spec = (choices: Parameters<typeof labSpec>[2], of = settings) => labSpec(of, 'lab', choices);

describe('hosts', () => {
  test('members and spares from .11, clients from .21, and everybody knows everybody', () => {
    const made = spec({ spares: ['m4', 'm5'], clients: clientNames(30) });
    const address = (name: string) => made.hosts.find((host) => host.name === name)?.address;
    expect(['m1', 'm3', 'm4', 'm5', 'c1', 'c30'].map(address)).toEqual(
      ['11', '13', '14', '15', '21', '50'].map((last) => `10.9.0.${last}`),
    );
    expect(serviceguardHosts(made).map((host) => host.name)).toEqual(['m1', 'm2', 'm3', 'm4', 'm5']);
    const many = spec({ clients: clientNames(100) }).hosts.map(({ address: one }) => one);
    expect([many.includes('10.9.0.100'), many.at(-1)], 'the address of the package is skipped').toEqual([false, '10.9.0.121']);
    for (const { name } of made.hosts) expect(hostsFile(made)).toContain(`\t${name}.lab ${name}\n`);
    expect(specProblem(made)).toBeNull();
  });

  test('the lab sets up members and clients, never a spare, and in a bare lab no host', () => {
    const setUp = (choices: Parameters<typeof labSpec>[2]) => {
      const made = spec(choices);
      return made.hosts.filter((host) => isSetUp(made, host)).map((host) => host.name);
    };
    expect(setUp({ spares: ['m4'] })).toEqual(['m1', 'm2', 'm3', 'c1', 'c2']);
    expect(setUp({ spares: ['m4'], cfengine: 'bare' })).toEqual([]);
  });
});

describe('a lab that cannot be', () => {
  const generation2 = labSettings({ cfengine_generation: 2 });
  test.each([
    ['a spare that is a member', spec({ spares: ['m1'] }), 'two hosts would be named m1'],
    ['a name that is none', spec({ spares: ['m 4'] }), '"m 4" is not a valid host name'],
    ['a path for a name', spec({ spares: ['../m4'] }), '"../m4" is not a valid host name'],
    ['spares where clients begin', spec({ spares: clientNames(8).map((name) => `s${name}`) }), 'too many hosts: 10.9.0.21'],
    ['more clients than addresses', spec({ clients: clientNames(234) }), 'too many hosts: 10.9.0.255'],
    ['cfengine 2 set up by the lab', spec({ programs: '/x' }, generation2), '--bare'],
    ['a spare beside Pacemaker', spec({ engine: 'pacemaker', spares: ['m4'] }), 'no spares'],
    ['site quirks beside Pacemaker', spec({ engine: 'pacemaker', quirks: ['bridge'] }), 'no site quirks'],
    ['a legacy group of Pacemaker', spec({ engine: 'pacemaker' }, { ...settings, packageStyle: 'legacy' }), 'modular'],
    ['cfengine 2 from nowhere', spec({ cfengine: 'bare' }, generation2), '--programs'],
  ])('%s', (_what, made, said) => {
    expect(specProblem(made)).toContain(said);
  });

  test('with Pacemaker, whose members have no cmcluster.conf, paths are absolute', () => {
    const { packageDirectory, scriptLogFile } = spec({ engine: 'pacemaker' }).settings;
    expect([packageDirectory, scriptLogFile]).toEqual(['/etc/csync', '/var/log/csync.log']);
  });

  test('cfengine 2 in a bare lab can be', () => {
    expect(specProblem(spec({ cfengine: 'bare', programs: '/x' }, generation2))).toBeNull();
  });
});

describe('site quirks', () => {
  test.each([
    ['', []],
    ['bridge,banner', ['banner', 'bridge']],
    ['all', quirkNames],
    ['all,-tree,-sudo', quirkNames.filter((name) => !['tree', 'sudo'].includes(name))],
    ['banner,virbr0', 'virbr0'],
    ['all,-constructor', 'constructor'],
  ])('of %j are %j', (list, names) => {
    expect(quirksOf(list)).toEqual(names);
  });

  test('change the settings where they are of another site, and are on the page of the lab', () => {
    const { settings: of, quirks } = spec({ quirks: ['banner', 'sudo'] });
    expect([of.sshUser, of.become, quirks]).toEqual(['csync', 'sudo', ['banner', 'sudo']]);
    const page = readFileSync(join(repository, 'docs/how-to/lab.md'), 'utf8');
    const up = labVerbRows.find(({ words }) => words === 'lab up');
    expect(JSON.stringify(up)).toContain(`: all, or a list of ${quirkNames.join(', ')};`);
    for (const name of quirkNames) expect(page).toContain(`\n| \`${name}\` | ${quirkTable[name].does} |\n`);
  });

  test('of the disk are added once, others at each boot', () => {
    const { status } = spawnSync('sh', ['-n'], { input: quirksOnBoot(quirkNames) });
    const [once = '', always = ''] = quirksOnBoot(['banner', 'bridge']).split('\nfi\n');
    expect([status, once.includes('Authorised'), always.includes('virbr0'), always.includes('Authorised')]).toEqual([
      0,
      true,
      true,
      false,
    ]);
  });
});
