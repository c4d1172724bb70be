/** The published schemas of --json. */
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { verbs } from '../../../src/cli/verbs.ts';
import { explain } from '../../../src/verbs/lab/explain.ts';
import { schemaOf } from '../../../src/verbs/lab/schema.ts';
import { jsonText } from '../../../src/verbs/outputs/json.ts';
import { outputOfVerb, outputs } from '../../../src/verbs/outputs/outputs.ts';
import { checkedOutput } from '../../outputs.ts';

const printing = verbs
  .filter(({ options, words }) => Object.hasOwn(options, 'json') && !words.startsWith('lab '))
  .map(({ words }) => words);

describe('the schema of --json', () => {
  it('exists for each verb outside of the lab that has the option', () => {
    expect(printing.filter((words) => !Object.hasOwn(outputOfVerb, words))).toEqual([]);
    expect(Object.keys(outputOfVerb).filter((words) => !verbs.some((verb) => verb.words === words))).toEqual([]);
  });

  it.each(Object.keys(outputOfVerb))('of %s is JSON schema with a version in each document', (words) => {
    const { title, anyOf } = schemaOf(words) as { title: string; anyOf: { properties: object; required: string[] }[] };
    expect(title).toBe(`csync ${words} --json`);
    for (const { properties, required } of anyOf) {
      expect(properties).toMatchObject({ version: { const: 1 } });
      expect(required).toContain('version');
    }
  });

  it('is refused for a verb that prints none', () => {
    expect(() => schemaOf('settings example')).toThrow('no verb "settings example" prints JSON');
  });

  it('fails for a document without version, and for one with a field of its own', () => {
    const document: object = JSON.parse(jsonText('procedure', { outcome: 'done', steps: ['on m1: umount /csync'] }));
    expect(v.is(outputs.procedure, document)).toBe(true);
    expect(v.is(outputs.procedure, { ...document, version: undefined })).toBe(false);
    expect(v.is(outputs.procedure, { ...document, more: 1 })).toBe(false);
  });

  it.each([[['explain', '--json']], [['explain', 'usage', '--json']]])('holds for real output: %j', (argv) => {
    const [, code] = argv;
    expect(checkedOutput(argv, explain(code === '--json' ? undefined : code, true))).not.toBe('');
  });
});
