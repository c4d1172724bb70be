/** Carrying out an apply plan, step by step, and saying afterwards what was done and what was not. */
import type { CommandResult } from '../host/host.ts';
import type { MemberShell } from '../host/member-shell.ts';
import { Failure, type Problem } from '../problem.ts';
import { type ApplyPlan, type ApplyStep, type ApplyWish, stepText } from './apply-plan.ts';
import { compareConfiguration, compareDirectory } from './comparison.ts';
import { busyStatus, commandScript, distributeScript } from './member-scripts.ts';
import { inParallel, observe, unreachableProblems } from './observation.ts';

const distributeLimitMs = 120_000;
/** Serviceguard's own limits of scripts end a start or a halt long before. */
const commandLimitMs = 2 * 4294 * 1000;

interface Run {
  readonly shell: MemberShell;
  readonly wish: ApplyWish;
  readonly say: (line: string) => void;
}

/**
 * Distribution to all members goes side by side, everything else one by one. Throws a Failure that says what failed, what
 * was done and what was not; a second apply takes up from there, since it looks at what is.
 */
export async function runPlan(plan: ApplyPlan, run: Run): Promise<void> {
  const done: ApplyStep[] = [];
  for (let index = 0; index < plan.steps.length; ) {
    const group = groupAt(plan.steps, index);
    for (const step of group) run.say(stepText(step));
    const results = await inParallel(group, (step) => carryOut(step, run));
    const problems = results.flat();
    done.push(...group.filter((_, at) => results[at]?.length === 0));
    if (problems.length > 0) throw new Failure([...problems, summary(plan.steps, done, run.wish)]);
    index += group.length;
  }
}

/** Steps that may go at the same time: a run of distributions, or a single other one. */
function groupAt(steps: readonly ApplyStep[], index: number): readonly ApplyStep[] {
  const rest = steps.slice(index);
  const other = rest.findIndex((step) => step.do !== 'distribute');
  return rest.slice(0, Math.max(1, other === -1 ? rest.length : other));
}

async function carryOut(step: ApplyStep, { shell, wish }: Run): Promise<Problem[]> {
  const { packageDirectory } = wish.place;
  if (step.do === 'verify') return verify(shell, wish);
  if (step.do === 'distribute') {
    const script = distributeScript(packageDirectory, step.files, step.removals);
    const sent = await shell.run(step.member, script, distributeLimitMs);
    return sent.exitCode === 0 ? [] : [distributeProblem(step.member, sent)];
  }
  const ended = await shell.run(step.member, commandScript(step.argv, packageDirectory), commandLimitMs);
  return ended.exitCode === 0 ? [] : [commandProblem(step.member, step.argv, ended)];
}

function distributeProblem(member: string, ended: CommandResult): Problem {
  const said = ended.stderr.trim() || (ended.timedOut ? 'it did not end in time' : `it ended with ${ended.exitCode}`);
  const remedy =
    ended.exitCode === busyStatus
      ? 'wait for the other one to end, then apply again'
      : `see to it on ${member} (space, rights, connection), then apply again`;
  const text = `nothing was changed in the package directory: ${said}`;
  return { code: 'change-distribute', severity: 'error', text, remedy, member };
}

function commandProblem(member: string, argv: readonly string[], ended: CommandResult): Problem {
  const said = `${ended.stdout}${ended.stderr}`.trim();
  const text = `${argv.join(' ')} ended with ${ended.exitCode ?? ended.signal ?? ended.errorCode}:\n${said}`;
  const remedy = remedies[argv[0] ?? ''] ?? 'see the package log ($SGRUN/log) and syslog on the member';
  return { code: `change-${argv[0]}`, severity: 'error', text, remedy, member };
}

const remedies: Readonly<Record<string, string>> = {
  cmcheckconf: 'correct what it says and apply again; the applied configuration is still the old one',
  cmapplyconf: 'correct what it says and apply again; the applied configuration is still the old one',
  cmhaltpkg: 'see the package log ($SGRUN/log) on the member; csync status says what is left behind. Nothing was distributed',
  cmrunpkg: 'see the package log ($SGRUN/log) on the member, repair, then cmmodpkg -e -n MEMBER PACKAGE and cmmodpkg -e PACKAGE',
};

/** Looks at all of it again; believes no exit status. */
async function verify(shell: MemberShell, wish: ApplyWish): Promise<Problem[]> {
  const now = await observe(shell, wish.place);
  const wrong = (text: string, member?: string): Problem => ({
    code: 'change-unverified',
    severity: 'error',
    text,
    remedy: 'csync diff   shows what differs; apply again',
    member,
  });
  const files = now.members.flatMap((one) => {
    if (!one.reached) return [];
    const bad = compareDirectory(wish.files, one).filter(({ is }) => is !== 'same' && is !== 'extra');
    return bad.map(({ name, is }) => wrong(`${one.directory}/${name} is ${is}, although it was distributed`, one.member));
  });
  const keywords =
    now.applied === null
      ? [wrong('cmgetconf knows no such package')]
      : compareConfiguration(now.applied, wish.configuration).map(({ keyword }) => wrong(`${keyword} was not applied`));
  const { packageName } = wish.place;
  const serving = now.status?.status === 'up' && now.status.state === 'running';
  const running =
    wish.run && !serving ? [wrong(`${packageName} does not run: ${now.status?.state ?? 'the cluster is down'}`)] : [];
  return [...unreachableProblems(now), ...files, ...keywords, ...running];
}

function summary(steps: readonly ApplyStep[], done: readonly ApplyStep[], wish: ApplyWish): Problem {
  const list = (some: readonly ApplyStep[]): string => some.map((step) => `\n    ${stepText(step)}`).join('') || ' nothing';
  const left = steps.filter((step) => !done.includes(step));
  const halted = done.some((step) => step.do === 'command' && step.argv[0] === 'cmhaltpkg');
  const ran = done.some((step) => step.do === 'command' && step.argv[0] === 'cmrunpkg');
  const { packageName } = wish.place;
  return {
    code: 'change-incomplete',
    severity: 'error',
    text: `done:${list(done)}\n  not done:${list(left)}`,
    remedy:
      halted && !ran
        ? `${packageName} is halted and has no master now: correct the above and apply again with --run, or csync rollback --run`
        : 'correct the above, then the same command again: it does what is left',
  };
}
