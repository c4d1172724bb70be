/** Reads a set on this member: the manifest, and settings.json, validated again because files can be damaged. */
import { basename, resolve } from 'node:path';
import type { LogHead } from '../base/log-line.ts';
import {
  flatSet,
  type Manifest,
  manifestName,
  placeOfSet,
  readManifest,
  setNameOf,
  settingsName,
  sha256,
} from '../contract/package-directory.ts';
import { inPacemakersWords } from '../engine/pacemaker/member-words.ts';
import type { MemberHost } from '../host/host.ts';
import { parseSettingsJson, type Settings } from '../settings/settings.ts';
import type { Finding } from './failures.ts';

export type ReadSettings =
  | { readonly ok: true; readonly settings: Settings; readonly digest: () => string }
  | { readonly ok: false; readonly finding: Finding };

/** From Serviceguard, otherwise from the directory: unreadable settings do not matter. */
export function packageNameOf(host: MemberHost, directory: string): string {
  return host.environment.SG_PACKAGE || basename(placeOfSet(resolve(directory)).packageDirectory);
}

/** A digest that differs from the applied one (environment, from Serviceguard) is a finding. */
export function readSettingsFile(host: MemberHost, directory: string): ReadSettings {
  const file = `${directory}/${settingsName}`;
  const fail = (text: string): ReadSettings => ({ ok: false, finding: { code: 'settings-damaged', text } });
  const text = host.readText(file);
  if (text === null) return fail(`${file} cannot be read`);
  const settings = parseSettingsJson(text);
  if (typeof settings === 'string') return fail(`${file}: ${settings}`);
  const digest = () => sha256(text);
  const applied = host.environment.PEV_CSYNC_SETTINGS_DIGEST;
  if (applied !== undefined && applied !== '' && applied !== digest()) {
    return fail(`${file} has digest ${digest().slice(0, 12)}, but the package was applied with ${applied.slice(0, 12)}`);
  }
  return { ok: true, settings, digest };
}

/** Without settings, by the files that the administrator's scripts check, too. */
export function logWords(host: MemberHost, read: ReadSettings): Pick<LogHead, 'inWords'> {
  const isThere = (file: string): boolean => host.facts(file) !== null;
  const engine = read.ok
    ? read.settings.engine
    : !isThere('/etc/cmcluster.conf') && isThere('/var/lib/pacemaker/cib/cib.xml')
      ? 'pacemaker'
      : 'serviceguard';
  return engine === 'pacemaker' ? { inWords: inPacemakersWords } : {};
}

/** Compares name, manifest and settings of a set. */
export function judgeManifest(host: MemberHost, directory: string, digest: string): Finding | null {
  const damaged = (text: string): Finding => ({ code: 'settings-damaged', text });
  const manifest = manifestIn(host, directory);
  if (manifest.settingsDigest === '') return damaged(`${directory}/${manifestName} is missing or damaged`);
  if (manifest.settingsDigest !== digest) return damaged(`${directory}/${settingsName} was not rendered with the other files`);
  const { set } = placeOfSet(directory);
  if (set === flatSet || setNameOf(manifest.files) === set) return null;
  return damaged(`${directory}/${manifestName} belongs to another set`);
}

/** No files if it is missing or damaged. */
export function manifestIn(host: MemberHost, directory: string): Manifest {
  return readManifest(host.readText(`${directory}/${manifestName}`));
}

/** Replaces $SGCONF and $SGRUN. */
export function expand(host: MemberHost, path: string): string {
  return path.replace(
    /^\$(SGCONF|SGRUN)\b/,
    (_, name: string) => host.environment[name] ?? `/usr/local/cmcluster/${name === 'SGCONF' ? 'conf' : 'run'}`,
  );
}
