/**
 * While there is no master, clients go on with the policy they have: the real cf-agent, update and policy, its exit status and
 * time, and the files it has. Times are printed, for docs/explanation/no-master.md; only what the configured time limits allow is asserted.
 */
import { describe, expect, it } from 'vitest';
import { everyStep, everyStepIt } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const inputs = '/var/lib/cfengine3/inputs';
/** update.cf stops connecting after 10 s, and a receive after six times that [cfengine.md 2.8]. */
const mostSeconds = 90;

describe.skipIf(whyNoLab !== null)('clients while the package is down', { timeout: 600_000 }, () => {
  const used = useLab('package-down', { deployed: true });
  const { sh, must, broken } = typedIn(used);
  const address = '10.9.0.100';

  /** Each file with contents, inode and both times. */
  const files = async (client: string) =>
    (
      await sh(
        client,
        `cd ${inputs} && find . -type f -printf '%p %i %T@ %C@ %m\\n' | sort; find . -type f -exec sha256sum {} + | sort`,
      )
    ).stdout;

  /** A client has one connection: the agent was refused, because the probe of the lab had it. */
  const besideProbe = /Failed to establish TLS connection/;

  /** Update and policy, as a client's cf-execd runs them, so many times; a run whose output matches `without` does not count. */
  async function runs(client: string, count: number, without?: RegExp): Promise<{ seconds: number[]; said: string }> {
    const seconds: number[] = [];
    let said = '';
    while (seconds.length < count) {
      const { stdout, exitCode } = await sh(
        client,
        `began=$(date +%s%3N); cf-agent -K -f update.cf >/tmp/said 2>&1; echo "status $?"; cf-agent -K >>/tmp/said 2>&1; echo "status $?"; echo "ms $(($(date +%s%3N) - began))"; cat /tmp/said`,
      );
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^status 0\nstatus 0\nms \d+\n/);
      if (without?.test(stdout)) continue;
      seconds.push(Number(/^ms (\d+)$/m.exec(stdout)?.[1]) / 1000);
      said = stdout;
    }
    for (const one of seconds) expect(one).toBeLessThan(mostSeconds);
    return { seconds: seconds.sort((a, b) => a - b), said };
  }

  async function keepsItsPolicy(situation: string, count: number, complaint: RegExp, without?: RegExp): Promise<void> {
    await used.drills.waitAgents();
    const before = await files('c1');
    expect(before).toMatch(/promises\.cf/);
    const { seconds, said } = await runs('c1', count, without);
    expect(said).toMatch(complaint);
    expect(await files('c1'), situation).toBe(before);
    const median = seconds[Math.floor(count / 2)] ?? Number.NaN;
    console.info(
      `${situation}: update and policy took ${median.toFixed(2)} s (median of ${count}; ${seconds[0]} to ${seconds.at(-1)})`,
    );
  }

  it('with a master: nothing to do takes no time', async () => {
    await serving(used);
    await used.drills.publishAndFetch();
    await runs('c1', 1);
    await keepsItsPolicy('package up', everyStep ? 5 : 1, /ms \d+\n$/, besideProbe);
  });

  it('halted: no member has the address', async () => {
    await serving(used);
    await must('m1', 'cmhaltpkg csync');
    await keepsItsPolicy('address nowhere', everyStep ? 5 : 1, /No suitable server found/);
  });

  /** The package is halted, and m2 has its address; no daemon listens there. */
  const withoutDaemon = async (): Promise<() => Promise<void>> => {
    await serving(used);
    await must('m1', 'cmhaltpkg csync');
    const repaired = await broken(
      'm2',
      `pkill -x cf-serverd; while pgrep -x cf-serverd >/dev/null; do :; done; ip addr add ${address}/24 dev eth0`,
      // A member whose cable was pulled has booted meanwhile.
      `ip addr del ${address}/24 dev eth0 2>/dev/null; true`,
    );
    await must('c1', `ip neigh flush ${address}; ping -c 1 -W 5 ${address}`);
    return repaired;
  };

  it('the address without a daemon', async () => {
    const repaired = await withoutDaemon();
    await keepsItsPolicy('address without a daemon', everyStep ? 5 : 1, /No suitable server found/);
    await repaired();
  });

  everyStepIt('packets to the address are lost', async () => {
    await withoutDaemon();
    const card = (await must('m2', 'cat /sys/class/net/eth0/address')).trim();
    // A neighbour that is known: no packet shows that the cable is cut.
    await broken('c1', `ip neigh replace ${address} lladdr ${card} nud permanent dev eth0`, `ip neigh del ${address} dev eth0`);
    await used.lab.ask({ verb: 'cut', member: 'm2' });
    await keepsItsPolicy('packets dropped', everyStep ? 3 : 1, /No suitable server found/);
    await used.lab.ask({ verb: 'heal', member: 'm2' });
  });

  it('the package runs again, on another member: new policy arrives', async () => {
    await serving(used);
    await must('m1', 'cmhaltpkg csync; cmrunpkg -n m3 csync');
    expect(await used.drills.waitServed()).toBe('m3');
    const before = await files('c1');
    await used.drills.publishAndFetch();
    expect(await files('c1')).not.toBe(before);
    await used.lab.exec('m1', ['cmmodpkg', '-e', 'csync']);
    expect(await used.drills.invariants()).toEqual([]);
  });
});
