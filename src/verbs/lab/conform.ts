/** `csync conform`: calls the package's own scripts as Serviceguard does, in a sandbox. */

import { join } from 'node:path';
import { demand, type ExitCode, exitCodes, failure } from '../../base/problem.ts';
import { adapterFor } from '../../cfengine/adapter.ts';
import { flatSet, inSet, type RenderedFile, setsName, settingsName } from '../../contract/package-directory.ts';
import { readDirectory } from '../../host/admin/own-files.ts';
import { isExecutable } from '../../host/file-reading.ts';
import { out, progress } from '../../host/output.ts';
import { manifestOf, renderPackage, setText, withRuntime } from '../../render/package.ts';
import { chosen, count, type Report, reportFacts, reportTable } from '../../script-tests/report.ts';
import { assertionNames, conform } from '../../script-tests/run.ts';
import { SandboxFailure, type TestedPackage } from '../../script-tests/workshop.ts';
import { packageContent } from '../../serviceguard/package-content.ts';
import { parsePackageFile } from '../../serviceguard/package-file.ts';
import { fileSystemTypes } from '../../settings/file-systems.ts';
import { parseSettingsJson, type Settings } from '../../settings/settings.ts';
import { interruptible, needPrograms, needRoot } from '../common/interruptible.ts';
import { setThere } from '../common/package-sources.ts';
import {
  labSettingsFile,
  readMemberScripts,
  readPackageTemplates,
  readPolicyTemplates,
  readSettings,
} from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';

export const conformDocument = shape.document({
  tested: shape.text,
  ok: shape.number,
  failed: shape.number,
  leftOut: shape.number,
  seconds: shape.number,
  assertions: shape.many(
    shape.object({ name: shape.text, result: shape.picklist(['ok', 'failed', 'skipped']), seen: shape.text }),
  ),
});

export interface ConformOptions {
  readonly settings?: string | undefined;
  readonly templates?: string | undefined;
  /** A rendered package directory, instead of settings and templates. */
  readonly package?: string | undefined;
  readonly only: readonly string[];
  readonly json: boolean;
}

const programs: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  ss: 'iproute2',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  losetup: 'mount',
  perl: 'perl-base',
};

export async function conformPackage(options: ConformOptions): Promise<ExitCode> {
  const isChosen = chosen(options.only, assertionNames());
  if (!assertionNames().some(isChosen)) {
    const text = `no assertion name contains ${options.only.map((pattern) => JSON.stringify(pattern)).join(' or ')}`;
    throw failure('usage', text, 'csync conform --list   (lists all names)');
  }
  const { tested, from } = options.package === undefined ? renderedNow(options) : asRendered(options.package);
  needRoot('a conformance test');
  const type = tested.settings.fileSystemType;
  needPrograms('a conformance test', { ...programs, [`mkfs.${type}`]: fileSystemTypes[type].package });
  needCfengine(tested.settings);
  const policy = readPolicyTemplates(tested.settings.cfengineGeneration, options.templates);
  return interruptible(
    'removing the sandbox',
    async (stop) => {
      const began = performance.now();
      const assertions = await conform({ tested, policy, isChosen, progress, stop }).catch(asProblem);
      const report: Report = { tested: from, assertions, seconds: (performance.now() - began) / 1000 };
      if (options.json) printJson<typeof conformDocument>(reportFacts(report));
      else out(reportTable(report));
      if (count(report, 'failed') > 0) return exitCodes.different;
      return count(report, 'skipped') > 0 ? exitCodes.cannotRunHere : exitCodes.ok;
    },
    'ends',
  );
}

export async function listAssertions(only: readonly string[]): Promise<string> {
  return assertionNames()
    .filter(chosen(only, assertionNames()))
    .map((name) => `${name}\n`)
    .join('');
}

function asProblem(error: unknown): never {
  if (!(error instanceof SandboxFailure)) throw error;
  throw failure(
    'here-no-sandbox',
    `this machine cannot make the sandbox: ${error.message}`,
    'it requires root with all capabilities, overlay mounts, a free loop device and 100 MB of memory',
  );
}

function needCfengine(settings: Settings): void {
  const { programs: cfengine, generation } = adapterFor(settings);
  if (isExecutable(cfengine.daemon) && isExecutable(cfengine.agent)) return;
  throw failure(
    'here-no-cfengine',
    `a conformance test needs cfengine on this machine: ${cfengine.daemon} or ${cfengine.agent} is missing`,
    generation === 3
      ? 'apt-get install cfengine3, or run it on a member'
      : 'run it on a member, where the settings match its cfengine',
  );
}

interface Tested {
  readonly tested: TestedPackage;
  readonly from: string;
}

function renderedNow({ settings: file, templates }: ConformOptions): Tested {
  const settings = readSettings(file ?? labSettingsFile);
  refuseLegacy(settings);
  const files = demand(
    renderPackage({ settings, templates: readPackageTemplates(settings, templates), bundles: readMemberScripts() }),
  );
  return { tested: testedPackage(settings, files, templates ?? ''), from: templates ?? 'the shipped templates' };
}

/** Logs and other sets are not part of the package. */
function asRendered(directory: string): Tested {
  const isOurs = ({ name }: RenderedFile): boolean => /\.(sh|cjs|pl|json|conf)$/.test(name);
  const lying = readDirectory(directory).filter(isOurs);
  const set = setThere(directory, lying).set;
  const inside = set === flatSet ? [] : readDirectory(join(directory, setsName, set)).filter(isOurs);
  const found = [
    ...lying.filter(({ name }) => set === flatSet || !name.endsWith('.json')),
    ...inside.map((file) => ({ ...file, name: inSet(set, file.name) })),
  ];
  // A carried runtime is no script: the sandbox uses this machine's Node.js.
  const files = manifestOf(found).runtime === undefined ? found : withRuntime(found, null);
  const file = join(directory, inSet(set, settingsName));
  const text = setText(files, settingsName);
  const settings = text === null ? 'it cannot be read' : parseSettingsJson(text);
  if (typeof settings !== 'string') {
    refuseLegacy(settings);
    return { tested: testedPackage(settings, files, directory), from: directory };
  }
  throw failure('package-settings', `${file}: ${settings}`, 'name a directory that csync render wrote, or render it again', {
    file,
  });
}

function refuseLegacy({ packageStyle }: Settings): void {
  if (packageStyle === 'modular') return;
  throw failure(
    'here-legacy',
    'csync conform tests modular packages only: a legacy control script mounts and adds the address itself, and a sandbox has no commands for that',
    'set package_style: modular in a copy of the settings to test the same steps; csync lab demo --settings FILE runs the legacy package',
  );
}

function testedPackage(settings: Settings, files: readonly RenderedFile[], directory: string): TestedPackage {
  const name = `${settings.packageName}.conf`;
  const text = files.find((file) => file.name === name)?.text ?? '';
  const content = packageContent(demand(parsePackageFile(text, join(directory, name))));
  return { settings, content, files };
}
