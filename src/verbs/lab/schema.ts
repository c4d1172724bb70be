/** `csync schema`: the JSON schema of what a verb prints with --json. */
import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { errorProblem, Failure } from '../../base/problem.ts';
import { type OutputName, outputOfVerb, outputs } from '../outputs/outputs.ts';

/** Draft 2020-12. A verb may print any of several documents; if it fails, it prints its problems. */
export function schemaOf(words: string): object {
  const names = outputOfVerb[words];
  if (names === undefined) {
    const known = Object.keys(outputOfVerb).join(', ');
    throw new Failure([errorProblem('usage', `no verb "${words}" prints JSON`, `name one of: ${known}`)]);
  }
  const all: readonly OutputName[] = [...names, 'problems'];
  const schema = toJsonSchema(v.union(all.map((name) => outputs[name])), {
    target: 'draft-2020-12',
    errorMode: 'ignore',
    ignoreActions: ['readonly'],
  });
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title: `csync ${words} --json`, ...schema };
}
