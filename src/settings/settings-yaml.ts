/** Only for the administrator's side. */
import { distance } from 'fastest-levenshtein';
import * as v from 'valibot';
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import { isInPrefix, isIpv4 } from '../base/network.ts';
import { type Checked, errorProblem, type Place, type Problem } from '../base/problem.ts';
import { formatVersion, newerFormat, newerText } from '../base/version.ts';
import { commentOn, engineProblems } from './on-pacemaker.ts';
import type { Above, SettingsRow } from './row.ts';
import { type Field, settingsFields as fields, type Settings } from './settings.ts';
import { settingsTable } from './table.ts';
import { whyUnsupported } from './unsupported.ts';

const rows: Readonly<Record<Field, SettingsRow>> = settingsTable;
const fieldOfKey = new Map(fields.map((field) => [rows[field].key, field]));

/** Returns all problems, each with file, line and column, the typed text, and a fix; for an unknown key the nearest valid one. */
export function parseSettings(text: string, file: string): Checked<Settings> {
  const { given, problems } = readGiven(text, file);
  // Every setting would be reported as missing.
  if (problems.some((problem) => problem.code === 'settings-syntax')) return { ok: false, problems };
  return completeSettings(given, file, problems);
}

/** The file may be incomplete; unknown and repeated keys are problems. */
export function readGiven(text: string, file: string): { readonly given: GivenSettings; readonly problems: readonly Problem[] } {
  const given = new Map<Field, Given>();
  const lines = new LineCounter();
  if (text.length > longestText) {
    const what = `the file has ${Math.round(text.length / 1000)} kB; the limit for settings is ${longestText / 1000} kB`;
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
    const syntax: Problem = errorProblem(
      'settings-syntax',
      'the file has no settings: expected lines of "key: value"',
      'start from the output of csync settings example',
      { file, line: 1 },
    );
    return { given, problems: [syntax] };
  }
  return { given: readPairs(document, contents.items as Pair<Node, Node | null>[], file, placeOf, problems), problems };
}

/** A complete, commented file has 14 kB. The YAML parser needs 15 ms for each kB that is not YAML. */
const longestText = 24_000;
const mostProblems = 100;

function syntaxProblem(what: string, place: Place): Problem {
  const remedy = 'correct the line; csync settings example prints a complete file';
  return errorProblem('settings-syntax', `the file is not valid YAML here: ${what}`, remedy, place);
}

/**
 * Settings have lists and nothing deeper. Deep text overflows the stack of a regular expression, which ends the process (V8:
 * "RegExpCompiler Allocation failed") and cannot be caught.
 */
