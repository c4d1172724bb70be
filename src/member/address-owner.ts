/** Who else answers for the package address on its subnet; csync-arp.pl asks. */
import { arpProbeName } from '../contract/package-directory.ts';
import type { MemberHost } from '../host/host.ts';

export type OwnerLook =
  | { readonly kind: 'nobody else' }
  /** Hardware address of the card that answered. */
  | { readonly kind: 'foreign'; readonly card: string }
  | { readonly kind: 'cannot tell' | 'no perl'; readonly why: string };

/** Beyond the time that is listened: perl has to start. */
const startMs = 500;

/** Never waits longer than `listenMs` and half a second. `directory`: of the member scripts. */
export async function foreignOwner(
  host: Pick<MemberHost, 'run'>,
  directory: string,
  address: string,
  listenMs: number,
): Promise<OwnerLook> {
  const { exitCode, timedOut, errorCode, stdout, stderr } = await host.run(
    ['perl', `${directory}/${arpProbeName}`, address, String(listenMs)],
    listenMs + startMs,
  );
  const [card = ''] = stdout.split('\n');
  if (/^[0-9a-f:]{17}$/.test(card)) return { kind: 'foreign', card };
  if (exitCode === 0) return { kind: 'nobody else' };
  if (timedOut) return { kind: 'cannot tell', why: 'perl exceeded its time limit' };
  if (errorCode === 'ENOENT') return { kind: 'no perl', why: 'perl is missing' };
  return { kind: 'cannot tell', why: errorCode ?? (stderr.trim() || `perl exited with ${exitCode}`) };
}

/** For the log. */
export function ownerText(address: string, card: string): string {
  return `another host answers for ${address} as well (hardware address ${card}): clients may reach that host`;
}
