/**
 * Into maintenance and out of it, step by step. Two ways, as in HP's toolkits [serviceguard.md 3.8, 6.10]: a file in the
 * package directory pauses the monitor; the engine's own mode ignores every failure. That one has no end of its own:
 * the file goes with it, and the monitor ends both [see member/monitor/monitor.ts]. Pure.
 */

import { type Maintenance, maintenanceFileName, maintenanceText } from '../../contract/maintenance-file.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import type { PackageStatus } from '../../engine/engine.ts';
import type { Settings } from '../../settings/settings.ts';
import { distributeScript } from '../apply/package-write.ts';
import { launcherLines } from '../remote/package-look.ts';
import { directoryWord, script } from '../remote/shell-text.ts';
import { type ProcedureStep, procedureCommands } from './recovery.ts';

export interface MaintenancePlace {
  readonly settings: Settings;
  /** Where the package runs. */
  readonly owner: string;
  readonly commandMember: string;
  readonly status: PackageStatus;
  /** What the file on the owner says, over or not; null: there is none. */
  readonly file: Maintenance | null;
}

/** `until`: wall clock, ms. `serviceguard`: the engine's own mode is wanted; once there it stays, and only its end moves. */
export function stepsOn(place: MaintenancePlace, until: number, serviceguard: boolean): ProcedureStep[] {
  const { settings, owner, commandMember, status, file } = place;
  const { packageName, packageDirectory, maintenanceFlag } = settings;
  const { orders, title } = engineFor(settings);
  const inMode = status.state === 'maintenance';
  // Switching as it was before the first of several `on`: the mode itself wants it off.
  const autoRun = file?.serviceguard?.autoRun ?? (inMode || status.autoRun);
  const wanted: Maintenance = { until, serviceguard: serviceguard || inMode ? { autoRun } : null };
  const end = new Date(until).toISOString();
  const write: ProcedureStep = {
    member: owner,
    text: `pause the monitor until ${end}${wanted.serviceguard === null ? '' : `, which then ends ${title}'s mode, too`} (${packageDirectory}/${maintenanceFileName})`,
    script: distributeScript(
      packageDirectory,
      [{ name: maintenanceFileName, mode: 0o644, content: Buffer.from(maintenanceText(wanted)) }],
      [],
    ),
  };
  const enter = procedureCommands(commandMember, orders.maintenance(packageName, 'on'));
  return [...(maintenanceFlag ? [write] : []), ...(serviceguard && !inMode ? enter : [])];
}

/**
 * First a proof that the daemon is a master: what is not healthy would fail over the moment it is watched again. The file
 * goes last: until then the same command, or the monitor, knows what is left to do.
 */
export function stepsOff({ settings, owner, commandMember, status, file }: MaintenancePlace): ProcedureStep[] {
  const { packageName, packageDirectory, packageStyle } = settings;
  const inMode = status.state === 'maintenance';
  if (file === null && !inMode) return [];
  const healthy: ProcedureStep = {
    member: owner,
    text: 'daemon, address, mount and policy are those of a master',
    script: script(
      `directory=${directoryWord(packageDirectory)}`,
      ...launcherLines(packageStyle),
      `told=$(env -i "$launcher" start --dry-run 2>&1) || { echo "$told"; exit 1; }`,
      // A dry run says `would` and `failed` of what does not hold; what each start does anew holds at no time.
      `wrong=$(echo "$told" | grep -E ': (would|failed) ' | grep -vE ' (sentinel|service|customer): ')`,
      '[ -z "$wrong" ] || { echo "$wrong"; exit 1; }',
    ),
  };
  const wasOn = file?.serviceguard?.autoRun ?? inMode;
  const { orders } = engineFor(settings);
  const leave = [
    ...(inMode ? orders.maintenance(packageName, 'off') : []),
    ...(wasOn && !status.autoRun ? orders.switchOn(packageName) : []),
  ];
  return [healthy, ...procedureCommands(commandMember, leave), ...(file === null ? [] : [removeFile(settings, owner)])];
}

/** A halted package may leave the mode as it is [serviceguard.md 6.10]; whether it shall run again is another question. */
export function stepsOffHalted(settings: Settings, commandMember: string, marked: readonly string[]): ProcedureStep[] {
  return [
    ...procedureCommands(commandMember, engineFor(settings).orders.maintenance(settings.packageName, 'off')),
    ...marked.map((member) => removeFile(settings, member)),
  ];
}

function removeFile({ packageDirectory }: Settings, member: string): ProcedureStep {
  const file = `${packageDirectory}/${maintenanceFileName}`;
  return { member, text: `remove ${file}`, script: script(`rm -f -- "${file}"`) };
}
