/** What csync alert run sees on its own member; what does not answer is unknown. Pure, except for a script. */
import { attempt } from '../../base/attempt.ts';
import { parseLogLine } from '../../base/log-line.ts';
import { isSameHost } from '../../base/network.ts';
import { shellWord } from '../../base/shell-word.ts';
import { parseRehearsed, rehearsedFile } from '../../contract/alerts.ts';
import { parsePromotion, promotionFile } from '../../contract/handover.ts';
import { rosterName } from '../../contract/roster.ts';
import { roomBy, roomText, spaceLine } from '../../contract/space.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import type { ClusterView, PackageStatus } from '../../engine/engine.ts';
import type { Settings } from '../../settings/settings.ts';
import { type Look, lastOf, type Said, saidIn } from '../remote/answers.ts';
import { rosterIn, rosterLines } from '../remote/roster-look.ts';
import { directoryWord, mountedTest } from '../remote/shell-text.ts';
import { rotationText } from '../setup/rotation.ts';
import type { Facts, Happening, Sighting } from './due.ts';

export type AlertPlace = Pick<
  Settings,
  'engine' | 'packageName' | 'members' | 'mountPoint' | 'packageDirectory' | 'scriptLogFile' | 'packageDnsName'
>;

/** A disk that hangs costs one line, not the others. */
const limited = 'timeout 5';
const logBytes = 65_536;

