/** Carrying a Node.js along: what is decided before anything is sent, and what answers of members mean. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { hasNodeEnded, isNodeNewEnough, monitorOptions } from '../../../src/base/version.ts';
import { type ApplyWish, planApply, stepText } from '../../../src/cluster/apply/apply-plan.ts';
import { compareDirectory } from '../../../src/cluster/apply/comparison.ts';
import type { FileToSend } from '../../../src/cluster/apply/package-write.ts';
import { identityOf, machineName, type ProgramFile, readProgramFile } from '../../../src/cluster/apply/program-file.ts';
import {
  judgeRuntimeLook,
  parseRuntimeLook,
  type RuntimeLook,
  type RuntimeSource,
  readProof,
  runtimeInUse,
} from '../../../src/cluster/apply/runtime.ts';
import type { DirectoryFacts } from '../../../src/cluster/remote/package-look.ts';
import { type RenderedFile, type Runtime, sha256 } from '../../../src/contract/package-directory.ts';
import { definition } from '../../../src/engine/serviceguard/definition.ts';
import { withFile } from '../../../src/host/file-reading.ts';
import { manifestOf, withEdits, withRuntime } from '../../../src/render/package.ts';
import { runningOn } from '../../support.ts';

const place = {
  engine: 'serviceguard' as const,
  packageName: 'csync',
  members: ['m1', 'm2'],
  packageDirectory: '$SGCONF/csync',
  nodePath: '/usr/bin/node',
  mountPoint: '/csync',
};
const configuration = demand(definition.parse('package_name csync\nauto_run yes\n', 'csync.conf'));
const wanted = '0123456789abcdef';
const launcher = `sets/${wanted}/csync.sh`;
const files: FileToSend[] = [{ name: launcher, mode: 0o755, content: Buffer.from('exec "$directory/runtime/node"') }];
const runtime: Runtime = { digest: 'a'.repeat(64), size: 100_000_000 };
const program: ProgramFile = { identity: '02013e00', interpreter: '/lib64/ld-linux-x86-64.so.2', libraries: [], extent: 1 };
const source: RuntimeSource = { ...runtime, file: '/usr/bin/node', program, token: 'abc' };
const look: RuntimeLook = {
  directory: '/conf/csync',
  freeKilobytes: 1_000_000,
  mountOptions: ['rw', 'relatime'],
  identity: '02013e00',
  hasInterpreter: true,
};

const without: DirectoryFacts = {
  directory: '/conf/csync',
  files: files.map(({ name, mode, content }) => ({ name, mode, digest: sha256(content) })),
  manifests: new Map(),
  running: null,
  applied: `${wanted} /csync -`,
  nodeVersion: null,
  runtimeVersion: null,
  leftovers: [],
};
const carried: DirectoryFacts = {
  ...without,
  files: [...without.files, { name: 'runtime/node', mode: 0o755, digest: runtime.digest }],
  manifests: new Map([[wanted, JSON.stringify({ runtime })]]),
  runtimeVersion: '20.19.0',
};
const another: DirectoryFacts = {
  ...carried,
  files: [...without.files, { name: 'runtime/node', mode: 0o755, digest: 'b' }],
};

interface Given {
  readonly m1?: DirectoryFacts;
  readonly m2?: DirectoryFacts;
  readonly wish?: Partial<ApplyWish>;
  readonly looks?: readonly [RuntimeLook | string, RuntimeLook | string] | null;
}

/** A plan with --with-runtime, unless `looks` is null: then of an apply that keeps what there is. */
function plan({ m1 = carried, m2 = carried, wish = {}, looks = [look, look] }: Given) {
  const carry =
    looks === null
      ? null
      : {
          source,
          looks: new Map([
            ['m1', looks[0]],
            ['m2', looks[1]],
          ]),
        };
  const usual = { place, files, configuration, run: false, halt: false, takeRendered: false, set: null, runtime, carry };
  return planApply(
    { ...usual, ...wish },
    {
      members: [
        { member: 'm1', reached: true, ...m1 },
        { member: 'm2', reached: true, ...m2 },
      ],
      commandMember: 'm1',
      applied: configuration,
      status: null,
      memberStates: null,
      unprotected: [],
    },
  );
}

const check = 'on m1: cmcheckconf -v -P $SGCONF/csync/csync.conf';
const again = 'verify every member and the package';
const carryTo = (member: string): string => `carry /usr/bin/node (100.0 MB) to ${member} and check that it runs`;

