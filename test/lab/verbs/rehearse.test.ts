/** Drills in the lab, the page's numbers against the kernel's own, and the safe mode on a member. */
import { describe, expect, it } from 'vitest';
import { drillNamed, drills } from '../../../src/rehearsal/drill-table.ts';
import { labGround } from '../../../src/rehearsal/lab-ground.ts';
import type { Rehearsal } from '../../../src/rehearsal/model.ts';
import { runDrill } from '../../../src/rehearsal/runner.ts';
import { eventually, everyStep, everyStepIt } from '../../support.ts';
import { reported, serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe.skipIf(whyNoLab !== null)('csync rehearse in the lab', { timeout: 900_000 }, () => {
  const used = useLab('rehearse', { deployed: true });
  const { sh, must, json, broken } = typedIn(used);
  const drill = async (name: string) => {
    const row = drillNamed(name);
    if (row === undefined) throw new Error(`no drill ${name}`);
    return runDrill(row, labGround(used.drills, pause), () => {});
  };
  /** Times at which the kernel told that the package address came or went, by member. */
  const monitor = (member: string) =>
    must(
      member,
      // It has begun when its socket has joined the group.
      "ip -ts monitor address > /tmp/rehearse-monitor 2>&1 < /dev/null & p=$!; until awk -v p=$p '$3 == p && $4 !~ /^0*$/ { found = 1 } END { exit !found }' /proc/net/netlink; do kill -0 $p || exit 1; done",
    );
  const kernelTimes = async (member: string): Promise<{ at: number; what: string }[]> => {
    const { stdout } = await sh(member, 'cat /tmp/rehearse-monitor');
    let at = Number.NaN;
    return stdout.split('\n').flatMap((line) => {
      const time = /^\[(\d{4}-\d\d-\d\dT[\d:.]+)\]/.exec(line)?.[1];
      if (time !== undefined) at = Date.parse(`${time.slice(0, 23)}Z`);
      if (!line.includes('10.9.0.100/')) return [];
      return [{ at, what: line.includes('Deleted') ? 'address-off' : 'address-on' }];
    });
  };

  /** One drill with the kernel's own tale beside it: how exact the report says it is, and how far off it was, in ms. */
  const measured = async () => {
    const owner = await used.drills.waitServed();
    for (const member of ['m1', 'm2', 'm3']) await monitor(member);
    const result = await drill('kill-daemon');
    expect(result).toMatchObject({ verdict: 'pass', from: owner, unclean: [], faults: [] });
    expect(result.to).not.toBe(owner);
    const zero = result.trace.find(({ kind }) => kind === 'fault')?.at ?? Number.NaN;
    const told = result.spans.filter(({ what }) => what === 'address');
    const off = told.find(({ member }) => member === owner)?.to ?? Number.NaN;
    // The package may have left that member a moment before the drill.
    const on = told.find(({ member, from }) => member === result.to && from > 0)?.from ?? Number.NaN;
    const kernel = async (member: string | null, word: string) =>
      eventually('the kernel to record it', async () => (await kernelTimes(member ?? '')).find(({ what }) => what === word));
    const differences = [
      zero + off - (await kernel(owner, 'address-off')).at,
      zero + on - (await kernel(result.to, 'address-on')).at,
    ];
    for (const member of ['m1', 'm2', 'm3']) await sh(member, 'pkill -x ip');
    const { exactness } = result;
    const shown = differences.map((ms) => ms.toFixed(1)).join(', ');
    console.warn(`address times less those of ip -ts monitor: ${shown} ms; said to be exact to ${exactness.toFixed(1)} ms`);
    return { exactness, worst: Math.max(...differences.map(Math.abs)) };
  };

  it("kill-daemon: the package moves, all is as before, and the times of the address are the kernel's within 20 ms", async () => {
    await serving(used);
    await used.drills.waitClients();
    let seen = await measured();
    // A machine that had no time to look says so itself; what it says holds in any case. It gets two more chances.
    for (let more = 2; seen.exactness > 20 && more > 0; more -= 1) {
      expect(seen.worst).toBeLessThanOrEqual(seen.exactness + 2);
      seen = await measured();
    }
    expect(seen.exactness).toBeLessThanOrEqual(20);
    expect(seen.worst).toBeLessThanOrEqual(20);
  });

  it('kill-monitor: the process that watches is found among those that start it', async () => {
    await serving(used);
    expect(await drill('kill-monitor')).toMatchObject({ verdict: 'pass', unclean: [], faults: [] });
  });

  everyStepIt('every drill passes and ends clean', async () => {
    await serving(used);
    for (const { name } of drills) expect(await drill(name), name).toMatchObject({ verdict: 'pass', unclean: [], faults: [] });
  });

  it('a drill in which no client may notice anything, and one that is not begun with a switch off', async () => {
    // A move a moment ago would be noticed.
    const owner = await used.drills.waitServed();
    await serving(used, owner);
    await used.drills.waitClients();
    expect(await drill('switch-off-on')).toMatchObject({ verdict: 'pass', outages: [], unclean: [] });
    await must('m1', 'cmmodpkg -d -n m3 csync');
    const refused = await drill('kill-daemon');
    expect(refused).toMatchObject({ verdict: 'fail', marks: [], faults: [expect.stringMatching(/\bm3\b/)] });
    expect(await used.drills.view(), 'nothing was done').toMatchObject({ owner, state: 'running' });
  });

  it('on a cluster over ssh: what a drill says was measured, and a watch that ends in the middle is no pass', async () => {
    await serving(used);
    const rehearse = async (more = '') => {
      const words = 'rehearse --drill kill-daemon --yes --json';
      const { drills: run } = reported<Rehearsal>(
        await sh('m1', `cd /root && ${more} exec node /opt/csync/csync.mjs ${words}`),
        words,
      );
      const [drill] = run;
      if (drill === undefined) throw new Error('no drill was run');
      return drill;
    };
    for (let round = 0; round < (everyStep ? 3 : 1); round += 1) {
      const owner = await used.drills.waitServed();
      const drill = await rehearse();
      expect(drill, drill.sentence).toMatchObject({ verdict: 'pass', from: owner, faults: [], unclean: [] });
      expect(drill.outages.length).toBeGreaterThan(0);
      const spans = (what: string) => drill.spans.filter((span) => span.what === what).map(({ member }) => member);
      expect(spans('mounted')).toEqual([owner, drill.to]);
      expect(spans('address')).toEqual([owner, drill.to]);
    }
    // The file of a watch is what is known of it.
    const blinded = await rehearse(
      '( n=0; until ls /run/csync-rehearsal-*m.at >/dev/null 2>&1; do n=$((n+1)); [ $n -lt 600 ] || exit 0; sleep 0.05; done; pid=$(pgrep -f "[/]proc/net/fib_trie") && kill -STOP $pid; sleep 60; kill -CONT $pid ) >/dev/null 2>&1 </dev/null & ',
    );
    expect(blinded).toMatchObject({ verdict: 'fail', faults: [expect.stringMatching(/\bm1: .*\b10 s\b/)] });
  });

  it('the safe mode: every member is ready; then each for its own reason is not, and why', async () => {
    await serving(used);
    const look = () => json<Rehearsal>('rehearse --html /tmp/ready.html');
    const sound = await look();
    expect(
      sound.ready?.members.map(({ member, verdict }) => `${member} ${verdict}`),
      sound.sentence,
    ).toEqual(['m1 ready', 'm2 ready', 'm3 ready']);
    expect([sound.exitCode, sound.verdict]).toEqual([0, 'pass']);
    expect((await sh('m1', 'grep -c "<svg" /tmp/ready.html')).exitCode).toBe(0);
    await broken('m2', 'chattr -i /csync 2>/dev/null; touch /csync/stale', 'rm /csync/stale');
    await must('m3', 'cmmodpkg -d -n m3 csync; pkill -x cf-serverd; while pgrep -x cf-serverd >/dev/null; do :; done');
    const broke = await look();
    expect([broke.exitCode, broke.verdict, broke.ready?.verdict]).toEqual([1, 'fail', 'fail']);
    const of = (member: string) => broke.ready?.members.find((ready) => ready.member === member);
    const bad = (member: string) => [...new Set(of(member)?.looks.flatMap(({ is, name }) => (is === 'bad' ? [name] : [])))];
    expect(broke.ready?.members.map(({ member, verdict }) => `${member} ${verdict}`)).toEqual([
      ...['m1 ready', 'm2 not ready', 'm3 not ready'],
    ]);
    expect(bad('m2')).toEqual(['check', 'validate', 'start --dry-run']);
    expect(bad('m3')).toEqual(['switching', 'daemon']);
  });
});
