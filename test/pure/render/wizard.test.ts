import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { networkOf } from '../../../src/base/network.ts';
import { serviceguard } from '../../../src/engine/serviceguard/engine.ts';
import { readCluster } from '../../../src/engine/serviceguard/host.ts';
import { parseClusterVariables, variablesScript } from '../../../src/serviceguard/cluster-variables.ts';
import { type Field, settingsFields } from '../../../src/settings/settings.ts';
import { fieldOf, isYesNo, readTyped } from '../../../src/settings/settings-yaml.ts';
import { settingsTable } from '../../../src/settings/table.ts';
import { promptFor, readYesNo, takenOffer, typedAnswer } from '../../../src/wizard/answers.ts';
import { crossSubnet, type Findings, judgeName, membersOutside } from '../../../src/wizard/findings.ts';
import { lookScript, type MemberLook, readLook } from '../../../src/wizard/look.ts';
import { lookupsFor, offerFor, questionOrder, remarksFor } from '../../../src/wizard/offers.ts';
import { scratchDirectory, settingsFor } from '../../support.ts';

const scratch = scratchDirectory();

const nothing = readLook('');

function look(changes: Partial<MemberLook> = {}): MemberLook {
  return { ...nothing, ...changes };
}

const onNetwork = (...addresses: string[]): Partial<MemberLook> => ({
  addresses: addresses.map((text, index) => {
    const [address = '', length] = text.split('/');
    const prefixLength = Number(length ?? 24);
    return { interface: `eth${index}`, address, prefixLength, subnet: networkOf(address, prefixLength) };
  }),
});

function findings(changes: Partial<Findings> = {}): Findings {
  return {
    here: 'm1',
    engine: serviceguard,
    variables: null,
    cluster: readCluster('name=prod\nnode:m1|name=m1\nnode:m2|name=m2\nnode:m3|name=m3\n', '') ?? { why: '' },
    members: new Map([['m1', look()]]),
    unseen: new Map(),
    answers: new Map(),
    ...changes,
  };
}

const members = (...looks: Partial<MemberLook>[]): Pick<Findings, 'members'> => ({
  members: new Map(looks.map((one, index) => [`m${index + 1}`, look(one)])),
});

