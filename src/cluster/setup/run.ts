/**
 * Carrying out a set-up, stage by stage. A host that fails is left where it is and told of at the end; the others go on.
 * Nothing is believed to be done that a later look does not show, so doing it again does what is left.
 */

import { Failure, type Problem } from '../../base/problem.ts';
import { isHostName, parseRoster, type Roster, rosterName, rosterText } from '../../contract/roster.ts';
import { type MemberShell, whyNoAnswer } from '../../host/admin/member-shell.ts';
import { distributeScript } from '../apply/package-write.ts';
import {
  agentLimitSeconds,
  type HostStep,
  hostStepText,
  type Materials,
  parseOutcomes,
  setUpScript,
} from '../hosts/host-setup.ts';
import { policyStatus } from '../policy/look.ts';
import { noExchangeText, publishScript } from '../policy/scripts.ts';
import { inParallel } from '../remote/observation.ts';
import { clientsAtOnce } from './look.ts';
import type { PublishStep, Stage } from './setup-plan.ts';

export interface SetupRun {
  readonly shell: MemberShell;
  readonly materials: Materials;
  /** Hears each step as it has ended, well or not; of many hosts at a time only those that failed. */
  readonly say: (line: string) => void;
  /** Where many hosts are worked on at a time: how many of them are done with, and how many of these failed. */
  readonly onHosts: (done: number, all: number, failed: number) => void;
  readonly runPackage: (stage: Extract<Stage, { stage: 'package' }>) => Promise<void>;
  /** Runs the agent on hosts through the member; resolves with why not, by host. */
  readonly runRemotely: (member: string, hosts: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** The command that finishes the set-up of a host that was skipped. */
  readonly finish: (host: string) => string;
}

export interface SetupResult {
  /** Why a host is not done, by its name. */
  readonly failed: ReadonlyMap<string, Problem>;
  /** What concerns no single host. */
  readonly problems: readonly Problem[];
}

const quickLimitMs = 120_000;
/** All that is done on a host but its agent: most of it takes milliseconds, a restart of the daemon half a minute at most. */
const hostLimitMs = 120_000;
/** More of them at a time than anybody reads line by line. */
export const manyHosts = 20;
/** The host itself ends its agent earlier, where it still can. */
const agentLimitMs = (agentLimitSeconds + 15) * 1000;

export async function runSetup(stages: readonly Stage[], run: SetupRun): Promise<SetupResult> {
  const failed = new Map<string, Problem>();
  const problems: Problem[] = [];
  for (const stage of stages) {
    switch (stage.stage) {
      case 'hosts': {
        const chains = [...stage.chains].filter(([host]) => !failed.has(host));
        const isLong = chains.length > manyHosts;
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
        problems.push(...(await publish(stage.publish, run)));
        if (problems.length > 0) return { failed, problems };
        break;
      case 'remote run': {
        const hosts = stage.hosts.filter((host) => !failed.has(host));
        const why = await run.runRemotely(stage.member, hosts);
        run.say(`${stage.member}: ran the agent on ${hosts.length - why.size} of ${hosts.length} hosts`);
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
  { shell, materials, say, finish }: SetupRun,
  isOfMany: boolean,
): Promise<Problem | null> {
  const limitMs = hostLimitMs + (steps.some((step) => step.do === 'agent') ? agentLimitMs : 0);
  const ended = await shell.run(host, setUpScript(steps, materials), limitMs);
  const outcomes = parseOutcomes(ended.stdout);
  for (const [index, step] of steps.entries()) {
    const outcome = outcomes[index];
    if (outcome === null) {
      if (!isOfMany) say(`${hostStepText(step)}: done`);
      continue;
    }
    const again = step.do === 'agent' ? finish(host) : 'the same command again: it does what is left';
    const seen = { why: outcome ?? `no answer within ${limitMs / 1000} s`, remedy: `see to it on ${host}, then ${again}` };
    const { why, remedy } = outcome === undefined && !ended.timedOut ? whyNoAnswer(host, ended, limitMs) : seen;
    say(`${hostStepText(step)}: FAILED`);
    const text = `${host} is skipped: ${hostStepText(step)}: ${why}`;
    return { code: `change-${step.do}`, severity: 'error', text, remedy, member: host };
  }
  return null;
}

function laterProblem(member: string, why: string): Problem {
  return {
    code: 'change-remote-run',
    severity: 'warning',
    text: `did not run its agent now (${why}); it hears of the change at its next run of its own`,
    remedy: `csync sync ${member}`,
    member,
  };
}

/** The roster to every member; those it did not reach get it from the next run. A Failure where none has it. */
export async function saveRoster(
  shell: MemberShell,
  members: readonly string[],
  packageDirectory: string,
  roster: Roster,
): Promise<void> {
  const content = Buffer.from(rosterText(roster));
  // One that cannot be read again would be none, and all that the cluster remembers would be gone.
  if (parseRoster(content.toString('utf8')) === null) throw new Failure([unreadable(roster)]);
  const script = distributeScript(packageDirectory, [{ name: rosterName, mode: 0o644, content }], []);
  const ended = await inParallel(members, (member) => shell.run(member, script, quickLimitMs));
  if (ended.some(({ exitCode }) => exitCode === 0)) return;
  const said = ended.map(({ stderr }) => stderr.trim()).find((text) => text !== '') ?? 'no member answers';
  throw new Failure([
    {
      code: 'change-roster',
      severity: 'error',
      text: `nothing was changed: ${rosterName}, which remembers what is under way, could not be written on any member: ${said}`,
      remedy: 'make room or correct the rights of the package directory, then do it again',
    },
  ]);
}

function unreadable({ members, clients, waiting }: Roster): Problem {
  const names = [...members, ...clients].map(({ name }) => name).concat(waiting.map(({ host }) => host));
  const odd = names.find((name) => !isHostName(name));
  return {
    code: 'change-roster',
    severity: 'error',
    text: `nothing was changed: ${rosterName} would hold ${odd === undefined ? 'what it cannot hold' : `${JSON.stringify(odd)}, which is no name of a host`}, and no member could read it any more`,
    remedy: 'name hosts with letters, digits, dots, hyphens and underscores; csync keys list   shows keys that are no keys',
  };
}

async function publish(step: PublishStep, { shell, say }: SetupRun): Promise<Problem[]> {
  const ended = await shell.run(step.member, publishScript(step.place, step), quickLimitMs);
  if (ended.exitCode === 0) {
    const byFile = ended.stdout.includes(noExchangeText) ? `, file by file: ${noExchangeText}` : '';
    say(`${step.member}: policy of the master: done${byFile}`);
    return [];
  }
  const said = `${ended.stdout}${ended.stderr}`.trim() || whyNoAnswer(step.member, ended, quickLimitMs).why;
  const isRefused = ended.exitCode === policyStatus.refused;
  const text = isRefused
    ? `nothing was changed, since the policy was refused; hosts go on with the one of before: ${said}`
    : `the policy was not published, or not all of it; hosts go on with what there is: ${said}`;
  const remedy = isRefused
    ? 'correct what its parser says (the files of the master are as they were), then the same command again'
    : 'the same command again, once the package is up: csync status';
  return [{ code: 'change-policy', severity: 'error', text, remedy, member: step.member }];
}
