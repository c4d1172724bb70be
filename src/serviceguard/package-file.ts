/**
 * The ASCII package file: `keyword value`, `#` comments, values with blanks in double quotes, keywords in either case [serviceguard.md
 * 2.3], no continuation lines (serviceguard.md gap 14). Keywords: modules.ts and legacy.ts. Pure.
 */

import type { ProblemCode } from '../base/codes/problem-codes.ts';
import { type Checked, errorProblem, type Place, type Problem } from '../base/problem.ts';

export interface PackageLine {
  /** Lower case, except pev_ names and toolkit attributes (with a slash). */
  readonly keyword: string;
  readonly value: string;
  readonly line: number;
}

export interface PackageFile {
  readonly name: string;
  readonly lines: readonly PackageLine[];
}

export interface PackageValues {
  readonly name: string;
  readonly lines: readonly Omit<PackageLine, 'line'>[];
}

export type PackageStyle = 'modular' | 'legacy';

/** With modules: modular; with control scripts only: legacy [serviceguard.md 2.3, 4.1]. */
export function styleOf({ lines }: Pick<PackageValues, 'lines'>): PackageStyle {
  const has = (...keywords: readonly string[]): boolean => lines.some(({ keyword }) => keywords.includes(keyword));
  return !has('module_name') && has('run_script', 'halt_script') ? 'legacy' : 'modular';
}

/** [L9 p.196] */
export const namePattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,37}[A-Za-z0-9])?$/;

/** All problems: quoting, keyword without value, no or two package names. An empty value must be quoted (`fs_umount_opt ""`) [L9 p.210]. */
export function parsePackageFile(text: string, fileName: string): Checked<PackageFile> {
  const problems: Problem[] = [];
  const lines: PackageLine[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const place = { file: fileName, line: index + 1 };
    const read = readLine(raw, place);
    if (read === null) continue;
    if ('code' in read) problems.push(read);
    else lines.push(read);
  }
  problems.push(...nameProblems(lines, fileName));
  const name = lines.find((line) => line.keyword === 'package_name')?.value;
  if (problems.length > 0 || name === undefined) return { ok: false, problems };
  return { ok: true, value: { name, lines }, problems: [] };
}

function readLine(raw: string, place: Place & { line: number }): PackageLine | Problem | null {
  const text = raw.trim();
  if (text === '' || text.startsWith('#')) return null;
  // Blanks are followed by another class: no retries at each blank.
  const [, typed = '', rest = ''] = /^(\S+)(?:\s+(\S.*))?$/.exec(text) ?? [];
  const keyword = canonicalKeyword(typed);
  if (!/^[A-Za-z][A-Za-z0-9_./-]*$/.test(typed)) {
    return syntaxProblem(
      'package-file-keyword',
      `"${typed}" cannot be a keyword.`,
      'Write keyword and value, or # before a comment.',
      place,
    );
  }
  if (rest === '') {
    return syntaxProblem(
      'package-file-no-value',
      `${typed} has no value.`,
      `Write a value for ${typed}, "" for an empty one, or put # before it.`,
      place,
    );
  }
  if (!rest.startsWith('"')) {
    if (!rest.includes('"')) return { keyword, value: rest, line: place.line };
    return syntaxProblem(
      'package-file-quote',
      `The value of ${typed} has a double quote inside: ${rest}`,
      'Quote the whole value.',
      place,
    );
  }
  const [, value, after = ''] = /^"([^"]*)"\s*(\S.*)?$/.exec(rest) ?? [];
  if (value === undefined || (after !== '' && !after.startsWith('#'))) {
    return syntaxProblem(
      'package-file-quote',
      `The quoting of ${typed} is broken: ${rest}`,
      'Put exactly one pair of double quotes around the value.',
      place,
    );
  }
  return { keyword, value, line: place.line };
}

/** Modular in lower case, legacy in upper case [U20 p.233]; users' names keep theirs. */
function canonicalKeyword(typed: string): string {
  if (/^pev_/i.test(typed)) return `pev_${typed.slice('pev_'.length)}`;
  return typed.includes('/') ? typed : typed.toLowerCase();
}

function nameProblems(lines: readonly PackageLine[], file: string): Problem[] {
  const names = lines.filter((line) => line.keyword === 'package_name');
  const [first, second] = names;
  if (first === undefined) {
    return [syntaxProblem('package-file-no-name', 'The file has no package_name.', 'Add a line: package_name <name>', { file })];
  }
  if (second !== undefined) {
    const text = `package_name is set twice: "${first.value}" in line ${first.line} and "${second.value}".`;
    return [
      syntaxProblem('package-file-two-names', text, 'Keep one of the two; one file describes one package.', {
        file,
        line: second.line,
      }),
    ];
  }
  if (namePattern.test(first.value)) return [];
  const remedy = 'Use at most 39 letters, digits, dots, dashes and underscores, a letter or digit first and last.';
  return [
    syntaxProblem('package-file-name', `"${first.value}" is not a valid package name.`, remedy, { file, line: first.line }),
  ];
}

function syntaxProblem(code: ProblemCode, text: string, remedy: string, place: Place): Problem {
  return errorProblem(code, text, remedy, place);
}

/** Without comments, in columns. Parses back to the same. */
export function printPackageFile(file: PackageFile): string {
  const width = Math.max(24, ...file.lines.map((line) => line.keyword.length)) + 1;
  // Scripts use the spelling after pev_, and of an attribute with a slash.
  const isSpelt = (keyword: string): boolean => styleOf(file) === 'legacy' && canonicalKeyword(keyword.toUpperCase()) === keyword;
  const spelt = (keyword: string): string => (isSpelt(keyword) ? keyword.toUpperCase() : keyword);
  return file.lines.map((line) => `${spelt(line.keyword).padEnd(width)}${printValue(line.value)}\n`).join('');
}

/** Quotes an empty value, or one with blanks or # [L9 p.207]. */
export function printValue(value: string): string {
  return value === '' || /[\s#]/.test(value) ? `"${value}"` : value;
}

/** undefined: absent. */
export function lastValue(file: PackageFile, keyword: string): string | undefined {
  return file.lines.findLast((line) => line.keyword === keyword)?.value;
}

/** In file order. */
export function allValues(file: PackageValues, keyword: string): string[] {
  return file.lines.filter((line) => line.keyword === keyword).map((line) => line.value);
}
