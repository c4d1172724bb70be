/** `csync apply | rollback | history | diff`. */

import { isSameHost } from '../../base/network.ts';
import { demand, type ExitCode, exitCodes, Failure, failure, type Problem } from '../../base/problem.ts';
import { columns } from '../../base/tables.ts';
import { planApply } from '../../cluster/apply/apply-plan.ts';
import { compareDirectory, type FileDifference, inBrief, newerManifests, staleNames } from '../../cluster/apply/comparison.ts';
import { asSent } from '../../cluster/apply/package-write.ts';
import { runtimeInUse } from '../../cluster/apply/runtime.ts';
import { definitionIn, fetchSet, readHistory, settingsOf } from '../../cluster/apply/sets.ts';
import { type ClusterObservation, observe, unreachableProblems } from '../../cluster/remote/observation.ts';
import { readFileScript } from '../../cluster/remote/shell-text.ts';
import { entryName, flatSet, manifestName, type RenderedFile, sha256 } from '../../contract/package-directory.ts';
import { parseRoster, rosterName } from '../../contract/roster.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { out, progress } from '../../host/output.ts';
import { manifestOf, setOf, withEdits, withLaunchers, withRuntime } from '../../render/package.ts';
import type { Settings } from '../../settings/settings.ts';
import { type ApplyOptions, applySteps, applyWish } from '../common/apply-steps.ts';
import { changingMembers, onMembers } from '../common/connections.ts';
import { handEdits, type PackageSources, preparePackage, renderFrom } from '../common/package-sources.ts';
import type { RuntimeOptions } from '../common/runtime.ts';
import { readMemberScript, settingsHere } from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';

export const historyDocument = shape.document({
  sets: shape.many(
    shape.object({
      number: shape.number,
      at: shape.text,
      by: shape.text,
      toolkitVersion: shape.text,
      digest: shape.text,
      note: shape.text,
    }),
  ),
});

export const diffDocument = shape.document({
  members: shape.many(shape.parts),
  configuration: shape.nullable(shape.many(shape.parts)),
});

/** Updates every member and the applied configuration to settings and templates. */
export async function apply(options: ApplyOptions): Promise<ExitCode> {
  const { settings, files: rendered } = await preparePackage(options);
  return changingMembers({ verb: 'apply', ...options }, settings, async (shell) => {
    const observation = await observe(shell, settings);
    await demandMembers(shell, observation, settings, options.settings);
    const files = options.takeMine ? withEdits(rendered, editsHere(shell, observation, rendered), settings) : rendered;
    const sets = await readHistory(shell, observation, settings);
    const { wish, number } = await applyWish(shell, { place: settings, files, observation, sets, options, note: '' });
    return applySteps(shell, { settings, wish, number, plan: demand(planApply(wish, observation)), options, verb: 'apply' });
  });
}

/** An old settings file would remove a member that csync added meanwhile. */
async function demandMembers(
  shell: MemberShell,
  { applied, commandMember }: ClusterObservation,
  { members, packageDirectory }: Settings,
  file: string,
): Promise<void> {
  if (applied === null || commandMember === null) return;
  const dropped = applied.members.filter((name) => !members.includes(name));
  if (dropped.length === 0) return;
  const read = await shell.run(commandMember, readFileScript(packageDirectory, rosterName), 20_000);
  const roster = parseRoster(Buffer.from(read.stdout, 'base64').toString('utf8'), commandMember);
  const kept = dropped.filter((name) => roster?.members.some((one) => one.name === name));
  if (kept.length === 0) return;
  const text = `${file} does not list ${kept.join(', ')}, which ${kept.length === 1 ? 'is set up as a member' : 'are set up as members'}; this apply would remove ${kept.length === 1 ? 'it' : 'them'}`;
  const remedy = `add it to members in ${file}; or remove it from the cluster: csync member remove ${kept[0]}`;
  throw failure('settings-members', text, remedy, { file });
}

function editsHere(shell: MemberShell, { members }: ClusterObservation, files: readonly RenderedFile[]): Map<string, string> {
  const here = members.find((one) => one.reached && isSameHost(one.member, shell.here));
  return here?.reached ? handEdits(here.directory, files) : new Map();
}

export type RollbackOptions = Omit<ApplyOptions, keyof PackageSources | keyof RuntimeOptions | 'takeRendered' | 'takeMine'> & {
  readonly settings: string;
  readonly number: number | undefined;
};

/** Applies an earlier set again as a new one. Does not change csync.yaml, so the next apply uses it again. */
export async function rollback(options: RollbackOptions): Promise<ExitCode> {
  const now = settingsHere(options.settings);
  return changingMembers({ verb: 'rollback', ...options }, now, (shell) => rollbackOn(shell, now, options));
}

async function rollbackOn(shell: MemberShell, now: Settings, options: RollbackOptions): Promise<ExitCode> {
  const observation = await observe(shell, now);
  const sets = await readHistory(shell, observation, now);
  const wanted = options.number ?? sets.at(-2)?.number;
  const about = sets.find(({ number }) => number === wanted);
  if (about === undefined) {
    const text = wanted === undefined ? 'there is no earlier set to roll back to' : `set ${wanted} does not exist`;
    throw failure('usage-no-set', text, 'csync history   (lists the sets)');
  }
  const kept = await fetchSet(shell, observation, now, about);
  // Whether this is a test is no matter of a set.
  const place = { ...settingsOf(kept, about), testCluster: now.testCluster };
  const again = await observe(shell, place);
  const files = setOf(kept) === null ? await flatPackage(kept, place, again, about.number) : kept;
  const runtimeThen = manifestOf(kept).runtime?.digest;
  if (runtimeThen !== runtimeInUse(again)?.digest)
    progress(
      `Set ${about.number} had ${runtimeThen === undefined ? 'no Node.js runtime' : 'another Node.js runtime'}. Sets do not contain runtimes, so the present one stays; csync apply --with-runtime or --without-runtime changes it.`,
    );
  const note = `set ${about.number} again`;
  progress(`Rolling back to set ${about.number} of ${about.at}. csync.yaml is not changed: the next csync apply uses it again.`);
  const { wish, number } = await applyWish(shell, {
    place,
    files,
    observation: again,
    sets,
    options: { ...options, takeRendered: true },
    note,
  });
  return applySteps(shell, { settings: now, wish, number, plan: demand(planApply(wish, again)), options, verb: 'rollback' });
}

