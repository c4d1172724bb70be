/** Carries out an apply plan step by step, and reports which steps are done and which are not. */

import { type CodeBehind, isProblemCode } from '../../base/codes/problem-codes.ts';
import { errorProblem, Failure, failure, Interrupted, type Problem } from '../../base/problem.ts';
import type { BeginStep } from '../../base/progress.ts';
import { engineFor, typed } from '../../engine/choice/engine-for.ts';
import type { Argv } from '../../engine/engine.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { printedWords } from '../../host/admin/no-answer.ts';
import type { CommandResult } from '../../host/host.ts';
import { inParallel, observe, unreachableProblems } from '../remote/observation.ts';
import { arrivalName } from '../remote/package-look.ts';
import { busyStatus, commandScript } from '../remote/shell-text.ts';
import { type ApplyPlan, type ApplyStep, type ApplyWish, stepText } from './apply-plan.ts';
import { compareDirectory } from './comparison.ts';
import { distributeScript, forgetScript, readSwitch, sweepSetsScript, switchScript } from './package-write.ts';
import { discardScript, filesForProof, proveScript, readProof, receiveScript, sizeText, sweepScript } from './runtime.ts';

const distributeLimitMs = 120_000;
/** Far above the engine's own limits for a start or a halt. */
const commandLimitMs = 2 * 4294 * 1000;

/** About 200 MB at 1 Mbit/s. */
const carryLimitMs = 30 * 60_000;
const proveLimitMs = 120_000;

interface Run {
  readonly shell: MemberShell;
  readonly wish: ApplyWish;
  readonly begin: BeginStep;
  /** A line that is no step. */
  readonly say: (line: string) => void;
  /** Called with the bytes of a runtime that were sent so far. */
  readonly onCarried: (member: string, bytes: number, size: number) => void;
  /** Another connection to the members, for the cleanup after an interruption. */
  readonly afterwards: (work: (shell: MemberShell) => Promise<void>) => Promise<void>;
}

/**
 * Steps of different members run side by side, all others one by one. Throws a Failure with the failed, the done and the pending steps. A
 * second apply completes them, since it observes first.
 */
export async function runApplyPlan(plan: ApplyPlan, run: Run): Promise<void> {
  const done: ApplyStep[] = [];
  const settle = async (group: readonly ApplyStep[], results: readonly (readonly Problem[])[]): Promise<void> => {
    const problems = [...new Set(results.flat())];
    done.push(...group.filter((_, at) => results[at]?.length === 0));
    if (problems.length === 0) return;
    await discard(plan.steps, done, run);
    throw new Failure([...problems, summary(plan.steps, done, run.wish)]);
  };
  for (let index = 0; index < plan.steps.length; ) {
    const group = groupAt(plan.steps, index);
    const results = await inParallel(group, (step) => marked(step, run)).catch(async (error: unknown) => {
      // The lock of the cluster was lost.
      if (error instanceof Failure) throw new Failure([...error.problems, summary(plan.steps, done, run.wish)]);
      if (!(error instanceof Interrupted)) throw error;
      await run.afterwards((shell) => discard(plan.steps, done, { shell, wish: run.wish }));
      throw interrupted(plan.steps, done, group, run.wish);
    });
    await settle(group, results);
    index += group.length;
  }
}

/** Steps that may run together: adjacent distributions, adjacent carried runtimes, or one other step. */
function groupAt(steps: readonly ApplyStep[], index: number): readonly ApplyStep[] {
  const rest = steps.slice(index);
  const [first] = rest;
  const other = rest.findIndex((step) => step.do !== first?.do);
  return first?.do === 'distribute' || first?.do === 'carry'
    ? rest.slice(0, other === -1 ? rest.length : other)
    : rest.slice(0, 1);
}

async function marked(step: ApplyStep, run: Run): Promise<Problem[]> {
  const end = run.begin(stepText(step));
  const problems = await carryOut(step, run);
  end(problems.length === 0 ? 'done' : 'failed');
  return problems;
}

type CarryStep = Extract<ApplyStep, { do: 'carry' }>;

