/**
 * A drill's timeline as SVG: lanes for clients and for members in which something happens, the longest outage shaded, moments numbered,
 * actions lettered. Nothing depends on colour alone. Pure.
 */

import { type DrillResult, inSeconds, lengthOf, longestOutage, type Mark, orderedMoments, type Span } from '../model.ts';
import { leadMs } from '../timeline.ts';
import { type Content, type Markup, markup } from './markup.ts';

interface Frame {
  readonly width: number;
  readonly left: number;
  readonly right: number;
  readonly x: (ms: number) => number;
  readonly narrow: boolean;
}

const row = 15;
const gap = 5;
const head = 24;
const shownClients = 6;

export interface Lane {
  readonly name: string;
  readonly top: number;
  readonly height: number;
}

/** a, b, ... z, aa. */
export function letterOf(index: number): string {
  const letter = String.fromCharCode(97 + (index % 26));
  return index < 26 ? letter : `${letterOf(Math.floor(index / 26) - 1)}${letter}`;
}

/** Members with an action, or a state that begins or ends. */
export function drawnMembers({ spans, marks }: Pick<DrillResult, 'spans' | 'marks'>, members: readonly string[]): string[] {
  return members.filter(
    (name) =>
      marks.some(({ member }) => member === name) ||
      spans.some(({ member, from, to }) => member === name && (from > -leadMs || to !== null)),
  );
}

/** Longest outage first, at most six. */
export function drawnClients({ outages }: Pick<DrillResult, 'outages'>, clients: readonly string[]): string[] {
  const worst = (client: string): number => Math.max(0, ...outages.filter((one) => one.client === client).map(lengthOf));
  return [...clients].sort((a, b) => worst(b) - worst(a)).slice(0, shownClients);
}

export function drawDrill(drill: DrillResult, all: readonly string[], clients: readonly string[], width: number): Markup {
  const members = drawnMembers(drill, all);
  const narrow = width < 600;
  const left = narrow ? 58 : 118;
  const right = width - (narrow ? 10 : 24);
  const span = drill.length + leadMs;
  const frame: Frame = { width, left, right, narrow, x: (ms) => left + ((ms + leadMs) / span) * (right - left) };
  const shown = drawnClients(drill, clients);
  const numbers = momentNumbers(drill, frame);
  const top = 30 + numbers.rows * 18;
  const lanes = lanesOf(members, shown, top);
  const bottom = Math.max(...lanes.map((lane) => lane.top + lane.height)) + 4;
  const height = bottom + 34;
  return markup`<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${describe(drill)}">
${background(lanes, frame)}${shadeOf(drill, frame, top, laneOf(lanes, clientLaneName))}${axis(drill, frame, top, bottom)}${budgetLine(drill, frame, top, bottom)}${members.map((member) => memberLane(drill.spans, laneOf(lanes, member), frame))}${clientLane(drill, shown, laneOf(lanes, clientLaneName), frame)}${marksOf(drill.marks, lanes, frame)}${numbers.draw(top, bottom)}
</svg>`;
}

const clientLaneName = 'clients';

function lanesOf(members: readonly string[], clients: readonly string[], top: number): Lane[] {
  const lanes: Lane[] = [];
  let at = top;
  const add = (name: string, rows: number): void => {
    const height = head + rows * (row + 3) + gap;
    lanes.push({ name, top: at, height });
    at += height + gap;
  };
  for (const member of members) add(member, 3);
  add(clientLaneName, Math.max(1, clients.length));
  return lanes;
}

function laneOf(lanes: readonly Lane[], name: string): Lane {
  return lanes.find((lane) => lane.name === name) ?? { name, top: 0, height: 0 };
}

function background(lanes: readonly Lane[], { width }: Frame): Content {
  return lanes.map(
    ({ name, top, height }) =>
      markup`<rect class="lane" x="0" y="${top}" width="${width}" height="${height}" rx="4"/><text class="lane-name" x="8" y="${top + 17}">${name}</text>
`,
  );
}

const round = (number: number): number => Math.round(number * 10) / 10;

function shadeOf(drill: DrillResult, frame: Frame, top: number, clients: Lane): Content {
  const longest = longestOutage(drill);
  if (longest === null) return null;
  const x = round(frame.x(longest.from));
  const width = round(Math.max(1, frame.x(longest.to ?? drill.length) - x));
  return markup`<rect class="outage-shade" x="${x}" y="${top}" width="${width}" height="${clients.top + clients.height + 4 - top}"/>
`;
}

function budgetLine(drill: DrillResult, frame: Frame, top: number, bottom: number): Content {
  const { budget, length } = drill;
  const longest = longestOutage(drill);
  if (longest === null || budget.outage === null || budget.outage === 0 || longest.from + budget.outage > length) return null;
  const x = round(frame.x(longest.from + budget.outage));
  return markup`<line class="allowed" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/><text class="allowed-text" x="${x - 4}" y="${top + 14}" text-anchor="end">limit</text>
`;
}

/** 1, 2 or 5 times a power of ten. */
export function tickStep(lengthMs: number, most: number): number {
  const rough = lengthMs / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
}

function axis({ length }: DrillResult, frame: Frame, top: number, bottom: number): Content {
  const step = tickStep(length + leadMs, frame.narrow ? 5 : 12);
  const ticks: number[] = [];
  for (let at = Math.ceil(-leadMs / step) * step; at <= length; at += step) ticks.push(at);
  return [
    ticks.map((at) => {
      const x = round(frame.x(at));
      const text = `${Number((at / 1000).toFixed(3))}`;
      return markup`<line class="tick" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/><text class="tick-text" x="${x}" y="${bottom + 15}" text-anchor="middle">${text}</text>
`;
    }),
    markup`<text class="tick-text" x="${frame.right}" y="${bottom + 29}" text-anchor="end">seconds after the first action</text>
<line class="zero" x1="${round(frame.x(0))}" x2="${round(frame.x(0))}" y1="${top - 4}" y2="${bottom}"/>
`,
  ];
}

