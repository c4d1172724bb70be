/** The Markdown pages of the repository, as the tests of the texts read them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { lexer, type Token, type Tokens, walkTokens } from 'marked';
import { repository } from './support.ts';

/** Pages with links that a reader may follow, relative to the repository. */
export function markdownPages(): string[] {
  const below = (directory: string, recursive = false): string[] =>
    readdirSync(join(repository, directory), { recursive, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => normalize(join(directory, name)));
  return [...below('.'), ...below('docs', true), ...below('package-templates'), ...below('ansible'), ...below('test')];
}

export function readPage(page: string): string {
  return readFileSync(join(repository, page), 'utf8');
}

function tokensOf(text: string): Token[] {
  const found: Token[] = [];
  void walkTokens(lexer(text), (token) => void found.push(token));
  return found;
}

/** Texts of the code blocks below a heading, up to the next heading. */
export function codeBelow(text: string, heading: string): string[] {
  const tokens = lexer(text);
  const from = tokens.findIndex((token) => token.type === 'heading' && token.text === heading);
  const rest = tokens.slice(from + 1);
  const end = rest.findIndex((token) => token.type === 'heading');
  const section = from === -1 ? [] : rest.slice(0, end === -1 ? undefined : end);
  return section.filter((token): token is Tokens.Code => token.type === 'code').map((token) => token.text);
}

/** The lines of a code block without their comments. */
export const commandsOf = (block: string): string[] => block.split('\n').map((line) => line.replace(/\s*#.*/, ''));

/** Tables by the names of their columns; a cell is its tokens. */
export function tables(text: string): readonly (readonly ReadonlyMap<string, Tokens.TableCell>[])[] {
  const found = tokensOf(text).filter((token): token is Tokens.Table => token.type === 'table');
  return found.map(({ header, rows }) => rows.map((cells) => new Map(cells.map((cell, at) => [header[at]?.text ?? '', cell]))));
}

/** What a person reads as sentences: paragraphs, list items, table cells and headings, without code blocks. */
export function sentences(text: string): string[] {
  const blocks = tokensOf(text).flatMap((token): string[] => {
    if (token.type === 'heading' || token.type === 'paragraph') return [plain(token.tokens ?? [])];
    if (token.type === 'list_item') return token.tokens?.flatMap((part) => (part.type === 'text' ? [plain([part])] : [])) ?? [];
    if (token.type !== 'table') return [];
    const { header, rows } = token as Tokens.Table;
    return [header, ...rows].flat().map((cell) => plain(cell.tokens));
  });
  const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
  return blocks.flatMap((block) => [...segmenter.segment(block)].map(({ segment }) => segment.trim())).filter(Boolean);
}

/** A code span counts as one word. */
function plain(tokens: readonly Token[]): string {
  return tokens
    .map((token) => {
      if (token.type === 'codespan') return 'CODE';
      const inner = (token as { readonly tokens?: readonly Token[] }).tokens;
      return inner === undefined ? ((token as { readonly text?: string }).text ?? ' ') : plain(inner);
    })
    .join('')
    .replace(/\s+/g, ' ');
}

export function wordsOf(sentence: string): number {
  return sentence.split(/\s+/).filter((word) => /[A-Za-z0-9]/.test(word)).length;
}

export function linksIn(tokens: readonly Token[]): Tokens.Link[] {
  return tokens.filter((token): token is Tokens.Link => token.type === 'link');
}

/** Relative links of a page that lead nowhere: no such file, or no heading for the part behind #. */
export function deadLinks(page: string): string[] {
  const links = linksIn(tokensOf(readPage(page))).map(({ href }) => href);
  return links.filter((href) => !/^[a-z]+:/.test(href) && !leadsSomewhere(page, href));
}

function leadsSomewhere(page: string, href: string): boolean {
  const [path = '', anchor] = href.split('#');
  const target = path === '' ? page : normalize(join(dirname(page), decodeURI(path)));
  if (target.startsWith('..') || !existsSync(join(repository, target))) return false;
  return anchor === undefined || headingAnchors(target).has(anchor);
}

/** Headings of a page with their levels. */
export function headingsOf(text: string): readonly { readonly depth: number; readonly text: string }[] {
  return tokensOf(text).filter((token): token is Tokens.Heading => token.type === 'heading');
}

/** By page: an index asks for the anchors of its own page hundreds of times. */
const anchors = new Map<string, ReadonlySet<string>>();

function headingAnchors(page: string): ReadonlySet<string> {
  const known = anchors.get(page) ?? new Set(headingsOf(readPage(page)).map((heading) => anchorOf(heading.text)));
  anchors.set(page, known);
  return known;
}

/** The anchor of a heading, as the usual renderers name it. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

/** A command of a page with the host on whose prompt it stands ('' for the machine itself), and the output that the page shows. */
export interface ShownCommand {
  readonly host: string;
  readonly command: string;
  readonly output: readonly string[];
}

/** The commands of the `console` blocks of a page, in order. */
export function shownCommands(text: string): ShownCommand[] {
  const blocks = lexer(text).filter((token): token is Tokens.Code => token.type === 'code' && token.lang === 'console');
  return blocks.flatMap((block) =>
    block.text
      .split(/^(?=\w*# )/m)
      .map((part) => part.trimEnd().split('\n'))
      .map(([first = '', ...output]) => {
        const [, host = '', command = ''] = /^(\w*)# (.*)$/.exec(first) ?? [];
        if (command === '') throw new Error(`a console block begins without a prompt: ${first}`);
        return { host, command, output };
      }),
  );
}

/** Times, digests, process ids and columns differ from run to run. */
export function shapes(lines: readonly string[]): string[] {
  return lines
    .map((line) =>
      line
        // Only a slow step has its duration.
        .replace(/( \.\.\. (?:ok|FAILED)) \((?:\d+ min )?\d+ s\)$/, '$1')
        .replace(/\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z| UTC)/g, 'TIME')
        .replace(/\b[0-9a-f]{12,64}\b/g, 'DIGEST')
        .replace(/\d+(?:\.\d+)? ?(?:ms|s|min|KB|MB|GB)\b/g, 'N')
        .replace(/\b\d+\.\d{3}\b/g, 'N')
        .replace(/\bpid \d+/g, 'pid N')
        .replace(/\b\d+ steps?\b/g, 'N steps')
        // The host's own agent may have run just before.
        .replace(/^(ran +\d+ of \d+), \d+ with changes/, '$1')
        // A part of an outage that took no time that could be seen has no figure.
        .replace(/(outage N, limit N): .*/, '$1: parts')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .filter(Boolean);
}

/** Whether output is what a page shows of it, in any order: members answer as they can. Three dots stand for any number of other lines. */
export function isShown(shown: readonly string[], printed: readonly string[]): boolean {
  const [wanted, found] = [shapes(shown), shapes(printed)];
  if (!wanted.includes('...')) return wanted.toSorted().join('\n') === found.toSorted().join('\n');
  return wanted.every((line) => line === '...' || found.includes(line));
}