/** Version 0.1.0 had no sets. Where its files run, or others lie in their place, writing them would change what runs. */
async function flatPackage(
  kept: readonly RenderedFile[],
  place: Settings,
  { members, applied }: ClusterObservation,
  number: number,
): Promise<readonly RenderedFile[]> {
  const files = withLaunchers(kept, place.packageStyle, readMemberScript(entryName));
  const isFree = members.every((one) => {
    const there = new Map(one.reached ? one.files.map(({ name, digest }) => [name, digest]) : []);
    return kept.every(({ name, text }) => isBeside(name) || [undefined, sha256(text)].includes(there.get(name)));
  });
  if (applied?.set !== flatSet && isFree) {
    progress(`Set ${number} was made by version 0.1.0: its scripts run from the package directory itself.`);
    return files;
  }
  progress(
    `Set ${number} was made by version 0.1.0, whose files are in use: its settings are applied with the scripts of this version.`,
  );
  return renderFrom(place, {});
}

/** Also beside the sets in this version, and the manifest, which follows from the others. */
const isBeside = (name: string): boolean => /\.(?:conf|sh)$/.test(name) || name === manifestName;

/** Newest last. */
export async function history(settingsFile: string, json: boolean): Promise<ExitCode> {
  const settings = settingsHere(settingsFile);
  return onMembers(settings, 'once', (shell) => historyOf(shell, settings, json));
}

async function historyOf(shell: MemberShell, settings: Settings, json: boolean): Promise<ExitCode> {
  const observation = await observe(shell, settings);
  const sets = await readHistory(shell, observation, settings);
  if (json) printJson<typeof historyDocument>({ sets });
  else if (sets.length === 0) out('Nothing was applied yet; csync status prints the next step.\n');
  else {
    const rows = sets.map(({ number, at, by, toolkitVersion: version, digest, note }) => [
      number,
      at,
      digest.slice(0, 12),
      `toolkit ${version}`,
      by,
      note,
    ]);
    out(`${columns(rows, { right: [0], indent: 2 }).join('\n')}\n`);
  }
  const problems = unreachableProblems(observation);
  for (const { member, text } of problems) progress(`${member}: ${text}`);
  return exitCodes.ok;
}

/** Compares the rendered package with every member and with the applied configuration. Status 1: something differs. */
export async function diff(sources: PackageSources & { readonly json: boolean }): Promise<ExitCode> {
  const { settings, files } = await preparePackage(sources);
  return onMembers(settings, 'once', async (shell) => report(await observe(shell, settings), settings, files, sources.json));
}

export function report(
  observation: ClusterObservation,
  settings: Settings,
  files: readonly RenderedFile[],
  json: boolean,
): ExitCode {
  const newer = newerManifests(observation);
  if (newer.length > 0) throw new Failure(newer);
  const runtime = runtimeInUse(observation);
  const current = observation.applied?.set ?? null;
  const wanted = asSent(withRuntime(files, runtime), settings);
  const members = observation.members.map((one) =>
    one.reached
      ? { member: one.member, files: compareDirectory(wanted, one, runtime, current) }
      : { member: one.member, unreachable: one.why },
  );
  const { applied } = observation;
  const configuration =
    applied === null ? null : engineFor(settings).definition.differences(applied, definitionIn(files, settings));
  if (json) printJson<typeof diffDocument>({ members, configuration });
  else {
    for (const one of members) {
      if ('unreachable' in one) out(`${one.member}: cannot be checked: ${one.unreachable}\n`);
      else out(`${one.member}: ${listed(differing(one.files))}\n`);
    }
    const lines = configuration?.map(
      ({ keyword, applied: a, wanted: w }) => `${keyword}: ${a.join(', ') || '-'} -> ${w.join(', ') || '-'}`,
    );
    out(`applied configuration: ${lines === undefined ? 'none' : listed(lines)}\n`);
  }
  const unreachable: Problem[] = unreachableProblems(observation);
  const same = members.every((one) => 'files' in one && one.files !== undefined && staleNames(one.files).length === 0);
  if (same && configuration?.length === 0) return exitCodes.ok;
  return unreachable.length > 0 && members.every((one) => 'unreachable' in one) ? exitCodes.cannotRunHere : exitCodes.different;
}

function differing(files: readonly FileDifference[]): string[] {
  const kinds = [...new Set(files.map(({ is }) => is))].filter((is) => is !== 'same');
  const rows = kinds.flatMap((kind) => {
    const names = files.filter(({ is }) => is === kind).map(({ name }) => name);
    return inBrief(names).map((name) => [kind, name]);
  });
  return columns(rows);
}

function listed(lines: readonly string[]): string {
  return lines.length === 0 ? 'same' : lines.map((line) => `\n  ${line}`).join('');
}
