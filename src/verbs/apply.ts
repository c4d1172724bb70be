/** `csync apply | rollback | history | diff`: the package directory and the applied configuration of a whole cluster. */

import { demand, type ExitCode, exitCodes, Failure, type Problem } from '../base/problem.ts';
import { toolkitVersion } from '../base/version.ts';
import {
  appliedSet,
  compareConfiguration,
  compareDirectory,
  type FileDifference,
  inBrief,
  staleNames,
} from '../cluster/apply/comparison.ts';
import { newSet, parseHistory, readSet, type SetAbout, setFileName } from '../cluster/apply/history.ts';
import { historyScript, printedFiles, printFilesScript } from '../cluster/apply/package-write.ts';
import { type ApplyWish, planApply, stepText } from '../cluster/apply/plan.ts';
import { runPlan } from '../cluster/apply/run.ts';
import { runtimeInUse } from '../cluster/apply/runtime.ts';
import {
  type ClusterObservation,
  inParallel,
  observe,
  type PackagePlace,
  unreachableProblems,
} from '../cluster/remote/observation.ts';
import { readFileScript } from '../cluster/remote/shell-text.ts';
import { entryNames, flatSet, type Runtime, setPartOf, settingsName, sha256 } from '../contract/package-directory.ts';
import { parseRoster, rosterName } from '../contract/roster.ts';
import type { MemberShell } from '../host/admin/member-shell.ts';
import { loginName } from '../host/admin/terminal.ts';
import { err, out, progress } from '../host/output.ts';
import { manifestOf, type RenderedFile, setOf, setText, wholePackage, withEdits, withRuntime } from '../render/package.ts';
import { checkPackageFile } from '../serviceguard/package-check.ts';
import { allValues, parsePackageFile } from '../serviceguard/package-file.ts';
import { parseSettingsJson, type Settings } from '../settings/settings.ts';
import { confirm, numbered } from './common/confirm.ts';
import { afterwards, changingMembers, onMembers } from './common/connections.ts';
import { carryMeter, chooseRuntime, type RuntimeOptions } from './common/runtime.ts';
import { settingsHere } from './common/toolkit-files.ts';
import { asSent, handEdits, type PackageSources, preparePackage, renderFrom } from './render.ts';

export interface ApplyOptions extends PackageSources, RuntimeOptions {
  readonly run: boolean;
  readonly halt: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly wait?: number | undefined;
  readonly takeRendered: boolean;
  readonly takeMine: boolean;
  readonly json: boolean;
}

/** Brings every member and the applied configuration to what settings and templates say. */
export async function apply(options: ApplyOptions): Promise<ExitCode> {
  const { settings, files: rendered } = await preparePackage(options);
  return changingMembers({ verb: 'apply', ...options }, settings, async (shell) => {
    const observation = await observe(shell, settings);
    await demandMembers(shell, observation, settings, options.settings);
    const files = options.takeMine ? withEdits(rendered, editsHere(shell, observation, rendered)) : rendered;
    const sets = await readHistory(shell, observation, settings);
    return carryThrough(shell, { place: settings, files, observation, sets, options, note: '', verb: 'apply' });
  });
}

/** A settings file of before would throw out a member that came by csync member add, or by itself. */
async function demandMembers(
  shell: MemberShell,
  { applied, commandMember }: ClusterObservation,
  { members, packageDirectory }: Settings,
  file: string,
): Promise<void> {
  if (applied === null || commandMember === null) return;
  const dropped = allValues(applied, 'node_name').filter((name) => !members.includes(name));
  if (dropped.length === 0) return;
  const read = await shell.run(commandMember, readFileScript(packageDirectory, rosterName), 20_000);
  const roster = parseRoster(Buffer.from(read.stdout, 'base64').toString('utf8'));
  const kept = dropped.filter((name) => roster?.members.some((one) => one.name === name));
  if (kept.length === 0) return;
  const text = `${file} does not list ${kept.join(', ')}, which ${kept.length === 1 ? 'is set up as a member' : 'are set up as members'}; this apply would throw it out`;
  const remedy = `add it to members in ${file}; or take it out everywhere: csync member remove ${kept[0]}`;
  throw new Failure([{ code: 'settings-members', severity: 'error', text, remedy, place: { file } }]);
}

