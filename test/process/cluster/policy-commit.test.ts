/**
 * The scripts of `csync policy commit` as real processes on a real ext4 with cfengine's real parser: what is acknowledged survives
 * the loss of power, what is killed is old or new, and two at a time lose nothing.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { shellWord } from '../../../src/base/shell-word.ts';
import { type LocalFile, nextRecord, planCommit, recordsOf } from '../../../src/cluster/policy/commit.ts';
import {
  type PolicyLook,
  policyLookScript,
  policyPlace,
  policyStatus,
  readPolicyState,
} from '../../../src/cluster/policy/look.ts';
import { becameOf, commitScript, confirmScript, publishScript } from '../../../src/cluster/policy/scripts.ts';
import { sha256 } from '../../../src/contract/package-directory.ts';
import { renderPolicy } from '../../../src/render/policy.ts';
import { eventually, everyStep, have, isRoot, policyTemplates, settingsFor } from '../../support.ts';

const whyNot = !isRoot
  ? 'mounting needs root'
  : have('cf-promises', 'mkfs.ext4', 'losetup', 'unshare', 'perl')
    ? null
    : 'cf-promises, mkfs.ext4, losetup, unshare or perl is missing';
if (whyNot !== null) console.warn(`commits of the policy are skipped: ${whyNot}`);

/** In memory: what is synced a hundred times has to be quick, and a loop device knows no difference. */
const scratch = mkdtempSync('/dev/shm/csync-test-');
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** A policy file system of its own, mounted for as long as a script runs on it. */
class Disk {
  readonly image: string;
  readonly mountPoint: string;
  readonly place;
  constructor() {
    const directory = mkdtempSync(join(scratch, 'disk-'));
    this.image = join(directory, 'image');
    this.mountPoint = join(directory, 'mnt');
    mkdirSync(this.mountPoint);
    writeFileSync(this.image, '');
    spawnSync('truncate', ['-s', '16M', this.image]);
    spawnSync('mkfs.ext4', ['-q', '-F', this.image]);
    const settings = settingsFor({ mount_point: this.mountPoint });
    this.place = policyPlace(settings);
    const templates = policyTemplates(3);
    const members = [{ name: 'm1', addresses: ['10.9.0.11'] }];
    const files = demand(renderPolicy({ settings, templates, members, clients: [] }));
    const { tree, base } = this.place;
    const lines = files.map(({ name, text }) => {
      const path = shellWord(`${tree}/${name}`);
      return `mkdir -p "$(dirname ${path})"; printf %s ${shellWord(text)} > ${path}; chmod 600 ${path}`;
    });
    const made = this.run([...lines, `echo '{"epoch":3,"member":"m1","at":""}' > ${base}/csync.sentinel`].join('\n'));
    expect([made.exitCode, made.stderr]).toEqual([0, '']);
  }

  /** The words that run a shell with the file system mounted, in a mount namespace of its own: nothing stays, also when killed. */
  words(image = this.image): string[] {
    const inside = `mount -o loop,commit=60 ${image} ${this.mountPoint} && exec /bin/sh -s`;
    return ['unshare', '-m', '--propagation', 'private', '/bin/sh', '-c', inside];
  }

  run(script: string, image = this.image): Ended {
    const [file = '', ...rest] = this.words(image);
    const { status, stdout, stderr } = spawnSync(file, rest, { input: script, encoding: 'utf8', maxBuffer: 1 << 26 });
    return { exitCode: status, stdout, stderr, timedOut: false };
  }

  look(image = this.image, contents = false): PolicyLook {
    const looked = readPolicyState(this.run(policyLookScript(this.place, contents), image).stdout);
    if (looked === null) throw new Error('the policy cannot be read');
    return looked;
  }

  /** The script of a commit of files on the state of now. */
  script(files: Readonly<Record<string, string | null>>, { state } = this.look(), dryRun = false): string {
    const local = Object.entries(files).map(
      ([name, text]): LocalFile => ({ name, content: text === null ? null : Buffer.from(text) }),
    );
    const plan = demand(planCommit(state, local, state.digest));
    const record = nextRecord(state, plan, { at: 'now', by: 'root@m1', member: 'm1', message: 'why' });
    return commitScript(this.place, { state, record, write: plan.write, remove: plan.remove, dryRun, stage: null });
  }

