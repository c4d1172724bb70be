/** csync status on a terminal. Pure. */
import { columns } from '../../base/tables.ts';
import { type Clock, clockText } from '../remote/answers.ts';
import type { Client } from './clients.ts';
import type { StatusInput, StatusVerdict } from './status.ts';

/** "same": the difference is within the uncertainty. */
function clockCell(clock: Clock): string {
  return Math.abs(clock.ahead) <= clock.doubt ? 'same' : clockText(clock);
}

export function statusText({ sentence, advice }: StatusVerdict, { members, status, clients, now }: StatusInput): string {
  const header = ['member', 'cluster', 'package', 'switching', 'daemon', 'mount', 'address', 'files', 'clock'];
  const rows = members.map(({ member, seen, inCluster, switching, staleFiles }) => [
    member,
    inCluster,
    status?.owner === member ? status.state : '-',
    switching === null ? '?' : switching ? 'enabled' : 'disabled',
    ...(seen === null
      ? ['?', '?', '?', '?', '?']
      : [
          seen.daemons === 1 ? 'runs' : String(seen.daemons),
          seen.mounted ? 'yes' : '-',
          seen.address ? 'yes' : '-',
          staleFiles === null ? '?' : staleFiles.length === 0 ? 'same' : `${staleFiles.length} differ`,
          clockCell(seen.clock),
        ]),
  ]);
  const advised = advice.flatMap(({ text, remedy }) => [`  ${text}`, `    Fix: ${remedy}`]);
  return `${[sentence, ...advised, '', ...columns([header, ...rows]), '', ...clientLines(clients, now)].join('\n')}\n`;
}

const clientsShown = 20;

function clientLines(clients: readonly Client[] | null, now: number): string[] {
  if (clients === null) return ["clients: unknown; only root can read cfengine's list of peers"];
  if (clients.length === 0) return ['clients: none has connected yet'];
  const shown = clients.slice(0, clientsShown);
  const rows = shown.map((client) => [client.address, client.name ?? '-', lastSeen(client, now), client.member]);
  const more = clients.length - shown.length;
  return [
    ...columns([['client', 'name', 'last seen', 'served by'], ...rows]),
    ...(more > 0 ? [`and ${more} with a later connection; --json lists all ${clients.length}`] : []),
  ];
}

function lastSeen({ at, resolutionSeconds }: Client, now: number): string {
  const vague = resolutionSeconds > 1 && now - at < 120_000;
  return vague ? 'under 3 min ago' : `${ago(now - at)} ago`;
}

/** In the largest useful unit. */
export function ago(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const units = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
  ] as const;
  for (const [size, unit] of units) if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${unit}`;
  return `${seconds} s`;
}
