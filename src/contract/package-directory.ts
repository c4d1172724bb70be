/**
 * A set is what was rendered together, in a directory named by its digest; it never changes. The package file names its set, so all members
 * switch when it is applied. Pure.
 */

import { createHash } from 'node:crypto';
import { attempt } from '../base/attempt.ts';
import type { Settings } from '../settings/settings.ts';

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

export const manifestName = 'manifest.json';
export const settingsName = 'settings.json';

/** The launcher's template has the same name. */
export const runtimeName = 'runtime/node';

/** Last applied, for callers without a set from Serviceguard, whose value always wins. */
export const appliedName = 'applied';

export const setsName = 'sets';

/** Version 0.1.0 has one set, in the package directory itself. */
export const flatSet = 'flat';

export const arpProbeName = 'csync-arp.pl';
/** Selects the set; installed under the names that Serviceguard calls. */
export const entryName = 'csync-entry.sh';

/** Names the set in a modular package file. */
export const setKeyword = 'pev_csync_set_digest';

type Style = Settings['packageStyle'];

export type LauncherRole = 'main' | 'pre' | 'legacy';

const launchers: Readonly<Record<Style, Readonly<Record<string, LauncherRole>>>> = {
  modular: { 'csync.sh': 'main', 'csync_pre.sh': 'pre' },
  legacy: { 'csync_control.sh': 'legacy' },
};

/** Of that style only. */
export function launcherNames(style: Style): string[] {
  return Object.keys(launchers[style]);
}

export function launcherRoles(style: Style): [name: string, role: LauncherRole][] {
  return Object.entries(launchers[style]);
}

/** None for a legacy package, whose file has the path into the set. */
export function entryNames(style: Style): string[] {
  return style === 'legacy' ? [] : launcherNames(style);
}

const setNameDigits = 16;
const setName = new RegExp(`^[0-9a-f]{${setNameDigits}}$`);

export function isSetName(text: string): boolean {
  return setName.test(text);
}

export function setNameOf(digests: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(digests).sort(([one], [other]) => (one < other ? -1 : 1));
  return sha256(JSON.stringify(sorted)).slice(0, setNameDigits);
}

export function inSet(set: string, name: string): string {
  return set === flatSet ? name : `${setsName}/${set}/${name}`;
}

/** A file that the engine needs outside of the package directory: its name is the absolute path. */
export const isElsewhere = (name: string): boolean => name.startsWith('/');

/** null: of no set. */
export function setPartOf(path: string): { readonly set: string; readonly name: string } | null {
  const [, set = '', name = ''] = /^sets\/([^/]+)\/(.+)$/.exec(path) ?? [];
  return isSetName(set) ? { set, name } : null;
}

/** Of the directory that a launcher passes. */
export function placeOfSet(directory: string): { readonly set: string; readonly packageDirectory: string } {
  const [, packageDirectory = '', set = ''] = /^(.*)\/sets\/([^/]+)$/.exec(directory) ?? [];
  return isSetName(set) ? { set, packageDirectory } : { set: flatSet, packageDirectory: directory };
}

/** From values of a package file; null: not our package. */
export function setNamedBy(set: string | undefined, settings: string | undefined, runScript: string | undefined): string | null {
  const control = /\/sets\/([^/]+)\/csync_control\.sh$/.exec(runScript ?? '')?.[1] ?? '';
  const named = [set ?? '', control].find(isSetName);
  if (named !== undefined) return named;
  return settings !== undefined || /\/csync_control\.sh$/.test(runScript ?? '') ? flatSet : null;
}

/** A rendered package file, by name: Serviceguard's, or a group of Pacemaker. */
export function isDefinition(name: string): boolean {
  return name.endsWith('.conf') || name.endsWith('.group.xml');
}

/** From the text of a package file. */
export function setNamedIn(text: string): string | null {
  const [, ofGroup] = /<nvpair [^>]*name="set" value="([^"]*)"/.exec(text) ?? [];
  if (ofGroup !== undefined) return isSetName(ofGroup) ? ofGroup : null;
  const last = (keyword: string): string | undefined =>
    [...text.matchAll(new RegExp(`^[ \\t]*${keyword}[ \\t]+"?([^"\\s]+)`, 'gim'))].at(-1)?.[1];
  return setNamedBy(last(setKeyword), last('pev_csync_settings_digest'), last('run_script'));
}

/** Written at each start, because Serviceguard passes nothing to a service; removed by a halt or a boot. Only root can write there. */
export function runningFile(packageDirectory: string): string {
  return `/run/csync-running${packageDirectory.replaceAll('/', '-')}`;
}

/** V8 options of the monitor, from the start. The launcher's template has the same name. */
export function nodeOptionsFile(packageName: string): string {
  return `/run/csync-node-${packageName}`;
}

/** What a halt needs when the set is missing. */
export interface SetAtWork {
  readonly set: string;
  readonly mountPoint: string;
}

export function runningText({ set, mountPoint }: SetAtWork): string {
  return `${set} ${mountPoint}\n`;
}

export interface AppliedSet extends SetAtWork {
  /** null: unknown. */
  readonly previous: string | null;
}

export function appliedText({ set, mountPoint, previous }: AppliedSet): string {
  return `${set} ${mountPoint} ${previous ?? '-'}\n`;
}

/** null: another line. */
export function parseApplied(text: string): AppliedSet | null {
  const [set = '', mountPoint = '', previous = ''] = text.trim().split(' ');
  if (!isSetName(set) || !mountPoint.startsWith('/')) return null;
  return { set, mountPoint, previous: isSetName(previous) ? previous : null };
}

/** manifest.json: digests of the set's files, and which were edited. */
export interface Manifest {
  readonly toolkitVersion: string;
  readonly settingsDigest: string;
  readonly files: Readonly<Record<string, string>>;
  readonly beside: Readonly<Record<string, string>>;
  readonly edited?: readonly string[];
  /** Absent: the members' own Node.js. */
  readonly runtime?: Runtime | undefined;
}

export interface Runtime {
  readonly digest: string;
  readonly size: number;
}

const none: Manifest = { toolkitVersion: '', settingsDigest: '', files: {}, beside: {} };

/** No files if missing or damaged. */
export function readManifest(text: string | null): Manifest {
  return attempt(() => {
    const read: unknown = JSON.parse(text ?? '{}');
    return isRecord(read) ? { ...none, ...soundParts(read) } : none;
  }, none);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

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

/** The same in every set, different for a file beside them. */
export function editKey(path: string): string {
  const part = setPartOf(path);
  return part === null ? path : `${setsName}/*/${part.name}`;
}

/** In a manifest. Version 0.1.0 has it among the manifest's files. */
export function isKnownBeside(name: string, digest: string, manifests: readonly Manifest[]): boolean {
  return manifests.some(({ files, beside }) => beside[name] === digest || files[name] === digest);
}

export interface RenderedFile {
  readonly name: string;
  readonly mode: number;
  readonly text: string;
}
