/** What the toolkit decides, and how that is proved. */
import { type Choose, jsonOption, type Parser, print } from './options.ts';

const explainVerbs = () => import('../verbs/lab/explain.ts');

export function addProofVerbs(parser: Parser, choose: Choose): Parser {
  return parser.command(
    'explain',
    'what start, halt, monitor and cluster conclude from what they find, as tables',
    (builder) => builder.options({ json: jsonOption }).example('$0 explain --json', 'for programs'),
    ({ json }) => choose(async () => print((await explainVerbs()).explain(json))),
  );
}
