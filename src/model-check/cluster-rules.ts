/**
 * Rules for each step of the package manager, apart from its code: the manual's consequences [A12 p.59][L9 p.70], and a reported recovery
 * for a package that runs nowhere. Pure.
 */
import type { ClusterState, Effect, LabEvent, PackageState } from '../lab/manager/model.ts';

interface Step {
  readonly before: ClusterState;
  readonly event: LabEvent;
  readonly after: ClusterState;
  readonly effects: readonly Effect[];
  readonly name: string;
}

interface Seen extends Step {
  readonly was: PackageState;
  readonly is: PackageState;
}

type Rule = (seen: Seen) => string | null;

function unless(holds: boolean, text: string): string | null {
  return holds ? null : text;
}

const startsWhereItMay: Rule = ({ effects, after, is }) => {
  const start = effects.find((effect) => effect.kind === 'run-start');
  if (start === undefined || !('member' in start) || start.member === null) return null;
  const member = after.members[start.member];
  const settled = Object.values(after.members).every(({ state }) => state !== 'unknown');
  const able = member?.status === 'up' && Object.values(member.subnets).every((status) => status === 'up');
  if (!settled) return `the package starts on ${start.member} before the cluster has re-formed`;
  if (!able) return `the package starts on ${start.member}, which cannot run it`;
  return unless(is.nodeSwitch[start.member] === true, `the package starts on ${start.member}, which is disabled for it`);
};

const oneScript: Rule = ({ was, event, effects }) => {
  const ends = event.kind === 'start-ended' || event.kind === 'halt-ended';
  const lost = 'member' in event && event.member === was.owner;
  const scripts = effects.filter(({ kind }) => kind === 'run-start' || kind === 'run-halt').length;
  const running = was.pending !== null && !ends && !lost ? 1 : 0;
  return unless(scripts + running <= 1, 'two scripts of the package run at once');
};

const failureIsRemembered: Rule = ({ event, was, is, effects }) => {
  if (was.maintenance.on || effects.some(({ kind }) => kind === 'reset-member')) return null;
  if (event.kind === 'service-died' && was.status === 'up' && was.owner === event.member)
    return unless(is.nodeSwitch[event.member] === false, `after its service failed the package may run on ${event.member} again`);
  const isStart = event.kind === 'start-ended' && was.pending?.script === 'start';
  const isHalt = event.kind === 'halt-ended' && was.pending?.script === 'halt';
  if (!isStart && !isHalt) return null;
  const code = event.end.kind === 'exit' ? event.end.code : 'timeout';
  if (isStart && code === 2)
    return unless(
      is.nodeSwitch[event.member] === false,
      `after a start that failed the package may be tried on ${event.member} again`,
    );
  const isBad = code === 'timeout' || code === 1 || (isHalt && code === 3);
  return unless(
    !isBad || !is.autoRun,
    `after a ${isStart ? 'start' : 'halt'} with exit status ${code} the package is still enabled`,
  );
};

const haltedOnCommandStays: Rule = ({ event, before, after, is, name }) => {
  const isAsked = event.kind === 'package-halt' && event.packages.includes(name);
  const accepted = isAsked && after.operations.length > before.operations.length;
  return unless(!accepted || !is.autoRun, 'after cmhaltpkg the package starts automatically again');
};

const memberLeavesClean: Rule = ({ event, was, before, after }) => {
  if (event.kind !== 'halt-ended' || event.end.kind !== 'exit' || event.end.code === 0 || was.owner === null) return null;
  const left = before.members[was.owner]?.status === 'up' && after.members[was.owner]?.state === 'halted';
  return unless(!left, `cmhaltnode removes ${was.owner} from the cluster though its package did not halt`);
};

function isLost(pkg: PackageState): boolean {
  return pkg.state === 'failed' || pkg.state === 'halt_aborted';
}

const wayBackIsNamed: Rule = ({ event, was, is, effects, before, after }) => {
  const isHaltingAll = [...before.operations, ...after.operations].some(({ command }) => command === 'cmhaltcl');
  const fresh = isLost(is) && is.pending === null && (!isLost(was) || event.kind.endsWith('-ended'));
  if (!fresh || isHaltingAll || is.maintenance.on || was.maintenance.on) return null;
  const told = effects.some((effect) => effect.kind === 'log' && /To start it again: |To start (it|one): /.test(effect.text));
  return unless(told, 'the package has failed and runs nowhere, and no command is printed that starts it again');
};

const rules: readonly Rule[] = [
  startsWhereItMay,
  oneScript,
  failureIsRemembered,
  haltedOnCommandStays,
  memberLeavesClean,
  wayBackIsNamed,
];

export function stepRules(step: Step): string[] {
  const [was, is] = [step.before.packages[step.name], step.after.packages[step.name]];
  if (was === undefined || is === undefined) return [];
  return rules.flatMap((rule) => rule({ ...step, was, is }) ?? []);
}
