import { exitCodes, Failure } from '../../base/problem.ts';
import { adapterFor } from '../../cfengine/adapter.ts';
import { alertFacts, alertRemarks, alertStateLines, alertsOn } from '../../cluster/alerts/remarks.ts';
import { compareDirectory, staleNames } from '../../cluster/apply/comparison.ts';
import { asSent } from '../../cluster/apply/package-write.ts';
import { runtimeInUse } from '../../cluster/apply/runtime.ts';
import { clientsOf, peerLook } from '../../cluster/condition/clients.ts';
import { conditionLook } from '../../cluster/condition/member-condition.ts';
import {
  isAsBefore,
  judgeStatus,
  type MemberStatus,
  runningMember,
  type StatusInput,
  type StatusVerdict,
  statusExit,
} from '../../cluster/condition/status.ts';
import { statusText } from '../../cluster/condition/status-text.ts';
import { type Answer, lastOf, saidIn } from '../../cluster/remote/answers.ts';
import { noAnswerOf, observeAnd } from '../../cluster/remote/observation.ts';
import { rosterIn, rosterLines } from '../../cluster/remote/roster-look.ts';
import { script } from '../../cluster/remote/shell-text.ts';
import type { RenderedFile } from '../../contract/package-directory.ts';
import { emptyRoster, newestRoster } from '../../contract/roster.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { out } from '../../host/output.ts';
import { withRuntime } from '../../render/package.ts';
import type { Settings } from '../../settings/settings.ts';
import { onMembers } from '../common/connections.ts';
import { pause } from '../common/interruptible.ts';
import { type PackageSources, packageHere } from '../common/package-sources.ts';
import { printJson } from '../outputs/json.ts';
import { asPlugin, inOneLine, type NagiosResult, tellNagios } from '../outputs/nagios.ts';
import * as shape from '../outputs/outputs.ts';

export const statusDocument = shape.document({
  condition: shape.picklist(['serving', 'failed', 'halted', 'unknown']),
  sentence: shape.text,
  advice: shape.many(shape.object({ text: shape.text, remedy: shape.text })),
  members: shape.many(shape.parts),
  clients: shape.nullable(shape.many(shape.parts)),
  waiting: shape.many(shape.parts),
});

export interface StatusOptions extends PackageSources {
  readonly json: boolean;
  /** One line with performance data, once. */
  readonly nagios?: boolean | undefined;
  readonly watch: boolean;
}

const watchEveryMs = 2000;

/** Returns the exit status of the last check; --watch runs until Ctrl-C. */
export async function status(options: StatusOptions): Promise<number> {
  if (options.nagios === true) return asPlugin(() => look({ ...options, watch: false }));
  try {
    return await look(options);
  } catch (error) {
    // Here 1 and 3 describe the package, but problems of other verbs also exit with them.
    if (error instanceof Failure && error.exit !== exitCodes.usage) throw new Failure(error.problems, statusExit.unknown);
    throw error;
  }
}

async function look(options: StatusOptions): Promise<number> {
  const { settings, files } = await packageHere(options);
  return onMembers(
    settings,
    options.watch ? 'keeping connections' : 'once',
    (shell, stop) => keepLooking(options, { shell, stop, settings, files }),
    'ends',
  );
}

/** Advice while the package serves: the next failover may fail. */
export function judgeForNagios(
  verdict: StatusVerdict,
  { members, clients }: Pick<StatusInput, 'members' | 'clients'>,
): NagiosResult {
  const { condition, sentence, advice } = verdict;
  const states = {
    serving: advice.length === 0 ? 'OK' : 'WARNING',
    failed: 'CRITICAL',
    halted: 'CRITICAL',
    unknown: 'UNKNOWN',
  } as const;
  return {
    state: states[condition],
    text: [sentence, inOneLine(advice)].filter(Boolean).join('; '),
    figures: {
      members: members.length,
      reachable: members.filter(({ seen }) => seen !== null).length,
      problems: advice.length,
      clients: clients?.length ?? null,
    },
  };
}

interface Looking {
  readonly shell: MemberShell;
  readonly stop: AbortSignal;
  readonly settings: Settings;
  readonly files: readonly RenderedFile[];
}

