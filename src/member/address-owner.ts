/** Whether another host of the subnet answers for the package address: by the probe of csync-arp.pl, and by the kernel's. */
import { type AddressState, addressStateIn } from '../base/network.ts';
import { arpProbeName } from '../contract/package-directory.ts';
import type { MemberHost } from '../host/host.ts';

export type OwnerLook =
  | { readonly kind: 'no other host' }
  | { readonly kind: 'foreign'; readonly card: string }
  | { readonly kind: 'unknown' | 'no perl'; readonly why: string };

const startMs = 500;

/** Returns within `listenMs` and 0.5 s. `directory`: of the set. */
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
  if (exitCode === 0) return { kind: 'no other host' };
  if (timedOut) return { kind: 'unknown', why: 'perl exceeded its time limit' };
  if (errorCode === 'ENOENT') return { kind: 'no perl', why: 'perl is missing' };
  return { kind: 'unknown', why: errorCode ?? (stderr.trim() || `perl exited with ${exitCode}`) };
}

export function ownerText(address: string, card: string): string {
  return `another host answers for ${address} as well (hardware address ${card}): clients may reach that host`;
}

/** For IPv6; IPv4 has no such states. */
export const addressState = (host: Pick<MemberHost, 'readText'>, address: string): AddressState =>
  addressStateIn(host.readText('/proc/net/if_inet6') ?? '', address);

export const duplicateText = (address: string): string =>
  `another host has ${address}, too: the kernel found it (duplicate address detection) and lets this member not use it`;
