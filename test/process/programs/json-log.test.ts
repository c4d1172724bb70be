import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openJsonLog } from '../../../src/host/lab/json-log.ts';
import { scratchDirectory } from '../../support.ts';

const directory = scratchDirectory();

it('writes a JSON object a line, for its owner only, and goes on where it was', () => {
  const path = join(directory, 'journal.ndjson');
  for (const text of ['first', 'with "quotes"\nand a line']) openJsonLog(path).write({ at: 1.5, text });
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { at: 1.5, text: 'first' },
    { at: 1.5, text: 'with "quotes"\nand a line' },
  ]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
