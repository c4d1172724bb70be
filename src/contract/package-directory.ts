/**
 * The package directory of a member, as both ends know it: where the sets lie, what tells which of them counts, and what each holds.
 * A set is what was rendered together, in a directory named by its digest. It never changes: another content is another set beside it.
 * The package file names its set, so that applying it is the one moment at which all members change. Pure.
 */

import { createHash } from 'node:crypto';
import type { Settings } from '../settings/settings.ts';

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

export const manifestName = 'manifest.json';
export const settingsName = 'settings.json';

/** Where a Node.js that was carried along lies in the package directory; the launcher's template has the same name. */
export const runtimeName = 'runtime/node';

/** Which set was applied last, for who is called without Serviceguard's word for it. Serviceguard's own word always wins. */
export const appliedName = 'applied';

/** The directory of all sets. */
export const setsName = 'sets';

/** Stands for the files of version 0.1.0, which lie in the package directory itself. */
export const flatSet = 'flat';

/** Of a set: asks who else answers for the package address. */
export const arpProbeName = 'csync-arp.pl';
/** The shipped launcher that chooses the set; it has the names that Serviceguard calls. */
export const entryName = 'csync-entry.sh';

/** Of the package file of a modular package: names its set. */
export const setKeyword = 'pev_csync_set_digest';

type Style = Settings['packageStyle'];

export type LauncherRole = 'main' | 'pre' | 'legacy';

/** What Serviceguard calls, by package style, with the part it plays there. */
const launchers: Readonly<Record<Style, Readonly<Record<string, LauncherRole>>>> = {
  modular: { 'csync.sh': 'main', 'csync_pre.sh': 'pre' },
  legacy: { 'csync_control.sh': 'legacy' },
};

/** Names of the launchers of one style; the other style's are strangers in a package directory. */
export function launcherNames(style: Style): string[] {
  return Object.keys(launchers[style]);
}

export function launcherRoles(style: Style): [name: string, role: LauncherRole][] {
  return Object.entries(launchers[style]);
}

/** The launchers beside the sets. A legacy package needs none: its package file has the set in the path of the control script. */
export function entryNames(style: Style): string[] {
  return style === 'legacy' ? [] : launcherNames(style);
}

const setNameDigits = 16;
const setName = new RegExp(`^[0-9a-f]{${setNameDigits}}$`);

export function isSetName(text: string): boolean {
  return setName.test(text);
}

/** The name of a set, from the digests of its files. Enough of the digest that no two sets of a cluster ever share it. */
export function setNameOf(digests: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(digests).sort(([one], [other]) => (one < other ? -1 : 1));
  return sha256(JSON.stringify(sorted)).slice(0, setNameDigits);
}

/** Where a file of a set lies, below the package directory. */
export function inSet(set: string, name: string): string {
  return set === flatSet ? name : `${setsName}/${set}/${name}`;
}

/** Set and name of such a file; null for one that is of no set. */
export function setPartOf(path: string): { readonly set: string; readonly name: string } | null {
  const [, set = '', name = ''] = /^sets\/([^/]+)\/(.+)$/.exec(path) ?? [];
  return isSetName(set) ? { set, name } : null;
}

/** Set and package directory of the directory that a launcher hands to a script. */
export function placeOfSet(directory: string): { readonly set: string; readonly packageDirectory: string } {
  const [, packageDirectory = '', set = ''] = /^(.*)\/sets\/([^/]+)$/.exec(directory) ?? [];
  return isSetName(set) ? { set, packageDirectory } : { set: flatSet, packageDirectory: directory };
}

/** The set a package file is of, by its words for it; null for a package that is none of ours. */
export function setNamedBy(set: string | undefined, settings: string | undefined, runScript: string | undefined): string | null {
  const control = /\/sets\/([^/]+)\/csync_control\.sh$/.exec(runScript ?? '')?.[1] ?? '';
  const named = [set ?? '', control].find(isSetName);
  if (named !== undefined) return named;
  return settings !== undefined || /\/csync_control\.sh$/.test(runScript ?? '') ? flatSet : null;
}

