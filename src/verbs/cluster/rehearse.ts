/** `csync rehearse`: whether the package would start on each member. With --drill it fails over, and clients are probed meanwhile. */

import { randomBytes } from 'node:crypto';
import { attempt } from '../../base/attempt.ts';
import { isSameHost } from '../../base/network.ts';
import { type ExitCode, exitCodes, Failure, failure } from '../../base/problem.ts';
import { alertsOn } from '../../cluster/alerts/remarks.ts';
import { judgeStatus } from '../../cluster/condition/status.ts';
import { inParallel } from '../../cluster/remote/observation.ts';
import { launcherLines } from '../../cluster/remote/package-look.ts';
import { directoryWord, script } from '../../cluster/remote/shell-text.ts';
import { lookAtSetup, withClientsSeen } from '../../cluster/setup/look.ts';
import { type Rehearsed, rehearsedFile } from '../../contract/alerts.ts';
import type { RenderedFile } from '../../contract/package-directory.ts';
import { launcherNames } from '../../contract/package-directory.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { readTextFile } from '../../host/admin/own-files.ts';
import { err, out, progress } from '../../host/output.ts';
import { replaceFile } from '../../host/safe-file.ts';
import { openClusterGround } from '../../rehearsal/cluster-ground.ts';
import type { Drill } from '../../rehearsal/drills/drill-model.ts';
import type { DrillResult, ReadyReport } from '../../rehearsal/model.ts';
import { judgeReadiness, type ReadyInput, type ScriptSaid } from '../../rehearsal/ready.ts';
import { runDrill } from '../../rehearsal/runner.ts';
import type { Settings } from '../../settings/settings.ts';
import { confirm } from '../common/confirm.ts';
import { changingMembers, onMembers } from '../common/connections.ts';
import { pause } from '../common/interruptible.ts';
import { type PackageSources, packageHere } from '../common/package-sources.ts';
import { chosenDrills, drillPlan, type ResultPlaces, reportRehearsal } from '../common/rehearsal-results.ts';
import { findSettings } from '../common/toolkit-files.ts';
import { verifiedHandshakes } from '../hosts/keys.ts';
import { setupPlace } from '../hosts/setup-place.ts';
import { lookAtCluster } from '../package/check.ts';
import { lookAtStatus } from './status.ts';

export interface RehearseOptions extends PackageSources, ResultPlaces {
  readonly drill: readonly string[];
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly wait?: number | undefined;
  readonly production: boolean;
}

const limitMs = 60_000;
const labMark = '/etc/csync-lab.json';

/** Status 1: a member would not start the package, the package does not serve now, or a drill failed. */
export async function rehearse(options: RehearseOptions): Promise<ExitCode | number> {
  const { settings, files } = await packageHere(options);
  const place = readTextFile(labMark) === null ? 'cluster' : 'lab';
  const drills = chosenDrills(options.drill, 'any');
  if (drills.length > 0 && !options.dryRun && place === 'cluster' && !options.production) refuseProduction();
  if (options.dryRun) {
    out(drillPlan(drills, engineFor(settings)));
    return exitCodes.ok;
  }
  const { packageName, members } = settings;
  const lookAndTell = async (shell: MemberShell) => {
    const ready = await lookWhetherReady(shell, { settings, files, options });
    noteForAlerts(settings, shell.here, ready);
    return { place, packageName, members, ready } as const;
  };
  if (drills.length === 0)
    return onMembers(settings, 'keeping connections', async (shell) => {
      const seen = { ...(await lookAndTell(shell)), clients: [], probe: '', drills: [] };
      return reportRehearsal(options, seen, options.settings);
    });
  return changingMembers({ verb: 'rehearse --drill', ...options }, settings, async (locked, _stop, shell) => {
    const told = await lookAndTell(shell);
    err(drillPlan(drills, engineFor(settings)));
    if (told.ready.verdict === 'fail') refuseUnready(told.ready);
    if (!options.yes) await confirm('rehearse', shell.stop);
    return reportRehearsal(options, { ...told, ...(await carryOutDrills(shell, locked, settings, drills)) }, options.settings);
  });
}

