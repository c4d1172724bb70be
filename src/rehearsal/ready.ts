/** Whether the package would start on each member. Pure. */

import { parseLogLine } from '../base/log-line.ts';
import { driftRemedy, inBrief } from '../cluster/apply/comparison.ts';
import type { CheckReport } from '../cluster/condition/checks.ts';
import type { MemberStatus, StatusInput, StatusVerdict } from '../cluster/condition/status.ts';
import type { Handshake } from '../cluster/hosts/key-layout.ts';
import { engineFor, typed } from '../engine/choice/engine-for.ts';
import type { Look, Readiness, ReadyReport } from './model.ts';

export interface ScriptSaid {
  /** null: not called. */
  readonly exitCode: number | null;
  readonly output: string;
}

export interface ReadyInput {
  readonly status: StatusInput;
  readonly verdict: StatusVerdict;
  readonly check: CheckReport;
  readonly validate: ReadonlyMap<string, ScriptSaid>;
  readonly dryRun: ReadonlyMap<string, ScriptSaid>;
  /** null: csync set up no host. */
  readonly handshakes: readonly Handshake[] | null;
}

type Found = Omit<Look, 'member' | 'name'>;
type Judge = (one: MemberStatus, input: ReadyInput) => readonly Found[];

const good = (text: string): readonly Found[] => [{ is: 'good', text, remedy: '' }];
const bad = (text: string, remedy: string): readonly Found[] => [{ is: 'bad', text, remedy }];
const leftOut = (text: string, remedy: string): readonly Found[] => [{ is: 'skipped', text, remedy }];

/** In the report's order; each counts in the score. */
const looks: readonly { readonly name: string; readonly judge: Judge }[] = [
  { name: 'cluster', judge: judgeCluster },
  { name: 'switching', judge: judgeSwitching },
  { name: 'files', judge: judgeFiles },
  { name: 'check', judge: judgeCheck },
  { name: 'validate', judge: judgeValidate },
  { name: 'start --dry-run', judge: judgeDryRun },
  { name: 'daemon', judge: judgeDaemon },
  { name: 'keys', judge: judgeKeys },
];

function judgeCluster({ member, inCluster }: MemberStatus, { status }: ReadyInput): readonly Found[] {
  const { orders, words } = engineFor(status.place);
  return inCluster === 'up'
    ? good('is up in the cluster')
    : bad(`is ${inCluster} in the cluster`, `${typed(orders.runMember(member))}; ${words.startCluster}`);
}

function judgeSwitching({ member, switching }: MemberStatus, { status }: ReadyInput): readonly Found[] {
  const { packageName } = status.place;
  const { orders, words } = engineFor(status.place);
  if (switching === null)
    return bad(
      `unknown whether the package may start here: ${words.viewer} does not report it`,
      'csync status   (prints the next step)',
    );
  return switching
    ? good('may run the package')
    : bad(
        'is disabled for the package: the package failed here, or an administrator disabled it',
        `repair the cause in the package log here, then ${typed(orders.switchMembersOn(packageName, [member]))}`,
      );
}

function judgeFiles({ staleFiles }: MemberStatus): readonly Found[] {
  if (staleFiles === null) return leftOut('its files could not be checked', 'csync diff');
  return staleFiles.length === 0
    ? good('files equal the rendered package')
    : bad(
        `${inBrief(staleFiles).join(', ')} ${staleFiles.length === 1 ? 'differs' : 'differ'} from the rendered package`,
        driftRemedy,
      );
}

function judgeCheck({ member }: MemberStatus, { check }: ReadyInput): readonly Found[] {
  const own = check.problems.filter((problem) => problem.member === member && problem.severity === 'error');
  const missing = check.leftOut.filter((one) => one.member === member && one.why !== 'unreachable');
  return [
    ...own.map(({ text, remedy }): Found => ({ is: 'bad', text, remedy })),
    ...missing.map(({ name, why }): Found => ({ is: 'skipped', text: `${name} (${why})`, remedy: '' })),
    ...(own.length + missing.length === 0 ? good('csync check finds no obstacle') : []),
  ];
}

function judgeValidate({ member }: MemberStatus, { validate }: ReadyInput): readonly Found[] {
  const said = validate.get(member);
  if (said === undefined || said.exitCode === null || said.exitCode > 1)
    return leftOut(`validate could not be called${wordsOf(said)}`, 'csync diff; csync apply distributes the scripts');
  return said.exitCode === 0
    ? good("the package's own validate succeeds")
    : bad(
        `validate fails: ${failedLines(said.output).join(' ') || said.output.trim()}`,
        'correct on that member what it reports; csync apply distributes the files again',
      );
}

function judgeDryRun({ member }: MemberStatus, { dryRun }: ReadyInput): readonly Found[] {
  const said = dryRun.get(member);
  if (said === undefined || said.exitCode !== 0)
    return leftOut(`start --dry-run could not be called${wordsOf(said)}`, 'csync diff; csync apply distributes the scripts');
  const failed = failedLines(said.output);
  return failed.length === 0
    ? good('every step of a start is possible, or done already')
    : bad(failed.join(' '), 'correct what that line reports; csync recover removes what a failed script left');
}

function wordsOf(said: ScriptSaid | undefined): string {
  const last = said?.output.trim().split('\n').at(-1) ?? '';
  return last === '' ? '' : `: ${last}`;
}