describe('the steps of an apply with a runtime', () => {
  it.each<[string, Given, string[]]>([
    ['all have it already', {}, []],
    ['it is kept without being asked for again', { looks: null }, []],
    ['one has another one', { m2: another }, [carryTo('m2'), 'distribute to m2: runtime/node', check, again]],
    [
      'it goes to all before anything is changed on one',
      { m1: { ...without, files: [] }, m2: without },
      [
        carryTo('m1'),
        carryTo('m2'),
        `distribute to m1: runtime/node ${launcher}`,
        'distribute to m2: runtime/node',
        check,
        again,
      ],
    ],
    [
      'dropped again',
      { m1: { ...carried, nodeVersion: '20.19.0' }, m2: { ...without, nodeVersion: '20.19.0' }, wish: { runtime: null } },
      ['distribute to m1: remove runtime/node'],
    ],
    [
      'what a killed apply left is removed, where nothing else is done',
      { m1: { ...another, leftovers: ['.csync-runtime-1'] }, m2: { ...carried, leftovers: ['.csync-runtime-2'] } },
      [
        carryTo('m1'),
        'distribute to m1: runtime/node',
        check,
        'on m2: remove leftovers of a killed apply: .csync-runtime-2',
        again,
      ],
    ],
  ])('%s', (_title, given, expected) => {
    expect(demand(plan(given)).steps.map(stepText)).toEqual(expected);
  });

  it('halts nothing before it is known that it runs everywhere', () => {
    const status = runningOn('m1');
    const members = [without, without].map((facts, at) => ({ member: `m${at + 1}`, reached: true, ...facts }) as const);
    const carry = {
      source,
      looks: new Map([
        ['m1', look],
        ['m2', look],
      ]),
    };
    const other = demand(definition.parse('package_name csync\nauto_run yes\nip_address 10.0.0.1\n', 'csync.conf'));
    const wish = { place, files, configuration: other, run: false, halt: true, takeRendered: false, set: null, runtime, carry };
    const { steps } = demand(
      planApply(wish, { members, commandMember: 'm1', applied: configuration, status, memberStates: null, unprotected: [] }),
    );
    const order = ['carry', 'carry', 'distribute', 'distribute', 'command', 'switch', 'verify'];
    expect(steps.map((step) => step.do)).toEqual(order);
    expect(stepText(steps[5] ?? expect.fail())).toMatch(/^on m1, in one script: cmhaltpkg csync; cmapplyconf /);
  });

  it.each<[string, Given, string[]]>([
    ['it is missing, and no package carries it', { m2: without, looks: null }, ['change-no-runtime m2']],
    ['it was exchanged or damaged', { m1: another, looks: null }, ['change-no-runtime m1']],
    ['it cannot be executed', { m1: { ...carried, runtimeVersion: null }, looks: null }, ['change-runtime-fails m1']],
    ['it is too old', { m1: { ...carried, runtimeVersion: '18.20.0' } }, ['change-runtime-fails m1']],
    [
      'a launcher of an older template',
      { wish: { files: [{ name: launcher, mode: 0o755, content: Buffer.from('exec /usr/bin/node') }], takeRendered: true } },
      ['change-launcher -'],
    ],
    [
      'every member that does not fit is named at once',
      { m1: without, m2: without, looks: ['no answer', { ...look, freeKilobytes: 10 }] },
      ['change-runtime-unseen m1', 'change-runtime-space m2'],
    ],
    ['without it the members need a Node.js', { wish: { runtime: null } }, ['change-no-node m1', 'change-no-node m2']],
  ])('refuses: %s', (_title, given, expected) => {
    const { ok, problems } = plan(given);
    expect(ok).toBe(false);
    expect(problems.map(({ code, member }) => `${code} ${member ?? '-'}`)).toEqual(expected);
    expect(problems.every(({ remedy }) => /csync|make room|apply/.test(remedy))).toBe(true);
  });

  it('for a member without Node.js csync names --with-runtime', () => {
    const { problems } = plan({ m1: without, m2: without, wish: { runtime: null } });
    expect(problems.map(({ remedy }) => remedy).join()).toContain('csync apply --with-runtime');
  });
});

