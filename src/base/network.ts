/** Arithmetic of IPv4 addresses and subnets, for csync and the member scripts: no library, since each member script would carry it. */

/** Whether a text is four decimal numbers of an IPv4 address, and nothing else. */
export function isIpv4(text: string): boolean {
  return /^(?:(?:0|[1-9]\d{0,2})(?:\.(?!$)|$)){4}$/.test(text) && text.split('.').every((part) => Number(part) <= 255);
}

/** The network address of the subnet an address lies in; null: that is no address, or no length of a prefix. */
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

/** Whether two names of members mean the same host: `uname -n`, csync.yaml and the engine may each spell it differently. */
export function isSameHost(one: string, other: string): boolean {
  return shortName(one).toLowerCase() === shortName(other).toLowerCase();
}