/** Without the last line, the exit status. */
function failedLines(output: string): string[] {
  return output.split('\n').flatMap((line) => {
    const parsed = parseLogLine(line);
    return parsed?.result === 'failed' && parsed.code !== 'script-failed' ? [`[${parsed.code}] ${parsed.text}`] : [];
  });
}

function judgeDaemon({ member, seen }: MemberStatus): readonly Found[] {
  if (seen === null) return leftOut('it could not be checked', '');
  if (seen.daemons === 1) return good('its cfengine daemon runs');
  if (seen.daemons === 0)
    return bad(
      'no cfengine daemon runs: a start would have to start one first',
      `csync members sync; on ${member}: /usr/local/sbin/csync-cfservd start`,
    );
  return bad(`${seen.daemons} cfengine daemons run`, 'kill all except the one that listens on the port');
}

function judgeKeys({ member }: MemberStatus, { handshakes }: ReadyInput): readonly Found[] {
  if (handshakes === null)
    return leftOut('csync has set up no host yet, so it does not know which handshakes are needed', 'csync members sync');
  const own = handshakes.filter(({ caller, server }) => caller === member || server === member);
  const refused = own.filter(({ why }) => why.length > 0);
  if (own.length === 0) return leftOut('no host could be checked', 'csync keys verify');
  const told = refused.slice(0, 3).map(({ caller, server, why }) => `${caller} -> ${server} would fail: ${why.join('; ')}`);
  return refused.length === 0
    ? good(`all ${own.length} handshakes would succeed`)
    : bad(
        `${refused.length} of ${own.length} handshakes would fail: ${told.join('. ')}`,
        'csync keys verify; csync keys distribute',
      );
}

/** Every check of every member. */
export function judgeReadiness(input: ReadyInput): ReadyReport {
  const members = input.status.members.map((one) => readinessOf(one, input));
  const ready = members.filter(({ verdict }) => verdict === 'ready').map(({ member }) => member);
  const others = members
    .filter(({ verdict }) => verdict !== 'ready')
    .map(({ member, verdict }) => `${verdict === 'unknown' ? 'perhaps not' : 'not'} on ${member}`);
  const running = input.verdict.condition === 'serving';
  const starts = `the package would start on ${ready.length} of ${members.length} members${others.length === 0 ? '' : `, ${others.join(', ')}`}`;
  const autoRun = input.status.status?.autoRun === true;
  const now = running ? '' : `; ${input.verdict.sentence}`;
  const stuck = running && !autoRun ? `; ${engineFor(input.status.place).words.autoRun} is disabled, so it cannot fail over` : '';
  return {
    verdict: others.length === 0 && running && autoRun ? 'pass' : 'fail',
    sentence: `${starts}${stuck}${now}`,
    condition: input.verdict.condition,
    members,
    general: generalOf(input),
  };
}

function generalOf({ verdict, check, status }: ReadyInput): ReadyReport['general'] {
  const names = status.members.map(({ member }) => member);
  const ofMember = (text: string): boolean => names.some((name) => new RegExp(`\\b${name}\\b`).test(text));
  const advice = verdict.advice.filter(({ text }) => !ofMember(text));
  const problems = check.problems.filter(({ member, severity }) => member === undefined || severity === 'warning');
  return [
    ...advice,
    ...problems.map(({ text, remedy, member }) => ({ text: member === undefined ? text : `${member}: ${text}`, remedy })),
  ];
}

function readinessOf(one: MemberStatus, input: ReadyInput): Readiness {
  const { member, seen, noAnswer } = one;
  const wanted = looks.length;
  if (seen === null) {
    const all = looks.map(
      ({ name }): Look => ({
        name,
        member,
        is: 'skipped',
        text: `${member} cannot be checked: ${noAnswer.why}`,
        remedy: noAnswer.remedy,
      }),
    );
    return {
      member,
      verdict: 'unknown',
      good: 0,
      wanted,
      sentence: `it cannot be checked: ${noAnswer.why}`,
      looks: all.slice(0, 1),
    };
  }
  const found = looks.map(({ name, judge }) => judge(one, input).map((look): Look => ({ ...look, name, member })));
  const isGood = (group: readonly Look[]): boolean => group.every(({ is }) => is === 'good');
  const wrong = found.filter((group) => group.some(({ is }) => is === 'bad')).map(([first]) => first?.name ?? '');
  const unknown = found.filter((group) => group.some(({ is }) => is === 'skipped')).map(([first]) => first?.name ?? '');
  // A hand-made cluster has no list of keys, and some checks do not concern a start.
  const decisive = unknown.filter((name) => name !== 'check' && (name !== 'keys' || input.handshakes !== null));
  const verdict = wrong.length > 0 ? 'not ready' : decisive.length > 0 ? 'unknown' : 'ready';
  const owns = input.status.status?.owner === member;
  const sentence =
    verdict === 'ready'
      ? owns
        ? 'the package runs here, and could start here again'
        : 'it would start here'
      : verdict === 'unknown'
        ? `unknown whether it would start here: ${decisive.join(', ')}`
        : `it would not start here: ${wrong.join(', ')}`;
  return { member, verdict, good: found.filter(isGood).length, wanted, sentence, looks: found.flat() };
}
