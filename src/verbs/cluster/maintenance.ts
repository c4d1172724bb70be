import { durationWords, secondsOf } from '../../base/duration.ts';
import { type ExitCode, failure } from '../../base/problem.ts';
import { type MaintenancePlace, stepsOff, stepsOffHalted, stepsOn } from '../../cluster/procedures/maintenance.ts';
import { type ClusterObservation, inParallel, observe } from '../../cluster/remote/observation.ts';
import { readFileScript } from '../../cluster/remote/shell-text.ts';
import { type Maintenance, maintenanceFileName, parseMaintenance } from '../../contract/maintenance-file.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { err } from '../../host/output.ts';
import type { Settings } from '../../settings/settings.ts';
import { changingMembers } from '../common/connections.ts';
import { settingsHere } from '../common/toolkit-files.ts';
import { carryOut, type ProcedureOptions } from './recover.ts';

export interface MaintenanceOptions extends ProcedureOptions {
  readonly on: boolean;
  /** 30m, 2h or 90s. */
  readonly for: string;
  readonly serviceguard: boolean;
}

const lookLimitMs = 20_000;

/** Throws a Failure of usage. */
function secondsWanted(text: string): number {
  const seconds = secondsOf(text);
  if (seconds !== null) return seconds;
  const problem = `--for ${JSON.stringify(text)}: ${durationWords} is required`;
  throw failure('usage', problem, 'csync maintenance on --for 30m');
}

/** Throws a Failure if the package does not run, or would be unhealthy afterwards. */
export async function maintenance(options: MaintenanceOptions): Promise<ExitCode> {
  const settings = settingsHere(options.settings);
  const until = Date.now() + secondsWanted(options.for) * 1000;
  if (options.on) refuse(settings, options.serviceguard);
  const verb = options.on ? 'maintenance on' : 'maintenance off';
  return changingMembers({ verb, ...options }, settings, (shell) => maintenanceOn(shell, settings, until, options));
}

async function maintenanceOn(
  shell: MemberShell,
  settings: Settings,
  until: number,
  options: MaintenanceOptions,
): Promise<ExitCode> {
  const { status, commandMember, members } = await observe(shell, settings);
  const owner = status?.owner ?? null;
  if (!options.on && owner === null && commandMember !== null) {
    const marked = await markedMembers(shell, members, settings);
    if (marked.length > 0)
      return carryOut('maintenance off', shell, stepsOffHalted(settings, commandMember, marked), options, '');
  }
  if (
    owner === null ||
    status === null ||
    commandMember === null ||
    !members.some((one) => one.reached && one.member === owner)
  ) {
    const text = `${settings.packageName} runs on no reachable member, so there is no failover to prevent`;
    throw failure('cluster-not-running', text, 'csync status');
  }
  const file = await readFile(shell, owner, settings);
  const place: MaintenancePlace = { settings, owner, commandMember, status, file };
  const steps = options.on ? stepsOn(place, until, options.serviceguard) : stepsOff(place);
  if (options.on && options.serviceguard && !settings.maintenanceFlag)
    err(
      `Note: maintenance_flag is false in csync.yaml, so the monitor keeps watching, and only csync maintenance off ends ${engineFor(settings).title}'s mode.\n`,
    );
  const nothing = options.on ? 'The package is already in maintenance mode.' : 'No maintenance is active.';
  return carryOut(options.on ? 'maintenance on' : 'maintenance off', shell, steps, options, nothing);
}

async function readFile(shell: MemberShell, member: string, settings: Settings): Promise<Maintenance | null> {
  const read = await shell.run(member, readFileScript(settings.packageDirectory, maintenanceFileName), lookLimitMs);
  return read.exitCode === 0 ? parseMaintenance(Buffer.from(read.stdout, 'base64').toString('utf8')) : null;
}

/** The engine reports no maintenance of a halted package. */
async function markedMembers(shell: MemberShell, members: ClusterObservation['members'], settings: Settings): Promise<string[]> {
  const reached = members.filter((one) => one.reached).map(({ member }) => member);
  const files = await inParallel(reached, (member) => readFile(shell, member, settings));
  return reached.filter((_, index) => files[index]?.serviceguard != null);
}

function refuse(settings: Settings, serviceguard: boolean): void {
  const { packageName, packageStyle, maintenanceFlag } = settings;
  const { words } = engineFor(settings);
  const why = words.noMaintenance(packageStyle);
  const fail = (text: string, remedy: string): never => {
    throw failure('settings-maintenance', text, remedy);
  };
  if (serviceguard && why !== null)
    fail(
      `${packageName} is a ${packageStyle} package: ${why} ${words.maintenanceMode}`,
      'csync maintenance on   (pauses the monitor)',
    );
  if (!serviceguard && !maintenanceFlag)
    fail('maintenance_flag is false in csync.yaml: the monitor ignores the file', 'csync maintenance on --serviceguard');
}
