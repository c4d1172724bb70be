/** Hostile clients against the real daemon: the master stays, and in any case at most one member is switched off. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseMonitorState } from '../../../src/contract/monitor-state.ts';
import { eventually, everyStep, repository } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const log = '/usr/local/cmcluster/run/log/csync.log';
const members = ['m1', 'm2', 'm3'] as const;
const hostile = readFileSync(join(repository, 'scripts/bench/comparison/hostile-client.cjs'), 'utf8');

interface Seen {
  readonly made: number;
  readonly held: number;
  readonly ended: number;
}

describe.skipIf(whyNoLab !== null)('overload in the lab', { timeout: 300_000 }, () => {
  const used = useLab('overload', { deployed: true });
  const { sh, must, json } = typedIn(used);
  const stateOn = async (member: string) => parseMonitorState((await sh(member, 'cat /run/csync-monitor-csync.json')).stdout);
  const daemonOn = async (member: string) => (await sh(member, 'pgrep -o -x cf-serverd')).stdout.trim();

  /** A thread for each connection that counts, those of the probes among them. */
  const threadsOf = async (pid: string) => Number((await sh('m1', `sed -n 's/^Threads:\\s*//p' /proc/${pid}/status`)).stdout);
  const fewThreads = 20;

  /** As an ordinary user of that host. */
  async function attack(host: string, count: number, seconds: number, kind: string): Promise<Seen> {
    const argv = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', used.lab.spec.settings.nodePath];
    const words = ['-e', hostile, '--', '10.9.0.100', '5308', String(count), String(seconds), kind];
    const ended = await used.lab.exec(host, [...argv, ...words], { timeoutMs: 120_000 });
    expect(ended.exitCode, ended.stderr).toBe(0);
    return JSON.parse(ended.stdout) as Seen;
  }

  /** How long a client was without a master each time, in ms. */
  function lossesOf(client: string, mark: number): number[] {
    const seen = used.drills.entries.slice(mark).filter(({ member, kind }) => member === client && kind === 'seen');
    return seen.flatMap(({ what, at, sinceMs = 0 }, index) => {
      const back = seen.slice(index).find((entry) => entry.what === 'client-served');
      return what === 'client-lost' ? [(back?.at ?? Number.POSITIVE_INFINITY) - at + sinceMs] : [];
    });
  }

  const switchedOff = async () => [...(await used.drills.view()).switching].flatMap(([member, isOn]) => (isOn ? [] : [member]));

  /** The monitor there watches the daemon that runs there now. */
  const armed = (member: string) =>
    eventually(`the monitor on ${member} to be armed`, async () => {
      const [state, daemon] = [await stateOn(member), await daemonOn(member)];
      return daemon !== '' && state?.verdict === null && state.watching?.includes(`(pid ${daemon})`) === true;
    });

  /** The package serves from m1 since a moment, with a brake that knows of no failover, and its clients know it. */
  beforeEach(async () => {
    await serving(used);
    await must('m1', 'cmhaltpkg csync && cmrunpkg -n m1 csync && cmmodpkg -e csync');
    await used.drills.waitClients();
    await armed('m1');
  });

  /** The most that one host makes; the limit of a host counts the other kinds as these. */
  const kinds: readonly (readonly [kind: string, count: number])[] = [
    ['idle', 600],
    ['idle', 250],
    ['byte', 250],
    ['half', 250],
    ['hello', 250],
    ['slow', 250],
  ];
  it.each(everyStep ? kinds : kinds.slice(0, 1))(
    '%s connections, %i of one client, leave the master to the others',
    async (kind, count) => {
      const daemon = await daemonOn('m1');
      const mark = used.drills.entries.length;
      const attacked = attack('c1', count, 6, kind);
      const threads: number[] = [];
      for (let isOver = false; !isOver; ) {
        threads.push(await threadsOf(daemon));
        isOver = (await Promise.race([attacked, null])) !== null;
      }
      expect((await attacked).made).toBeGreaterThan(count / 2);
      expect([await daemonOn('m1'), (await used.drills.view()).owner, await switchedOff()]).toEqual([daemon, 'm1', []]);
      // What the kernel holds for a connection that the daemon has not taken yet costs it nothing.
      expect(Math.max(...threads)).toBeLessThan(fewThreads);
      await used.drills.waitClients();
      for (const ms of lossesOf('c2', mark)) expect(ms).toBeLessThan(10_000);
    },
  );

  it('connections from every client, made again and again, end no daemon', async () => {
    const daemon = await daemonOn('m1');
    const seen = await Promise.all(['c1', 'c2'].map((client) => attack(client, 300, 8, 'flood')));
    for (const { made } of seen) expect(made).toBeGreaterThan(300);
    expect([await daemonOn('m1'), (await used.drills.view()).owner, await switchedOff()]).toEqual([daemon, 'm1', []]);
    await used.drills.waitClients();
  });

  /** A policy of an administrator's own that lets every host have any number, or one from the time when csync did not limit it. */
  async function withoutLimit(is: boolean): Promise<void> {
    const file = '/var/lib/cfengine3/inputs/controls/cf_serverd.cf';
    const edit = is
      ? `cp -p ${file} /root/limited && sed -i '/allowallconnects/,/};/c\\  allowallconnects => { "0.0.0.0/0" };' ${file}`
      : `cp -p /root/limited ${file}`;
    for (const member of members) expect((await sh(member, `${edit} && pkill -HUP -x cf-serverd`)).exitCode).toBe(0);
  }

  it('where one host may have any number, a daemon that ends itself is restarted in place: at most one member is switched off', async () => {
    await withoutLimit(true);
    const logged = Number((await must('m1', `wc -l < ${log}`)).trim());
    try {
      const daemon = await daemonOn('m1');
      await eventually(
        'the daemon to end itself',
        async () => {
          await attack('c1', 600, 3, 'idle');
          return (await daemonOn('m1')) !== daemon;
        },
        60_000,
      );
      await attack('c1', 600, 10, 'idle');
      const ended = performance.now();
      await used.drills.waitClients();
      expect(performance.now() - ended).toBeLessThan(10_000);
      // A daemon that is up and silent may move the package once; the next member keeps it while the load lasts.
      expect((await switchedOff()).length).toBeLessThan(2);
      // Who did it is named.
      expect(await must('m1', `tail -n +${logged + 1} ${log} | grep -F '[brake-on]'`)).toMatch(/\b10\.9\.0\.21\b/);
    } finally {
      await withoutLimit(false);
    }
    if ((await used.drills.view()).owner === 'm1') return;
    await must('m1', 'cmmodpkg -e -n m1 csync; cmhaltpkg csync; cmrunpkg -n m1 csync; cmmodpkg -e csync');
    await used.drills.waitClients();
  });

  it('a daemon that dies again right after a failover is restarted there; with everybody switched on it moves', async () => {
    await used.drills.killDaemon('m1');
    expect(await used.drills.waitServed('m1')).toBe('m2');
    await used.drills.waitClients();
    for (let time = 0; time < 3; time += 1) {
      const before = await daemonOn('m2');
      await used.drills.killDaemon('m2');
      await eventually('another daemon on m2', async () => !['', before].includes(await daemonOn('m2')));
      await armed('m2');
    }
    await used.drills.waitClients();
    expect([(await used.drills.view()).owner, await switchedOff()]).toEqual(['m2', ['m1']]);
    const toCome = expect.stringContaining('cmmodpkg -e -n m1 csync');
    expect((await stateOn('m2'))?.brake).toEqual(toCome);
    type Report = { members: { member: string; seen: { monitor: { brake: string } } }[] };
    expect((await json<Report>('status', 'm2')).members[1]).toMatchObject({ member: 'm2', seen: { monitor: { brake: toCome } } });
    await used.lab.exec('m1', ['cmmodpkg', '-e', '-n', 'm1', 'csync']);
    await used.drills.killDaemon('m2');
    expect(await used.drills.waitServed('m2')).toBe('m1');
  });

  it('the last member that is switched on keeps the package', async () => {
    await used.lab.exec('m1', ['cmhaltpkg', 'csync']);
    for (const member of ['m2', 'm3']) await used.lab.exec('m1', ['cmmodpkg', '-d', '-n', member, 'csync']);
    await used.lab.exec('m1', ['cmmodpkg', '-e', 'csync']);
    expect(await used.drills.waitServed()).toBe('m1');
    await armed('m1');
    const before = await daemonOn('m1');
    await used.drills.killDaemon('m1');
    await eventually('another daemon on m1', async () => !['', before].includes(await daemonOn('m1')));
    await used.drills.waitClients();
    expect((await used.drills.view()).owner).toBe('m1');
    expect((await stateOn('m1'))?.brake).toMatch(/cmmodpkg -e -n m2 csync\b.*cmmodpkg -e -n m3 csync\b/);
  });
});
