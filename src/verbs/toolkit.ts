/** Where the installed toolkit keeps its templates and compiled member scripts, and how verbs read them. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FileToWrite, readTextFile, writeFilesAtomically } from '../host/real.ts';
import { type Checked, demand, Failure, type Problem } from '../problem.ts';
import type { PackageTemplates } from '../render/package.ts';
import type { Template } from '../render/template.ts';
import type { Settings } from '../settings.ts';
import { parseSettings } from '../settings-yaml.ts';

/** dist/ of the built toolkit: the bundle's own directory. */
export const distDirectory = dirname(fileURLToPath(import.meta.url));
const shippedTemplates = join(distDirectory, 'package-templates');
const memberScripts = ['csync-start.cjs', 'csync-halt.cjs', 'csync-validate.cjs', 'csync-monitor.cjs'];

/** Reads and checks a settings file; throws a Failure with all its problems. */
export function readSettings(file: string): Settings {
  const text = readTextFile(file);
  if (text === null) {
    const problem: Problem = {
      code: 'file-unreadable',
      severity: 'error',
      text: `the settings file ${file} cannot be read`,
      remedy: 'name it with --settings FILE; csync settings example > csync.yaml makes one to start from',
      place: { file },
    };
    return demand<Settings>({ ok: false, problems: [problem] });
  }
  return demand(parseSettings(text, file));
}

/** A template: the administrator's own copy below `directory` when it is there, else the shipped one. */
export function readTemplate(name: string, directory?: string): Checked<Template> {
  const candidates = [...(directory === undefined ? [] : [join(directory, name)]), join(shippedTemplates, name)];
  for (const file of candidates) {
    const text = readTextFile(file);
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

export function readPackageTemplates(directory?: string): PackageTemplates {
  return {
    packageFile: demand(readTemplate('modular/package.conf.tpl', directory)),
    launcher: demand(readTemplate('modular/launcher.sh.tpl', directory)),
  };
}

/** The compiled member scripts by file name. */
export function readMemberScripts(): ReadonlyMap<string, string> {
  return new Map(
    memberScripts.map((name) => {
      const template = readMemberScript(name);
      return [name, template];
    }),
  );
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
