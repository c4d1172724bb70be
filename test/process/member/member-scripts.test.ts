/** The shell scripts for members, run by a real shell in an empty environment. */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellWord } from '../../../src/base/shell-word.ts';
import { digestOfFiles, keptSets, newSet, parseHistory, readSet } from '../../../src/cluster/apply/history.ts';
import {
  distributeScript,
  forgetScript,
  readSwitch,
  sweepSetsScript,
  switchScript,
} from '../../../src/cluster/apply/package-write.ts';
import { identityOf } from '../../../src/cluster/apply/program-file.ts';
import {
  discardScript,
  parseRuntimeLook,
  proveScript,
  readProof,
  receiveScript,
  runtimeLookScript,
  sweepScript,
} from '../../../src/cluster/apply/runtime.ts';
import { arrivalName, lookScript, parseLook } from '../../../src/cluster/remote/package-look.ts';
import { busyStatus, commandScript } from '../../../src/cluster/remote/shell-text.ts';
import { runningFile, sha256 } from '../../../src/contract/package-directory.ts';
import { withFile } from '../../../src/host/file-reading.ts';
import { eventually, isRoot, scratchDirectory } from '../../support.ts';

const scratch = scratchDirectory();

/** Scripts read /etc/cmcluster.conf; here it is another file. */
function run(script: string): { status: number | null; stdout: string; stderr: string } {
  const directory = mkdtempSync(join(scratch, 'member-'));
  const configuration = join(directory, 'cmcluster.conf');
  writeFileSync(configuration, `SGCONF=${scratch}/conf\nSGSBIN=${scratch}/bin\n`);
  const input = script.replaceAll('/etc/cmcluster.conf', configuration);
  return spawnSync('/bin/sh', ['-s'], { input, encoding: 'utf8', env: {}, cwd: '/', maxBuffer: 1 << 26 });
}

const file = (name: string, text: string | Buffer, mode = 0o644) => ({ name, mode, content: Buffer.from(text) });
let number = 0;
const fresh = () => {
  number += 1;
  return { word: `$SGCONF/package${number}`, path: join(scratch, 'conf', `package${number}`) };
};