async function carryOut(step: ApplyStep, run: Run): Promise<Problem[]> {
  const { shell, wish } = run;
  const { packageDirectory } = wish.place;
  if (step.do === 'carry') return carry(step, run);
  if (step.do === 'verify') return verify(shell, wish, step.serves);
  if (step.do === 'sweep' || step.do === 'sweep sets' || step.do === 'forget') {
    const scripts = {
      sweep: () => sweepScript(packageDirectory),
      forget: () => forgetScript(packageDirectory),
      'sweep sets': () => (step.do === 'sweep sets' ? sweepSetsScript(wish.place, step.sets, step.flat) : ''),
    };
    const swept = await shell.run(step.member, scripts[step.do](), distributeLimitMs);
    return swept.exitCode === 0 ? [] : [distributeProblem(step.member, swept)];
  }
  if (step.do === 'distribute') {
    const arrival = step.runtime === null ? null : arrivalName(step.runtime.token);
    const script = distributeScript(packageDirectory, step.files, step.removals, arrival);
    const sent = await shell.run(step.member, script, distributeLimitMs);
    return sent.exitCode === 0 ? [] : [distributeProblem(step.member, sent)];
  }
  if (step.do === 'switch') return switchOver(step, run);
  const ended = await shell.run(step.member, commandScript(step.argv, packageDirectory), commandLimitMs);
  return ended.exitCode === 0 ? [] : [commandProblem(wish, step.member, step.argv, ended)];
}

/** The failures of the step, and the resulting state. The package runs again in any case if it can. */
async function switchOver(step: Extract<ApplyStep, { do: 'switch' }>, { shell, wish }: Run): Promise<Problem[]> {
  const { packageDirectory, packageName } = wish.place;
  const script = switchScript(packageDirectory, step.halt, step.between, step.back);
  const ended = await shell.run(step.member, script, commandLimitMs);
  if (ended.exitCode === 0) return [];
  if (ended.exitCode === busyStatus) return [distributeProblem(step.member, { ...ended, stderr: ended.stdout })];
  const failed = readSwitch(ended.stdout);
  const commands = [...step.halt, ...step.between, ...step.back];
  const wrong = failed.map((at) => commandProblem(wish, step.member, commands[at] ?? [], ended));
  if (wrong.length === 0) return [commandProblem(wish, step.member, step.halt[0] ?? [], ended)];
  const isApplied = !failed.some((at) => at < step.halt.length + step.between.length);
  const runs = !failed.some((at) => at >= step.halt.length + step.between.length) && !failed.some((at) => at < step.halt.length);
  if (isApplied || !runs || step.back.length === 0) return wrong;
  const note = `${packageName} was halted for it, and runs again with its previous configuration and files`;
  return wrong.map((one) => ({ ...one, text: `${one.text}\n  ${note}` }));
}

async function carry({ member, source }: CarryStep, run: Run): Promise<Problem[]> {
  const { shell, wish, say, onCarried } = run;
  const { packageDirectory } = wish.place;
  const wrong = (code: CodeBehind<'change-runtime-'>, text: string, remedy: string): Problem[] => [
    errorProblem(`change-runtime-${code}`, text, remedy, member),
  ];
  const receive = receiveScript(packageDirectory, source, carryLimitMs);
  const onSent = (bytes: number): void => onCarried(member, bytes, source.size);
  const sent = await shell.send(member, receive, { file: source.file, onSent }, carryLimitMs);
  if (sent.exitCode !== 0) {
    const said =
      sent.stderr.trim() || (sent.timedOut ? 'it did not finish in time' : `exit status ${sent.exitCode ?? sent.signal}`);
    const text = `the Node.js runtime did not arrive, and no file was changed: ${said}`;
    return wrong('lost', text, `check space, rights and connection of ${member}, then run the same command again`);
  }
  const script = proveScript(packageDirectory, source, filesForProof(wish.files));
  const proved = readProof(await shell.run(member, script, proveLimitMs));
  if ('why' in proved)
    return wrong('unfit', `${source.file} arrived, but does not work as a runtime there: ${proved.why}`, proved.remedy);
  say(`${member}: Node.js ${proved.version} (${sizeText(source.size)}) arrived and runs there`);
  return [];
}

/** Removes a carried runtime that was not renamed into place. */
async function discard(
  steps: readonly ApplyStep[],
  done: readonly ApplyStep[],
  { shell, wish }: Pick<Run, 'shell' | 'wish'>,
): Promise<void> {
  const placed = new Set(done.flatMap((step) => (step.do === 'distribute' && step.runtime !== null ? step.member : [])));
  const carries = steps.filter((step) => step.do === 'carry');
  await inParallel(
    carries.filter(({ member }) => !placed.has(member)),
    ({ member, source }) => shell.run(member, discardScript(wish.place.packageDirectory, source), distributeLimitMs),
  );
}