/** The next csync alert run of this member reads it. Requires root. */
function noteForAlerts(settings: Settings, here: string, { verdict, sentence }: ReadyReport): void {
  const isMember = settings.members.some((member) => isSameHost(member, here));
  if (!alertsOn(settings) || !isMember || process.getuid?.() !== 0) return;
  const rehearsed: Rehearsed = { version: 1, ready: verdict === 'pass', sentence };
  const file = rehearsedFile(settings.packageName);
  if (attempt(() => replaceFile(file, `${JSON.stringify(rehearsed)}\n`, 0o644, false), null) === null)
    progress(`${file} cannot be written: no hook reports this rehearsal`);
}

function refuseProduction(): never {
  const text = 'a drill makes the package fail over, and this is not a lab: clients have no master for seconds';
  const remedy = 'csync lab rehearse   (drills in a lab); csync rehearse   (checks only); add --production to drill here';
  throw failure('usage-production', text, remedy);
}

function refuseUnready({ sentence }: ReadyReport): never {
  const text = `no drill was started, because the cluster is not ready: ${sentence}`;
  throw failure('change-unready', text, 'csync rehearse   (lists the problems with their fixes)');
}

/** Drill steps use `shell`, and only while the lock is ours (`locked` checks it). The cleanup runs even after the lock was lost. */
async function carryOutDrills(shell: MemberShell, locked: MemberShell, settings: Settings, drills: readonly Drill[]) {
  const token = randomBytes(8).toString('hex');
  const opened = await openClusterGround(shell, settings, token, {
    pause: (milliseconds) => pause(milliseconds, shell.stop),
    forbidden: () =>
      locked.run(locked.here, ':', limitMs).then(
        () => [],
        (error: unknown) => {
          if (error instanceof Failure) return error.problems.map(({ text }) => text);
          throw error;
        },
      ),
  });
  const { ground, probe, unwatched } = opened;
  for (const one of unwatched) progress(`not watched: ${one}`);
  const done: DrillResult[] = [];
  try {
    for (const drill of drills) {
      progress(`--- ${drill.name}: ${drill.title}`);
      const result = await runDrill(drill, ground, progress);
      progress(`    ${result.verdict === 'pass' ? 'passed' : 'FAILED'}: ${result.sentence}`);
      done.push(result);
      // The next drill would start from the leftovers of this one.
      if (result.unclean.length > 0) break;
    }
  } finally {
    await opened.close();
  }
  return { drills: done, probe, clients: ground.clients };
}

interface Looked {
  readonly settings: Settings;
  readonly files: readonly RenderedFile[];
  readonly options: PackageSources;
}

/** By csync check, status and keys verify, and the package's own validate and start --dry-run. */
export async function lookWhetherReady(shell: MemberShell, { settings, files, options }: Looked): Promise<ReadyReport> {
  const status = await lookAtStatus(shell, settings, files);
  const check = await lookAtCluster(shell, settings);
  const reached = status.members.filter(({ seen }) => seen !== null).map(({ member }) => member);
  const owner = status.status?.owner ?? null;
  const names = launcherNames(settings.packageStyle);
  const [first = '', before = first] = names;
  const call = async (word: string, launcher: (member: string) => string): Promise<Map<string, ScriptSaid>> => {
    const said = await inParallel(reached, async (member): Promise<[string, ScriptSaid]> => {
      const line = script(
        `directory=${directoryWord(settings.packageDirectory)}`,
        ...launcherLines(settings.packageStyle, launcher(member)),
        // As Serviceguard calls them: with an empty environment.
        `exec env -i "$launcher" ${word} < /dev/null`,
      );
      const { exitCode, stdout, stderr } = await shell.run(member, line, limitMs);
      return [member, { exitCode, output: `${stdout}${stderr}` }];
    });
    return new Map(said);
  };
  return judgeReadiness({
    status,
    verdict: judgeStatus(status),
    check,
    validate: await call('validate', () => first),
    // The checks after storage and address need the active member.
    dryRun: await call('start --dry-run', (member) => (member === owner ? first : before)),
    handshakes: await keysOf(shell, options),
  });
}

/** null: csync has set up no host. */
async function keysOf(shell: MemberShell, options: PackageSources): Promise<ReadyInput['handshakes']> {
  const source = findSettings(options.settings === 'csync.yaml' ? undefined : options.settings);
  const place = setupPlace(source, options.templates);
  const view = await lookAtSetup(shell, place);
  if (view.roster.serial === 0) return null;
  const clients = view.roster.clients.map(({ name }) => name);
  return verifiedHandshakes(await withClientsSeen(shell, place, view, clients), source.settings).all;
}