  commit(files: Readonly<Record<string, string | null>>): Ended {
    return this.run(this.script(files));
  }
}

const site = (text: string): string => `bundle agent site\n{\n  reports:\n    "${text}";\n}\n`;
/** Text of a file as it is served. */
const textOf = (look: PolicyLook, name: string): string | undefined => look.contents.get(name)?.toString('utf8');

describe.skipIf(whyNot !== null)('a commit of policy', () => {
  it('is complete, with its record, and the log has the previous ones', () => {
    const disk = new Disk();
    const first = disk.commit({ 'site.cf': site('one'), 'lib/more.cf': '# more\n' });
    expect([becameOf(first), first.exitCode, first.stderr]).toEqual(['durable', 0, '']);
    expect(becameOf(disk.commit({ 'lib/more.cf': null, 'motd.txt': Buffer.from([0xc3, 0xa4, 0x0a]).toString() }))).toBe(
      'durable',
    );
    const look = disk.look(disk.image, true);
    expect(textOf(look, 'site.cf')).toBe(site('one'));
    expect(textOf(look, 'motd.txt')).toBe('ä\n');
    expect(look.state.files.has('lib/more.cf')).toBe(false);
    expect(look.state.current).toMatchObject({ commit: 2, epoch: 3, files: ['motd.txt'], removed: ['lib/more.cf'] });
    expect(look.state.current?.digest).toBe(look.state.digest);
    expect(recordsOf(look.state).map(({ commit, files }) => [commit, files])).toEqual([
      [1, ['site.cf', 'lib/more.cf']],
      [2, ['motd.txt']],
    ]);
  });

  describe('where masterfiles has links', () => {
    /** Every byte below the mount point but csync's own, with links as links. */
    const served = (disk: Disk): string =>
      disk.run(`cd ${disk.place.base} && find . -type l -printf '%p -> %l\\n' -o -type f -exec sha256sum {} + | sort -k 2`)
        .stdout;
    const linked = (disk: Disk, lines: string): Disk => {
      const made = disk.run(`cd ${disk.place.base} && ${lines}`);
      expect([made.exitCode, made.stderr]).toEqual([0, '']);
      return disk;
    };
    const release = 'mkdir releases && mv masterfiles releases/41';

    it.each([
      ['relative', `${release} && ln -s releases/41 masterfiles`],
      ['absolute', `${release} && ln -s "$PWD/releases/41" masterfiles`],
      ['through another', `${release} && ln -s 41 releases/now && ln -s releases/now masterfiles`],
    ])('as the way to a release (%s): a commit changes the release, a refused one nothing', (_, lines) => {
      const disk = linked(new Disk(), lines);
      const before = served(disk);
      const refused = disk.commit({ 'site.cf': 'bundle agent site {' });
      expect([becameOf(refused), refused.exitCode]).toEqual(['not there', policyStatus.refused]);
      expect(served(disk)).toBe(before);
      const done = disk.commit({ 'site.cf': site('linked') });
      expect([becameOf(done), done.stderr]).toEqual(['durable', '']);
      expect(textOf(disk.look(disk.image, true), 'site.cf')).toBe(site('linked'));
      expect(served(disk)).toContain('masterfiles -> ');
    });

    it('that leads to another file system is refused', () => {
      const disk = linked(new Disk(), 'rm -r masterfiles && ln -s /tmp masterfiles');
      const state = new Disk().look();
      expect(disk.run(disk.script({ 'site.cf': site('x') }, state)).exitCode).toBe(policyStatus.linked);
    });

    it.each([
      ['a file', 'echo shared > shared.cf && ln -sf ../shared.cf masterfiles/site.cf', 'site.cf'],
      ['a directory', 'mkdir shared && ln -s "$PWD/shared" masterfiles/lib', 'lib/site.cf'],
      ['the record', 'echo shared > record && ln -s ../record masterfiles/csync.commit', 'other.cf'],
    ])('in it (%s): no write goes through them, and show lists them', (_, lines, name) => {
      const disk = linked(new Disk(), lines);
      const before = served(disk);
      const refused = disk.commit({ [name]: site('mine') });
      expect([becameOf(refused), refused.exitCode]).toEqual(['not there', policyStatus.linked]);
      expect(refused.stdout).toContain('symbolic link to ');
      expect(served(disk)).toBe(before);
      expect(disk.look().links.size).toBe(1);
    });
  });

  it('is made of files of any name', () => {
    const disk = new Disk();
    const names = ['-rf', 'two words', "it's", 'back\\slash', 'line\nbreak', 'a "quote"', 'grün', 'deep/er/file', 'empty'];
    const textOf = (name: string): string => (name === 'empty' ? '' : `in ${name}\n`);
    const written = names.map((name) => {
      const path = shellWord(`${disk.place.tree}/${name}`);
      return `mkdir -p "$(dirname ${path})"; printf %s ${shellWord(textOf(name))} > ${path}`;
    });
    expect(disk.run(written.join('\n')).stderr).toBe('');
    const { state, contents } = disk.look(disk.image, true);
    for (const name of names) {
      expect(contents.get(name)?.toString(), name).toBe(textOf(name));
      expect(state.files.get(name)?.digest, name).toBe(sha256(textOf(name)));
    }
  });

  it("is refused as a whole where cfengine's parser does not take the tree, and in a dry run changes nothing either", () => {
    const disk = new Disk();
    const before = disk.look();
    const refused = disk.commit({ 'motd.txt': 'new\n', 'site.cf': 'bundle agent site {\n' });
    expect([refused.exitCode, becameOf(refused)]).toEqual([policyStatus.refused, 'not there']);
    expect(refused.stdout).toMatch(/site\.cf.*\n[\s\S]*promises\.cf was refused/);
    const tried = disk.run(disk.script({ 'site.cf': site('dry') }, before, true));
    expect([tried.exitCode, tried.stdout]).toEqual([0, '']);
    expect(disk.look()).toEqual(before);
  });

  it('is refused when anything changed since it was read: policy, or promotion', () => {
    const disk = new Disk();
    const script = disk.script({ 'site.cf': site('mine') });
    disk.run(`echo by hand > ${disk.place.tree}/other.txt`);
    const moved = disk.run(script);
    expect([moved.exitCode, becameOf(moved)]).toEqual([policyStatus.moved, 'not there']);
    const again = disk.script({ 'site.cf': site('mine') });
    disk.run(`echo '{"epoch":4,"member":"m2","at":""}' > ${disk.place.base}/csync.sentinel`);
    expect(disk.run(again).exitCode).toBe(policyStatus.moved);
    expect(disk.look().state.current).toBeNull();
  });

  it('of two at the same moment on the same state one is made and the other looks again', () => {
    const disk = new Disk();
    const looked = disk.look();
    const [one, other] = ['a', 'b'].map((name) => disk.script({ [`${name}.txt`]: name }, looked));
    const both = `(${['sh -s > "$0.a" <<\'ONE\'', one, 'ONE'].join('\n')}\n) & (${['sh -s > "$0.b" <<\'OTHER\'', other, 'OTHER'].join('\n')}\n); wait; cat "$0.a" "$0.b"`;
    const ended = disk.run(both.replaceAll('$0', join(scratch, 'said')));
    expect(ended.stdout.match(/^durable$/gm)).toHaveLength(1);
    expect(ended.stdout).toContain('has changed meanwhile');
    for (const name of ['a', 'b']) if (!disk.look().state.files.has(`${name}.txt`)) disk.commit({ [`${name}.txt`]: name });
    expect([...disk.look().state.files.keys()]).toEqual(expect.arrayContaining(['a.txt', 'b.txt']));
  });

  /** A shell line is run right before the exchange: behind the last comparison of the script. */
  const atTheExchange = (script: string, line: string): string => script.replace('echo swapping', `echo swapping\n${line}`);
  const keptAside = (disk: Disk): string => disk.run(`cat ${disk.place.keep}/displaced-*/hand.txt 2>/dev/null`).stdout;

  it('yields to an edit by hand that is made between its last comparison and the exchange, and the next try keeps both', () => {
    const disk = new Disk();
    disk.commit({ 'site.cf': site('old') });
    const hand = `${disk.place.tree}/hand.txt`;
    const ended = disk.run(atTheExchange(disk.script({ 'site.cf': site('mine') }), `echo by hand > ${hand}`));
    expect([ended.exitCode, becameOf(ended)]).toEqual([policyStatus.moved, 'not there']);
    expect(ended.stdout).toContain('wrote to the policy of the master at the moment of the exchange');
    expect(textOf(disk.look(disk.image, true), 'site.cf')).toBe(site('old'));
    expect(becameOf(disk.commit({ 'site.cf': site('mine') }))).toBe('durable');
    const look = disk.look(disk.image, true);
    expect([textOf(look, 'site.cf'), textOf(look, 'hand.txt')]).toEqual([site('mine'), 'by hand\n']);
    expect(look.state.current).toMatchObject({ commit: 2, files: ['site.cf'] });
    expect(keptAside(disk)).toBe('');
  });

  it('keeps an edit by hand aside where it was ended between the exchange and its comparison', () => {
    const disk = new Disk();
    const hand = `${disk.place.tree}/hand.txt`;
    const killed = atTheExchange(disk.script({ 'site.cf': site('mine') }), `echo by hand > ${hand}`).replace(
      /^esac$/m,
      () => 'esac\nkill -TERM $$',
    );
    const ended = disk.run(`sh -s <<'SCRIPT'\n${killed}\nSCRIPT\n`);
    expect(becameOf(ended)).not.toBe('durable');
    expect(textOf(disk.look(disk.image, true), 'site.cf')).toBe(site('mine'));
    const next = disk.commit({ 'site.cf': site('next') });
    expect([becameOf(next), keptAside(disk)]).toEqual(['durable', 'by hand\n']);
    expect(next.stdout).toMatch(/an edit made by hand at that moment is kept in .*displaced-/);
  });

  it.each([
    ['a file that is written', 'printed', 'by hand', 'site.cf'],
    ['a file that an editor replaces', 'renamed', 'by hand', 'site.cf'],
    ['a file that is removed', 'printed', 'by hand', 'gone.cf'],
    ['a file that was not there', 'printed', 'by hand', 'new.cf'],
  ])('of the toolkit, file by file, keeps an edit by hand of %s right before its turn aside (%s)', (_, how, text, name) => {
    const disk = new Disk();
    const { tree, base, keep } = disk.place;
    const at = (file: string): string => `${tree}/${file}`;
    disk.run(`echo old > ${at('site.cf')}; echo old > ${at('gone.cf')}`);
    const inBase = (file: string): string => at(file).slice(base.length + 1);
    const order = {
      directories: [],
      write: ['site.cf', 'new.cf'].map((file) => ({ name: inBase(file), text: site(file) })),
      remove: [inBase('gone.cf')],
    };
    const script = publishScript(disk.place, order).replace('perl -e', 'false').replaceAll('--exchange', '--none');
    const edit =
      how === 'printed' ? `echo ${text} > ${at(name)}` : `echo ${text} > ${at('.editor')}; mv -f ${at('.editor')} ${at(name)}`;
    // Behind the comparison of the whole tree, before the first file has its turn.
    const ended = disk.run(script.replace('[ ! -e "$tree"/site.cf ]', (first) => `${edit}; ${first}`));
    expect([ended.exitCode, ended.stderr]).toEqual([0, '']);
    expect(ended.stdout).toContain(`an edit made by hand at that moment is kept in ${keep}/displaced-`);
    const seen = disk.run(
      `cat ${keep}/displaced-*/${name}; cd ${tree}; ls site.cf new.cf gone.cf 2>&1; cat site.cf new.cf`,
    ).stdout;
    expect(seen.startsWith(`${text}\n`)).toBe(true);
    expect(seen).toContain(`${site('site.cf')}${site('new.cf')}`);
    expect(seen).toMatch(/gone\.cf.*No such file/);
    const quiet = new Disk();
    quiet.run(`echo old > ${quiet.place.tree}/site.cf; echo old > ${quiet.place.tree}/gone.cf`);
    const again = publishScript(quiet.place, order).replace('perl -e', 'false').replaceAll('--exchange', '--none');
    expect(quiet.run(again).stdout, 'without an edit nothing is kept').not.toContain('is kept in');
  });

  it('on a full file system is refused, and the old policy stays', () => {
    const disk = new Disk();
    disk.commit({ 'site.cf': site('old') });
    const looked = disk.look();
    const filled = `dd if=/dev/zero of=${disk.mountPoint}/fill bs=4k 2>/dev/null; ${disk.script({ 'big.txt': 'x'.repeat(200_000) }, looked)}`;
    const ended = disk.run(filled);
    expect(becameOf(ended)).toBe('not there');
    expect(`${ended.stdout}${ended.stderr}`).toMatch(/No space left/);
    expect(disk.look().state.digest).toBe(looked.state.digest);
  });

  it('does nothing where the package has left', () => {
    const disk = new Disk();
    const script = disk.script({ 'site.cf': site('late') });
    const ended = disk.run(`umount ${disk.mountPoint}; ${script}`);
    expect([ended.exitCode, becameOf(ended)]).toEqual([policyStatus.notMounted, 'not there']);
  });
});

