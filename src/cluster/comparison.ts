/** What is wanted against what was observed: file by file on each member, keyword by keyword in the applied configuration. Pure. */
import { isHandEdited, type Runtime, readManifest, runtimeName, sha256 } from '../render/package.ts';
import { findLegacyAttribute } from '../serviceguard/legacy.ts';
import { findAttribute } from '../serviceguard/modules.ts';
import { changedKeywords } from '../serviceguard/online-rules.ts';
import { allValues, type PackageFile, styleOf } from '../serviceguard/package-file.ts';
import type { DirectoryFacts, FileToSend } from './member-scripts.ts';
import { rosterName } from './roster.ts';

export interface FileDifference {
  readonly name: string;
  /** extra: nothing of the package; it is left alone. */
  readonly is: 'same' | 'missing' | 'changed' | 'mode' | 'edited' | 'extra';
}

export const runtimeMode = 0o755;

/** Names of the wanted files that are not on the member as they should be. */
export function staleNames(differences: readonly FileDifference[]): string[] {
  return differences.filter(({ is }) => is !== 'same' && is !== 'extra').map(({ name }) => name);
}

/**
 * Every wanted file, the runtime where one is carried along, and every other file of the directory. The history of sets, the
 * roster and hidden files are not the package's.
 */
export function compareDirectory(
  wanted: readonly FileToSend[],
  facts: DirectoryFacts,
  runtime: Runtime | null = null,
): FileDifference[] {
  const there = new Map(facts.files.map((file) => [file.name, file]));
  const manifest = readManifest(facts.manifest);
  const own = wanted.map(({ name, mode, content }): FileDifference => {
    const found = there.get(name);
    const digest = sha256(content);
    if (found === undefined) return { name, is: 'missing' };
    if (found.digest === digest) return { name, is: found.mode === mode ? 'same' : 'mode' };
    return { name, is: isHandEdited(name, found.digest, digest, manifest) ? 'edited' : 'changed' };
  });
  if (runtime !== null) own.push({ name: runtimeName, is: compareRuntime(runtime, facts) });
  const names = new Set(own.map(({ name }) => name));
  const kept = (name: string): boolean => name === rosterName || name.startsWith('history/') || name.startsWith('.');
  const extra = facts.files.filter(({ name }) => !names.has(name) && !kept(name));
  return [...own, ...extra.map(({ name }): FileDifference => ({ name, is: 'extra' }))];
}

/** Nobody edits a program: one that is another was damaged or exchanged. */
export function compareRuntime({ digest }: Runtime, { files }: DirectoryFacts): 'same' | 'missing' | 'changed' | 'mode' {
  const found = files.find(({ name }) => name === runtimeName);
  if (found === undefined) return 'missing';
  if (found.digest !== digest) return 'changed';
  return found.mode === runtimeMode ? 'same' : 'mode';
}

export interface KeywordDifference {
  readonly keyword: string;
  readonly applied: readonly string[];
  readonly wanted: readonly string[];
}

/**
 * Keywords that differ between the applied configuration and the wanted one. What only one side says counts as the
 * documented default on the other: cmgetconf may print what nobody wrote [serviceguard.md 2.5, 2.6].
 */
export function compareConfiguration(applied: PackageFile, wanted: PackageFile): KeywordDifference[] {
  // Modules and the order of their scripts are cmmakepkg's part; a real cluster adds its own.
  const legacy = styleOf(wanted) === 'legacy';
  const ignored = new Set(['module_name', 'module_version', 'operation_sequence']);
  return changedKeywords(applied, wanted)
    .filter((keyword) => !ignored.has(keyword))
    .map((keyword) => ({ keyword, applied: allValues(applied, keyword), wanted: allValues(wanted, keyword) }))
    .filter(({ keyword, applied: one, wanted: other }) => {
      const fallback = (legacy ? findLegacyAttribute(keyword) : findAttribute(keyword)?.attribute)?.fallback;
      // Words of a legacy file count in either case; which one cmgetconf gives is not known.
      const spelt = (value: string): string =>
        legacy && fallback?.toLowerCase() !== fallback?.toUpperCase() ? value.toLowerCase() : value;
      const orDefault = (values: readonly string[]): string =>
        JSON.stringify((values.length === 0 && typeof fallback === 'string' ? [fallback] : values).map(spelt));
      return orDefault(one) !== orDefault(other);
    });
}