const rows: readonly { readonly label: string; readonly short: string; readonly what: readonly Span['what'][] }[] = [
  { label: 'scripts', short: 'script', what: ['halting', 'starting'] },
  { label: 'policy fs', short: 'mount', what: ['mounted'] },
  { label: 'address', short: 'addr', what: ['address'] },
];

function memberLane(spans: readonly Span[], lane: Lane, frame: Frame): Content {
  const own = spans.filter(({ member }) => member === lane.name);
  const down = own.filter(({ what }) => what === 'down');
  return [
    rows.map(({ label, short, what }, index) => {
      const y = lane.top + head + index * (row + 3);
      const bars = own.filter((span) => what.includes(span.what)).map((span) => bar(span, y, frame));
      return markup`<text class="row-name" x="${frame.left - 6}" y="${y + 11}" text-anchor="end">${frame.narrow ? short : label}</text><rect class="rail" x="${frame.left}" y="${y + 6}" width="${frame.right - frame.left}" height="2"/>${bars}
`;
    }),
    down.map(({ from, to }) => {
      const x = round(frame.x(from));
      const width = round((to === null ? frame.right : frame.x(to)) - x);
      return markup`<rect class="down" x="${x}" y="${lane.top + head - 3}" width="${width}" height="${3 * (row + 3)}" rx="3"/>${fitted('no power', x, lane.top + head + 26, width, 'down-text')}
`;
    }),
  ];
}

function bar({ what, from, to }: Span, y: number, frame: Frame): Content {
  const x = round(frame.x(from));
  const width = round(Math.max(2, (to === null ? frame.right : frame.x(Math.min(to, Number.MAX_VALUE))) - x));
  const text = what === 'mounted' ? 'mounted' : what;
  return markup`<rect class="bar ${what}" x="${x}" y="${y}" width="${width}" height="${row}" rx="3"/>${fitted(text, x, y + 11.5, width, `bar-text on-${what}`)}`;
}

function fitted(text: string, x: number, y: number, width: number, kind: string): Content {
  return width < text.length * 6.6 + 8 ? null : markup`<text class="${kind}" x="${round(x + 5)}" y="${y}">${text}</text>`;
}

function clientLane(drill: DrillResult, clients: readonly string[], lane: Lane, frame: Frame): Content {
  const longest = longestOutage(drill);
  return clients.map((client, index) => {
    const y = lane.top + head + index * (row + 3);
    const own = drill.outages.filter((one) => one.client === client);
    const shown = client.length > (frame.narrow ? 8 : 15) ? `${client.slice(0, frame.narrow ? 7 : 14)}…` : client;
    const gaps = own.map((outage) => {
      const { from, to } = outage;
      const x = round(frame.x(from));
      const width = round(Math.max(2, (to === null ? frame.right : frame.x(to)) - x));
      const text = outage === longest ? `outage ${inSeconds(lengthOf(outage))}` : 'no master';
      return markup`<rect class="lost" x="${x}" y="${y}" width="${width}" height="${row}"/>${fitted(text, x, y + 11.5, width, 'bar-text on-lost')}`;
    });
    return markup`<text class="row-name" x="${frame.left - 6}" y="${y + 11}" text-anchor="end">${shown}</text><rect class="served" x="${frame.left}" y="${y}" width="${frame.right - frame.left}" height="${row}" rx="3"/>${gaps}
`;
  });
}

function marksOf(marks: readonly Mark[], lanes: readonly Lane[], frame: Frame): Content {
  const taken = new Map<string, number>();
  return marks.map(({ at, member, kind, text }, index) => {
    const lane = lanes.find(({ name }) => name === member) ?? lanes[0];
    if (lane === undefined) return null;
    const letter = letterOf(index);
    const x = Math.max(frame.x(at), (taken.get(lane.name) ?? 0) + 16);
    taken.set(lane.name, x);
    const y = lane.top + 4;
    return markup`<g class="deed ${kind}"><title>${text}</title><rect x="${round(x - 7)}" y="${y}" width="14" height="15" rx="2"/><text x="${round(x)}" y="${y + 11.5}" text-anchor="middle">${letter}</text></g>
`;
  });
}

function momentNumbers({ moments }: DrillResult, frame: Frame) {
  const ends: number[] = [];
  const circles = orderedMoments(moments).map((one) => {
    const x = frame.x(one.at);
    const free = ends.findIndex((end) => x - end >= 18);
    const level = free === -1 ? ends.length : free;
    ends[level] = x;
    return { ...one, x: round(x), level };
  });
  return {
    rows: ends.length,
    draw: (top: number, bottom: number): Content =>
      circles.map(({ x, level, number, name }) => {
        const y = top - 16 - level * 18;
        return markup`<g class="moment"><title>${name}</title><line x1="${x}" x2="${x}" y1="${y + 8}" y2="${bottom}"/><circle cx="${x}" cy="${y}" r="8"/><text x="${x}" y="${y + 4}" text-anchor="middle">${number}</text></g>
`;
      }),
  };
}

function describe({ title, sentence, moments }: DrillResult): string {
  const told = orderedMoments(moments).map(({ name, at }) => `${name} after ${inSeconds(at)}`);
  return `${title}: ${sentence}. ${told.join(', ')}`;
}