describe('distribution', () => {
  it('writes every byte and mode, and looking finds exactly that', () => {
    const { word, path } = fresh();
    const binary = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256));
    const files = [
      file('csync.sh', "#!/bin/sh\necho '$HOME'\n", 0o755),
      file('a.bin', binary),
      file('history/0001.json', '{}', 0o600),
      file('empty', ''),
    ];
    const sent = run(distributeScript(word, files, []));
    expect([sent.status, sent.stderr]).toEqual([0, '']);
    expect(readFileSync(join(path, 'a.bin')).equals(binary)).toBe(true);
    expect(statSync(join(path, 'csync.sh')).mode & 0o777).toBe(0o755);
    const facts = parseLook(run(lookScript(word, process.execPath)).stdout);
    const expected = files.map(({ name, mode, content }) => ({ name, mode, digest: sha256(content) }));
    const byName = (one: { name: string }, other: { name: string }) => one.name.localeCompare(other.name);
    expect(facts?.files.filter(({ name }) => !name.startsWith('.')).toSorted(byName)).toEqual(expected.sort(byName));
    expect(facts?.directory).toBe(path);
    expect(facts?.nodeVersion).toBe(process.versions.node);
  });

  it('cut short anywhere it changes nothing', () => {
    const { word, path } = fresh();
    run(distributeScript(word, [file('settings.json', 'old')], []));
    const script = distributeScript(word, [file('settings.json', 'new'), file('other', 'x'.repeat(300))], ['settings.json']);
    // The last line calls it; all but its newline is the whole script.
    const cuts = fc.integer({ min: 0, max: script.length - 6 });
    fc.assert(
      fc.property(cuts, (length) => {
        run(script.slice(0, length));
        expect(readFileSync(join(path, 'settings.json'), 'utf8')).toBe('old');
        expect(existsSync(join(path, 'other'))).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('damaged on the way it changes nothing, says so, and sweeps up', () => {
    const { word, path } = fresh();
    run(distributeScript(word, [file('settings.json', 'old')], []));
    const script = distributeScript(word, [file('settings.json', 'new contents')], []);
    const damaged = script.replace(
      Buffer.from('new contents').toString('base64'),
      Buffer.from('bad contents').toString('base64'),
    );
    const ended = run(damaged);
    expect(ended.status).not.toBe(0);
    expect(ended.stderr).toContain('FAILED');
    expect(readFileSync(join(path, 'settings.json'), 'utf8')).toBe('old');
    expect(readdirSync(path).filter((name) => name.includes('arrival'))).toEqual([]);
  });

  it('sweeps up after one that was killed, and takes old sets away', () => {
    const { word, path } = fresh();
    mkdirSync(join(path, '.csync-arrival-1'), { recursive: true });
    mkdirSync(join(path, 'history'));
    writeFileSync(join(path, 'history/0001.json'), '{}');
    expect(run(distributeScript(word, [file('x', 'y')], ['history/0001.json'])).status).toBe(0);
    expect(readdirSync(path).sort(), 'and a directory that is empty then').toEqual(['.csync-lock', 'x']);
  });

  it('two at a time: the second one is refused', () => {
    const { word, path } = fresh();
    mkdirSync(path, { recursive: true });
    const script = distributeScript(word, [file('x', 'y')], []);
    const configuration = join(scratch, 'conf.busy');
    writeFileSync(configuration, `SGCONF=${scratch}/conf\n`);
    const input = script.replaceAll('/etc/cmcluster.conf', configuration);
    const held = spawnSync('flock', [join(path, '.csync-lock'), '/bin/sh', '-s'], {
      input,
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin' },
    });
    expect([held.status, held.stderr]).toEqual([busyStatus, expect.stringContaining('another apply')]);
    expect(existsSync(join(path, 'x'))).toBe(false);
  });

  it('without Serviceguard it says so', () => {
    const script = lookScript('$SGCONF/csync', '/usr/bin/node').replaceAll('/etc/cmcluster.conf', join(scratch, 'nowhere'));
    const ended = spawnSync('/bin/sh', ['-s'], { input: script, encoding: 'utf8', env: {} });
    expect([ended.status, ended.stderr]).toEqual([69, expect.stringContaining('Serviceguard is not installed here')]);
  });
});

describe('a runtime', () => {
  const content = Buffer.from(
    '#!/bin/sh\necho v20.19.0\necho "m1 csync validate: ok [script-complete] Validation is complete. | role=pre exit=0 ms=1"\n',
  );
  const program = { identity: '02013e00', interpreter: null, libraries: [], extent: 1 };
  const source = { file: '', token: 'abc', program, digest: sha256(content), size: content.length };
  const arrival = arrivalName('abc');
  const receive = (word: string, input: Buffer | string) => {
    const configuration = join(scratch, 'conf.receive');
    writeFileSync(configuration, `SGCONF=${scratch}/conf\n`);
    const text = receiveScript(word, source, 10_000).replaceAll('/etc/cmcluster.conf', configuration);
    return spawnSync('/bin/sh', ['-c', text], { input, encoding: 'utf8', env: {}, cwd: '/' });
  };
  const proofs = new Map([['csync-validate.cjs', Buffer.from('it')]]);

  it('arrives beside its place, is proved there, and goes into place with the files', () => {
    const { word, path } = fresh();
    expect(receive(word, content)).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(path)).toEqual([arrival]);
    const proved = run(proveScript(word, source, proofs));
    const result = { ...proved, exitCode: proved.status, signal: null, timedOut: false, errorCode: null };
    expect(readProof(result)).toEqual({ version: '20.19.0' });
    expect(readdirSync(join(path, arrival))).toEqual(['node']);
    expect(run(distributeScript(word, [file('x', 'y')], [])).status).toBe(0);
    expect(readdirSync(path).sort(), 'another apply came between').toEqual(['.csync-lock', 'x']);
    expect(run(distributeScript(word, [file('z', 'y')], [], arrival)).stderr).toContain('another apply removed it');
    expect(existsSync(join(path, 'z')), 'and then nothing else is written').toBe(false);
    receive(word, content);
    expect(run(distributeScript(word, [], [], arrival))).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(join(path, 'runtime/node')).equals(content)).toBe(true);
    expect(statSync(join(path, 'runtime/node')).mode & 0o777).toBe(0o755);
    expect(parseLook(run(lookScript(word, '/nowhere')).stdout)).toMatchObject({
      nodeVersion: null,
      runtimeVersion: '20.19.0',
      leftovers: [],
    });
    expect(run(distributeScript(word, [], ['runtime/node'])).status).toBe(0);
    expect(readdirSync(path).sort()).toEqual(['.csync-lock', 'x']);
  });

  it.each([
    ['cut short', content.subarray(0, 20)],
    ['not at all', ''],
    ['damaged', Buffer.from(content.toString().replace('20', '21'))],
  ])('%s leaves nothing, not even the directory it made', (_, input) => {
    const { word, path } = fresh();
    const { status, stderr } = receive(word, input);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(new RegExp(`only ${input.length} of ${content.length} bytes arrived`)),
    ]);
    expect(existsSync(path)).toBe(false);
  });

  it('that does not run leaves nothing, either', () => {
    const { word, path } = fresh();
    receive(word, content);
    writeFileSync(join(path, arrival, 'node'), '#!/bin/sh\necho no >&2; exit 3\n');
    expect(run(proveScript(word, source, proofs))).toMatchObject({ status: 3, stderr: 'no\n' });
    expect(existsSync(path)).toBe(false);
  });

  it('one that is on its way is not swept up; what a killed apply left is seen, and is', () => {
    const { word, path } = fresh();
    mkdirSync(join(path, '.csync-runtime-dead'), { recursive: true });
    mkdirSync(join(path, '.csync-runtime-alive'));
    const configuration = join(scratch, 'conf.sweep');
    writeFileSync(configuration, `SGCONF=${scratch}/conf\n`);
    const input = `${lookScript(word, '/nowhere')}\n${sweepScript(word)}`.replaceAll('/etc/cmcluster.conf', configuration);
    const ended = spawnSync('flock', [join(path, '.csync-runtime-alive'), '/bin/sh', '-c', input.replaceAll('exit 0', ':')], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin' },
    });
    expect(ended.stdout).toContain('leftover .csync-runtime-dead');
    expect(ended.stdout).not.toContain('alive');
    expect(readdirSync(path)).toEqual(['.csync-runtime-alive']);
  });

  it('a member reports what room, mount and machine its place has, also before the directory exists', () => {
    const look = parseRuntimeLook(run(runtimeLookScript('$SGCONF/deep/not/yet', source)).stdout);
    expect(look).toMatchObject({ directory: join(scratch, 'conf/deep/not/yet'), hasInterpreter: true });
    expect(look?.freeKilobytes).toBeGreaterThan(1000);
    expect(look?.mountOptions.join()).toMatch(/^r[ow]/);
    expect(look?.identity).toBe(withFile('/bin/sh', (read) => identityOf(read(4, 16).toString('hex'))));
    const foreign = { ...source, program: { ...program, interpreter: '/lib/ld-other.so.1' } };
    expect(parseRuntimeLook(run(runtimeLookScript('$SGCONF/x', foreign)).stdout)?.hasInterpreter).toBe(false);
  });

  it('is discarded without a trace', () => {
    const { word, path } = fresh();
    receive(word, content);
    expect(run(discardScript(word, source)).status).toBe(0);
    expect(existsSync(path)).toBe(false);
  });
});

