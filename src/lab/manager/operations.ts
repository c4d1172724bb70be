import type { Draft } from './draft.ts';
import { say } from './messages.ts';
import type { HaltGoal, HaltReason, MemberName, Operation, PackageName, PackageState } from './model.ts';
import { policyIn, servicesAtRest } from './package-policy.ts';

/** In maintenance mode: up to one module, or all except one. */
export interface ModuleChoice {
  readonly upToModule?: string;
  readonly exceptModule?: string;
}

const lastModule = 'sg/service';

/** Only a halted one. */
export function startPackage(draft: Draft, pkg: PackageState, member: MemberName, choice: ModuleChoice = {}): void {
  const policy = policyIn(draft.state, pkg.config);
  const withServices = (choice.upToModule ?? lastModule) === lastModule && choice.exceptModule !== lastModule;
  const partial = choice.upToModule !== undefined || choice.exceptModule !== undefined;
  draft.setPackage(pkg.name, {
    status: 'starting',
    state: 'starting',
    owner: member,
    services: servicesAtRest(policy, 'uninitialized'),
    maintenance: { ...pkg.maintenance, partial },
    pending: { script: 'start', withServices, died: [], nextHalt: null },
  });
  draft.log(`Package ${pkg.name} is started on ${member}.`, { member, package: pkg.name });
  draft.emit({ kind: 'run-start', package: pkg.name, member, timeoutSeconds: policy.runTimeoutSeconds, ...choice });
}

/** What counts as automatic is INFERRED (serviceguard.md 6.7). */
const reasonOf: Record<HaltGoal, HaltReason> = {
  user: 'user_halt',
  failure: 'failure',
  'member-halt': 'automatic_halt',
  'cluster-halt': 'automatic_halt',
  failback: 'automatic_halt',
};

/** Only with an owner and no running script. */
export function haltPackage(draft: Draft, name: PackageName, goal: HaltGoal, force = false): void {
  const pkg = draft.package(name);
  if (pkg === undefined || pkg.owner === null || pkg.pending !== null) return;
  const word = goal === 'failure' ? 'failing' : 'halting';
  draft.setPackage(name, { status: word, state: word, pending: { script: 'halt', goal, force } });
  draft.log(`Package ${name} is halted on ${pkg.owner} (${reasonOf[goal]}).`, { member: pkg.owner, package: name });
  const { haltTimeoutSeconds } = policyIn(draft.state, pkg.config);
  draft.emit({ kind: 'run-halt', package: name, member: pkg.owner, reason: reasonOf[goal], timeoutSeconds: haltTimeoutSeconds });
}

/** Halts now, or after the running script. */
export function haltWhenPossible(draft: Draft, pkg: PackageState, goal: HaltGoal, force: boolean): void {
  const { pending } = pkg;
  if (pending === null) haltPackage(draft, pkg.name, goal, force);
  // 'user' takes precedence: a halt of the member must not start it elsewhere.
  else if (pending.script === 'start')
    draft.setPackage(pkg.name, { pending: { ...pending, nextHalt: pending.nextHalt === 'user' ? 'user' : goal } });
  else draft.setPackage(pkg.name, { pending: { ...pending, force: pending.force || force } });
}

export interface Outcome {
  readonly script: 'start' | 'halt';
  readonly member: MemberName;
  /** null: succeeded. */
  readonly failure: string | null;
  readonly lost?: boolean;
}

/** Reports to waiting commands; answers complete ones. */
export function packageSettled(draft: Draft, name: PackageName, outcome: Outcome): void {
  for (const operation of draft.state.operations) {
    if (!operation.waiting.includes(name)) continue;
    const concerns = operation.command === 'cmrunpkg' ? 'start' : 'halt';
    if (concerns !== outcome.script && draft.package(name)?.pending != null) continue;
    const told = lineFor(operation, name, outcome);
    draft.setOperation({
      ...operation,
      waiting: operation.waiting.filter((one) => one !== name),
      lines: told.good ? [...operation.lines, told.text] : operation.lines,
      errorLines: told.good ? operation.errorLines : [...operation.errorLines, told.text],
    });
  }
  answerFinished(draft);
}

function lineFor(operation: Operation, name: PackageName, outcome: Outcome): { good: boolean; text: string } {
  const { member, failure, script, lost = false } = outcome;
  if (lost) return { good: false, text: say('memberWasLost', name, member) };
  if (operation.command === 'cmrunpkg') {
    if (script === 'start' && failure === null) return { good: true, text: say('runSucceeded', name, member) };
    return { good: false, text: say('runScriptFailed', name, member, failure ?? 'it was halted meanwhile') };
  }
  // A failed start leaves nothing to halt.
  if (script === 'start' || failure === null) return { good: true, text: say('haltSucceeded', name) };
  return { good: false, text: say('haltScriptFailed', name, member, failure) };
}

export function answerFinished(draft: Draft) {
  for (const operation of draft.state.operations) {
    if (operation.waiting.length > 0) continue;
    draft.dropOperation(operation.request);
    const failed = operation.errorLines.length > 0;
    completions[operation.command](draft, operation, failed);
  }
}

const completions: Record<Operation['command'], (draft: Draft, operation: Operation, failed: boolean) => void> = {
  cmrunpkg: (draft, { request, lines, errorLines }, failed) =>
    failed
      ? draft.reply(request, lines, [...errorLines, say('runSomeFailed')])
      : draft.reply(request, [...lines, say('runAllDone')], []),
  cmhaltpkg: (draft, { request, lines, errorLines }, failed) =>
    failed
      ? draft.reply(request, lines, [...errorLines, say('haltSomeFailed')])
      : draft.reply(request, [...lines, say('haltAllDone')], []),
  cmhaltnode: (draft, { request, lines, errorLines, members }, failed) => {
    if (failed) return draft.reply(request, lines, [...errorLines, say('memberHaltFailed', members.join(', '))]);
    for (const member of members) takeMemberDown(draft, member);
    draft.reply(request, [...lines, ...members.map((member) => say('memberHalted', member))], []);
  },
  cmhaltcl: (draft, { request, lines, errorLines }, failed) => {
    if (failed) return draft.reply(request, lines, [...errorLines, say('clusterHaltFailed')]);
    for (const member of draft.state.memberOrder) takeMemberDown(draft, member);
    draft.reply(request, [...lines, say('clusterHalted', draft.state.name)], []);
  },
};

function takeMemberDown(draft: Draft, member: MemberName): void {
  if (draft.member(member)?.status !== 'up') return;
  draft.setMember(member, { status: 'down', state: 'halted' });
  draft.log(`${member} has left the cluster.`, { member });
  noteWhetherClusterRuns(draft);
}

/** It runs while a member runs. */
export function noteWhetherClusterRuns(draft: Draft): void {
  const running = Object.values(draft.state.members).some((member) => member.status === 'up');
  if (draft.state.running && !running) draft.log('No member runs any more; the cluster is down. To start it: cmruncl -v');
  draft.setCluster({ running });
}
