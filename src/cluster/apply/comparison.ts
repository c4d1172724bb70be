/** Compares the rendered set with the files on each member; the engine compares definitions. Pure. */

import type { Problem } from '../../base/problem.ts';
import { newerIn } from '../../base/version.ts';
import { newerProblem } from '../../contract/formats.ts';
import {
  appliedName,
  editKey,
  flatSet,
  inSet,
  isDefinition,
  isElsewhere,
  isKnownBeside,
  manifestName,
  type Runtime,
  readManifest,
  runtimeName,
  setPartOf,
  setsName,
  sha256,
} from '../../contract/package-directory.ts';
import { rosterName } from '../../contract/roster.ts';
import type { ClusterObservation } from '../remote/observation.ts';
import type { DirectoryFacts } from '../remote/package-look.ts';
import type { FileToSend } from './package-write.ts';

export interface FileDifference {
  readonly name: string;
  /** extra: not of the package, left alone. */
  readonly is: 'same' | 'missing' | 'changed' | 'mode' | 'edited' | 'extra';
}

export const runtimeMode = 0o755;

/** Missing on the member, or different there. */
export function staleNames(differences: readonly FileDifference[]): string[] {
  return differences.filter(({ is }) => is !== 'same' && is !== 'extra').map(({ name }) => name);
}

/** An apply overwrites no edit by hand unless told to. */
export const driftRemedy = 'csync diff; then csync apply, or to overwrite an edit made by hand: csync apply --take-rendered';

/** For a message; more than two of one set are one entry. */
export function inBrief(names: readonly string[]): string[] {
  const count = (set: string): number => names.filter((name) => setPartOf(name)?.set === set).length;
  const brief = names.map((name) => {
    const set = setPartOf(name)?.set ?? '';
    return set === '' || count(set) <= 2 ? name : `${setsName}/${set} (${count(set)} files)`;
  });
  return [...new Set(brief)];
}

/**
 * Wanted files, the carried runtime, edits in the set in force (`current`), unknown files. Not other sets, the history, the roster and hidden
 * files.
 */
export function compareDirectory(
  wanted: readonly FileToSend[],
  facts: DirectoryFacts,
  runtime: Runtime | null = null,
  current: string | null = null,
): FileDifference[] {
  const there = new Map(facts.files.map((file) => [file.name, file]));
  const manifests = [...facts.manifests.values()].map(readManifest);
  const { edited = [] } = readManifest(facts.manifests.get(current ?? '') ?? null);
  const isEdited = (name: string, digest: string): boolean => {
    if (isElsewhere(name)) return false;
    if (setPartOf(name) !== null) return setPartOf(name)?.name !== manifestName;
    return edited.includes(editKey(name)) || !isKnownBeside(name, digest, manifests);
  };
  const own = wanted.map(({ name, mode, content }): FileDifference => {
    const found = there.get(name);
    if (found === undefined) return { name, is: 'missing' };
    if (found.digest === sha256(content)) return { name, is: found.mode === mode ? 'same' : 'mode' };
    return { name, is: isEdited(name, found.digest) ? 'edited' : 'changed' };
  });
  if (runtime !== null) own.push({ name: runtimeName, is: compareRuntime(runtime, facts) });
  const names = new Set(own.map(({ name }) => name));
  const kept = new Map(wanted.map(({ name, content }) => [editKey(name), sha256(content)]));
  const before = current === null ? [] : editedIn(current, facts, kept).filter((name) => !names.has(name));
  const isKept = (name: string): boolean =>
    [rosterName, appliedName, manifestName].includes(name) ||
    isElsewhere(name) ||
    /^(history\/|sets\/|\.)/.test(name) ||
    manifests.some(({ files, beside }) => Object.hasOwn(files, name) || Object.hasOwn(beside, name));
  const extra = facts.files.filter(({ name }) => !names.has(name) && !isKept(name));
  return [
    ...own,
    ...before.map((name): FileDifference => ({ name, is: 'edited' })),
    ...extra.map(({ name }): FileDifference => ({ name, is: 'extra' })),
  ];
}

/** There it is unknown which files were edited. */
export function newerManifests({ members }: Pick<ClusterObservation, 'members'>): Problem[] {
  return members.flatMap((one) =>
    one.reached
      ? [...one.manifests].flatMap(([set, text]) => {
          const version = newerIn(text);
          return version === null ? [] : [newerProblem(`${one.directory}/${inSet(set, manifestName)}`, version, one.member)];
        })
      : [],
  );
}

/** Edited files, and accepted edits. A new set would lose them, except those in `kept` (see editKey). */
function editedIn(set: string, { files, manifests }: DirectoryFacts, kept: ReadonlyMap<string, string>): string[] {
  const manifest = readManifest(manifests.get(set) ?? null);
  const found = new Map(files.map(({ name, digest }) => [name, digest]));
  return Object.entries(manifest.files).flatMap(([name, digest]) => {
    const path = inSet(set, name);
    const is = found.get(path);
    if (is === undefined || (set === flatSet && isDefinition(name))) return [];
    if (kept.get(`${setsName}/*/${name}`) === is) return [];
    return is !== digest || manifest.edited?.includes(editKey(path)) ? [path] : [];
  });
}

/** Never an edit: it was damaged or replaced. */
export function compareRuntime({ digest }: Runtime, { files }: DirectoryFacts): 'same' | 'missing' | 'changed' | 'mode' {
  const found = files.find(({ name }) => name === runtimeName);
  if (found === undefined) return 'missing';
  if (found.digest !== digest) return 'changed';
  return found.mode === runtimeMode ? 'same' : 'mode';
}
