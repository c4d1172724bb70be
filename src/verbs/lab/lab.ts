import { resolve } from 'node:path';
import { type ExitCode, exitCodes, failure } from '../../base/problem.ts';
import { columns } from '../../base/tables.ts';
import { processesNaming, readTextFile } from '../../host/admin/own-files.ts';
import { runForeground } from '../../host/admin/terminal.ts';
import { out, progress } from '../../host/output.ts';
import { aborted, findLab, type LabHandle, LabUnavailable, ownLabName, startLab, sweep } from '../../lab/handle.ts';
import { hostEnvironment } from '../../lab/machines/environment.ts';
import {
  clientNames,
  isLabName,
  type LabSpec,
  labPrograms,
  labSpec,
  labsDirectory,
  pacemakerPrograms,
  specProblem,
  withIpv6,
} from '../../lab/machines/lab-spec.ts';
import { quirkNames, quirksOf } from '../../lab/machines/quirks/quirks.ts';
import { demoSummary, runDemo } from '../../lab/trials/demo.ts';
import { failoverSummary, passed, runFailovers } from '../../lab/trials/failovers.ts';
import { PackageDrills } from '../../lab/trials/package-drills.ts';
import { runTorture, torturePassed, tortureSummary } from '../../lab/trials/torture-run.ts';
import { fileSystemTypes } from '../../settings/file-systems.ts';
import type { Settings } from '../../settings/settings.ts';
import { interruptible, needPrograms, needRoot } from '../common/interruptible.ts';
import { distDirectory, labSettingsFile, readSettings } from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import type { trialDocument } from '../outputs/outputs.ts';

export interface LabOptions {
  readonly name?: string | undefined;
  readonly settings?: string | undefined;
  readonly style?: Settings['packageStyle'] | undefined;
  readonly ipv6?: boolean | undefined;
  readonly json: boolean;
}

export interface LabUpOptions extends LabOptions, Partial<EngineOption> {
  readonly spares?: string | undefined;
  readonly clients?: number | undefined;
  readonly bare?: boolean | undefined;
  readonly programs?: string | undefined;
  readonly quirks?: string | undefined;
}

export interface EngineOption {
  readonly engine: Settings['engine'];
}

function labSettings(options: LabOptions): Settings {
  const read = readSettings(options.settings ?? labSettingsFile);
  const settings = options.ipv6 === true ? withIpv6(read) : read;
  return options.style === undefined ? settings : { ...settings, packageStyle: options.style };
}

/** Throws a Failure of usage. */
function nameOf({ name = 'lab' }: LabOptions): string {
  if (isLabName(name)) return name;
  const text = `--name ${JSON.stringify(name)}: a lab name has up to 32 lower-case letters, digits and dashes`;
  throw failure('usage', text, 'csync lab up --name mine');
}

/** Throws a Failure of usage if the lab is impossible. */
function scheduleOf(options: LabUpOptions): LabSpec {
  const { spares = '', clients = 2, bare = false, programs, engine } = options;
  const quirks = quirksOf(options.quirks ?? '');
  if (typeof quirks === 'string') {
    const known = `no site quirk is named ${JSON.stringify(quirks)}; they are ${quirkNames.join(', ')}, and all`;
    throw failure('usage', `--quirks: ${known}`, 'csync lab up --quirks banner,bridge');
  }
  const spec = labSpec(labSettings(options), nameOf(options), {
    ...(engine === undefined ? {} : { engine }),
    clients: clientNames(clients),
    spares: spares.split(',').filter((name) => name !== ''),
    cfengine: bare ? 'bare' : 'set up',
    programs: programs === undefined ? null : resolve(programs),
    quirks,
  });
  const text = specProblem(spec);
  if (text === null) return spec;
  throw failure('usage', text, 'csync lab up --help   (lists the options)');
}

/** See torture-run.ts. With a spare that can become a member. */
export async function labTorture(options: LabOptions, iterations: number, seed: number): Promise<ExitCode> {
  if (!Number.isInteger(iterations) || iterations < 1 || !Number.isInteger(seed)) {
    const text = `--iterations ${iterations} --seed ${seed}: both must be whole numbers, and at least one step is needed`;
    throw failure('usage', text, 'csync lab torture --iterations 50 --seed 7');
  }
  return inLab({ ...options, spares: 'm4' } as LabUpOptions, 'torture', async (lab) => {
    const result = await runTorture(lab, iterations, seed, options.json ? progress : (line) => out(`${line}\n`));
    if (options.json) printJson<typeof trialDocument>(result);
    else out(`${tortureSummary(result).join('\n')}\n`);
    return torturePassed(result) ? exitCodes.ok : exitCodes.different;
  });
}

async function begin(options: LabUpOptions, attached: boolean, stop: AbortSignal): Promise<LabHandle> {
  needRoot('a lab');
  needPrograms('a lab', labPrograms);
  const spec = scheduleOf(options);
  if (spec.settings.engine === 'pacemaker') needPrograms('a lab with Pacemaker', pacemakerPrograms);
  const type = spec.settings.fileSystemType;
  needPrograms('a lab', { [`mkfs.${type}`]: fileSystemTypes[type].package });
  return startLab({ spec, dist: distDirectory, attached, progress, stop });
}

