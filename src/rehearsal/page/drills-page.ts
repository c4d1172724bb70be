/** docs/reference/drills.md. Pure. */
import { pageTable } from '../../base/tables.ts';
import { typed } from '../../engine/choice/engine-for.ts';
import type { Engine } from '../../engine/engine.ts';
import { drills } from '../drill-table.ts';
import type { Act, Drill } from '../drills/drill-model.ts';
import { commandsOf } from '../orders.ts';

function seconds(value: number | null, none: string): string {
  return value === null ? none : `${value} s`;
}

export function actText(act: Act, { orders }: Pick<Engine, 'orders'>): string {
  switch (act.do) {
    case 'type':
      return `on the ${partText(act.on)}: \`${typed(commandsOf(act, orders, '{package}', (part) => `{${part}}`))}\``;
    case 'signal':
      return `on the ${partText(act.on)}: SIG${act.signal} to the ${targetText[act.to]}${act.whenItRuns === true ? ' as soon as it runs' : ''}${act.ifThere === true ? ', if it exists' : ''}`;
    case 'script':
      return `on the ${partText(act.on)}: ${act.text}`;
    case 'machine':
      return `the ${partText(act.on)}: ${machineText[act.verb]}`;
    case 'wait':
      return `wait until ${waitText[act.until]}`;
    case 'watch':
      return `${act.seconds} s without an action`;
  }
}

const targetText = {
  daemon: 'daemon',
  monitor: 'monitor',
  front: 'front',
  startScript: 'start script',
  haltScript: 'halt script',
} as const;
const machineText = {
  crash: 'power is cut',
  boot: 'power is on again',
  cut: 'network cable is pulled',
  heal: 'network cable is back',
} as const;
const waitText = {
  moved: 'the package runs on another member',
  down: 'the package is down',
  starting: 'a start of the package begins on another member',
  served: 'the package runs',
  master: 'the package runs on the first member',
  next: 'the package runs on the next member',
  third: 'the package runs on the third member',
} as const;
const partText = (part: 'master' | 'next' | 'third'): string => (part === 'master' ? 'active member' : `${part} member`);

function section({ name, title, done, must, cleaned, where, members, budget, acts, cleanup }: Drill, engine: Engine): string {
  const outage = budget.outage === 0 ? 'no client may notice' : `outage at most ${seconds(budget.outage, 'unlimited')}`;
  const rows = [
    ['action', done],
    ['expected', must],
    ['limits', `${engine.title} acts within ${seconds(budget.detect, 'any time')}; ${outage}`],
    ['where', `${where === 'any' ? 'real cluster and lab' : 'lab only'}, ${members} members or more`],
    ['cleanup', cleaned],
  ];
  return `### ${name}

${title}.

${pageTable(['', ''], rows)}

${acts.map((act, index) => `${index + 1}. ${actText(act, engine)}`).join('\n')}
${cleanup.length === 0 ? '' : `\nAfterwards: ${cleanup.map((act) => actText(act, engine)).join('; ')}.\n`}`;
}

export function drillsPage(engine: Engine): string {
  const rows = drills.map(({ name, title, where, budget }) => [
    `[${name}](#${name})`,
    title,
    where === 'any' ? 'cluster, lab' : 'lab',
    seconds(budget.detect, '-'),
    budget.outage === 0 ? 'none' : seconds(budget.outage, '-'),
  ]);
  return `# Drills

What can \`csync rehearse --drill NAME\` and \`csync lab rehearse\` test? All ${drills.length} drills are listed here; ${drills.filter(({ where }) => where === 'any').length} of them also run on a real cluster.
This page is generated from the tables that the drills are run from (src/rehearsal/drills); a test keeps it up to date.

A drill starts only while the package runs and all members and the package are enabled. It passes only if the state afterwards is the same.
Clients probe the master all the time. "Next" is the first member that the package may move to, "third" is the one after.
"Detected within" limits the time until ${engine.title} acts: it runs a halt, or registers that a service or a member failed.

${pageTable(['drill', 'what happens', 'where', 'detected within', 'outage at most'], rows)}

${drills.map((drill) => section(drill, engine)).join('\n')}`;
}
