import { attempt } from '../../base/attempt.ts';
import { shellWord } from '../../base/shell-word.ts';
import { newerIn } from '../../base/version.ts';
import type { CfengineAdapter } from '../../cfengine/adapter.ts';
import { maintenanceFileName, type maintenanceFrom } from '../../contract/maintenance-file.ts';
import { type MonitorState, monitorStateFile, parseMonitorState } from '../../contract/monitor-state.ts';
import { sentinelName, stageDirectory } from '../../contract/policy-file-system.ts';
import { type Room, roomBy, spaceLine } from '../../contract/space.ts';
import { leavingName, policyKeep, stageFileName } from '../policy/look.ts';
import { parseStage, parseTakenBack, type Stages } from '../policy/stage.ts';
import { type Answer, type Clock, clockBetween, countOf, type Look, lastOf, saidIn } from '../remote/answers.ts';
import { daemonFunction } from '../remote/daemon-lines.ts';
import { addressTest, directoryWord, mountedTest } from '../remote/shell-text.ts';
import { type AddressView, addressViewLines, readAddressView } from './outside.ts';

export interface MemberCondition {
  readonly daemons: number;
  readonly mounted: boolean;
  readonly address: boolean;
  readonly view: AddressView;
  readonly clock: Clock;
  /** null: not mounted, or unreadable. */
  readonly sentinel: string | null;
  /** Of the policy file system. null: not mounted. */
  readonly room: Room | null;
  /** SHA-256 over the served files. null: not mounted, or unreadable. */
  readonly policyDigest: string | null;
  /** null: none, or unreadable. */
  readonly staged: Stages['open'];
  readonly leaving: Stages['leaving'];
  /** Text of the file; empty: only touched. null: missing. */
  readonly maintenance: string | null;
  /** A number: format of a newer csync. null: none since the boot. */
  readonly monitor: MonitorState | number | null;
}

/** null: none, or of a newer csync. */
export const reportOf = ({ monitor }: MemberCondition): MonitorState | null => (typeof monitor === 'number' ? null : monitor);

export interface ConditionPlace {
  readonly packageName: string;
  readonly adapter: Pick<CfengineAdapter, 'daemonName' | 'programs'>;
  readonly cfengineWorkDirectory: string;
  readonly mountPoint: string;
  readonly packageAddress: string;
  readonly policyDirectory: string;
  readonly packageDirectory: string;
}

/** Needs no root. */
export function conditionLook(place: ConditionPlace): Look<MemberCondition | null> {
  const { adapter, mountPoint, packageAddress, policyDirectory, packageDirectory, packageName } = place;
  const monitor = shellWord(monitorStateFile(packageName));
  const maintenance = directoryWord(`${packageDirectory}/${maintenanceFileName}`);
  const sentinel = shellWord(`${policyDirectory}/${sentinelName}`);
  const lines = [
    daemonFunction(adapter, place.cfengineWorkDirectory),
    'echo "daemons $(daemon_pids | wc -l)"',
    `${mountedTest(mountPoint)} && echo 'mounted 1'`,
    ...addressViewLines(packageAddress, addressTest(packageAddress)),
    `${mountedTest(mountPoint)} && ${spaceLine(mountPoint)}`,
    `[ -r ${sentinel} ] && echo "sentinel $(cat ${sentinel})"`,
    ...[
      ['stage', `${stageDirectory(place)}/${stageFileName}`],
      ['leaving', `${policyKeep(mountPoint)}/${leavingName}`],
    ].map(([word, file = '']) => `[ -r ${shellWord(file)} ] && echo "${word} $(cat ${shellWord(file)})"`),
    `[ -e ${maintenance} ] && echo "maintenance $(head -n 1 ${maintenance})"`,
    `[ -r ${monitor} ] && echo "monitor $(cat ${monitor})"`,
    // Without the sentinel, which changes at each start. None if this user cannot read all files.
    `if ${mountedTest(mountPoint)} && cd ${shellWord(policyDirectory)} 2>/dev/null &&`,
    `  sums=$(find . -type f ! -name ${sentinelName} -exec sha256sum {} + 2>/dev/null); then`,
    `  echo "policy $(printf '%s\\n' "$sums" | sort | sha256sum | cut -c 1-64)"`,
    'fi',
    'echo "clock $(date +%s.%N)"',
  ];
  return { lines, read: parseCondition };
}

/** null: another format. */
export function parseCondition({ text, asked, answered }: Answer): MemberCondition | null {
  const said = saidIn(text);
  const last = (word: string): string | undefined => lastOf(said, word);
  const clock = clockBetween(last('clock'), { asked, answered });
  const daemons = countOf(last('daemons'));
  if (Number.isNaN(clock.ahead) || Number.isNaN(daemons)) return null;
  return {
    daemons,
    mounted: said.has('mounted'),
    address: said.has('address'),
    clock,
    sentinel: last('sentinel') ?? null,
    room: said.has('mounted') ? roomBy(last('space') ?? '') : null,
    view: readAddressView(last('cards'), last('behind')),
    policyDigest: last('policy') ?? null,
    staged: attempt(() => parseStage(last('stage') ?? ''), null),
    leaving: attempt(() => parseTakenBack(last('leaving') ?? ''), null),
    maintenance: last('maintenance') ?? null,
    monitor: parseMonitorState(last('monitor') ?? '') ?? newerIn(last('monitor') ?? ''),
  };
}

/** Of a paused monitor. */
export function pauseText(
  member: string,
  { until, overdue, serviceguard }: NonNullable<ReturnType<typeof maintenanceFrom>>,
  title: string,
): string {
  const end =
    until === null ? 'without a time limit' : `${overdue ? 'which has passed' : 'until'} ${new Date(until).toISOString()}`;
  const mode = serviceguard === null ? '' : `, together with ${title}'s maintenance mode`;
  return `maintenance on ${member}: the monitor is paused ${end}, and a failed daemon does not fail over${mode}`;
}
