/**
 * The question behind every step of a verb: could the package fail over right now? It is asked by doing it. The daemon of the active
 * member is killed, and another member has to serve within the bound; then the switch of the first one is put back.
 */
import { expect } from 'vitest';
import type { LabHandle } from '../../src/lab/handle.ts';
import type { PackageDrills } from '../../src/lab/trials/package-drills.ts';
import { eventually } from '../support.ts';

/** Another member serves by then. */
const boundMs = 10_000;

interface Audited {
  readonly lab: LabHandle;
  readonly drills: PackageDrills;
}

/** The member that serves afterwards. `when` is said where it does not come. */
export async function auditFailover({ lab, drills }: Audited, when: string): Promise<string> {
  const from = await drills.waitServed();
  const { daemonName, packageName } = { daemonName: 'cf-serverd', packageName: drills.packageName };
  const killed = await lab.exec(from, ['pkill', '-KILL', '-x', daemonName]);
  expect(killed.exitCode, `${when}: there was no ${daemonName} on ${from}`).toBe(0);
  const began = performance.now();
  const served = async (): Promise<string | null> => {
    const { owner, status, state } = await drills.view();
    return owner !== null && owner !== from && status === 'up' && state === 'running' ? owner : null;
  };
  const to = await eventually('another member to serve', served, boundMs).catch(async (cause: unknown) => {
    const logs = await Promise.all(
      drills.members.map(async (member) => {
        const { stdout } = await lab.exec(member, ['sh', '-c', `tail -n 8 /usr/local/cmcluster/run/log/${packageName}.log`]);
        return `--- ${member}\n${stdout}`;
      }),
    );
    throw new Error(`${when}: no other member serves ${boundMs} ms after the daemon of ${from} was killed\n${logs.join('')}`, {
      cause,
    });
  });
  console.log(`${when}: ${from} -> ${to} in ${Math.round(performance.now() - began)} ms`);
  await drills.repair('kill', from);
  await eventually('the daemon that was killed', async () => (await lab.exec(from, ['pgrep', '-x', daemonName])).exitCode === 0);
  return to;
}
