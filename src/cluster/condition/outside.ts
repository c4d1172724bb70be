/**
 * Which host the other members reach at the package address: the proof of a start succeeds on its own member even if all others reach
 * another host. A datagram makes each member's kernel resolve the address; its neighbour table then has the hardware address. Pure.
 */
import { familyOption, isIpv6 } from '../../base/network.ts';

export interface AddressView {
  readonly cards: readonly string[];
  /** Hardware address that it sends to. null: unknown, or its own address. */
  readonly behind: string | null;
}

const noHost = 'none';

/** 0.5 s in total. */
const tries = 10;

/** Prints `address 1` where the shell test `isLocal` succeeds, and the input of readAddressView. */
export function addressViewLines(address: string, isLocal: string): string[] {
  return [
    "echo \"cards $(cat /sys/class/net/*/address 2>/dev/null | sort -u | tr '\\n' ' ')\"",
    // Port 9: discard. A table without the host (behind a router) proves nothing.
    `if ${isLocal}; then echo 'address 1'; elif bash --norc -c 'echo > /dev/udp/${address}/9' 2>/dev/null; then`,
    `  tries=0; behind=${noHost}`,
    `  while [ "$behind" = ${noHost} ] && [ $tries -lt ${tries} ]; do`,
    '    [ $tries = 0 ] || sleep 0.05',
    '    tries=$((tries + 1)); behind=',
    ...(isIpv6(address) ? neighbourLines(address) : arpLines(address)),
    '  done',
    '  echo "behind $behind"',
    'fi',
  ];
}

const arpLines = (address: string): string[] => [
  '    while read -r host _ flags card _; do',
  `      [ "$host" = ${address} ] || continue`,
  `      if [ "$flags" != 0x0 ]; then behind=$card; elif [ -z "$behind" ]; then behind=${noHost}; fi`,
  '    done < /proc/net/arp',
];

/** /proc has no IPv6 neighbours. `ADDRESS dev eth0 lladdr 02:00:0a:09:00:0b REACHABLE`; without a host `ADDRESS dev eth0 INCOMPLETE`. */
const neighbourLines = (address: string): string[] => [
  `    found=$(ip -6 neigh show to ${address} 2>/dev/null)`,
  `    case $found in *lladdr*) behind=\${found##*lladdr }; behind=\${behind%% *} ;; *INCOMPLETE* | *FAILED*) behind=${noHost} ;; esac`,
];

const cardPattern = /^[0-9a-f]{2}(:[0-9a-f]{2})+$/;

/** Reads the lines `cards` and `behind`. */
export function readAddressView(cards: string | undefined, behind: string | undefined): AddressView {
  const found = behind?.trim() ?? '';
  return {
    // Not the loopback interface's, which every host has.
    cards: (cards ?? '').split(/\s+/).filter((card) => cardPattern.test(card) && /[1-9a-f]/.test(card)),
    behind: found === noHost || cardPattern.test(found) ? found : null,
  };
}

export interface Witness {
  readonly member: string;
  /** null: no answer. A member that has the address proves nothing. */
  readonly seen: { readonly address: boolean; readonly view: AddressView } | null;
}

export interface OutsideView {
  readonly reached: readonly string[];
  /** Members that reach another host: its member name or hardware address. */
  readonly misled: readonly { readonly member: string; readonly who: string }[];
  readonly lost: readonly string[];
  readonly blind: readonly string[];
}

/** What other members find at the address while the package runs on `owner`. */
export function outsideView(witnesses: readonly Witness[], owner: string): OutsideView {
  const own = witnesses.find(({ member }) => member === owner)?.seen?.view.cards ?? [];
  const reached: string[] = [];
  const misled: { member: string; who: string }[] = [];
  const lost: string[] = [];
  const blind: string[] = [];
  for (const { member, seen } of witnesses) {
    if (member === owner || seen === null || seen.address) continue;
    const { behind } = seen.view;
    if (behind === null || own.length === 0) blind.push(member);
    else if (behind === noHost) lost.push(member);
    else if (own.includes(behind)) reached.push(member);
    else {
      const holder = witnesses.find((one) => one.seen?.view.cards.includes(behind))?.member;
      misled.push({ member, who: holder ?? `another host (hardware address ${behind})` });
    }
  }
  return { reached, misled, lost, blind };
}

/** No member reaches the active one. One member alone may have an old entry. */
export const reachesElsewhere = ({ reached, misled }: OutsideView): boolean => misled.length > 0 && reached.length === 0;

export function insteadText({ misled }: OutsideView): string {
  const who = [...new Set(misled.map((one) => one.who))].join(' and ');
  return `clients reach ${who} instead (seen from ${misled.map(({ member }) => member).join(', ')})`;
}

interface Advice {
  readonly text: string;
  readonly remedy: string;
}

/** Empty: a member reaches the active one, none another host. */
export function outsideAdvice(view: OutsideView, owner: string, address: string): Advice[] {
  const { reached, misled, lost, blind } = view;
  const announce = isIpv6(address)
    ? `on the other hosts: ip -6 neigh flush to ${address}   (else they notice it within a minute)`
    : `on ${owner}: arping -U -c 3 -I INTERFACE ${address}   (announces ${owner} to the network)`;
  const advice: Advice[] = [];
  if (misled.length > 0)
    advice.push({
      text: `${address} belongs to ${owner}, but ${insteadText(view)}`,
      remedy: `remove ${address} from ${[...new Set(misled.map(({ who }) => who))].join(' and ')} (ip -o ${familyOption(address)} addr show; ip addr del ${address}/PREFIX dev INTERFACE); then ${announce}`,
    });
  if (lost.length > 0)
    advice.push({
      text: `${lost.join(', ')} finds no host at ${address}, the address of ${owner}`,
      remedy: `on ${lost[0]}: ping -c 1 ${owner}; ip neigh show to ${address}; ${announce}`,
    });
  if (reached.length + misled.length + lost.length === 0 && blind.length > 0)
    advice.push({
      text: `unknown whether clients reach ${owner}: ${blind.join(', ')} cannot determine which host has ${address}`,
      remedy: `install bash on ${blind.join(', ')}; there, ip route get ${address} must show no router`,
    });
  return advice;
}
