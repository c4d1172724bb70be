/** Reads a host's state before its set-up. POSIX shell with coreutils; a client needs nothing of Serviceguard or csync. Pure. */

import { createPublicKey } from 'node:crypto';
import { attempt } from '../../base/attempt.ts';
import {
  familyOption,
  isPackageAddress as isGlobal,
  isInPrefix,
  isIpv4,
  isIpv6,
  networkOf,
  plainAddress,
} from '../../base/network.ts';
import { shellWord } from '../../base/shell-word.ts';
import type { CfengineAdapter } from '../../cfengine/adapter.ts';
import { keyDigest } from '../../cfengine/keys.ts';
import { sha256 } from '../../contract/package-directory.ts';
import type { Settings } from '../../settings/settings.ts';
import { countOf, type Look, saidIn } from '../remote/answers.ts';
import { daemonFunction, isEnterprise, keyNameLines } from '../remote/daemon-lines.ts';
import type { SeenKey } from './key-layout.ts';

/** The cluster's next pair on a member, until the switch. */
export const nextPairNames = { privateKey: 'csync-next.priv', publicKey: 'csync-next.pub' } as const;
/**
 * In cfengine's work directory: the restart or reload that is pending until the daemon has read changed keys or policy. Without it a killed
 * set-up would leave correct files, and a daemon with the old ones in memory.
 */
export const owedFileName = '.csync-daemon-owes';
/** In ppkeys, of a killed set-up; the next one removes it. */
export const arrivalPrefix = '.csync-arrival-';

/** Bytes: a file that is not UTF-8, such as a package. */
export type PolicyContent = string | Buffer;

export interface HostFacts {
  /** uname -n, up to the first dot. */
  readonly hostName: string;
  readonly root: boolean;
  /**
   * First the source of its connections to the master, then ssh's, then those in the package's subnet; others (bridges of containers) are
   * the same on many hosts.
   */
  readonly addresses: readonly string[];
  readonly missing: readonly string[];
  /** CFEngine Enterprise finds no key that csync writes. */
  readonly enterprise: boolean;
  readonly daemons: number;
  /** Keys or policy changed, and the set-up was killed before it notified the daemon. */
  readonly owed: 'restart' | 'reload' | null;
  /** Of ppkeys. null: missing. */
  readonly keyDirectoryMode: number | null;
  readonly keys: readonly SeenKey[];
  /** Its own pair's. null unless both files exist. */
  readonly own: { readonly digest: string; readonly publicKey: string } | null;
  /** Of localhost.priv, to compare members. */
  readonly privateKey: { readonly sum: string; readonly mode: number } | null;
  /** Digest of the cluster's next pair. null: none; empty: incomplete. */
  readonly next: string | null;
  readonly leftovers: readonly string[];
  /** SHA-256 by name, of the files in inputs. */
  readonly inputs: ReadonlyMap<string, string>;
  /** Text of the roster, if requested. */
  readonly roster: string | null;
}

/** Prints the input of parseHost. `rosterWord`: shell word of the roster's path, on members. The private key leaves only as a digest. */
export function hostLook(adapter: CfengineAdapter, settings: Settings, rosterWord: string | null = null): Look<HostFacts | null> {
  const work = shellWord(settings.cfengineWorkDirectory);
  const family = familyOption(settings.packageAddress);
  const lines = [
    'echo "host $(uname -n)"',
    'echo "uid $(id -u)"',
    // The source of its connections to the master is first: generation 2 finds its key by it.
    `reached=\${SSH_CONNECTION:-}; reached=\${reached% *}`,
    `echo "addresses $(ip ${family} route get ${shellWord(settings.packageAddress)} 2>/dev/null | sed -n 's/.* src \\([0-9a-f.:]*\\).*/\\1/p' | tr '\\n' ' ')\${reached##* } $(ip -o ${family} addr show scope global 2>/dev/null | sed -n 's/.* inet6* \\([0-9a-f.:/]*\\).*/\\1/p' | tr '\\n' ' ')"`,
    ...Object.values(adapter.programs).map(
      (program) => `[ -x ${shellWord(program)} ] || echo ${shellWord(`missing ${program}`)}`,
    ),
    ...keyNameLines(adapter),
    daemonFunction(adapter, settings.cfengineWorkDirectory),
    'echo "daemons $(daemon_pids | wc -l)"',
    `[ -f ${work}/${owedFileName} ] && echo "owed $(head -n 1 ${work}/${owedFileName})"`,
    ...(rosterWord === null ? [] : [`[ -r ${rosterWord} ] && echo "roster $(base64 -w 0 ${rosterWord})"`]),
    `for left in ${work}/${arrivalPrefix}* ${work}/ppkeys/${arrivalPrefix}*; do [ -d "$left" ] && echo "leftover $left"; done`,
    `if cd ${work}/inputs 2>/dev/null; then`,
    `  find . -type f ! -path './.*' -exec sha256sum {} + | sed 's/^\\([0-9a-f]*\\) [ *]\\.\\//input \\1 /'`,
    'fi',
    `if cd ${work}/ppkeys 2>/dev/null; then`,
    '  echo "keys $(stat -c %a .)"',
    '  [ -f localhost.priv ] && echo "private $(stat -c %a localhost.priv) $(sha256sum < localhost.priv | cut -c 1-64)"',
    '  stat -c "mode %a %n" -- *.pub cluster/*.pub 2>/dev/null',
    // One process for all: a master may have a thousand.
    '  for name in *.pub cluster/*.pub; do [ -f "$name" ] && printf "%s\\0" "$name"; done | xargs -0 -r tail -v -n +1 -- | sed "s/^/key /"',
    `  for part in ${nextPairNames.privateKey} ${nextPairNames.publicKey}; do [ -f "$part" ] && echo "next $part"; done`,
    'fi',
    'echo whole',
  ];
  return { lines, read: ({ text }) => parseHost(text, settings.packageSubnet) };
}

