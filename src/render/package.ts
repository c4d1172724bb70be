/**
 * Settings and templates to everything that lies in the package directory. Pure and byte-reproducible: no time, no
 * machine, nothing but its input.
 */
import { createHash } from 'node:crypto';
import type { Checked, Problem } from '../problem.ts';
import type { PackageStyle } from '../serviceguard/package-file.ts';
import { parseSettingsJson, type Settings, settingsDigest, settingsJson } from '../settings.ts';
import { toolkitVersion } from '../version.ts';
import { layOver } from './package-text.ts';
import { fillTemplate, type Template } from './template.ts';

export interface RenderedFile {
  /** Relative to the package directory. */
  readonly name: string;
  readonly mode: number;
  readonly text: string;
}

export interface PackageTemplates {
  /** That of the settings' package style. */
  readonly packageFile: Template;
  readonly launcher: Template;
}

/** Serviceguard's directories, as the host that renders knows them from cmcluster.conf. */
export type ClusterDirectories = Readonly<Partial<Record<'SGCONF' | 'SGRUN', string>>>;

export interface RenderInput {
  readonly settings: Settings;
  readonly templates: PackageTemplates;
  /** The compiled member scripts, by file name (csync-start.cjs ...). */
  readonly bundles: ReadonlyMap<string, string>;
  /** What cmmakepkg printed, where there is one; else the shipped template is the whole file. */
  readonly base?: string | undefined;
  /** A legacy package file has whole paths; without this, settings with $SGCONF or $SGRUN cannot be rendered for one. */
  readonly directories?: ClusterDirectories;
}

/** What Serviceguard calls, by package style, with the part it plays there. */
const launchers: Readonly<Record<PackageStyle, Readonly<Record<string, LauncherRole>>>> = {
  modular: { 'csync.sh': 'main', 'csync_pre.sh': 'pre' },
  legacy: { 'csync_control.sh': 'control' },
};
type LauncherRole = 'main' | 'pre' | 'control';

/** Names of the launchers of one style; the other style's are strangers in a package directory. */
export function launcherNames(style: PackageStyle): string[] {
  return Object.keys(launchers[style]);
}

/** Modules the package is made of, all documented; what cmmakepkg is asked for. */
export const packageModules = [
  'sg/failover',
  'sg/monitor_subnet',
  'sg/package_ip',
  'sg/volume_group',
  'sg/filesystem',
  'sg/service',
  'sg/external_pre',
  'sg/external',
  'sg/pev',
] as const;

export const manifestName = 'manifest.json';
export const settingsName = 'settings.json';

/** Where a Node.js that was carried along lies in the package directory; the launcher's template has the same name. */
export const runtimeName = 'runtime/node';

const yes = (is: boolean): string => (is ? 'yes' : 'no');

/** What the tokens of a modular package file stand for. */
function modularTokens(settings: Settings): Record<string, string> {
  const column = 'node_name'.padEnd(28);
  return {
    toolkit_version: toolkitVersion,
    settings_digest: settingsDigest(settings),
    package_name: settings.packageName,
    package_description: settings.packageDescription,
    node_names: settings.members.map((member) => `${column}${member}`).join('\n'),
    auto_run: yes(settings.autoRun),
    node_fail_fast: yes(settings.nodeFailFast),
    run_script_timeout: String(settings.runScriptTimeoutSeconds),
    halt_script_timeout: String(settings.haltScriptTimeoutSeconds),
    script_log_file: settings.scriptLogFile,
    log_level: String(settings.logLevel),
    failover_policy: settings.failoverPolicy,
    failback_policy: settings.failbackPolicy,
    priority: String(settings.packagePriority),
    package_subnet: settings.packageSubnet,
    package_address: settings.packageAddress,
    package_dns_name: settings.packageDnsName,
    volume_group: settings.volumeGroup,
    logical_volume: settings.logicalVolume,
    mount_point: settings.mountPoint,
    file_system_type: settings.fileSystemType,
    mount_options: settings.mountOptions,
    package_directory: settings.packageDirectory,
    service_restart: String(settings.serviceRestart),
    service_fail_fast: yes(settings.serviceFailFast),
    service_halt_timeout: String(settings.serviceHaltTimeoutSeconds),
  };
}