describe('what the wizard checks', () => {
  it('reads the very words of ip, vgs, lvs and of the script', () => {
    const seen = readLook(
      [
        '== addresses',
        '1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever',
        '2: bond0    inet 10.9.0.11/23 brd 10.9.1.255 scope global bond0\\       valid_lft forever preferred_lft forever',
        '2: bond0    inet 10.9.0.100/32 scope global secondary bond0\\       valid_lft forever preferred_lft forever',
        '2: bond0    inet6 fd09::11/64 scope global \\       valid_lft forever preferred_lft forever',
        '== end 0',
        '== networks',
        'fd09::/64 dev bond0 proto kernel metric 256 pref medium',
        'fe80::/64 dev bond0 proto kernel metric 256 pref medium',
        '== end 0',
        '== volume groups',
        '  vg_csync|Zq3-1|m1',
        '  vg_root|Zq3-2|',
        '== end 0',
        '== logical volumes',
        '  vg_csync|lv_csync|1.00g',
        '== end 0',
        '== cfengine',
        '3 /usr/bin',
        '3 /usr/bin',
        '2 /var/cfengine/bin',
        '== end 0',
        '== running',
        '3',
        '== end 0',
        '== node',
        '/usr/bin/node v18.19.0',
        '/opt/node/bin/node v22.1.0',
        '== end 0',
        '== csync',
        '/usr/bin/csync',
        '== end 0',
      ].join('\n'),
    );
    expect(seen.addresses?.[1]).toEqual({ interface: 'bond0', address: '10.9.0.11', prefixLength: 23, subnet: '10.9.0.0' });
    expect(seen.addresses?.[3]).toEqual({ interface: 'bond0', address: 'fd09::11', prefixLength: 64, subnet: 'fd09::/64' });
    expect(seen.volumeGroups).toEqual([
      { name: 'vg_csync', uuid: 'Zq3-1', tags: 'm1' },
      { name: 'vg_root', uuid: 'Zq3-2', tags: '' },
    ]);
    expect(seen.logicalVolumes).toEqual([{ volumeGroup: 'vg_csync', name: 'lv_csync', size: '1.00g' }]);
    expect(seen.cfengine).toEqual([
      { generation: 3, binDirectory: '/usr/bin' },
      { generation: 2, binDirectory: '/var/cfengine/bin' },
    ]);
    expect(seen.running).toEqual([3]);
    expect(seen.nodePaths).toEqual(['/opt/node/bin/node']);
    expect(seen.toolkitPaths).toEqual(['/usr/bin/csync']);
    const found = findings({ members: new Map([['m1', seen]]) });
    expect(offerFor('toolkitProgram', found, {} as Parameters<typeof offerFor>[2])?.value).toBe('/usr/bin/csync');
  });

  it('distinguishes a program that is not installed from one that failed, and from a script that was cut off', () => {
    const seen = readLook('== addresses\n== end 127\n== volume groups\n== end 5\n== logical volumes\n  vg|lv|1g\n');
    expect([...seen.why.values()]).toEqual(['ip is not installed', 'vgs failed with 5', 'lvs failed with a timeout']);
    expect([seen.addresses, seen.volumeGroups, seen.logicalVolumes]).toEqual([null, null, null]);
  });

  it('is a script that any shell here runs to its end, with any program missing, changing nothing', () => {
    for (const shell of ['sh', 'bash']) {
      const run = spawnSync(shell, ['-s'], { input: lookScript, encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } });
      expect(run.status).toBe(0);
      expect(run.stdout.match(/^== end \d+$/gm)).toHaveLength(run.stdout.match(/^== (?!end)/gm)?.length ?? -1);
      expect(readLook(run.stdout).nodePaths.every((path) => path.startsWith('/'))).toBe(true);
    }
  });

  it('finds the programs behind the links of cfengine’s own packages, and a single linked program where it is', () => {
    const of = (...names: string[]): string => join(scratch, ...names);
    for (const directory of ['bin', 'sbin', 'copies']) mkdirSync(of(directory));
    for (const name of ['cf-serverd', 'cf-agent', 'cf-key']) {
      writeFileSync(of('bin', name), '#!/bin/sh\n', { mode: 0o755 });
      symlinkSync(of('bin', name), of('sbin', name));
    }
    mkdirSync(of('alone'));
    writeFileSync(of('alone/cf-serverd'), '#!/bin/sh\n', { mode: 0o755 });
    symlinkSync(of('alone/cf-serverd'), of('copies/cf-serverd'));
    const found = (directory: string) => {
      const env = { PATH: `${of(directory)}:/usr/bin:/bin` };
      const { stdout } = spawnSync('sh', ['-s'], { input: lookScript, encoding: 'utf8', env });
      return readLook(stdout)
        .cfengine.map(({ binDirectory }) => binDirectory)
        .filter((one) => one.startsWith(scratch));
    };
    expect(found('sbin')).toEqual([of('bin')]);
    expect(found('copies')).toEqual([of('copies')]);
  });

  it.each([
    ['10.9.0.11', 24, '10.9.0.0'],
    ['10.9.1.200', 23, '10.9.0.0'],
    ['192.168.7.130', 25, '192.168.7.128'],
    ['172.16.5.4', 32, '172.16.5.4'],
    ['200.1.2.3', 1, '128.0.0.0'],
    ['200.1.2.3', 0, '0.0.0.0'],
    ['200.1.2.3', 33, null],
    ['200.1.2', 24, null],
    ['200.1.2.3', Number.NaN, null],
  ])('%s/%i lies in %s', (address, length, network) => {
    expect(networkOf(address, length)).toBe(network);
  });

  it.each([
    ['plain', 'SGCONF=/opt/cm/conf # where\nSGRUN="/opt/cm/run"\nexport SGSBIN=/opt/cm/bin;\n# SGCONF=/no\n'],
    ['made of one another', 'SGROOT=/opt/cm\nSGCONF=${SGROOT}/conf SGRUN=$SGROOT/run\nSGSBIN="${SGROOT:-/no}/bin"\n'],
    [
      'with a program and a condition',
      'r=$(echo /opt)/cm\n[ -d /nowhere ] || SGCONF=$r/conf\nSGRUN=$r/run SGSBIN=$r/bin; echo hello\n',
    ],
  ])('reads cmcluster.conf as the shell file that it is: %s', (_, text) => {
    const file = join(mkdtempSync(join(tmpdir(), 'csync-variables-')), 'cmcluster.conf');
    writeFileSync(file, text);
    const { stdout } = spawnSync('/bin/sh', ['-c', variablesScript, 'sh', file], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin' },
    });
    rmSync(dirname(file), { recursive: true });
    expect(parseClusterVariables(stdout)).toMatchObject({ SGCONF: '/opt/cm/conf', SGRUN: '/opt/cm/run', SGSBIN: '/opt/cm/bin' });
  });

  it('reads members in their order, their subnets, and which package has which volume group', () => {
    const status = ['name=prod', 'node:b|name=b', 'node:b|subnet:10.1.0.0|name=10.1.0.0', 'node:a|interface:eth0|name=eth0'];
    const configuration = ['package:nfs|name=nfs', 'package:nfs|vg:vg_nfs|vg=vg_nfs'];
    const cluster = readCluster(status.join('\n'), configuration.join('\n'));
    expect(cluster).toMatchObject({ name: 'prod', members: ['b', 'a'], quorumServer: null });
    expect([...(cluster?.subnets ?? [])]).toEqual([
      ['b', ['10.1.0.0']],
      ['a', []],
    ]);
    expect(cluster?.packageOfVolumeGroup.get('vg_nfs')).toBe('nfs');
    expect(readCluster('name=prod\n', '')).toBeNull();
  });
});