/** What would be on the disk if power failed at that moment: the image as it is behind the page cache of the file system. */
const powerFails = (disk: Disk): string => `${disk.image}.crash`;
const takeImage = (disk: Disk): string => `cp ${disk.image} ${powerFails(disk)}`;

describe.skipIf(whyNot !== null)('the loss of power', () => {
  const committedThenLost = (spoil: (script: string) => string): [Disk, Ended] => {
    const disk = new Disk();
    // As a child: the moment after is checked while all of it is still mounted.
    const script = `sh -s <<'SCRIPT'\n${spoil(disk.script({ 'site.cf': site('kept') }))}\nSCRIPT\n${takeImage(disk)}`;
    return [disk, disk.run(script)];
  };

  it('right behind the word that it is durable loses nothing', () => {
    for (let cut = 0; cut < (everyStep ? 15 : 3); cut += 1) {
      const [disk, ended] = committedThenLost((script) => script);
      expect(becameOf(ended)).toBe('durable');
      const look = disk.look(powerFails(disk), true);
      expect(textOf(look, 'site.cf')).toBe(site('kept'));
      expect(look.state.current?.digest).toBe(look.state.digest);
    }
  });

  it('would lose it if the script did not sync: this test can fail', () => {
    const [disk, ended] = committedThenLost((script) => script.replaceAll(/\bsync\b(?! publishes)/g, 'true'));
    expect(becameOf(ended)).toBe('durable');
    const look = disk.look(powerFails(disk), true);
    expect(textOf(look, 'site.cf')).not.toBe(site('kept'));
  });
});

