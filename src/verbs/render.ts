/** `csync render`: settings and templates to the package directory, all of it or nothing. */
import { join } from 'node:path';
import { demand, Failure, type Problem } from '../base/problem.ts';
import type { FileToSend } from '../cluster/apply/package-write.ts';
import {
  editKey,
  flatSet,
  inSet,
  isKnownBeside,
  type Manifest,
  manifestName,
  readManifest,
  setNamedIn,
  setPartOf,
  sha256,
} from '../contract/package-directory.ts';
import { readTextFile, runCommand } from '../host/admin/own-files.ts';
import { packageModules, type RenderedFile, renderPackage, withEdits, withRuntime } from '../render/package.ts';
import type { Settings } from '../settings/settings.ts';
import { parseClusterVariables } from '../wizard/findings.ts';
import {
  readMemberScripts,
  readOrFail,
  readPackageTemplates,
  readSettings,
  settingsHere,
  writeOrFail,
} from './common/toolkit-files.ts';

/** What a package is made from. */
export interface PackageSources {
  readonly settings: string;
  readonly templates?: string | undefined;
  /** A file with cmmakepkg's output; without it cmmakepkg is asked where there is one. */
  readonly base?: string | undefined;
}

export interface RenderOptions extends PackageSources {
  readonly output: string;
  readonly dryRun: boolean;
  readonly takeRendered: boolean;
  /** Edited files stay as they are and count as part of the package. */
  readonly takeMine: boolean;
  readonly json: boolean;
}

type Change = 'new' | 'changed' | 'same';

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
  const directories = parseClusterVariables(readTextFile('/etc/cmcluster.conf') ?? '');
  const base =
    sources.base === undefined
      ? await askCmmakepkg(packageStyle, directories.SGSBIN)
      : readOrFail(sources.base, 'the base file', 'name a file that cmmakepkg wrote, or leave --base out');
  const templates = readPackageTemplates(packageStyle, sources.templates);
  return demand(renderPackage({ settings, templates, bundles: readMemberScripts(), base, directories }));
}

/** Returns the text to print. Throws a Failure with all problems of the settings, the templates, or hand edits found. */
export async function render(options: RenderOptions): Promise<string> {
  const { files: rendered } = await preparePackage(options);
  const edits = handEdits(options.output, rendered);
  if (edits.size > 0 && !options.takeRendered && !options.takeMine)
    throw new Failure([...edits.keys()].map((name) => handEditProblem(name, options.output)));
  // Rendering over a package directory leaves the runtime that was carried there, and its word in the manifest.
  const { runtime = null } = setThere(options.output, rendered).manifest;
  const files = withRuntime(options.takeMine ? withEdits(rendered, edits) : rendered, runtime);
  const list = files.map((file) => ({ ...file, change: changeOf(options.output, file), digest: sha256(file.text) }));
  if (!options.dryRun)
    writeOrFail(
      options.output,
      files.map(({ name, mode, text }) => ({ path: join(options.output, name), mode, text })),
    );
  if (options.json) {
    const entries = list.map(({ name, mode, digest, change }) => ({ name, mode: mode.toString(8), digest, change }));
    return `${JSON.stringify({ output: options.output, dryRun: options.dryRun, files: entries }, null, 2)}\n`;
  }
  const verb = options.dryRun ? 'would be written to' : 'written to';
  const lines = list.map(({ name, mode, digest, change, text }) =>
    [change.padEnd(7), mode.toString(8), String(text.length).padStart(8), digest.slice(0, 12), name].join('  '),
  );
  return `${[`${files.length} files ${verb} ${options.output}:`, ...lines].join('\n')}\n`;
}

/** Where Serviceguard is installed its own cmmakepkg gives the base; null exit and absence just mean there is none. */
async function askCmmakepkg(style: Settings['packageStyle'], directory: string | undefined): Promise<string | undefined> {
  if (directory === undefined) return undefined;
  const asked = style === 'legacy' ? ['-p'] : packageModules.flatMap((module) => ['-m', module]);
  const argv = [`${directory}/cmmakepkg`, ...asked];
  const made = await runCommand(argv, 60_000);
  return made.exitCode === 0 ? `${made.stdout}\n` : undefined;
}

function changeOf(output: string, file: RenderedFile): Change {
  const present = readTextFile(join(output, file.name));
  if (present === null) return 'new';
  return present === file.text ? 'same' : 'changed';
}

/** A rendered file as it goes to a member. */
export function asSent({ name, mode, text }: RenderedFile): FileToSend {
  return { name, mode, content: Buffer.from(text) };
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

function handEditProblem(name: string, output: string): Problem {
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
