/** One self-contained HTML page without scripts. Pure. */
import type { Comparison } from '../comparison.ts';
import { drillNamed } from '../drill-table.ts';
import {
  asSentence,
  type DrillResult,
  type Flags,
  inSeconds,
  longestOutage,
  momentText,
  orderedMoments,
  outagePartNames,
  outageParts,
  type Readiness,
  type ReadyReport,
  type Rehearsal,
  worstOutage,
} from '../model.ts';
import { drawDrill, letterOf } from './drawing.ts';
import { type Content, type Markup, markup, Markup as Raw } from './markup.ts';
import { pageStyle } from './style.ts';

const wideWidth = 1092;
const middleWidth = 640;
const narrowWidth = 346;

/** `comparison` null: no earlier one. */
export function rehearsalPage(rehearsal: Rehearsal, comparison: Comparison | null): string {
  const { packageName, place, at, toolkit, verdict, sentence, drills, ready, synthetic } = rehearsal;
  const where = place === 'lab' ? 'in the lab (emulated cluster)' : 'on the cluster';
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${verdict === 'pass' ? 'Passed' : 'Failed'}: rehearsal of ${packageName}, ${dayOf(at)}</title>
<style>${new Raw(pageStyle)}</style>
</head>
<body>
${patterns}
<main>
<h1>Failover rehearsal of package ${packageName}, ${where}</h1>
<div class="verdict ${verdict}"><p>${word(verdict === 'pass' ? 'PASSED' : 'FAILED', verdict)}${asSentence(sentence)}</p></div>
<p class="facts">${timeOf(at)} · members ${rehearsal.members.join(', ')} · csync toolkit ${toolkit} · ${drills.length === 0 ? 'checks only: nothing was changed' : `${drills.length} ${drills.length === 1 ? 'drill' : 'drills'}`}</p>
${synthetic === true ? markup`<p class="note"><strong>Made-up data.</strong> This page shows the format of a report; nothing was measured.</p>` : null}
${ready === null ? null : readySection(ready)}
${drills.length > 1 ? summarySection(drills) : null}
${drills.some(({ marks }) => marks.length > 0) ? legendSection : null}
${drills.map((drill) => drillSection(drill, rehearsal))}
${drills.length === 0 ? null : comparisonSection(comparison)}
${drills.length === 0 ? null : footer(rehearsal)}
</main>
</body>
</html>
`;
  return page.text;
}

const patterns = markup`<svg class="defs" aria-hidden="true"><defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="7" height="7" fill="var(--bad-soft)"/><rect width="2" height="7" fill="var(--bad)" fill-opacity="0.55"/></pattern></defs></svg>`;

const dayOf = (at: string): string => at.slice(0, 10);
const timeOf = (at: string): string => `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;

function word(text: string, kind: string): Markup {
  return markup`<span class="word ${kind}">${text}</span>`;
}

const verdictWord = ({ verdict }: Pick<DrillResult, 'verdict'>): Markup =>
  word(verdict === 'pass' ? 'PASSED' : 'FAILED', verdict);

function readySection({ members, general, sentence }: ReadyReport): Markup {
  return markup`<section id="ready"><h2>Would the package start there?</h2>
<p>${asSentence(sentence)}</p>
<div class="members">${members.map(memberCard)}</div>
${general.length === 0 ? null : markup`<h3>The cluster as a whole</h3><ul class="list">${general.map(({ text, remedy }) => item(text, remedy))}</ul>`}
</section>
`;
}

function item(text: string, remedy: string): Markup {
  return markup`<li>${text}${remedy === '' ? null : markup`<span class="helps">Fix: ${remedy}</span>`}</li>`;
}

const readyKind = { ready: 'good', 'not ready': 'bad', unknown: 'unsure' } as const;

function memberCard({ member, verdict, good, wanted, sentence, looks }: Readiness): Markup {
  const worth = looks.filter(({ is }) => is !== 'good');
  return markup`<div class="member ${readyKind[verdict]}"><strong>${member}</strong>${word(verdict.toUpperCase(), readyKind[verdict])}
<div class="score" aria-hidden="true"><i style="width:${wanted === 0 ? 0 : Math.round((100 * good) / wanted)}%"></i></div>
<span class="facts">${good} of ${wanted} checks passed</span><p>${asSentence(sentence)}</p>
${worth.length === 0 ? null : markup`<ul>${worth.map(({ is, name, text, remedy }) => item(`${is === 'bad' ? '' : 'skipped: '}${name}: ${text}`, remedy))}</ul>`}</div>`;
}

interface Column {
  readonly label: string;
  readonly kind?: 'number';
}

function table(columns: readonly Column[], rows: readonly (readonly Content[])[]): Markup {
  const kind = (column: Column | undefined): Content => (column?.kind === undefined ? null : markup` class="${column.kind}"`);
  return markup`<table${columns.length > 3 ? markup` class="stacked"` : null}><thead><tr>${columns.map((column) => markup`<th${kind(column)}>${column.label}</th>`)}</tr></thead><tbody>
${rows.map((cells) => markup`<tr>${cells.map((cell, index) => markup`<td${kind(columns[index])} data-label="${columns[index]?.label ?? ''}"><span>${cell}</span></td>`)}</tr>\n`)}</tbody></table>`;
}

function summarySection(drills: readonly DrillResult[]): Markup {
  const rows = drills.map((drill) => [
    markup`<a href="#${drill.name}">${drill.name}</a>`,
    verdictWord(drill),
    moved(drill),
    inSeconds(drill.moments.detect),
    outageText(drill),
    drill.budget.outage === null ? 'no limit' : drill.budget.outage === 0 ? 'none' : inSeconds(drill.budget.outage),
  ]);
  return markup`<section id="summary"><h2>All drills</h2>${table(
    [
      { label: 'drill' },
      { label: 'verdict' },
      { label: 'package' },
      { label: 'detected after', kind: 'number' },
      { label: 'outage', kind: 'number' },
      { label: 'limit', kind: 'number' },
    ],
    rows,
  )}</section>
`;
}

function moved({ before, after }: DrillResult): string {
  const [from, to] = [before.owner ?? '-', after?.owner ?? '-'];
  return from === to ? `on ${from}` : `${from} → ${to}`;
}

function outageText(drill: DrillResult): string {
  const worst = worstOutage(drill);
  return worst === null ? 'none' : inSeconds(worst);
}

function drillSection(drill: DrillResult, rehearsal: Rehearsal): Markup {
  const { members, clients } = rehearsal;
  const row = drillNamed(drill.name);
  const drawn = drill.marks.length > 0;
  return markup`<section id="${drill.name}"><h2>${drill.title}</h2>
<p>${verdictWord(drill)}${asSentence(drill.sentence)}</p>
<p class="facts">${drill.name} · ${timeOf(drill.startedAt)}</p>
${row === undefined ? null : markup`<p class="facts">Action: ${row.done}. Expected: ${row.must}.</p>`}
${outageBar(drill, rehearsal.drills)}
${
  drawn
    ? markup`<div class="drawing wide">${drawDrill(drill, members, clients, wideWidth)}</div>
<div class="drawing middle">${drawDrill(drill, members, clients, middleWidth)}</div>
<div class="drawing narrow">${drawDrill(drill, members, clients, narrowWidth)}</div>`
    : markup`<p class="missing">No action was carried out, so there is no timeline.</p>`
}
<div class="budgets">${budgetMeter('Detected after', drill.moments.detect, drill.budget.detect)}${budgetMeter('Outage', worstOutage(drill), drill.budget.outage)}</div>
<div class="columns"><div>${momentsTable(drill)}</div><div>${deeds(drill)}</div></div>
${finalState(drill)}
</section>
`;
}

function outageBar(drill: DrillResult, drills: readonly DrillResult[]): Content {
  const parts = outageParts(drill);
  const longest = Math.max(...drills.flatMap((one) => worstOutage(one) ?? 0).filter(Number.isFinite));
  if (parts.length === 0) return null;
  const share = (ms: number): string => ((100 * ms) / longest).toFixed(1);
  return markup`<p class="parts"><strong>Outage ${outageText(drill)}</strong>${drill.outages.length > 1 ? ` (client ${longestOutage(drill)?.client ?? ''})` : ''}: ${parts.map(({ name, ms }, index) => markup`${index === 0 ? '' : ', '}<span class="part-name">${partSwatch(name)}${name} ${inSeconds(ms)}</span>`)}</p>
<div class="outage-bar" aria-hidden="true">${parts.map(({ name, ms }) => markup`<i class="part ${classOf(name)}" style="width:${share(ms)}%"></i>`)}</div>
`;
}

const classOf = (part: string): string => part.replace(' ', '-');
const partSwatch = (part: string): Markup => markup`<i class="swatch part ${classOf(part)}"></i>`;

const swatch = (shape: Markup): Markup => markup`<svg width="26" height="14" aria-hidden="true">${shape}</svg>`;
const partText: Readonly<Record<(typeof outagePartNames)[number], string>> = {
  detect: 'detect: from the last answer until the cluster acts',
  halt: 'halt: until the package is halted on the old member',
  mount: 'mount: until the new member has the policy file system',
  address: 'address: until the new member has the package address',
  'first answer': 'first answer: until the client gets an answer again',
};
const legendSection = markup`<section id="legend"><h2>Legend</h2>
<h3>Bars: the longest outage of a client, in parts</h3>
<dl class="legend">${outagePartNames.map((name) => markup`<div><dt>${partSwatch(name)}</dt><dd>${partText[name]}</dd></div>`)}</dl>
<h3>Timelines: one lane for each member in which something happens</h3>
<dl class="legend">${(
  [
    [
      markup`<circle cx="13" cy="7" r="6" fill="none" stroke="currentColor" stroke-width="1.5"/>`,
      'numbers: moments of the failover',
    ],
    [markup`<g class="deed"><rect x="6" y="0" width="14" height="14" rx="2"/></g>`, 'letters: actions of the drill'],
    [markup`<rect class="bar starting" width="26" height="14" rx="3"/>`, 'start or halt script runs'],
    [markup`<rect class="bar mounted" width="26" height="14" rx="3"/>`, 'policy file system mounted'],
    [markup`<rect class="bar address" width="26" height="14" rx="3"/>`, 'package address active'],
    [markup`<rect class="served" width="26" height="14" rx="3"/>`, 'client served'],
    [markup`<rect class="lost" x="0.5" y="0.5" width="25" height="13"/>`, 'client without a master'],
  ] as const
).map(([shape, text]) => markup`<div><dt>${swatch(shape)}</dt><dd>${text}</dd></div>`)}</dl></section>
`;

function budgetMeter(what: string, took: number | null, allowed: number | null): Content {
  if (took === null && allowed === null) return null;
  const figure = took === null ? (what === 'Outage' ? 'none' : 'never') : inSeconds(took);
  if (allowed === null) return markup`<div>${what}: <strong>${figure}</strong>, no limit</div>`;
  const over = allowed === 0 ? took !== null : took === null ? what !== 'Outage' : took > allowed;
  const share = took === null ? 0 : Math.min(100, allowed === 0 ? 100 : Math.round((100 * took) / allowed));
  const limit = allowed === 0 ? 'none allowed' : `limit ${inSeconds(allowed)}`;
  return markup`<div class="${over ? 'over' : 'kept'}">${what}: <strong>${figure}</strong>, ${limit}${over ? ', EXCEEDED' : ''}<div class="meter" aria-hidden="true"><i style="width:${share}%"></i></div></div>`;
}

function momentsTable({ moments, exactness }: DrillResult): Markup {
  const rows = orderedMoments(moments).map(({ name, at, number }) => [
    markup`<span class="number-mark">${number}</span>${momentText[name]}`,
    inSeconds(at),
  ]);
  return markup`<h3>Moments, after the first action</h3>${rows.length === 0 ? markup`<p class="missing">No failover.</p>` : table([{ label: 'moment' }, { label: 'after', kind: 'number' }], rows)}
<p class="facts">Mounts and addresses are exact to ${exactness < 0.5 ? '1' : Math.ceil(exactness)} ms.</p>`;
}

function deeds({ marks }: DrillResult): Markup {
  const rows = marks.map(({ at, member, text, kind }, index) => [
    markup`<span class="letter-mark">${letterOf(index)}</span>${kind === 'violation' ? 'VIOLATION: ' : ''}${text}`,
    member ?? '-',
    inSeconds(at),
  ]);
  return markup`<h3>Actions</h3>${table([{ label: 'action' }, { label: 'where' }, { label: 'after', kind: 'number' }], rows)}`;
}

function finalState({ before, after, unclean }: DrillResult): Markup {
  if (after !== null && unclean.length === 0)
    return markup`<p class="facts">Final state: the package runs on ${after.owner ?? 'no member'}, and every switch is as before.</p>`;
  const names = [...new Set([...Object.keys(before.switching), ...Object.keys(after?.switching ?? {})])];
  const onOff = (on: boolean | undefined): string => (on === undefined ? 'unknown' : on ? 'enabled' : 'disabled');
  const rows: string[][] = [
    ['package runs on', before.owner ?? 'no member', after === null ? 'unknown' : (after.owner ?? 'no member')],
    ['state', stateText(before), after === null ? 'unknown' : stateText(after)],
    ['package switching', onOff(before.autoRun), onOff(after?.autoRun)],
    ...names.map((name) => [`switching on ${name}`, onOff(before.switching[name]), onOff(after?.switching[name])]),
  ];
  return markup`<h3>Final state</h3><p>${word('DIFFERS', 'fail')}${unclean.length === 0 ? 'unknown' : unclean.join('; ')}</p>${table(
    [{ label: 'state or switch' }, { label: 'before' }, { label: 'after' }],
    rows.filter(([, one, other]) => one !== other),
  )}`;
}

const stateText = ({ status, state }: Flags): string =>
  status === 'up' && state === 'running' ? 'running' : `${status}, ${state}`;

function comparisonSection(comparison: Comparison | null): Markup {
  if (comparison === null)
    return markup`<section id="comparison"><h2>Compared with the previous rehearsal</h2><p class="missing">No earlier rehearsal. The next one will be compared with this one.</p></section>
`;
  const rows = comparison.drills.map(({ name, now, before, change, text }) => [
    name,
    now,
    before,
    markup`${word(change.toUpperCase(), change)}${text}`,
  ]);
  return markup`<section id="comparison"><h2>Compared with the previous rehearsal</h2><p class="facts">${timeOf(comparison.with)}</p>
${table([{ label: 'drill' }, { label: 'now' }, { label: 'previous' }, { label: 'change' }], rows)}
${comparison.members.length === 0 ? null : markup`<ul class="list">${comparison.members.map(({ member, text }) => markup`<li>${member}: ${text}</li>`)}</ul>`}</section>
`;
}

function footer({ probe, place }: Rehearsal): Markup {
  const lab = place === 'lab' ? ' The lab imitates the cluster software; mounts, addresses, daemon and clients are real.' : '';
  return markup`<footer>A client is served when ${probe}. Its outage lasts from its last answer to its next one.${lab}</footer>`;
}