describe.skipIf(whyNot !== null)('a commit that is killed', () => {
  const kills = everyStep ? 60 : 2;

  it(`anywhere leaves the old or the new, on the disk, too, and the same again finishes (${kills} times)`, {
    timeout: 600_000,
  }, async () => {
    const disk = new Disk();
    // How long a commit takes here, mount and all: the kills come at even distances within.
    const began = performance.now();
    disk.commit({ 'site.cf': site('first') });
    const longMs = performance.now() - began;
    const seen = { old: 0, new: 0 };
    let before = disk.look();
    for (let round = 1; round <= kills; round += 1) {
      const edit = { 'site.cf': site(`round ${round}`), 'round.txt': `${round}\n` };
      const said = await killedAfter(disk, disk.script(edit, before), (longMs * (round - 0.5)) / kills);
      const [lost, left] = [disk.look(powerFails(disk)), disk.look()];
      const isNew = ({ state }: Pick<PolicyLook, 'state'>): boolean =>
        state.current?.commit === (before.state.current?.commit ?? 0) + 1;
      for (const { state } of [lost, left]) {
        if (isNew({ state })) expect(state.current?.digest).toBe(state.digest);
        else expect(state.digest).toBe(before.state.digest);
      }
      if (said.includes('durable')) expect([isNew(lost), isNew(left)]).toEqual([true, true]);
      seen[isNew(left) ? 'new' : 'old'] += 1;
      const again = isNew(left) ? confirmScript(disk.place, left.state, null) : disk.script(edit, left);
      expect(becameOf(disk.run(again))).toBe('durable');
      before = disk.look(disk.image, true);
      expect([textOf(before, 'site.cf'), textOf(before, 'round.txt')]).toEqual([site(`round ${round}`), `${round}\n`]);
    }
    console.info(`killed ${kills} times: ${seen.old} old, ${seen.new} new`);
  });

  /** Its process group gets SIGKILL; then the image is taken as power would leave it. Resolves with what it had said by then. */
  function killedAfter(disk: Disk, script: string, ms: number): Promise<string> {
    const outer = [
      `setsid sh -s <<'SCRIPT' & child=$!\n${script}\nSCRIPT`,
      `sleep ${(ms / 1000).toFixed(3)}; kill -KILL -$child; wait $child 2>/dev/null; ${takeImage(disk)}`,
    ].join('\n');
    const [file = '', ...rest] = disk.words();
    return new Promise((resolve, reject) => {
      const child = spawn(file, rest, { stdio: ['pipe', 'pipe', 'ignore'] });
      let said = '';
      child.stdout.on('data', (piece: Buffer) => {
        said += piece.toString();
      });
      child.on('error', reject);
      child.on('close', () => resolve(said));
      child.stdin.end(outer);
    });
  }
});

