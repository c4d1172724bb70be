/** Compares the rendered policy with the master's tree: files to write, files that stay, lines to add by hand. Pure. */
import { blocks, className, isOurs, memberClass, type PolicyFile, upTo } from '../../render/policy.ts';

export interface PolicyTreePlan {
  readonly write: readonly PolicyFile[];
  readonly keep: readonly { readonly name: string; readonly why: 'unchanged' | 'yours' | 'not ours' }[];
  /** csync's files of another version or generation. */
  readonly remove: readonly string[];
  /** A file that stays, and the exact lines it lacks. */
  readonly notes: readonly string[];
}

/** `existing`: text by name, relative to the master inputs. */
export function planPolicyTree(rendered: readonly PolicyFile[], existing: ReadonlyMap<string, string>): PolicyTreePlan {
  const write: PolicyFile[] = [];
  const keep: PolicyTreePlan['keep'][number][] = [];
  const notes: string[] = [];
  for (const file of rendered) {
    const { name, text, owner } = file;
    const present = existing.get(name);
    if (present === undefined) write.push(file);
    else if (owner === 'administrator') keep.push({ name, why: 'yours' });
    else if (!isOurs(present)) {
      keep.push({ name, why: 'not ours' });
      notes.push(...noteOn(name, text, present));
    } else if (present === text) keep.push({ name, why: 'unchanged' });
    else write.push(file);
  }
  const names = new Set(rendered.map(({ name }) => name));
  const remove = [...existing].filter(([name, text]) => !names.has(name) && isOurs(text)).map(([name]) => name);
  return { write, keep, remove: remove.sort(), notes };
}

interface Need {
  readonly where: string;
  readonly lines: string;
  /** Shows that the file has them; default: the lines. */
  readonly sign?: string;
}

const needs: Readonly<Record<string, (ours: string, theirs: string) => readonly Need[]>> = {
  'promises.cf': (ours) => [
    ...quotedIn(/inputs\s*=>\s*\{([^}]*)\}/, ours).map((lines) => ({ where: 'inputs of body common control', lines })),
    { where: 'bundlesequence of body common control', lines: '"site"' },
  ],
  'update.cf': fetchesKeys,
  'failsafe.cf': fetchesKeys,
  'controls/cf_serverd.cf': (ours) => [
    ...statements(ours, 'allowconnects', 'allowallconnects', 'allowusers', 'cfruncommand', 'maxconnections').map((lines) => ({
      where: 'body server control, instead of its own',
      lines,
    })),
    ...blocks(ours, 'csync_access_rules').map((lines) => ({ where: 'the file', lines })),
  ],
  'controls/cf_runagent.cf': (ours) =>
    statements(ours, 'hosts', 'port').map((lines) => ({ where: 'body runagent control, instead of its own', lines })),
  'csync_members.cf': (ours) => blocks(ours, 'csync_members').map((lines) => ({ where: 'the file', lines })),

  'update.conf': (ours) => [
    ...entries(ours, 'control', /^AddInstallable/).map((lines) => ({ where: 'control:', lines })),
    // Also works without backup=false.
    ...entries(ours, 'copy', /\/public_keys dest=/).map((lines) => ({
      where: 'copy:',
      lines,
      sign: lines.replace(/\s+backup=false/, ''),
    })),
    ...entries(ours, 'shellcommands', /csync_keys/).map((lines) => ({
      where: `shellcommands: below ${lines.includes(' other"') ? 'master_down' : 'any'}::, with copy and shellcommands in actionsequence`,
      lines,
    })),
  ],
  'cfagent.conf': (ours) => entries(ours, 'import', /./).map((lines) => ({ where: 'import:', lines })),
  'cfservd.conf': (ours) => [
    ...entries(ours, 'control', /^(cfrunCommand|Allow|MaxConnections|IfElapsed)/).map((lines) => ({ where: 'control:', lines })),
    ...entries(ours, 'admit', /./).map((lines) => ({ where: 'admit:', lines })),
  ],
  'cfrun.hosts': (ours) =>
    ours
      .split('\n')
      .filter((line) => line !== '' && !/[#=]/.test(line))
      .map((lines) => ({ where: 'the file', lines })),
  'csync.members': (ours) => entries(ours, 'groups', /./).map((lines) => ({ where: 'groups:', lines })),
  'csync_keys.sh': (ours) => [{ where: 'a script of that name', lines: ours }],
};

function noteOn(name: string, ours: string, theirs: string): string[] {
  const there = settled(theirs);
  const missing = (needs[name]?.(settled(ours), there) ?? []).filter(({ lines, sign = lines }) => !contains(there, sign));
  const places = [...new Set(missing.map(({ where }) => where))];
  const doubled = name === 'promises.cf' ? (theirs.match(/^[ \t]*body[ \t]+(server|runagent)[ \t]+control\b/gm) ?? []) : [];
  if (missing.length === 0) return [];
  const indented = (text: string): string => text.replace(/^(?=.)/gm, '    ');
  return [
    [
      `${name} was not made by the toolkit and stays unchanged. For the toolkit's part of the policy it lacks:`,
      ...places.flatMap((place) => [
        `  in ${place}`,
        ...missing.filter(({ where }) => where === place).map(({ lines }) => indented(lines)),
      ]),
      ...doubled.map((body) => `  and remove its own "${body.trim()}": cfengine accepts only one, and ours is below controls/`),
    ].join('\n'),
  ];
}

/** Has `wanted`: as words, or as an item of a list. */
function contains(text: string, wanted: string): boolean {
  const words = (from: string): string => ` ${from.split(/\s+/).filter(Boolean).join(' ')} `;
  const item = /^"([^"]*)"$/.exec(wanted.trim())?.[1];
  if (item === undefined) return words(text).includes(words(wanted));
  const name = item.replace(/[.]/g, '\\.');
  // By name, by a variable of the directory, or by path; also unquoted.
  const quoted = `["'](?:[$][({][^"')}/]*[)}]/|/[^"']*/inputs/)?${name}["']`;
  return new RegExp(`${quoted}|(?:[{,]|=>)\\s*${name}\\s*(?=[,};])`).test(text);
}

