/** `csync render`: settings and templates to the package directory, all of it or nothing. */
import { join } from 'node:path';
import type { FileToSend } from '../cluster/member-scripts.ts';
import { readTextFile, runCommand } from '../host/real.ts';
import { demand, Failure, type Problem } from '../problem.ts';
import {
  isHandEdited,
  manifestName,
  packageModules,
  type RenderedFile,
  readManifest,
  renderPackage,
  sha256,
  withEdits,
} from '../render/package.ts';
import type { Settings } from '../settings.ts';
import { readMemberScripts, readPackageTemplates, readSettings, writeOrFail } from './toolkit.ts';

export interface RenderOptions {
  readonly settings: string;
  readonly output: string;
  readonly templates?: string | undefined;
  /** A file with cmmakepkg's output; without it cmmakepkg is asked where there is one. */
  readonly base?: string | undefined;
  readonly dryRun: boolean;
  readonly takeRendered: boolean;
  /** Edited files stay as they are and count as part of the package. */
  readonly takeMine: boolean;
  readonly json: boolean;
}

type Change = 'new' | 'changed' | 'same';

export interface PackageSources {
  readonly settings: string;
  readonly templates?: string | undefined;
  readonly base?: string | undefined;
}

/** Settings and every file of the package as they follow from it. Throws a Failure with all problems of either. */
export async function preparePackage(sources: PackageSources): Promise<{ settings: Settings; files: RenderedFile[] }> {
  const settings = readSettings(sources.settings);
  const base = sources.base === undefined ? await askCmmakepkg() : readBase(sources.base);
  const templates = readPackageTemplates(sources.templates);
  return { settings, files: demand(renderPackage({ settings, templates, bundles: readMemberScripts(), base })) };
}

/** Returns the text to print. Throws a Failure with all problems of the settings, the templates, or hand edits found. */
export async function render(options: RenderOptions): Promise<string> {
  const { files: rendered } = await preparePackage(options);
  const edits = handEdits(options.output, rendered);
  if (edits.size > 0 && !options.takeRendered && !options.takeMine)
    throw new Failure([...edits.keys()].map((name) => handEditProblem(name, join(options.output, name))));
  const files = options.takeMine ? withEdits(rendered, edits) : rendered;
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
async function askCmmakepkg(): Promise<string | undefined> {
  const directory = /^SGSBIN=(\S+)/m.exec(readTextFile('/etc/cmcluster.conf') ?? '')?.[1];
  if (directory === undefined) return undefined;
  const argv = [`${directory}/cmmakepkg`, ...packageModules.flatMap((module) => ['-m', module])];
  const made = await runCommand(argv, 60_000);
  return made.exitCode === 0 ? `${made.stdout}\n` : undefined;
}

function readBase(file: string): string {
  const text = readTextFile(file);
  if (text !== null) return text;
  const problem: Problem = {
    code: 'file-unreadable',
    severity: 'error',
    text: `the base file ${file} cannot be read`,
    remedy: 'name a file that cmmakepkg wrote, or leave --base out',
    place: { file },
  };
  throw new Failure([problem]);
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

/** Texts of the files that are neither what the last render wrote (by its manifest) nor what this one would write. */
export function handEdits(output: string, files: readonly RenderedFile[]): Map<string, string> {
  const manifest = readManifest(readTextFile(join(output, manifestName)));
  const edits = new Map<string, string>();
  for (const { name, text } of files) {
    const present = readTextFile(join(output, name));
    if (present !== null && isHandEdited(name, sha256(present), sha256(text), manifest)) edits.set(name, present);
  }
  return edits;
}

export function handEditProblem(name: string, file: string, member?: string): Problem {
  return {
    code: 'render-hand-edited',
    severity: 'error',
    text: `${name} was changed since it was rendered; rendering would lose that`,
    remedy:
      'carry the change into csync.yaml or the template and use --take-rendered; or keep it as it is with --take-mine, for this time',
    place: { file },
    member,
  };
}
