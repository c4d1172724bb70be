/** What printFiles prints on a host, read by printedFiles: names and contents of any bytes; what changed meanwhile is no answer. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { printedFiles, printFiles } from '../../../src/cluster/remote/whole-files.ts';
import { scratchDirectory } from '../../support.ts';

const scratch = scratchDirectory();
const words = (text: string) => text.split('\n').map((line) => line.split(' '));
const names = 'printf "%s\\0" "$@"';
const files: Readonly<Record<string, Buffer>> = {
  './empty': Buffer.alloc(0),
  './two  blanks and\na line': Buffer.from('no line end'),
  './-q': Buffer.from([0, 255, 10, 0]),
  './below/packed': Buffer.alloc(301, 7),
};

function printed(contents: boolean): string {
  const directory = join(scratch, `tree-${contents}`);
  mkdirSync(join(directory, 'below'), { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  return execFileSync('/bin/sh', ['-c', `find . -type f ${printFiles(names, contents)}`], { cwd: directory, encoding: 'utf8' });
}

const read = (text: string) => new Map(printedFiles(words(text))?.map(({ entry, content }) => [entry, content]));

describe('many files in one answer', () => {
  it('are read as they are', () => {
    expect(read(printed(true))).toEqual(new Map(Object.entries(files)));
  });

  it('or the first 300 bytes of each', () => {
    const heads = Object.entries(files).map(([name, content]) => [name, content.subarray(0, 300)] as const);
    expect(read(printed(false))).toEqual(new Map(heads));
  });

  it.each([
    ['grew', 'sizes 1 1\ncontents eHl6'],
    ['shrank', 'sizes 1 1\ncontents eA=='],
    ['was removed before its size was asked', 'sizes 1\ncontents eA=='],
    ['has no content', 'sizes 1 1'],
    ['is not a size', 'sizes 1 x\ncontents eHk='],
  ])('a file that %s is no answer', (_, rest) => {
    const two = `names ${Buffer.from('./a\0./b\0').toString('base64')}\n${rest}\n`;
    expect(printedFiles(words(two))).toBeNull();
    expect(printedFiles(words(two.replace(rest, 'sizes 1 1\ncontents eHk=')))).toHaveLength(2);
  });
});
