/**
 * Maintenance in two kinds, as in HP's toolkits [serviceguard.md 3.8, 6.10]: a file pauses the monitor; the engine's own mode ignores every
 * failure. That has no time limit, so the file is written, too, and the monitor removes both. Pure.
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
  readonly owner: string;
  readonly commandMember: string;
  readonly status: PackageStatus;
  /** Expired or not. null: no file. */
  readonly file: Maintenance | null;
}

/** `until`: wall clock, ms. `serviceguard`: the engine's own mode. A second `on` changes only the time limit. */
export function stepsOn(place: MaintenancePlace, until: number, serviceguard: boolean): ProcedureStep[] {
  const { settings, owner, commandMember, status, file } = place;
  const { packageName, packageDirectory, maintenanceFlag } = settings;
  const { orders, title } = engineFor(settings);
  const inMode = status.state === 'maintenance';
  // As it was without maintenance: the mode requires AUTO_RUN off.
  const autoRun = file?.serviceguard?.autoRun ?? (inMode || status.autoRun);
  const wanted: Maintenance = { until, serviceguard: serviceguard || inMode ? { autoRun } : null };
  const end = new Date(until).toISOString();
  const write: ProcedureStep = {
    member: owner,
    text: `pause the monitor until ${end}${wanted.serviceguard === null ? '' : `, when it also ends ${title}'s mode`} (${packageDirectory}/${maintenanceFileName})`,
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
 * Proves first that the daemon is a master: an unhealthy one would fail over at once. Removes the file last, so that a rerun or the monitor
 * completes the steps.
 */
export function stepsOff({ settings, owner, commandMember, status, file }: MaintenancePlace): ProcedureStep[] {
  const { packageName, packageDirectory, packageStyle } = settings;
  const inMode = status.state === 'maintenance';
  if (file === null && !inMode) return [];
  const healthy: ProcedureStep = {
    member: owner,
    text: 'check that daemon, address, mount and policy are those of a master',
    script: script(
      `directory=${directoryWord(packageDirectory)}`,
      ...launcherLines(packageStyle),
      `told=$(env -i "$launcher" start --dry-run 2>&1) || { echo "$told"; exit 1; }`,
      // A dry run prints `would` and `failed`. What each start makes anew is always missing.
      `wrong=$(echo "$told" | grep -E ': (would|failed) ' | grep -vE ' step=(sentinel|service|customer)( |$)')`,
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
