/** Each thing that can be wrong causes its own problem, and harms nothing. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../../support.ts';
import { codesIn, reported, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const conf = '/usr/local/cmcluster/conf/csync/csync.conf';
const log = '/usr/local/cmcluster/run/log/csync.log';

describe.skipIf(whyNoLab !== null)('problems before and at the start of the package', () => {
  const used = useLab('problems', { deployed: true, watched: false });
  const { sh: on, must } = typedIn(used);

  /** Codes of warnings and failures in the package's log of a member from now on. */
  async function logFrom(member: string): Promise<() => Promise<string[]>> {
    const before = (await on(member, `cat ${log} 2>/dev/null`)).stdout.length;
    return async () => {
      const since = (await on(member, `cat ${log}`)).stdout.slice(before).split('\n');
      return since.filter((line) => /: (warning|failed) \[/.test(line)).flatMap(codesIn);
    };
  }

  /** Halted, nothing mounted, the address nowhere, a daemon everywhere: the state every case starts from and goes back to. */
  async function atRest(): Promise<void> {
    await used.lab.exec('m1', ['cmhaltpkg', 'csync']);
    for (const member of ['m1', 'm2', 'm3']) await used.lab.exec('m1', ['cmmodpkg', '-e', '-n', member, 'csync']);
    await nothingHarmed();
  }

  async function nothingHarmed(): Promise<void> {
    const view = await used.drills.view();
    const { hosts } = await used.lab.status();
    for (const host of hosts.filter((one) => one.kind === 'member')) {
      expect(host, host.name).toMatchObject({ mounted: view.owner === host.name, packageAddress: view.owner === host.name });
    }
    expect(used.drills.entries.filter((entry) => entry.kind === 'violation')).toEqual([]);
  }

  async function startsElsewhere(than: string): Promise<string> {
    const owner = await used.drills.waitServed(than);
    await nothingHarmed();
    return owner;
  }

  it('wrong settings: all of them with file and line, and nothing is rendered', async () => {
    await must(
      'm1',
      "sed -e 's/^mount_point:.*/mount_point: usr/' -e 's/^members:.*/members: []/' /root/csync.yaml > /tmp/wrong.yaml",
    );
    const words = 'render --settings wrong.yaml --output /tmp/out';
    const rendered = reported(await on('m1', `cd /tmp && node /opt/csync/csync.mjs ${words} --json`), words);
    expect([rendered.exitCode, rendered.codes]).toEqual([3, ['settings-value', 'settings-value']]);
    expect(rendered.problems.map(({ place, text }) => [place, /"(\w+)"/.exec(text)?.[1]])).toEqual(
      ['members', 'mount_point'].map((key) => [
        { file: 'wrong.yaml', line: expect.any(Number), column: expect.any(Number) },
        key,
      ]),
    );
    expect((await on('m1', 'ls /tmp/out')).exitCode).not.toBe(0);
  });

  it('a missing binary: cmcheckconf names member and program, a start goes to the next member', async () => {
    await atRest();
    await on('m1', 'mv /usr/bin/cf-agent /usr/bin/cf-agent.away');
    const checked = await used.lab.exec('m2', ['cmcheckconf', '-P', conf]);
    expect(checked.exitCode).toBe(1);
    expect(checked.stdout).toMatch(/m1[\s\S]*program-missing[\s\S]*\/usr\/bin\/cf-agent/);
    const said = await logFrom('m1');
    await used.lab.exec('m1', ['cmmodpkg', '-e', 'csync']);
    expect(await startsElsewhere('m1')).toBe('m2');
    expect(await said()).toContain('program-missing');
    await on('m1', 'mv /usr/bin/cf-agent.away /usr/bin/cf-agent');
  });

  it('an occupied port: the other program is named and left alone, the package starts elsewhere', async () => {
    await atRest();
    await on('m1', 'pkill -KILL -x cf-serverd; while pgrep -x cf-serverd; do :; done');
    const listener =
      'use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 5308, Listen => 5, ReuseAddr => 1) or die; sleep 1000';
    await on('m1', `perl -e '${listener}' >/dev/null 2>&1 </dev/null &`);
    await eventually('the port to be taken', async () => (await on('m1', 'grep -q ":14BC .* 0A " /proc/net/tcp')).exitCode === 0);
    const checked = await used.lab.exec('m2', ['cmcheckconf', '-P', conf]);
    expect(checked.stdout).toMatch(/\[port-occupied\] .*\b5308\b.*\bperl\b/);
    const said = await logFrom('m1');
    await used.lab.exec('m1', ['cmmodpkg', '-e', 'csync']);
    expect(await startsElsewhere('m1')).toBe('m2');
    expect(await said()).toContain('port-occupied');
    expect((await on('m1', 'pkill -f "^perl -e use IO"')).exitCode, 'the other program was left alone').toBe(0);
    await on('m1', 'cd /; cf-serverd -K </dev/null >/dev/null 2>&1');
  });

  it('a busy mount point: its content stays, the package starts elsewhere', async () => {
    await atRest();
    await on('m1', 'mount -t tmpfs precious /csync && echo precious > /csync/file');
    const checked = await used.lab.exec('m2', ['cmcheckconf', '-P', conf]);
    expect(checked.stdout).toMatch(/\[mount-point-busy\] .*\bprecious\b/);
    const said = await logFrom('m1');
    await used.lab.exec('m1', ['cmmodpkg', '-e', 'csync']);
    const owner = await used.drills.waitServed('m1');
    expect(owner).toBe('m2');
    expect(await said()).toContain('mount-point-busy');
    expect((await on('m1', 'cat /csync/file')).stdout).toBe('precious\n');
    await on('m1', 'umount /csync');
    await nothingHarmed();
  });

  it('files under the mount point: never mounted over, since clients would be purged by them later', async () => {
    await atRest();
    await on('m1', 'chattr -i /csync; echo stale > /csync/stale');
    const said = await logFrom('m1');
    await used.lab.exec('m1', ['cmmodpkg', '-e', 'csync']);
    expect(await startsElsewhere('m1')).toBe('m2');
    expect(await said()).toContain('mount-point-not-empty');
    expect(await must('m1', 'cat /csync/stale')).toBe('stale\n');
    await on('m1', 'rm /csync/stale');
  });

  it('a missing DNS name: cmcheckconf refuses; a start only warns, so that a dead resolver does not stop the master', async () => {
    await atRest();
    await on('m1', 'cp /etc/hosts /etc/hosts.away; grep -v csync.lab /etc/hosts.away > /etc/hosts');
    const checked = await used.lab.exec('m2', ['cmcheckconf', '-P', conf]);
    expect(checked.exitCode).toBe(1);
    expect(codesIn(checked.stdout)).toContain('name-unresolved');
    const said = await logFrom('m1');
    await used.lab.exec('m1', ['cmmodpkg', '-e', 'csync']);
    expect(await used.drills.waitServed()).toBe('m1');
    expect(await said()).toEqual(['name-unresolved']);
    await on('m1', 'cp /etc/hosts.away /etc/hosts');
  });

  it('a resolver that never answers delays a start by three seconds, and a halt not at all', async () => {
    await atRest();
    const deaf =
      'use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => q(127.0.0.9), LocalPort => 53, Proto => q(udp)) or die; sleep 1000';
    await on(
      'm1',
      `cp /etc/nsswitch.conf /etc/nsswitch.away; echo 'hosts: dns' > /etc/nsswitch.conf; echo 'nameserver 127.0.0.9' > /etc/resolv.conf; perl -e '${deaf}' >/dev/null 2>&1 </dev/null &`,
    );
    const said = await logFrom('m1');
    const before = performance.now();
    await used.lab.exec('m1', ['cmrunpkg', '-n', 'm1', 'csync']);
    expect(await used.drills.waitServed()).toBe('m1');
    const started = performance.now();
    expect(started - before).toBeLessThan(8000);
    expect(await said()).toEqual(['name-unresolved']);
    await used.lab.exec('m1', ['cmhaltpkg', 'csync']);
    expect(performance.now() - started).toBeLessThan(3000);
    await on('m1', 'mv /etc/nsswitch.away /etc/nsswitch.conf; : > /etc/resolv.conf; pkill -f "^perl -e use IO"');
    await nothingHarmed();
  });

  it('a file system that is missing: the start fails with the reason and leaves nothing behind', async () => {
    await atRest();
    await on('m1', 'mv /run/csync-lab/volume-groups/vg_csync /run/csync-lab/volume-groups/away');
    const run = await used.lab.exec('m1', ['cmrunpkg', 'csync']);
    expect(run.exitCode).toBe(1);
    expect(await must('m1', `tail -n 20 ${log}`), 'the words of vgchange').toMatch(/Volume group "vg_csync" not found/);
    expect(await used.drills.view()).toMatchObject({ status: 'down', owner: null });
    await nothingHarmed();
    await on('m1', 'mv /run/csync-lab/volume-groups/away /run/csync-lab/volume-groups/vg_csync');
  });

  it('a policy that is not on the file system: no other member is tried, since none could cure it', async () => {
    await atRest();
    await used.lab.exec('m1', ['cmmodpkg', '-e', 'csync']);
    const owner = await used.drills.waitServed();
    await on(owner, 'mv /csync/dsau /csync/away');
    await atRest();
    const said = [await logFrom('m1'), await logFrom('m2'), await logFrom('m3')];
    const run = await used.lab.exec('m1', ['cmrunpkg', 'csync']);
    expect(run.exitCode).toBe(1);
    expect(await Promise.all(said.map((codes) => codes()))).toEqual([['policy-missing', 'script-failed'], [], []]);
    await on(
      'm1',
      'vgchange --addtag m1 vg_csync && vgchange -a y vg_csync && mount /dev/vg_csync/lv_csync /csync && mv /csync/away /csync/dsau; umount /csync; vgchange -a n vg_csync; vgchange --deltag m1 vg_csync',
    );
  });

  it('scripts that drift: a member whose files differ is refused before anything is applied', async () => {
    await atRest();
    for (const file of ['csync.sh', 'sets/*/csync_pre.sh']) {
      await on('m3', `echo "# edited" >> $(echo /usr/local/cmcluster/conf/csync/${file})`);
      const applied = await used.lab.exec('m1', ['cmapplyconf', '-f', '-P', conf]);
      expect(applied.exitCode).toBe(1);
      expect(applied.stdout).toMatch(new RegExp(`\\bm3\\b[\\s\\S]*\\b${file.replace(/.*\//, '').replace('.', '\\.')}\\b`));
      await on('m3', `sed -i '$d' /usr/local/cmcluster/conf/csync/${file}`);
    }
    expect((await used.lab.exec('m1', ['cmapplyconf', '-f', '-P', conf])).exitCode).toBe(0);
  });

  it('serves again after all of that', async () => {
    await atRest();
    await used.lab.exec('m1', ['cmmodpkg', '-e', 'csync']);
    await used.drills.publishAndFetch();
    expect(await used.drills.invariants()).toEqual([]);
  });
});