/** null: incomplete. `subnet`: the package's, as Serviceguard writes it. */
export function parseHost(output: string, subnet: string): HostFacts | null {
  const said = saidIn(output);
  if (!said.has('whole')) return null;
  const rests = (word: string): readonly string[] => said.get(word) ?? [];
  const texts = keyTexts(rests('key'));
  const keys: SeenKey[] = [];
  const digests = new Map<string, string | null>();
  for (const line of rests('mode')) {
    const [, mode, name = ''] = /^([0-7]+) (.+)$/.exec(line) ?? [];
    if (mode === undefined) continue;
    const digest = publicDigest(texts.get(name) ?? '');
    digests.set(name, digest);
    if (name.startsWith('root-') || name.startsWith('cluster/')) keys.push({ name, mode: Number.parseInt(mode, 8), digest });
  }
  const [, privateMode = '', sum = ''] = /^([0-7]+) (\S+)$/.exec(rests('private')[0] ?? '') ?? [];
  const own = digests.get('localhost.pub') ?? null;
  const nextParts = rests('next');
  const next = nextParts.length === 2 ? (digests.get(nextPairNames.publicKey) ?? '') : '';
  const mode = rests('keys')[0];
  const daemons = countOf(rests('daemons')[0] ?? '');
  if (Number.isNaN(daemons) || (mode !== undefined && !/^[0-7]+$/.test(mode))) return null;
  const roster = rests('roster')[0];
  return {
    hostName: (rests('host')[0] ?? '').split('.')[0] ?? '',
    root: rests('uid')[0] === '0',
    addresses: countedAddresses(rests('addresses')[0] ?? '', subnet),
    missing: rests('missing'),
    enterprise: isEnterprise(said),
    daemons,
    owed: owedIn(rests('owed')[0]),
    keyDirectoryMode: mode === undefined ? null : Number.parseInt(mode, 8),
    keys,
    own: own === null || sum === '' ? null : { digest: own, publicKey: normalPem(texts.get('localhost.pub') ?? '') },
    privateKey: sum === '' ? null : { sum, mode: Number.parseInt(privateMode, 8) },
    next: nextParts.length === 0 ? null : next,
    leftovers: rests('leftover'),
    inputs: new Map(
      rests('input').map((line) => {
        const [, digest = '', name = ''] = /^([0-9a-f]{64}) (.+)$/.exec(line) ?? [];
        return [name, digest];
      }),
    ),
    roster: roster === undefined ? null : Buffer.from(roster, 'base64').toString('utf8'),
  };
}

/** Of the package's family, by which a host reaches the master, with prefix length or none. With the package's own where it runs. */
function countedAddresses(line: string, subnet: string): string[] {
  const counted = line.split(' ').flatMap((word) => {
    const [address = '', length] = word.split('/');
    if (subnet.includes(':'))
      return isIpv6(address) && isGlobal(address) && (length === undefined || isInPrefix(address, subnet))
        ? [plainAddress(address)]
        : [];
    if (!isIpv4(address) || address.startsWith('127.')) return [];
    return length === undefined || networkOf(address, Number(length)) === subnet ? [address] : [];
  });
  return [...new Set(counted)];
}

/** Empty: the write was killed, and keys change only after it. */
function owedIn(line: string | undefined): HostFacts['owed'] {
  if (line === undefined) return null;
  return line === 'restart' ? 'restart' : 'reload';
}

/** Parses `tail -v`: `==> NAME <==` before each file, an empty line between two. */
function keyTexts(lines: readonly string[]): Map<string, string> {
  const texts = new Map<string, string>();
  let name = '';
  for (const line of lines) {
    const header = /^==> (.+) <==$/.exec(line)?.[1];
    if (header !== undefined) name = header;
    texts.set(name, `${texts.get(name) ?? ''}${header === undefined ? `${line}\n` : ''}`);
  }
  return texts;
}

/** As csync writes it: no carriage returns, no text around the key. */
function normalPem(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const from = lines.indexOf('-----BEGIN RSA PUBLIC KEY-----');
  const to = lines.indexOf('-----END RSA PUBLIC KEY-----', from);
  return `${lines
    .slice(Math.max(0, from), to === -1 ? undefined : to + 1)
    .filter((line) => line !== '')
    .join('\n')}\n`;
}

/** CFEngine 3's name of the key. null: no PKCS#1 PEM, which cfengine cannot read either. */
export function publicDigest(text: string): string | null {
  if (!text.includes('-----BEGIN RSA PUBLIC KEY-----')) return null;
  return attempt(() => keyDigest(createPublicKey(text)), null);
}

/** Missing or different files. */
export function staleInputs(wanted: ReadonlyMap<string, PolicyContent>, inputs: ReadonlyMap<string, string>): string[] {
  return [...wanted].filter(([name, text]) => inputs.get(name) !== sha256(text)).map(([name]) => name);
}