/** Always removes the lab, also after Ctrl-C. */
export async function inLab(
  given: LabOptions,
  what: string,
  work: (lab: LabHandle, stop: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const options = { ...given, name: given.name ?? ownLabName(what) };
  return interruptible(
    'removing the lab',
    async (stop) => {
      const lab = await begin(options, true, stop);
      const working = work(lab, stop);
      try {
        return await Promise.race([working, aborted(stop)]);
      } finally {
        await lab.down();
        // Pending calls fail now.
        await working.catch(() => {});
        await reportLeftovers(options.name);
      }
    },
    'ends',
  );
}

async function reportLeftovers(name: string): Promise<void> {
  const home = `${labsDirectory}/${name}`;
  // Another name may begin with this one.
  const isOfIt = (text: string): boolean => new RegExp(`${home}(?![a-z0-9-])`).test(text);
  const left = (await processesNaming(home)).filter(({ command }) => isOfIt(command));
  const mounts = (readTextFile('/proc/self/mounts') ?? '').split('\n').filter(isOfIt);
  if (left.length + mounts.length === 0) return;
  const inBrief = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}...` : text);
  const text = [
    ...left.map((one) => `process ${one.pid} ${inBrief(one.command)}`),
    ...mounts.map((line) => `mount ${inBrief(line)}`),
  ].join('; ');
  throw new LabUnavailable(`the lab left this behind: ${text}`);
}

export async function labDemo(options: LabOptions & EngineOption): Promise<ExitCode> {
  return inLab(options, 'demo', async (lab) => {
    const result = await runDemo(lab, options.json ? progress : (line) => out(`${line}\n`));
    if (options.json) printJson<typeof trialDocument>(result);
    else out(`${demoSummary(result).join('\n')}\n`);
    return result.verdict === 'pass' ? exitCodes.ok : exitCodes.different;
  });
}

export async function labFailovers(options: LabOptions & EngineOption, count: number, seed: number): Promise<ExitCode> {
  if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) {
    const text = `--count ${count} --seed ${seed}: both must be whole numbers, and at least one failover is needed`;
    throw failure('usage', text, 'csync lab failovers --count 50 --seed 7');
  }
  return inLab(options, 'failovers', async (lab) => {
    const result = await runFailovers(lab, count, seed, options.json ? progress : (line) => out(`${line}\n`));
    if (options.json) printJson<typeof trialDocument>(result);
    else out(`${failoverSummary(result).join('\n')}\n`);
    return passed(result) ? exitCodes.ok : exitCodes.different;
  });
}

/** Until `csync lab down`. Unless bare, the package runs. */
export async function labUp(options: LabUpOptions): Promise<ExitCode> {
  return interruptible('removing the lab', async (stop) => {
    const lab = await begin(options, false, stop);
    const first = lab.spec.hosts[0]?.name;
    if (options.bare === true) {
      out(
        `The lab "${nameOf(options)}" is up. Every host has cfengine's programs, but no keys, policy or package; the cluster is down.\n`,
      );
      out(`Next: csync lab shell ${first}\n`);
      return exitCodes.ok;
    }
    progress('deploying the package');
    try {
      await Promise.race([new PackageDrills(lab).deploy(), aborted(stop)]);
    } catch (error) {
      await lab.down();
      throw error;
    }
    const viewer = lab.spec.settings.engine === 'pacemaker' ? 'crm_mon -1 -r' : 'cmviewcl -v';
    out(`The lab "${nameOf(options)}" is up, and its package runs. Next: csync lab exec ${first} -- ${viewer}\n`);
    return exitCodes.ok;
  });
}

export async function labDown(options: LabOptions): Promise<ExitCode> {
  needRoot('removing a lab');
  const spec = labSpec(labSettings(options), nameOf(options));
  const running = readTextFile(`${spec.home}/spec.json`) !== null;
  if (running) await findLab(nameOf(options)).down();
  await sweep(spec);
  await reportLeftovers(spec.name);
  out(running ? `The lab "${nameOf(options)}" is removed.\n` : `No lab "${nameOf(options)}" exists.\n`);
  return exitCodes.ok;
}

export async function labStatus(options: LabOptions): Promise<ExitCode> {
  const status = await findLab(nameOf(options)).status();
  if (options.json) {
    printJson<typeof trialDocument>(status);
    return exitCodes.ok;
  }
  const head = ['HOST', 'KIND', 'ADDRESS', 'MACHINE', 'POLICY FS', 'PACKAGE ADDRESS'];
  const rows = status.hosts.map(({ name, kind, address, up, mounted, packageAddress }) => [
    name,
    kind,
    address,
    up ? 'up' : 'down',
    mounted ? 'mounted' : '-',
    packageAddress ? 'here' : '-',
  ]);
  const quirks = status.quirks.length === 0 ? '' : ` with the site quirks ${status.quirks.join(', ')}`;
  out([`lab ${status.name}${quirks}`, ...columns([head, ...rows]), ''].join('\n'));
  return exitCodes.ok;
}

/** Switches power and cables. */
export async function labMachine(
  options: LabOptions,
  verb: 'crash' | 'boot' | 'cut' | 'heal',
  member: string,
): Promise<ExitCode> {
  await findLab(nameOf(options)).ask({ verb, member });
  return exitCodes.ok;
}

/** On this terminal; exits with the program's status. */
export async function labExec(options: LabOptions, member: string, argv: readonly string[]): Promise<number> {
  needRoot('entering a lab host');
  return runForeground(await findLab(nameOf(options)).enterArgv(member, argv), hostEnvironment);
}
