/** What is generated is current. Golden files and docs/proof/planted-bugs.md have tests of their own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generatedPages } from '../../../scripts/generate/generated.ts';
import { repository } from '../../support.ts';

describe('a generated page', () => {
  it.each([...generatedPages(repository)])('%s is current; else run npm run generate', (name, text) => {
    expect(readFileSync(join(repository, name), 'utf8')).toBe(text);
  });
});