describe('cross-subnet clusters', () => {
  const verdict = (found: Findings) => crossSubnet(found).map(({ code }) => code);
  const cases: readonly [string, Partial<MemberLook>[], boolean][] = [
    ['one subnet', [onNetwork('10.1.0.1'), onNetwork('10.1.0.2')], false],
    ['one of two is shared', [onNetwork('10.1.0.1', '10.2.0.1'), onNetwork('10.3.0.2', '10.2.0.2')], false],
    ['two share one, the third is elsewhere', [onNetwork('10.1.0.1'), onNetwork('10.1.0.2'), onNetwork('10.2.0.3')], true],
    ['none is shared', [onNetwork('10.1.0.1'), onNetwork('10.2.0.1')], true],
    [
      'a bridge of containers is no network between members',
      [onNetwork('10.1.0.1', '172.17.0.1/16'), onNetwork('10.2.0.1', '172.17.0.1/16')],
      true,
    ],
    ['another member could not be checked', [onNetwork('10.1.0.1')], false],
    ['nothing could be checked', [{}, {}], false],
  ];
  it.each(cases)('%s', (_what, looks, refused) => {
    expect(verdict(findings(members(...looks)))).toEqual(refused ? ['here-cross-subnet'] : []);
  });

  it('Serviceguard knows better than interfaces do', () => {
    const text = ['m1', 'm2']
      .map((member) => `node:${member}|name=${member}\nnode:${member}|subnet:10.5.0.0|name=10.5.0.0\n`)
      .join('');
    const cluster = readCluster(text, '') ?? { why: '' };
    expect(verdict(findings({ cluster, ...members(onNetwork('10.1.0.1'), onNetwork('10.2.0.1')) }))).toEqual([]);
  });

  it('names members that cannot take over an address, but only such as are known', () => {
    const found = findings(members(onNetwork('10.1.0.1', '10.2.0.1'), onNetwork('10.2.0.2')));
    expect(membersOutside(found, '10.1.0.0', ['m1', 'm2', 'm3'])).toEqual(['m2']);
    expect(membersOutside(found, '10.2.0.0', ['m1', 'm2', 'm3'])).toEqual([]);
  });
});