/** Those of a legacy one: words in its spelling, whole paths, and nothing of what its control script does. */
function legacyTokens(settings: Settings, directories: ClusterDirectories): Record<string, string> {
  const column = 'NODE_NAME'.padEnd(28);
  const whole = (path: string): string =>
    path.replace(/^\$(SGCONF|SGRUN)\b/, (variable, name: 'SGCONF' | 'SGRUN') => directories[name] ?? variable);
  const {
    log_level: _level,
    priority: _priority,
    volume_group: _group,
    logical_volume: _volume,
    mount_point: _point,
    file_system_type: _type,
    mount_options: _options,
    service_restart: _restart,
    ...shared
  } = modularTokens(settings);
  const capitals = ['auto_run', 'node_fail_fast', 'service_fail_fast', 'failover_policy', 'failback_policy'] as const;
  return {
    ...shared,
    ...Object.fromEntries(capitals.map((token) => [token, (shared[token] ?? '').toUpperCase()])),
    node_names: settings.members.map((member) => `${column}${member}`).join('\n'),
    package_directory: whole(settings.packageDirectory),
    script_log_file: whole(settings.scriptLogFile),
  };
}

/** No page shows a variable in a legacy package file, so none is written into one. */
function pathProblems(values: Readonly<Record<string, string>>): Problem[] {
  return ['package_directory', 'script_log_file']
    .filter((token) => values[token]?.startsWith('$'))
    .map((token) => ({
      code: 'settings-legacy-path',
      severity: 'error',
      text: `${token} is ${values[token]}, but a legacy package file wants whole paths, and no cmcluster.conf here says where that is`,
      remedy: `say it in csync.yaml (${token}: ${values[token]?.replace(/^\$SGCONF|^\$SGRUN/, '/usr/local/cmcluster/...')}), or render on a member`,
    }));
}

