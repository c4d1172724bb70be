/**
 * The runs of the model check and their report. What is checked, and what is not, is said here once, for the terminal, the
 * page and the JSON. Pure but for the clock.
 */
import { pageTable } from '../base/tables.ts';
import type { Settings } from '../settings/settings.ts';
import { Search, type SearchBounds, type SearchResult } from './search.ts';

export interface CheckRun {
  readonly members: number;
  readonly style: Settings['packageStyle'];
  readonly bounds: SearchBounds;
}

const memberNames = ['m1', 'm2', 'm3', 'm4'] as const;

/** One search after the other; ends with the first that finds something. */
export async function runChecks(
  runs: readonly CheckRun[],
  settings: Settings,
  progress: (text: string) => void,
): Promise<SearchResult[]> {
  const results: SearchResult[] = [];
  for (const { members, style, bounds } of runs) {
    const label = `${members} members, ${style}, ${bounds.events} events`;
    progress(label);
    const varied: Settings = { ...settings, members: memberNames.slice(0, members), packageStyle: style };
    const result = await new Search(varied, bounds).run((text) => progress(`${label}: ${text}`));
    results.push(result);
    if (result.counterexample !== null) break;
  }
  return results;
}

const number = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ');
const seconds = (ms: number): string => (ms / 1000).toFixed(1);

export const total = (results: readonly SearchResult[], of: 'states' | 'transitions' | 'processorMilliseconds'): number =>
  results.reduce((sum, result) => sum + result[of], 0);

/** A row a search. */
export function resultTable(results: readonly SearchResult[]): string {
  const head = ['members', 'style', 'events at most', 'complete', 'states', 'transitions', 'depth', 'positions of scripts'];
  const rows = results.map((one) => [
    one.members,
    one.style,
    one.bounds.events,
    one.isComplete ? 'yes' : 'no, ended at its limit',
    number(one.states),
    number(one.transitions),
    one.depth,
    number(one.scriptPositions),
    seconds(one.processorMilliseconds),
    one.counterexample === null ? 'nothing found' : `**${one.counterexample.broken}**`,
  ]);
  const align = ['---:', '---', '---:', '---', '---:', '---:', '---:', '---:', '---:', '---'];
  return pageTable([...head, 'processor, s', 'result'], rows, align);
}

/** A counterexample as a story, a line a step. */
export function storyLines({ counterexample }: SearchResult): string[] {
  if (counterexample === null) return [];
  return [...counterexample.story.map((line, index) => `${index + 1}. ${line}`), '', `=> ${counterexample.broken}`];
}

export interface Circumstances {
  readonly date: string;
  readonly toolkit: string;
  readonly node: string;
  readonly machine: string;
  /** From the beginning of the first search to the end of the last; they run side by side. */
  readonly clockMs: number;
}

/** docs/proof/model-check.md. */
export function checkPage(results: readonly SearchResult[], { date, toolkit, node, machine, clockMs }: Circumstances): string {
  const commands = new Map<string, number>();
  for (const { commandsTyped } of results)
    for (const [command, count] of Object.entries(commandsTyped)) commands.set(command, (commands.get(command) ?? 0) + count);
  const found = results.filter((result) => result.counterexample !== null);
  const lines = [
    '# Model check',
    '',
    `Written by \`npm run model-check\`: ${date}, csync toolkit ${toolkit}, Node.js ${node}, ${machine}.`,
    '',
    resultTable(results),
    '',
    `Together ${number(total(results, 'states'))} states and ${number(total(results, 'transitions'))} transitions in ${seconds(total(results, 'processorMilliseconds'))} s of processor time, ${seconds(clockMs)} s by the clock.`,
    ...found.flatMap((result) => ['', '## Found', '', ...storyLines(result)]),
    '',
    ...explanation,
    '',
    '## The way back',
    '',
    'From every state, with faults mended, the package was served again: by itself, or by commands that are named to the',
    'administrator. A way that comes upon a state of another way is not walked twice. So often each command was typed on one:',
    '',
    pageTable(
      ['command', 'ways'],
      [...commands].sort(([, a], [, b]) => b - a).map(([command, count]) => [`\`${command}\``, number(count)]),
      ['---', '---:'],
    ),
    '',
  ];
  return lines.join('\n');
}

