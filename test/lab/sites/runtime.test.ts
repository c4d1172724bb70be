/** Members without a Node.js: csync carries one along, over a real sshd, and everything that can go wrong on the way. */
import { statSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually, everyStepIt } from '../../support.ts';
import { useLab, whyNoLab } from '../../use-lab.ts';

const directory = '/usr/local/cmcluster/conf/csync';
const members = ['m1', 'm2', 'm3'] as const;
/** Where the lab's own Node.js is once the members' is hidden: for the emulated commands, and for csync. */
const hidden = '/opt/own-node';
const size = `${(statSync(process.execPath).size / 1e6).toFixed(1)} MB`;

describe.skipIf(whyNoLab !== null)('csync apply --with-runtime in the lab', { timeout: 600_000 }, () => {
  const used = useLab('runtime', { deployed: false, watched: false, changes: { nodePath: process.execPath } });
  const sh = (member: string, script: string) => used.lab.exec(member, ['sh', '-c', script], { timeoutMs: 300_000 });
  const csync = (words: string) => sh('m1', `cd /root && exec ${hidden} /opt/csync/csync.mjs ${words}`);
  const inDirectory = async (member: string) => (await sh(member, `ls -A ${directory} 2>/dev/null`)).stdout;
  /** Process and program of the monitor itself; the service in front of it is perl. */
  const monitorOn = async (member: string) =>
    (await sh(member, 'for p in $(pgrep -f "[c]sync-monitor.cjs"); do echo "$p $(readlink /proc/$p/exe)"; done')).stdout
      .split('\n')
      .filter((line) => !/\/perl[0-9.]*$/.test(line))
      .join('\n')
      .trim();
  const nothingAnywhere = async (why: string) => {
    for (const member of members)
      await eventually(`nothing on ${member} after ${why}`, async () => (await inDirectory(member)) === '');
  };
  /** A link on which the runtime takes some seconds, so that something can happen to it meanwhile. */
  const slow = () => sh('m1', 'tc qdisc add dev eth0 root tbf rate 200mbit burst 64k latency 50ms');
  const fast = () => sh('m1', 'tc qdisc del dev eth0 root');
  const half = `until [ "$(cat ${directory}/.csync-runtime-*/node 2>/dev/null | head -c 1000000 | wc -c)" = 1000000 ]; do sleep 0.1; done`;
  const start = (words: string) =>
    sh('m1', `cd /root; setsid ${hidden} /opt/csync/csync.mjs ${words} >/tmp/apply.log 2>&1 </dev/null & echo $!`);

  beforeAll(async () => {
    await used.lab.exec('m1', ['cmruncl', '-v']);
    const hide = [
      `: > ${hidden}; mount --bind ${process.execPath} ${hidden}; mount --bind /dev/null ${process.execPath}`,
      `sed -i 's|^exec ${process.execPath} |exec ${hidden} |' /usr/local/cmcluster/bin/*`,
    ];
    for (const member of members) expect((await sh(member, hide.join('; '))).stderr).toBe('');
  });

  it('without it members that have no Node.js are refused, with the fix', async () => {
    const refused = await csync('apply --yes --run');
    expect(refused.exitCode).toBe(5);
    for (const member of members) expect(refused.stderr).toContain(`[change-no-node] member ${member}`);
    expect(refused.stderr).toContain('csync apply --with-runtime');
    expect((await csync('check')).stdout).toContain('carry one along: csync apply --with-runtime');
    await nothingAnywhere('a refusal');
  });

  it('a dry run names the file, its size and every member, and brings nothing', async () => {
    const dry = await csync('apply --dry-run --run --with-runtime');
    expect(dry.exitCode, dry.stderr).toBe(0);
    const steps = dry.stdout.split('\n').map((line) => line.trim());
    members.forEach((member, index) => {
      expect(steps[index]).toBe(`${index + 1}. carry ${hidden} (${size}) to ${member} and check that it runs`);
      expect(steps[index + 3]).toMatch(
        new RegExp(`distribute to ${member}: runtime/node csync.conf .*sets/[0-9a-f]{16} \\(\\d+ files\\)$`),
      );
    });
    await nothingAnywhere('a dry run');
  });

  it.each<[string, string, RegExp]>([
    ['a script', 'printf "#!/bin/sh\\necho v18.0.0\\n" > /tmp/it; chmod 755 /tmp/it', /no whole 64-bit program/],
    ['one that is cut short', `head -c 50000000 ${hidden} > /tmp/it; chmod 755 /tmp/it`, /no whole 64-bit program/],
    ['an old one', `sed 's/${process.version}/v18.20.2/g' ${hidden} > /tmp/it; chmod 755 /tmp/it`, /is Node.js 18.20.2, older/],
    ['the front of a shared one', 'sed "s/libc\\.so\\.6/libnode.1/g" /bin/sh > /tmp/it', /only the front of libnode/],
    ['none', 'rm -f /tmp/it', /cannot be read/],
  ])('%s is refused before anything is sent', async (_, make, why) => {
    await sh('m1', make);
    const refused = await csync('apply --yes --run --with-runtime=/tmp/it');
    expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringMatching(why)]);
    expect(refused.stderr).toContain('file-runtime');
    await nothingAnywhere('a refusal');
  });

  it('a program that is no Node.js is found out by its proof, and taken away again', async () => {
    const refused = await csync('apply --yes --run --with-runtime=/bin/true');
    expect(refused.exitCode).toBe(5);
    for (const member of members) expect(refused.stderr).toContain(`[change-runtime-unfit] member ${member}`);
    expect(refused.stderr).toMatch(/^ {2}0 of \d+ steps are done;/m);
    await nothingAnywhere('a bad proof');
  });

  it('a full disk, and a mount that forbids to run programs: told at once, before anything is sent', async () => {
    await sh('m2', `mkdir -p ${directory}; mount -t tmpfs -o noexec,size=400m none ${directory}`);
    await sh('m3', `mkdir -p ${directory}; mount -t tmpfs -o size=60m none ${directory}`);
    const refused = await csync('apply --yes --run --with-runtime');
    for (const member of ['m2', 'm3']) await sh(member, `umount ${directory}; rmdir ${directory}`);
    expect(refused.exitCode).toBe(5);
    expect(refused.stderr).toMatch(/\[change-runtime-noexec\] member m2\n.*is mounted noexec/);
    expect(refused.stderr).toMatch(
      /\[change-runtime-space\] member m3\n.*csync has 62\.9 MB free; the runtime of [\d.]+ MB needs/,
    );
    expect(refused.stderr).not.toContain('carry /');
    await nothingAnywhere('a refusal');
  });

  everyStepIt(
    'a library that one member lacks, which only running it can tell: that one is named, and no member keeps anything',
    async () => {
      const library = (await sh('m3', `ldd ${hidden} | sed -n 's/.*libstdc.*=> \\([^ ]*\\) .*/\\1/p'`)).stdout.trim();
      const [away, back] = [`mv $(readlink -f ${library}) /opt/away`, `mv /opt/away $(readlink -f ${library})`];
      await sh('m3', `echo $(readlink -f ${library}) > /opt/place; ${away}`);
      const refused = await csync('apply --yes --run --with-runtime');
      await sh('m3', back.replace(`$(readlink -f ${library})`, '$(cat /opt/place)'));
      expect(refused.exitCode).toBe(5);
      expect(refused.stderr).toMatch(/\[change-runtime-unfit\] member m3\n[\s\S]*libstdc\+\+/);
      expect(refused.stderr).toContain('Fix: install libstdc++.so.6 there');
      expect(refused.stderr).not.toContain('member m2');
      await nothingAnywhere('a member without a library');
    },
  );

  it('csync is killed in the middle: no member has half a file; what had arrived is swept up by the next one', async () => {
    await slow();
    const p = (await start('apply --yes --run --with-runtime')).stdout.trim();
    await sh('m3', half);
    await sh('m1', `kill -KILL -${p}`);
    for (const member of ['m2', 'm3']) await eventually(`nothing on ${member}`, async () => (await inDirectory(member)) === '');
    expect(await inDirectory('m1'), 'the one that is here had all of it').toMatch(/^\.csync-runtime-\w+\n$/);
    await fast();
  });

  it('Ctrl-C in the middle: status 130, and what had arrived is taken away again, on every member', async () => {
    await slow();
    const command = `setsid ${hidden} /opt/csync/csync.mjs apply --yes --run --with-runtime >/tmp/apply.log 2>&1 </dev/null`;
    const ended = sh('m1', `cd /root; ${command} & echo $! > /tmp/pid; wait $!`);
    await sh('m3', half);
    await sh('m1', 'kill -INT -$(cat /tmp/pid)');
    expect((await ended).exitCode).toBe(130);
    await fast();
    await nothingAnywhere('Ctrl-C');
    expect((await sh('m1', 'cat /tmp/apply.log')).stdout).toMatch(/interrupted before any change/);
  });

  everyStepIt('a connection that is lost in the middle: the member is named, the others keep nothing', async () => {
    await slow();
    const p = (await start('apply --yes --run --with-runtime')).stdout.trim();
    await sh('m3', half);
    await used.lab.ask({ verb: 'cut', member: 'm3' });
    await sh('m1', `while kill -0 ${p} 2>/dev/null; do sleep 0.1; done`);
    await fast();
    const log = (await sh('m1', 'cat /tmp/apply.log')).stdout;
    expect(log).toMatch(/\[change-runtime-lost\] member m3/);
    expect(log).toMatch(/^ {2}2 of \d+ steps are done; not done:\n {4}carry .* to m3 /m);
    for (const member of ['m1', 'm2']) await eventually(`nothing on ${member}`, async () => (await inDirectory(member)) === '');
    expect(await inDirectory('m3'), 'its sshd does not know yet').toMatch(/^\.csync-runtime-/);
    await used.lab.ask({ verb: 'heal', member: 'm3' });
    await used.lab.exec('m3', ['cmrunnode', 'm3']);
  });

  everyStepIt('a disk that fills up meanwhile: nothing is in place anywhere', async () => {
    await sh('m2', `mkdir -p ${directory}; mount -t tmpfs -o size=200m none ${directory}`);
    await slow();
    const p = (await start('apply --yes --run --with-runtime')).stdout.trim();
    await sh('m2', `${half}; cat /dev/zero > ${directory}/filler 2>/dev/null`);
    await sh('m1', `while kill -0 ${p} 2>/dev/null; do sleep 0.1; done`);
    await fast();
    const log = (await sh('m1', 'cat /tmp/apply.log')).stdout;
    const left = await inDirectory('m2');
    await sh('m2', `umount ${directory}; rmdir ${directory}`);
    expect(log).toMatch(/\[change-runtime-lost\] member m2\n.*No space left/);
    expect(left).toBe('filler\n');
    expect(await inDirectory('m1')).toBe('');
  });

  it('with it the package starts, and its monitor is the carried program', async () => {
    const applied = await csync('apply --yes --run --with-runtime');
    expect(applied.exitCode, applied.stdout + applied.stderr).toBe(0);
    for (const member of members)
      expect(applied.stderr).toContain(`${member}: Node.js ${process.versions.node} (${size}) arrived`);
    await used.drills.waitServed();
    expect(await monitorOn('m1')).toMatch(new RegExp(`^\\d+ ${directory}/runtime/node$`));
    for (const member of members) {
      expect((await sh(member, `stat -c '%a %n' ${directory}/runtime/*`)).stdout).toBe(`755 ${directory}/runtime/node\n`);
      expect(await inDirectory(member), 'also what a lost connection left').not.toContain('.csync-runtime');
    }
    expect((await csync('history')).stdout).toMatch(/with Node.js runtime [0-9a-f]{12}\n$/);
  });

  everyStepIt('nothing is sent twice, and later applies keep it', async () => {
    for (const words of ['apply --yes', 'apply --yes --with-runtime'])
      expect((await csync(words)).stdout, words).toContain('nothing to do');
    expect((await csync('diff')).stdout).toBe('m1: same\nm2: same\nm3: same\napplied configuration: same\n');
    await sh('m1', "sed -i 's|^monitor_failures:.*|monitor_failures: 4|' /root/csync.yaml");
    const applied = await csync('apply --yes');
    expect(applied.exitCode, applied.stderr).toBe(0);
    expect(applied.stderr).not.toContain('carry');
    expect((await csync('diff')).exitCode).toBe(0);
  });

  it('check and status know it', async () => {
    const check = await csync('check');
    expect(check.stdout).toMatch(/note: m3 has no Node.js .*has its own runtime/);
    expect(check.stdout).not.toContain('check-node');
    expect((await csync('status')).exitCode).toBe(0);
  });

  it('fails over with it', async () => {
    expect((await sh('m1', 'cmhaltnode -f m1')).exitCode).toBe(0);
    await used.drills.waitServed();
    const { owner } = await used.drills.view();
    expect(owner).toBe('m2');
    await eventually('the monitor on m2', async () => (await monitorOn('m2')).endsWith(`${directory}/runtime/node`));
    expect((await sh('m1', 'cmrunnode m1')).exitCode).toBe(0);
  });

  everyStepIt('is replaced while the package runs with it: the monitor goes on', async () => {
    await sh('m1', `cp ${hidden} /tmp/newer; echo newer >> /tmp/newer`);
    const before = await monitorOn('m2');
    // Killed while it is put into place: some members may have the new one, some the old one; the same command does the rest.
    const p = (await start('apply --yes --with-runtime=/tmp/newer')).stdout.trim();
    await sh(
      'm1',
      `until grep -q "^distribute to m3: runtime/node" /tmp/apply.log; do kill -0 ${p} || exit 1; done; kill -KILL -${p}`,
    );
    const replaced = await csync('apply --yes --with-runtime=/tmp/newer');
    expect(replaced.exitCode, replaced.stderr).toBe(0);
    expect(replaced.stderr).not.toContain('cmhaltpkg');
    expect(await monitorOn('m2')).toBe(`${before} (deleted)`);
    expect(await used.drills.view()).toMatchObject({ owner: 'm2', status: 'up' });
    expect((await csync('diff')).exitCode).toBe(0);
    // What watches goes on doing so.
    await sh('m2', 'pkill -KILL -x cf-serverd');
    await eventually('a failover', async () => !['m2', null].includes((await used.drills.view()).owner ?? null), 60_000);
    await used.drills.waitServed();
    expect((await sh('m1', 'cmmodpkg -e -n m2 csync; cmmodpkg -e csync')).exitCode).toBe(0);
  });

  everyStepIt('one that is damaged is told by diff, status and validate, and mended on that member only', async () => {
    await sh('m3', `cp ${directory}/runtime/node /tmp/it; echo x >> /tmp/it; mv /tmp/it ${directory}/runtime/node`);
    expect((await csync('diff')).stdout).toMatch(/m1: same\nm2: same\nm3: \n {2}changed {2}runtime\/node\n/);
    expect((await csync('status')).stdout).toContain('m3: runtime/node differs from the rendered package');
    const checked = await sh('m1', `cmcheckconf -v -P ${directory}/csync.conf`);
    expect([checked.exitCode, checked.stdout + checked.stderr]).toEqual([
      expect.any(Number),
      expect.stringContaining('runtime/node'),
    ]);
    const refused = await csync('apply --yes');
    expect([refused.exitCode, refused.stderr]).toEqual([5, expect.stringContaining('[change-no-runtime] member m3')]);
    const words = `${hidden} /opt/csync/csync.mjs apply --yes --with-runtime=/tmp/newer`;
    const mended = await sh('m1', `cd /root; script -qec '${words}' /dev/null </dev/null`);
    expect(mended.exitCode, mended.stdout).toBe(0);
    expect(mended.stdout).toContain('to m3 beside its place');
    expect(mended.stdout).not.toContain('to m2 beside its place');
    expect(mended.stdout, 'how far it is, in one line of the terminal').toMatch(new RegExp(`^m3 100 % of ${size}`, 'm'));
    expect((await csync('diff')).exitCode).toBe(0);
  });

  everyStepIt('a way back keeps it, and says so', async () => {
    const digest = async () => (await sh('m2', `sha256sum ${directory}/runtime/node`)).stdout;
    const before = await digest();
    const back = await csync('rollback 1 --yes');
    expect(back.exitCode, back.stderr).toBe(0);
    expect(back.stderr).toContain('Set 1 had another Node.js runtime. Sets do not contain runtimes');
    expect(await digest()).toBe(before);
    expect((await sh('m2', `du -sm ${directory}/history | cut -f 1`)).stdout.trim().length).toBeLessThan(3);
    expect((await csync('apply --yes')).exitCode, 'what csync.yaml says').toBe(0);
  });

  everyStepIt('is dropped only where the members have a Node.js of their own', async () => {
    const refused = await csync('apply --yes --without-runtime');
    expect([refused.exitCode, refused.stderr]).toEqual([5, expect.stringContaining('[change-no-node] member m1')]);
    for (const member of members) await sh(member, `umount ${process.execPath}`);
    const dropped = await csync('apply --yes --without-runtime');
    expect(dropped.exitCode, dropped.stderr).toBe(0);
    for (const member of members) expect(await inDirectory(member)).not.toContain('runtime');
    expect((await csync('apply --yes')).stdout).toContain('nothing to do');
    expect((await csync('history')).stdout).toMatch(/without the Node.js runtime\n$/);
    expect((await csync('apply --with-runtime --without-runtime')).exitCode).toBe(2);
    expect((await csync('status')).exitCode).toBe(0);
  });
});
