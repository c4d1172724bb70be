/**
 * Where hosts find the package address, as the other members see it. The start of the package proves the role on its own member, where
 * the address is local: that succeeds also while all other hosts reach another one. The proof comes from the kernel of each other member, which
 * needs neither a listener nor a key: a datagram makes it resolve the address, and its table of neighbours has the hardware address to
 * which it sends from then on. Lines of a member script, their reader, and what it comes to. Pure.
 */

/** What a member says of it. */
export interface AddressView {
  /** Hardware addresses of its own cards. */
  readonly cards: readonly string[];
  /** The hardware address to which it sends what is for the package address; null: not known, or the address is its own. */
  readonly behind: string | null;
}

/** In the place of a hardware address: no host answers for the address. */
const noHost = 'none';

/** Half a second: a neighbour answers within a few ms. */
const tries = 10;

/** Lines of a member script: `address 1` where it is local by that shell test, and what readAddressView reads. */
export function addressViewLines(address: string, isLocal: string): string[] {
  return [
    "echo \"cards $(cat /sys/class/net/*/address 2>/dev/null | sort -u | tr '\\n' ' ')\"",
    // Port 9 discards. A table without that host (behind a router) is no answer.
    `if ${isLocal}; then echo 'address 1'; elif bash -c 'echo > /dev/udp/${address}/9' 2>/dev/null; then`,
    `  tries=0; behind=${noHost}`,
    `  while [ "$behind" = ${noHost} ] && [ $tries -lt ${tries} ]; do`,
    '    [ $tries = 0 ] || sleep 0.05',
    '    tries=$((tries + 1)); behind=',
    '    while read -r host _ flags card _; do',
    `      [ "$host" = ${address} ] || continue`,
    `      if [ "$flags" != 0x0 ]; then behind=$card; elif [ -z "$behind" ]; then behind=${noHost}; fi`,
    '    done < /proc/net/arp',
    '  done',
    '  echo "behind $behind"',
    'fi',
  ];
}

const cardPattern = /^[0-9a-f]{2}(:[0-9a-f]{2})+$/;

/** From the rests of the lines `cards` and `behind`. */
export function readAddressView(cards: string | undefined, behind: string | undefined): AddressView {
  const found = behind?.trim() ?? '';
  return {
    // That of the loopback card is every host's.
    cards: (cards ?? '').split(/\s+/).filter((card) => cardPattern.test(card) && /[1-9a-f]/.test(card)),
    behind: found === noHost || cardPattern.test(found) ? found : null,
  };
}

export interface Witness {
  readonly member: string;
  /** null: it cannot be asked. One that has the address reaches itself, and cannot tell. */
  readonly seen: { readonly address: boolean; readonly view: AddressView } | null;
}

export interface OutsideView {
  /** Members that reach the owner. */
  readonly reached: readonly string[];
  /** Members that reach another host: a member by its name, another host by its card. */
  readonly misled: readonly { readonly member: string; readonly who: string }[];
  /** Members that find no host at the address. */
  readonly lost: readonly string[];
  /** Members that were asked and cannot tell. */
  readonly blind: readonly string[];
}

/** What the other members see of the address while the package runs on `owner`. */
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

/** Whether no member that can tell reaches the owner, and at least one reaches another host. One member alone may have an old entry. */
export const reachesElsewhere = ({ reached, misled }: OutsideView): boolean => misled.length > 0 && reached.length === 0;

/** Whom clients reach instead, for a sentence. */
export function insteadText({ misled }: OutsideView): string {
  const who = [...new Set(misled.map((one) => one.who))].join(' and ');
  return `clients reach ${who} instead (seen from ${misled.map(({ member }) => member).join(', ')})`;
}

interface Advice {
  readonly text: string;
  readonly remedy: string;
}

/** Advice to print, with its remedies. Empty: another member reaches the owner, and none reaches another host. */
export function outsideAdvice(view: OutsideView, owner: string, address: string): Advice[] {
  const { reached, misled, lost, blind } = view;
  const announce = `on ${owner}: arping -U -c 3 -I CARD ${address}   so that hosts find ${owner} again`;
  const advice: Advice[] = [];
  if (misled.length > 0)
    advice.push({
      text: `${address} belongs to ${owner}, but ${insteadText(view)}`,
      remedy: `take ${address} from ${[...new Set(misled.map(({ who }) => who))].join(' and ')} (ip -o -4 addr show; ip addr del ${address}/PREFIX dev CARD); then ${announce}`,
    });
  if (lost.length > 0)
    advice.push({
      text: `${lost.join(', ')} finds no host at ${address}, which ${owner} has`,
      remedy: `on ${lost[0]}: ping -c 1 ${owner}; ip neigh show to ${address}; ${announce}`,
    });
  if (reached.length + misled.length + lost.length === 0 && blind.length > 0)
    advice.push({
      text: `whether clients reach ${owner} is not known: ${blind.join(', ')} cannot tell which host has ${address}`,
      remedy: `install bash on ${blind.join(', ')}; there: ip route get ${address} must name no router`,
    });
  return advice;
}
