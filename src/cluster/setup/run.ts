/**
 * Carries out a set-up, stage by stage. A failed host is skipped and reported at the end; the others continue. Each run observes first, so
 * a rerun completes the remaining steps.
 */

import { errorProblem, Failure, failure, type Problem } from '../../base/problem.ts';
import type { BeginStep } from '../../base/progress.ts';
import { isHostName, parseRoster, type Roster, rosterName, rosterText } from '../../contract/roster.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { printedWords, whyNoAnswer } from '../../host/admin/no-answer.ts';
import { distributeScript } from '../apply/package-write.ts';
import {
  agentLimitSeconds,
  type HostStep,
  hostStepText,
  type Materials,
  parseOutcomes,
  setUpScript,
} from '../hosts/host-setup.ts';
import { linkRemedy, policyStatus } from '../policy/look.ts';
import { noExchangeText, publishScript } from '../policy/scripts.ts';
import { inParallel } from '../remote/observation.ts';
import { clientsAtOnce } from './look.ts';
import { type Stage, stageTexts } from './setup-plan.ts';

type PublishStage = Extract<Stage, { stage: 'publish' }>;

export interface SetupRun {
  readonly shell: MemberShell;
  readonly materials: Materials;
  /** Of many hosts only the failed steps begin. */
  readonly begin: BeginStep;
  /** A line that is no step. */
  readonly say: (line: string) => void;
  /** Progress with many hosts: how many are done, and how many of these failed. */
  readonly onHosts: (done: number, all: number, failed: number) => void;
  readonly runPackage: (stage: Extract<Stage, { stage: 'package' }>) => Promise<void>;
  /** Runs the agent on hosts from the member; resolves with the failures by host. */
  readonly runRemotely: (member: string, hosts: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** The command that finishes the set-up of a skipped host. */
  readonly finish: (host: string) => string;
}

export interface SetupResult {
  /** Why a host is not done, by name. */
  readonly failed: ReadonlyMap<string, Problem>;
  /** Problems that concern no single host. */
  readonly problems: readonly Problem[];
}

const quickLimitMs = 120_000;
/** Limit of all steps on a host except its agent. Most take milliseconds, a restart of the daemon half a minute at most. */
const hostLimitMs = 120_000;
/** Above this, steps are counted and not listed. */
export const manyHosts = 20;
/** The host itself kills its agent earlier, if it can. */
const agentLimitMs = (agentLimitSeconds + 15) * 1000;

export async function runSetup(stages: readonly Stage[], run: SetupRun): Promise<SetupResult> {
  const failed = new Map<string, Problem>();
  const problems: Problem[] = [];
  for (const stage of stages) {
    switch (stage.stage) {
      case 'hosts': {
        const chains = [...stage.chains].filter(([host]) => !failed.has(host));
        const isLong = chains.length > manyHosts;
        const end = isLong ? run.begin(`${chains.length} hosts: set up`) : null;
        let done = 0;
        let notDone = 0;
        await inParallel(
          chains,
          async ([host, steps]) => {
            const problem = await runChain(host, steps, run, isLong);
            done += 1;
            if (problem !== null) {
              failed.set(host, problem);
              notDone += 1;
            }
            if (isLong) run.onHosts(done, chains.length, notDone);
          },
          clientsAtOnce,
        );
        end?.(notDone === 0 ? 'done' : 'failed');
        break;
      }
      case 'package':
        try {
          await run.runPackage(stage);
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          problems.push(...error.problems);
        }
        break;
      case 'publish':
        problems.push(...(await publish(stage, run)));
        if (problems.length > 0) return { failed, problems };
        break;
      case 'remote run': {
        const hosts = stage.hosts.filter((host) => !failed.has(host));
        const end = run.begin(stageTexts({ ...stage, hosts }).join());
        const why = await run.runRemotely(stage.member, hosts);
        end(why.size === 0 ? 'done' : 'failed');
        for (const [host, text] of why) problems.push(laterProblem(host, text));
        break;
      }
    }
  }
  return { failed, problems };
}

async function runChain(
  host: string,
  steps: readonly HostStep[],
  { shell, materials, begin, finish }: SetupRun,
  isOfMany: boolean,
): Promise<Problem | null> {
  const limitMs = hostLimitMs + (steps.some((step) => step.do === 'agent') ? agentLimitMs : 0);
  const ended = await shell.run(host, setUpScript(steps, materials), limitMs);
  const outcomes = parseOutcomes(ended.stdout);
  for (const [index, step] of steps.entries()) {
    const outcome = outcomes[index];
    if (outcome === null) {
      if (!isOfMany) begin(hostStepText(step))('done');
      continue;
    }
    const again = step.do === 'agent' ? finish(host) : 'run the same command again: it completes the remaining steps';
    const seen = { why: outcome ?? `no answer within ${limitMs / 1000} s`, remedy: `repair ${host}, then ${again}` };
    const { why, remedy } = outcome === undefined && !ended.timedOut ? whyNoAnswer(host, ended, limitMs) : seen;
    begin(hostStepText(step))('failed');
    const text = `${host} is skipped: ${hostStepText(step)}: ${why}`;
    return errorProblem(`change-${step.do}`, text, remedy, host);
  }
  return null;
}

function laterProblem(member: string, why: string): Problem {
  return {
    code: 'change-remote-run',
    severity: 'warning',
    text: `did not run its agent now (${why}); it gets the change with its next own run`,
    remedy: `csync sync ${member}`,
    member,
  };
}

/** Writes the roster to every member; unreachable ones get it from the next run. A Failure if none accepts it. */
export async function saveRoster(
  shell: MemberShell,
  members: readonly string[],
  packageDirectory: string,
  roster: Roster,
): Promise<void> {
  const content = Buffer.from(rosterText(roster));
  // A roster that cannot be parsed would lose everything that the cluster stores in it.
  if (parseRoster(content.toString('utf8')) === null) throw new Failure([unreadable(roster)]);
  const script = distributeScript(packageDirectory, [{ name: rosterName, mode: 0o644, content }], []);
  const ended = await inParallel(members, (member) => shell.run(member, script, quickLimitMs));
  if (ended.some(({ exitCode }) => exitCode === 0)) return;
  const said = ended.map(({ stderr }) => stderr.trim()).find((text) => text !== '') ?? 'no member answers';
  throw failure(
    'change-roster',
    `nothing was changed: ${rosterName}, which stores the pending work, could not be written on any member: ${said}`,
    'free space or correct the permissions of the package directory, then run the command again',
  );
}

function unreadable({ members, clients, waiting }: Roster): Problem {
  const names = [...members, ...clients].map(({ name }) => name).concat(waiting.map(({ host }) => host));
  const odd = names.find((name) => !isHostName(name));
  return errorProblem(
    'change-roster',
    `nothing was changed: ${rosterName} would contain ${odd === undefined ? 'invalid data' : `${JSON.stringify(odd)}, which is not a valid host name`}, and no member could read it`,
    'name hosts with letters, digits, dots, hyphens and underscores; csync keys list   (shows damaged keys)',
  );
}

async function publish(stage: PublishStage, { shell, begin, say }: SetupRun): Promise<Problem[]> {
  const step = stage.publish;
  const end = begin(stageTexts(stage).join());
  const ended = await shell.run(step.member, publishScript(step.place, step), quickLimitMs);
  if (ended.exitCode === 0) {
    end('done');
    if (ended.stdout.includes(noExchangeText)) say(`${step.member}: published file by file: ${noExchangeText}`);
    return [];
  }
  end('failed');
  const said = printedWords(ended) || whyNoAnswer(step.member, ended, quickLimitMs).why;
  const isLinked = ended.exitCode === policyStatus.linked;
  const isRefused = ended.exitCode === policyStatus.refused;
  const text = isRefused
    ? `nothing was changed, because cfengine's parser rejected the policy; hosts keep the previous one: ${said}`
    : isLinked
      ? `nothing was published; hosts keep their present policy: ${said}`
      : `the policy was not published, or only partly; hosts keep their present one: ${said}`;
  const remedy = isRefused
    ? "correct the error that the parser reports (the master's files are unchanged), then run the same command again"
    : isLinked
      ? linkRemedy
      : 'csync status; when the package is up, run the same command again';
  return [errorProblem('change-policy', text, remedy, step.member)];
}
