/** What fuzzing and reading found, each as the one input that showed it. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compareDirectory } from '../../../src/cluster/apply/comparison.ts';
import { parseHistory, readSet } from '../../../src/cluster/apply/history.ts';
import { parsePeers } from '../../../src/cluster/condition/clients.ts';
import { parseCondition } from '../../../src/cluster/condition/member-condition.ts';
import { withConfigured } from '../../../src/cluster/hosts/boot-start.ts';
import { parseHost } from '../../../src/cluster/hosts/host-look.ts';
import { planPolicyTree } from '../../../src/cluster/policy/tree.ts';
import { saveRoster } from '../../../src/cluster/setup/run.ts';
import { readManifest } from '../../../src/contract/package-directory.ts';
import { emptyRoster } from '../../../src/contract/roster.ts';
import { withSet } from '../../../src/engine/serviceguard/package-text.ts';
import type { MemberShell } from '../../../src/host/admin/member-shell.ts';
import { parseProcessStat } from '../../../src/host/member/member-host.ts';
import { readWatch } from '../../../src/rehearsal/watch-scripts.ts';
import { fillTemplate } from '../../../src/render/template.ts';
import { chosen } from '../../../src/script-tests/report.ts';
import { parseClusterVariables } from '../../../src/serviceguard/cluster-variables.ts';
import { type PackageFile, parsePackageFile, printPackageFile } from '../../../src/serviceguard/package-file.ts';
import { volumeGroupName } from '../../../src/serviceguard/storage-names.ts';
import { parseSettingsJson, type Settings, settingsJson } from '../../../src/settings/settings.ts';
import { parseSettings, withList, withValue } from '../../../src/settings/settings-yaml.ts';
import { settingsFor, settingsText } from '../../support.ts';

/** ms of CPU. */
function cost(work: () => unknown): number {
  const begun = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}

const codes = (text: string): string[] => parseSettings(text, 'csync.yaml').problems.map(({ code }) => code);

describe('csync.yaml', () => {
  it.each([
    ['an alias without an anchor', 'members: [m1]\nmount_point: *nowhere\n'],
    ['an anchor that holds itself', 'members: &a [*a]\n'],
    ['brackets without end', '['.repeat(20_000)],
    ['more than anybody writes', `${settingsText()}# ${'x'.repeat(50_000)}\n`],
  ])('with %s is refused in a sentence', (_what, text) => {
    expect(codes(text)).not.toEqual([]);
    expect(() => [withValue(text, 'mount_point', '/x'), withList(text, 'members', ['m1'])]).not.toThrow();
  });

  it('that is something else altogether has no more problems than anybody reads', () => {
    expect(codes(Array.from({ length: 3000 }, (_, index) => `a${index}: b\n`).join('')).length).toBeLessThan(200);
  });

  it('names no package that a package file cannot name', () => {
    expect(codes(settingsText({ package_name: 'csync-' }))).toContain('settings-value');
    expect(codes(settingsText({ package_name: 'c' }))).toEqual([]);
  });
});

describe('what is printed reads as it was', () => {
  it('with -0 as a number', () => {
    const json = settingsJson(settingsFor()).replace('"logLevel": 0', '"logLevel": -0');
    const read = parseSettingsJson(json);
    expect(read).toHaveProperty('logLevel', 0);
    expect(parseSettingsJson(settingsJson(read as Settings))).toStrictEqual(read);
  });

  it('with an attribute of a toolkit, which keeps its own case, in a legacy file', () => {
    const read = parsePackageFile('PACKAGE_NAME csync\nRUN_SCRIPT /a\nmine/Own b\n', 'csync.conf');
    const printed = printPackageFile((read as { value: PackageFile }).value);
    expect(printed).toMatch(/^mine\/Own +b$/m);
    expect(printed).toMatch(/^RUN_SCRIPT +\/a$/m);
  });
});

describe('answers of members', () => {
  it.each([
    'null',
    '5',
    '[]',
    '{"files":null}',
    '{"files":5,"edited":5,"runtime":7}',
    '{"edited":[1],"runtime":{"digest":1,"size":"a"}}',
  ])('with the manifest %s are read as without one', (manifest) => {
    expect(readManifest(manifest)).toEqual({ toolkitVersion: '', settingsDigest: '', files: {}, beside: {} });
    const facts = {
      directory: '/x',
      files: [{ name: 'a', mode: 0o644, digest: 'b' }],
      manifests: new Map([['flat', manifest]]),
      running: null,
      applied: null,
      nodeVersion: null,
      runtimeVersion: null,
      leftovers: [],
    };
    expect(compareDirectory([{ name: 'a', mode: 0o644, content: Buffer.from('') }], facts)).toMatchObject([{ name: 'a' }]);
  });

  it('with words where numbers belong are no answers', () => {
    expect(parseCondition({ text: 'daemons x\nclock 1\n', asked: 1, answered: 2 })).toBeNull();
    expect(parseCondition({ text: 'clock 1\n', asked: 1, answered: 2 })).toBeNull();
    expect(parseHost('host m1\ndaemons x\nwhole\n', '10.9.0.0')).toBeNull();
    expect(parseHost('host m1\nkeys x\nwhole\n', '10.9.0.0')).toBeNull();
    expect(parseHost('host m1\nmode x localhost.pub\nprivate x y\nwhole\n', '10.9.0.0')).toMatchObject({
      keys: [],
      privateKey: null,
    });
    expect(parseProcessStat('x (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20')).toBeNull();
  });

  it('with times that are none yield no client', () => {
    expect(parsePeers('peers 99999999999999999999\npeer x\n').peers).toBeNull();
    expect(parsePeers('peers 1790000000\npeer IP - c1 10.9.0.21 @ [x] not seen for (1.2.3) hrs\n').peers).toEqual([]);
  });

  it('that unpack without end are skipped', () => {
    const about = { number: 1, at: '', by: '', toolkitVersion: '', digest: 'a', note: '' };
    expect(readSet(gzipSync(Buffer.alloc((1 << 26) + 1)), about)).toBeNull();
  });
});

