/** Clients of the master, from cfengine's own list of peers on each member: no registration. Pure. */

import { shellWord } from '../../base/shell-word.ts';
import { type Look, saidIn } from '../remote/answers.ts';
import { script } from '../remote/shell-text.ts';

export interface SeenPeer {
  readonly address: string;
  readonly name: string | null;
  /** ms of its clock, exact to `resolutionSeconds`. */
  readonly at: number;
  readonly resolutionSeconds: number;
}

export interface Client extends SeenPeer {
  readonly member: string;
}

export interface KnownPeers {
  /** null: not root there, or no program. */
  readonly peers: readonly SeenPeer[] | null;
  /** Addresses of the member itself, which is a client, too. */
  readonly own: readonly string[];
}

const nameLimitSeconds = 3;
const listLimitSeconds = 10;

/** Prints the input of parsePeers. Users other than root get an empty list without an error [cfengine.md 2.2, tried]. */
export function peerLook(lastSeenList: readonly string[]): Look<KnownPeers> {
  const lines = [
    `echo "own $(ip -o addr show | sed -n 's/.* inet6* \\([0-9a-f.:]*\\).*/\\1/p' | tr '\\n' ' ')"`,
    `if [ "$(id -u)" = 0 ] && seen=$(TZ=UTC timeout ${listLimitSeconds} ${lastSeenList.map(shellWord).join(' ')} 2>/dev/null); then`,
    '  echo "peers $(date +%s)"',
    `  printf '%s\\n' "$seen" | sed 's/^/peer /'`,
    `  timeout ${nameLimitSeconds} getent hosts $(printf '%s\\n' "$seen" | sed -n 's/^Incoming  *\\([0-9a-f.:]*\\) .*/\\1/p') | sed 's/^/called /'`,
    'fi',
  ];
  return { lines, read: ({ text }) => parsePeers(text) };
}

export function parsePeers(output: string): KnownPeers {
  const said = saidIn(output);
  const rests = (word: string): readonly string[] => said.get(word) ?? [];
  const now = /^\d{1,12}$/.test(rests('peers')[0] ?? '') ? Number(rests('peers')[0]) * 1000 : Number.NaN;
  const names = new Map(
    rests('called').map((line) => {
      const [address = '', name = ''] = line.split(/\s+/);
      return [address, name];
    }),
  );
  const listed = rests('peer');
  // cfshow exits with 0 even without its database.
  const isUnread = Number.isNaN(now) || listed[0]?.startsWith("Couldn't open") === true;
  const peers = isUnread ? null : listed[0]?.startsWith('<?xml') === true ? peersOf2(listed, now) : listed.flatMap(peersOf3);
  return {
    peers: peers?.map((peer) => ({ ...peer, name: peer.name ?? names.get(peer.address) ?? null })) ?? null,
    own: (rests('own')[0] ?? '').split(' ').filter((address) => address !== ''),
  };
}

/** Incoming peers of cf-key -sn: "Incoming ADDRESS NAME DATE KEY", date as of ctime(3) [cfengine.md 2.2, tried with 3.21]. */
function peersOf3(line: string): SeenPeer[] {
  const [, address, date] = /^Incoming +(\S+) +\S+ +(\w{3} +\w{3} +\d+ +[\d:]{8} +\d{4}) +\S+$/.exec(line) ?? [];
  const at = Date.parse(`${date} UTC`);
  return address === undefined || Number.isNaN(at) ? [] : [{ address, name: null, at, resolutionSeconds: 1 }];
}

/**
 * Incoming peers of cfshow -s -X: pm ("-": incoming), hostname, ip, date without year, hours since then with two decimals [cfengine 2.2.10,
 * src/cfshow.c; read, not run]. null: another format.
 */
function peersOf2(lines: readonly string[], now: number): SeenPeer[] | null {
  const text = lines.join('\n');
  const part = (name: string, value: string): string => `<${name}>\\s*(${value})\\s*</${name}>\\s*`;
  const entry = `<entry>\\s*${part('pm', '[-+]')}${part('hostname', '\\S*')}${part('ip', '\\S+')}${part('date', '[^<]*')}${part('q', '-?\\d{1,8}\\.\\d\\d')}`;
  const entries = [...text.matchAll(new RegExp(entry, 'g'))];
  if (entries.length !== text.split('<entry>').length - 1) return null;
  return entries
    .filter(([, mark]) => mark === '-')
    .map(([, , name = '', address = '', , hours]) => ({
      address,
      name: name === '' || name === address ? null : name,
      at: now - Math.max(0, Number(hours)) * 3_600_000,
      resolutionSeconds: 36,
    }));
}

