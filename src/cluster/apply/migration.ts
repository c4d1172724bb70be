/**
 * From a legacy package to a modular one of the same settings, in the order of the white paper: check, halt, apply, run
 * [serviceguard.md 4.5]. An apply plan with the halt behind the check; where the package ran is remembered on the members, so
 * that the same command finishes after it was killed. Pure.
 */

import { type Checked, errorProblem, type Problem } from '../../base/problem.ts';
import { flatSet, inSet, sha256 } from '../../contract/package-directory.ts';
import { customerDefined } from '../../contract/policy-file-system.ts';
import type { ClusterObservation } from '../remote/observation.ts';
import { type ApplyPlan, type ApplyStep, type ApplyWish, type Before, planApply } from './apply-plan.ts';
import type { FileToSend } from './package-write.ts';

/** Lies in the package directory of every member while a migration is under way. */
export const migrationFileName = '.csync-migration.json';

export interface MigrationInput {
  /** The modular package; `run` and `halt` follow from what the package was before. */
  readonly wish: ApplyWish;
  readonly observation: ClusterObservation;
  /** settings.json of the legacy package, as these settings render it. */
  readonly legacySettings: FileToSend;
  /** From an earlier migration that did not end. */
  readonly remembered: Before | null;
}

/** Text of the file that remembers; null for one that is damaged or is none. */
export function parseBefore(text: string): Before | null {
  try {
    const { owner = null, autoRun } = JSON.parse(text) as Partial<Before>;
    return typeof autoRun === 'boolean' ? { owner, autoRun } : null;
  } catch {
    return null;
  }
}

/** No step at all: the package is modular and nothing is left of the migration. */
export function planMigration({ wish, observation, legacySettings, remembered }: MigrationInput): Checked<ApplyPlan> {
  const { applied, status, members } = observation;
  const legacy = applied?.style === 'legacy';
  const before = remembered ?? { owner: status?.owner ?? null, autoRun: status?.autoRun ?? false };
  const reached = members.filter((one) => one.reached);
  const problems = [
    ...(applied === null ? [notApplied(wish)] : []),
    ...(legacy && status !== null && !settled(status.status, status.state) ? [notSettled(wish, status.state)] : []),
    ...(legacy ? pendingProblems(legacySettings, observation) : []),
  ];
  if (problems.length > 0) return { ok: false, problems };
  const planned = planApply({ ...wish, halt: true, run: before.owner !== null, before }, observation);
  if (!planned.ok) return planned;
  const { steps } = planned.value;
  const memory: FileToSend = { name: migrationFileName, mode: 0o600, content: Buffer.from(`${JSON.stringify(before)}\n`) };
  const remember = reached.map(
    ({ member }): ApplyStep => ({ do: 'distribute', member, files: [memory], removals: [], runtime: null }),
  );
  const forget = reached
    .filter((one) => legacy || one.files.some(({ name }) => name === migrationFileName))
    .map(({ member }): ApplyStep => {
      return { do: 'distribute', member, files: [], removals: [migrationFileName], runtime: null };
    });
  const hooks = reached.filter((one) => one.files.some(({ name }) => name === customerDefined)).map(({ member }) => member);
  const notes = [
    ...planned.value.notes,
    ...(legacy && before.owner !== null ? [`the package is halted once, and runs again on ${before.owner}`] : []),
    ...(hooks.length === 0
      ? []
      : [
          `${customerDefined} (on ${hooks.join(', ')}) is not called by a modular package: make it an external_script in a template of your own`,
        ]),
  ];
  return { ok: true, value: { steps: oneAtATime([...(legacy ? remember : []), ...steps, ...forget]), notes }, problems: [] };
}

/** Distributions that stand together go side by side, so a member gets all that is for it there in a single one. */
function oneAtATime(steps: readonly ApplyStep[]): ApplyStep[] {
  const made: ApplyStep[] = [];
  for (const step of steps) {
    const others = made.findLastIndex((one) => one.do !== 'distribute');
    const at = made.findIndex(
      (one, index) => index > others && one.do === 'distribute' && 'member' in step && one.member === step.member,
    );
    const same = made[at];
    if (step.do !== 'distribute' || same?.do !== 'distribute') made.push(step);
    else {
      const [files, removals] = [
        [...same.files, ...step.files],
        [...same.removals, ...step.removals],
      ];
      made[at] = { ...same, files, removals, runtime: same.runtime ?? step.runtime };
    }
  }
  return made;
}

function settled(status: string, state: string): boolean {
  return status === 'down' || (status === 'up' && state === 'running');
}

function notApplied({ place: { packageName } }: ApplyWish): Problem {
  const text = `no package ${packageName} is applied, so there is none to migrate`;
  return errorProblem('change-nothing-applied', text, 'make it package_style: modular in csync.yaml, then csync apply');
}

function notSettled({ place: { packageName } }: ApplyWish, state: string): Problem {
  return errorProblem(
    'change-not-settled',
    `${packageName} is ${state}, neither running nor halted`,
    'csync status   says what to do about it',
  );
}

/** What runs is the set that is applied: its settings have to be the wanted ones, but for the style. */
function pendingProblems(legacySettings: FileToSend, { members, applied }: ClusterObservation): Problem[] {
  const lies = inSet(applied?.set ?? flatSet, legacySettings.name);
  const wanted = sha256(legacySettings.content);
  return members.flatMap((one) => {
    const found = one.reached ? one.files.find(({ name }) => name === lies) : undefined;
    if (!one.reached || found?.digest === wanted) return [];
    const text = 'csync.yaml has changes that were not applied to this member; a migration changes the style and nothing else';
    return [
      errorProblem('change-pending', text, 'csync apply first, or take the changes back; csync diff shows them', one.member),
    ];
  });
}
