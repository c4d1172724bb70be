import { type ExitCode, exitCodes, type Problem } from '../../base/problem.ts';
import type { KeyPair } from '../../cfengine/keys.ts';
import {
  carryOut,
  demandVersion,
  isOutdated,
  planRounds,
  remember,
  settledRoster,
  tellSyslog,
} from '../../cluster/setup/change.ts';
import { demandAll, type SetupPlace, type SetupRequest } from '../../cluster/setup/change-model.ts';
import { lookAtSetup, type SetupView, withClientsSeen } from '../../cluster/setup/look.ts';
import { inOrder, memberGoal } from '../../cluster/setup/membership.ts';
import { packageFor } from '../../cluster/setup/package-part.ts';
import { chooseKey, makeClientPairs } from '../../cluster/setup/pairs.ts';
import { excludedBy, rosterFor } from '../../cluster/setup/roster-change.ts';
import { manyHosts } from '../../cluster/setup/run.ts';
import { stageTexts } from '../../cluster/setup/setup-plan.ts';
import { nextRoster } from '../../contract/roster.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import type { Engine } from '../../engine/engine.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { out, progress, summarize } from '../../host/output.ts';
import { confirmPlan, planText, progressNotes } from '../common/confirm.ts';
import type { Change } from '../common/connections.ts';
import { hostsBar, openMeter } from '../common/meter.ts';
import { printProblems } from '../common/problems.ts';
import { openSteps } from '../common/steps.ts';
import { printJson } from '../outputs/json.ts';
import type { setUpDocument } from '../outputs/outputs.ts';

export interface SetupOptions extends Omit<Change, 'verb'> {
  readonly yes: boolean;
  readonly json: boolean;
}

/** The shell has the lock. `request`: the change for the observed cluster. Returns ok: complete; changeFailed: work is pending, stored. */
export async function changeSetup(
  shell: MemberShell,
  place: SetupPlace,
  verb: string,
  request: (view: SetupView) => SetupRequest | Promise<SetupRequest>,
  options: SetupOptions,
): Promise<ExitCode> {
  const view = await lookAtSetup(shell, place);
  const { commandMember } = view.observation;
  if (commandMember !== null) await demandVersion(shell, commandMember, place.settings);
  return changeSeen(shell, place, view, { verb, ...(await request(view)) }, options);
}

