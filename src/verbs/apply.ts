/** `csync apply | rollback | history | diff`: the package directory and the applied configuration of a whole cluster. */

import { type ApplyPlan, type ApplyWish, planApply, stepText } from '../cluster/apply-plan.ts';
import { runPlan } from '../cluster/apply-run.ts';
import { compareConfiguration, compareDirectory } from '../cluster/comparison.ts';
import { newSet, parseHistory, readSet, type SetAbout, setFileName } from '../cluster/history.ts';
import { historyScript, readFileScript } from '../cluster/member-scripts.ts';
import { type ClusterObservation, observe, type PackagePlace, unreachableProblems } from '../cluster/observation.ts';
import { type MemberShell, openSshShell } from '../host/member-shell.ts';
import { loginName } from '../host/terminal.ts';
import { demand, type ExitCode, exitCodes, Failure, type Problem } from '../problem.ts';
import { type RenderedFile, withEdits } from '../render/package.ts';
import { checkPackageFile } from '../serviceguard/package-check.ts';
import { parsePackageFile } from '../serviceguard/package-file.ts';
import { toolkitVersion } from '../version.ts';
import { confirm } from './confirm.ts';
import { asSent, handEdits, type PackageSources, preparePackage } from './render.ts';

export interface ApplyOptions extends PackageSources {
  readonly run: boolean;
  readonly halt: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly takeRendered: boolean;
  readonly takeMine: boolean;
  readonly json: boolean;
}

const out = (text: string): void => void process.stdout.write(text);
const progress = (line: string): void => void process.stderr.write(`${line}\n`);

/** Brings every member and the applied configuration to what settings and templates say. */
export async function apply(options: ApplyOptions): Promise<ExitCode> {
  const { settings, files: rendered } = await preparePackage(options);
  const shell = openSshShell();
  const observation = await observe(shell, settings);
  const files = options.takeMine ? withEdits(rendered, editsHere(shell, observation, rendered)) : rendered;
  return carryThrough(shell, { place: settings, files, observation, options, note: '', verb: 'apply' });
}

/** What somebody edited in the package directory of this host. */
function editsHere(shell: MemberShell, { members }: ClusterObservation, files: readonly RenderedFile[]): Map<string, string> {
  const here = members.find((one) => one.reached && one.member === shell.here);
  return here?.reached ? handEdits(here.directory, files) : new Map();
}

export type RollbackOptions = Omit<ApplyOptions, keyof PackageSources | 'takeRendered' | 'takeMine'> & {
  readonly settings: string;
  readonly number: number | undefined;
};

/** Applies an earlier set again, as a new one; csync.yaml is left alone, and the next apply would follow it. */
export async function rollback(options: RollbackOptions): Promise<ExitCode> {
  const { settings: now } = await preparePackage({ settings: options.settings });
  const shell = openSshShell();
  const observation = await observe(shell, now);
  const sets = await readHistory(shell, observation, now);
  const wanted = options.number ?? sets.at(-2)?.number;
  const about = sets.find(({ number }) => number === wanted);
  if (about === undefined) {
    const text = wanted === undefined ? 'there is no earlier set to go back to' : `there is no set ${wanted}`;
    throw new Failure([{ code: 'usage-no-set', severity: 'error', text, remedy: 'csync history   lists the sets there are' }]);
  }
  const files = await fetchSet(shell, observation, now, about);
  const place = placeOf(files);
  const again = await observe(shell, place);
  const note = `set ${about.number} again`;
  progress(`Going back to set ${about.number} of ${about.at}. csync.yaml stays as it is: the next csync apply follows it again.`);
  return carryThrough(shell, {
    place,
    files,
    observation: again,
    options: { ...options, takeRendered: true },
    note,
    verb: 'rollback',
  });
}

function placeOf(files: readonly RenderedFile[]): PackagePlace {
  return JSON.parse(files.find(({ name }) => name === 'settings.json')?.text ?? '{}') as PackagePlace;
}

async function readHistory(shell: MemberShell, { members }: ClusterObservation, place: PackagePlace): Promise<SetAbout[]> {
  const reached = members.filter((one) => one.reached);
  const texts = await Promise.all(reached.map(({ member }) => shell.run(member, historyScript(place.packageDirectory), 20_000)));
  return parseHistory(texts.map(({ stdout }) => stdout).join('\n'));
}

