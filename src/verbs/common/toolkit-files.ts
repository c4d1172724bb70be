/** Where the installed toolkit keeps its templates and compiled member scripts, and how verbs read them. */

import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Checked, demand, Failure, type Problem } from '../../base/problem.ts';
import { type BootTemplates, bootTemplateNames } from '../../cluster/hosts/boot-start.ts';
import {
  appliedName,
  arpProbeName,
  entryName,
  flatSet,
  inSet,
  parseApplied,
  setNamedIn,
  settingsName,
} from '../../contract/package-directory.ts';
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

/** dist/ of the built toolkit: the bundle's own directory. */
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

/** Reads and checks a settings file; throws a Failure with all its problems. */
export function readSettings(file: string): Settings {
  const remedy = 'name it with --settings FILE; csync settings example > csync.yaml makes one to start from';
  return demand(parseSettings(readOrFail(file, 'the settings file', remedy), file));
}

export interface SettingsSource {
  readonly settings: Settings;
  /** The administrator's file; null: those that were applied, as they lie in the package directory of this member. */
  readonly file: string | null;
}

const usualFile = 'csync.yaml';

/**
 * The file that was named, else csync.yaml here, else what was applied: the automation has no file of its own. What was applied may
 * also be named: the settings.json of a package directory. Throws a Failure where there is none of them, or more than one package.
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
    // Whatever set counts there: a name that stays.
    .map((directory) => join(directory, settingsName));
  const [first, ...others] = applied;
  if (first !== undefined && others.length === 0) return findSettings(first);
  const text =
    first === undefined
      ? `there is no ${usualFile} here, and no package directory with ${settingsName} in ${packages} to take the settings from`
      : `there is no ${usualFile} here, and more than one package to take the settings from: ${applied.join(', ')}`;
  const remedy = `run it in the directory of csync.yaml, or name the file: --settings FILE, such as ${first ?? `/PACKAGE-DIRECTORY/${settingsName}`}`;
  throw new Failure([{ code: 'file-unreadable', severity: 'error', text, remedy }]);
}

function appliedSettings(file: string): Settings {
  const text = readOrFail(file, 'the settings of the applied package', 'name the settings.json of the package directory');
  const settings = parseSettingsJson(text);
  if (typeof settings !== 'string') return settings;
  const problem = `the settings of the applied package ${file} cannot be used: ${settings}`;
  const remedy = 'csync apply from the directory of csync.yaml renders and distributes them again';
  throw new Failure([{ code: 'file-unreadable', severity: 'error', text: problem, remedy, place: { file } }]);
}

/** As the launchers choose it: of the set applied last, else of version 0.1.0, else of the set that the package file there names. */
function appliedSettingsFile(directory: string): string {
  const applied = parseApplied(readTextFile(join(directory, appliedName)) ?? '')?.set;
  const flat = join(directory, settingsName);
  if (applied === undefined && readTextFile(flat) !== null) return flat;
  const conf = filesBelow(directory).find((path) => path.endsWith('.conf') && dirname(path) === directory);
  const lying = conf === undefined ? null : setNamedIn(readTextFile(conf) ?? '');
  return join(directory, inSet(applied ?? lying ?? flatSet, settingsName));
}

/** The settings of findSettings for an option that has csync.yaml for its default. */
export function settingsHere(file: string): Settings {
  return findSettings(file === usualFile ? undefined : file).settings;
}

/** Text of a file that somebody named; `what` says what it should have been. Throws a Failure where it cannot be read. */
export function readOrFail(file: string, what: string, remedy: string): string {
  const text = readTextFile(file);
  if (text !== null && isOursAlone(file)) return text;
  if (text !== null) throw new Failure([openToOthers(file, what)]);
  throw new Failure([
    { code: 'file-unreadable', severity: 'error', text: `${what} ${file} cannot be read`, remedy, place: { file } },
  ]);
}

/** What root does by a file that others can change, they do. The user who called sudo is no stranger. */
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
  return {
    code: 'file-open-to-others',
    severity: 'error',
    text: `${what} ${file} was not read: ${strangers(file).join('; ')}; whoever that is would decide what is done as root on every member`,
    remedy: 'look at its content, then chown root and chmod go-w what is named',
    place: { file },
  };
}

/** A template: the administrator's own copy below `directory` when it is there, else the shipped one. */
export function readTemplate(name: string, directory?: string): Checked<Template> {
  const candidates = [...(directory === undefined ? [] : [join(directory, name)]), join(shippedTemplates, name)];
  for (const file of candidates) {
    const text = readTextFile(file);
    // The shipped ones are as safe as the program that reads them.
    const isShipped = file === join(shippedTemplates, name);
    if (text !== null && !isShipped && !isOursAlone(file)) return { ok: false, problems: [openToOthers(file, 'the template')] };
    if (text !== null) return { ok: true, value: { file, text }, problems: [] };
  }
  const problem: Problem = {
    code: 'template-missing',
    severity: 'error',
    text: `the template ${name} is neither in ${candidates.join(' nor in ')}`,
    remedy: 'build or install the toolkit again',
  };
  return { ok: false, problems: [problem] };
}

export function readPackageTemplates(style: Settings['packageStyle'], directory?: string): PackageTemplates {
  return {
    packageFile: demand(readTemplate(`${style}/package.conf.tpl`, directory)),
    launcher: demand(readTemplate('modular/launcher.sh.tpl', directory)),
  };
}

/** The templates of the policy by their names, the administrator's copies before the shipped ones. */
export function readPolicyTemplates(generation: Settings['cfengineGeneration'], directory?: string): Map<string, Template> {
  return new Map(policyTemplateNames(generation).map((name) => [name, demand(readTemplate(name, directory))]));
}

/** The templates of what starts the daemons of a host at boot. */
export function readBootTemplates(): BootTemplates {
  const { script, unit, init } = bootTemplateNames;
  return { script: demand(readTemplate(script)), unit: demand(readTemplate(unit)), init: demand(readTemplate(init)) };
}

/** The compiled member scripts by file name. */
export function readMemberScripts(): ReadonlyMap<string, string> {
  return new Map(memberScripts.map((name) => [name, readMemberScript(name)]));
}

function readMemberScript(name: string): string {
  const file = join(distDirectory, 'member', name);
  const text = readTextFile(file);
  if (text !== null) return text;
  const problem: Problem = {
    code: 'here-not-built',
    severity: 'error',
    text: `the compiled script ${file} is missing`,
    remedy: 'build the toolkit first: npm ci && npm run build',
  };
  return demand<string>({ ok: false, problems: [problem] });
}

/** Writes all files or none; what hinders it is a Failure. */
export function writeOrFail(directory: string, files: readonly FileToWrite[]): void {
  try {
    writeFilesAtomically(files);
  } catch (error) {
    const problem: Problem = {
      code: 'change-unwritable',
      severity: 'error',
      text: `nothing was written to ${directory}: ${(error as Error).message}`,
      remedy: 'make room or correct the permissions, then do it again',
      place: { file: directory },
    };
    throw new Failure([problem]);
  }
}

/** Where the lab's own settings lie when none are named. */
export const labSettingsFile = join(distDirectory, 'package-templates', 'lab', 'csync.yaml');
