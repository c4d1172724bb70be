/**
 * Strict substitution of `{{token}}` in text that belongs to administrators: no logic, no escaping, one pass, so that a
 * value is never read again. `$SG...`, `%`, `$&`, single braces pass untouched. Pure.
 */
import { closest } from 'fastest-levenshtein';
import type { Checked, Place, Problem } from '../base/problem.ts';

export interface Template {
  /** Where it was read from, for messages. */
  readonly file: string;
  readonly text: string;
}

/**
 * A pair of braces with what stands between, or a `{{` that is not closed. A lone `}}` is nobody's mistake: shell ends
 * nested expansions with it.
 */
const braces = /\{\{([^{}\n]*)\}\}|\{\{/g;

/** Places in a template; to be asked for offsets that only grow. */
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

/**
 * Replaces every token by its value. Problems, all at once with line and column: a token without a value (with the
 * nearest one that has), a malformed one, a value of `required` that the template does not use.
 */
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
      problems.push({
        code: 'template-malformed',
        severity: 'error',
        text: `"${whole}" is no token`,
        remedy,
        place: placeAt(offset),
      });
      return whole;
    }
    used.add(token);
    const value = Object.hasOwn(values, token) ? values[token] : undefined;
    if (value === undefined) {
      const remedy = `did you mean {{${closest(token, Object.keys(values))}}}? package-templates/README.md lists the tokens`;
      problems.push({
        code: 'template-unknown-token',
        severity: 'error',
        text: `there is no token {{${token}}}`,
        remedy,
        place: placeAt(offset),
      });
      return whole;
    }
    return value;
  });
  for (const token of required.filter((name) => !used.has(name))) {
    problems.push({
      code: 'template-unused-token',
      severity: 'error',
      text: `the template does not use {{${token}}}, so that value would be lost`,
      remedy: `put {{${token}}} where it belongs; csync templates diff shows what the shipped template has`,
      place: { file: template.file },
    });
  }
  return problems.length === 0 ? { ok: true, value: text, problems } : { ok: false, problems };
}
