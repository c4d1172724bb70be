/**
 * Reads what the package directory holds on this member: settings.json, checked again because a member script must not
 * trust what lies on a disk, and the manifest that says what every file must be.
 */
import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import type { MemberHost } from '../host/host.ts';
import { parseSettingsJson, type Settings } from '../settings.ts';
import type { Finding } from './failures.ts';

export type ReadSettings =
  | { readonly ok: true; readonly settings: Settings; readonly digest: string }
  | { readonly ok: false; readonly finding: Finding };

/** Name of the package for logs, where its settings may be unreadable: by Serviceguard, else as the package directory is called. */
export function packageNameOf(host: MemberHost, directory: string): string {
  return host.environment.SG_PACKAGE || basename(resolve(directory));
}

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Settings of this member's package directory. A digest that differs from the one the package was applied with (in the
 * environment when Serviceguard passes it) is a finding: this member's files are not the package's.
 */
export function readSettingsFile(host: MemberHost, directory: string): ReadSettings {
  const file = `${directory}/settings.json`;
  const fail = (text: string): ReadSettings => ({ ok: false, finding: { code: 'settings-damaged', text } });
  const text = host.readText(file);
  if (text === null) return fail(`${file} cannot be read`);
  const settings = parseSettingsJson(text);
  if (typeof settings === 'string') return fail(`${file}: ${settings}`);
  const digest = digestOf(text);
  const applied = host.environment.PEV_CSYNC_SETTINGS_DIGEST;
  if (applied !== undefined && applied !== '' && applied !== digest) {
    return fail(`${file} has digest ${digest.slice(0, 12)}, but the package was applied with ${applied.slice(0, 12)}`);
  }
  return { ok: true, settings, digest };
}

/** Whether settings.json is the one that was rendered with the other files of the directory. */
export function judgeManifest(host: MemberHost, directory: string, digest: string): Finding | null {
  const damaged = (text: string): Finding => ({ code: 'settings-damaged', text });
  try {
    const manifest = JSON.parse(host.readText(`${directory}/manifest.json`) ?? '') as { settingsDigest?: unknown };
    if (manifest.settingsDigest === digest) return null;
    return damaged(`${directory}/settings.json is not the one that was rendered with the other files`);
  } catch {
    return damaged(`${directory}/manifest.json is missing or damaged`);
  }
}

/** Names and digests of the files that were rendered together; none when the manifest is damaged. */
export function manifestFiles(host: MemberHost, directory: string): Readonly<Record<string, unknown>> {
  return manifestOf(host, directory).files ?? {};
}

/** Digest of the Node.js that was carried along; null for none. */
export function manifestRuntime(host: MemberHost, directory: string): unknown {
  return manifestOf(host, directory).runtime?.digest ?? null;
}

interface Manifest {
  readonly files?: Readonly<Record<string, unknown>>;
  readonly runtime?: { readonly digest?: unknown } | null;
}

function manifestOf(host: MemberHost, directory: string): Manifest {
  try {
    return (JSON.parse(host.readText(`${directory}/manifest.json`) ?? '') ?? {}) as Manifest;
  } catch {
    return {};
  }
}

/** Serviceguard's variables in a path, from the launcher's environment. */
export function expand(host: MemberHost, path: string): string {
  return path.replace(
    /^\$(SGCONF|SGRUN)\b/,
    (_, name: string) => host.environment[name] ?? `/usr/local/cmcluster/${name === 'SGCONF' ? 'conf' : 'run'}`,
  );
}