/** Each client's latest connection, longest silent first. null: no member can list clients. */
export function clientsOf(members: readonly (KnownPeers & { readonly member: string })[]): Client[] | null {
  if (members.every(({ peers }) => peers === null)) return null;
  const own = new Set(members.flatMap((one) => one.own));
  const latest = new Map<string, Client>();
  for (const { member, peers } of members)
    for (const peer of peers ?? []) {
      const known = latest.get(peer.address);
      if (!own.has(peer.address) && !['127.0.0.1', '::1'].includes(peer.address) && (known === undefined || known.at < peer.at))
        latest.set(peer.address, { ...peer, member });
    }
  return [...latest.values()].sort((one, other) => one.at - other.at || one.address.localeCompare(other.address));
}

export const reachLimit = 100;
const atOnce = 32;

/**
 * Prints lines "reach TARGET PORT MTU". PORT: 0 answers, 124 no answer, others refused, - not checked. MTU: ok, smaller (reported by the
 * path), lost (large packets vanish), silent (no answer to ping), none (this host), - (no ping of iputils, which alone can forbid
 * fragments).
 */
export function reachScript(targets: readonly string[], port: number): string {
  const probe = [
    'port=-; size=-',
    `command -v bash >/dev/null 2>&1 && { timeout 3 bash --norc -c "exec 3<>/dev/tcp/$1/${port}" 2>/dev/null; port=$?; }`,
    'if ping -V 2>/dev/null | grep -q iputils; then',
    '  address=$(getent ahostsv4 "$1" | sed -n "1s/ .*//p"); [ -n "$address" ] || address=$(getent ahosts "$1" | sed -n "1s/ .*//p"); [ -n "$address" ] || address=$1',
    '  device=$(ip -o route get "$address" 2>/dev/null | sed -n "s/.* dev \\([^ ]*\\).*/\\1/p")',
    // Headers of IP and ICMP. Only an IPv4 router splits packets, but a link that is too small shows in both families.
    '  case $address in *:*) headers=48 ;; *) headers=28 ;; esac',
    '  mtu=$(cat "/sys/class/net/$device/mtu" 2>/dev/null)',
    '  if [ "$device" = lo ]; then size=none',
    '  elif ! ping -n -q -c 2 -i 0.2 -W 1 -s 56 "$1" >/dev/null 2>&1; then size=silent',
    '  else',
    '    told=$(ping -n -c 2 -i 0.2 -W 1 -M do -s $((mtu - headers)) "$address" 2>&1) && size=ok || case $told in *[Tt]oo\\ long*|*[Ff]rag\\ needed*) size=smaller ;; *) size=lost ;; esac',
    '  fi',
    'fi',
    'echo "reach $1 $port $size"',
  ];
  // Drops invalid names, because other hosts influence the list.
  const safe = targets.filter((target) => /^[A-Za-z0-9][A-Za-z0-9.:-]*$/.test(target));
  const quoted = shellWord(probe.join('\n'));
  return script(`printf '%s\\n' ${safe.join(' ')} | xargs -P ${atOnce} -I TARGET sh -c ${quoted} sh TARGET`, 'exit 0');
}

export interface Reach {
  readonly target: string;
  /** null: not checked. */
  readonly port: 'answers' | 'silent' | 'refused' | null;
  readonly size: 'ok' | 'smaller' | 'lost' | 'silent' | 'none' | null;
}

export function parseReach(output: string): Reach[] {
  return [...output.matchAll(/^reach (\S+) (\d+|-) (ok|smaller|lost|silent|none|-)$/gm)].map(([, target = '', status, size]) => ({
    target,
    port: status === '-' ? null : status === '0' ? 'answers' : status === '124' ? 'silent' : 'refused',
    size: size === '-' ? null : (size as Reach['size']),
  }));
}
