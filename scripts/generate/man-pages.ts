/** man/: manual pages from the tables of verbs, settings and drills, and from three pages of the reference; `marked-man` writes the roff. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lexer, type Tokens } from 'marked';
import { exitTable } from '../../src/base/problem.ts';
import { toolkitVersion } from '../../src/base/version.ts';
import { plainText, synopsis } from '../../src/cli/reference.ts';
import { type Verb, verbTasks } from '../../src/cli/verb.ts';
import { verbs } from '../../src/cli/verbs.ts';
import { settingsFacts } from './pages/settings-page.ts';
import { optionLines, ownStatuses } from './pages/verbs-page.ts';

/** In each page; not the time of the build, so that the same source makes the same bytes. */
const date = '2026-11-30';

const renderer = 'node_modules/.bin/marked-man';

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
const list = (items: readonly string[]): string => items.map((item) => `* ${item}`).join('\n');

/** Markdown without what a manual page does not have: links, and tables, which become lists. */
function asManual(markdown: string): string {
  const parts = lexer(markdown).map((token) => {
    if (token.type === 'heading' && token.depth === 1) return '';
    if (token.type === 'heading') return `${token.depth === 2 ? `## ${token.text.toUpperCase()}` : `### ${token.text}`}\n\n`;
    if (token.type !== 'table') return token.raw;
    const { header, rows } = token as Tokens.Table;
    const items = rows.map(([first, ...others]) => {
      const said = others.flatMap(({ text }, at) => {
        const title = header[at + 1]?.text ?? '';
        return text === '' ? [] : [others.length === 1 || title === '' ? text : `${title}: ${text}`];
      });
      return `${first?.text ?? ''}: ${said.join('; ')}`;
    });
    return `${list(items)}\n\n`;
  });
  return parts.join('').replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1');
}

const taskEntries = Object.entries(verbTasks) as [Verb['task'], string][];
const taskPage = (task: Verb['task']): string => `csync-${task.toLowerCase().replace(' ', '-')}`;
const verbsOf = (task: Verb['task']): readonly Verb[] => verbs.filter((verb) => verb.task === task);

function verbSection(verb: Verb): string {
  const options = optionLines(verb).map(
    ([name, meaning, fallback]) => `${name}: ${meaning}${fallback === '' ? '' : ` (default ${fallback})`}`,
  );
  const statuses = ownStatuses(verb).map(([status, means]) => `${status}: ${means}`);
  const examples = verb.examples.map(([command, why]) => `\`csync ${command}\`: ${why}`);
  return [
    `### csync ${synopsis(verb)}`,
    plainText(verb),
    ...(options.length === 0 ? [] : [list(options)]),
    'Examples:',
    list(examples),
    ...(statuses.length === 0 ? [] : ['Exit statuses besides those of every verb:', list(statuses)]),
  ].join('\n\n');
}

function csyncPage(): string {
  return [
    '# csync(8) -- highly available cfengine master as a Serviceguard package',
    '## SYNOPSIS',
    '`csync` VERB [options]',
    '`csync` VERB --help',
    '## DESCRIPTION',
    'csync makes a cfengine master a Serviceguard package: an address, a file system with the policy, and a monitor. When the daemon or its member fails, another member becomes the master.',
    'A verb that changes the cluster prints its steps, asks for confirmation (`--yes` confirms), and verifies the result. `--dry-run` prints the steps only. Run the same command again to complete an interrupted change.',
    'Problems have a code in square brackets. `csync explain CODE` prints what it means for the cluster, and the fix.',
    '## OPTIONS OF EVERY VERB',
    list([
      '`-h`, `--help`: print help with examples and exit statuses',
      '`-q`, `--quiet`: print only results and problems',
      '`--version`: print the version',
    ]),
    ...taskEntries.flatMap(([task, purpose]) => [
      `## ${task.toUpperCase()}`,
      `${sentence(purpose)} Options, examples and exit statuses: ${taskPage(task)}(8).`,
      list(verbsOf(task).map((verb) => `\`csync ${verb.words}\`: ${verb.does}`)),
    ]),
    '## EXIT STATUS',
    'The status of a failure is that of its first error. Every verb can exit with 0, 2, 70 and 130; the page of its task has its other statuses.',
    list(Object.values(exitTable).map(({ status, means }) => `${status}: ${means}`)),
    '## ENVIRONMENT',
    list(['`NO_COLOR`: no colour on a terminal']),
    '## FILES',
    list([
      '`csync.yaml`: settings, in the directory where you run csync',
      '`$SGCONF/csync`: package directory on every member',
      '`$SGRUN/log/csync.log`: package log',
      '`/run/csync-monitor-csync.json`: state of the monitor',
    ]),
    '## SEE ALSO',
    `${taskEntries.map(([task]) => `${taskPage(task)}(8)`).join(', ')}, csync.yaml(5), csync-monitor-state(5), csync-templates(5), csync-drills(7), cmviewcl(1m), cf-serverd(8)`,
  ].join('\n\n');
}

