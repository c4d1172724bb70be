import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Checked, demand, errorProblem, Failure, failure, type Problem } from '../../base/problem.ts';
import { toolkitVersion } from '../../base/version.ts';
import type { FileToSend } from '../../cluster/apply/package-write.ts';
import { digestOfBuild, type ToolkitBuild } from '../../cluster/apply/toolkit.ts';
import { type BootTemplates, bootTemplateNames } from '../../cluster/hosts/boot-start.ts';
import {
  appliedName,
  arpProbeName,
  entryName,
  flatSet,
  inSet,
  isDefinition,
  parseApplied,
  setNamedIn,
  settingsName,
} from '../../contract/package-directory.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import { readTree } from '../../host/admin/file-tree.ts';
import {
  directoriesBelow,
  type FileToWrite,
  filesBelow,
  readTextFile,
  writeFilesAtomically,
} from '../../host/admin/own-files.ts';
import { ourselves, strangersTo } from '../../host/ownership.ts';
import type { PackageTemplates } from '../../render/package.ts';
import { policyTemplateNames } from '../../render/policy.ts';
import type { Template } from '../../render/template.ts';
import { parseSettingsJson, type Settings } from '../../settings/settings.ts';
import { parseSettings } from '../../settings/settings-yaml.ts';
import { engineHere } from './engine-here.ts';
import { printProblems } from './problems.ts';

export const distDirectory = dirname(fileURLToPath(import.meta.url));
const shippedTemplates = join(distDirectory, 'package-templates');
const memberScripts = [
  'csync-start.cjs',
  'csync-halt.cjs',
  'csync-validate.cjs',
  'csync-monitor.cjs',
  'csync-certificate.cjs',
  'csync-front.pl',
  arpProbeName,
  entryName,
];

export function readSettings(file: string): Settings {
  const remedy = `csync init   writes ${usualFile}; if there is one, add --settings FILE`;
  const checked = parseSettings(readOrFail(file, 'the settings file', remedy), file);
  const settings = demand(checked);
  printProblems(checked.problems);
  return settings;
}

export interface SettingsSource {
  readonly settings: Settings;
  /** null: the applied settings of this member. */
  readonly file: string | null;
}

const usualFile = 'csync.yaml';

/**
 * The named file (also a settings.json of a package directory), else csync.yaml here, else the applied settings. Throws a Failure for none,
 * or for more than one package.
 */
export function findSettings(named: string | undefined): SettingsSource {
  if (named !== undefined && basename(named) === settingsName) {
    const file = readTextFile(named) === null ? appliedSettingsFile(dirname(resolve(named))) : named;
    return { settings: appliedSettings(file), file: null };
  }
  if (named !== undefined || readTextFile(usualFile) !== null) {
    const file = named ?? usualFile;
    return { settings: readSettings(file), file };
  }
  const { engine, variables } = engineHere();
  const packages = engine.host.packagesIn(variables ?? {});
  const applied = directoriesBelow(packages)
    .filter((directory) => typeof parseSettingsJson(readTextFile(appliedSettingsFile(directory)) ?? '') !== 'string')
    // Does not depend on the set in force there.
    .map((directory) => join(directory, settingsName));
  const [first, ...others] = applied;
  if (first !== undefined && others.length === 0) return findSettings(first);
  const text =
    first === undefined
      ? `no ${usualFile} in this directory, and no package directory with ${settingsName} in ${packages}`
      : `no ${usualFile} in this directory, and several applied packages: ${applied.join(', ')}`;
  const remedy = `csync init   writes ${usualFile}; if there is one, run csync in its directory, or add --settings ${first ?? 'FILE'}`;
  throw failure('file-unreadable', text, remedy);
}

function appliedSettings(file: string): Settings {
  const text = readOrFail(file, 'the settings of the applied package', 'name the settings.json of the package directory');
  const settings = parseSettingsJson(text);
  if (typeof settings !== 'string') return settings;
  const problem = `the settings of the applied package, ${file}, are not valid: ${settings}`;
  const remedy = 'run csync apply in the directory of csync.yaml: it renders and distributes them again';
  throw failure('file-unreadable', problem, remedy, { file });
}

/** As the launchers: the set applied last, else version 0.1.0, else the package file's. */
function appliedSettingsFile(directory: string): string {
  const applied = parseApplied(readTextFile(join(directory, appliedName)) ?? '')?.set;
  const flat = join(directory, settingsName);
  if (applied === undefined && readTextFile(flat) !== null) return flat;
  const conf = filesBelow(directory).find((path) => isDefinition(path) && dirname(path) === directory);
  const lying = conf === undefined ? null : setNamedIn(readTextFile(conf) ?? '');
  return join(directory, inSet(applied ?? lying ?? flatSet, settingsName));
}

/** `file` is an option with the default csync.yaml. */
export function settingsHere(file: string): Settings {
  return findSettings(file === usualFile ? undefined : file).settings;
}

