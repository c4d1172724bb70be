/** What status and check report about hooks, from each member's last run. Pure. */
import { shellWord } from '../../base/shell-word.ts';
import { type AlertState, alertStateFile, noAlertState, parseAlertState } from '../../contract/alerts.ts';
import { off } from '../../settings/rules.ts';
import type { Settings } from '../../settings/settings.ts';

export type AlertSettings = Pick<Settings, 'alertDirectory' | 'packageName'>;

export const alertsOn = ({ alertDirectory }: AlertSettings): boolean => alertDirectory !== off;

/** Prints a line `alerts ...` where there was a run. */
export function alertStateLines(settings: AlertSettings): string[] {
  const file = shellWord(alertStateFile(settings.packageName));
  return alertsOn(settings) ? [`[ -r ${file} ] && echo "alerts $(cat ${file})"`] : [];
}

export interface AlertFacts {
  readonly member: string;
  /** null: no run since the boot. */
  readonly state: AlertState | null;
  readonly now: number;
}

export const alertFacts = (member: string, said: string | undefined, now: number): AlertFacts => ({
  member,
  state: parseAlertState(said ?? null),
  now,
});

export interface Remark {
  readonly member: string;
  readonly text: string;
  readonly remedy: string;
}

const runTimer = 'systemctl enable --now csync-alerts.timer';
/** A run starts each minute and takes four minutes at most. */
const lateMs = 10 * 60_000;

/** Empty: the member's hooks are called, and succeed. */
export function alertRemarks(
  { member, state, now }: AlertFacts,
  all: readonly AlertFacts[],
  { alertDirectory }: AlertSettings,
): Remark[] {
  const remark = (text: string, remedy: string): Remark => ({ member, text, remedy });
  const nobody = 'an event that only this member sees is not reported';
  if (state === null || state.at === noAlertState.at)
    return [remark(`csync alert run has not run on ${member} since its boot: ${nobody}`, `on ${member}: ${runTimer}`)];
  const late = now - Date.parse(state.at);
  const old =
    late > lateMs
      ? [
          remark(
            `csync alert run last ran on ${member} ${Math.round(late / 60_000)} min ago: ${nobody}`,
            `on ${member}: ${runTimer}; systemctl status csync-alerts`,
          ),
        ]
      : [];
  if (state.problem !== null)
    return [...old, remark(`no hook is run on ${member}: ${state.problem}`, `correct ${alertDirectory} there; csync alert test`)];
  const none =
    state.hooks.length > 0
      ? []
      : [remark(`${alertDirectory} on ${member} has no hook: ${nobody}`, 'docs/how-to/alerts/hooks.md; csync alert test')];
  return [
    ...old,
    ...none,
    ...(state.unknown.length === 0
      ? []
      : [
          remark(
            `csync alert run on ${member} cannot observe: ${state.unknown.join(', ')}`,
            `on ${member}: csync alert run --dry-run; csync status`,
          ),
        ]),
    ...state.hooks.flatMap(({ name, refused }) =>
      refused === null
        ? []
        : [remark(`hook ${name} on ${member} is not run: ${refused}`, refusedRemedy(`${alertDirectory}/${name}`))],
    ),
    ...failures(state).map(([name, text]) =>
      remark(`hook ${name} on ${member} failed: ${text}`, 'repair it, then csync alert test'),
    ),
    ...differences(member, state, all, remark),
  ];
}

const refusedRemedy = (path: string): string => `check its content, then: chown root ${path}; chmod 755 ${path}`;

function failures({ hooks, results }: AlertState): [name: string, text: string][] {
  return Object.entries(results).flatMap(([name, { ok, result, at }]) =>
    ok || !hooks.some((hook) => hook.name === name) ? [] : [[name, `${result} (${at})`]],
  );
}

function differences(
  member: string,
  { hooks }: AlertState,
  all: readonly AlertFacts[],
  remark: (text: string, remedy: string) => Remark,
): Remark[] {
  const at = all.findIndex((one) => one.member === member);
  const first = all.slice(0, at).find(({ state }) => state !== null);
  if (first?.state == null) return [];
  const theirs = new Map(first.state.hooks.map(({ name, digest }) => [name, digest]));
  const own = new Map(hooks.map(({ name, digest }) => [name, digest]));
  const names = [...new Set([...theirs.keys(), ...own.keys()])].filter((name) => own.get(name) !== theirs.get(name));
  if (names.length === 0) return [];
  const text = `hooks of ${member} and ${first.member} differ: ${names.sort().join(', ')}`;
  return [remark(text, `copy the right ones to every member: scp -p, as root`)];
}