describe('names both ways', () => {
  const cases: readonly [string, Record<string, string[]>, string | null, string | null][] = [
    ['both ways', { 'c.x': ['10.1.0.9'], '10.1.0.9': ['c.x'] }, '10.1.0.9', null],
    ['in other letters', { 'c.x': ['10.1.0.9'], '10.1.0.9': ['C.X'] }, '10.1.0.9', null],
    ['as an alias', { 'c.x': ['10.1.0.9'], '10.1.0.9': ['other', 'c.x'] }, '10.1.0.9', null],
    ['before the address is said', { 'c.x': ['10.1.0.9'] }, null, null],
    ['unknown', {}, null, 'settings-name-forward'],
    ['to two addresses', { 'c.x': ['10.1.0.9', '10.1.0.8'], '10.1.0.9': ['c.x'] }, '10.1.0.9', 'settings-name-forward'],
    ['elsewhere', { 'c.x': ['10.1.0.8'], '10.1.0.9': ['c.x'] }, '10.1.0.9', 'settings-name-forward'],
    ['forward only', { 'c.x': ['10.1.0.9'] }, '10.1.0.9', 'settings-name-reverse'],
    ['back to another', { 'c.x': ['10.1.0.9'], '10.1.0.9': ['d.x'] }, '10.1.0.9', 'settings-name-reverse'],
  ];
  it.each(cases)('%s', (_what, answers, address, code) => {
    const [problem] = judgeName(findings({ answers: new Map(Object.entries(answers)) }), 'c.x', address);
    expect(problem?.code ?? null).toBe(code);
  });
});