describe('halt, change and run in one go', () => {
  const halt = [['cmhaltpkg', 'csync']];
  const between = [['cmapplyconf', '-f', '-P', '$SGCONF/csync/csync.conf']];
  const back = [
    ['cmrunpkg', '-n', 'm2', 'csync'],
    ['cmmodpkg', '-e', 'csync'],
  ];
  /** Serviceguard's commands, of which one fails, and what was called of them. */
  const place = (failing: string) => {
    const { word, path } = fresh();
    mkdirSync(path, { recursive: true });
    mkdirSync(join(scratch, 'bin'), { recursive: true });
    const calls = join(path, 'calls');
    for (const [command = ''] of [...halt, ...between, ...back]) {
      const lines = ['#!/bin/sh', `echo "${command} $*" >> ${calls}`, `echo "${command} speaks"`, `[ ${command} != ${failing} ]`];
      writeFileSync(join(scratch, 'bin', command), `${lines.join('\n')}\n`, { mode: 0o755 });
    }
    return { script: switchScript(word, halt, between, back), called: () => readFileSync(calls, 'utf8').match(/^cm\w+/gm), path };
  };
  const all = ['cmhaltpkg', 'cmapplyconf', 'cmrunpkg', 'cmmodpkg'];

  it.each<[string, number, number[], string[]]>([
    ['nothing', 0, [], all],
    ['cmhaltpkg', 1, [0], ['cmhaltpkg']],
    ['cmapplyconf', 1, [1], all],
    ['cmrunpkg', 1, [2], all],
    ['cmmodpkg', 1, [3], all],
  ])(
    '%s fails: it ends with %i and names %j; the package comes back in any case once it was halted',
    (failing, status, failed, calls) => {
      const { script, called, path } = place(failing);
      const ended = run(script);
      expect([ended.status, readSwitch(ended.stdout), called()]).toEqual([status, failed, calls]);
      expect(ended.stdout).toContain('cmhaltpkg speaks');
      expect(readdirSync(path).sort()).toEqual(['.csync-lock', 'calls']);
    },
  );

  it('who asked for it is killed with all its group in the middle: it comes to its end', async () => {
    const { script, called, path } = place('nothing');
    // It waits in the middle until its asker is gone.
    writeFileSync(
      join(scratch, 'bin/cmapplyconf'),
      `#!/bin/sh\n: > ${path}/midway\nuntil [ -e ${path}/killed ]; do :; done\necho cmapplyconf >> ${path}/calls\n`,
    );
    const configuration = join(path, 'cmcluster.conf');
    writeFileSync(configuration, `SGCONF=${scratch}/conf\nSGSBIN=${scratch}/bin\n`);
    const asker = spawn('/bin/sh', ['-s'], { stdio: ['pipe', 'ignore', 'ignore'], env: {}, detached: true });
    asker.stdin.end(script.replaceAll('/etc/cmcluster.conf', configuration));
    await eventually('the middle of it', () => existsSync(join(path, 'midway')));
    process.kill(-(asker.pid ?? 0), 'SIGKILL');
    writeFileSync(join(path, 'killed'), '');
    await eventually('its end', () => called()?.length === all.length);
    expect(called()).toEqual(all);
  });

  it('is not begun while another one writes there', () => {
    const { script, called, path } = place('nothing');
    writeFileSync(join(path, 'calls'), '');
    const ended = run(`flock ${path}/.csync-lock /bin/sh -s <<'END-OF-ALL'\n${script}END-OF-ALL\n`);
    expect([ended.status, ended.stdout, called()]).toEqual([busyStatus, expect.stringContaining('another apply'), null]);
  });
});

