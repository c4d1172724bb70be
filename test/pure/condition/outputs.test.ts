/** The published schemas of --json. */
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { jsonOption } from '../../../src/cli/options.ts';
import { verb } from '../../../src/cli/verb.ts';
import { verbs } from '../../../src/cli/verbs.ts';
import { explain } from '../../../src/verbs/lab/explain.ts';
import { schemaOf } from '../../../src/verbs/lab/schema.ts';
import { jsonText } from '../../../src/verbs/outputs/json.ts';
import { procedureDocument } from '../../../src/verbs/outputs/outputs.ts';
import { checkedOutput } from '../../outputs.ts';

const printing = verbs.filter(({ json }) => json !== undefined).map(({ words }) => words);

describe('the schema of --json', () => {
  it.each(printing)('of %s is JSON schema with a version in each document', async (words) => {
    const { title, anyOf } = (await schemaOf(words, verbs)) as {
      title: string;
      anyOf: { properties: object; required: string[] }[];
    };
    expect(title).toBe(`csync ${words} --json`);
    for (const { properties, required } of anyOf) {
      expect(properties).toMatchObject({ version: { const: 1 } });
      expect(required).toContain('version');
    }
  });

  it('must be named by a verb that has the option', () => {
    const row = { words: 'a b', task: 'Operate', does: '', effect: 'reads', examples: [], run: async () => 0 } as const;
    // @ts-expect-error: a verb with --json and no document
    verb({ ...row, options: { json: jsonOption } });
    expect(verb(row).json).toBeUndefined();
  });

  it('is refused for a verb that prints none', async () => {
    await expect(schemaOf('settings example', verbs)).rejects.toThrow('no verb "settings example" prints JSON');
  });

  it('fails for a document without version, and for one with a field of its own', () => {
    const document: object = JSON.parse(jsonText<typeof procedureDocument>({ outcome: 'done', steps: ['on m1: umount /csync'] }));
    expect(v.is(procedureDocument, document)).toBe(true);
    expect(v.is(procedureDocument, { ...document, version: undefined })).toBe(false);
    expect(v.is(procedureDocument, { ...document, more: 1 })).toBe(false);
  });

  it.each([[['explain', '--json']], [['explain', 'usage', '--json']]])('holds for real output: %j', async (argv) => {
    const [, code] = argv;
    expect(await checkedOutput(argv, explain(code === '--json' ? undefined : code, true))).not.toBe('');
  });
});