const explanation = [
  '## What was checked',
  '',
  "The code that ships: the lab's package manager (`src/lab/manager`, with its event table), the plans and steps of the member",
  "scripts (`src/member`), the judge of the monitor (`src/member/monitor/judge.ts`) and its brake (`src/member/monitor/brake.ts`, which reads the lab's",
  '`cmviewcl`), together over a world of plain data. A search',
  'visits every state that can be reached with at most so many _events_ (a fault, a repair or a command of an administrator), at',
  'any moment and in any order; what goes on by itself between them is not limited. A script can be cut, killed or disturbed between any',
  'two of its acts (a command, a write, a signal, a wait); what it looks at between two acts counts as one moment.',
  '',
  'Faults: a daemon dies, hangs, cannot start; a member crashes; its cable is cut; its disk is gone; the package address is taken',
  'away; a command of a script fails; a script is killed, or times out; a client transfers, somebody works, or a process hangs on the',
  'policy file system; the monitor is killed, or stopped; `csync-front.pl` is stopped; the disk of the log hangs; an apply is cut off',
  'between two files; a read of a start or halt script hangs, and its launcher gives it up; another host answers for the package address;',
  'more clients connect to the package address, wherever it is, than a daemon bears; `cmviewcl` does not answer the brake.',
  '',
  'Commands: cmrunpkg, cmhaltpkg (-f), cmmodpkg (-e, -d, each also for a member; -m on, off), cmhaltnode -f, cmrunnode, cmhaltcl -f,',
  'cmruncl, csync recover, csync apply.',
  '',
  'What must hold:',
  '',
  '- I1: the policy file system is mounted on one member at most, at any time.',
  '- I2: a start that succeeds, and no fault came upon it, has left a member that serves the policy it holds, with its mark on the file system and',
  '  a monitor; whenever the package is called running and nothing goes on any more, it is served, or the brake keeps it since no other',
  '  member is up and switched on for it.',
  '- I3: after a halt that succeeds nothing of the package is left and a daemon runs, if it can; a halt fails only for a reason; a start that fails takes back what it did.',
  '- I6, of the scripts: each can be run again after it was cut anywhere (part of I7).',
  '- I7: from every state, once faults stop, the package is served again, by itself or by commands that are named to somebody.',
  '- A hung read: a start that only that came upon ends with 2 (another member is tried), a halt with 0, unless something of the package is',
  '  still held.',
  '- The brake: no monitor that has an answer of `cmviewcl` leaves a member that serves, for a load alone, or where no other member is up and',
  '  switched on.',
  '- Another host with the package address moves nothing and fails no start: a failover would not cure it.',
  '- The package manager: its own invariants, one script at a time, no start before the cluster has re-formed or where the package may not run,',
  "  and the consequences of a failure that the manual's table has.",
  '',
  'Not expressible here: I4 (what clients keep, and which of two hosts with one address they reach) and I5 (secrets); the tests of the lab',
  "see to those. Serviceguard's own modules (volume group, file system, address) and what a launcher does about a script that hangs are",
  'written down a second time for it (`src/model-check/world/package-scripts.ts`, `src/model-check/world/supervised.ts`); tests hold them to the real ones. The search',
  'is proved by bugs planted in the code: [planted-bugs.md](planted-bugs.md).',
  '',
  '## Not modelled',
  '',
  '- `csync-front.pl` and the monitor both stopped: no process is left that could act, so no bound could hold (hangs.md).',
  '- Time. Each failover counts as less than ten minutes ago, and as more: the brake may keep the package or leave. Pauses between restarts in',
  '  place, and how often each is tried, are one moment. So is `monitor_local_restart`, which restarts the daemon once as the brake does.',
  '- Where the package came from: any member that is switched off counts. That is more than the brake takes, never less.',
  '- The subnet of other members: the published line format of `cmviewcl` has no attribute for it. The brake lets a package go to a member whose',
  '  subnet is down; Serviceguard then starts it nowhere until the subnet is back.',
  '- A read that goes on hanging in every script of a member: each hang is an event of its own. A command of Serviceguard that hangs runs',
  '  into its time limit, which is modelled.',
  '- The number of connections (a load is there or not), and a layer `owner` with weight fail, which is no default.',
  "- Generation 2, cross checks of the monitor's own clock, more than one package, a member that loses all its networks: each would need a",
  '  world of its own; tests of the lab and of processes have them.',
];
