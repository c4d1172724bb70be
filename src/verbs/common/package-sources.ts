/** A verb's package, from local settings and templates, with edits by hand. */
import { join } from 'node:path';
import { demand, errorProblem, type Problem } from '../../base/problem.ts';
import {
  editKey,
  flatSet,
  inSet,
  isDefinition,
  isKnownBeside,
  type Manifest,
  manifestName,
  type RenderedFile,
  readManifest,
  setNamedIn,
  setPartOf,
  sha256,
} from '../../contract/package-directory.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import type { Argv } from '../../engine/engine.ts';
import { readTextFile, runCommand } from '../../host/admin/own-files.ts';
import { renderPackage } from '../../render/package.ts';
import type { Settings } from '../../settings/settings.ts';
import { variablesHere } from './engine-here.ts';
import { readMemberScripts, readOrFail, readPackageTemplates, readSettings, settingsHere } from './toolkit-files.ts';

export interface PackageSources {
  readonly settings: string;
  readonly templates?: string | undefined;
  /** The engine's template. Default: asks the engine if installed. */
  readonly base?: string | undefined;
}

/** Throws a Failure with all problems of settings and files. */
export async function preparePackage(sources: PackageSources): Promise<{ settings: Settings; files: RenderedFile[] }> {
  const settings = readSettings(sources.settings);
  return { settings, files: await renderFrom(settings, sources) };
}

/** For verbs that read: without csync.yaml here, the applied settings. */
export async function packageHere(sources: PackageSources): Promise<{ settings: Settings; files: RenderedFile[] }> {
  const settings = settingsHere(sources.settings);
  return { settings, files: await renderFrom(settings, sources) };
}

/** Throws a Failure with all problems. */
export async function renderFrom(settings: Settings, sources: Omit<PackageSources, 'settings'>): Promise<RenderedFile[]> {
  const { packageStyle } = settings;
  const engine = engineFor(settings);
  const directories = variablesHere(engine) ?? {};
  const template = engine.definition.templateCommand(packageStyle, directories);
  const base =
    sources.base === undefined
      ? await printed(template)
      : readOrFail(sources.base, 'the base file', `name a file that ${engine.words.templateMaker} wrote, or omit --base`);
  const templates = readPackageTemplates(settings, sources.templates);
  return demand(renderPackage({ settings, templates, bundles: readMemberScripts(), base, directories }));
}

async function printed(argv: Argv | null): Promise<string | undefined> {
  if (argv === null) return undefined;
  const made = await runCommand(argv, 60_000);
  return made.exitCode === 0 ? `${made.stdout}\n` : undefined;
}

interface SetThere {
  readonly set: string;
  readonly manifest: Manifest;
}

/** The set that was rendered last; the package file names it. */
export function setThere(output: string, files: readonly RenderedFile[]): SetThere {
  const conf = readTextFile(join(output, files.find(({ name }) => isDefinition(name))?.name ?? '')) ?? '';
  const set = setNamedIn(conf) ?? flatSet;
  return { set, manifest: readManifest(readTextFile(join(output, inSet(set, manifestName)))) };
}

/** By their new names. An edit differs from the last rendered text (by its manifest) and from the new one; once accepted, it stays one. */
export function handEdits(output: string, files: readonly RenderedFile[]): Map<string, string> {
  const there = setThere(output, files);
  const edits = new Map<string, string>();
  for (const { name, text } of files) {
    const part = setPartOf(name);
    if (part?.name === manifestName) continue;
    const present = readTextFile(join(output, part === null ? name : inSet(there.set, part.name)));
    if (present === null || present === text) continue;
    if (isEdit(there, part?.name ?? name, part !== null, sha256(present))) edits.set(name, present);
  }
  return edits;
}

function isEdit({ set, manifest }: SetThere, name: string, ofSet: boolean, digest: string): boolean {
  // Launchers are no longer part of the set.
  if (set === flatSet && name.endsWith('.sh')) return false;
  if (!ofSet) return manifest.edited?.includes(name) === true || !isKnownBeside(name, digest, [manifest]);
  return manifest.edited?.includes(editKey(inSet(set, name))) === true || manifest.files[name] !== digest;
}

export function handEditProblem(name: string, output: string): Problem {
  const part = setPartOf(name)?.name ?? name;
  return errorProblem(
    'render-hand-edited',
    `${part} was edited since it was rendered; rendering would overwrite the edit`,
    'copy the edit to csync.yaml or the template, then add --take-rendered; or keep it this time with --take-mine',
    { file: join(output, part) },
  );
}