function taskManual(task: Verb['task'], purpose: string): string {
  return [
    `# ${taskPage(task)}(8) -- verbs of csync: ${purpose}`,
    '## SYNOPSIS',
    ...verbsOf(task).map((verb) => `\`csync ${synopsis(verb)}\` [options]`),
    '## DESCRIPTION',
    'These verbs, with options, examples and exit statuses. csync(8) has the options and exit statuses of every verb.',
    '## VERBS',
    ...verbsOf(task).map(verbSection),
    '## SEE ALSO',
    'csync(8), csync.yaml(5)',
  ].join('\n\n');
}

function settingsManual(): string {
  const rows = settingsFacts().map(
    ({ key, comment, fallback, allowed, example }) =>
      `### ${key.replaceAll('`', '')}\n\n${comment}\n\n${list([
        `default: ${fallback}`,
        `allowed: ${allowed}`,
        ...(example === '' ? [] : [`example: ${example}`]),
      ])}`,
  );
  return [
    '# csync.yaml(5) -- settings of csync',
    '## DESCRIPTION',
    'A file of lines `key: value` in YAML, in the directory where you run csync. Settings with a default may be omitted. `csync settings check` reports all problems. `csync init` writes the file. After an edit run `csync apply`.',
    '## SETTINGS',
    ...rows,
    '## SEE ALSO',
    'csync(8), csync-templates(5)',
  ].join('\n\n');
}

/** A page of the reference, or a chapter of it. */
function pageManual(title: string, text: string): string {
  return [`# ${title}`, '## DESCRIPTION', asManual(text), '## SEE ALSO', 'csync(8)'].join('\n\n');
}

function chapter(text: string, heading: string): string {
  const from = text.indexOf(`\n## ${heading}\n`);
  if (from === -1) throw new Error(`no chapter "${heading}"`);
  const rest = text.slice(from + heading.length + 5);
  const next = rest.indexOf('\n## ');
  return next === -1 ? rest : rest.slice(0, next);
}

function roff(markdown: string, root: string): string {
  const text = execFileSync(join(root, renderer), ['--version', toolkitVersion, '--manual', 'csync'], {
    input: markdown,
    encoding: 'utf8',
  });
  const lines = text
    .replace(/^(\.TH .*) "\w+ \d{4}" /, `$1 "${date}" `)
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .split('\n')
    .filter((line) => line.trim() !== '');
  // man(7) has macros for blank lines, and none is wanted behind a heading.
  return `${lines.filter((line, at) => !(line === '.P' && /^\.S[HS] /.test(lines[at - 1] ?? ''))).join('\n')}\n`;
}

/** Text of each manual page by its name in the repository. */
export function manPages(root: string): ReadonlyMap<string, string> {
  const read = (name: string): string => readFileSync(join(root, name), 'utf8');
  const pages = {
    'csync.8': csyncPage(),
    ...Object.fromEntries(taskEntries.map(([task, purpose]) => [`${taskPage(task)}.8`, taskManual(task, purpose)])),
    'csync.yaml.5': settingsManual(),
    'csync-monitor-state.5': pageManual(
      'csync-monitor-state(5) -- state of the monitor, in JSON',
      chapter(read('docs/reference/json.md'), 'State of the monitor'),
    ),
    'csync-templates.5': pageManual('csync-templates(5) -- templates and tokens of csync', read('package-templates/README.md')),
    'csync-drills.7': pageManual('csync-drills(7) -- failover drills of csync', read('docs/reference/drills.md')),
    'ocf_csync_master.7': pageManual(
      'ocf_csync_master(7) -- the resource agent of csync for Pacemaker',
      read('docs/reference/pacemaker/agent.md'),
    ),
  };
  if (!existsSync(join(root, renderer))) {
    console.warn('man/ is not written: marked-man is missing; run npm ci');
    return new Map();
  }
  return new Map(Object.entries(pages).map(([name, markdown]) => [`man/${name}`, roff(markdown, root)]));
}