/** What somebody edited in the package directory of this host. */
function editsHere(shell: MemberShell, { members }: ClusterObservation, files: readonly RenderedFile[]): Map<string, string> {
  const here = members.find((one) => one.reached && one.member === shell.here);
  return here?.reached ? handEdits(here.directory, files) : new Map();
}

export type RollbackOptions = Omit<ApplyOptions, keyof PackageSources | keyof RuntimeOptions | 'takeRendered' | 'takeMine'> & {
  readonly settings: string;
  readonly number: number | undefined;
};

/** Applies an earlier set again, as a new one; csync.yaml is left alone, and the next apply would follow it. */
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
    const text = wanted === undefined ? 'there is no earlier set to go back to' : `there is no set ${wanted}`;
    throw new Failure([{ code: 'usage-no-set', severity: 'error', text, remedy: 'csync history   lists the sets there are' }]);
  }
  const kept = await fetchSet(shell, observation, now, about);
  const place = settingsOf(kept, about);
  // Version 0.1.0 had no sets: what it kept would be written over what runs.
  const files = setOf(kept) === null ? await renderFrom(place, {}) : kept;
  if (files !== kept)
    progress(`Set ${about.number} is of version 0.1.0: its settings are applied, with the scripts of this version.`);
  const again = await observe(shell, place);
  const runtimeThen = manifestOf(kept).runtime?.digest;
  if (runtimeThen !== runtimeInUse(again)?.digest)
    progress(
      `Set ${about.number} had ${runtimeThen === undefined ? 'no Node.js runtime' : 'another Node.js runtime'}. Sets do not hold them: what is in use stays; csync apply --with-runtime or --without-runtime changes it.`,
    );
  const note = `set ${about.number} again`;
  progress(`Going back to set ${about.number} of ${about.at}. csync.yaml stays as it is: the next csync apply follows it again.`);
  return carryThrough(shell, {
    place,
    files,
    observation: again,
    sets,
    options: { ...options, takeRendered: true },
    note,
    verb: 'rollback',
  });
}

function settingsOf(files: readonly RenderedFile[], about: SetAbout): Settings {
  const settings = parseSettingsJson(setText(files, settingsName) ?? '');
  if (typeof settings !== 'string') return settings;
  const text = `the settings of set ${about.number} are none of this version: ${settings}`;
  throw new Failure([{ code: 'change-no-set', severity: 'error', text, remedy: 'csync history   lists the others' }]);
}

export async function readHistory(shell: MemberShell, { members }: ClusterObservation, place: PackagePlace): Promise<SetAbout[]> {
  const reached = members.filter((one) => one.reached);
  const texts = await inParallel(reached, ({ member }) => shell.run(member, historyScript(place.packageDirectory), 20_000));
  return parseHistory(texts.map(({ stdout }) => stdout).join('\n'));
}

/** From the first member whose copy is whole. */
export async function fetchSet(
  shell: MemberShell,
  { members }: ClusterObservation,
  place: PackagePlace,
  about: SetAbout,
): Promise<RenderedFile[]> {
  for (const { member } of members.filter((one) => one.reached)) {
    const read = await shell.run(member, readFileScript(place.packageDirectory, setFileName(about.number)), 60_000);
    const files = read.exitCode === 0 ? readSet(Buffer.from(read.stdout, 'base64'), about) : null;
    if (files !== null) return files;
  }
  const text = `set ${about.number} is on no member that answers, or is damaged on all of them`;
  throw new Failure([{ code: 'change-no-set', severity: 'error', text, remedy: 'csync history   lists the others' }]);
}