describe.skipIf(whyNot !== null)('hand edits ten times a second', () => {
  it('and commits beside them lose nothing', { timeout: 120_000 }, async () => {
    const disk = new Disk();
    const { tree, keep } = disk.place;
    const [file = '', ...rest] = disk.words();
    const holder = spawn(file, rest, { stdio: ['pipe', 'ignore', 'ignore'] });
    const [enter, there] = ['nsenter', ['-t', String(holder.pid), '-m', '/bin/sh', '-s']] as const;
    const inside = (script: string): Ended => {
      const { status, stdout, stderr } = spawnSync(enter, there, { input: script, encoding: 'utf8', maxBuffer: 1 << 26 });
      return { exitCode: status, stdout, stderr, timedOut: false };
    };
    await eventually('the mount', () => inside(`mountpoint -q ${disk.mountPoint}`).exitCode === 0);
    const lines = everyStep ? 300 : 40;
    const edits = `n=0; while [ $n -lt ${lines} ]; do n=$((n + 1)); echo "line $n" >> ${tree}/hand.txt; sleep 0.1; done`;
    const hands = spawn(enter, there, { stdio: ['pipe', 'ignore', 'ignore'] });
    hands.stdin.end(edits);
    const over = new Promise<void>((resolve) => hands.once('exit', () => resolve()));
    let isOver = false;
    void over.then(() => {
      isOver = true;
    });
    const committed = (text: string): boolean => {
      const look = readPolicyState(inside(policyLookScript(disk.place, false)).stdout);
      return look !== null && becameOf(inside(disk.script({ 'edit.txt': text }, look))) === 'durable';
    };
    let [tried, made, last] = [0, 0, ''];
    while (!isOver) {
      tried += 1;
      if (committed(`${tried}\n`)) [made, last] = [made + 1, `${tried}\n`];
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(tried).toBeGreaterThan(3);
    console.info(`${tried} commits beside ${lines} hand edits: ${made} made, the others refused`);
    if (last !== '') expect(inside(`cat ${tree}/edit.txt`).stdout).toBe(last);
    expect(committed('calm\n')).toBe(true);
    const kept = new Set(inside(`cat $(find ${tree} ${keep} -name hand.txt)`).stdout.split('\n'));
    expect(Array.from({ length: lines }, (_, index) => `line ${index + 1}`).filter((line) => !kept.has(line))).toEqual([]);
    holder.stdin.end();
  });
});
