/**
 * Settings and templates to everything that lies in the package directory. Pure and byte-reproducible: no time, no
 * machine, nothing but its input.
 */
import type { Checked, Problem } from '../base/problem.ts';
import { toolkitVersion } from '../base/version.ts';
import {
  editKey,
  entryName,
  entryNames,
  inSet,
  type LauncherRole,
  launcherRoles,
  type Manifest,
  manifestName,
  type RenderedFile,
  type Runtime,
  readManifest,
  setNamedIn,
  setNameOf,
  setPartOf,
  settingsName,
  sha256,
} from '../contract/package-directory.ts';
import { parseSettingsJson, type Settings, settingsDigest, settingsJson } from '../settings/settings.ts';
import { haltLimits, startLimits } from './launcher-limits.ts';
import { layOver } from './package-text.ts';
import { fillTemplate, type Template } from './template.ts';

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

const yes = (is: boolean): string => (is ? 'yes' : 'no');

/** What the tokens of a modular package file stand for. */
function modularTokens(settings: Settings, set: string): Record<string, string> {
  const column = 'node_name'.padEnd(28);
  return {
    toolkit_version: toolkitVersion,
    settings_digest: settingsDigest(settings),
    set_digest: set,
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
function legacyTokens(settings: Settings, set: string, directories: ClusterDirectories): Record<string, string> {
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
  } = modularTokens(settings, set);
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
    start_limits: startLimits(settings, role).join(' '),
    halt_limits: haltLimits(settings, role).join(' '),
    node_path: settings.nodePath,
    mount_point: settings.mountPoint,
  };
}

/** Every file of the package directory, or all problems of the templates. */
export function renderPackage({ settings, templates, bundles, base, directories = {} }: RenderInput): Checked<RenderedFile[]> {
  const problems: Problem[] = [];
  const fill = (template: Template, values: Record<string, string>): string => {
    const filled = fillTemplate(template, values);
    problems.push(...filled.problems);
    return filled.ok ? filled.value : '';
  };
  const style = settings.packageStyle;
  const set: RenderedFile[] = [
    ...launcherRoles(style).map(([name, role]) => ({
      name,
      mode: 0o755,
      text: fill(templates.launcher, launcherTokens(settings, name, role)),
    })),
    { name: settingsName, mode: 0o644, text: settingsJson(settings) },
    ...[...bundles].filter(([name]) => name !== entryName).map(([name, text]) => ({ name, mode: 0o644, text })),
  ];
  const name = setNameOf(digestsOf(set));
  const values = style === 'legacy' ? legacyTokens(settings, name, directories) : modularTokens(settings, name);
  const own = fill(templates.packageFile, values);
  if (style === 'legacy') problems.push(...pathProblems(values));
  const beside: RenderedFile[] = [
    { name: `${settings.packageName}.conf`, mode: 0o644, text: base === undefined ? own : layOver(base, own) },
    ...entryNames(style).map((entry) => ({ name: entry, mode: 0o755, text: bundles.get(entryName) ?? '' })),
  ];
  const files = laidOut({ set, beside, settingsDigest: settingsDigest(settings), edited: [], runtime: undefined });
  return problems.some((problem) => problem.severity === 'error')
    ? { ok: false, problems }
    : { ok: true, value: files, problems };
}

/** A package in its parts: what the set holds, by the names it has there, and what lies beside the sets. */
interface Parts {
  readonly set: readonly RenderedFile[];
  readonly beside: readonly RenderedFile[];
  readonly settingsDigest: string;
  readonly edited: readonly string[];
  readonly runtime: Runtime | undefined;
}

function digestsOf(files: readonly RenderedFile[]): Record<string, string> {
  return Object.fromEntries(files.map((file) => [file.name, sha256(file.text)]));
}

/** As it lies in a package directory; the manifest comes last. */
function laidOut({ set, beside, settingsDigest: digest, edited, runtime }: Parts): RenderedFile[] {
  const files = digestsOf(set);
  const name = setNameOf(files);
  const manifest: Manifest = {
    toolkitVersion,
    settingsDigest: digest,
    files,
    beside: digestsOf(beside),
    ...(edited.length > 0 ? { edited } : {}),
    ...(runtime === undefined ? {} : { runtime }),
  };
  const all = [...set, { name: manifestName, mode: 0o644, text: manifestText(manifest) }];
  return [...beside, ...all.map((file) => ({ ...file, name: inSet(name, file.name) }))];
}

function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** The name of the set these files are; null: they are of version 0.1.0, which had none. */
export function setOf(files: readonly RenderedFile[]): string | null {
  return files.map(({ name }) => setPartOf(name)).find((part) => part !== null)?.set ?? null;
}

/** Text of a file of the set. */
export function setText(files: readonly RenderedFile[], name: string): string | null {
  return files.find((file) => (setPartOf(file.name)?.name ?? file.name) === name && isOfSet(file, files))?.text ?? null;
}