/** From the first member whose copy is whole. */
async function fetchSet(
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

interface Wanted {
  readonly place: PackagePlace;
  readonly files: readonly RenderedFile[];
  readonly observation: ClusterObservation;
  readonly options: Pick<ApplyOptions, 'run' | 'halt' | 'yes' | 'dryRun' | 'takeRendered' | 'json'>;
  readonly note: string;
  /** apply or rollback, for what is said to people. */
  readonly verb: string;
}

/** Plan, question, work: the same for an apply and for a way back. */
async function carryThrough(shell: MemberShell, { place, files, observation, options, note, verb }: Wanted): Promise<ExitCode> {
  const { dryRun, json, yes } = options;
  const sets = await readHistory(shell, observation, place);
  const about = { at: new Date().toISOString(), by: `${loginName()}@${shell.here}`, toolkitVersion, note };
  const set = newSet(about, files, sets);
  const number = set?.about.number ?? sets.at(-1)?.number;
  const wish: ApplyWish = { ...options, place, files: files.map(asSent), configuration: configurationOf(files, place), set };
  const plan = demand(planApply(wish, observation));
  const report = (outcome: string): void => {
    const steps = plan.steps.map(stepText);
    if (json)
      out(`${JSON.stringify({ outcome, set: outcome === 'applied' ? number : null, steps, notes: plan.notes }, null, 2)}\n`);
    else if (outcome === 'unchanged') out('Every member and the applied configuration are as wanted; there is nothing to do.\n');
    else if (outcome === 'applied') out(`Applied as set ${number}, looked at on every member.\n`);
    else out(`${planText(plan)}\n`);
  };
  if (plan.steps.length === 0) report('unchanged');
  else if (dryRun) report('would be applied');
  else {
    progress(planText(plan));
    if (!yes) await confirm(verb);
    await runPlan(plan, { shell, wish, say: progress });
    report('applied');
  }
  return exitCodes.ok;
}

function planText({ steps, notes }: ApplyPlan): string {
  return [
    ...steps.map((step, index) => `${String(index + 1).padStart(3)}. ${stepText(step)}`),
    ...notes.map((note) => `Note: ${note}.`),
  ].join('\n');
}

function configurationOf(files: readonly RenderedFile[], { packageName }: PackagePlace) {
  const name = `${packageName}.conf`;
  const configuration = demand(parsePackageFile(files.find((file) => file.name === name)?.text ?? '', name));
  const problems = checkPackageFile(configuration, name);
  if (problems.some(({ severity }) => severity === 'error')) throw new Failure(problems);
  return configuration;
}

/** The sets there are, the newest last. */
export async function history(settingsFile: string, json: boolean): Promise<ExitCode> {
  const { settings } = await preparePackage({ settings: settingsFile });
  const shell = openSshShell();
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
  const observation = await observe(openSshShell(), settings);
  const wanted = files.map(asSent);
  const members = observation.members.map((one) =>
    one.reached ? { member: one.member, files: compareDirectory(wanted, one) } : { member: one.member, unreachable: one.why },
  );
  const { applied } = observation;
  const configuration = applied === null ? null : compareConfiguration(applied, configurationOf(files, settings));
  if (sources.json) out(`${JSON.stringify({ members, configuration }, null, 2)}\n`);
  else {
    for (const one of members) {
      if ('unreachable' in one) out(`${one.member}: cannot be looked at: ${one.unreachable}\n`);
      else
        out(
          `${one.member}: ${listed(one.files.filter(({ is }) => is !== 'same').map(({ name, is }) => `${is.padEnd(8)} ${name}`))}\n`,
        );
    }
    const lines = configuration?.map(
      ({ keyword, applied: a, wanted: w }) => `${keyword}: ${a.join(', ') || '-'} -> ${w.join(', ') || '-'}`,
    );
    out(`applied configuration: ${lines === undefined ? 'there is none' : listed(lines)}\n`);
  }
  const unreachable: Problem[] = unreachableProblems(observation);
  const same = members.every((one) => 'files' in one && one.files?.every(({ is }) => is === 'same' || is === 'extra'));
  if (same && configuration?.length === 0) return exitCodes.ok;
  return unreachable.length > 0 && members.every((one) => 'unreachable' in one) ? exitCodes.cannotRunHere : exitCodes.different;
}

function listed(lines: readonly string[]): string {
  return lines.length === 0 ? 'same' : lines.map((line) => `\n  ${line}`).join('');
}
