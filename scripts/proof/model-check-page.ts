/** docs/proof/model-check.md: what was checked, and what was found. */
import { pageTable } from '../../src/base/tables.ts';
import { storyLines } from '../../src/model-check/model-check.ts';
import type { SearchResult } from '../../src/model-check/search.ts';

const number = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ');
const seconds = (ms: number): string => (ms / 1000).toFixed(1);

const total = (results: readonly SearchResult[], of: 'states' | 'transitions' | 'processorMilliseconds'): number =>
  results.reduce((sum, result) => sum + result[of], 0);

export function resultTable(results: readonly SearchResult[]): string {
  const head = ['members', 'style', 'events at most', 'complete', 'states', 'transitions', 'depth', 'positions of scripts'];
  const rows = results.map((one) => [
    one.members,
    one.style,
    one.bounds.events,
    one.isComplete ? 'yes' : 'no, stopped at its limit',
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

export interface Circumstances {
  readonly date: string;
  readonly toolkit: string;
  readonly node: string;
  readonly machine: string;
  /** From the first start to the last end; searches run in parallel. */
  readonly clockMs: number;
}

export function checkPage(results: readonly SearchResult[], { date, toolkit, node, machine, clockMs }: Circumstances): string {
  const commands = new Map<string, number>();
  for (const { commandsTyped } of results)
    for (const [command, count] of Object.entries(commandsTyped)) commands.set(command, (commands.get(command) ?? 0) + count);
  const found = results.filter((result) => result.counterexample !== null);
  const lines = [
    '# Model check',
    '',
    'Which states did the model check search, and what did it find? For readers who want evidence.',
    '',
    `Written by \`npm run model-check\`: ${date}, csync ${toolkit}, Node.js ${node}, ${machine}.`,
    '',
    resultTable(results),
    '',
    `Together ${number(total(results, 'states'))} states and ${number(total(results, 'transitions'))} transitions in ${seconds(total(results, 'processorMilliseconds'))} s of processor time, ${seconds(clockMs)} s by the clock.`,
    ...found.flatMap((result) => ['', '## Found', '', ...storyLines(result)]),
    '',
    ...explanation,
    '',
    '## Recovery',
    '',
    'From every state, after all repairs, the package was served again: by itself, or by commands that csync prints. A recovery that reaches a state of',
    'another one is not continued twice. The table counts the recoveries in which each command was typed.',
    '',
    pageTable(
      ['command', 'recoveries'],
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
  'The search runs the shipped code: the package manager of the lab (`src/lab/manager`), plans and steps of the member scripts (`src/member`), the judge of the',
  'monitor (`src/member/monitor/judge.ts`) and its brake (`src/member/monitor/brake.ts`). Only the world around them is plain data.',
  '',
  'It visits every state that at most so many _events_ can reach. An event is a fault, a repair or a command of an administrator, at any moment and in any order.',
  'What happens by itself between events is not limited. A script can be cut, killed or disturbed between any two of its acts: a command, a write, a',
  'signal, a wait. What it reads between two acts counts as one moment.',
  '',
  'Faults:',
  '',
  '- A daemon dies, hangs, cannot start, or has more connections than it can serve.',
  '- A member crashes, loses its cable or its disk. The package address is removed, or another host answers for it.',
  '- A command of a script fails. A script is killed, times out, or hangs in a read.',
  '- A client transfers, a user works, or a process hangs on the policy file system.',
  '- The monitor is killed or stopped; `csync-front.pl` is stopped; the disk of the log hangs; `cmviewcl` does not answer the brake.',
  '- An apply is cut off between two files.',
  '',
  'Commands: cmrunpkg, cmhaltpkg (-f), cmmodpkg (-e, -d, each also for a member; -m on, off), cmhaltnode -f, cmrunnode, cmhaltcl -f,',
  'cmruncl, csync recover, csync apply.',
  '',
  'What must hold:',
  '',
  '- I1: at most one member has the policy file system mounted, at any time.',
  '- I2: after a start that succeeds without a fault, the member serves the policy, with its epoch on the file system and a monitor. A package that is',
  '  reported as running is served, or the brake keeps it because no other member is up and enabled.',
  '- I3: after a halt that succeeds, nothing of the package remains, and a daemon runs if it can. A halt fails only for a reason. A start that fails undoes its steps.',
  '- I6, for scripts: each can run again after it was cut at any point (part of I7).',
  '- I7: from every state, once faults stop, the package is served again, by itself or by commands that csync prints.',
  '- A hung read: a start with no other fault exits with 2 (another member is tried), a halt with 0, unless something of the package is still held.',
  '- The brake: no monitor that got an answer of `cmviewcl` leaves a serving member for a load alone, or while no other member is up and enabled.',
  '- Another host with the package address moves nothing and fails no start, because a failover would not help.',
  "- The package manager keeps its own invariants: one script at a time, no start before the cluster has re-formed, consequences as in the manual's table.",
  '',
  "I4 (what clients keep) and I5 (secrets) cannot be expressed here; tests in the lab check them. Serviceguard's modules, and a launcher with a script",
  'that hangs, are written a second time (`src/model-check/world/package-scripts.ts`, `src/model-check/world/supervised.ts`). Tests compare both with the real ones.',
  'Bugs planted in the code prove the search: [planted-bugs.md](planted-bugs.md).',
  '',
  '## Not modelled',
  '',
  '- `csync-front.pl` and the monitor both stopped: no process can act, so no bound can hold ([hangs.md](hangs.md)).',
  '- Time. Each failover counts as less than ten minutes ago, and as more, so the brake may keep the package or release it. Restarts in place are one moment.',
  '- Where the package came from: any disabled member counts. That is more than the brake accepts, never less.',
  '- The subnet of other members, which the published format of `cmviewcl` lacks. Serviceguard starts the package nowhere until the subnet is back.',
  '- A read that hangs in every script of a member: each hang is an event. A command of Serviceguard that hangs reaches its time limit, which is modelled.',
  '- The number of connections (a load exists or not), and a layer `owner` with weight fail, which is not the default.',
  "- cfengine 2, checks of the monitor's own clock, several packages, a member that loses all networks. Tests of the lab and of processes cover them.",
];
