/** A rehearsal as one page of HTML that needs nothing else: no script, no other file. Data in, text out. Pure. */
import type { Comparison } from '../comparison.ts';
import { drillNamed } from '../drill-table.ts';
import {
  asSentence,
  type DrillResult,
  type Flags,
  inSeconds,
  momentText,
  orderedMoments,
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

/** The whole page. `comparison` null: there was no rehearsal before. */
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
<p class="facts">${timeOf(at)} · members ${rehearsal.members.join(', ')} · csync toolkit ${toolkit} · ${drills.length === 0 ? 'safe mode: nothing was changed' : `${drills.length} ${drills.length === 1 ? 'drill' : 'drills'}`}</p>
${synthetic === true ? markup`<p class="note"><strong>Made-up data.</strong> This page shows what a rehearsal looks like; nothing of it was measured.</p>` : null}
${ready === null ? null : readySection(ready)}
${drills.length > 1 ? summarySection(drills) : null}
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

const readyKind = { ready: 'good', 'not ready': 'bad', 'not known': 'unsure' } as const;

function memberCard({ member, verdict, good, wanted, sentence, looks }: Readiness): Markup {
  const worth = looks.filter(({ is }) => is !== 'good');
  return markup`<div class="member ${readyKind[verdict]}"><strong>${member}</strong>${word(verdict.toUpperCase(), readyKind[verdict])}
<div class="score" aria-hidden="true"><i style="width:${wanted === 0 ? 0 : Math.round((100 * good) / wanted)}%"></i></div>
<span class="facts">${good} of ${wanted} looks are good</span><p>${asSentence(sentence)}</p>
${worth.length === 0 ? null : markup`<ul>${worth.map(({ is, name, text, remedy }) => item(`${is === 'bad' ? '' : 'left out: '}${name}: ${text}`, remedy))}</ul>`}</div>`;
}

interface Column {
  readonly label: string;
  readonly kind?: 'number';
}

/** A table; rows of many cells become blocks where there is no room. */
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
      { label: 'acted on after', kind: 'number' },
      { label: 'outage', kind: 'number' },
      { label: 'allowed', kind: 'number' },
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

function drillSection(drill: DrillResult, { members, clients }: Rehearsal): Markup {
  const row = drillNamed(drill.name);
  const drawn = drill.marks.length > 0;
  return markup`<section id="${drill.name}"><h2>${drill.title}</h2>
<p>${verdictWord(drill)}${asSentence(drill.sentence)}</p>
<p class="facts">${drill.name} · ${timeOf(drill.startedAt)}${row === undefined ? null : ` · done: ${row.done} · must follow: ${row.must}`}</p>
${
  drawn
    ? markup`<div class="drawing wide">${drawDrill(drill, members, clients, wideWidth)}</div>
<div class="drawing middle">${drawDrill(drill, members, clients, middleWidth)}</div>
<div class="drawing narrow">${drawDrill(drill, members, clients, narrowWidth)}</div>
${legend}`
    : markup`<p class="missing">Nothing was done, so there is no timeline.</p>`
}
<h3>Budgets</h3><div class="budgets">${budgetMeter('until the cluster acted', drill.moments.detect, drill.budget.detect)}${budgetMeter('longest outage of a client', worstOutage(drill), drill.budget.outage)}</div>
<div class="columns"><div>${momentsTable(drill)}</div><div>${deeds(drill)}${flags(drill)}</div></div>
</section>
`;
}

const swatch = (shape: Markup): Markup => markup`<svg width="26" height="14" aria-hidden="true">${shape}</svg>`;
const legend = markup`<dl class="legend">${(
  [
    [
      markup`<circle cx="13" cy="7" r="6" fill="none" stroke="currentColor" stroke-width="1.5"/>`,
      'numbers: moments of the failover',
    ],
    [markup`<g class="deed"><rect x="6" y="0" width="14" height="14" rx="2"/></g>`, 'letters: what was done'],
    [markup`<rect class="bar starting" width="26" height="14" rx="3"/>`, 'start or halt script at work'],
    [markup`<rect class="bar mounted" width="26" height="14" rx="3"/>`, 'policy file system mounted'],
    [markup`<rect class="bar address" width="26" height="14" rx="3"/>`, 'package address there'],
    [markup`<rect class="served" width="26" height="14" rx="3"/>`, 'client served'],
    [markup`<rect class="lost" x="0.5" y="0.5" width="25" height="13"/>`, 'hatched: client without a master'],
  ] as const
).map(([shape, text]) => markup`<div><dt>${swatch(shape)}</dt><dd>${text}</dd></div>`)}</dl>`;

function budgetMeter(what: string, took: number | null, allowed: number | null): Markup {
  if (allowed === null) return markup`<div>${what}: <strong>${inSeconds(took)}</strong>, no limit of its own</div>`;
  const over = allowed === 0 ? took !== null : took === null ? what.startsWith('until') : took > allowed;
  const share = took === null ? 0 : Math.min(100, allowed === 0 ? 100 : Math.round((100 * took) / allowed));
  const told = took === null && !over ? 'none' : inSeconds(took);
  const limit = allowed === 0 ? 'none is allowed' : `of ${inSeconds(allowed)} allowed`;
  return markup`<div class="${over ? 'over' : 'kept'}">${what}: <strong>${told}</strong> ${limit}${over ? ' — over budget' : ''}<div class="meter" aria-hidden="true"><i style="width:${share}%"></i></div></div>`;
}

function momentsTable({ moments, outages, exactness }: DrillResult): Markup {
  const rows = orderedMoments(moments).map(({ name, at, number }) => [
    markup`<span class="number-mark">${number}</span>${momentText[name]}`,
    inSeconds(at),
  ]);
  const worst = new Map<string, number>();
  for (const { client, from, to } of outages)
    worst.set(client, Math.max(worst.get(client) ?? 0, to === null ? Number.POSITIVE_INFINITY : to - from));
  const lost = [...worst].map(([client, ms]) => [`${client} without a master`, inSeconds(ms)]);
  return markup`<h3>Moments, after the first deed</h3>${rows.length === 0 ? markup`<p class="missing">No failover: none of them came.</p>` : table([{ label: 'moment' }, { label: 'after', kind: 'number' }], rows)}
${lost.length === 0 ? null : markup`<h3>Clients, from their last success to the next</h3>${table([{ label: 'client' }, { label: 'time', kind: 'number' }], lost)}`}
<p class="facts">Mounts and addresses: exact to ${exactness < 0.5 ? '1' : Math.ceil(exactness)} ms.</p>`;
}

function deeds({ marks }: DrillResult): Markup {
  const rows = marks.map(({ at, member, text, kind }, index) => [
    markup`<span class="letter-mark">${letterOf(index)}</span>${kind === 'violation' ? 'violation: ' : ''}${text}`,
    member ?? '-',
    inSeconds(at),
  ]);
  return markup`<h3>What was done</h3>${table([{ label: 'deed' }, { label: 'where' }, { label: 'after', kind: 'number' }], rows)}`;
}

function flags({ before, after, unclean }: DrillResult): Markup {
  const names = [...new Set([...Object.keys(before.switching), ...Object.keys(after?.switching ?? {})])];
  const onOff = (on: boolean | undefined): string => (on === undefined ? 'not known' : on ? 'enabled' : 'disabled');
  const rows: Content[][] = [
    ['package runs on', before.owner ?? 'no member', after === null ? 'not known' : (after.owner ?? 'no member')],
    ['state', stateText(before), after === null ? 'not known' : stateText(after)],
    ['package switching', onOff(before.autoRun), onOff(after?.autoRun)],
    ...names.map((name) => [`switching on ${name}`, onOff(before.switching[name]), onOff(after?.switching[name])]),
  ];
  const end =
    unclean.length === 0
      ? markup`<p class="facts">Ended clean: the package runs, and every switch is as it was.</p>`
      : markup`<p>${word('NOT CLEAN', 'fail')}${unclean.join('; ')}</p>`;
  return markup`<h3>Switches, before and after</h3>${table([{ label: 'flag' }, { label: 'before' }, { label: 'after' }], rows)}${end}`;
}

const stateText = ({ status, state }: Flags): string =>
  status === 'up' && state === 'running' ? 'running' : `${status}, ${state}`;

function comparisonSection(comparison: Comparison | null): Markup {
  if (comparison === null)
    return markup`<section id="comparison"><h2>Compared with the last rehearsal</h2><p class="missing">There was none before this one; its results are kept for the next.</p></section>
`;
  const rows = comparison.drills.map(({ name, now, before, change, text }) => [
    name,
    now,
    before,
    markup`${word(change.toUpperCase(), change)}${text}`,
  ]);
  return markup`<section id="comparison"><h2>Compared with the last rehearsal</h2><p class="facts">${timeOf(comparison.with)}</p>
${table([{ label: 'drill' }, { label: 'now' }, { label: 'last time' }, { label: 'change' }], rows)}
${comparison.members.length === 0 ? null : markup`<ul class="list">${comparison.members.map(({ member, text }) => markup`<li>${member}: ${text}</li>`)}</ul>`}</section>
`;
}

function footer({ probe, place }: Rehearsal): Markup {
  const lab =
    place === 'lab' ? ' The cluster software of the lab is an imitation; mounts, addresses, daemon and clients are real.' : '';
  return markup`<footer>A client is served when ${probe}. Its outage lasts from its last success to the first one after.${lab}</footer>`;
}
