/** Replaces `{{token}}`: no logic, no escaping, one pass, so values are never parsed. `$SG...`, `%`, `$&`, single braces stay. Pure. */
import { closest } from 'fastest-levenshtein';
import { type Checked, errorProblem, type Place, type Problem } from '../base/problem.ts';

export interface Template {
  readonly file: string;
  readonly text: string;
}

/** Or an unclosed `{{`: shell ends nested expansions with `}}`. */
const braces = /\{\{([^{}\n]*)\}\}|\{\{/g;

function placesIn({ file, text }: Template): (offset: number) => Place {
  let [line, start] = [1, 0];
  return (offset) => {
    for (let end = text.indexOf('\n', start); end !== -1 && end < offset; end = text.indexOf('\n', start)) {
      line += 1;
      start = end + 1;
    }
    return { file, line, column: offset - start + 1 };
  };
}

/** All problems with line and column: a token without a value (with the nearest name), a malformed one, an unused `required` value. */
export function fillTemplate(
  template: Template,
  values: Readonly<Record<string, string>>,
  required: readonly string[] = Object.keys(values),
): Checked<string> {
  const problems: Problem[] = [];
  const placeAt = placesIn(template);
  const used = new Set<string>();
  const text = template.text.replace(braces, (whole, inner: string | undefined, offset: number) => {
    const token = inner?.trim() ?? '';
    if (inner === undefined || !/^[a-z][a-z0-9_]*$/.test(token)) {
      const remedy = 'write a token as {{name}} with lower case letters, digits and underscores';
      problems.push(errorProblem('template-malformed', `"${whole}" is not a token`, remedy, placeAt(offset)));
      return whole;
    }
    used.add(token);
    const value = Object.hasOwn(values, token) ? values[token] : undefined;
    if (value === undefined) {
      const remedy = `did you mean {{${closest(token, Object.keys(values))}}}? package-templates/README.md lists the tokens`;
      problems.push(errorProblem('template-unknown-token', `{{${token}}} is not a token`, remedy, placeAt(offset)));
      return whole;
    }
    return value;
  });
  for (const token of required.filter((name) => !used.has(name))) {
    problems.push(
      errorProblem(
        'template-unused-token',
        `the template does not use {{${token}}}, so its value would be lost`,
        `add {{${token}}} where it belongs; csync templates diff shows the shipped template`,
        { file: template.file },
      ),
    );
  }
  return problems.length === 0 ? { ok: true, value: text, problems } : { ok: false, problems };
}
