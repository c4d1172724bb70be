/** docs/reference/verbs.md, from the rows of the verbs. */
import type { Options } from 'yargs';
import { exitTable } from '../../../src/base/problem.ts';
import { pageTable } from '../../../src/base/tables.ts';
import { exitLines, synopsis } from '../../../src/cli/reference.ts';
import { alwaysPossible, type OptionTable, type Verb } from '../../../src/cli/verb.ts';
import { verbs } from '../../../src/cli/verbs.ts';

const begin = '<!-- begin: written by npm run generate -->';
const end = '<!-- end: written by npm run generate -->';

/** The page with the reference in its place. */
export function withReference(page: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`the page lacks the lines "${begin}" and "${end}"`);
  return `${page.slice(0, from)}${begin}\n\n${reference()}\n${page.slice(to)}`;
}

/** Statuses that each section would repeat. */
const common: readonly number[] = alwaysPossible.map((name) => exitTable[name].status);

function reference(): string {
  const statuses = Object.values(exitTable).map(({ status, means }) => [`${status}`, means]);
  const overview = verbs.map((verb) => [verb.task, `[\`csync ${synopsis(verb)}\`](#${anchor(verb)})`, verb.does]);
  return [
    '## Exit statuses',
    pageTable(['exit status', 'meaning'], statuses),
    `Every verb can exit with ${common.join(', ')}. The section of a verb lists its other statuses, with their meaning for that verb.`,
    '## All verbs',
    pageTable(['task', 'verb', 'purpose'], overview),
    ...verbs.map(section),
  ]
    .map((part) => `${part}\n`)
    .join('\n');
}

/** As typed, meaning, default. */
export function optionLines(verb: Verb): string[][] {
  return [...described(verb.positionals, (name) => name.toUpperCase()), ...described(verb.options, (name) => `--${name}`)];
}

export function ownStatuses(verb: Verb): readonly (readonly [number, string])[] {
  const own = Object.keys(verb.ownExits ?? {}).map(Number);
  return exitLines(verb).filter(([status]) => !common.includes(status) || own.includes(status));
}

function section(verb: Verb): string {
  const examples = verb.examples.map(([command, why]) => [`\`csync ${command}\``, why]);
  const options = optionLines(verb);
  const statuses = ownStatuses(verb);
  return [
    `## csync ${verb.words}`,
    `\`csync ${synopsis(verb)}\`: ${verb.does}.`,
    ...(verb.details === undefined ? [] : [verb.details]),
    ...(options.length === 0 ? [] : [pageTable(['option', 'meaning', 'default'], options)]),
    ...(verb.conflicts ?? []).map(([one, other]) => `\`--${one}\` and \`--${other}\` exclude each other.`),
    ...(statuses.length === 0
      ? []
      : [
          pageTable(
            ['exit status', 'meaning'],
            statuses.map(([status, means]) => [`${status}`, means]),
          ),
        ]),
    pageTable(['example', 'purpose'], examples),
  ].join('\n\n');
}

function described(options: OptionTable, named: (name: string) => string): string[][] {
  return Object.entries(options).map(([name, option]) => {
    const short = typeof option.alias === 'string' ? `, \`-${option.alias}\`` : '';
    return [`\`${named(name)}\`${short}`, meaning(option), fallback(option)];
  });
}

function meaning({ describe = '', choices }: Options): string {
  const words = choices === undefined ? '' : choices.join(', ');
  return [describe || words, describe === '' || words === '' ? '' : `: ${words}`].join('');
}

function fallback({ default: value }: Options): string {
  if (value === undefined || value === false || value === '' || (Array.isArray(value) && value.length === 0)) return '';
  return `\`${Array.isArray(value) ? value.join(' ') : value}\``;
}

const anchor = ({ words }: Verb): string => `csync-${words.replaceAll(' ', '-')}`;
