/** What the monitor takes for a failure and what not, with the real daemon in the lab. */
import { describe, expect, it } from 'vitest';
import { type MonitorState, parseMonitorState } from '../../../src/contract/monitor-state.ts';
import { announceFunction } from '../../../src/contract/restart-notice.ts';
import { conclusions } from '../../../src/member/monitor/judge.ts';
import { layerNames, layerOf, layerSchedules } from '../../../src/member/monitor/layers.ts';
import { eventually, everyStepIt } from '../../support.ts';
import { typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const log = '/usr/local/cmcluster/run/log/csync.log';

describe.skipIf(whyNoLab !== null)('the monitor', () => {
  const used = useLab('monitor', {
    deployed: true,
    watched: false,
    // The hastiest monitor there can be: if this one distinguishes starvation from silence, any does.
    changes: {
      monitorFailures: 1,
      monitorUnknownLimitSeconds: 5,
      monitorIntervalSeconds: 2,
      monitorTimeoutSeconds: 2,
      monitorStorage: 'every 2 s, limit 2 s, 2 in a row, fail',
      monitorContent: 'every 1 s, limit 2 s, 2 in a row, warn',
    },
  });
  const { sh: on, must, json, broken } = typedIn(used);
  const state = async () => parseMonitorState((await on('m1', 'cat /run/csync-monitor-csync.json')).stdout);

  /** The monitor there watches the daemon that runs there now. */
  const armed = () =>
    eventually('the monitor to be armed', async () => {
      const [now, daemon] = [await state(), (await on('m1', 'pgrep -x cf-serverd')).stdout.trim()];
      return daemon !== '' && now?.verdict === null && now.watching?.includes(`(pid ${daemon})`) === true;
    });

  /** The master is the first member again, everything switched on, and its monitor a new one. */
  async function atHome(): Promise<void> {
    await on(
      'm1',
      'cmhaltpkg csync; rm -f /run/csync-monitor-csync.json; cmmodpkg -e -n m1 -n m2 -n m3 csync; cmmodpkg -e csync',
    );
    expect(await used.drills.waitServed()).toBe('m1');
    await armed();
  }

  /** What the monitor concluded, after the package left m1. */
  async function verdictAfter(fault: string): Promise<NonNullable<MonitorState['verdict']> & { means: string }> {
    await on('m1', fault);
    expect(await used.drills.waitServed('m1')).toBe('m2');
    const verdict = await eventually('the verdict', async () => (await state())?.verdict, 10_000);
    return { ...verdict, means: conclusions[verdict.reason as keyof typeof conclusions].means };
  }

  /** Whether it is seen before or after it is reaped is for the kernel to say. */
  const ended = { means: conclusions.gone.means };

  it('sees a killed daemon', async () => {
    await atHome();
    expect(await verdictAfter('pkill -KILL -x cf-serverd')).toMatchObject(ended);
  });

  // Also in test/process/member/hangs.test.ts, with the bounds.
  everyStepIt('sees a stopped daemon, and the member has a working one afterwards', async () => {
    await atHome();
    expect(await verdictAfter('pkill -STOP -x cf-serverd')).toMatchObject({ reason: 'stopped' });
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
    expect(await verdictAfter('pkill -KILL -x cf-serverd')).toMatchObject({ reason: 'zombie' });
    await must('m1', 'pkill -KILL -f "^perl -e if"');
  });

  it('is not content with another daemon in the place of the one it watches', async () => {
    await atHome();
    const watched = (await must('m1', 'pgrep -o -x cf-serverd')).trim();
    const verdict = await verdictAfter('pkill -KILL -x cf-serverd; cd /; exec cf-serverd -K </dev/null >/dev/null 2>&1');
    expect(verdict.evidence).toContain(`(pid ${watched})`);
  });

  it('sees a daemon that cannot be reached under the package address any more', async () => {
    await atHome();
    const { reason } = await verdictAfter('ip address delete 10.9.0.100/24 dev eth0');
    // Whichever of those that need it looks next.
    const world = { daemon: 'alive', hasAddress: false, hasFileSystem: true, isOnlyOwner: true } as const;
    expect(layerNames.filter((name) => !layerOf(name).isGoodIn(world))).toContain(reason);
  });

  it('follows a restart that was announced, however short and in the middle of any work', async () => {
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
      await armed();
    }
    expect(used.drills.entries.slice(before).filter(({ what }) => what === 'service-died')).toEqual([]);
    expect(await verdictAfter('pkill -KILL -x cf-serverd'), 'the next one has no such leave').toMatchObject(ended);
  });

  everyStepIt('allows a restart no longer than was announced', async () => {
    await atHome();
    const announced = 'read -r up idle < /proc/uptime; p=$(pgrep -x cf-serverd); begun=$(cut -d " " -f 22 /proc/$p/stat)';
    const notice = 'echo "$p $begun $((${up%.*} + 3))" > /run/csync-restart-csync; kill -KILL $p';
    expect(await verdictAfter(`${announced}; ${notice}`)).toMatchObject({ reason: 'gone' });
  });

  it('sees that the policy file system cannot be written to any more', async () => {
    await atHome();
    expect(await verdictAfter('mount -o remount,ro /csync')).toMatchObject({ reason: 'storage' });
    expect(await must('m2', 'grep " /csync " /proc/mounts')).toMatch(/ rw,/);
  });

  it('sees a disk that does not answer, waits for it no longer than its limit, and leaves no process behind', async () => {
    await atHome();
    // What opens a pipe that no process writes to waits as long as what reads a disk that hangs.
    const hang = 'rm /csync/dsau/csync.sentinel; mkfifo /csync/dsau/csync.sentinel';
    const failed = `n=$(grep -c "monitor: failed" ${log}); ${hang}; until [ "$(grep -c "monitor: failed" ${log})" -gt $n ]; do :; done; rm -f /csync/dsau/csync.sentinel`;
    expect(await verdictAfter(failed)).toMatchObject({ reason: 'storage' });
    expect((await on('m1', 'pgrep -af "csync-[f]ile-reader|csync-[f]ront"')).stdout).toBe('');
  });

  const layers = () => Object.values(layerSchedules(used.lab.spec.settings)).filter((one) => one !== null).length;
  /** The monitor that runs now has probed each layer, and is notified when the daemon exits. */
  const settled = () =>
    eventually(
      'the monitor to have probed each layer',
      async () => {
        const now = await state();
        const isIt = (await on('m1', 'pgrep -f "[c]sync-monitor.cjs"')).stdout.split('\n').includes(String(now?.pid));
        return isIt && now?.endIsEvent === true && Object.keys(now.layers).length === layers();
      },
      20_000,
    );

  it('warns of a policy file system that another one has written to, and the package stays', async () => {
    await atHome();
    await settled();
    const sentinel = '/csync/dsau/csync.sentinel';
    type Report = { condition: string; members: { seen: { monitor: MonitorState } }[]; advice: object[] };
    const status = async () => {
      const { condition, members, advice } = await json<Report>('status');
      return [condition, members[0]?.seen.monitor.layers.content?.result, advice.length];
    };
    const found = (result: string) => async () => (await state())?.layers.content?.result === result;
    const lines = async (outcome: 'bad' | 'good') =>
      Number((await on('m1', `grep -c "monitor: .* \\[layer-${outcome}\\] .*layer=content" ${log}`)).stdout);
    const before = [await lines('bad'), await lines('good')] as const;
    const repaired = await broken(
      'm1',
      `cp ${sentinel} /tmp/kept; echo '{"epoch":99,"member":"m3","at":"now"}' > ${sentinel}`,
      `cp /tmp/kept ${sentinel}`,
    );
    // The state has each look; the log has a line when it was so often enough in a row.
    await eventually('the warning', async () => (await lines('bad')) > before[0]);
    await eventually('its state', found('bad'));
    expect(await status()).toEqual(['serving', 'bad', 1]);
    await repaired();
    await eventually('the end of it', async () => (await lines('good')) > before[1]);
    await eventually('its state', found('good'));
    expect(await status()).toEqual(['serving', 'good', 0]);
    expect([await lines('bad'), await lines('good')], 'a line each').toEqual(before.map((count) => count + 1));
    expect((await used.drills.view()).owner).toBe('m1');
  });

  it('writes to a file what it sees, and what its verdict was', async () => {
    await atHome();
    await settled();
    const calm = await state();
    expect(calm).toMatchObject({ member: 'm1', endIsEvent: true, paused: false, verdict: null });
    expect(Object.values(calm?.layers ?? {}).map(({ result }) => result)).toEqual(Array.from({ length: layers() }, () => 'good'));
    const verdict = await verdictAfter('pkill -KILL -x cf-serverd');
    expect(verdict).toMatchObject(ended);
    expect(await must('m1', `grep "monitor: failed \\[verdict\\]" ${log} | tail -1`), 'the same in the log').toContain(
      verdict.sentence,
    );
  });

  it('checks whether the daemon exited where nothing notifies it', async () => {
    const front = (await must('m1', 'echo /usr/local/cmcluster/conf/csync/sets/*/csync-front.pl')).trim();
    await broken('m1', `mv ${front} /tmp/front`, `mv /tmp/front ${front}`);
    await atHome();
    await eventually('the monitor to say so', async () => (await state())?.endIsEvent === false);
    expect(await verdictAfter('pkill -KILL -x cf-serverd')).toMatchObject(ended);
  });

  everyStepIt('reaches no verdict for its own starvation', async () => {
    await atHome();
    const before = used.drills.entries.length;
    // Longer than a probe with its limit, and than the monitor may be unable to decide; the daemon is well all the while.
    await on('m1', 'pkill -STOP -f "[c]sync-monitor.cjs"; sleep 7; pkill -CONT -f "[c]sync-monitor.cjs"');
    const resumed = new Date().toISOString();
    const isOver = async (): Promise<boolean> =>
      Object.values((await state())?.layers ?? {}).filter(({ at, result }) => at > resumed && result === 'good').length ===
      layers();
    await eventually('a probe of each layer since', isOver, 60_000);
    expect(used.drills.entries.slice(before).filter((entry) => entry.what === 'service-died')).toEqual([]);
    expect(await used.drills.waitServed()).toBe('m1');
  });

  it('exits at once with 0 on SIGTERM', async () => {
    await atHome();
    const ended = await on(
      'm1',
      'env -i /usr/local/cmcluster/conf/csync/csync.sh monitor & p=$!; until grep -q csync-monitor /proc/$p/cmdline; do :; done; until grep -q "\\"pid\\": *$p," /run/csync-monitor-csync.json; do :; done; kill -TERM $p; wait $p; echo $?',
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