describe('sets that no member needs', () => {
  const [applied, running, old] = ['aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb', 'cccccccccccccccc'];
  /** A member on which `says` is applied and `runs` runs; the policy file system is mounted where `mounted` says. */
  const member = (says: string | null, runs: string) => {
    const { word, path } = fresh();
    for (const set of [applied, running, old]) mkdirSync(join(path, 'sets', set), { recursive: true });
    writeFileSync(join(path, 'settings.json'), '');
    mkdirSync(join(scratch, 'bin'), { recursive: true });
    const answer = says === null ? 'exit 1' : `echo "${says}"`;
    writeFileSync(join(scratch, 'bin/cmgetconf'), `#!/bin/sh\n${answer}\n`, { mode: 0o755 });
    const mark = runningFile(path);
    if (runs !== '') writeFileSync(mark, `${runs} /csync\n`);
    const sweep = (mountPoint: string) => {
      const at = { engine: 'serviceguard' as const, packageName: 'csync', packageDirectory: word, mountPoint };
      const ended = run(sweepSetsScript(at, [applied, running, old], ['settings.json']));
      rmSync(mark, { force: true });
      expect([ended.status, ended.stderr]).toEqual([0, '']);
      return [...readdirSync(join(path, 'sets')).sort(), ...readdirSync(path).filter((name) => name === 'settings.json')];
    };
    return { sweep };
  };
  const pev = `pev_csync_set_digest ${applied}`;

  it.skipIf(!isRoot)('are removed, but never what the package names or what runs, even if the plan assumed otherwise', () => {
    expect(member(pev, running).sweep('/csync')).toEqual([applied, running]);
    expect(member(`RUN_SCRIPT /conf/csync/sets/${applied}/csync_control.sh`, '-').sweep('/csync')).toEqual([applied]);
  });

  it.skipIf(!isRoot)('a record that a set runs goes where no monitor of that set runs, and stays where one does', async () => {
    const { word, path } = fresh();
    mkdirSync(path, { recursive: true });
    const mark = runningFile(path);
    const monitor = join(path, 'sets', running, 'csync-monitor.cjs');
    writeFileSync(mark, `${running} /csync\n`);
    const program = spawn('/bin/sh', ['-c', 'read -r line', monitor], { stdio: ['pipe', 'ignore', 'ignore'] });
    try {
      expect(run(forgetScript(word))).toMatchObject({ status: 0, stderr: '' });
      expect(existsSync(mark)).toBe(true);
      program.stdin.end();
      await eventually('its exit', () => program.exitCode !== null);
      expect(run(forgetScript(word)).status).toBe(0);
      expect(existsSync(mark)).toBe(false);
    } finally {
      program.kill('SIGKILL');
      rmSync(mark, { force: true });
    }
  });

  it('stay where Serviceguard does not say what is applied', () => {
    expect(member(null, '').sweep('/csync')).toEqual([applied, running, old, 'settings.json']);
  });

  it('files of version 0.1.0 stay while they run, or are applied', () => {
    // Something is mounted at / on every machine; no start wrote down what.
    expect(member(pev, '').sweep('/')).toEqual([applied, 'settings.json']);
    expect(member(pev, '').sweep('/nowhere')).toEqual([applied]);
    expect(member('pev_csync_settings_digest aa', '').sweep('/nowhere')).toEqual(['settings.json']);
  });
});