function isDeep(text: string): boolean {
  return (text.match(/[[{]/g)?.length ?? 0) > 300 || /(?:[-?:][ \t]+){40}/.test(text);
}

/** null: too long or too deep for the recursive parser. */
function documentOf(text: string, lineCounter: LineCounter): Document.Parsed | null {
  if (text.length > longestText || isDeep(text)) return null;
  try {
    // Pretty errors copy the line into each message: slow for thousands on one line.
    return parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Replaces the value of an existing key, every other byte unchanged, and returns its line; null without the key. */
export function withValue(text: string, key: string, value: string): { readonly text: string; readonly line: number } | null {
  const lines = new LineCounter();
  const node = nodeAt(text, key, lines);
  if (!isScalar(node) || node.range == null) return null;
  const [start, end] = node.range;
  const { line } = lines.linePos(start);
  return { text: node.value === value ? text : `${text.slice(0, start)}${value}${text.slice(end)}`, line };
}

/** Replaces the list of an existing key, every other byte unchanged; null if it has no list. */
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

/** The field of a key, or a problem with the nearest key. */
export function fieldOf(key: string, place: Place): Field | Problem {
  const nearest = nearestKey(key);
  const remedy = `did you mean ${nearest}? csync settings example lists all keys`;
  const text = `"${key}" is not a setting`;
  return fieldOfKey.get(key) ?? errorProblem('settings-unknown-key', text, remedy, place);
}

/** Also by its beginning: names are shortened as often as they are misspelt. */
function nearestKey(typed: string): string {
  const far = (key: string): number => Math.min(distance(typed, key), distance(typed, key.slice(0, typed.length)) + 0.5);
  return [...fieldOfKey.keys()].reduce((best, key) => (far(key) < far(best) ? key : best));
}

/** The typed text as a value of the setting; unchanged if invalid. */
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

/** undefined: required. */
export function defaultOf(field: Field, above: Above): unknown {
  return fallbackOf(rows[field], above);
}

function readPairs(
  document: Document,
  pairs: readonly Pair<Node, Node | null>[],
  file: string,
  placeOf: (offset?: number) => Place,
  problems: Problem[],
): Map<Field, Given> {
  const given = new Map<Field, Given>();
  for (const { key: keyNode, value: valueNode } of pairs) {
    if (problems.length >= mostProblems) break;
    const key = isScalar(keyNode) ? String(keyNode.value) : '';
    const place = placeOf(keyNode.range?.[0]);
    if (key === 'version' && isScalar(valueNode)) {
      problems.push(...versionProblems(valueNode.value, file, place));
      continue;
    }
    const field = fieldOf(key, place);
    if (typeof field !== 'string') {
      problems.push(field);
      continue;
    }
    const first = given.get(field);
    if (first !== undefined) {
      const text = `"${key}" is set twice, first in line ${first.place.line}`;
      problems.push(errorProblem('settings-duplicate-key', text, 'keep one of the two lines', place));
      continue;
    }
    const value = plainValue(document, valueNode);
    if (value instanceof Error) problems.push(syntaxProblem(value.message.split('\n')[0] ?? '', place));
    else given.set(field, { value, place: valueNode === null ? place : placeOf(valueNode.range?.[0]) });
  }
  return given;
}

/** A file without a version has version 1, which may also be written. */
function versionProblems(version: unknown, file: string, place: Place): Problem[] {
  if (version === formatVersion) return [];
  const newer = newerFormat({ version });
  if (newer === null) {
    const text = `"version" is ${JSON.stringify(version)}, and only ${formatVersion} is known`;
    return [{ code: 'settings-value', severity: 'error', text, remedy: 'remove the line', place }];
  }
  const remedy = 'run the newer csync; csync toolkit status   (lists the version on each member)';
  return [{ code: 'file-newer', severity: 'error', text: newerText(file, newer), remedy, place }];
}

/** A missing anchor or endless alias returns the error. */
function plainValue(document: Document, node: Node | null): unknown {
  try {
    const value: unknown = node === null ? null : node.toJS(document);
    // A node that contains itself cannot be printed.
    JSON.stringify(value);
    return value;
  } catch (error) {
    if (error instanceof ReferenceError || error instanceof RangeError || error instanceof TypeError) return error;
    throw error;
  }
}

/** Checks the given values and adds defaults; sorts `earlier` problems in. */
export function completeSettings(given: GivenSettings, file: string, earlier: readonly Problem[] = []): Checked<Settings> {
  const problems = [...earlier];
  const values: Record<string, unknown> = {};
  for (const field of fields) {
    const row = rows[field];
    const typed = given.get(field);
    if (typed === undefined && row.fallback === undefined) {
      const text = `"${row.key}" is missing: ${row.comment}`;
      problems.push(errorProblem('settings-missing', text, `add a line "${row.key}: ..."`, { file }));
      continue;
    }
    const fallback = fallbackOf(row, values);
    // The setting that its default depends on is already reported.
    if (typed === undefined && fallback === undefined) continue;
    const checked = v.safeParse(row.check, typed === undefined ? fallback : typed.value);
    if (checked.success) {
      values[field] = checked.output;
      continue;
    }
    const [issue] = checked.issues;
    const value = typed?.value ?? fallback;
    const why = whyUnsupported(field, value);
    const text = `"${row.key}" is ${JSON.stringify(value)}, but ${why ?? issue.message}`;
    const code = why === null ? 'settings-value' : 'settings-unsupported';
    problems.push(errorProblem(code, text, `correct ${row.key}`, typed?.place ?? { file }));
  }
  const settings = values as unknown as Settings;
  problems.push(...conflicts(settings, (field) => given.get(field)?.place ?? { file }));
  problems.push(...engineProblems(settings, (field) => given.get(field)?.place));
  problems.sort((a, b) => (a.place?.line ?? Number.MAX_SAFE_INTEGER) - (b.place?.line ?? Number.MAX_SAFE_INTEGER));
  const isValid = problems.every(({ severity }) => severity === 'warning');
  return isValid ? { ok: true, value: settings, problems } : { ok: false, problems };
}

function fallbackOf(row: SettingsRow, above: Above): unknown {
  return typeof row.fallback === 'function' ? (row.fallback as (above: Above) => unknown)(above) : row.fallback;
}

/** Across settings; those that already failed are absent. */
function conflicts(settings: Partial<Settings>, placeOf: (field: Field) => Place): Problem[] {
  const problems: Problem[] = [];
  const add = (field: Field, text: string, remedy: string): void => {
    problems.push(errorProblem('settings-conflict', text, remedy, placeOf(field)));
  };
  const { packageAddress, packageSubnet, mountPoint, policyDirectory } = settings;
  if (packageAddress !== undefined && packageAddress === packageSubnet) {
    add('packageSubnet', `package_subnet is the address itself (${packageAddress})`, 'set the network address, such as 10.9.0.0');
  }
  if (packageAddress !== undefined && packageSubnet !== undefined && !canContain(packageSubnet, packageAddress)) {
    add('packageSubnet', `${packageAddress} is not in the subnet ${packageSubnet}`, 'correct package_address or package_subnet');
  }
  const six = [packageAddress ?? '', ...(settings.clientNetworks ?? [])].find((one) => one.includes(':'));
  if (settings.cfengineGeneration === 2 && six !== undefined) {
    const text = `cfengine_generation 2 with ${six}: csync supports IPv6 with CFEngine 3 only`;
    add('cfengineGeneration', text, 'set an IPv4 address, or move to CFEngine 3');
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
    add('packagePriority', text, 'remove it, or set package_style: modular');
  }
  const { monitorTimeoutSeconds: limit, monitorIntervalSeconds: interval } = settings;
  if (limit !== undefined && interval !== undefined && limit > interval) {
    add(
      'monitorTimeoutSeconds',
      `a probe may take ${limit} s but is repeated every ${interval} s`,
      'set a longer monitor_interval_seconds',
    );
  }
  const { haltScriptTimeoutSeconds: halt, haltGraceSeconds: grace, serviceHaltTimeoutSeconds: service } = settings;
  if (halt !== undefined && grace !== undefined && service !== undefined && halt <= grace + service) {
    const text = `halt_script_timeout_seconds ${halt} leaves no time after ${grace} s of grace and ${service} s for the service`;
    add('haltScriptTimeoutSeconds', text, `set more than ${grace + service}`);
  }
  return problems;
}

/** An IPv4 subnet has no length here: only the first byte is certain. */
const canContain = (subnet: string, address: string): boolean =>
  isIpv4(subnet) ? subnet.split('.')[0] === address.split('.')[0] : isInPrefix(address, subnet);

/** A complete, commented csync.yaml. Without settings: the defaults; required settings are commented out. */
export function printSettings(settings?: Settings): string {
  const values: Record<string, unknown> = {};
  const blocks = fields.flatMap((field) => {
    const row = rows[field];
    const fallback = fallbackOf(row, values);
    const value = settings === undefined ? fallback : settings[field];
    values[field] = value;
    const line = value === undefined ? `# ${row.key}:` : `${row.key}: ${JSON.stringify(value)}`;
    const comment = commentOn(row, settings?.engine);
    return comment === null ? [] : [`# ${comment}\n${line}\n`];
  });
  return blocks.join('\n');
}
