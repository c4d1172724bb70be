/** What the monitor takes for a failure and what not, with the real daemon in the lab. */
import { describe, expect, it } from 'vitest';
import { parseMonitorState } from '../../../src/contract/monitor-state.ts';
import { announceFunction } from '../../../src/contract/restart-notice.ts';
import { eventually, everyStepIt } from '../../support.ts';
import { useLab, whyNoLab } from '../../use-lab.ts';

const log = '/usr/local/cmcluster/run/log/csync.log';

describe.skipIf(whyNoLab !== null)('the monitor', () => {
  const used = useLab('monitor', {
    deployed: true,
    watched: false,
    // The hastiest monitor there can be: whoever tells starvation from silence here does so anywhere.
    changes: {
      monitorFailures: 1,
      monitorUnknownLimitSeconds: 5,
      monitorIntervalSeconds: 2,
      monitorTimeoutSeconds: 2,
      monitorStorage: 'every 2 s, limit 2 s, 2 in a row, fail',
      monitorContent: 'every 1 s, limit 2 s, 2 in a row, warn',
    },
  });
  const on = (member: string, script: string) => used.lab.exec(member, ['sh', '-c', script]);

  /** The master is the first member again, everything switched on. */
  async function atHome(): Promise<void> {
    await used.lab.exec('m1', ['cmhaltpkg', 'csync']);
    for (const member of ['m1', 'm2', 'm3']) await used.lab.exec('m1', ['cmmodpkg', '-e', '-n', member, 'csync']);
    await used.lab.exec('m1', ['cmmodpkg', '-e', 'csync']);
    expect(await used.drills.waitServed()).toBe('m1');
    // Two probes' time: the monitor is armed and has begun to look.
    await eventually(
      'the monitor to be armed',
      async () => (await on('m1', `tail -3 ${log} | grep -q "monitor: ok .watching."`)).exitCode === 0,
    );
  }

  /** What the monitor said last, after the package left m1. */
  async function verdictAfter(fault: string): Promise<string> {
    await on('m1', fault);
    expect(await used.drills.waitServed('m1')).toBe('m2');
    const said = await on('m1', `grep "monitor: failed" ${log} | tail -1`);
    return said.stdout;
  }

  it('sees a killed daemon', async () => {
    await atHome();
    expect(await verdictAfter('pkill -KILL -x cf-serverd')).toContain('The cfengine daemon exited: cf-serverd');
  });

  it('sees a stopped daemon, and the member has a working one afterwards', async () => {
    await atHome();
    expect(await verdictAfter('pkill -STOP -x cf-serverd')).toContain('The cfengine daemon is stopped');
    const states = () => on('m1', 'for p in $(pgrep -x cf-serverd); do cut -d" " -f3 /proc/$p/stat; done');
    // Beside the halt, which does not wait for it.
    await eventually('one daemon that works', async () => (await states()).stdout === 'S\n');
  });

  it('sees a daemon that became a zombie, though kill -0 says it lives', async () => {
    await used.lab.exec('m1', ['cmhaltpkg', 'csync']);
    // A parent that never waits for it.
    const parent = 'if (!fork) { chdir "/"; exec "/usr/bin/cf-serverd", "-K", "-F" } sleep 1000';
    await on(
      'm1',
      `pkill -TERM -x cf-serverd; while pgrep -x cf-serverd >/dev/null; do :; done; perl -e '${parent}' >/dev/null 2>&1 </dev/null &`,
    );
    await eventually(
      'the daemon to listen',
      async () => (await on('m1', 'grep -q ":14BC .* 0A " /proc/net/tcp6 /proc/net/tcp')).exitCode === 0,
    );
    await atHome();
    expect(await verdictAfter('pkill -KILL -x cf-serverd')).toMatch(/exited: cf-serverd.*is a zombie/);
    await on('m1', 'pkill -KILL -f "^perl -e if"');
  });

  it('is not content with another daemon in the place of the one it watches', async () => {
    await atHome();
    const watched = (await on('m1', 'pgrep -o -x cf-serverd')).stdout.trim();
    const verdict = await verdictAfter('pkill -KILL -x cf-serverd; cd /; exec cf-serverd -K </dev/null >/dev/null 2>&1');
    expect(verdict).toContain(`cf-serverd (pid ${watched})`);
  });

  it('sees a daemon that cannot be reached under the package address any more', async () => {
    await atHome();
    expect(await verdictAfter('ip address delete 10.9.0.100/24 dev eth0')).toMatch(
      /at the package address|package address is missing/,
    );
  });

  it('follows a restart that was announced, however short and whatever it was doing meanwhile', async () => {
    await atHome();
    const before = used.drills.entries.length;
    const restart = `${announceFunction('csync')}
p=$(pgrep -x cf-serverd); announce $p; kill $p; while kill -0 $p 2>/dev/null; do :; done; cd /; cf-serverd -K </dev/null >/dev/null 2>&1`;
    for (let time = 0; time < 5; time += 1) {
      // In its sleep, the second time: it sees only afterwards that the daemon is another one.
      const stopped = time % 2 === 1;
      if (stopped) await on('m1', 'pkill -STOP -f "[c]sync-monitor.cjs"');
      await on('m1', restart);
      if (stopped) await on('m1', 'pkill -CONT -f "[c]sync-monitor.cjs"');
      await eventually(
        'the monitor to watch the next one',
        async () => (await on('m1', `tail -1 ${log} | grep -q "watches cf-serverd (pid $(pgrep -x cf-serverd))"`)).exitCode === 0,
      );
    }
    expect((await on('m1', `tail -5 ${log}`)).stdout).toContain('exits for an announced restart');
    expect(used.drills.entries.slice(before).filter(({ what }) => what === 'service-died')).toEqual([]);
    expect(await verdictAfter('pkill -KILL -x cf-serverd'), 'the next one has no such leave').toContain('daemon exited');
  });

  everyStepIt('gives a restart no longer than was announced', async () => {
    await atHome();
    const announced = 'read -r up idle < /proc/uptime; p=$(pgrep -x cf-serverd); begun=$(cut -d " " -f 22 /proc/$p/stat)';
    const notice = 'echo "$p $begun $((${up%.*} + 3))" > /run/csync-restart-csync; kill -KILL $p';
    expect(await verdictAfter(`${announced}; ${notice}`)).toMatch(/exited: no cf-serverd listens on port 5308/);
  });

  it('sees that the policy file system cannot be written to any more', async () => {
    await atHome();
    expect(await verdictAfter('mount -o remount,ro /csync')).toMatch(/policy file system is missing.*mounted read-only/);
    expect((await on('m2', 'grep " /csync " /proc/mounts')).stdout).toContain('rw,');
  });

  it('sees a disk that does not answer, waits for it no longer than its limit, and leaves nobody behind', async () => {
    await atHome();
    // What opens a pipe that nobody writes to waits as long as what reads a disk that hangs.
    const hang = 'rm /csync/dsau/csync.sentinel; mkfifo /csync/dsau/csync.sentinel';
    const failed = `n=$(grep -c "monitor: failed" ${log}); ${hang}; until [ "$(grep -c "monitor: failed" ${log})" -gt $n ]; do :; done; rm -f /csync/dsau/csync.sentinel`;
    expect(await verdictAfter(failed)).toMatch(/its disk does not answer/);
    expect((await on('m1', 'pgrep -af "csync-[f]ile-reader|csync-[f]ront"')).stdout).toBe('');
  });

  const state = async () => parseMonitorState((await on('m1', 'cat /run/csync-monitor-csync.json')).stdout);
  /** The monitor that runs now has looked at everything, and hears of the end of the daemon. */
  const settled = () =>
    eventually(
      'the monitor to have looked at each layer',
      async () => {
        const now = await state();
        const isIt = (await on('m1', 'pgrep -f "[c]sync-monitor.cjs"')).stdout.split('\n').includes(String(now?.pid));
        return isIt && now?.endIsEvent === true && Object.keys(now.layers).length === 5;
      },
      20_000,
    );

  it('warns of a policy file system that another one has written to, and the package stays', async () => {
    await atHome();
    await settled();
    const sentinel = '/csync/dsau/csync.sentinel';
    const status = async () => (await on('m1', 'cd /root && csync status; true')).stdout;
    await on('m1', `cp ${sentinel} /tmp/kept; echo '{"epoch":99,"member":"m3","at":"now"}' > ${sentinel}`);
    await eventually('the warning', async () =>
      (await on('m1', `tail -1 ${log}`)).stdout.includes('warning [layer-bad] Layer content: the sentinel changed'),
    );
    await eventually('status to tell', async () =>
      (await status()).includes('the monitor on m1 finds content: the sentinel changed'),
    );
    await on('m1', `cp /tmp/kept ${sentinel}`);
    await eventually('the end of it', async () =>
      (await on('m1', `tail -1 ${log}`)).stdout.includes(
        'ok [layer-good] Layer content: the sentinel is the one that the start wrote',
      ),
    );
    expect(await status()).not.toContain('finds content');
    expect((await used.drills.view()).owner).toBe('m1');
  });

  it('tells in a file what it sees, and what its verdict was', async () => {
    await atHome();
    await settled();
    const calm = await state();
    expect(calm).toMatchObject({ member: 'm1', endIsEvent: true, paused: false, verdict: null });
    expect(Object.values(calm?.layers ?? {}).map(({ result }) => result)).toEqual(['good', 'good', 'good', 'good', 'good']);
    const sentence = await verdictAfter('pkill -STOP -x cf-serverd');
    const { verdict } = (await state()) ?? {};
    expect(verdict?.reason).toBe('stopped');
    expect(sentence).toContain(verdict?.sentence);
  });

  it('looks for the end of the daemon itself where nothing tells it', async () => {
    const front = (await on('m1', 'echo /usr/local/cmcluster/conf/csync/sets/*/csync-front.pl')).stdout.trim();
    expect((await on('m1', `mv ${front} /tmp/front`)).exitCode).toBe(0);
    await atHome();
    await eventually('the monitor to say so', async () => (await state())?.endIsEvent === false);
    expect(await verdictAfter('pkill -KILL -x cf-serverd')).toContain('The cfengine daemon exited: cf-serverd');
    await on('m1', `mv /tmp/front ${front}`);
  });

  everyStepIt('gives no verdict for its own starvation', async () => {
    await atHome();
    const before = used.drills.entries.length;
    // Longer than a probe with its limit, and than the monitor may be unable to tell; the daemon is well all the while.
    await on('m1', 'pkill -STOP -f "[c]sync-monitor.cjs"; sleep 7; pkill -CONT -f "[c]sync-monitor.cjs"; sleep 3');
    expect(used.drills.entries.slice(before).filter((entry) => entry.what === 'service-died')).toEqual([]);
    expect(await used.drills.waitServed()).toBe('m1');
  });

  it('ends at once with 0 when it is told to', async () => {
    await atHome();
    const ended = await on(
      'm1',
      'env -i /usr/local/cmcluster/conf/csync/csync.sh monitor & p=$!; until grep -q csync-monitor /proc/$p/cmdline; do :; done; sleep 0.5; kill -TERM $p; wait $p; echo $?',
    );
    expect(ended.stdout).toBe('0\n');
  });

  everyStepIt('notices a killed daemon in well under a second', async () => {
    const noticed: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      await atHome();
      const mark = used.drills.entries.length;
      await used.drills.killDaemon('m1');
      await used.drills.waitServed('m1');
      const since = used.drills.entries.slice(mark);
      const at = (what: string) => since.find((entry) => entry.what === what)?.at ?? Number.NaN;
      noticed.push(at('service-died') - at('kill-daemon'));
    }
    console.info(`killed daemon noticed after ms: ${noticed.map((ms) => ms.toFixed(0)).join(' ')}`);
    for (const ms of noticed) expect(ms).toBeLessThan(1000);
  });
});
