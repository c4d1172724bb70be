/** Connections to a TCP port of this host. */

import { readFileSync } from 'node:fs';
import { attempt } from '../../base/attempt.ts';
import { plainAddress } from '../../base/network.ts';

export interface Connections {
  readonly total: number;
  /** null: none. */
  readonly most: { readonly address: string; readonly count: number } | null;
}

/** Listening and half-open sockets. */
const noConnection = new Set(['0A', '03', '0C']);
/** TIME_WAIT, and FIN_WAIT2 without a process: kept for 60 s, in 0.01 s. */
const endedTimer = '03:';
const keptFor = 6000;
const justEnded = 200;
const justEndedLeft = (keptFor - justEnded).toString(16).toUpperCase().padStart(8, '0');

/**
 * Counts /proc/net/tcp and tcp6, with connections closed in the last 2 s. No regular expressions: runs once in a failover, not compiled,
 * over thousands of lines.
 */
export function parseConnections(texts: readonly string[], port: number): Connections {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  const counts = new Map<string, number>();
  let total = 0;
  for (const text of texts)
    for (const line of text.split('\n')) {
      const local = line.indexOf(': ') + 2;
      const remote = line.indexOf(' ', local) + 1;
      const state = line.indexOf(' ', remote) + 1;
      if (local === 1 || remote === 0 || state === 0) continue;
      const timer = line.indexOf(' ', state + 3) + 1;
      if (
        line.startsWith(endedTimer, timer) &&
        line.slice(timer + endedTimer.length, timer + endedTimer.length + 8) < justEndedLeft
      )
        continue;
      if (!line.startsWith(wanted, remote - wanted.length) || noConnection.has(line.slice(state, state + 2))) continue;
      const peer = line.slice(remote, line.indexOf(':', remote));
      counts.set(peer, (counts.get(peer) ?? 0) + 1);
      total += 1;
    }
  const [most] = [...counts].sort(([, one], [, other]) => other - one);
  return { total, most: most === undefined ? null : { address: addressOf(most[0]), count: most[1] } };
}

/** 32-bit words in this machine's byte order; an IPv4 address in tcp6 is the last of four. */
function addressOf(hex: string): string {
  const words = (hex.match(/.{8}/g) ?? []).map((word) => (isLittleEndian ? swapped(word) : word));
  const isMapped = hex.length === 8 || /^0{20}FFFF/i.test(words.join(''));
  const bytes = words.at(-1)?.match(/../g) ?? [];
  if (isMapped) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  return plainAddress((words.join('').match(/.{4}/g) ?? []).join(':'));
}

const swapped = (word: string): string => (word.match(/../g) ?? []).reverse().join('');

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** None if unreadable. */
export function connectionsOf(port: number): Connections {
  const texts = ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => {
    return attempt(() => readFileSync(path, 'latin1'), '');
  });
  return parseConnections(texts, port);
}
