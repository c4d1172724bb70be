/**
 * The question behind every step of a verb: could the package fail over right now? It is asked by doing it. The daemon of the active
 * member is killed, and another member has to serve within the bound; then the switch of the first one is put back. During
 * maintenance a killed daemon moves nothing, on purpose: there the power of the active member is cut.
 */
import { expect } from 'vitest';
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
  /** The member that serves afterwards. */
  readonly to: string;
  readonly milliseconds: number;
}

/** `when` is said where no other member serves. */
export async function auditFailover({ lab, drills }: Audited, when: string): Promise<Audit> {
  const from = await drills.waitServed();
  const fault = (await lab.exec(from, ['ls', `${packageDirectory}/csync.debug`])).exitCode === 0 ? 'crash' : 'kill';
  if (fault === 'crash') await lab.ask({ verb: 'crash', member: from });
  else {
    const killed = await lab.exec(from, ['pkill', '-KILL', '-x', daemonName]);
    expect(killed.exitCode, `${when}: there was no ${daemonName} on ${from}`).toBe(0);
  }
  const began = performance.now();
  const served = async (): Promise<string | null> => {
    const { owner, status, state } = await drills.view();
    return owner !== null && owner !== from && status === 'up' && state === 'running' ? owner : null;
  };
  const to = await eventually('another member to serve', served, boundMs).catch(async (cause: unknown) => {
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
    throw new Error(`${when}: no other member serves ${boundMs} ms after a ${fault} on ${from}\n${logs.join('')}`, { cause });
  });
  const milliseconds = Math.round(performance.now() - began);
  await drills.repair(fault, from);
  await eventually('the daemon there', async () => (await lab.exec(from, ['pgrep', '-x', daemonName])).exitCode === 0, 20_000);
  const isUp = async () => memberStates((await lab.exec(to, ['cmviewcl', '-v', '-f', 'line'])).stdout).get(from) === 'up';
  await eventually(`${from} in the cluster`, isUp, 20_000);
  return { to, milliseconds };
}