describe('a public key with words around it', () => {
  it('is kept without them, so that the roster can be read again', () => {
    const pem = '-----BEGIN RSA PUBLIC KEY-----\nMAgCAQMCAwEAAQ==\n-----END RSA PUBLIC KEY-----';
    const text = `key of m1\n${pem}\nmore words\n`;
    const printed = text.replace(/^(?=.)/gm, 'key ');
    const host = parseHost(
      `host m1\nprivate 600 ${'a'.repeat(64)}\nmode 600 localhost.pub\nkey ==> localhost.pub <==\n${printed}whole\n`,
      '10.9.0.0',
    );
    expect(host?.own?.publicKey).toBe(`${pem}\n`);
  });
});

describe('a roster that no program could read', () => {
  it('is not written: nothing is sent to any member', async () => {
    const sent: string[] = [];
    const shell = { run: async (member: string) => void sent.push(member) } as unknown as MemberShell;
    const roster = { ...emptyRoster, waiting: [{ host: 'a b', what: 'client', why: '', since: '' } as const] };
    await expect(saveRoster(shell, ['m1', 'm2'], '$SGCONF/csync', roster)).rejects.toThrow(
      /"a b", which is not a valid host name/,
    );
    expect(sent).toEqual([]);
  });
});

describe('CSYNC_CONFIGURED', () => {
  it.each([
    ['CSYNC_CONFIGURED="1"+OTHER\n', 'CSYNC_CONFIGURED=0\n'],
    ['CSYNC_CONFIGURED=a\'b\'"c"d # x\n', 'CSYNC_CONFIGURED=0 # x\n'],
  ])('is set at once in %j', (text, wanted) => {
    const once = withConfigured(text, '0');
    expect(once).toBe(wanted);
    expect(withConfigured(once, '0')).toBe(once);
  });
});

describe('patterns of csync conform', () => {
  it('may be of any length, and mean what they did', () => {
    const names = ['start: mounts it', 'halt: lets go'];
    expect(chosen(['x*'.repeat(40_000)], names)('start: mounts it')).toBe(false);
    expect(chosen(['START*it'], names)('start: mounts it')).toBe(true);
    expect(chosen(['it*start'], names)('start: mounts it')).toBe(false);
    expect(chosen(['.'], names)('start: mounts it')).toBe(false);
  });
});

describe('texts of 64 KB of one thing', () => {
  const many = (unit: string): string => unit.repeat(Math.ceil(65_536 / unit.length));
  const policy = (name: string, ours: string, theirs: string) => () =>
    planPolicyTree([{ name, text: ours, mode: 0o600, owner: 'toolkit' }], new Map([[name, theirs]]));
  it.each<[string, () => unknown]>([
    ['empty lines in cmcluster.conf', () => parseClusterVariables(many('\n'))],
    ['blanks in a policy', policy('promises.cf', 'inputs => { "a" }', `${many(' ')}x`)],
    ['comments in a line of a policy', policy('promises.cf', 'inputs => { "a" }', `${many(' #')}"`)],
    ['empty lines in a policy', policy('promises.cf', 'inputs => { "a" }', many('\n'))],
    ['bodies that do not end', policy('csync_members.cf', many('body a b\n{\n'), 'x')],
    ['statements that do not end', policy('controls/cf_runagent.cf', many('hosts =>\n'), 'x')],
    ['tokens that are none', () => fillTemplate({ file: 'a', text: many('{{\n') }, {})],
    ['lines of a history that are none', () => parseHistory(many('{\n'))],
    ['empty lines in a package file', () => withSet(many('\n'), '0123456789abcdef', '0123456789abcdef')],
    ['slashes in the name of a volume group', () => volumeGroupName(`${many('/')}x`)],
  ])('%s are read in less than a second', (_what, work) => {
    expect(cost(work)).toBeLessThan(1000);
  });

  it('and places in templates are right for all that', () => {
    const filled = fillTemplate({ file: 'a', text: 'x\n {{no}}\n\n{{A}} {{\n' }, { yes: '' }, []);
    expect(filled.problems.map(({ place }) => [place?.line, place?.column])).toEqual([
      [2, 2],
      [4, 1],
      [4, 7],
    ]);
  });
});

describe('what a watch of a rehearsal wrote', () => {
  it('has times that are digits, not what else could be a number', () => {
    const times = ['Infinity', '1e400', '0x10', '-1', '', ' '];
    expect(times.flatMap((time) => readWatch(`${time} client 1 ${time}\n`, 'c1', 0))).toEqual([]);
    const [entry] = readWatch('1790000001,5 client 0 Infinity\n', 'c1', 0);
    expect(entry).toEqual({ at: 1790000001500, kind: 'seen', member: 'c1', what: 'client-lost', text: 'reaches no master' });
  });
});
