/**
 * What the lab imitates, its source, and its test, as FIDELITY.md. A test compares the two and finds every test by its title. New rows come
 * last in their chapter.
 */
import { pageTable } from '../../base/tables.ts';
import { commands, legacy } from './command-rows.ts';
import { machinery } from './machine-rows.ts';
import { members, membersChange } from './member-rows.ts';
import { eventTable, maintenance, placement } from './package-rows.ts';
import type { Fidelity, FidelityRow } from './row.ts';

export const fidelityTable: readonly FidelityRow[] = [
  ...eventTable,
  ...placement,
  ...members,
  ...membersChange,
  ...maintenance,
  ...commands,
  ...legacy,
  ...machinery,
];

export function renderFidelity(rows: readonly FidelityRow[]): string {
  const chapters = [...new Set(rows.map((row) => row.chapter))];
  const count = (status: Fidelity): number => rows.filter((row) => row.status === status).length;
  return [
    '# What the lab imitates',
    '',
    'The lab does not run Serviceguard. It imitates its package manager from public pages; [docs/facts/sources.md](docs/facts/sources.md) explains the keys.',
    `Of ${rows.length} behaviours, ${count('imitated')} are imitated from a page, ${count('ours')} are our choice because no page documents them, and ${count('not imitated')} are not imitated.`,
    'This page is generated from `src/lab/fidelity`, which also has the title of each test.',
    ...chapters.flatMap((name) => [
      '',
      `## ${name}`,
      '',
      pageTable(
        ['behaviour', 'status', 'source', 'proved by'],
        rows
          .filter((row) => row.chapter === name)
          .map(({ behaviour, status, source, provedBy }) => [behaviour, status, source, linkTo(provedBy)]),
      ),
    ]),
    '',
  ].join('\n');
}

function linkTo(test: FidelityRow['provedBy']): string {
  return test === null ? '' : `[${test.file.slice('test/'.length, -'.test.ts'.length)}](${test.file})`;
}
