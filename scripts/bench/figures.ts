/** Figures as the tables have them, and the page they are written to. Each part keeps its date, so that parts can be measured apart. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { pageTable } from '../../src/base/tables.ts';

export interface Spread {
  readonly n: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

export function spread(times: readonly number[]): Spread {
  const sorted = times.filter((time) => !Number.isNaN(time)).sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  return { n: sorted.length, p50: at(0.5), p99: at(0.99), most: at(1) };
}

export const figure = (value: number): string =>
  Number.isNaN(value) ? '-' : value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0);

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Below the table: what it was measured with, and what it means for the goals. */
  readonly notes: readonly string[];
}

export const spreadHead = ['', 'n', 'p50 ms', 'p99 ms', 'most ms'] as const;
export const spreadRow = (name: string, { n, p50, p99, most }: Spread): string[] => [
  name,
  String(n),
  ...[p50, p99, most].map(figure),
];

/** How often one median is another; both are quoted beside it. */
export const ratio = (one: Spread, other: Spread): string => `${figure(one.p50 / other.p50)} x`;

interface Kept {
  readonly machine: string;
  readonly tables: readonly Table[];
}
type Parts = Record<string, Kept>;

const dataFile = 'scripts/bench/results.json';

function machine(): string {
  const [processor] = cpus();
  return `${new Date().toISOString().slice(0, 10)}; ${processor?.model.trim()}, ${cpus().length} cores; Linux ${release()}; Node.js ${process.version}`;
}

/** A table of which some rows were measured again: the others stay, and a note has the day of the new ones. */
function withRows(old: Table, { title, rows }: Table): Table {
  if (old.title !== title) return old;
  const again = new Map(rows.map((row) => [row[0], row]));
  const note = `Measured on ${new Date().toISOString().slice(0, 10)}: ${[...again.keys()].join(', ')}.`;
  return { ...old, rows: old.rows.map((row) => again.get(row[0]) ?? row), notes: [...old.notes, note] };
}

/** Replaces one part's figures, or some rows of them, and writes the page anew. */
export function keep(part: string, tables: readonly Table[], page: string, onlyRows: boolean): void {
  const parts: Parts = existsSync(dataFile) ? (JSON.parse(readFileSync(dataFile, 'utf8')) as Parts) : {};
  const before = parts[part];
  parts[part] =
    onlyRows && before !== undefined
      ? { ...before, tables: before.tables.map((old) => tables.reduce(withRows, old)) }
      : { machine: machine(), tables };
  writeFileSync(dataFile, `${JSON.stringify(parts, null, 1)}\n`);
  writeFileSync(page, pageOf(parts));
}

function pageOf(parts: Parts): string {
  const lines = Object.values(parts).flatMap(({ machine: where, tables }) =>
    tables.flatMap(({ title, head, rows, notes }) => [
      `## ${title}`,
      '',
      `${where}.`,
      '',
      pageTable(head, rows),
      '',
      ...notes.flatMap((note) => [note, '']),
    ]),
  );
  const head = [
    '# Benchmarks',
    '',
    'How fast is csync, and what does it cost? For administrators and developers. Written by `npm run bench`.',
    '',
    'Compare figures of one table only: the machine is shared and noisy, so medians and ratios count. Times are milliseconds unless the column says otherwise.',
    '',
  ];
  return `${[...head, ...lines].join('\n').trimEnd()}\n`;
}