describe('what a member says before anything is sent', () => {
  it.each<[string, Partial<RuntimeLook>, string[]]>([
    ['fits', {}, []],
    ['another machine', { identity: '0201b700', hasInterpreter: false }, ['machine']],
    ['another C library', { hasInterpreter: false }, ['loader']],
    ['little room', { freeKilobytes: 150_000 }, ['space']],
    ['just enough: the file, a tenth, and the reserve', { freeKilobytes: 156_250 }, []],
    ['noexec', { mountOptions: ['rw', 'noexec'] }, ['noexec']],
    ['it could not report what machine it is', { identity: null }, []],
    ['all at once', { hasInterpreter: false, freeKilobytes: 0, mountOptions: ['noexec'] }, ['loader', 'space', 'noexec']],
  ])('%s', (_title, changes, expected) => {
    const problems = judgeRuntimeLook('m2', { ...look, ...changes }, source);
    expect(problems.map(({ code }) => code.replace('change-runtime-', ''))).toEqual(expected);
    expect(problems.every(({ member, remedy }) => member === 'm2' && remedy !== '')).toBe(true);
  });

  it('names machines', () => {
    const [problem] = judgeRuntimeLook('m2', { ...look, identity: '0201b700' }, source);
    expect(problem?.text).toBe('/usr/bin/node is a program for x86_64, but this is aarch64');
    expect(machineName('01020304')).toContain('01020304');
  });

  it.each(['', 'garbage', 'Welcome to m1\nfree \n', 'free x'])('%j is no answer', (output) => {
    expect(parseRuntimeLook(output)).toBeNull();
  });
});

