/** `csync alert run`: reports events by hooks, from a timer on each member. */
import { isSameHost } from '../../base/network.ts';
import { type ExitCode, errorProblem, exitCodes, failure, type Problem } from '../../base/problem.ts';
import { type Due, dueNow, type Facts } from '../../cluster/alerts/due.ts';
import { alertsOn } from '../../cluster/alerts/remarks.ts';
import { alertLook, clusterSightings, rankOf } from '../../cluster/alerts/sightings.ts';
import { commandScript, script } from '../../cluster/remote/shell-text.ts';
import { type AlertState, alertStateFile, type Notice, noAlertState, parseAlertState } from '../../contract/alerts.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import { holding, hooksIn } from '../../host/admin/hooks.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { out } from '../../host/output.ts';
import { regularText } from '../../host/safe-file.ts';
import type { Settings } from '../../settings/settings.ts';
import { onMembers } from '../common/connections.ts';
import { printProblems } from '../common/problems.ts';
import { findSettings } from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';
import { type Delivered, deliver, logAlert, noticeOf, saveState } from './alert-delivery.ts';

export const reported = shape.many(
  shape.object({ hook: shape.text, event: shape.text, key: shape.text, ok: shape.yesNo, result: shape.text }),
);
export const refused = shape.many(shape.object({ hook: shape.text, why: shape.text }));

export const alertRunDocument = shape.document({
  notices: shape.many(
    shape.object({
      key: shape.text,
      event: shape.text,
      state: shape.text,
      severity: shape.text,
      text: shape.text,
      fix: shape.text,
      since: shape.text,
    }),
  ),
  hooks: reported,
  refused,
  unknown: shape.texts,
  /** Why this run observed nothing; null: it did. */
  skipped: shape.maybe,
  problems: shape.problems,
});