/** The files of the applied set, from the first member where all of them are as they were rendered; null: no member has them so. */
export async function fetchApplied(
  shell: MemberShell,
  { members, applied }: ClusterObservation,
  { packageDirectory, packageName, packageStyle }: Settings,
): Promise<RenderedFile[] | null> {
  const set = appliedSet(applied);
  if (set === null || set === flatSet) return null;
  const beside = [...entryNames(packageStyle), `${packageName}.conf`];
  for (const one of members) {
    if (!one.reached) continue;
    const files = one.files.filter(({ name }) => setPartOf(name)?.set === set || beside.includes(name));
    const names = files.map(({ name }) => name);
    const answer = await shell.run(one.member, printFilesScript(packageDirectory, names), 60_000);
    const texts = printedFiles(answer.stdout);
    const read = files.flatMap(({ name, mode, digest }): RenderedFile[] => {
      const text = texts.get(name);
      return text !== undefined && sha256(text) === digest ? [{ name, mode, text }] : [];
    });
    const whole = wholePackage(read, set, `${packageName}.conf`);
    if (whole !== null) return whole;
  }
  return null;
}

export interface Wanted {
  readonly place: PackagePlace;
  readonly files: readonly RenderedFile[];
  readonly observation: ClusterObservation;
  /** The history there is. */
  readonly sets: readonly SetAbout[];
  readonly options: Pick<ApplyOptions, 'run' | 'halt' | 'yes' | 'dryRun' | 'takeRendered' | 'json'> & RuntimeOptions;
  readonly note: string;
  /** The verb, for what is said to people. */
  readonly verb: string;
  /** Another way than that of an apply. */
  readonly plan?: typeof planApply;
  /** What is done here when all the rest holds. */
  readonly last?: { readonly text: string; readonly run: () => void } | null;
}

/** Plan, question, work: the same for an apply and for a way back. */
export async function carryThrough(shell: MemberShell, wanted: Wanted): Promise<ExitCode> {
  const { place, files: rendered, observation, sets, options, note: noted, verb, last = null } = wanted;
  const { dryRun, json, yes } = options;
  const { runtime, carry } = await chooseRuntime(shell, observation, place, options);
  const files = withRuntime(rendered, runtime);
  const note = [noted, runtimeNote(runtimeInUse(observation), runtime)].filter(Boolean).join(', ');
  const about = { at: new Date().toISOString(), by: `${loginName()}@${shell.here}`, toolkitVersion, note };
  const set = newSet(about, files, sets);
  const number = set?.about.number ?? sets.at(-1)?.number;
  const wish: ApplyWish = {
    ...options,
    place,
    files: files.map(asSent),
    configuration: configurationOf(files, place),
    set,
    runtime,
    carry,
  };
  const plan = demand((wanted.plan ?? planApply)(wish, observation));
  const texts = [...plan.steps.map(stepText), ...(last === null ? [] : [last.text])];
  const report = (outcome: string): void => {
    const steps = texts;
    if (json)
      out(`${JSON.stringify({ outcome, set: outcome === 'applied' ? number : null, steps, notes: plan.notes }, null, 2)}\n`);
    else if (outcome === 'unchanged') out('Every member and the applied configuration are as wanted; there is nothing to do.\n');
    else if (outcome === 'applied') out(`Applied as set ${number}, looked at on every member.\n`);
    else out(planText(texts, plan.notes));
  };
  if (texts.length === 0) report('unchanged');
  else if (dryRun) report('would be applied');
  else {
    err(planText(texts, plan.notes));
    if (!yes) await confirm(verb, shell.stop);
    const meter = carryMeter();
    await runPlan(plan, { shell, wish, say: meter.line, onCarried: meter.told, afterwards });
    if (last !== null) {
      progress(last.text);
      last.run();
    }
    report('applied');
  }
  return exitCodes.ok;
}

/** What a set says in the history where the runtime is another than before. */
function runtimeNote(before: Runtime | null, now: Runtime | null): string {
  if (before?.digest === now?.digest) return '';
  return now === null ? 'without the Node.js runtime' : `with Node.js runtime ${now.digest.slice(0, 12)}`;
}

