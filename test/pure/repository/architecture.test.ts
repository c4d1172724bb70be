/** docs/architecture.md: the picture of the source is current, and each folder and invariant has its line. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { foldersOf, withPicture } from '../../../scripts/generate/imports-picture.ts';
import { readPage, tables } from '../../markdown.ts';
import { repository } from '../../support.ts';

const page = readPage('docs/architecture.md');
const source = join(repository, 'src');

describe('docs/architecture.md', () => {
  it('says of each folder of the source what it is for, and of no other', () => {
    const described = tables(page).flatMap((rows) => rows.flatMap((row) => row.get('folder')?.text ?? []));
    expect(described.map((name) => name.replaceAll('`', '')).sort()).toEqual(foldersOf(source));
  });

  it('numbers the invariants without a hole', () => {
    const names = [...page.matchAll(/^- \*\*(I\d)\*\*/gm)].map(([, name]) => name);
    expect(names).toEqual(names.map((_, at) => `I${at + 1}`));
    expect(names).not.toEqual([]);
  });
});

describe('the picture of a source', () => {
  it('puts a folder above what it imports, and omits what follows from other imports', () => {
    const drawn = picture({
      'low/a.ts': '',
      'middle/part/b.ts': "import { a } from '../../low/a.ts';",
      'top/c.ts': "import type { b } from '../middle/part/b.ts';\nimport { a } from '../low/a.ts';",
      'top.ts': "const d = await import('./top/c.ts');",
    });
    expect(drawn).toBe(
      [' 3 top            ─▶ middle', '   ───────────────', ' 2 middle (part)  ─▶ low', '   ───────────────', ' 1 low'].join(
        '\n',
      ),
    );
  });

  it('refuses folders that import each other', () => {
    const files = { 'x/a.ts': "import { b } from '../y/b.ts';", 'y/b.ts': "import { a } from '../x/a.ts';" };
    expect(() => picture(files)).toThrow('folders import each other: x -> y -> x');
  });
});

function picture(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'csync-picture-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, name, '..'), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  const marks = '<!-- begin: drawn by npm run generate -->\n<!-- end: drawn by npm run generate -->';
  return withPicture(marks, directory).split('```')[1]?.slice(1, -1) ?? '';
}
