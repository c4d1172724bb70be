/** The package that a verb works with: rendered from the settings and templates of here, with what was edited by hand. */
import { join } from 'node:path';
import { demand, type Problem } from '../../base/problem.ts';
import {
  editKey,
  flatSet,
  inSet,
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

/** What a package is made from. */
export interface PackageSources {
  readonly settings: string;
  readonly templates?: string | undefined;
  /** A file with the engine's own template of a package; without it the engine is asked where it is installed. */
  readonly base?: string | undefined;
}

/** Settings and every file of the package as they follow from it. Throws a Failure with all problems of either. */
export async function preparePackage(sources: PackageSources): Promise<{ settings: Settings; files: RenderedFile[] }> {
  const settings = readSettings(sources.settings);
  return { settings, files: await renderFrom(settings, sources) };
}

/** As preparePackage, for a look: without csync.yaml here the applied settings do. */
export async function packageHere(sources: PackageSources): Promise<{ settings: Settings; files: RenderedFile[] }> {
  const settings = settingsHere(sources.settings);
  return { settings, files: await renderFrom(settings, sources) };
}

/** As preparePackage, from settings that were read already. */
export async function renderFrom(settings: Settings, sources: Omit<PackageSources, 'settings'>): Promise<RenderedFile[]> {
  const { packageStyle } = settings;
  const engine = engineFor(settings);
  const directories = variablesHere(engine) ?? {};
  const template = engine.definition.templateCommand(packageStyle, directories);
  const base =
    sources.base === undefined
      ? await printed(template)
      : readOrFail(sources.base, 'the base file', `name a file that ${engine.words.templateMaker} wrote, or leave --base out`);
  const templates = readPackageTemplates(packageStyle, sources.templates);
  return demand(renderPackage({ settings, templates, bundles: readMemberScripts(), base, directories }));
}

/** A command that fails or is not there just means that there is no base. */
async function printed(argv: Argv | null): Promise<string | undefined> {
  if (argv === null) return undefined;
  const made = await runCommand(argv, 60_000);
  return made.exitCode === 0 ? `${made.stdout}\n` : undefined;
}

interface SetThere {
  readonly set: string;
  readonly manifest: Manifest;
}

/** The set that the package file in a directory names: what was rendered there last. */
export function setThere(output: string, files: readonly RenderedFile[]): SetThere {
  const conf = readTextFile(join(output, files.find(({ name }) => name.endsWith('.conf'))?.name ?? '')) ?? '';
  const set = setNamedIn(conf) ?? flatSet;
  return { set, manifest: readManifest(readTextFile(join(output, inSet(set, manifestName)))) };
}

/**
 * What was edited by hand in a package directory, by the names it would have now: texts that are neither what the last render wrote (by
 * its manifest) nor what this one would write. An edit that was taken over once stays one.
 */
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
  // The launchers of version 0.1.0 were of the set, and are no others' now.
  if (set === flatSet && name.endsWith('.sh')) return false;
  if (!ofSet) return manifest.edited?.includes(name) === true || !isKnownBeside(name, digest, [manifest]);
  return manifest.edited?.includes(editKey(inSet(set, name))) === true || manifest.files[name] !== digest;
}

export function handEditProblem(name: string, output: string): Problem {
  const part = setPartOf(name)?.name ?? name;
  return {
    code: 'render-hand-edited',
    severity: 'error',
    text: `${part} was changed since it was rendered; rendering would lose that`,
    remedy:
      'carry the change into csync.yaml or the template and use --take-rendered; or keep it as it is with --take-mine, for this time',
    place: { file: join(output, part) },
  };
}
