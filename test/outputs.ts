/** Output of --json against its published schema. */
import * as v from 'valibot';
import { verbIn } from '../src/cli/help.ts';
import { verbs } from '../src/cli/verbs.ts';
import { documentOf } from '../src/verbs/lab/schema.ts';

/** Throws where the output of a verb that was called with --json is not what `csync schema` promises; returns the output. */
export async function checkedOutput(argv: readonly string[], stdout: string): Promise<string> {
  const schema = argv.includes('--json') ? await documentOf(verbIn(argv) ?? '', verbs) : null;
  if (schema === null || stdout.trim() === '') return stdout;
  // With --watch there is a document a line.
  const documents = argv.includes('--watch') ? stdout.trim().split('\n') : [stdout];
  for (const document of documents) {
    const { issues } = v.safeParse(schema, JSON.parse(document));
    if (issues !== undefined)
      throw new Error(`csync ${argv.join(' ')}: ${JSON.stringify(v.flatten(issues))}: ${document.slice(0, 500)}`);
  }
  return stdout;
}
