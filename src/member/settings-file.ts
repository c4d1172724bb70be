/**
 * Reads what the package directory holds on this member: settings.json, checked again because a member script must not
 * trust what lies on a disk, and the manifest that says what every file must be.
 */
import { basename, resolve } from 'node:path';
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
import type { MemberHost } from '../host/host.ts';
import { parseSettingsJson, type Settings } from '../settings/settings.ts';
import type { Finding } from './failures.ts';

export type ReadSettings =
  | { readonly ok: true; readonly settings: Settings; readonly digest: string }
  | { readonly ok: false; readonly finding: Finding };

/** Name of the package for logs, where its settings may be unreadable: by Serviceguard, else as the package directory is called. */
export function packageNameOf(host: MemberHost, directory: string): string {
  return host.environment.SG_PACKAGE || basename(placeOfSet(resolve(directory)).packageDirectory);
}

/**
 * Settings of a set on this member. A digest that differs from the one the package was applied with (in the
 * environment when Serviceguard passes it) is a finding: this member's files are not the package's.
 */
export function readSettingsFile(host: MemberHost, directory: string): ReadSettings {
  const file = `${directory}/${settingsName}`;
  const fail = (text: string): ReadSettings => ({ ok: false, finding: { code: 'settings-damaged', text } });
  const text = host.readText(file);
  if (text === null) return fail(`${file} cannot be read`);
  const settings = parseSettingsJson(text);
  if (typeof settings === 'string') return fail(`${file}: ${settings}`);
  const digest = sha256(text);
  const applied = host.environment.PEV_CSYNC_SETTINGS_DIGEST;
  if (applied !== undefined && applied !== '' && applied !== digest) {
    return fail(`${file} has digest ${digest.slice(0, 12)}, but the package was applied with ${applied.slice(0, 12)}`);
  }
  return { ok: true, settings, digest };
}

/** Whether the set is of one piece: the one its name says, with the settings that were rendered with its other files. */
export function judgeManifest(host: MemberHost, directory: string, digest: string): Finding | null {
  const damaged = (text: string): Finding => ({ code: 'settings-damaged', text });
  const manifest = manifestIn(host, directory);
  if (manifest.settingsDigest === '') return damaged(`${directory}/${manifestName} is missing or damaged`);
  if (manifest.settingsDigest !== digest)
    return damaged(`${directory}/${settingsName} is not the one that was rendered with the other files`);
  const { set } = placeOfSet(directory);
  if (set === flatSet || setNameOf(manifest.files) === set) return null;
  return damaged(`${directory}/${manifestName} is that of another set`);
}

/** What was rendered together; a missing or damaged manifest names nothing. */
export function manifestIn(host: MemberHost, directory: string): Manifest {
  return readManifest(host.readText(`${directory}/${manifestName}`));
}

/** Serviceguard's variables in a path, from the launcher's environment. */
export function expand(host: MemberHost, path: string): string {
  return path.replace(
    /^\$(SGCONF|SGRUN)\b/,
    (_, name: string) => host.environment[name] ?? `/usr/local/cmcluster/${name === 'SGCONF' ? 'conf' : 'run'}`,
  );
}