function distributeProblem(member: string, ended: CommandResult): Problem {
  const said = ended.stderr.trim() || (ended.timedOut ? 'it did not finish in time' : `exit status ${ended.exitCode}`);
  const remedy =
    ended.exitCode === busyStatus
      ? 'wait until the other apply finishes, then run csync apply again'
      : `check space, rights and connection of ${member}, then run csync apply again`;
  const text = `nothing was changed in the package directory: ${said}`;
  return errorProblem('change-distribute', text, remedy, member);
}

function commandProblem({ place }: ApplyWish, member: string, argv: Argv, ended: CommandResult): Problem {
  const said = printedWords(ended);
  const text = `${argv.join(' ')} failed with ${ended.exitCode ?? ended.signal ?? ended.errorCode}:\n${said}`;
  const isValidate = argv.at(-1)?.startsWith('validate') === true;
  const code = `change-${isValidate ? 'validate' : argv[0]}`;
  const remedy = isValidate ? validateRemedy : engineFor(place).words.afterFailure(argv);
  return errorProblem(isProblemCode(code) ? code : 'change-command', text, remedy, member);
}

const validateRemedy =
  'correct on that member what it reports, then csync apply again; the previous configuration is still in force';

/** Observes everything again, because an exit status proves nothing. */
async function verify(shell: MemberShell, wish: ApplyWish, serves: boolean): Promise<Problem[]> {
  const now = await observe(shell, wish.place);
  const { definition, words } = engineFor(wish.place);
  const wrong = (text: string, member?: string): Problem =>
    errorProblem('change-unverified', text, 'csync diff   (lists the differences); then csync apply', member);
  const files = now.members.flatMap((one) => {
    if (!one.reached) return [];
    const bad = compareDirectory(wish.files, one, wish.runtime).filter(({ is }) => is !== 'same' && is !== 'extra');
    return bad.map(({ name, is }) => wrong(`${one.directory}/${name} is ${is} after its distribution`, one.member));
  });
  const keywords =
    now.applied === null
      ? [wrong(`${words.definitionReader} does not print this package`)]
      : definition.differences(now.applied, wish.configuration).map(({ keyword }) => wrong(`${keyword} was not applied`));
  const { packageName } = wish.place;
  const isServing = now.status?.status === 'up' && now.status.state === 'running';
  const running =
    serves && !isServing ? [wrong(`${packageName} does not run: ${now.status?.state ?? 'the cluster is down'}`)] : [];
  return [...unreachableProblems(now), ...files, ...keywords, ...running];
}

/** The next apply observes which of the current steps finished. */
function interrupted(
  steps: readonly ApplyStep[],
  done: readonly ApplyStep[],
  group: readonly ApplyStep[],
  wish: ApplyWish,
): Failure {
  const remedy = 'run the same command again: it completes the remaining steps';
  if (group[0]?.do === 'carry') return failure('interrupted', 'interrupted before any change', remedy);
  const text = `interrupted; members may still finish these steps:${group.map((step) => `\n    ${stepText(step)}`).join('')}`;
  return new Failure([errorProblem('interrupted', text, remedy), summary(steps, done, wish)]);
}

function summary(steps: readonly ApplyStep[], done: readonly ApplyStep[], wish: ApplyWish): Problem {
  const left = steps.filter((step) => !done.includes(step));
  const switched = steps.find((step) => step.do === 'switch');
  // The package may be down after a step that did not finish.
  const unsure = switched !== undefined && !done.includes(switched);
  const { packageName } = wish.place;
  const { orders } = engineFor(wish.place);
  return errorProblem(
    'change-incomplete',
    `${done.length} of ${steps.length} steps are done; not done:${left.map((step) => `\n    ${stepText(step)}`).join('')}`,
    unsure && done.length > 0
      ? `correct the problem, then run the same command again: it completes the remaining steps. csync status prints whether ${packageName} runs; if not: ${typed(orders.run(packageName, 'MEMBER'), orders.switchOn(packageName))}`
      : 'correct the problem, then run the same command again: it completes the remaining steps',
  );
}
