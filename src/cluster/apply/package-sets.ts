/** Which sets a member keeps. Pure. */
import {
  type AppliedSet,
  appliedName,
  appliedText,
  entryNames,
  flatSet,
  isDefinition,
  manifestName,
  parseApplied,
  readManifest,
  setPartOf,
} from '../../contract/package-directory.ts';
import type { Settings } from '../../settings/settings.ts';
import type { DirectoryFacts } from '../remote/package-look.ts';
import type { FileToSend } from './package-write.ts';

export interface SetChange {
  readonly set: string;
  /** null: none was applied before. */
  readonly before: string | null;
  readonly mountPoint: string;
  readonly style: Settings['packageStyle'];
}

/** Also names the previous set, for a rollback. */
export function appliedFile({ set, before, mountPoint }: SetChange, facts: readonly DirectoryFacts[]): FileToSend {
  const known = facts.flatMap(({ applied }): AppliedSet[] => {
    const read = parseApplied(applied ?? '');
    return read === null ? [] : [read];
  });
  const earlier = [before, ...known.flatMap((one) => [one.set, one.previous])];
  const previous = earlier.find((one): one is string => one !== null && one !== flatSet && one !== set) ?? null;
  const content = Buffer.from(appliedText({ set, mountPoint, previous }));
  return { name: appliedName, mode: 0o644, content };
}

/** Never the applied, the running or the previous one. */
export function sweepable(
  { set, before, style }: SetChange,
  facts: DirectoryFacts,
  applied: FileToSend,
  runsFlat: boolean,
): { readonly sets: readonly string[]; readonly flat: readonly string[] } {
  const previous = parseApplied(applied.content.toString())?.previous ?? null;
  const kept = new Set([set, before, previous, facts.running]);
  const sets = new Set(facts.files.flatMap(({ name }) => setPartOf(name)?.set ?? []));
  const { files } = readManifest(facts.manifests.get(flatSet) ?? null);
  const names = new Set(facts.files.map(({ name }) => name));
  const stays = (name: string): boolean => isDefinition(name) || entryNames(style).includes(name);
  const flat = [...Object.keys(files).filter((name) => !stays(name)), manifestName].filter((name) => names.has(name));
  return { sets: [...sets].filter((one) => !kept.has(one)), flat: runsFlat || set === flatSet ? [] : flat };
}
