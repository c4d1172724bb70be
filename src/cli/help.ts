/** The first page of help: all verbs by task. Pure. */
import { verbTasks } from './verb.ts';
import { verbs } from './verbs.ts';

/** A line then fits into 80 columns (a test). */
const column = 27;

const opening = `csync makes a cfengine master highly available with Serviceguard or Pacemaker.

Usage: csync VERB [options]
       csync VERB --help
`;

const start = [
  'A new cluster: csync init, csync check, csync members sync,',
  '               csync apply --run, csync client add HOST',
  'To try it:     csync lab demo',
];

const closing = `Options of every verb:
  -h, --help                 print help with examples and exit statuses
  -q, --quiet                print only results and problems
      --version              print the version

Problems have a code. csync explain CODE prints what to do.
man 8 csync is the manual. csync completion prints a completion script.
`;

export function helpText(): string {
  const tasks = Object.entries(verbTasks).map(([task, purpose]) => {
    const lines = verbs
      .filter((verb) => verb.task === task)
      .map(({ words, does }) => `  ${words.padEnd(column)}${does}`.trimEnd());
    return `${task} (${purpose})\n${lines.join('\n')}\n`;
  });
  return [opening, `${start.join('\n')}\n`, ...tasks, closing].join('\n');
}

/** Of a word with parts, such as `member`. */
export function partsText(word: string): string {
  const lines = verbs
    .filter(({ words }) => words.startsWith(`${word} `))
    .map(({ words, does }) => `  csync ${words.padEnd(column)}${does}`);
  return `csync ${word} needs one more word:\n\n${lines.join('\n')}\n\ncsync ${word} VERB --help prints the options.\n`;
}

export function verbIn(argv: readonly string[]): string | null {
  const typed = argv.filter((word) => !word.startsWith('-'));
  const found = verbs.find(({ words }) => words.split(' ').every((word, at) => typed[at] === word));
  return found?.words ?? null;
}

export function usageFix(words: string): string {
  const example = verbs.find((verb) => verb.words === words)?.examples[0]?.[0];
  return `for example csync ${example}; csync ${words} --help prints its options`;
}

/** `member add` for `add member`, `policy commit` for `commit`. */
export function meantVerbs(argv: readonly string[]): string[] {
  const typed = argv.filter((word) => !word.startsWith('-'));
  const [first = '', second = ''] = typed;
  const all = verbs.map(({ words }) => words);
  const turned = all.filter((words) => words === `${second} ${first}` || words === `${second}s ${first}`);
  return turned.length > 0 ? turned : all.filter((words) => words.endsWith(` ${first}`));
}