/** What the member itself shows. */
export function alertLook(place: AlertPlace, here: string): Look<Facts> {
  const { packageName, mountPoint, packageDirectory, scriptLogFile } = place;
  const file = (path: string): string => `[ -r ${path} ] && echo "FILE $(head -c 65536 ${path})"`;
  const lines = [
    file(shellWord(promotionFile(packageName))).replace('FILE', 'promotion'),
    file(shellWord(rehearsedFile(packageName))).replace('FILE', 'rehearsed'),
    `if ${mountedTest(mountPoint)}; then echo 'mounted 1'; ${spaceLine(mountPoint).replace('$(', `$(${limited} `)}; else echo 'mounted 0'; fi`,
    ...rosterLines(packageDirectory),
    `[ -e ${directoryWord(`${packageDirectory}/${rosterName}`)} ] || echo 'unset 1'`,
    `log=${directoryWord(scriptLogFile)}`,
    // A missing log has no failure; one that hangs may have.
    `if [ ! -e "$log" ]; then echo 'log read'; elif tail=$(${limited} tail -c ${logBytes} -- "$log" 2>/dev/null); then`,
    `  printf '%s\\n' "$tail" | grep -F ' failed [' | tail -n 40 | sed 's/^/failure /'; echo 'log read'`,
    'fi',
    'exit 0',
  ];
  return { lines, read: ({ text, asked }) => factsIn(text, place, here, asked * 1000) };
}

function factsIn(text: string, place: AlertPlace, here: string, now: number): Facts {
  const said = saidIn(text);
  const rehearsed = parseRehearsed(lastOf(said, 'rehearsed') ?? null);
  return {
    happened: {
      promotion: promotionIn(said, place, here),
      ...(said.has('log') ? { 'failed-failover': failedStartIn(said, place, here, now) } : {}),
    },
    seen: {
      ...spaceIn(said, place),
      ...(said.has('unset') ? { 'key-rotation': [] } : rotationIn(text)),
      ...(rehearsed === null
        ? {}
        : {
            rehearsal: rehearsed.ready
              ? []
              : [
                  {
                    subject: '',
                    text: `the last rehearsal failed: ${rehearsed.sentence}`,
                    fix: 'csync rehearse   (lists the problems)',
                  },
                ],
          }),
    },
  };
}

function promotionIn(said: Said, { packageDnsName }: AlertPlace, here: string): Happening | null {
  const promotion = parsePromotion(lastOf(said, 'promotion') ?? null);
  if (promotion === null) return null;
  const { epoch, at, failover } = promotion;
  const how =
    failover === null ? '' : `, after a failover from ${failover.from} with an outage of ${seconds(failover.milliseconds)}`;
  return {
    mark: `${epoch}`,
    at,
    text: `${here} is the cfengine master for ${packageDnsName}${how}`,
    fix: failover === null ? 'csync status' : `read the package log on ${failover.from}, repair the cause, then csync status`,
  };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function failedStartIn(said: Said, { packageName, scriptLogFile }: AlertPlace, here: string, now: number): Happening | null {
  let why = '';
  let last: Happening | null = null;
  for (const line of said.get('failure') ?? []) {
    const parsed = parseLogLine(line);
    if (parsed?.script !== 'start') continue;
    const sentence = `[${parsed.code}] ${parsed.text}`;
    if (!['script-failed', 'script-stopped', 'script-crashed'].includes(parsed.code)) {
      why = sentence;
      continue;
    }
    const stamp = line.slice(0, 15);
    last = {
      mark: `${here}/${stamp.replaceAll(/\s+/g, '-')}`,
      at: timeOf(stamp, now),
      text: `a start of ${packageName} on ${here} failed: ${why || sentence}`,
      fix: `csync status; the package log on ${here} (${scriptLogFile}) has each step, csync explain its code`,
    };
    why = '';
  }
  return last;
}

/** The log has no year. Unreadable: long ago. */
export function timeOf(stamp: string, now: number): number {
  const year = new Date(now).getFullYear();
  const [this_, previous] = [year, year - 1].map((one) => Date.parse(`${stamp} ${one}`));
  const day = 86_400_000;
  return (this_ !== undefined && this_ <= now + day ? this_ : previous) || 0;
}

function spaceIn(said: Said, { mountPoint }: AlertPlace): Facts['seen'] {
  const mounted = lastOf(said, 'mounted');
  if (mounted === undefined) return {};
  if (mounted === '0') return { space: 'elsewhere' };
  const room = roomBy(lastOf(said, 'space') ?? '');
  if (room === 'unknown') return {};
  const text = roomText(room);
  const fix = `stat -f ${mountPoint}; free space there, or enlarge the file system`;
  return { space: text === null ? [] : [{ subject: '', text, fix }] };
}

function rotationIn(text: string): Facts['seen'] {
  // A newer csync's roster hides nothing else.
  const roster = attempt(() => rosterIn(text), null);
  if (roster === null) return {};
  const rotation = rotationText(roster);
  const pending = `the rotation of the cluster's key is not finished: ${rotation}`;
  return { 'key-rotation': rotation === null ? [] : [{ subject: '', text: pending, fix: 'csync keys rotate' }] };
}

/** What the cluster shows; null: it does not answer here. */
export function clusterSightings(view: ClusterView | null, place: AlertPlace): Facts['seen'] {
  const status = view?.packages.get(place.packageName);
  if (view === null || status === undefined || status.state === 'maintenance') return {};
  // While the package is down, its members are part of that event.
  if (status.status === 'down') return { 'package-down': [downIn(status, view, place)] };
  return status.status === 'up' ? { 'package-down': [], readiness: unreadyIn(status, view, place) } : {};
}

function downIn({ autoRun, switching }: PackageStatus, view: ClusterView, place: AlertPlace): Sighting {
  const { packageName, members } = place;
  const { words } = engineFor(place);
  const eligible = members.filter((member) => switching.get(member) !== false && view.members.get(member) === 'up');
  const why =
    eligible.length === 0
      ? 'no member may start it: each is down, or was disabled after a failure'
      : autoRun
        ? 'it does not start'
        : `${words.switchedOff}: an administrator halted it, or its start failed with an error that affects every member`;
  return {
    subject: '',
    text: `${packageName} is down, clients have no master: ${why}`,
    fix: 'csync status   (prints the cause and the next command)',
  };
}

function unreadyIn({ owner, autoRun, switching }: PackageStatus, view: ClusterView, place: AlertPlace): Sighting[] {
  const { packageName, members } = place;
  const { words } = engineFor(place);
  const fix = 'csync status   (prints the command)';
  const off = autoRun ? [] : [{ subject: '', text: `${packageName} cannot fail over: ${words.switchedOff}`, fix }];
  const lost = members.flatMap((member): Sighting[] => {
    const state = view.members.get(member) ?? 'unknown';
    const why = state !== 'up' ? `is ${state} in the cluster` : switching.get(member) === false ? words.notEligible : null;
    if (member === owner || why === null) return [];
    return [{ subject: member, text: `${packageName} cannot fail over to ${member}: it ${why}`, fix }];
  });
  return [...off, ...lost];
}

/** Members that are up report first, in the order of the cluster. */
export function rankOf(here: string, view: ClusterView | null, { members }: AlertPlace): number {
  const up = view === null ? [] : members.filter((member) => view.members.get(member) === 'up');
  const rank = (up.length === 0 ? members : up).findIndex((member) => isSameHost(member, here));
  return rank === -1 ? members.length : rank;
}