function settled(text: string): string {
  const bare = text
    .replace(/^[ \t]*#(?!!).*\n?/gm, '')
    .split('\n')
    .map(withoutTail)
    .join('\n');
  // \s would match line ends, and scan a file of empty lines once for each.
  const variable = /^[ \t]*(\w+)[ \t]*=[ \t]*\([ \t]*(\S+)[ \t]*\)$/gm;
  const variables = new Map([...bare.matchAll(variable)].map((found) => [found[1], found[2] ?? '']));
  return bare.replace(/\$\((\w+)\)/g, (word, name) => variables.get(name) ?? word);
}

/** Cuts a trailing comment. A # before a quote may be inside. */
function withoutTail(line: string): string {
  const from = line.lastIndexOf('"') + 1;
  const at = line.slice(from).search(/[ \t]#/);
  return at === -1 ? line : line.slice(0, from) + line.slice(from, from + at).trimEnd();
}

function quotedIn(list: RegExp, text: string): string[] {
  return (list.exec(upTo('}', text))?.[1] ?? '').match(/"[^"]*"/g) ?? [];
}

function statements(text: string, ...keywords: readonly string[]): string[] {
  const hidden = upTo(';', text.replace(/"[^"\n]*"/g, hideSemicolons));
  return keywords
    .flatMap((keyword) => new RegExp(`^ *${keyword}\\s*=>[^;]*;`, 'm').exec(hidden) ?? [])
    .map((found) => showSemicolons(found).trim());
}

const hideSemicolons = (quoted: string): string => quoted.replaceAll(';', '\0');
const showSemicolons = (text: string): string => text.replaceAll('\0', ';');

/** In order, with every body they use, for a file that has nothing else of ours. */
function fetchesKeys(ours: string, theirs: string): readonly Need[] {
  const keys = /"[^"]*\/public_keys"/.exec(ours)?.[0] ?? '';
  // The file fetches the keys in another way.
  if (keys !== '' && theirs.includes(keys) && !/^bundle agent csync_public_keys\b/m.test(theirs)) return [];
  const bundles = ['csync_look', 'csync_epoch', 'csync_public_keys'];
  const bodies = ['csync_master', 'csync_all', 'csync_private', 'csync_told', 'csync_key_names', 'csync_here'];
  return [
    ...bundles.map((name) => ({ where: 'bundlesequence of body common control', lines: `"${name}"` })),
    ...blocks(ours, ...bodies, ...bundles).map((lines) => ({
      where: 'the file',
      lines,
      sign: lines.slice(0, lines.indexOf('\n')),
    })),
  ];
}

function entries(text: string, section: string, like: RegExp): string[] {
  const body = new RegExp(`^${section}:\\n([\\s\\S]*?)(?=^\\w+:$|(?![\\s\\S]))`, 'm').exec(text)?.[1] ?? '';
  const lines = body.split('\n').filter((line) => line.trim() !== '' && !/^\s*\w+::$/.test(line));
  const own = Math.min(...lines.map((line) => line.search(/\S/)));
  const whole: string[] = [];
  for (const line of lines) {
    const more = line.search(/\S/) > own && whole.length > 0;
    if (more) whole[whole.length - 1] += `\n${line.trim()}`;
    else whole.push(line.trim());
  }
  return whole.filter((entry) => like.test(entry));
}

/** The administrator's lines that mention a removed member, by name or class. `existing`: text by name. */
export function staleMemberMentions(
  existing: ReadonlyMap<string, string>,
  removedMember: string,
): { readonly file: string; readonly line: number; readonly text: string }[] {
  const short = removedMember.split('.')[0] ?? removedMember;
  const names = [...new Set([removedMember, short, className(removedMember), className(short), memberClass(short)])];
  const escaped = names.map((name) => name.replace(/[.]/g, '\\.'));
  // A dot joins classes, and begins a domain.
  const mention = new RegExp(`(?<![A-Za-z0-9_-])(${escaped.join('|')})(?![A-Za-z0-9_-])`, 'i');
  return [...existing]
    .filter(([, text]) => !isOurs(text))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([file, text]) =>
      text.split('\n').flatMap((line, at) => (mention.test(line) ? [{ file, line: at + 1, text: line.trim() }] : [])),
    );
}
