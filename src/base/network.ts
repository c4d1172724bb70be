/** Addresses and subnets, by node:net: each member script would carry a library. */

import { BlockList, isIPv4, isIPv6, SocketAddress } from 'node:net';

export const isIpv4 = isIPv4;

/** Without a zone (fe80::1%eth0), which has a meaning on one host only. */
export function isIpv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

/** Impossible for a package: Serviceguard allows no link-local address [serviceguard.md 2.6], and the others belong to no single host. */
const noPackage = ['::/96', '::ffff:0:0/96', 'fe80::/10', 'ff00::/8'];

export const isPackageAddress = (text: string): boolean =>
  isIpv4(text) || (isIpv6(text) && !noPackage.some((subnet) => isInPrefix(text, subnet)));

/** As the kernel, ip(8) and cfengine print it; unchanged if it is no IPv6 address. */
export function plainAddress(text: string): string {
  return isIpv6(text) ? new SocketAddress({ family: 'ipv6', address: text }).address : text;
}

/** As /proc/net/if_inet6 writes an IPv6 address: 32 digits. */
export function hexOf(address: string): string {
  const [head = [], tail = []] = plainAddress(address)
    .split('::')
    .map((part) => part.split(':').map((group) => group.padStart(4, '0')));
  return [...head, ...Array<string>(8 - head.length - tail.length).fill('0000'), ...tail].join('');
}

/** null: on no interface, or the kernel has no IPv6. */
export type AddressState = 'usable' | 'tentative' | 'duplicate' | null;

const dadFailed = 0x08;
const tentative = 0x40;

/** Reads /proc/net/if_inet6: `fd09...0100 02 40 00 c0 eth0`, with flags before the interface [if_addr.h]. */
export function addressStateIn(text: string, address: string): AddressState {
  const digits = hexOf(address);
  const line = text.split('\n').find((one) => one.startsWith(digits));
  if (line === undefined) return null;
  const flags = Number.parseInt(line.split(/\s+/)[4] ?? '', 16);
  return (flags & dadFailed) !== 0 ? 'duplicate' : (flags & tentative) !== 0 ? 'tentative' : 'usable';
}

/** Option of ip(8) for an address or subnet. */
export const familyOption = (address: string): '-4' | '-6' => (address.includes(':') ? '-6' : '-4');

/** Reads `BASE/LENGTH` of IPv6. null: other text. */
export function prefixOf(subnet: string): { readonly base: string; readonly length: number } | null {
  const [base = '', digits = '', ...more] = subnet.split('/');
  return more.length === 0 && isIpv6(base) && /^[1-9]\d{0,2}$/.test(digits) && Number(digits) <= 128
    ? { base: plainAddress(base), length: Number(digits) }
    : null;
}

/** Serviceguard takes an IPv6 subnet with and without its length [serviceguard.md 2.6]. */
export function isSameSubnet(one: string, other: string): boolean {
  const base = (subnet: string): string => plainAddress(subnet.split('/')[0] ?? '');
  return base(one) === base(other);
}

/** `subnet`: BASE/LENGTH of IPv6. */
export function isInPrefix(address: string, subnet: string): boolean {
  const prefix = prefixOf(subnet);
  if (prefix === null || !isIpv6(address)) return false;
  const list = new BlockList();
  list.addSubnet(prefix.base, prefix.length, 'ipv6');
  return list.check(address, 'ipv6');
}

/** The IPv4 network of an address; null: no address, or no prefix length. */
export function networkOf(address: string, prefixLength: number): string | null {
  if (!isIpv4(address) || !Number.isInteger(prefixLength) || prefixLength < 0 || prefixLength > 32) return null;
  const size = 2 ** (32 - prefixLength);
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const network = number - (number % size);
  return [24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256).join('.');
}

export function shortName(name: string): string {
  return name.split('.')[0] ?? name;
}

/** `uname -n`, csync.yaml and the engine may spell a host differently. */
export function isSameHost(one: string, other: string): boolean {
  return shortName(one).toLowerCase() === shortName(other).toLowerCase();
}
