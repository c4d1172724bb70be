/** Output of --json against its published schema. */
import * as v from 'valibot';
import { verbIn } from '../src/cli/help.ts';
import { outputOfVerb, outputs } from '../src/verbs/outputs/outputs.ts';

/** Throws where the output of a verb that was called with --json is not what `csync schema` promises; returns the output. */
export function checkedOutput(argv: readonly string[], stdout: string): string {
  const names = argv.includes('--json') ? outputOfVerb[verbIn(argv) ?? ''] : undefined;
  if (names === undefined || stdout.trim() === '') return stdout;
  const schema = v.union([...names, 'problems' as const].map((name) => outputs[name]));
  // With --watch there is a document a line.
  const documents = argv.includes('--watch') ? stdout.trim().split('\n') : [stdout];
  for (const document of documents) {
    const { issues } = v.safeParse(schema, JSON.parse(document));
    if (issues !== undefined)
      throw new Error(`csync ${argv.join(' ')}: ${JSON.stringify(v.flatten(issues))}: ${document.slice(0, 500)}`);
  }
  return stdout;
}
