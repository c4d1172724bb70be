import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { failure } from '../../base/problem.ts';
import { type Document, problemsDocument } from '../outputs/outputs.ts';

interface Printing {
  readonly words: string;
  readonly json?: () => Promise<readonly Document[]>;
}

/** Any document; if the verb fails, its problems. null: none. */
export async function documentOf(words: string, verbs: readonly Printing[]): Promise<Document | null> {
  const documents = await verbs.find((verb) => verb.words === words)?.json?.();
  return documents === undefined ? null : v.union([...documents, problemsDocument]);
}

/** Draft 2020-12. Throws a Failure of usage. */
export async function schemaOf(words: string, verbs: readonly Printing[]): Promise<object> {
  const document = await documentOf(words, verbs);
  if (document === null) {
    const known = verbs.filter(({ json }) => json !== undefined).map((verb) => verb.words);
    throw failure('usage', `no verb "${words}" prints JSON`, `name one of: ${known.join(', ')}`);
  }
  const schema = toJsonSchema(document, { target: 'draft-2020-12', errorMode: 'ignore', ignoreActions: ['readonly'] });
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title: `csync ${words} --json`, ...schema };
}

/** Without words an object with those of all verbs. */
export async function schemaText(words: readonly string[], verbs: readonly Printing[]): Promise<string> {
  if (words.length > 0) return `${JSON.stringify(await schemaOf(words.join(' '), verbs), null, 2)}\n`;
  const printing = verbs.filter(({ json }) => json !== undefined);
  const schemas = await Promise.all(printing.map(async (verb) => [verb.words, await schemaOf(verb.words, verbs)] as const));
  return `${JSON.stringify(Object.fromEntries(schemas), null, 2)}\n`;
}
