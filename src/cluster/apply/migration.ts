/**
 * Migrates a legacy package to a modular one with the same settings, in the order of the white paper: check, halt, apply, run
 * [serviceguard.md 4.5]. The members store where the package ran, so that a rerun finishes a killed migration. Pure.
 */

import { attempt } from '../../base/attempt.ts';
import { type Checked, errorProblem, type Problem } from '../../base/problem.ts';
import { flatSet, inSet, sha256 } from '../../contract/package-directory.ts';
import { customerDefined } from '../../contract/policy-file-system.ts';
import type { ClusterObservation } from '../remote/observation.ts';
import { type ApplyPlan, type ApplyStep, type ApplyWish, type Before, planApply } from './apply-plan.ts';
import type { FileToSend } from './package-write.ts';

/** On every member during a migration. */
export const migrationFileName = '.csync-migration.json';

export interface MigrationInput {
  /** `run` and `halt` follow from the previous state. */
  readonly wish: ApplyWish;
  readonly observation: ClusterObservation;
  /** The legacy package's, rendered from these settings. */
  readonly legacySettings: FileToSend;
  /** From an earlier migration that did not finish. */
  readonly remembered: Before | null;
}

/** null: damaged. */
export function parseBefore(text: string): Before | null {
  return attempt(() => {
    const { owner = null, autoRun } = JSON.parse(text) as Partial<Before>;
    return typeof autoRun === 'boolean' ? { owner, autoRun } : null;
  }, null);
}

/** No steps: the migration is complete. */
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
    ...(legacy && before.owner !== null ? [`the package is halted once, then runs again on ${before.owner}`] : []),
    ...(hooks.length === 0
      ? []
      : [
          `A modular package does not call ${customerDefined} (on ${hooks.join(', ')}). Make it an external_script in a template of your own`,
        ]),
  ];
  return { ok: true, value: { steps: oneAtATime([...(legacy ? remember : []), ...steps, ...forget]), notes }, problems: [] };
}

/** Each member gets all its files in one distribution. */
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
  const text = `no package ${packageName} is applied: nothing to migrate`;
  return errorProblem('change-nothing-applied', text, 'set package_style: modular in csync.yaml, then run csync apply');
}

function notSettled({ place: { packageName } }: ApplyWish, state: string): Problem {
  return errorProblem(
    'change-not-settled',
    `${packageName} is ${state}, neither running nor halted`,
    'csync status   prints the problem and its fix',
  );
}

/** The settings of the applied set must equal the wanted ones except for the style. */
function pendingProblems(legacySettings: FileToSend, { members, applied }: ClusterObservation): Problem[] {
  const lies = inSet(applied?.set ?? flatSet, legacySettings.name);
  const wanted = sha256(legacySettings.content);
  return members.flatMap((one) => {
    const found = one.reached ? one.files.find(({ name }) => name === lies) : undefined;
    if (!one.reached || found?.digest === wanted) return [];
    const text = 'csync.yaml has changes that are not applied on this member. A migration changes only the style';
    return [
      errorProblem('change-pending', text, 'csync apply, or undo the changes (csync diff lists them); then migrate', one.member),
    ];
  });
}
