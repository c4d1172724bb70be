/**
 * The package directory of a member, as csync and the member scripts use it. A set is what was rendered together, in a directory named by
 * its digest. A set never changes: other content is another set beside it. The package file names its set, so that all members switch at
 * the moment it is applied. Pure.
 */

import { createHash } from 'node:crypto';
import { attempt } from '../base/attempt.ts';
import type { Settings } from '../settings/settings.ts';

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

export const manifestName = 'manifest.json';
export const settingsName = 'settings.json';

/** Path of a distributed Node.js in the package directory; the launcher's template has the same name. */
export const runtimeName = 'runtime/node';

/** The set that was applied last, for callers that get no set from Serviceguard. Serviceguard's own value always wins. */
export const appliedName = 'applied';

export const setsName = 'sets';

/** The files of version 0.1.0, which are in the package directory itself. */
export const flatSet = 'flat';

/** In a set: probes which other host answers for the package address. */
export const arpProbeName = 'csync-arp.pl';
/** The shipped launcher that selects the set; it has the names that Serviceguard calls. */
export const entryName = 'csync-entry.sh';

/** Attribute of a modular package file that names its set. */
export const setKeyword = 'pev_csync_set_digest';

type Style = Settings['packageStyle'];

export type LauncherRole = 'main' | 'pre' | 'legacy';

/** The scripts that Serviceguard calls, by package style, with their role. */
const launchers: Readonly<Record<Style, Readonly<Record<string, LauncherRole>>>> = {
  modular: { 'csync.sh': 'main', 'csync_pre.sh': 'pre' },
  legacy: { 'csync_control.sh': 'legacy' },
};

/** Names of the launchers of one style; those of the other style do not belong into the package directory. */
export function launcherNames(style: Style): string[] {
  return Object.keys(launchers[style]);
}

export function launcherRoles(style: Style): [name: string, role: LauncherRole][] {
  return Object.entries(launchers[style]);
}

/** The launchers beside the sets. A legacy package has none: its package file contains the path into the set. */
export function entryNames(style: Style): string[] {
  return style === 'legacy' ? [] : launcherNames(style);
}

const setNameDigits = 16;
const setName = new RegExp(`^[0-9a-f]{${setNameDigits}}$`);

export function isSetName(text: string): boolean {
  return setName.test(text);
}

/** The name of a set, from the digests of its files: long enough that no two sets share it. */
export function setNameOf(digests: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(digests).sort(([one], [other]) => (one < other ? -1 : 1));
  return sha256(JSON.stringify(sorted)).slice(0, setNameDigits);
}

/** Path of a file of a set, below the package directory. */
export function inSet(set: string, name: string): string {
  return set === flatSet ? name : `${setsName}/${set}/${name}`;
}

/** Set and name of such a file; null for a file of no set. */
export function setPartOf(path: string): { readonly set: string; readonly name: string } | null {
  const [, set = '', name = ''] = /^sets\/([^/]+)\/(.+)$/.exec(path) ?? [];
  return isSetName(set) ? { set, name } : null;
}

/** Set and package directory of the directory that a launcher passes to a script. */
export function placeOfSet(directory: string): { readonly set: string; readonly packageDirectory: string } {
  const [, packageDirectory = '', set = ''] = /^(.*)\/sets\/([^/]+)$/.exec(directory) ?? [];
  return isSetName(set) ? { set, packageDirectory } : { set: flatSet, packageDirectory: directory };
}

/** The set that a package file names; null for a package that is not ours. */
export function setNamedBy(set: string | undefined, settings: string | undefined, runScript: string | undefined): string | null {
  const control = /\/sets\/([^/]+)\/csync_control\.sh$/.exec(runScript ?? '')?.[1] ?? '';
  const named = [set ?? '', control].find(isSetName);
  if (named !== undefined) return named;
  return settings !== undefined || /\/csync_control\.sh$/.test(runScript ?? '') ? flatSet : null;
}

/** As above, from the text of a package file. */
export function setNamedIn(text: string): string | null {
  const last = (keyword: string): string | undefined =>
    [...text.matchAll(new RegExp(`^[ \\t]*${keyword}[ \\t]+"?([^"\\s]+)`, 'gim'))].at(-1)?.[1];
  return setNamedBy(last(setKeyword), last('pev_csync_settings_digest'), last('run_script'));
}

/**
 * Which set runs on this member: written at each start, because Serviceguard passes nothing to a service; removed by a halt or a boot. Only
 * root can write there.
 */
export function runningFile(packageDirectory: string): string {
  return `/run/csync-running${packageDirectory.replaceAll('/', '-')}`;
}

/** Options of V8 for the monitor, as the start chose them for the Node.js of this member; the launcher's template has the same name. */
export function nodeOptionsFile(packageName: string): string {
  return `/run/csync-node-${packageName}`;
}

/** A set and its mount point: what a halt needs when the set itself is missing. */
export interface SetAtWork {
  readonly set: string;
  readonly mountPoint: string;
}

export function runningText({ set, mountPoint }: SetAtWork): string {
  return `${set} ${mountPoint}\n`;
}

export interface AppliedSet extends SetAtWork {
  /** The previously applied set; null: unknown. */
  readonly previous: string | null;
}

export function appliedText({ set, mountPoint, previous }: AppliedSet): string {
  return `${set} ${mountPoint} ${previous ?? '-'}\n`;
}

/** null for any other line. */
export function parseApplied(text: string): AppliedSet | null {
  const [set = '', mountPoint = '', previous = ''] = text.trim().split(' ');
  if (!isSetName(set) || !mountPoint.startsWith('/')) return null;
  return { set, mountPoint, previous: isSetName(previous) ? previous : null };
}

/** manifest.json: `files` has the digest of each file of the set, `edited` names the files that differ from the rendered ones. */
export interface Manifest {
  readonly toolkitVersion: string;
  readonly settingsDigest: string;
  readonly files: Readonly<Record<string, string>>;
  /** The same for the files beside the sets. */
  readonly beside: Readonly<Record<string, string>>;
  /** Names as from editKey. */
  readonly edited?: readonly string[];
  /** The distributed Node.js; without it the members use their own. */
  readonly runtime?: Runtime | undefined;
}

export interface Runtime {
  readonly digest: string;
  readonly size: number;
}

const none: Manifest = { toolkitVersion: '', settingsDigest: '', files: {}, beside: {} };

/** Reads a manifest; a missing or damaged one has no files. */
export function readManifest(text: string | null): Manifest {
  return attempt(() => {
    const read: unknown = JSON.parse(text ?? '{}');
    return isRecord(read) ? { ...none, ...soundParts(read) } : none;
  }, none);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** It is read from a disk of a member, where it may be damaged: parts of another form are ignored. */
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

/** The name of a file in the list of edits: the same in every set, and different for a file beside them. */
export function editKey(path: string): string {
  const part = setPartOf(path);
  return part === null ? path : `${setsName}/*/${part.name}`;
}

/**
 * Whether a file beside the sets is one that csync rendered: in one of the manifests there, or wanted now. Version 0.1.0 lists it among the
 * files of its manifest.
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