describe('the proof', () => {
  const end = { exitCode: 0, signal: null, timedOut: false, errorCode: null, stderr: '' };
  const ended =
    'v20.19.0\nNov 23 10:00:00 m1 csync validate: ok [script-complete] Validation is complete. | role=pre exit=0 ms=1\n';

  it('is a version that is new enough and a script of the package that ran to its end', () => {
    expect(readProof({ ...end, stdout: ended })).toEqual({ version: '20.19.0' });
  });

  it.each<[string, Partial<typeof end> & { stdout: string }, RegExp, RegExp]>([
    ['an old one', { stdout: ended.replace('20.19', '20.18') }, /20\.18\.0, older/, /FILE/],
    ['a shell script that says a version to everything', { stdout: 'v22.0.0\nv22.0.0\n' }, /v22/, /FILE/],
    ['another script that ends well', { stdout: '' }, /not that of Node.js/, /FILE/],
    [
      'a library is missing',
      { exitCode: 127, stdout: '', stderr: 'x: error while loading shared libraries: libatomic.so.1: cannot open' },
      /libatomic/,
      /^install libatomic.so.1 there/,
    ],
    [
      'an older C library',
      { exitCode: 1, stdout: '', stderr: "node: /lib64/libc.so.6: version `GLIBC_2.28' not found" },
      /GLIBC_2.28/,
      /older systems/,
    ],
    ['it may not be executed', { exitCode: 126, stdout: '', stderr: 'env: node: Permission denied' }, /denied/, /noexec/],
    ['it hangs', { exitCode: 124, stdout: '' }, /no answer within/, /FILE/],
    ['it dies at its first step', { exitCode: 139, stdout: 'v20.19.0\n' }, /v20/, /FILE/],
  ])('refuses %s', (_title, result, why, remedy) => {
    const proved = readProof({ ...end, ...result });
    expect(proved).toMatchObject({ why: expect.stringMatching(why), remedy: expect.stringMatching(remedy) });
  });

  it.each<[string | null, boolean]>([
    ['20.19.0', true],
    ['22.0.0', true],
    ['20.18.9', false],
    ['18.99.0', false],
    [null, false],
  ])('%s: %s', (version, enough) => {
    expect(isNodeNewEnough(version)).toBe(enough);
  });

  it.each<[string, string, boolean]>([
    ['20.20.2', '2026-04-30', false],
    ['20.20.2', '2026-05-01', true],
    ['v24.0.0', '2026-11-30', false],
    ['24.0.0', '2028-05-01', true],
    ['99.0.0', '2099-01-01', false],
  ])('the support of %s on %s has ended: %s', (version, day, ended) => {
    expect(hasNodeEnded(version, new Date(`${day}T12:00:00Z`))).toBe(ended);
  });

  it('the monitor has only options that its Node.js knows', () => {
    expect(monitorOptions('20.19.0')).toEqual(['--jitless', '--no-expose-wasm']);
    expect(monitorOptions('v22.23.5')).toEqual(['--jitless', '--no-expose-wasm']);
    expect(monitorOptions('24.22.3')).toEqual(['--jitless']);
    const { status, stderr } = spawnSync(process.execPath, [...monitorOptions(process.version), '--eval', ''], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  });
});

describe('the runtime that is in use', () => {
  const reached = (manifest: string | null, set = wanted) => {
    const manifests = new Map(manifest === null ? [] : [[set, manifest]]);
    return { member: 'm', reached: true as const, ...without, manifests };
  };
  const naming = (digest: string) => reached(JSON.stringify({ runtime: { digest, size: 1 } }));

  it.each<[string, ReturnType<typeof reached>[], string | undefined]>([
    ['none', [reached(null), reached('{}'), reached('{"run')], undefined],
    ['the one most members have', [naming('a'), naming('b'), naming('b')], 'b'],
    ['half and half: that of the first', [naming('a'), naming('b')], 'a'],
    ['one that some members do not have yet', [reached(null), naming('b')], 'b'],
    [
      'not that of a set that is not applied',
      [reached('{"runtime":{"digest":"c","size":1}}', 'ffffffffffffffff'), naming('b')],
      'b',
    ],
  ])('%s', (_title, members, expected) => {
    const applied = demand(definition.parse(`package_name csync\npev_csync_set_digest ${wanted}\n`, 'csync.conf'));
    expect(runtimeInUse({ members, applied })?.digest).toBe(expected);
  });

  it('is in the manifest, survives edits of other files, and can be dropped without a trace', () => {
    const rendered: RenderedFile[] = [
      { name: launcher, mode: 0o755, text: 'x' },
      { name: `sets/${wanted}/manifest.json`, mode: 0o644, text: '' },
    ];
    const plain = withEdits(rendered, new Map([[launcher, 'mine']]), place);
    const manifest = manifestOf(withEdits(withRuntime(plain, runtime), new Map([[plain[0]?.name ?? '', 'mine too']]), place));
    expect(manifest.runtime).toEqual(runtime);
    expect(manifest.files).toEqual({ 'csync.sh': sha256('mine too') });
    expect(withRuntime(withRuntime(plain, runtime), null)).toEqual(plain);
  });

  it.each<[string, DirectoryFacts, string | undefined]>([
    ['there', carried, 'same'],
    ['gone', without, 'missing'],
    ['another', another, 'changed'],
    ['not executable', { ...carried, files: carried.files.map((one) => ({ ...one, mode: 0o644 })) }, 'mode'],
  ])('compared: %s', (_title, facts, expected) => {
    expect(compareDirectory(files, facts, runtime).find(({ name }) => name === 'runtime/node')?.is).toBe(expected);
  });

  it('one that the package does not have is reported, too', () => {
    expect(compareDirectory(files, carried).at(-1)).toEqual({ name: 'runtime/node', is: 'extra' });
  });
});

describe('a program file', () => {
  const readOf = (content: Buffer) => (offset: number, length: number) => content.subarray(offset, offset + length);
  const self = withFile(process.execPath, (read, size) => ({ program: readProgramFile(read), size }));

  it('the Node.js these tests run with is read as what it is', () => {
    expect(machineName(self.program?.identity ?? '')).toBe({ x64: 'x86_64', arm64: 'aarch64' }[process.arch as 'x64']);
    expect(self.program?.interpreter).toMatch(/^\/lib\S*\/ld-/);
    expect(self.program?.libraries.join()).toMatch(/libc\./);
    expect(self.program?.extent).toBeLessThanOrEqual(self.size);
    expect(withFile(process.execPath, (read) => identityOf(read(4, 16).toString('hex')))).toBe(self.program?.identity);
  });

  it('what is none, or is cut off, is none', () => {
    for (const text of ['', '#!/bin/sh\nexec node "$@"\n', '\x7fELF', `\x7fELF\x02\x01${'\xff'.repeat(200)}`])
      expect(readProgramFile(readOf(Buffer.from(text, 'latin1'))), JSON.stringify(text)).toBeNull();
    const head = withFile(process.execPath, (read) => Buffer.from(read(0, 5000)));
    const cut = readProgramFile(readOf(head));
    expect(cut?.extent).toBeGreaterThan(head.length);
  });
});
