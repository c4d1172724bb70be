/** `csync render`: settings and templates to the package directory, all of it or nothing. */
import { join } from 'node:path';
import { readTextFile, runCommand } from '../host/real.ts';
import { demand, Failure, type Problem } from '../problem.ts';
import { manifestName, packageModules, type RenderedFile, renderPackage, sha256 } from '../render/package.ts';
import { readMemberScripts, readPackageTemplates, readSettings, writeOrFail } from './toolkit.ts';

export interface RenderOptions {
  readonly settings: string;
  readonly output: string;
  readonly templates?: string | undefined;
  /** A file with cmmakepkg's output; without it cmmakepkg is asked where there is one. */
  readonly base?: string | undefined;
  readonly dryRun: boolean;
  readonly takeRendered: boolean;
  readonly json: boolean;
}

type Change = 'new' | 'changed' | 'same';

/** Returns the text to print. Throws a Failure with all problems of the settings, the templates, or hand edits found. */
export async function render(options: RenderOptions): Promise<string> {
  const settings = readSettings(options.settings);
  const base = options.base === undefined ? await askCmmakepkg() : readBase(options.base);
  const files = demand(
    renderPackage({ settings, templates: readPackageTemplates(options.templates), bundles: readMemberScripts(), base }),
  );
  const edited = handEdited(options.output, files);
  if (edited.length > 0 && !options.takeRendered) throw new Failure(edited);
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

/** Files that are neither what the last render wrote (by its manifest) nor what this one would write. */
function handEdited(output: string, files: readonly RenderedFile[]): Problem[] {
  const manifest = readTextFile(join(output, manifestName));
  const written = digestsOf(manifest);
  return files.flatMap((file): Problem[] => {
    const present = readTextFile(join(output, file.name));
    if (present === null || present === file.text || file.name === manifestName) return [];
    if (written[file.name] === sha256(present)) return [];
    return [
      {
        code: 'render-hand-edited',
        severity: 'error',
        text: `${file.name} was changed since it was rendered; rendering would lose that`,
        remedy: 'carry the change into csync.yaml or the template, then render with --take-rendered',
        place: { file: join(output, file.name) },
      },
    ];
  });
}

function digestsOf(manifest: string | null): Record<string, string> {
  try {
    return (JSON.parse(manifest ?? '{}') as { files?: Record<string, string> }).files ?? {};
  } catch {
    return {};
  }
}
