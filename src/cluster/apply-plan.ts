/**
 * From what is wanted and what was observed to the list of steps that makes the one the other. The list is what a dry run
 * prints and what is carried out. Pure.
 */
import type { Checked, Problem } from '../problem.ts';
import { onlineRule } from '../serviceguard/online-rules.ts';
import type { PackageFile } from '../serviceguard/package-file.ts';
import type { PackageStatus } from '../serviceguard/view.ts';
import { compareConfiguration, compareDirectory, type FileDifference, type KeywordDifference } from './comparison.ts';
import type { FileToSend } from './member-scripts.ts';
import { type ClusterObservation, type MemberObservation, type PackagePlace, unreachableProblems } from './observation.ts';

export type ApplyStep =
  | {
      readonly do: 'distribute';
      readonly member: string;
      readonly files: readonly FileToSend[];
      readonly removals: readonly string[];
    }
  | { readonly do: 'command'; readonly member: string; readonly argv: readonly string[] }
  /** Looks at everything again; what does not hold ends the apply. */
  | { readonly do: 'verify' };

export interface ApplyWish {
  readonly place: PackagePlace;
  readonly files: readonly FileToSend[];
  readonly configuration: PackageFile;
  /** Run the package if it is down, and let it fail over. */
  readonly run: boolean;
  /** Halt it where a change wants that; it runs again afterwards. */
  readonly halt: boolean;
  readonly takeRendered: boolean;
  /** Set for the history, sent last, when all the rest is known to hold; null: the newest one there is says the same. */
  readonly set: { readonly files: readonly FileToSend[]; readonly removals: readonly string[] } | null;
}

export interface ApplyPlan {
  readonly steps: readonly ApplyStep[];
  /** What takes effect only later, or is worth knowing; a sentence each. */
  readonly notes: readonly string[];
}

type Reached = Extract<MemberObservation, { reached: true }>;

/** Everything that forbids it is told at once, before anything changed. An empty list of steps: all is as wanted. */
export function planApply(wish: ApplyWish, observation: ClusterObservation): Checked<ApplyPlan> {
  const unreachable = unreachableProblems(observation);
  const { commandMember, status } = observation;
  if (unreachable.length > 0 || commandMember === null) return { ok: false, problems: unreachable };
  const reached = observation.members.filter((one) => one.reached);
  const differences = reached.map((facts) => ({ facts, files: compareDirectory(wish.files, facts) }));
  const keywords = observation.applied === null ? null : compareConfiguration(observation.applied, wish.configuration);
  const runs = status !== null && status.status !== 'down';
  const halting = runs ? needsHalt(keywords ?? [], status, wish) : [];
  const problems = [
    ...reached.flatMap((facts) => nodeProblems(facts, wish.place)),
    ...(wish.takeRendered ? [] : differences.flatMap(({ facts, files }) => editProblems(facts, files))),
    ...statusProblems(status, wish, halting),
  ];
  if (problems.length > 0) return { ok: false, problems };
  const distribute = differences.flatMap(({ facts, files }): ApplyStep[] => {
    const send = filesToSend(wish.files, files);
    return send.length === 0 ? [] : [{ do: 'distribute', member: facts.member, files: send, removals: [] }];
  });
  const command = (...argv: string[]): ApplyStep => ({ do: 'command', member: commandMember, argv });
  const file = `${wish.place.packageDirectory}/${wish.place.packageName}.conf`;
  const applies = keywords === null || keywords.length > 0;
  const changes = [
    ...distribute,
    ...(distribute.length > 0 || applies ? [command('cmcheckconf', '-v', '-P', file)] : []),
    ...(applies ? [command('cmapplyconf', '-f', '-P', file)] : []),
  ];
  // A package that leaves with the old scripts and comes back with the new ones never sees half of each.
  const halt = halting.length > 0 ? [command('cmhaltpkg', wish.place.packageName)] : [];
  const run = halting.length > 0 || (wish.run && !runs) ? runSteps(wish.place, status, command) : [];
  const enable =
    wish.run && runs && !status.autoRun && halting.length === 0 ? [command('cmmodpkg', '-e', wish.place.packageName)] : [];
  const work = [...halt, ...changes, ...run, ...enable];
  // Also when there is nothing else: an apply that was killed before its last step is remembered by the next one.
  const remember = rememberSteps(wish, reached);
  if (work.length === 0) return { ok: true, value: { steps: remember, notes: [] }, problems: [] };
  const steps = [...work, { do: 'verify' } as const, ...remember];
  return { ok: true, value: { steps, notes: notesOn(wish, runs && halting.length === 0, distribute.length > 0) }, problems: [] };
}

