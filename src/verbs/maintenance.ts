/**
 * `csync maintenance on | off`: work on the daemon without a failover. Two ways, as in HP's toolkits [serviceguard.md 3.8,
 * 6.10]: a file in the package directory pauses the monitor, with an end of its own; Serviceguard's mode ignores every failure.
 */
import { distributeScript, readFileScript, script } from '../cluster/member-scripts.ts';
import { observe } from '../cluster/observation.ts';
import { type ProcedureStep, procedureCommand } from '../cluster/recovery.ts';
import { openSshShell } from '../host/member-shell.ts';
import { maintenanceFileName } from '../member/judgements.ts';
import { type ExitCode, Failure } from '../problem.ts';
import type { PackageStatus } from '../serviceguard/view.ts';
import type { Settings } from '../settings.ts';
import { carryOut, type ProcedureOptions } from './recover.ts';
import { readSettings } from './toolkit.ts';

export interface MaintenanceOptions extends ProcedureOptions {
  readonly on: boolean;
  /** Such as 30m, 2h or 90s. */
  readonly for: string;
  /** Serviceguard's own mode. */
  readonly serviceguard: boolean;
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Seconds of a duration; throws a Failure of usage. */
function secondsOf(text: string): number {
  const [, number, unit] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
  const seconds = Number(number) * (unitSeconds[unit ?? ''] ?? Number.NaN);
  if (seconds > 0) return seconds;
  const problem = `--for ${JSON.stringify(text)}: a whole number with s, m or h is wanted`;
  throw new Failure([{ code: 'usage', severity: 'error', text: problem, remedy: 'csync maintenance on --for 30m' }]);
}

/** Throws a Failure where the package does not run, or where it would not be healthy at the end. */
export async function maintenance(options: MaintenanceOptions): Promise<ExitCode> {
  const settings = readSettings(options.settings);
  const seconds = secondsOf(options.for);
  const shell = openSshShell();
  const { status, commandMember, members } = await observe(shell, settings);
  const owner = status?.owner ?? null;
  if (
    owner === null ||
    status === null ||
    commandMember === null ||
    !members.some((one) => one.reached && one.member === owner)
  ) {
    const text = `${settings.packageName} runs on no member that can be reached: there is nothing to keep from failing over`;
    throw new Failure([{ code: 'cluster-not-running', severity: 'error', text, remedy: 'csync status' }]);
  }
  const place = { settings, owner, commandMember };
  const read = await shell.run(owner, readFileScript(settings.packageDirectory, maintenanceFileName), 20_000);
  const steps = options.on ? stepsOn(place, status, seconds, options.serviceguard) : stepsOff(place, status, read.exitCode === 0);
  const nothing = options.on ? 'It is in maintenance mode already.' : 'There is no maintenance to end.';
  return carryOut('maintenance', shell, steps, options, nothing);
}

interface Place {
  readonly settings: Settings;
  /** Where the package runs. */
  readonly owner: string;
  readonly commandMember: string;
}

function stepsOn(
  { settings, owner, commandMember }: Place,
  status: PackageStatus,
  seconds: number,
  serviceguard: boolean,
): ProcedureStep[] {
  const { packageName, packageDirectory } = settings;
  if (serviceguard) {
    if (status.state === 'maintenance') return [];
    // Global switching has to be off before [serviceguard.md 6.10].
    return [
      procedureCommand(commandMember, 'cmmodpkg', '-d', packageName),
      procedureCommand(commandMember, 'cmmodpkg', '-m', 'on', packageName),
    ];
  }
  if (!settings.maintenanceFlag) {
    const text = 'maintenance_flag is false in csync.yaml: the monitor ignores the file';
    throw new Failure([{ code: 'settings-maintenance', severity: 'error', text, remedy: 'csync maintenance on --serviceguard' }]);
  }
  const until = new Date(Date.now() + seconds * 1000).toISOString();
  const file = { name: maintenanceFileName, mode: 0o644, content: Buffer.from(`until ${until}\n`) };
  return [
    {
      member: owner,
      text: `pause the monitor until ${until} (${packageDirectory}/${maintenanceFileName})`,
      script: distributeScript(packageDirectory, [file], []),
    },
  ];
}

/** First a proof that the daemon is a master: what is not healthy would fail over the moment it is watched again. */
function stepsOff({ settings, owner, commandMember }: Place, status: PackageStatus, paused: boolean): ProcedureStep[] {
  const { packageName, packageDirectory } = settings;
  const inMode = status.state === 'maintenance';
  if (!paused && !inMode) return [];
  const launcher = `"${packageDirectory}/csync.sh"`;
  const healthy: ProcedureStep = {
    member: owner,
    text: 'daemon, address, mount and policy are those of a master',
    script: script(
      `told=$(env -i ${launcher} start --dry-run 2>&1) || { echo "$told"; exit 1; }`,
      // A dry run says `would` and `failed` of what does not hold; the sentinel is written at each start.
      `wrong=$(echo "$told" | grep -E ': (would|failed) ' | grep -v ' sentinel: ')`,
      '[ -z "$wrong" ] || { echo "$wrong"; exit 1; }',
    ),
  };
  const file = `"${packageDirectory}/${maintenanceFileName}"`;
  const unpause: ProcedureStep = {
    member: owner,
    text: `remove ${packageDirectory}/${maintenanceFileName}`,
    script: script(`rm -f -- ${file}`),
  };
  const leave = [
    procedureCommand(commandMember, 'cmmodpkg', '-m', 'off', packageName),
    procedureCommand(commandMember, 'cmmodpkg', '-e', packageName),
  ];
  return [healthy, ...(paused ? [unpause] : []), ...(inMode ? leave : [])];
}