/** Of version 0.1.0 all of them are. */
const isOfSet = ({ name }: RenderedFile, files: readonly RenderedFile[]): boolean =>
  setPartOf(name) !== null || setOf(files) === null;

export function manifestOf(files: readonly RenderedFile[]): Manifest {
  return readManifest(setText(files, manifestName));
}

/**
 * The files of a set as they were rendered together, with a package file that names it, in the order of the manifest; null where one
 * is missing or another one.
 */
export function wholePackage(files: readonly RenderedFile[], set: string, packageFile: string): RenderedFile[] | null {
  const byName = new Map(files.map((file) => [file.name, file]));
  const manifest = manifestOf(files);
  const names = [...Object.keys(manifest.files), manifestName].map((name) => inSet(set, name));
  const ordered = [...Object.keys(manifest.beside), ...names].flatMap((name) => byName.get(name) ?? []);
  const digests = digestsOf(partsOf(ordered).set);
  const isWhole = ordered.length === files.length && setNameOf(digests) === set;
  return isWhole && setNamedIn(byName.get(packageFile)?.text ?? '') === set ? ordered : null;
}

function partsOf(files: readonly RenderedFile[]): Parts {
  const { settingsDigest: digest, edited = [], runtime } = manifestOf(files);
  const set = files.flatMap((file) => {
    const part = setPartOf(file.name);
    return part === null || part.name === manifestName ? [] : [{ ...file, name: part.name }];
  });
  return { set, beside: files.filter(({ name }) => setPartOf(name) === null), settingsDigest: digest, edited, runtime };
}

/** Laid out with other files in the set: the package file names it by its new name, also one of an administrator's own. */
function withOtherSet(parts: Parts): RenderedFile[] {
  const name = setNameOf(digestsOf(parts.set));
  const naming = (text: string): string =>
    text
      .replace(/^(\s*pev_csync_set_digest\s+"?)[0-9a-f]+/gim, `$1${name}`)
      .replace(/^(\s*pev_csync_settings_digest\s+"?)[0-9a-f]+/gim, `$1${parts.settingsDigest}`)
      .replace(/(\/sets\/)[0-9a-f]+(\/csync_control\.sh)/g, `$1${name}$2`);
  const beside = parts.beside.map((file) => (file.name.endsWith('.conf') ? { ...file, text: naming(file.text) } : file));
  return laidOut({ ...parts, beside });
}

/** The files with a manifest that names this runtime, or none. A runtime is not rendered; it is what the members have. */
export function withRuntime(files: readonly RenderedFile[], runtime: Runtime | null): RenderedFile[] {
  const text = manifestText({ ...manifestOf(files), runtime: runtime ?? undefined });
  return files.map((file) => ((setPartOf(file.name)?.name ?? file.name) === manifestName ? { ...file, text } : file));
}

/**
 * The rendered files with an administrator's own texts in place of some of them, by their names there. They make a set of their own;
 * its manifest names them, so that the next render notices them again.
 */
export function withEdits(files: readonly RenderedFile[], edits: ReadonlyMap<string, string>): RenderedFile[] {
  if (edits.size === 0) return [...files];
  const parts = partsOf(files);
  const set = setOf(files) ?? '';
  const edited = ({ name, ...file }: RenderedFile, path: string) => ({ ...file, name, text: edits.get(path) ?? file.text });
  return withOtherSet({
    ...parts,
    set: parts.set.map((file) => edited(file, inSet(set, file.name))),
    beside: parts.beside.map((file) => edited(file, file.name)),
    edited: [...edits.keys()].map(editKey),
  });
}

/**
 * The same files for another list of members: settings.json, the lines of the package file that name members, and the
 * digests of settings and set wherever they stand. What templates and administrators made of the rest stays, also without the
 * templates at hand. A legacy package keeps its set, since another one could not be applied while it runs: no script of a member
 * reads the list. Throws where settings.json is no settings file.
 */
export function withMembers(files: readonly RenderedFile[], members: readonly string[]): RenderedFile[] {
  const before = parseSettingsJson(setText(files, settingsName) ?? '');
  if (typeof before === 'string') throw new TypeError(`${settingsName}: ${before}`);
  const parts = partsOf(files);
  const listed = parts.beside.map((file) =>
    file.name === `${before.packageName}.conf` ? { ...file, text: withNodeNames(file.text, members) } : file,
  );
  if (before.packageStyle === 'legacy') return laidOut({ ...parts, beside: listed });
  const settings: Settings = { ...before, members };
  const [old, digest] = [settingsDigest(before), settingsDigest(settings)];
  const follow = (file: RenderedFile): RenderedFile => ({ ...file, text: file.text.replaceAll(old, digest) });
  return withOtherSet({
    ...parts,
    settingsDigest: digest,
    set: parts.set.map((file) => (file.name === settingsName ? { ...file, text: settingsJson(settings) } : follow(file))),
    beside: listed.map(follow),
  });
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
