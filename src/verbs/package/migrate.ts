/** `csync migrate legacy-to-modular`: to a modular package with the same settings and one halt. */

import { demand, type ExitCode } from '../../base/problem.ts';
import type { Before } from '../../cluster/apply/apply-plan.ts';
import { migrationFileName, parseBefore, planMigration } from '../../cluster/apply/migration.ts';
import { readHistory } from '../../cluster/apply/sets.ts';
import { type ClusterObservation, observe } from '../../cluster/remote/observation.ts';
import { readFileScript } from '../../cluster/remote/shell-text.ts';
import type { RenderedFile } from '../../contract/package-directory.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { readTextFile } from '../../host/admin/own-files.ts';
import { err } from '../../host/output.ts';
import { type Settings, settingsJson } from '../../settings/settings.ts';
import { withValue } from '../../settings/settings-yaml.ts';
import { applySteps, applyWish } from '../common/apply-steps.ts';
import { changingMembers } from '../common/connections.ts';
import { pause } from '../common/interruptible.ts';
import { type PackageSources, renderFrom } from '../common/package-sources.ts';
import { readSettings, writeOrFail } from '../common/toolkit-files.ts';

export interface MigrateOptions extends PackageSources {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly wait?: number | undefined;
  readonly json: boolean;
}

/** The settings file says legacy or modular; its other settings are the package's. */
export async function migrateToModular(options: MigrateOptions): Promise<ExitCode> {
  const settings = readSettings(options.settings);
  const modular: Settings = { ...settings, packageStyle: 'modular' };
  const legacy: Settings = { ...settings, packageStyle: 'legacy' };
  const files = await renderFrom(modular, options);
  const change = { verb: 'migrate legacy-to-modular', ...options } as const;
  return changingMembers(change, settings, (shell, stop) =>
    migrateOn(options, { shell, stop, settings, modular, legacy, files }),
  );
}

interface Migrating {
  readonly shell: MemberShell;
  readonly stop: AbortSignal;
  readonly settings: Settings;
  readonly modular: Settings;
  readonly legacy: Settings;
  readonly files: readonly RenderedFile[];
}

async function migrateOn(
  options: MigrateOptions,
  { shell, stop, settings, modular, legacy, files }: Migrating,
): Promise<ExitCode> {
  const observation = await atRest(shell, stop, modular);
  const remembered = await readBefore(shell, observation, settings);
  const legacySettings = { name: 'settings.json', mode: 0o644, content: Buffer.from(settingsJson(legacy)) };
  const sets = await readHistory(shell, observation, settings);
  // Unknown until it is known where the package ran; the plan states them.
  const wanted = { run: remembered?.owner != null || observation.status?.owner != null, halt: true, takeRendered: false };
  const { wish, number } = await applyWish(shell, {
    place: modular,
    files,
    observation,
    sets,
    options: wanted,
    note: 'migrated from legacy',
  });
  const plan = demand(planMigration({ wish, observation, legacySettings, remembered }));
  const verb = 'migrate legacy-to-modular';
  return applySteps(shell, { settings, wish, number, plan, options, verb, last: settingsStep(options.settings) });
}

const lookEveryMs = 1000;

/** A command of a killed migration continues on its member; Serviceguard limits the time of its script. */
async function atRest(shell: MemberShell, stop: AbortSignal, settings: Settings): Promise<ClusterObservation> {
  const end = performance.now() + Math.max(settings.runScriptTimeoutSeconds, settings.haltScriptTimeoutSeconds) * 1000;
  for (let told = false; ; told = true) {
    const observation = await observe(shell, settings);
    const status = observation.status?.status ?? '';
    if (!['starting', 'halting', 'failing'].includes(status) || performance.now() > end) return observation;
    if (!told) err(`${settings.packageName} is ${status}; waiting until this has finished\n`);
    await pause(lookEveryMs, stop);
  }
}

/** From the first member that has it. null: no migration is unfinished. */
async function readBefore(shell: MemberShell, { members }: ClusterObservation, settings: Settings): Promise<Before | null> {
  for (const one of members) {
    if (!one.reached || !one.files.some(({ name }) => name === migrationFileName)) continue;
    const read = await shell.run(one.member, readFileScript(settings.packageDirectory, migrationFileName), 20_000);
    const before = read.exitCode === 0 ? parseBefore(Buffer.from(read.stdout, 'base64').toString('utf8')) : null;
    if (before !== null) return before;
  }
  return null;
}

function settingsStep(file: string): { readonly text: string; readonly run: () => void } | null {
  const edit = (): ReturnType<typeof withValue> => withValue(readTextFile(file) ?? '', 'package_style', 'modular');
  const found = edit();
  if (found === null || found.text === readTextFile(file)) return null;
  return {
    text: `here: ${file} line ${found.line}: package_style: modular`,
    run: () => writeOrFail(file, [{ path: file, mode: 0o644, text: edit()?.text ?? '' }]),
  };
}
