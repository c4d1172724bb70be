/**
 * Settings and templates to everything that lies in the package directory. Pure and byte-reproducible: no time, no
 * machine, nothing but its input.
 */
import { createHash } from 'node:crypto';
import type { Checked, Problem } from '../problem.ts';
import { type Settings, settingsDigest, settingsJson } from '../settings.ts';
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
  readonly packageFile: Template;
  readonly launcher: Template;
}

export interface RenderInput {
  readonly settings: Settings;
  readonly templates: PackageTemplates;
  /** The compiled member scripts, by file name (csync-start.cjs ...). */
  readonly bundles: ReadonlyMap<string, string>;
  /** What cmmakepkg printed, where there is one; else the shipped template is the whole file. */
  readonly base?: string | undefined;
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

const yes = (is: boolean): string => (is ? 'yes' : 'no');

/** What the tokens of the package file and the launchers stand for. */
function tokens(settings: Settings): Record<string, string> {
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

/** The launchers' tokens; not all of them also belong into the package file. */
function launcherTokens(settings: Settings, name: string, role: 'main' | 'pre'): Record<string, string> {
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
export function renderPackage({ settings, templates, bundles, base }: RenderInput): Checked<RenderedFile[]> {
  const problems: Problem[] = [];
  const fill = (template: Template, values: Record<string, string>): string => {
    const filled = fillTemplate(template, values);
    problems.push(...filled.problems);
    return filled.ok ? filled.value : '';
  };
  const own = fill(templates.packageFile, tokens(settings));
  const files: RenderedFile[] = [
    { name: `${settings.packageName}.conf`, mode: 0o644, text: base === undefined ? own : layOver(base, own) },
    { name: 'csync.sh', mode: 0o755, text: fill(templates.launcher, launcherTokens(settings, 'csync.sh', 'main')) },
    { name: 'csync_pre.sh', mode: 0o755, text: fill(templates.launcher, launcherTokens(settings, 'csync_pre.sh', 'pre')) },
    { name: 'settings.json', mode: 0o644, text: settingsJson(settings) },
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
}

function manifestOf(files: readonly RenderedFile[], digest: string, edited: readonly string[]): RenderedFile {
  const digests = Object.fromEntries(files.map((file) => [file.name, sha256(file.text)]));
  const manifest: Manifest = { toolkitVersion, settingsDigest: digest, files: digests, ...(edited.length > 0 ? { edited } : {}) };
  return { name: manifestName, mode: 0o644, text: `${JSON.stringify(manifest, null, 2)}\n` };
}

/** A manifest as it lies somewhere; one that is missing or damaged knows no file. */
export function readManifest(text: string | null): Manifest {
  const none = { toolkitVersion: '', settingsDigest: '', files: {} };
  try {
    return { ...none, ...(JSON.parse(text ?? '{}') as Partial<Manifest>) };
  } catch {
    return none;
  }
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
 * Whether a file lies there as nobody rendered it: neither what the manifest beside it says, nor what is wanted now. An
 * edit that was taken over once stays an edit.
 */
export function isHandEdited(name: string, digest: string, wanted: string, manifest: Manifest): boolean {
  if (name === manifestName || digest === wanted) return false;
  return manifest.files[name] !== digest || (manifest.edited ?? []).includes(name);
}