describe('offers', () => {
  const volumes = (...names: string[]) => ({ volumeGroups: names.map((name) => ({ name, uuid: `id-${name}`, tags: '' })) });
  const said = { packageName: 'csync' };
  type Case = readonly [string, Field, Findings, Record<string, unknown>, unknown, boolean?];
  const both = [2, 3].map((generation) => ({ generation: generation as 2 | 3, binDirectory: `/opt/${generation}` }));
  const one = both.slice(0, 1);
  const cases: readonly Case[] = [
    ['all members, in the order of the cluster', 'members', findings(), {}, ['m1', 'm2', 'm3'], true],
    ['no members without a cluster', 'members', findings({ cluster: { why: 'x' } }), {}, null],
    [
      'the name registered in our domain',
      'packageDnsName',
      findings({ ...members({ domains: ['a.b', 'c.d'] }), answers: new Map([['csync.c.d', ['10.1.0.9']]]) }),
      said,
      'csync.c.d',
      false,
    ],
    [
      'the name of a given address',
      'packageDnsName',
      findings({ answers: new Map([['10.1.0.9', ['x.y']]]) }),
      { packageAddress: '10.1.0.9' },
      'x.y',
      true,
    ],
    [
      'the address of a given name',
      'packageAddress',
      findings({ answers: new Map([['x.y', ['10.1.0.9']]]) }),
      { packageDnsName: 'x.y' },
      '10.1.0.9',
      true,
    ],
    [
      'no address of a name with two',
      'packageAddress',
      findings({ answers: new Map([['x.y', ['10.1.0.9', '10.1.0.8']]]) }),
      { packageDnsName: 'x.y' },
      null,
    ],
    [
      'the subnet the address lies in',
      'packageSubnet',
      findings(members(onNetwork('10.2.0.1', '10.1.3.1/22'))),
      { packageAddress: '10.1.0.9' },
      '10.1.0.0',
      true,
    ],
    [
      'no subnet of the address itself',
      'packageSubnet',
      findings(members(onNetwork('10.1.0.9/32'))),
      { packageAddress: '10.1.0.9' },
      null,
    ],
    ['the only volume group', 'volumeGroup', findings(members(volumes('vg'))), said, 'vg', false],
    [
      'the only one that is free',
      'volumeGroup',
      findings(members({ ...volumes('root', 'vg'), devicesInUse: ['/dev/mapper/root-usr'] })),
      said,
      'vg',
      false,
    ],
    [
      'a longer name is another group',
      'volumeGroup',
      findings(members({ ...volumes('vg'), devicesInUse: ['/dev/mapper/vg--root-usr', '/dev/vg-root/usr'] })),
      said,
      'vg',
      false,
    ],
    ['none of two', 'volumeGroup', findings(members(volumes('a', 'b'))), said, null],
    ['the only one that all members have', 'volumeGroup', findings(members(volumes('a', 'b'), volumes('b'))), said, 'b', false],
    [
      'none that another package has',
      'volumeGroup',
      findings({
        cluster: readCluster('node:m1|name=m1\n', 'package:nfs|vg:vg|vg=vg\n') ?? { why: '' },
        ...members(volumes('vg')),
      }),
      said,
      null,
    ],
    [
      'the one this very package has and has mounted',
      'volumeGroup',
      findings({
        cluster: readCluster('node:m1|name=m1\n', 'package:csync|vg:vg|vg=vg\n') ?? { why: '' },
        ...members({ ...volumes('vg'), devicesInUse: ['/dev/vg/lv'] }),
      }),
      said,
      'vg',
      false,
    ],
    [
      'the only volume in the group said',
      'logicalVolume',
      findings(
        members({
          logicalVolumes: [
            { volumeGroup: 'a', name: 'x', size: '' },
            { volumeGroup: 'b', name: 'y', size: '' },
          ],
        }),
      ),
      { volumeGroup: 'b' },
      'y',
      false,
    ],
    [
      'what blkid says of the device',
      'fileSystemType',
      findings({ answers: new Map([['/dev/a/x', ['xfs']]]) }),
      { volumeGroup: 'a', logicalVolume: 'x' },
      'xfs',
      true,
    ],
    ['a default where nothing was found', 'fileSystemType', findings(), {}, 'ext4', true],
    ['the generation that is installed', 'cfengineGeneration', findings(members({ cfengine: one })), {}, 2, true],
    ['the one of two that runs', 'cfengineGeneration', findings(members({ cfengine: both, running: [2] })), {}, 2, true],
    ['the newer of two, as a guess', 'cfengineGeneration', findings(members({ cfengine: both })), {}, 3, false],
    [
      'the programs of the generation said',
      'cfengineBinDirectory',
      findings(members({ cfengine: both })),
      { cfengineGeneration: 2 },
      '/opt/2',
      true,
    ],
    [
      'a work directory beside its programs',
      'cfengineWorkDirectory',
      findings(members({ workDirectories: ['/var/lib/cfengine3', '/var/cfengine'] })),
      { cfengineGeneration: 3, cfengineBinDirectory: '/var/cfengine/bin' },
      '/var/cfengine',
      true,
    ],
    [
      'a work directory beside its programs, before they made a key there',
      'cfengineWorkDirectory',
      findings(
        members({ cfengine: [{ generation: 3, binDirectory: '/var/cfengine/bin' }], workDirectories: ['/var/lib/cfengine3'] }),
      ),
      { cfengineGeneration: 3, cfengineBinDirectory: '/var/cfengine/bin' },
      '/var/cfengine',
      true,
    ],
    [
      'no work directory of the other generation',
      'cfengineWorkDirectory',
      findings(members({ workDirectories: ['/var/lib/cfengine3'] })),
      { cfengineGeneration: 2 },
      '/var/cfengine',
      true,
    ],
    ['the policy below the mount point said', 'policyDirectory', findings(), { mountPoint: '/policy' }, '/policy/dsau', true],
  ];
  for (const [what, field, found, above, value, certain] of cases)
    it(what, () => {
      const offer = offerFor(field, found, above);
      expect(offer?.value ?? null).toEqual(value);
      if (offer !== null) expect(offer.certain).toBe(certain);
    });

  it('a guess is taken only when told to, a fact always', () => {
    const guess = { value: 'vg', from: 'vgs', certain: false };
    expect(takenOffer('volumeGroup', guess, false)).toBeNull();
    expect(takenOffer('volumeGroup', guess, true)).toMatchObject({ value: 'vg', from: 'vgs' });
    expect(takenOffer('members', { ...guess, certain: true }, false)).not.toBeNull();
    expect(takenOffer('members', null, true)).toBeNull();
  });

  it('what has to be looked up before an offer can be made', () => {
    const found = findings(members({ domains: ['lab'] }));
    expect(lookupsFor('packageDnsName', found, { packageName: 'CSYNC' })).toEqual(['csync.lab']);
    expect(lookupsFor('packageAddress', found, {})).toEqual([]);
  });

  it('volume groups are shown with the reason why one is not offered', () => {
    const found = findings(members({ ...volumes('root', 'vg'), devicesInUse: ['/dev/root/usr'] }));
    expect(remarksFor('volumeGroup', found, said)).toEqual([
      'Volume group root: /dev/root/usr is mounted or in /etc/fstab.',
      'Volume group vg: free.',
    ]);
  });

  it('every setting has its question', () => {
    expect([...questionOrder.all].sort()).toEqual([...settingsFields].sort());
  });
});

