/** Members without a Node.js: csync carries one along, over a real sshd, and everything that can go wrong on the way. */
import { statSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { monitorOptions } from '../../../src/base/version.ts';
import { eventually, everyStepIt } from '../../support.ts';
import { codesIn, story, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const directory = '/usr/local/cmcluster/conf/csync';
const members = ['m1', 'm2', 'm3'] as const;
/** Where the lab's own Node.js is once the members' is hidden: for the emulated commands, and for csync. */
const hidden = '/opt/own-node';
const size = `${(statSync(process.execPath).size / 1e6).toFixed(1)} MB`;

const changes = { nodePath: process.execPath };
type Applied = { readonly outcome: string; readonly steps: readonly string[] };

/** What the tests of both labs do there; csync runs by the lab's own Node.js. */
function inLab(used: ReturnType<typeof useLab>) {
  const typed = typedIn(used, `${hidden} /opt/csync/csync.mjs`);
  const { sh, must } = typed;
  const inDirectory = async (member: string) => (await sh(member, `ls -A ${directory} 2>/dev/null`)).stdout;
  /** No member has a Node.js, and the cluster runs. */
  const withoutNode = async (): Promise<void> => {
    await sh('m1', 'cmruncl -v');
    const hide = [
      `: > ${hidden}; mount --bind ${process.execPath} ${hidden}; mount --bind /dev/null ${process.execPath}`,
      `sed -i 's|^exec ${process.execPath} |exec ${hidden} |' /usr/local/cmcluster/bin/* /usr/local/bin/csync`,
    ];
    for (const member of members) await must(member, `[ -e ${hidden} ] || { ${hide.join('; ')}; }`);
  };
  const start = async (words: string): Promise<string> =>
    (
      await must('m1', `cd /root; setsid ${hidden} /opt/csync/csync.mjs ${words} >/tmp/apply.log 2>&1 </dev/null & echo $!`)
    ).trim();
  return { ...typed, inDirectory, withoutNode, start };
}

describe.skipIf(whyNoLab !== null)('csync apply --with-runtime that fails in the lab', { timeout: 600_000 }, () => {
  const used = useLab('runtime-refused', {
    deployed: false,
    watched: false,
    changes,
    without: { noexec: 'programs are made in /tmp' },
  });
  const { sh, must, json, done, inDirectory, withoutNode, start } = inLab(used);
  const nothingAnywhere = async (why: string) => {
    for (const member of members)
      await eventually(`nothing on ${member} after ${why}`, async () => (await inDirectory(member)) === '');
  };
  /** A link on which the runtime takes some seconds, so that something can happen to it meanwhile. */
  const slow = () => must('m1', 'tc qdisc replace dev eth0 root tbf rate 200mbit burst 64k latency 50ms');
  const fast = () => must('m1', 'tc qdisc del dev eth0 root');
  const half = `until [ "$(cat ${directory}/.csync-runtime-*/node 2>/dev/null | head -c 1000000 | wc -c)" = 1000000 ]; do sleep 0.1; done`;

  beforeEach(async () => {
    await withoutNode();
    // What a csync that was killed left, its next one sweeps up.
    for (const member of members) await sh(member, `mkdir -p ${directory}; find ${directory} -mindepth 1 -delete`);
  });

  it('without it members that have no Node.js are refused, with the fix', async () => {
    const refused = await json('apply --yes --run');
    expect([refused.exitCode, refused.codes]).toEqual([5, members.map((member) => `change-no-node ${member}`)]);
    for (const { remedy } of refused.problems) expect(remedy).toMatch(/csync apply --with-runtime/);
    const check = await json('check');
    const ofNode = check.problems.filter(({ code }) => code === 'check-node');
    expect(ofNode.map(({ member }) => member)).toEqual(members);
    for (const { remedy } of ofNode) expect(remedy).toMatch(/csync apply --with-runtime/);
    await nothingAnywhere('a refusal');
  });

  it('a dry run names the file, its size and every member, and brings nothing', async () => {
    const { steps } = await done<Applied>('apply --dry-run --run --with-runtime --force');
    expect(steps.slice(0, 6)).toEqual([
      ...members.map((member) => expect.stringMatching(`${hidden} \\(${size}\\) to ${member}\\b`)),
      ...members.map((member) =>
        expect.stringMatching(`^distribute to ${member}: runtime/node csync\\.conf .*sets/[0-9a-f]{16} \\(\\d+ files\\)$`),
      ),
    ]);
    await nothingAnywhere('a dry run');
  });

  it.each<[string, string, RegExp]>([
    ['a script', 'printf "#!/bin/sh\\necho v18.0.0\\n" > /tmp/it; chmod 755 /tmp/it', /64-bit/],
    ['one that is cut short', `head -c 50000000 ${hidden} > /tmp/it; chmod 755 /tmp/it`, /64-bit/],
    ['an old one', `sed 's/${process.version}/v18.20.2/g' ${hidden} > /tmp/it; chmod 755 /tmp/it`, /\b18\.20\.2\b/],
    ['the front of a shared one', 'sed "s/libc\\.so\\.6/libnode.1/g" /bin/sh > /tmp/it', /\blibnode\b/],
    ['none', 'rm -f /tmp/it', /./],
  ])('%s is refused before anything is sent', async (_, make, why) => {
    await must('m1', make);
    const refused = await json('apply --yes --run --with-runtime=/tmp/it');
    expect([refused.exitCode, refused.codes]).toEqual([3, ['file-runtime']]);
    expect(refused.problems[0]).toMatchObject({ text: expect.stringMatching(why), place: { file: '/tmp/it' } });
    await nothingAnywhere('a refusal');
  });

  it('one whose support has ended is refused without --force', async () => {
    await must('m1', `sed 's/${process.version}/v21.20.2/g' ${hidden} > /tmp/it; chmod 755 /tmp/it`);
    const refused = await json('apply --yes --run --with-runtime=/tmp/it');
    expect([refused.exitCode, refused.codes]).toEqual([3, ['file-runtime-ended']]);
    expect(refused.problems[0]).toMatchObject({ text: expect.stringMatching(/\b2024-06-01\b/), place: { file: '/tmp/it' } });
    await nothingAnywhere('a refusal');
    expect((await json('apply --dry-run --run --with-runtime=/tmp/it --force')).exitCode).toBe(0);
  });

  it('a program that is no Node.js is found out by its proof, and taken away again', async () => {
    const refused = await json('apply --yes --run --with-runtime=/bin/true');
    expect([refused.exitCode, refused.codes]).toEqual([
      5,
      [...members.map((member) => `change-runtime-unfit ${member}`), 'change-incomplete'],
    ]);
    await nothingAnywhere('a bad proof');
  });

  it('a full disk, and a mount that forbids to run programs: told at once, before anything is sent', async () => {
    await must('m2', `mount -t tmpfs -o noexec,size=400m none ${directory}`);
    await must('m3', `mount -t tmpfs -o size=60m none ${directory}`);
    const refused = await json('apply --yes --run --with-runtime --force');
    for (const member of ['m2', 'm3']) await must(member, `umount ${directory}`);
    expect([refused.exitCode, refused.codes]).toEqual([5, ['change-runtime-noexec m2', 'change-runtime-space m3']]);
    expect(refused.problems[1]?.text, 'what is free, and what it takes').toMatch(new RegExp(`\\b62\\.9 MB\\b.*\\b${size}`));
    expect(refused.stderr, 'nothing was carried').not.toMatch(new RegExp(`^carry ${hidden}`, 'm'));
    await nothingAnywhere('a refusal');
  });

  everyStepIt(
    'a library that one member lacks, which only running it can show: that one is named, and no member keeps anything',
    async () => {
      const library = (await sh('m3', `ldd ${hidden} | sed -n 's/.*libstdc.*=> \\([^ ]*\\) .*/\\1/p'`)).stdout.trim();
      const [away, back] = [`mv $(readlink -f ${library}) /opt/away`, `mv /opt/away $(readlink -f ${library})`];
      await sh('m3', `echo $(readlink -f ${library}) > /opt/place; ${away}`);
      const refused = await json('apply --yes --run --with-runtime --force');
      await must('m3', back.replace(`$(readlink -f ${library})`, '$(cat /opt/place)'));
      expect([refused.exitCode, refused.codes]).toEqual([5, ['change-runtime-unfit m3', 'change-incomplete']]);
      expect(refused.problems[0]).toMatchObject({
        text: expect.stringContaining('libstdc++'),
        remedy: expect.stringContaining('libstdc++.so.6'),
      });
      await nothingAnywhere('a member without a library');
    },
  );

  it('csync is killed in the middle: no member has half a file; what had arrived is swept up by the next one', async () => {
    await slow();
    const p = await start('apply --yes --run --with-runtime --force');
    await sh('m3', half);
    await sh('m1', `kill -KILL -${p}`);
    for (const member of ['m2', 'm3']) await eventually(`nothing on ${member}`, async () => (await inDirectory(member)) === '');
    expect(await inDirectory('m1'), 'the one that is here had all of it').toMatch(/^\.csync-runtime-\w+\n$/);
    await fast();
    await json('apply --yes --run --with-runtime=/bin/true');
    expect(await inDirectory('m1'), 'swept up, and its own taken away').toBe('');
  });

  it('Ctrl-C in the middle: status 130, and what had arrived is taken away again, on every member', async () => {
    await slow();
    const command = `setsid ${hidden} /opt/csync/csync.mjs apply --yes --run --with-runtime --force >/tmp/apply.log 2>&1 </dev/null`;
    const ended = sh('m1', `cd /root; ${command} & echo $! > /tmp/pid; wait $!`);
    await sh('m3', half);
    await sh('m1', 'kill -INT -$(cat /tmp/pid)');
    expect((await ended).exitCode).toBe(130);
    await fast();
    await nothingAnywhere('Ctrl-C');
    expect(codesIn(await must('m1', 'cat /tmp/apply.log'))).toContain('interrupted');
  });

  everyStepIt('a connection that is lost in the middle: the member is named, the others keep nothing', async () => {
    await slow();
    const p = await start('apply --yes --run --with-runtime --force');
    await sh('m3', half);
    await used.lab.ask({ verb: 'cut', member: 'm3' });
    await sh('m1', `while kill -0 ${p} 2>/dev/null; do sleep 0.1; done`);
    await fast();
    const log = (await sh('m1', 'cat /tmp/apply.log')).stdout;
    expect(log).toMatch(/\[change-runtime-lost\] member m3/);
    for (const member of ['m1', 'm2']) await eventually(`nothing on ${member}`, async () => (await inDirectory(member)) === '');
    expect(await inDirectory('m3'), 'its sshd does not know yet').toMatch(/^\.csync-runtime-/);
    await used.lab.ask({ verb: 'heal', member: 'm3' });
    await used.lab.exec('m3', ['cmrunnode', 'm3']);
  });

  everyStepIt('a disk that fills up meanwhile: nothing is in place anywhere', async () => {
    await must('m2', `mount -t tmpfs -o size=200m none ${directory}`);
    await slow();
    const p = await start('apply --yes --run --with-runtime --force');
    await sh('m2', `${half}; cat /dev/zero > ${directory}/filler 2>/dev/null`);
    await sh('m1', `while kill -0 ${p} 2>/dev/null; do sleep 0.1; done`);
    await fast();
    const log = (await sh('m1', 'cat /tmp/apply.log')).stdout;
    const left = await inDirectory('m2');
    await must('m2', `umount ${directory}`);
    expect(log).toMatch(/\[change-runtime-lost\] member m2\n.*No space left/);
    expect(left).toBe('filler\n');
    expect(await inDirectory('m1')).toBe('');
  });
});

describe.skipIf(whyNoLab !== null)('csync apply --with-runtime in the lab', () => {
  const used = useLab('runtime', { deployed: false, watched: false, changes, without: { noexec: 'programs are made in /tmp' } });
  const { sh, must, csync, json, done, inDirectory, withoutNode, start } = inLab(used);
  const { chapter, longChapter } = story(240_000);
  /** Process and program of the monitor itself; the service in front of it is perl. */
  const monitorOn = async (member: string) =>
    (await sh(member, 'for p in $(pgrep -f "[c]sync-monitor.cjs"); do echo "$p $(readlink /proc/$p/exe)"; done')).stdout
      .split('\n')
      .filter((line) => !/\/perl[0-9.]*$/.test(line))
      .join('\n')
      .trim();
  const isSame = async () =>
    expect((await csync('diff')).stdout).toBe('m1: same\nm2: same\nm3: same\napplied configuration: same\n');
  const digests = async () => (await must('m2', `sha256sum ${directory}/runtime/node`)).slice(0, 64);
  const lastNote = async () => (await done<{ sets: { note: string }[] }>('history')).sets.at(-1)?.note;

  chapter('with it the package starts, and its monitor is the carried program', async () => {
    await withoutNode();
    // What a lost connection left.
    await must('m3', `mkdir -p ${directory}/.csync-runtime-lost`);
    expect(await done('apply --yes --run --with-runtime --force')).toMatchObject({ outcome: 'applied' });
    await used.drills.waitServed();
    expect(await monitorOn('m1')).toMatch(new RegExp(`^\\d+ ${directory}/runtime/node$`));
    const commandLine = await must('m1', 'pgrep -af "^[^ ]*/runtime/node .*[c]sync-monitor.cjs"');
    expect(
      commandLine.split(' ').slice(2, 3 + monitorOptions(process.version).length),
      'with the options that its version has',
    ).toMatchObject([...monitorOptions(process.version), expect.stringMatching(/csync-monitor\.cjs$/)]);
    for (const member of members) {
      expect(await must(member, `stat -c '%a %n' ${directory}/runtime/*`)).toBe(`755 ${directory}/runtime/node\n`);
      expect(await inDirectory(member), 'also what a lost connection left').not.toMatch(/\.csync-runtime/);
    }
    // By its digest.
    expect(await lastNote()).toMatch(new RegExp(`\\b${(await digests()).slice(0, 12)}$`));
  });

  longChapter('nothing is sent twice, and later applies keep it', async () => {
    for (const words of ['apply --yes', 'apply --yes --with-runtime --force'])
      expect(await done(words), words).toMatchObject({ outcome: 'unchanged' });
    await isSame();
    await must('m1', "sed -i 's|^monitor_failures:.*|monitor_failures: 4|' /root/csync.yaml");
    const applied = await done<Applied>('apply --yes');
    expect(applied.steps.filter((step) => step.includes(hidden))).toEqual([]);
    await isSame();
  });

  chapter('check and status know it', async () => {
    const check = await done<{ nodes: object[] }>('check');
    expect(check.codes).toEqual([]);
    const file = `$SGCONF/csync/runtime/node`;
    expect(check.nodes).toMatchObject(members.map((member) => ({ member, file, version: process.version.slice(1) })));
    expect(await done('status')).toMatchObject({ condition: 'serving', advice: [] });
  });

  chapter('fails over with it', async () => {
    await must('m1', 'cmhaltnode -f m1');
    expect(await used.drills.waitServed('m1')).toBe('m2');
    await eventually('the monitor on m2', async () => (await monitorOn('m2')).endsWith(`${directory}/runtime/node`));
    await must('m1', 'cmrunnode m1');
  });

  longChapter('is replaced while the package runs with it: the monitor goes on', async () => {
    await sh('m1', `cp ${hidden} /tmp/newer; echo newer >> /tmp/newer`);
    const before = await monitorOn('m2');
    // Killed while it is put into place: some members may have the new one, some the old one; the same command does the rest.
    const p = await start('apply --yes --with-runtime=/tmp/newer --force');
    await sh(
      'm1',
      `until grep -q "^distribute to m3: runtime/node" /tmp/apply.log; do kill -0 ${p} || exit 1; done; kill -KILL -${p}`,
    );
    const mark = used.drills.entries.length;
    await done('apply --yes --with-runtime=/tmp/newer --force');
    expect(used.drills.entries.slice(mark).filter(({ what }) => what === 'halting')).toEqual([]);
    expect(await monitorOn('m2')).toBe(`${before} (deleted)`);
    expect(await used.drills.view()).toMatchObject({ owner: 'm2', status: 'up' });
    await isSame();
    // What watches goes on doing so.
    await sh('m2', 'pkill -KILL -x cf-serverd');
    await eventually('a failover', async () => !['m2', null].includes((await used.drills.view()).owner ?? null), 60_000);
    await used.drills.waitServed();
    expect((await sh('m1', 'cmmodpkg -e -n m2 csync; cmmodpkg -e csync')).exitCode).toBe(0);
  });

  longChapter('one that is damaged is reported by diff, status and validate, and mended on that member only', async () => {
    await sh('m3', `cp ${directory}/runtime/node /tmp/it; echo x >> /tmp/it; mv /tmp/it ${directory}/runtime/node`);
    type Files = { members: { member: string; files: { name: string; is: string }[] }[] };
    const differ = (await json<Files>('diff')).members.map(({ files }) => files.filter(({ is }) => is !== 'same'));
    expect(differ).toEqual([[], [], [{ name: 'runtime/node', is: 'changed' }]]);
    expect((await json<{ members: { staleFiles: string[] }[] }>('status')).members[2]?.staleFiles).toEqual(['runtime/node']);
    const checked = await sh('m1', `cmcheckconf -v -P ${directory}/csync.conf`);
    expect([checked.exitCode, checked.stdout + checked.stderr]).toEqual([1, expect.stringContaining('runtime/node')]);
    expect(await json('apply --yes')).toMatchObject({ exitCode: 5, codes: ['change-no-runtime m3'] });
    const words = `${hidden} /opt/csync/csync.mjs apply --yes --with-runtime=/tmp/newer --force`;
    const mended = await sh('m1', `cd /root; script -qec '${words}' /dev/null </dev/null`);
    expect(mended.exitCode, mended.stdout).toBe(0);
    expect([...mended.stdout.matchAll(/^carry .*\bto (m\d)\b/gm)].map(([, member]) => member)).toEqual(['m3']);
    expect(mended.stdout, 'how far it is, in one line of the terminal').toMatch(new RegExp(`^m3 100 % of ${size}`, 'm'));
    await isSame();
  });

  longChapter('a way back keeps it, and says so', async () => {
    const before = await digests();
    const back = await done('rollback 1 --yes');
    expect(back.stderr, 'what is in use, and how it is changed').toMatch(/\bSet 1\b.*csync apply --with-runtime/);
    expect(await digests()).toBe(before);
    expect((await sh('m2', `du -sm ${directory}/history | cut -f 1`)).stdout.trim().length).toBeLessThan(3);
    expect((await csync('apply --yes')).exitCode, 'what csync.yaml says').toBe(0);
  });

  longChapter('is dropped only where the members have a Node.js of their own', async () => {
    expect(await json('apply --yes --without-runtime')).toMatchObject({
      exitCode: 5,
      codes: members.map((member) => `change-no-node ${member}`),
    });
    for (const member of members) await must(member, `umount ${process.execPath}`);
    await done('apply --yes --without-runtime');
    for (const member of members) expect(await inDirectory(member)).not.toMatch(/runtime/);
    expect(await done('apply --yes')).toMatchObject({ outcome: 'unchanged' });
    expect(await lastNote()).not.toMatch(/[0-9a-f]{12}/);
    expect((await csync('apply --with-runtime --without-runtime')).exitCode).toBe(2);
    expect(await done('status')).toMatchObject({ condition: 'serving', advice: [] });
  });
});
