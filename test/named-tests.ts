/** Tests that a page or a table names as its proof. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { repository } from './support.ts';

export interface NamedTest {
  /** Relative to the repository. */
  readonly file: string;
  readonly title: string;
}

/** Links to test files of a page, each with the title of a test behind it; null: the cell is another text. */
export function testsIn(cell: string): readonly NamedTest[] | null {
  const one = /\[[\w/-]+\]\((?:\.\.\/)*(test\/[\w/.-]+\.test\.ts)\): `([^`]+)`/g;
  const found = [...cell.matchAll(one)].map(([, file = '', title = '']) => ({ file, title }));
  return cell.replaceAll(one, '').replaceAll(';', '').trim() === '' ? found : null;
}

/** Between quotes, so that a longer title does not prove a shorter one. A test that is always skipped proves nothing. */
export function testExists({ file, title }: NamedTest): boolean {
  const path = join(repository, file);
  if (!existsSync(path)) return false;
  const source = readFileSync(path, 'utf8');
  return ['`', "'", '"'].some((mark) => source.includes(mark + title + mark) && !source.includes(`.skip(${mark}${title}`));
}

/** What a test file imports, relative to the repository; the helpers below test/ are followed. */
export function importsOfTest(file: string, seen = new Set<string>()): ReadonlySet<string> {
  const text = readFileSync(join(repository, file), 'utf8');
  for (const [, path = ''] of text.matchAll(/(?:from|import\() ?'(\.[^']+)'/g)) {
    const target = normalize(join(dirname(file), path));
    if (seen.has(target)) continue;
    seen.add(target);
    if (target.startsWith('test/')) importsOfTest(target, seen);
  }
  return seen;
}
