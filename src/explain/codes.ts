/** Every problem code with its entry. Pure. */
import { manualPages } from '../base/codes/entry.ts';
import { type ProblemCode, problemCodes } from '../base/codes/problem-codes.ts';
import { folded } from '../base/fold.ts';
import { exitCodes } from '../base/problem.ts';
import { type FailureCode, failureTable } from '../member/failures.ts';
import { memberCodes } from './member-codes.ts';

export interface CodeEntry {
  readonly code: string;
  /** null: of a member script; the cluster acts on its status. */
  readonly exit: number | null;
  readonly text: string;
  readonly cluster: string;
  readonly why: string;
  readonly fix: readonly string[];
  readonly example: string;
  readonly page: string;
}

function ofProblem(code: ProblemCode): CodeEntry {
  const { exit, page, ...rest } = problemCodes[code];
  return { code, exit: exitCodes[exit], ...rest, page: manualPages[page] };
}

function ofMember(code: FailureCode): CodeEntry {
  const { text, page, ...rest } = memberCodes[code];
  const { means, start } = failureTable[code];
  const next =
    start === 1 ? 'A start exits with 1: no other member tries it.' : 'A start exits with 2: the cluster tries another member.';
  const cluster = `${means.charAt(0).toUpperCase()}${means.slice(1)}. ${next}`;
  return { code, exit: null, text, cluster, ...rest, page: manualPages[page] };
}

export const codeEntries: readonly CodeEntry[] = [
  ...(Object.keys(problemCodes) as ProblemCode[]).map(ofProblem),
  ...(Object.keys(failureTable) as FailureCode[]).map(ofMember),
];

const groups: readonly (readonly [title: string, isIn: (entry: CodeEntry) => boolean])[] = [
  ['The command line', ({ code }) => code.startsWith('usage')],
  ['Settings (csync.yaml)', ({ code, exit }) => exit !== null && code.startsWith('settings-')],
  ['Templates', ({ code }) => code.startsWith('template-')],
  ['Policy', ({ code, exit }) => exit !== null && code.startsWith('policy-')],
  ['Package files', ({ code }) => code.startsWith('package-')],
  ['Files on this host', ({ code }) => /^(file|render)-/.test(code)],
  ['This host', ({ code }) => code.startsWith('here-')],
  ['The lab', ({ code }) => code.startsWith('lab-')],
  ['The cluster and its hosts', ({ code }) => code.startsWith('cluster-')],
  ['Changes', ({ code }) => code.startsWith('change-')],
  ['csync check', ({ code }) => code.startsWith('check-')],
  ['csync alert', ({ code }) => code.startsWith('alert-')],
  ['Interruptions', ({ code }) => code.startsWith('interrupted')],
  ['Package log and syslog: start, halt, validate, monitor', ({ exit }) => exit === null],
];

export const groupsOf = (entries: readonly CodeEntry[]) =>
  groups.map(([title, isIn]) => ({ title, entries: entries.filter(isIn) }));

export function codesText(entries: readonly CodeEntry[], width: number): string {
  const blocks = groupsOf(entries).map(({ title, entries }) => {
    const lines = entries.map(({ code, text }) => `  ${code}\n${folded(`      ${text}`, width, 6)}`);
    return `${title}\n${lines.join('\n')}\n`;
  });
  return `${blocks.join('\n')}\ncsync explain CODE prints what to do.\n`;
}

export function codeText({ code, exit, text, cluster, why, fix, example, page }: CodeEntry, width: number): string {
  const head = exit === null ? `${code} (package log and syslog)` : `${code} (exit status ${exit})`;
  const line = (said: string): string => folded(`  ${said}`, width, 2);
  const steps = fix.length === 1 ? fix.map(line) : fix.map((one, at) => folded(`  ${at + 1}. ${one}`, width, 5));
  return [
    `${head}\n${line(text)}`,
    `For the cluster:\n${line(cluster)}`,
    `Why:\n${line(why)}`,
    `Fix:\n${steps.join('\n')}`,
    `Example:\n${line(example)}`,
    `Manual:\n${line(page)}\n`,
  ].join('\n\n');
}