async function keepLooking(options: StatusOptions, { shell, stop, settings, files }: Looking): Promise<number> {
  for (;;) {
    const input = await lookAtStatus(shell, settings, files);
    const verdict = judgeStatus(input);
    if (options.nagios === true) return tellNagios(judgeForNagios(verdict, input));
    if (options.json) {
      const members = input.members.map((one) => ({ ...one, noAnswer: one.seen === null ? one.noAnswer : null }));
      printJson<typeof statusDocument>({ ...verdict, members, clients: input.clients, waiting: input.roster.waiting }, 0);
    } else
      out(`${options.watch ? `${new Date().toISOString()}  ` : ''}${statusText(verdict, input)}${options.watch ? '\n' : ''}`);
    if (!options.watch) return statusExit[verdict.condition];
    await pause(watchEveryMs, stop);
  }
}

/** More attempts than a failover takes; a package that keeps moving is reported as moving. */
const mostLooks = 4;

/**
 * Facts of one moment. Members are asked before Serviceguard, so the active member is asked once more. If it changed, the package moved
 * meanwhile, and everything is asked again.
 */
export async function lookAtStatus(shell: MemberShell, settings: Settings, files: readonly RenderedFile[]): Promise<StatusInput> {
  for (let looks = 1; ; looks += 1) {
    const input = await lookOnce(shell, settings, files);
    const owner = runningMember(input);
    if (owner === null) return input;
    const { condition } = statusLooks(settings);
    const asked = Date.now() / 1000;
    const { exitCode, stdout } = await shell.run(owner.member, script(...condition.lines), lookLimitMs);
    const again = exitCode === 0 ? condition.read({ text: stdout, asked, answered: Date.now() / 1000 }) : null;
    if (isAsBefore(owner.seen, again)) return input;
    if (looks === mostLooks) return { ...input, moving: true };
  }
}

const lookLimitMs = 20_000;

/** Only reports a roster of a newer csync: the condition does not depend on it. */
function rosterOf(answers: ReadonlyMap<string, Answer>): Pick<StatusInput, 'roster' | 'unread'> {
  try {
    return { roster: newestRoster([...answers].map(([member, { text }]) => rosterIn(text, member))), unread: [] };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return {
      roster: emptyRoster,
      unread: error.problems.map(({ text, remedy, member }) => ({ text: `${member}: ${text}`, remedy })),
    };
  }
}

/** Adds problems of the hooks, except of members that do not answer. */
function withAlerts(
  { roster, unread }: Pick<StatusInput, 'roster' | 'unread'>,
  settings: Settings,
  answers: ReadonlyMap<string, Answer>,
  members: readonly MemberStatus[],
): Pick<StatusInput, 'roster' | 'unread'> {
  const facts = members.flatMap(({ member, seen }) =>
    seen === null || !alertsOn(settings)
      ? []
      : [alertFacts(member, lastOf(saidIn(answers.get(member)?.text ?? ''), 'alerts'), Date.now() + seen.clock.ahead * 1000)],
  );
  return { roster, unread: [...unread, ...facts.flatMap((one) => alertRemarks(one, facts, settings))] };
}

/** What each member is asked. */
export function statusLooks(settings: Settings) {
  const adapter = adapterFor(settings);
  const condition = conditionLook({ ...settings, adapter });
  const peers = peerLook(adapter.lastSeenList);
  const lines = [...condition.lines, ...peers.lines, ...rosterLines(settings.packageDirectory), ...alertStateLines(settings)];
  return { condition, peers, lines };
}

async function lookOnce(shell: MemberShell, settings: Settings, files: readonly RenderedFile[]): Promise<StatusInput> {
  const { condition, peers, lines } = statusLooks(settings);
  const { observation, answers } = await observeAnd(shell, settings, lines);
  const runtime = runtimeInUse(observation);
  const wanted = asSent(withRuntime(files, runtime), settings);
  const members = observation.members.map((one): MemberStatus => {
    const { member } = one;
    const answer = answers.get(member);
    const staleFiles = one.reached ? staleNames(compareDirectory(wanted, one, runtime, observation.applied?.set ?? null)) : null;
    return {
      member,
      seen: answer === undefined ? null : condition.read(answer),
      noAnswer: noAnswerOf(one),
      inCluster: observation.memberStates?.get(member) ?? 'unknown',
      switching: observation.status?.switching.get(member) ?? null,
      staleFiles,
    };
  });
  const { applied, status: packageStatus, memberStates } = observation;
  // An unprivileged user sees a package, but may not read its definition.
  const isApplied = applied !== null || packageStatus !== null;
  return {
    place: settings,
    applied: isApplied,
    clusterAnswers: memberStates !== null,
    status: packageStatus,
    members,
    clients: clientsOf([...answers].map(([member, answer]) => ({ member, ...peers.read(answer) }))),
    ...withAlerts(rosterOf(answers), settings, answers, members),
    clusterMembers: [...(memberStates?.keys() ?? [])],
    moving: false,
    now: Date.now(),
  };
}