async function changeSeen(
  shell: MemberShell,
  place: SetupPlace,
  members: SetupView,
  request: SetupRequest & { readonly verb: string },
  options: SetupOptions,
): Promise<ExitCode> {
  const { settings } = place;
  const asked = [...request.clients.setUp, ...request.clients.remove];
  const view = await withClientsSeen(shell, place, members, asked, lookMeter(asked.length));
  const goal = demandAll(memberGoal(view, settings, request.members));
  const now = new Date().toISOString();
  const pairs = new Map<string, KeyPair>();
  const key = await chooseKey(view, goal, pairs);
  const made = await makeClientPairs(view, request.clients, pairs);
  const { base, answers } = await settledRoster(shell, view, rosterFor(view, goal, key, now), request, made, now);
  const rotation = request.rounds === undefined ? null : await request.rounds(base, view, excludedBy(answers));
  for (const [digest, pair] of rotation?.pairs ?? []) pairs.set(digest, pair);
  const packagePart = await packageFor(shell, place, view, goal);
  const rounds = planRounds(place, request, goal, view, rotation?.rosters ?? [base], packagePart, answers);
  const waits = [...(rotation?.waits ?? []), ...rounds.flatMap(({ plan }) => plan.waits)];
  const problems = [...new Set(rounds.flatMap(({ plan }) => plan.problems))];
  const own = place.onMembers(inOrder(goal.members, settings), true);
  const texts = [...rounds.flatMap(({ plan }) => plan.stages.flatMap(stageTexts)), ...own];
  const notes = [...new Set(rounds.flatMap(({ plan }) => plan.notes))];
  const report = (
    outcome: 'unchanged' | 'would be done' | 'done' | 'incomplete',
    said: readonly Problem[],
    done = '',
  ): ExitCode => {
    if (options.json) {
      const waiting = waits.map(({ host, why, remedy }) => ({ host, why, remedy }));
      printJson<typeof setUpDocument>({ outcome, steps: texts, notes, waiting, problems: said });
    } else if (outcome === 'would be done') out(planText(texts, notes));
    else if (outcome === 'incomplete')
      out(`Incomplete after ${done}: some steps failed. Run the same command again to finish.\n`);
    else if (texts.length === 0 && waits.length > 0) out('No step can be done now. The work is stored as pending.\n');
    else summarize(outcome === 'unchanged' || done === '' ? `${request.nothing}\n` : `Done: ${done}.\n`);
    if (!options.json && outcome !== 'incomplete') out(stillInCluster(view, request.members.remove, engineFor(settings)));
    printProblems(said);
    for (const { host, why, remedy } of waits) progress(`${host} is pending: ${why}\n  Fix: ${remedy}`);
    return said.some(({ severity }) => severity === 'error') || waits.length > 0 ? exitCodes.changeFailed : exitCodes.ok;
  };
  const last = rounds.at(-1)?.roster ?? base;
  const remembered = remember(last, rounds, problems, waits, new Map(), now);
  const changesRoster = nextRoster(view.roster, remembered, now, '') !== null;
  if (options.dryRun) return report(texts.length === 0 ? 'unchanged' : 'would be done', problems);
  if (texts.length === 0 && !changesRoster && !isOutdated(view)) return report('unchanged', problems);
  const asks = texts.length > 0 && !options.yes;
  if (asks) await confirmPlan(request.verb, planText(inBrief(texts), notes), shell.stop);
  else progressNotes(notes);
  const { withoutFailedClients = false } = request;
  const steps = openSteps(texts.length, asks);
  const onHosts = (done: number, all: number, not: number): void => steps.show(hostsBar(done, all, not));
  const shown = { say: steps.note, begin: steps.begin, onHosts, end: steps.end };
  const carrying = { goal, view, rounds, pairs, now, problems, waits, withoutFailedClients, progress: shown };
  const { failed, said } = await carryOut(shell, place, carrying);
  for (const text of own) steps.begin(text)('done');
  place.onMembers(inOrder(goal.members, settings), false);
  const all = [...problems, ...said, ...failed.values()];
  await tellSyslog(shell, view, settings, request.verb, texts.length, all);
  return report(all.some(({ severity }) => severity === 'error') ? 'incomplete' : 'done', all, steps.summary());
}

/** csync never changes the cluster's own list. */
function stillInCluster({ clusterMembers }: SetupView, removed: readonly string[], { title, words }: Engine): string {
  const there = removed.filter((name) => clusterMembers?.includes(name) === true);
  if (there.length === 0) return '';
  const others = (clusterMembers ?? []).filter((name) => !there.includes(name));
  return `The package no longer needs ${there.join(', ')}, which still belongs to the ${title} cluster. To remove it: ${words.leave(there, others)}\n`;
}

/** From here on a step on many hosts is one line. The dry run lists each. */
const manySteps = 100;

function inBrief(steps: readonly string[]): readonly string[] {
  if (steps.length <= manySteps) return steps;
  const hostsOf = new Map<string, string[]>();
  for (const step of steps) {
    const [, host = '', what = step] = /^(\S+): (.*)$/s.exec(step) ?? [];
    hostsOf.set(what, [...(hostsOf.get(what) ?? []), host]);
  }
  return [...hostsOf].map(([what, hosts]) => {
    const [first = '', second = '', ...others] = hosts;
    if (first === '') return what;
    return others.length === 0
      ? `${[first, second].filter((name) => name !== '').join(', ')}: ${what}`
      : `${first}, ${second} and ${others.length} more: ${what}`;
  });
}

function lookMeter(total: number): () => void {
  const meter = openMeter();
  let looked = 0;
  return () => {
    looked += 1;
    if (total > manyHosts) meter.show(`${hostsBar(looked, total, 0)} checked`);
    if (looked === total) meter.end();
  };
}