export interface AlertRunOptions {
  readonly settings?: string | undefined;
  readonly test: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

interface Pass {
  readonly notices: readonly Notice[];
  readonly delivered: readonly Delivered[];
  readonly state: AlertState;
}

const testWaitSeconds = 60;

/** Status 5: a hook failed. A run that finds another one running is no problem, because the next one reports what is new. */
export async function alertRun(options: AlertRunOptions): Promise<ExitCode> {
  const { settings } = findSettings(options.settings);
  if (!alertsOn(settings)) {
    if (options.test) throw failure('alert-off', off, 'set alert_directory in csync.yaml, then csync apply');
    return skip(off, options.json);
  }
  return onMembers(settings, 'once', async (shell) => {
    const member = settings.members.find((one) => isSameHost(one, shell.here));
    if (member === undefined) throw notHere(shell.here, settings);
    const once = (): Promise<Pass> => pass(shell, member, settings, options);
    const done = options.dryRun
      ? await once()
      : await holding(`/run/csync-alerts-${settings.packageName}.lock`, options.test ? testWaitSeconds : 0, once);
    if (done !== null) return report(options, member, settings, done);
    if (options.test) throw busy(member);
    return skip('another csync alert run is under way on this member, and the next one reports what is due', options.json);
  });
}

function skip(why: string, json: boolean): ExitCode {
  if (json) printJson<typeof alertRunDocument>({ notices: [], hooks: [], refused: [], unknown: [], skipped: why, problems: [] });
  else out(`Nothing was observed: ${why}.\n`);
  return exitCodes.ok;
}

const off = 'alert_directory is off in the applied settings';

const notHere = (here: string, { packageName, members }: Settings) =>
  failure(
    'usage-no-member',
    `${here} is no member of ${packageName}: events are reported by ${members.join(', ')}`,
    'systemctl disable --now csync-alerts.timer   (on this host)',
  );

const busy = (member: string) =>
  failure(
    'alert-busy',
    `another csync alert run did not end within ${testWaitSeconds} s`,
    'csync status; ps -ef | grep csync; then run it again',
    member,
  );

async function pass(shell: MemberShell, member: string, settings: Settings, { test, dryRun }: AlertRunOptions): Promise<Pass> {
  const before = parseAlertState(regularText(alertStateFile(settings.packageName))) ?? noAlertState;
  const now = Date.now();
  const { problem, hooks, ignored } = hooksIn(settings.alertDirectory);
  const here = { problem, hooks: [...hooks], ignored: [...ignored] };
  const { due, state } = test
    ? { due: [testEvent(now)], state: { ...before, ...here } }
    : await lookHere(shell, member, settings, { before, here, now });
  const notices = due.map((one) => noticeOf(one, settings.packageName, member, now));
  if (dryRun) return { notices, delivered: [], state };
  const queued = notices.map((notice) => ({ notice, results: {} }));
  try {
    if (test) return { notices, state, delivered: await deliver(settings, state, queued) };
    const next = { ...state, queue: [...state.queue, ...queued] };
    saveState(settings.packageName, next);
    for (const { text, event, state: how, key, severity } of notices)
      logAlert(settings.packageName, severity === 'info' ? 'done' : 'warning', 'alert-told', text, { event, state: how, key });
    return { notices, state: next, delivered: await deliver(settings, next) };
  } catch (error) {
    throw unwritten(error as Error, member);
  }
}

const unwritten = ({ message }: Error, member: string) =>
  failure('alert-state', `no event was reported: ${message}`, 'run it as root; df /run; df -i /run', member);

const testEvent = (now: number): Due => ({
  event: 'test',
  subject: '',
  state: 'raised',
  text: 'this is a test of csync alert test: nothing happened',
  fix: 'nothing to do',
  since: now,
});

interface Before {
  readonly before: AlertState;
  readonly here: Pick<AlertState, 'problem' | 'hooks' | 'ignored'>;
  readonly now: number;
}

const lookLimitMs = 30_000;
/** Always observable on a member that is up. */
const expected = ['package-down', 'key-rotation', 'space'] as const;

async function lookHere(shell: MemberShell, member: string, settings: Settings, { before, here, now }: Before) {
  const look = alertLook(settings, member);
  const { observation } = engineFor(settings);
  const [own, cluster] = await Promise.all([
    shell.run(member, script(...look.lines), lookLimitMs),
    shell.run(member, commandScript(observation.view, null), lookLimitMs),
  ]);
  const view = cluster.exitCode === 0 ? observation.readView(cluster.stdout) : null;
  const seen =
    own.exitCode === 0 ? look.read({ text: own.stdout, asked: now / 1000, answered: now / 1000 }) : { happened: {}, seen: {} };
  const facts: Facts = { happened: seen.happened, seen: { ...seen.seen, ...clusterSightings(view, settings) } };
  const moment = { now, repeatMs: settings.alertRepeatHours * 3_600_000, rank: rankOf(member, view, settings) };
  const { after, due } = dueNow(before, facts, moment);
  const unknown = expected.filter((event) => facts.seen[event] === undefined);
  return { due, state: { ...before, ...after, ...here, unknown, at: new Date(now).toISOString() } };
}

function problemsOf({ delivered, state }: Pass, member: string, { alertDirectory }: Settings, isTest: boolean): Problem[] {
  const problem = (text: string, remedy: string): Problem => errorProblem('alert-hook', text, remedy, member);
  const check = `correct it in ${alertDirectory} on ${member}; csync alert test`;
  if (state.problem !== null) return [problem(`no hook is run: ${state.problem}`, check)];
  const failed = delivered.flatMap(({ hook, event, ok, result }) =>
    ok ? [] : [problem(`hook ${hook} did not report ${event}: ${result}`, check)],
  );
  if (!isTest) return failed;
  const unrun = state.hooks.flatMap((hook) =>
    hook.refused === null ? [] : [problem(`hook ${hook.name} is not run: ${hook.refused}`, check)],
  );
  const none = state.hooks.length === 0 ? [problem(`${alertDirectory} has no hook`, 'docs/how-to/alerts/hooks.md')] : [];
  return [...none, ...unrun, ...failed];
}

const refusedIn = ({ hooks }: AlertState) =>
  hooks.flatMap(({ name, refused: why }) => (why === null ? [] : [{ hook: name, why }]));

function report(options: AlertRunOptions, member: string, settings: Settings, done: Pass): ExitCode {
  const { notices, delivered, state } = done;
  const problems = problemsOf(done, member, settings, options.test);
  if (options.json)
    printJson<typeof alertRunDocument>({
      notices,
      hooks: options.dryRun ? wouldRun(done) : delivered,
      refused: refusedIn(state),
      unknown: state.unknown,
      skipped: null,
      problems,
    });
  else {
    for (const { state: how, event, text } of notices) out(`${how} ${event}: ${text}\n`);
    for (const { hook, event, ok, result } of delivered) out(`  ${hook}: ${event}: ${ok ? '' : 'failed: '}${result}\n`);
    for (const { hook, event } of options.dryRun ? wouldRun(done) : [])
      out(`  would run ${settings.alertDirectory}/${hook} for ${event}\n`);
    for (const event of state.unknown) out(`unknown here: ${event}\n`);
    if (notices.length + delivered.length === 0) out('No event to report.\n');
    printProblems(problems);
  }
  return problems.length === 0 ? exitCodes.ok : exitCodes.changeFailed;
}

function wouldRun({ notices, state }: Pass): Delivered[] {
  const runs = state.hooks.filter((hook) => hook.refused === null);
  return notices.flatMap(({ event, key }) => runs.map(({ name }) => ({ hook: name, event, key, ok: true, result: 'would run' })));
}