/** The same of the text of a package file. */
export function setNamedIn(text: string): string | null {
  const last = (keyword: string): string | undefined =>
    [...text.matchAll(new RegExp(`^[ \\t]*${keyword}[ \\t]+"?([^"\\s]+)`, 'gim'))].at(-1)?.[1];
  return setNamedBy(last(setKeyword), last('pev_csync_settings_digest'), last('run_script'));
}

/**
 * Which set runs on this member: written at each start, since a service is told nothing, and gone with a halt or a boot. Only
 * root can write there.
 */
export function runningFile(packageDirectory: string): string {
  return `/run/csync-running${packageDirectory.replaceAll('/', '-')}`;
}

/** A set and where its policy file system is mounted: what a halt has to know when the set itself is gone. */
export interface SetAtWork {
  readonly set: string;
  readonly mountPoint: string;
}

export function runningText({ set, mountPoint }: SetAtWork): string {
  return `${set} ${mountPoint}\n`;
}

export interface AppliedSet extends SetAtWork {
  /** What was applied before; null: nothing that is known. */
  readonly previous: string | null;
}

export function appliedText({ set, mountPoint, previous }: AppliedSet): string {
  return `${set} ${mountPoint} ${previous ?? '-'}\n`;
}

/** Null for what is no such line. */
export function parseApplied(text: string): AppliedSet | null {
  const [set = '', mountPoint = '', previous = ''] = text.trim().split(' ');
  if (!isSetName(set) || !mountPoint.startsWith('/')) return null;
  return { set, mountPoint, previous: isSetName(previous) ? previous : null };
}

/** What manifest.json says: `files` has the digest of each file of the set, `edited` names those that are not as rendered. */
export interface Manifest {
  readonly toolkitVersion: string;
  readonly settingsDigest: string;
  readonly files: Readonly<Record<string, string>>;
  /** The same of what lies beside the sets, as it was rendered with this one. */
  readonly beside: Readonly<Record<string, string>>;
  /** As editKey has them. */
  readonly edited?: readonly string[];
  /** The Node.js that was carried along; without it the members use their own. */
  readonly runtime?: Runtime | undefined;
}

export interface Runtime {
  readonly digest: string;
  readonly size: number;
}

const none: Manifest = { toolkitVersion: '', settingsDigest: '', files: {}, beside: {} };

/** A manifest as it lies somewhere; one that is missing or damaged knows no file. */
export function readManifest(text: string | null): Manifest {
  try {
    const read: unknown = JSON.parse(text ?? '{}');
    return isRecord(read) ? { ...none, ...soundParts(read) } : none;
  } catch {
    return none;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** It lies on a member's disk, where anything may have been written into it: what is not of its form is as if it were not there. */
function soundParts(read: Record<string, unknown>): Partial<Manifest> {
  const { toolkitVersion, settingsDigest, files, beside, edited, runtime } = read;
  const texts = (values: readonly unknown[]): boolean => values.every((value) => typeof value === 'string');
  const digests = (value: unknown): value is Record<string, string> => isRecord(value) && texts(Object.values(value));
  return {
    ...(typeof toolkitVersion === 'string' ? { toolkitVersion } : {}),
    ...(typeof settingsDigest === 'string' ? { settingsDigest } : {}),
    ...(digests(files) ? { files } : {}),
    ...(digests(beside) ? { beside } : {}),
    ...(Array.isArray(edited) && texts(edited) ? { edited: edited as readonly string[] } : {}),
    ...(isRecord(runtime) && typeof runtime.digest === 'string' && typeof runtime.size === 'number'
      ? { runtime: { digest: runtime.digest, size: runtime.size } }
      : {}),
  };
}

/** What the list of edits calls a file: the same one in every set, and apart from one of that name beside them. */
export function editKey(path: string): string {
  const part = setPartOf(path);
  return part === null ? path : `${setsName}/*/${part.name}`;
}

/**
 * Whether a file beside the sets lies there as nobody rendered it: neither what one of the manifests there says, nor what is wanted
 * now. Version 0.1.0 had it among the files of its manifest.
 */
export function isKnownBeside(name: string, digest: string, manifests: readonly Manifest[]): boolean {
  return manifests.some(({ files, beside }) => beside[name] === digest || files[name] === digest);
}

export interface RenderedFile {
  /** Relative to the package directory. */
  readonly name: string;
  readonly mode: number;
  readonly text: string;
}
