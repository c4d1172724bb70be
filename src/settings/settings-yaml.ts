/**
 * csync.yaml: reading it with every problem at once, and writing a commented one. The administrator's side only.
 */
import { distance } from 'fastest-levenshtein';
import * as v from 'valibot';
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import type { Checked, Place, Problem } from '../base/problem.ts';
import type { Above, SettingsRow } from './row.ts';
import { type Field, settingsFields as fields, type Settings } from './settings.ts';
import { settingsTable } from './table.ts';

const rows: Readonly<Record<Field, SettingsRow>> = settingsTable;
const fieldOfKey = new Map(fields.map((field) => [rows[field].key, field]));

/**
 * Reads csync.yaml. All problems come back at once, each with file, line and column, what was typed, and a remedy;
 * unknown keys name the nearest valid one.
 */
export function parseSettings(text: string, file: string): Checked<Settings> {
  const { given, problems } = readGiven(text, file);
  // Without a readable file every setting would be missing, too.
  if (problems.some((problem) => problem.code === 'settings-syntax')) return { ok: false, problems };
  return completeSettings(given, file, problems);
}

/** What a file says, which need not be all there is to say; with unknown and repeated keys as problems. */
export function readGiven(text: string, file: string): { readonly given: GivenSettings; readonly problems: readonly Problem[] } {
  const given = new Map<Field, Given>();
  const lines = new LineCounter();
  if (text.length > longestText) {
    const what = `it has ${Math.round(text.length / 1000)} kB, and no settings file has more than ${longestText / 1000}`;
    return { given, problems: [syntaxProblem(what, { file })] };
  }
  const document = documentOf(text, lines);
  if (document === null) return { given, problems: [syntaxProblem('its brackets are nested too deep', { file })] };
  const placeOf = (offset: number | undefined): Place => {
    if (offset === undefined) return { file };
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const problems = document.errors.slice(0, mostProblems).map((error) => syntaxProblem(error.message, placeOf(error.pos[0])));
  if (problems.length > 0) return { given, problems };
  const { contents } = document;
  if (!isMap(contents)) {
    const syntax: Problem = {
      code: 'settings-syntax',
      severity: 'error',
      text: 'the file holds no settings: lines of "key: value" are wanted',
      remedy: 'start from the output of csync settings example',
      place: { file, line: 1 },
    };
    return { given, problems: [syntax] };
  }
  return { given: readPairs(document, contents.items as Pair<Node, Node | null>[], placeOf, problems), problems };
}

/** A complete, commented one has 14 kB. The reader of YAML takes some 15 ms a kB of what is none. */
const longestText = 24_000;
/** Of a file that is something else altogether nobody reads more. */
const mostProblems = 100;

function syntaxProblem(what: string, place: Place): Problem {
  const remedy = 'correct the line; csync settings example prints a complete file';
  return { code: 'settings-syntax', severity: 'error', text: `the file is not valid YAML here: ${what}`, remedy, place };
}

/**
 * Settings have lists and no more. A stack that ends in the middle of an expression is the end of the whole process (V8: "RegExpCompiler
 * Allocation failed"), which nothing can catch; so nothing deep is handed to a reader that calls itself.
 */
function isDeep(text: string): boolean {
  return (text.match(/[[{]/g)?.length ?? 0) > 300 || /(?:[-?:][ \t]+){40}/.test(text);
}

/** null: it is too long, or the reader of YAML, which calls itself for each bracket within another, meets too many of them. */
function documentOf(text: string, lineCounter: LineCounter): Document.Parsed | null {
  if (text.length > longestText || isDeep(text)) return null;
  try {
    // Pretty ones copy the line into each message, which takes longer than the rest for thousands on one line.
    return parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** The text with another value for a key that stands in it, every other byte as it was, and the line; null without the key. */
export function withValue(text: string, key: string, value: string): { readonly text: string; readonly line: number } | null {
  const lines = new LineCounter();
  const node = nodeAt(text, key, lines);
  if (!isScalar(node) || node.range == null) return null;
  const [start, end] = node.range;
  const { line } = lines.linePos(start);
  // The same, quoted or not, stays as it was written.
  return { text: node.value === value ? text : `${text.slice(0, start)}${value}${text.slice(end)}`, line };
}

/** The text with another list for a key that holds one, every byte outside of the list as it was; null where it holds none. */
export function withList(text: string, key: string, values: readonly string[]): string | null {
  const node = nodeAt(text, key, new LineCounter());
  if (!isSeq(node) || node.range == null) return null;
  const [start, end] = node.range;
  if (node.flow === true) return `${text.slice(0, start)}[${values.join(', ')}]${text.slice(end)}`;
  const indentation = ' '.repeat(start - (text.lastIndexOf('\n', start - 1) + 1));
  const behind = text.slice(start, end).endsWith('\n') ? '\n' : '';
  return `${text.slice(0, start)}${values.map((value) => `- ${value}`).join(`\n${indentation}`)}${behind}${text.slice(end)}`;
}

function nodeAt(text: string, key: string, lines: LineCounter): unknown {
  const document = documentOf(text, lines);
  return isMap(document?.contents) ? document.get(key, true) : undefined;
}

export interface Given {
  readonly value: unknown;
  readonly place: Place;
}
export type GivenSettings = ReadonlyMap<Field, Given>;

/** The field of a key; what is wrong with a key that is none, with the nearest one. */
export function fieldOf(key: string, place: Place): Field | Problem {
  const nearest = nearestKey(key);
  const remedy = `did you mean ${nearest}? csync settings example lists all keys`;
  const text = `there is no setting "${key}"`;
  return fieldOfKey.get(key) ?? { code: 'settings-unknown-key', severity: 'error', text, remedy, place };
}

/** The one that differs least, also from how it begins: names are cut short as often as they are misspelt. */
function nearestKey(typed: string): string {
  const far = (key: string): number => Math.min(distance(typed, key), distance(typed, key.slice(0, typed.length)) + 0.5);
  return [...fieldOfKey.keys()].reduce((best, key) => (far(key) < far(best) ? key : best));
}

/** Text an administrator typed, as the value that it means for this setting; as it is when it means none. */
export function readTyped(field: Field, text: string): unknown {
  const { check } = rows[field];
  if (check.type === 'array') return text.split(/[\s,[\]"']+/).filter((word) => word !== '');
  const yes = isYesNo(field) ? { y: true, n: false, true: true, false: false }[text.toLowerCase()] : undefined;
  const whole = /^-?\d+$/.test(text) ? Number(text) : undefined;
  return [yes, text, whole].find((value) => v.is(check, value)) ?? text;
}

export function isYesNo(field: Field): boolean {
  return v.is(rows[field].check, true);
}

/** What a setting is when nobody says it; undefined when somebody has to. */
export function defaultOf(field: Field, above: Above): unknown {
  return fallbackOf(rows[field], above);
}

function readPairs(
  document: Document,
  pairs: readonly Pair<Node, Node | null>[],
  placeOf: (offset?: number) => Place,
  problems: Problem[],
): Map<Field, Given> {
  const given = new Map<Field, Given>();
  for (const { key: keyNode, value: valueNode } of pairs) {
    if (problems.length >= mostProblems) break;
    const key = isScalar(keyNode) ? String(keyNode.value) : '';
    const place = placeOf(keyNode.range?.[0]);
    const field = fieldOf(key, place);
    if (typeof field !== 'string') {
      problems.push(field);
      continue;
    }
    const first = given.get(field);
    if (first !== undefined) {
      const text = `"${key}" is set twice, first in line ${first.place.line}`;
      problems.push({ code: 'settings-duplicate-key', severity: 'error', text, remedy: 'keep one of the two lines', place });
      continue;
    }
    const value = plainValue(document, valueNode);
    if (value instanceof Error) problems.push(syntaxProblem(value.message.split('\n')[0] ?? '', place));
    else given.set(field, { value, place: valueNode === null ? place : placeOf(valueNode.range?.[0]) });
  }
  return given;
}

/** The value a node stands for; the error where it names an anchor that is not there, or names them without end. */
function plainValue(document: Document, node: Node | null): unknown {
  try {
    const value: unknown = node === null ? null : node.toJS(document);
    // One that holds itself cannot be said, either.
    JSON.stringify(value);
    return value;
  } catch (error) {
    if (error instanceof ReferenceError || error instanceof RangeError || error instanceof TypeError) return error;
    throw error;
  }
}

/** Checks what was given and fills in the rest. `earlier` problems are sorted in among its own. */
export function completeSettings(given: GivenSettings, file: string, earlier: readonly Problem[] = []): Checked<Settings> {
  const problems = [...earlier];
  const values: Record<string, unknown> = {};
  for (const field of fields) {
    const row = rows[field];
    const typed = given.get(field);
    if (typed === undefined && row.fallback === undefined) {
      const text = `"${row.key}" is missing: ${row.comment}`;
      problems.push({
        code: 'settings-missing',
        severity: 'error',
        text,
        remedy: `add a line "${row.key}: ..."`,
        place: { file },
      });
      continue;
    }
    const fallback = fallbackOf(row, values);
    // What its default is made from has been complained of already.
    if (typed === undefined && fallback === undefined) continue;
    const checked = v.safeParse(row.check, typed === undefined ? fallback : typed.value);
    if (checked.success) {
      values[field] = checked.output;
      continue;
    }
    const [issue] = checked.issues;
    const text = `"${row.key}" is ${JSON.stringify(typed?.value ?? fallback)}, but ${issue.message}`;
    problems.push({
      code: 'settings-value',
      severity: 'error',
      text,
      remedy: `correct ${row.key}`,
      place: typed?.place ?? { file },
    });
  }
  const settings = values as unknown as Settings;
  problems.push(...conflicts(settings, (field) => given.get(field)?.place ?? { file }));
  problems.sort((a, b) => (a.place?.line ?? Number.MAX_SAFE_INTEGER) - (b.place?.line ?? Number.MAX_SAFE_INTEGER));
  return problems.length === 0 ? { ok: true, value: settings, problems } : { ok: false, problems };
}

function fallbackOf(row: SettingsRow, above: Above): unknown {
  return typeof row.fallback === 'function' ? (row.fallback as (above: Above) => unknown)(above) : row.fallback;
}

/** What no single row can see. Rows that already failed are absent and are not complained of twice. */
function conflicts(settings: Partial<Settings>, placeOf: (field: Field) => Place): Problem[] {
  const problems: Problem[] = [];
  const add = (field: Field, text: string, remedy: string): void => {
    problems.push({ code: 'settings-conflict', severity: 'error', text, remedy, place: placeOf(field) });
  };
  const { packageAddress, packageSubnet, mountPoint, policyDirectory } = settings;
  if (packageAddress !== undefined && packageAddress === packageSubnet) {
    add(
      'packageSubnet',
      `package_subnet is the address itself (${packageAddress})`,
      'give the network address, such as 10.9.0.0',
    );
  }
  if (
    packageAddress !== undefined &&
    packageSubnet !== undefined &&
    packageAddress.split('.')[0] !== packageSubnet.split('.')[0]
  ) {
    add(
      'packageSubnet',
      `${packageAddress} cannot lie in the subnet ${packageSubnet}`,
      'correct package_address or package_subnet',
    );
  }
  if (mountPoint !== undefined && policyDirectory !== undefined && !`${policyDirectory}/`.startsWith(`${mountPoint}/`)) {
    const text = `policy_directory ${policyDirectory} is not on the policy file system mounted at ${mountPoint}`;
    add('policyDirectory', text, `choose a directory below ${mountPoint}`);
  }
  if (
    settings.packageStyle === 'legacy' &&
    settings.packagePriority !== undefined &&
    settings.packagePriority !== 'no_priority'
  ) {
    const text = `package_priority ${settings.packagePriority}: a legacy package has no priority`;
    add('packagePriority', text, 'leave it out, or make it package_style: modular');
  }
  const { monitorTimeoutSeconds: limit, monitorIntervalSeconds: interval } = settings;
  if (limit !== undefined && interval !== undefined && limit > interval) {
    add(
      'monitorTimeoutSeconds',
      `a probe may take ${limit} s but is repeated every ${interval} s`,
      'make monitor_interval_seconds the longer one',
    );
  }
  const { haltScriptTimeoutSeconds: halt, haltGraceSeconds: grace, serviceHaltTimeoutSeconds: service } = settings;
  if (halt !== undefined && grace !== undefined && service !== undefined && halt <= grace + service) {
    const text = `halt_script_timeout_seconds ${halt} leaves nothing beside ${grace} s of grace and ${service} s for the service`;
    add('haltScriptTimeoutSeconds', text, `make it longer than ${grace + service}`);
  }
  return problems;
}

/** A complete, commented csync.yaml. Without settings: the defaults, with what has to be said left commented out. */
export function printSettings(settings?: Settings): string {
  const values: Record<string, unknown> = {};
  const blocks = fields.map((field) => {
    const row = rows[field];
    const fallback = fallbackOf(row, values);
    const value = settings === undefined ? fallback : settings[field];
    values[field] = value;
    const line = value === undefined ? `# ${row.key}:` : `${row.key}: ${JSON.stringify(value)}`;
    return `# ${row.comment}\n${line}\n`;
  });
  return blocks.join('\n');
}
