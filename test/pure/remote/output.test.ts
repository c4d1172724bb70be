/** What reaches a terminal: no text of others steers it, JSON stays the same JSON, and there is no second way to it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { harmless } from '../../../src/host/output.ts';
import { repository } from '../../support.ts';

/** By another way than the code: what Unicode calls control or format, but for line feed and tab; and separators of lines. */
const steers = (text: string): boolean =>
  [...text].some(
    (one) => /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Zl}\p{Zp}]/u.test(one) && one !== '\n' && one !== '\t',
  );

describe('text that is printed', () => {
  it('steers no terminal, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => !steers(harmless(text))),
      { numRuns: 20_000 },
    );
    for (let code = 0; code < 0x3000; code += 1)
      expect(steers(harmless(String.fromCharCode(code))), code.toString(16)).toBe(false);
  });

  it('is itself where it is harmless', () => {
    const text = 'm1: 3 files differ\n\tcsync.sh  äöü → 漢字 🙂\n';
    expect(harmless(text)).toBe(text);
  });

  it('and is the same JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const text = JSON.stringify(value, null, 2);
        expect(JSON.parse(harmless(text))).toEqual(JSON.parse(text));
      }),
      { numRuns: 5000 },
    );
  });

  it('shows what the text would have done', () => {
    expect(harmless('a\u001b]0;title\u0007b\r\u009b2Jc\u202e')).toBe('a\\u001b]0;title\\u0007b\\u000d\\u009b2Jc\\u202e');
  });

  it('goes through one module: nothing else in src writes to the streams of the process', () => {
    const files = readdirSync(join(repository, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const writers = files.filter((name) =>
      /process\.std(out|err)\.(write|on)|console\.\w+\(/.test(readFileSync(join(repository, 'src', name), 'utf8')),
    );
    expect(files).toContain('host/output.ts');
    expect(writers).toEqual([]);
  });
});