describe('questions and answers', () => {
  it.each([
    ['mountPoint', { value: '/csync', from: '', certain: true }, 'Mount point? [/csync]: '],
    [
      'members',
      { value: ['m1', 'm2'], from: '', certain: true },
      'Members that may run the package, the preferred one first? [m1 m2]: ',
    ],
    ['packageAddress', null, 'Relocatable address of the package? []: '],
    ['autoRun', { value: true, from: '', certain: true }, 'Start and fail over automatically? (y/n) [y]: '],
    ['autoRun', { value: 'no', from: '', certain: true }, 'Start and fail over automatically? (y/n) [n]: '],
  ] as const)('%s is asked for in the style of DSAU', (field, offer, prompt) => {
    expect(promptFor(field, offer)).toBe(prompt);
  });

  it.each([
    ['members', 'm1 m2', ['m1', 'm2']],
    ['members', 'm1, m2,', ['m1', 'm2']],
    ['members', '[m2, m1]', ['m2', 'm1']],
    ['members', 'm1', ['m1']],
    ['cfenginePort', '5309', 5309],
    ['cfenginePort', 'x', 'x'],
    ['serviceRestart', 'none', 'none'],
    ['serviceRestart', '3', 3],
    ['autoRun', 'y', true],
    ['autoRun', 'N', false],
    ['autoRun', 'true', true],
    ['autoRun', 'no', 'no'],
    ['packageDescription', '12', '12'],
    ['packageDescription', 'a: b', 'a: b'],
    ['logLevel', '0', 0],
    ['mountOptions', '-o rw,noatime', '-o rw,noatime'],
  ] as const)('for %s "%s" means %j', (field, typed, value) => {
    expect(readTyped(field, typed)).toEqual(value);
  });

  it('every default, typed as it is shown, means itself; any text typed for any setting is read without a crash', () => {
    fc.assert(
      fc.property(fc.constantFrom<Field[]>(...settingsFields), fc.string(), (field, text) => {
        readTyped(field, text);
        const { fallback } = settingsTable[field] as { fallback?: unknown };
        if (typeof fallback === 'string' || typeof fallback === 'number')
          expect(readTyped(field, String(fallback))).toBe(fallback);
      }),
    );
  });

  it('an empty line takes the offer, or is no answer', () => {
    expect(typedAnswer('mountPoint', '  ', { value: '/csync', from: 'default', certain: true })).toMatchObject({
      value: '/csync',
      from: 'default',
    });
    expect(typedAnswer('mountPoint', '', null)).toBeNull();
    expect(typedAnswer('mountPoint', ' /p ', null)).toMatchObject({ value: '/p', from: 'you' });
  });

  it.each([
    ['', true],
    ['y', true],
    ['YES', true],
    ['no', false],
    ['nope', null],
  ])('"%s" to a question of yes and no', (line, meant) => {
    expect(readYesNo(line, true)).toBe(meant);
  });

  it('knows the keys, the yes-and-no ones among them, and the nearest of a wrong one', () => {
    expect(fieldOf('mount_point', { file: '' })).toBe('mountPoint');
    expect(fieldOf('mont_point', { file: '--set' })).toMatchObject({
      code: 'settings-unknown-key',
      remedy: expect.stringContaining('mount_point'),
    });
    const defaults = settingsFor();
    const yesNo = settingsFields.filter((field) => typeof defaults[field] === 'boolean');
    expect(yesNo).toContain('autoRun');
    expect(settingsFields.filter((field) => isYesNo(field))).toEqual(yesNo);
  });
});
