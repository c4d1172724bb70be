/** docs/reference/drills.md, from the tables that the drills are run from. */
import { pageTable } from '../../../src/base/tables.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { drills } from '../../../src/rehearsal/drill-table.ts';
import type { Drill } from '../../../src/rehearsal/drills/drill-model.ts';
import { actText } from '../../../src/rehearsal/page/act-text.ts';

function seconds(value: number | null, none: string): string {
  return value === null ? none : `${value} s`;
}

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
