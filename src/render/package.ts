/** Renders settings and templates to all files of the package directory. Pure and reproducible to the byte. */
import type { Checked, Problem } from '../base/problem.ts';
import { toolkitVersion } from '../base/version.ts';
import {
  editKey,
  entryName,
  entryNames,
  inSet,
  isDefinition,
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
import { engineFor } from '../engine/choice/engine-for.ts';
import type { DefinitionFormat, EngineChoice, EngineVariables } from '../engine/engine.ts';
import { parseSettingsJson, type Settings, settingsDigest, settingsJson } from '../settings/settings.ts';
import { haltLimits, startLimits } from './launcher-limits.ts';
import { fillTemplate, type Template } from './template.ts';

export interface PackageTemplates {
  readonly packageFile: Template;
  readonly launcher: Template;
}

export interface RenderInput {
  readonly settings: Settings;
  readonly templates: PackageTemplates;
  readonly bundles: ReadonlyMap<string, string>;
  /** The engine's own template; without it the shipped one is the whole definition. */
  readonly base?: string | undefined;
  /** Of this host. Needed if a definition requires absolute paths, and settings begin with a variable. */
  readonly directories?: EngineVariables;
}

function launcherTokens(settings: Settings, name: string, role: LauncherRole): Record<string, string> {
  return {
    toolkit_version: toolkitVersion,
    settings_digest: settingsDigest(settings),
    launcher_name: name,
    launcher_role: role,
    package_name: settings.packageName,
    package_address: settings.packageAddress,
    cfengine_port: String(settings.cfenginePort),
    start_limits: startLimits(settings, role).join(' '),
    halt_limits: haltLimits(settings, role).join(' '),
    node_path: settings.nodePath,
    mount_point: settings.mountPoint,
  };
}

/** Every file, or all problems of the templates. */
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
  const { definition } = engineFor(settings);
  const tokens = definition.tokens(settings, name, directories);
  const own = fill(templates.packageFile, tokens.values);
  problems.push(...tokens.problems);
  const text = base === undefined ? own : definition.layOver(base, own);
  const beside: RenderedFile[] = [
    { name: definition.fileName(settings.packageName), mode: 0o644, text },
    ...definition.companions(text),
    ...entryNames(style).map((entry) => ({ name: entry, mode: 0o755, text: bundles.get(entryName) ?? '' })),
  ];
  const files = laidOut({ set, beside, settingsDigest: settingsDigest(settings), edited: [], runtime: undefined });
  return problems.some((problem) => problem.severity === 'error')
    ? { ok: false, problems }
    : { ok: true, value: files, problems };
}

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

/** In a package directory; the manifest is last. */
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

/** null: version 0.1.0, which had no sets. */
export function setOf(files: readonly RenderedFile[]): string | null {
  return files.map(({ name }) => setPartOf(name)).find((part) => part !== null)?.set ?? null;
}

/** null: no such file. */
export function setText(files: readonly RenderedFile[], name: string): string | null {
  return files.find((file) => (setPartOf(file.name)?.name ?? file.name) === name && isOfSet(file, files))?.text ?? null;
}

/** In version 0.1.0 all files. */
const isOfSet = ({ name }: RenderedFile, files: readonly RenderedFile[]): boolean =>
  setPartOf(name) !== null || setOf(files) === null;

export function manifestOf(files: readonly RenderedFile[]): Manifest {
  return readManifest(setText(files, manifestName));
}

/** As rendered together, with a package file that names the set, in the order of the manifest; null if a file is missing or differs. */
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

/** The package file, also an administrator's own, gets the new name. */
function withOtherSet(parts: Parts, definition: DefinitionFormat): RenderedFile[] {
  const name = setNameOf(digestsOf(parts.set));
  const naming = (text: string): string => definition.withSet(text, name, parts.settingsDigest);
  const named = parts.beside.map((file) => (isDefinition(file.name) ? { ...file, text: naming(file.text) } : file));
  return laidOut({ ...parts, beside: withCompanions(named, definition) });
}

function withCompanions(beside: readonly RenderedFile[], { companions }: DefinitionFormat): RenderedFile[] {
  const follow = new Map(
    beside.flatMap((file) => (isDefinition(file.name) ? companions(file.text) : [])).map((file) => [file.name, file]),
  );
  return beside.map((file) => follow.get(file.name) ?? file);
}

/**
 * A set of version 0.1.0 with this version's launchers beside it. They start scripts of either version, so the package can fail over until
 * the definition is applied.
 */
export function withLaunchers(files: readonly RenderedFile[], style: Settings['packageStyle'], entry: string): RenderedFile[] {
  const names = entryNames(style);
  const manifest = manifestOf(files);
  const digests = Object.fromEntries(names.map((name) => [name, sha256(entry)]));
  const text = manifestText({ ...manifest, files: { ...manifest.files, ...digests } });
  return files.map((file) => {
    if (file.name === manifestName) return { ...file, text };
    return names.includes(file.name) ? { ...file, text: entry } : file;
  });
}

/** Names the runtime in the manifest, or none. A runtime is distributed, not rendered. */
export function withRuntime(files: readonly RenderedFile[], runtime: Runtime | null): RenderedFile[] {
  const text = manifestText({ ...manifestOf(files), runtime: runtime ?? undefined });
  return files.map((file) => ((setPartOf(file.name)?.name ?? file.name) === manifestName ? { ...file, text } : file));
}

/** Replaces files by the administrator's. The result is another set; its manifest names the edits, so that the next render notices them. */
export function withEdits(
  files: readonly RenderedFile[],
  edits: ReadonlyMap<string, string>,
  choice: EngineChoice,
): RenderedFile[] {
  if (edits.size === 0) return [...files];
  const parts = partsOf(files);
  const set = setOf(files) ?? '';
  const edited = ({ name, ...file }: RenderedFile, path: string) => ({ ...file, name, text: edits.get(path) ?? file.text });
  const changed = {
    ...parts,
    set: parts.set.map((file) => edited(file, inSet(set, file.name))),
    beside: parts.beside.map((file) => edited(file, file.name)),
    edited: [...edits.keys()].map(editKey),
  };
  return withOtherSet(changed, engineFor(choice).definition);
}

/**
 * The same files for other members: changes settings.json, the package file's member lines, and the digests of settings and set; needs no
 * templates. Where another set could not be applied while the package runs, the set stays: no member script reads the list. Throws a
 * TypeError if settings.json is invalid.
 */
export function withMembers(files: readonly RenderedFile[], members: readonly string[]): RenderedFile[] {
  const before = parseSettingsJson(setText(files, settingsName) ?? '');
  if (typeof before === 'string') throw new TypeError(`${settingsName}: ${before}`);
  const { definition } = engineFor(before);
  const parts = partsOf(files);
  const listed = parts.beside.map((file) =>
    file.name === definition.fileName(before.packageName) ? { ...file, text: definition.withMembers(file.text, members) } : file,
  );
  if (definition.keepsSet(before.packageStyle)) return laidOut({ ...parts, beside: withCompanions(listed, definition) });
  const settings: Settings = { ...before, members };
  const [old, digest] = [settingsDigest(before), settingsDigest(settings)];
  const follow = (file: RenderedFile): RenderedFile => ({ ...file, text: file.text.replaceAll(old, digest) });
  const set = parts.set.map((file) => (file.name === settingsName ? { ...file, text: settingsJson(settings) } : follow(file)));
  return withOtherSet({ ...parts, settingsDigest: digest, set, beside: listed.map(follow) }, definition);
}
