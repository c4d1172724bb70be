/** What is wanted against what was observed: file by file on each member, keyword by keyword in the applied configuration. Pure. */
import { isHandEdited, readManifest, sha256 } from '../render/package.ts';
import { findAttribute } from '../serviceguard/modules.ts';
import { changedKeywords } from '../serviceguard/online-rules.ts';
import { allValues, type PackageFile } from '../serviceguard/package-file.ts';
import type { DirectoryFacts, FileToSend } from './member-scripts.ts';

export interface FileDifference {
  readonly name: string;
  /** extra: nothing of the package; it is left alone. */
  readonly is: 'same' | 'missing' | 'changed' | 'mode' | 'edited' | 'extra';
}

/** Every wanted file and every other one of the directory. The history of sets and hidden files are not the package's. */
export function compareDirectory(wanted: readonly FileToSend[], facts: DirectoryFacts): FileDifference[] {
  const there = new Map(facts.files.map((file) => [file.name, file]));
  const manifest = readManifest(facts.manifest);
  const own = wanted.map(({ name, mode, content }): FileDifference => {
    const found = there.get(name);
    const digest = sha256(content);
    if (found === undefined) return { name, is: 'missing' };
    if (found.digest === digest) return { name, is: found.mode === mode ? 'same' : 'mode' };
    return { name, is: isHandEdited(name, found.digest, digest, manifest) ? 'edited' : 'changed' };
  });
  const names = new Set(wanted.map(({ name }) => name));
  const extra = facts.files.filter(({ name }) => !names.has(name) && !name.startsWith('history/') && !name.startsWith('.'));
  return [...own, ...extra.map(({ name }): FileDifference => ({ name, is: 'extra' }))];
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
  const ignored = new Set(['module_name', 'module_version', 'operation_sequence']);
  return changedKeywords(applied, wanted)
    .filter((keyword) => !ignored.has(keyword))
    .map((keyword) => ({ keyword, applied: allValues(applied, keyword), wanted: allValues(wanted, keyword) }))
    .filter(({ keyword, applied: one, wanted: other }) => {
      const fallback = findAttribute(keyword)?.attribute.fallback;
      const orDefault = (values: readonly string[]): string =>
        JSON.stringify(values.length === 0 && typeof fallback === 'string' ? [fallback] : values);
      return orDefault(one) !== orDefault(other);
    });
}