/** The launchers' tokens; not all of them also belong into the package file. */
function launcherTokens(settings: Settings, name: string, role: LauncherRole): Record<string, string> {
  return {
    toolkit_version: toolkitVersion,
    settings_digest: settingsDigest(settings),
    launcher_name: name,
    launcher_role: role,
    node_path: settings.nodePath,
    mount_point: settings.mountPoint,
    package_directory: settings.packageDirectory,
  };
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Every file of the package directory, or all problems of the templates. */
export function renderPackage({ settings, templates, bundles, base, directories = {} }: RenderInput): Checked<RenderedFile[]> {
  const problems: Problem[] = [];
  const fill = (template: Template, values: Record<string, string>): string => {
    const filled = fillTemplate(template, values);
    problems.push(...filled.problems);
    return filled.ok ? filled.value : '';
  };
  const legacy = settings.packageStyle === 'legacy';
  const values = legacy ? legacyTokens(settings, directories) : modularTokens(settings);
  const own = fill(templates.packageFile, values);
  if (legacy) problems.push(...pathProblems(values));
  const files: RenderedFile[] = [
    { name: `${settings.packageName}.conf`, mode: 0o644, text: base === undefined ? own : layOver(base, own) },
    ...Object.entries(launchers[settings.packageStyle]).map(([name, role]) => ({
      name,
      mode: 0o755,
      text: fill(templates.launcher, launcherTokens(settings, name, role)),
    })),
    { name: settingsName, mode: 0o644, text: settingsJson(settings) },
    ...[...bundles].map(([name, text]) => ({ name, mode: 0o644, text })),
  ];
  files.push(manifestOf(files, settingsDigest(settings), []));
  return problems.some((problem) => problem.severity === 'error')
    ? { ok: false, problems }
    : { ok: true, value: files, problems };
}

/** What manifest.json says: `files` has the digest of each file, `edited` names those that are not as rendered. */
export interface Manifest {
  readonly toolkitVersion: string;
  readonly settingsDigest: string;
  readonly files: Readonly<Record<string, string>>;
  readonly edited?: readonly string[];
  /** The Node.js that was carried along; without it the members use their own. */
  readonly runtime?: Runtime | undefined;
}

export interface Runtime {
  readonly digest: string;
  readonly size: number;
}

function manifestOf(files: readonly RenderedFile[], digest: string, edited: readonly string[]): RenderedFile {
  const digests = Object.fromEntries(files.map((file) => [file.name, sha256(file.text)]));
  return manifestFile({ toolkitVersion, settingsDigest: digest, files: digests, ...(edited.length > 0 ? { edited } : {}) });
}

function manifestFile(manifest: Manifest): RenderedFile {
  return { name: manifestName, mode: 0o644, text: `${JSON.stringify(manifest, null, 2)}\n` };
}

/** The files with a manifest that names this runtime, or none. A runtime is not rendered; it is what the members have. */
export function withRuntime(files: readonly RenderedFile[], runtime: Runtime | null): RenderedFile[] {
  return files.map((file) =>
    file.name === manifestName ? manifestFile({ ...readManifest(file.text), runtime: runtime ?? undefined }) : file,
  );
}

/** A manifest as it lies somewhere; one that is missing or damaged knows no file. */
export function readManifest(text: string | null): Manifest {
  const none = { toolkitVersion: '', settingsDigest: '', files: {} };
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
function soundParts({
  toolkitVersion,
  settingsDigest: digest,
  files,
  edited,
  runtime,
}: Record<string, unknown>): Partial<Manifest> {
  const texts = (values: readonly unknown[]): boolean => values.every((value) => typeof value === 'string');
  return {
    ...(typeof toolkitVersion === 'string' ? { toolkitVersion } : {}),
    ...(typeof digest === 'string' ? { settingsDigest: digest } : {}),
    ...(isRecord(files) && texts(Object.values(files)) ? { files: files as Manifest['files'] } : {}),
    ...(Array.isArray(edited) && texts(edited) ? { edited: edited as readonly string[] } : {}),
    ...(isRecord(runtime) && typeof runtime.digest === 'string' && typeof runtime.size === 'number'
      ? { runtime: { digest: runtime.digest, size: runtime.size } }
      : {}),
  };
}

/**
 * The rendered files with an administrator's own texts in place of some of them. The manifest follows, so that the members
 * accept them, and names them, so that the next render notices them again.
 */
export function withEdits(files: readonly RenderedFile[], edits: ReadonlyMap<string, string>): RenderedFile[] {
  const kept = files.filter(({ name }) => name !== manifestName);
  const edited = kept.map((file) => ({ ...file, text: edits.get(file.name) ?? file.text }));
  const { settingsDigest: digest } = readManifest(files.find(({ name }) => name === manifestName)?.text ?? null);
  const names = kept.filter(({ name, text }) => (edits.get(name) ?? text) !== text).map(({ name }) => name);
  return [...edited, manifestOf(edited, digest, names)];
}

/**
 * The same files for another list of members: settings.json, the lines of the package file that name members, and the
 * digest of the settings wherever it stands. What templates and administrators made of the rest stays, also without the
 * templates at hand. Throws where settings.json is no settings file.
 */
export function withMembers(files: readonly RenderedFile[], members: readonly string[]): RenderedFile[] {
  const before = parseSettingsJson(files.find(({ name }) => name === settingsName)?.text ?? '');
  if (typeof before === 'string') throw new TypeError(`${settingsName}: ${before}`);
  const settings: Settings = { ...before, members };
  const [old, digest] = [settingsDigest(before), settingsDigest(settings)];
  const changed = files
    .filter(({ name }) => name !== manifestName)
    .map((file) => {
      if (file.name === settingsName) return { ...file, text: settingsJson(settings) };
      const text = file.name === `${settings.packageName}.conf` ? withNodeNames(file.text, members) : file.text;
      return { ...file, text: text.replaceAll(old, digest) };
    });
  const { edited = [], runtime } = readManifest(files.find(({ name }) => name === manifestName)?.text ?? null);
  return withRuntime([...changed, manifestOf(changed, digest, edited)], runtime ?? null);
}

/** One line a member where the first one stood, in its spelling; none of the old lines. */
function withNodeNames(text: string, members: readonly string[]): string {
  const line = /^([ \t]*node_name[ \t]+)"?[^\s"]+"?[ \t]*$/i;
  const lines = text.split('\n');
  const first = lines.findIndex((one) => line.test(one));
  const head = line.exec(lines[first] ?? '')?.[1] ?? '';
  const others = (part: readonly string[]): string[] => part.filter((one) => !line.test(one));
  if (first === -1) return text;
  return [...lines.slice(0, first), ...members.map((member) => `${head}${member}`), ...others(lines.slice(first))].join('\n');
}

/**
 * Whether a file lies there as nobody rendered it: neither what the manifest beside it says, nor what is wanted now. An
 * edit that was taken over once stays an edit.
 */
export function isHandEdited(name: string, digest: string, wanted: string, manifest: Manifest): boolean {
  if (name === manifestName || digest === wanted) return false;
  return manifest.files[name] !== digest || (manifest.edited ?? []).includes(name);
}
