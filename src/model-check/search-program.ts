/** `search.cjs RUN`: one search. RUN: a CheckRun with settings as JSON. Prints the SearchResult as JSON; progress to standard error. */
import { out, progress } from '../host/output.ts';
import type { Settings } from '../settings/settings.ts';
import { type CheckRun, runChecks } from './model-check.ts';

const { settings, ...run } = JSON.parse(process.argv[2] ?? '') as CheckRun & { readonly settings: Settings };

void runChecks([run], settings, progress).then(([result]) => {
  out(JSON.stringify(result));
});