function planText(steps: readonly string[], notes: readonly string[]): string {
  return numbered(steps) + notes.map((note) => `Note: ${note}.\n`).join('');
}

export function configurationOf(files: readonly RenderedFile[], { packageName }: PackagePlace) {
  const name = `${packageName}.conf`;
  const configuration = demand(parsePackageFile(files.find((file) => file.name === name)?.text ?? '', name));
  const problems = checkPackageFile(configuration, name);
  if (problems.some(({ severity }) => severity === 'error')) throw new Failure(problems);
  return configuration;
}

/** The sets there are, the newest last. */
export async function history(settingsFile: string, json: boolean): Promise<ExitCode> {
  const settings = settingsHere(settingsFile);
  return onMembers('once', (shell) => historyOf(shell, settings, json));
}

async function historyOf(shell: MemberShell, settings: Settings, json: boolean): Promise<ExitCode> {
  const observation = await observe(shell, settings);
  const sets = await readHistory(shell, observation, settings);
  if (json) out(`${JSON.stringify({ sets }, null, 2)}\n`);
  else if (sets.length === 0) out('Nothing was applied yet.\n');
  else
    for (const { number, at, by, toolkitVersion: version, digest, note } of sets)
      out(`${[String(number).padStart(4), at, digest.slice(0, 12), `toolkit ${version}`, by, note].join('  ').trimEnd()}\n`);
  const problems = unreachableProblems(observation);
  for (const { member, text } of problems) progress(`${member}: ${text}`);
  return exitCodes.ok;
}

/** Rendered against every member and against the applied configuration; status 1 when anything differs. */
export async function diff(sources: PackageSources & { readonly json: boolean }): Promise<ExitCode> {
  const { settings, files } = await preparePackage(sources);
  return onMembers('once', async (shell) => report(await observe(shell, settings), settings, files, sources.json));
}

function report(observation: ClusterObservation, settings: Settings, files: readonly RenderedFile[], json: boolean): ExitCode {
  const runtime = runtimeInUse(observation);
  const current = appliedSet(observation.applied);
  const wanted = withRuntime(files, runtime).map(asSent);
  const members = observation.members.map((one) =>
    one.reached
      ? { member: one.member, files: compareDirectory(wanted, one, runtime, current) }
      : { member: one.member, unreachable: one.why },
  );
  const { applied } = observation;
  const configuration = applied === null ? null : compareConfiguration(applied, configurationOf(files, settings));
  if (json) out(`${JSON.stringify({ members, configuration }, null, 2)}\n`);
  else {
    for (const one of members) {
      if ('unreachable' in one) out(`${one.member}: cannot be looked at: ${one.unreachable}\n`);
      else out(`${one.member}: ${listed(differing(one.files))}\n`);
    }
    const lines = configuration?.map(
      ({ keyword, applied: a, wanted: w }) => `${keyword}: ${a.join(', ') || '-'} -> ${w.join(', ') || '-'}`,
    );
    out(`applied configuration: ${lines === undefined ? 'there is none' : listed(lines)}\n`);
  }
  const unreachable: Problem[] = unreachableProblems(observation);
  const same = members.every((one) => 'files' in one && one.files !== undefined && staleNames(one.files).length === 0);
  if (same && configuration?.length === 0) return exitCodes.ok;
  return unreachable.length > 0 && members.every((one) => 'unreachable' in one) ? exitCodes.cannotRunHere : exitCodes.different;
}

function differing(files: readonly FileDifference[]): string[] {
  const kinds = [...new Set(files.map(({ is }) => is))].filter((is) => is !== 'same');
  return kinds.flatMap((kind) => {
    const names = files.filter(({ is }) => is === kind).map(({ name }) => name);
    return inBrief(names).map((name) => `${kind.padEnd(8)} ${name}`);
  });
}

function listed(lines: readonly string[]): string {
  return lines.length === 0 ? 'same' : lines.map((line) => `\n  ${line}`).join('');
}