describe('looking', () => {
  it('a package directory that is missing has no files', () => {
    expect(parseLook(run(lookScript(fresh().word, '/nowhere/node')).stdout)).toMatchObject({
      files: [],
      manifests: new Map(),
      nodeVersion: null,
    });
  });

  it.each(['', 'garbage', 'Welcome to m1\nmode 644 y\ndigest x  y\n'])('%j is nothing that was seen', (output) => {
    expect(parseLook(output)).toBeNull();
  });
});

describe('words', () => {
  it('reach a program as they were, with any content', () => {
    mkdirSync(join(scratch, 'bin'), { recursive: true });
    const program = join(scratch, 'bin', 'show');
    writeFileSync(program, '#!/bin/sh\nfor word in "$@"; do printf "%s\\0" "$word"; done\n');
    chmodSync(program, 0o755);
    const word = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0') && !text.startsWith('$SGCONF'));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (words) => {
        const shown = run(commandScript(['show', ...words], '$SGCONF/csync'));
        expect(shown.stdout).toBe(words.map((text) => `${text}\0`).join(''));
      }),
      { numRuns: 40 },
    );
    expect(run(commandScript(['show', '$SGCONF/csync/a'], '$SGCONF/csync')).stdout).toBe(`${scratch}/conf/csync/a\0`);
    expect(shellWord("it's")).toBe("'it'\\''s'");
  });
});

describe('the history', () => {
  const about = { at: '2026-11-23T10:00:00.000Z', by: 'root@m1', toolkitVersion: '0.1.0', note: '' };
  const files = [{ name: 'csync.sh', mode: 0o755, text: 'echo\n' }];

  const made = (known: Parameters<typeof newSet>[2]) => newSet(about, files, known) ?? expect.fail('there is a set like it');

  it('returns what was put in, and nothing that is damaged', () => {
    const first = made([]);
    const [content, line] = first.files;
    expect(parseHistory(line?.content.toString() ?? '')).toEqual([first.about]);
    expect(readSet(content?.content ?? Buffer.alloc(0), first.about)).toEqual(files);
    expect(newSet(about, files, [first.about]), 'nothing new').toBeNull();
    expect(readSet(Buffer.from('x'), first.about)).toBeNull();
    expect(readSet(content?.content ?? Buffer.alloc(0), { ...first.about, digest: digestOfFiles([]) })).toBeNull();
  });

  it('counts on, keeps ten, and reads each set once, from any members', () => {
    const known = Array.from({ length: 12 }, (_, index) => ({ ...about, number: index + 1, digest: 'd' }));
    const next = made(known);
    expect(next.about.number).toBe(13);
    expect(next.removals).toEqual([3, 2, 1].flatMap((one) => [`history/000${one}.json`, `history/000${one}.set.gz`]));
    expect(12 - next.removals.length / 2 + 1).toBe(keptSets);
    const lines = [...known, ...known].map((one) => JSON.stringify(one)).join('\n');
    expect(parseHistory(`${lines}\n{"number":`).map((one) => one.number)).toEqual(known.map((one) => one.number));
  });
});