/** `what` describes the file. Throws a Failure if it cannot be read. */
export function readOrFail(file: string, what: string, remedy: string): string {
  const text = readTextFile(file);
  if (text !== null && isOursAlone(file)) return text;
  if (text !== null) throw new Failure([openToOthers(file, what)]);
  throw failure('file-unreadable', `${what} ${file} cannot be read`, remedy, { file });
}

/** A user who can change a file decides what root does. The user who called sudo is trusted. */
function isOursAlone(file: string): boolean {
  return strangers(file).length === 0;
}

function strangers(file: string): string[] {
  if (process.getuid?.() !== 0) return [];
  const { users, groups } = ourselves();
  const [user, group] = [process.env.SUDO_UID, process.env.SUDO_GID].map((text) => (/^\d+$/.test(text ?? '') ? Number(text) : 0));
  return strangersTo(resolve(file), { users: [...users, user ?? 0], groups: [...groups, group ?? 0] });
}

function openToOthers(file: string, what: string): Problem {
  const places = [...new Set(strangers(file).map((said) => said.replace(/ (?:belongs to|can be written by) .*$/, '')))].join(' ');
  return errorProblem(
    'file-open-to-others',
    `${what} ${file} was not read: ${strangers(file).join('; ')}; that user could decide what runs as root on every member`,
    `check its content, then: chown root ${places}; chmod go-w ${places}`,
    { file },
  );
}

/** The administrator's copy below `directory`, else the shipped one. */
export function readTemplate(name: string, directory?: string): Checked<Template> {
  const candidates = [...(directory === undefined ? [] : [join(directory, name)]), join(shippedTemplates, name)];
  for (const file of candidates) {
    const text = readTextFile(file);
    // As safe as the program itself.
    const isShipped = file === join(shippedTemplates, name);
    if (text !== null && !isShipped && !isOursAlone(file)) return { ok: false, problems: [openToOthers(file, 'the template')] };
    if (text !== null) return { ok: true, value: { file, text }, problems: [] };
  }
  const problem: Problem = errorProblem(
    'template-missing',
    `the template ${name} is missing in ${candidates.join(' and in ')}`,
    'build or install the toolkit again',
  );
  return { ok: false, problems: [problem] };
}

export function readPackageTemplates(settings: Pick<Settings, 'engine' | 'packageStyle'>, directory?: string): PackageTemplates {
  return {
    packageFile: demand(readTemplate(engineFor(settings).definition.template(settings.packageStyle), directory)),
    launcher: demand(readTemplate('modular/launcher.sh.tpl', directory)),
  };
}

export function readPolicyTemplates(generation: Settings['cfengineGeneration'], directory?: string): Map<string, Template> {
  return new Map(policyTemplateNames(generation).map((name) => [name, demand(readTemplate(name, directory))]));
}

export function readBootTemplates(): BootTemplates {
  const { script, unit, init } = bootTemplateNames;
  return { script: demand(readTemplate(script)), unit: demand(readTemplate(unit)), init: demand(readTemplate(init)) };
}

export function readMemberScripts(): ReadonlyMap<string, string> {
  return new Map(memberScripts.map((name) => [name, readMemberScript(name)]));
}

export function readMemberScript(name: string): string {
  const file = join(distDirectory, 'member', name);
  const text = readTextFile(file);
  if (text !== null) return text;
  const problem: Problem = errorProblem(
    'here-not-built',
    `the compiled script ${file} is missing`,
    'build the toolkit first: npm ci && npm run build',
  );
  return demand<string>({ ok: false, problems: [problem] });
}

/** Without hidden files. */
export function thisBuild(): { readonly build: ToolkitBuild; readonly files: readonly FileToSend[] } {
  const files = readTree(distDirectory).map(
    // The programs are beside the templates.
    ({ name, content }) => ({ name, mode: /^csync\w*\.mjs$/.test(name) ? 0o755 : 0o644, content: content ?? Buffer.alloc(0) }),
  );
  return { build: { version: toolkitVersion, digest: digestOfBuild(files) }, files };
}

/** All or none; throws a Failure. */
export function writeOrFail(directory: string, files: readonly FileToWrite[]): void {
  try {
    writeFilesAtomically(files);
  } catch (error) {
    throw failure(
      'change-unwritable',
      `nothing was written to ${directory}: ${(error as Error).message}`,
      'free space or correct the permissions, then run the command again',
      { file: directory },
    );
  }
}

export const labSettingsFile = join(distDirectory, 'package-templates', 'lab', 'csync.yaml');

/** The first line of csync.yaml, for editors; empty without schemas. */
export function schemaLine(): string {
  const file = join(distDirectory, 'schemas/settings.json');
  return readTextFile(file) === null ? '' : `# yaml-language-server: $schema=${file}\n\n`;
}
