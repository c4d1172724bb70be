/** The words of the left column: a reader has to decode them, and each has a plain one (docs/explanation/glossary.md). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './support.ts';

export const banned: readonly RegExp[] = [
  /\b(is|are|was|were|be) told\b/i,
  /\btold of\b/i,
  /(?<!cannot-)\btells?\b/i,
  /\b(a|the) looks?\b/i,
  /\blook(s|ed)? at\b/i,
  /\bhears?\b/i,
  /\b(program|process|daemon|monitor|script|command|verb)s? ends?\b/i,
  /\b(is|are) (not )?there\b/i,
  /\bof before\b/i,
  /\bthe one before\b/i,
  /\b(who|what)ever\b/i,
  /\b(some|no)body\b/i,
  /\bwhat helps\b/i,
  /\bleft out\b/i,
  /\b(that|which|who|work) waits?\b/i,
  /\b(is|are|was|were) at (it|something|work)\b/i,
  /\bhail(s|ed)?\b/i,
  /\bmembers? (that |which )?(goes|comes|go|come)\b/i,
  /\bthe member the package runs on\b/i,
  /\ba member it could run on\b/i,
  /\bwants? a halt\b/i,
  /\bwhat is left\b/i,
  /\bthe way back\b/i,
  /\bin vain\b/i,
  /\bgives?\b/i,
];

/** Comments and string literals of TypeScript; names in `` ` ` `` of a page are cut out, as are placeholders of template literals. */
const prose = /\/\*[\s\S]*?\*\/|(?<![:\\])\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;

function linesOf(path: string): { readonly text: string; readonly line: number }[] {
  const text = readFileSync(path, 'utf8');
  if (!path.endsWith('.ts'))
    return text.split('\n').map((one, at) => ({ text: path.endsWith('.md') ? one.replace(/`[^`]*`/g, '…') : one, line: at + 1 }));
  return [...text.matchAll(prose)].map((match) => ({
    text: match[0].replace(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '…').replace(/\s*\n\s*\*?\s*/g, ' '),
    line: text.slice(0, match.index).split('\n').length,
  }));
}

/** `FILE:LINE: PHRASE: TEXT` of each banned phrase below a folder or in a file of the repository, or in what a person reads of it. */
export function bannedIn(path: string): string[] {
  const whole = join(repository, path);
  const files = /\.\w+$/.test(path)
    ? [path]
    : readdirSync(whole, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name).slice(repository.length + 1))
        // Files of an old version are evidence: they stay as they were shipped.
        .filter((file) => !file.startsWith('test/fixtures/version-'));
  return files.flatMap((file) =>
    linesOf(join(repository, file)).flatMap(({ text, line }) =>
      banned.flatMap((phrase) => (phrase.test(text) ? [`${file}:${line}: ${phrase.source}: ${text.slice(0, 160)}`] : [])),
    ),
  );
}
