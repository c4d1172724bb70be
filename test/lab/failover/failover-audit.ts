/**
 * The question behind every step of a verb: could the package fail over right now? It is asked by doing it. The daemon of the active
 * member is killed, and another member has to serve within the bound; then the switch of the first one is put back. During
 * maintenance a killed daemon moves nothing, on purpose: there the power of the active member is cut. Right behind another failover
 * the brake has the same member serve again.
 */
import { expect } from 'vitest';
import { parsePromotion, promotionFile } from '../../../src/contract/handover.ts';
import { memberStates } from '../../../src/engine/serviceguard/status.ts';
import type { LabHandle } from '../../../src/lab/handle.ts';
import type { PackageDrills } from '../../../src/lab/trials/package-drills.ts';
import { eventually } from '../../support.ts';

/** Another member serves by then. */
const boundMs = 10_000;
const daemonName = 'cf-serverd';
const packageDirectory = '/usr/local/cmcluster/conf/csync';

interface Audited {
  readonly lab: LabHandle;
  readonly drills: PackageDrills;
}

export interface Audit {
  /** The member that serves afterwards; braked: the same. */
  readonly to: string;
  readonly milliseconds: number;
}

const pids = async ({ lab }: Audited, member: string): Promise<string> =>
  (await lab.exec(member, ['pgrep', '-x', daemonName])).stdout.trim();

/** A second failover in quick succession: the package came from a member that is disabled since, so the brake restarts the daemon in place. */
async function isBraked({ lab, drills }: Audited, owner: string): Promise<boolean> {
  const { stdout } = await lab.exec(owner, ['cat', promotionFile(drills.packageName)]);
  const cameFrom = parsePromotion(stdout)?.failover?.from;
  return cameFrom !== undefined && (await drills.view()).switching.get(cameFrom) === false;
}

/** `when` is said where no other member serves. */
export async function auditFailover(audited: Audited, when: string): Promise<Audit> {
  const { lab, drills } = audited;
  const from = await drills.waitServed();
  const fault = (await lab.exec(from, ['ls', `${packageDirectory}/csync.debug`])).exitCode === 0 ? 'crash' : 'kill';
  const killedPids = fault === 'kill' && (await isBraked(audited, from)) ? await pids(audited, from) : null;
  if (fault === 'crash') await lab.ask({ verb: 'crash', member: from });
  else {
    const killed = await lab.exec(from, ['pkill', '-KILL', '-x', daemonName]);
    expect(killed.exitCode, `${when}: there was no ${daemonName} on ${from}`).toBe(0);
  }
  const began = performance.now();
  const served = async (): Promise<string | null> => {
    const { owner, status, state } = await drills.view();
    if (killedPids !== null) {
      const now = await pids(audited, from);
      return owner === from && now !== '' && now !== killedPids ? from : null;
    }
    return owner !== null && owner !== from && status === 'up' && state === 'running' ? owner : null;
  };
  const to = await eventually(
    killedPids === null ? 'another member to serve' : 'the same member to serve again',
    served,
    boundMs,
  ).catch(async (cause: unknown) => {
    const logs = await Promise.all(
      drills.members.map(async (member) => {
        const { stdout } = await lab.exec(member, [
          'sh',
          '-c',
          `tail -n 8 /usr/local/cmcluster/run/log/${drills.packageName}.log`,
        ]);
        return `--- ${member}\n${stdout}`;
      }),
    );
    throw new Error(`${when}: no member serves ${boundMs} ms after a ${fault} on ${from}\n${logs.join('')}`, { cause });
  });
  const milliseconds = Math.round(performance.now() - began);
  await drills.repair(fault, from);
  await eventually('the daemon there', async () => (await pids(audited, from)) !== '', 20_000);
  const isUp = async () => memberStates((await lab.exec(to, ['cmviewcl', '-v', '-f', 'line'])).stdout).get(from) === 'up';
  await eventually(`${from} in the cluster`, isUp, 20_000);
  return { to, milliseconds };
}