function filesToSend(wanted: readonly FileToSend[], differences: readonly FileDifference[]): FileToSend[] {
  const stale = new Set(differences.filter(({ is }) => is !== 'same' && is !== 'extra').map(({ name }) => name));
  return wanted.filter(({ name }) => stale.has(name));
}

/** The member to start on: where it ran, if it still may, else the first with its switch on; cmrunpkg's own default is this host. */
function runSteps(place: PackagePlace, status: PackageStatus | null, command: (...argv: string[]) => ApplyStep): ApplyStep[] {
  const { members, packageName } = place;
  const eligible = members.filter((member) => status?.switching.get(member) !== false);
  const owner = status?.owner ?? null;
  const member = owner !== null && eligible.includes(owner) ? owner : (eligible[0] ?? members[0] ?? '');
  return [command('cmrunpkg', '-n', member, packageName), command('cmmodpkg', '-e', packageName)];
}

function rememberSteps({ set }: ApplyWish, reached: readonly Reached[]): ApplyStep[] {
  if (set === null) return [];
  return reached.map(({ member }) => ({ do: 'distribute', member, files: set.files, removals: set.removals }));
}

/** Why the package has to be halted for it, in words; empty when it may go on running. */
function needsHalt(keywords: readonly KeywordDifference[], status: PackageStatus, wish: ApplyWish): string[] {
  const reasons = keywords
    .filter(({ keyword }) => onlineRule(keyword) !== 'free')
    .map(({ keyword, applied, wanted }) => `${keyword} ${applied.join(', ')} -> ${wanted.join(', ')}`);
  const { owner } = status;
  if (owner !== null && !wish.place.members.includes(owner)) reasons.push(`it runs on ${owner}, which is no longer in the list`);
  return reasons;
}

function statusProblems(status: PackageStatus | null, wish: ApplyWish, halting: readonly string[]): Problem[] {
  const { packageName } = wish.place;
  if (status?.state === 'maintenance')
    return [
      problem(
        'change-maintenance',
        `${packageName} is in maintenance mode; no configuration can be applied now [cmmodpkg -m]`,
        `cmmodpkg -m off ${packageName}`,
      ),
    ];
  if (status === null && wish.run && halting.length === 0) return [];
  if (halting.length === 0 || wish.halt) return [];
  const text = `${packageName} runs, and these changes want it halted: ${halting.join('; ')}`;
  return [
    problem('change-needs-halt', text, 'csync apply --halt   halts it, applies, and runs it again; clients wait meanwhile'),
  ];
}

function nodeProblems({ member, nodeVersion }: Reached, { nodePath }: PackagePlace): Problem[] {
  const [major = 0, minor = 0] = (nodeVersion ?? '').split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return [];
  const text = `${nodePath} ${nodeVersion === null ? 'cannot be run' : `is version ${nodeVersion}`}; no script of the package would start`;
  return [problem('change-no-node', text, 'install Node.js 20.19 or newer there, or correct node_path', member)];
}

function editProblems({ member, directory }: Reached, files: readonly FileDifference[]): Problem[] {
  return files
    .filter(({ is }) => is === 'edited')
    .map(({ name }) =>
      problem(
        'render-hand-edited',
        `${directory}/${name} was changed there since it was distributed; an apply would lose that`,
        'carry the change into csync.yaml or a template and use --take-rendered; --take-mine keeps the edits of this host for all members',
        member,
      ),
    );
}

function problem(code: string, text: string, remedy: string, member?: string): Problem {
  return { code, severity: 'error', text, remedy, member };
}

function notesOn(wish: ApplyWish, goesOn: boolean, distributes: boolean): string[] {
  if (!goesOn || !distributes) return [];
  return [`${wish.place.packageName} goes on running; its monitor takes the new scripts and settings up at the next start`];
}

/** A step as a dry run and the report print it. */
export function stepText(step: ApplyStep): string {
  switch (step.do) {
    case 'distribute':
      return `distribute to ${step.member}: ${step.files.map(({ name }) => name).join(' ')}${step.removals.length > 0 ? `; remove ${step.removals.join(' ')}` : ''}`;
    case 'command':
      return `on ${step.member}: ${step.argv.join(' ')}`;
    case 'verify':
      return 'look at every member and at the package again';
  }
}
