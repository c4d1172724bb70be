/** Labs for tests. Pure tests import none of it. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { Problem } from '../src/base/problem.ts';
import { adapterFor } from '../src/cfengine/adapter.ts';
import { maintenanceFileName } from '../src/contract/maintenance-file.ts';
import { memberStates } from '../src/engine/serviceguard/status.ts';
import { type LabHandle, ownLabName, startLab } from '../src/lab/handle.ts';
import { clientNames, labPrograms, labSpec, pacemakerPrograms, specProblem } from '../src/lab/machines/lab-spec.ts';
import { type QuirkName, quirksOf } from '../src/lab/machines/quirks/quirks.ts';
import type { ExecResult } from '../src/lab/protocol.ts';
import { PackageDrills } from '../src/lab/trials/package-drills.ts';
import type { Settings } from '../src/settings/settings.ts';
import { everyStep, longMark } from './every-step.ts';
import { checkedOutput } from './outputs.ts';
import { eventually, have, isRoot, labSettings, repository } from './support.ts';

/** Why the lab tests cannot run here; null when they can. Printed once by each file that is skipped. */
export const whyNoLab: string | null = !isRoot
  ? 'the lab needs root'
  : have(...Object.keys(labPrograms))
    ? null
    : `the lab needs ${Object.keys(labPrograms)
        .filter((program) => !have(program))
        .join(', ')}`;

/** The same for a lab with the real corosync and Pacemaker. */
export const whyNoPacemaker: string | null =
  whyNoLab ??
  (have(...Object.keys(pacemakerPrograms))
    ? null
    : `the lab needs ${Object.keys(pacemakerPrograms)
        .filter((program) => !have(program))
        .join(', ')}`);

if (whyNoLab !== null) console.warn(`lab tests are skipped: ${whyNoLab}`);

interface LabUse {
  /** The package is rendered, applied and run; not in a bare lab. */
  readonly deployed: boolean;
  readonly changes?: Partial<Settings>;
  /** Instead of the lab's own. */
  readonly settings?: Settings;
  /** cfengine's programs on every host and nothing more. */
  readonly bare?: boolean;
  /** Machines with Serviceguard that are in no cluster. */
  readonly spares?: readonly string[];
  /** Their names, or how many. */
  readonly clients?: number | readonly string[];
  /** Directory with cfengine's programs for the hosts; else they have this machine's. */
  readonly programs?: string;
  readonly engine?: Settings['engine'];
  /** Whether clients ask for the master all the time; a test that does not check that does without, and is faster. */
  readonly watched?: boolean;
  /** Quirks of CSYNC_QUIRKS that would take the ground from the test, each with the reason. */
  readonly without?: Partial<Readonly<Record<QuirkName, string>>>;
}

/** Of a file that types ssh and scp as root: with these quirks its commands have other words. */
export const typedAsRoot = {
  sudo: 'ssh and scp are typed as root',
  ssh: 'ssh is typed with a command, so it has no RemoteCommand',
} as const;

/** Of a file that compares all that such an ssh prints. */
export const readsLogins = {
  ...typedAsRoot,
  banner: 'the output of ssh is compared',
  locale: 'a login warns of a locale that is not installed',
} as const;

/** `npm run quirks` names them. */
function siteQuirks(without: LabUse['without'] = {}): readonly QuirkName[] {
  const quirks = quirksOf(process.env.CSYNC_QUIRKS ?? '');
  if (typeof quirks === 'string') throw new Error(`CSYNC_QUIRKS: no site quirk is named ${quirks}`);
  return quirks.filter((name) => without[name] === undefined);
}

/**
 * A lab for one test file: up before its tests, down after them, and down as well when the test process is killed, since
 * the lab's daemon exits with the process that has its standard input.
 */
export function useLab(
  name: string,
  {
    deployed,
    changes = {},
    settings = labSettings(),
    bare = false,
    spares = [],
    clients = 2,
    programs,
    watched = true,
    engine,
    without = {},
  }: LabUse,
): { readonly lab: LabHandle; readonly drills: PackageDrills } {
  const held: { lab: LabHandle | null; drills: PackageDrills | null } = { lab: null, drills: null };
  beforeAll(async () => {
    const spec = labSpec({ ...settings, ...changes }, ownLabName(`test-${name}`), {
      clients: typeof clients === 'number' ? clientNames(clients) : clients,
      spares,
      watched,
      cfengine: bare ? 'bare' : 'set up',
      ...(programs === undefined ? {} : { programs }),
      ...(engine === undefined ? { quirks: siteQuirks(without) } : { engine }),
    });
    const problem = specProblem(spec);
    if (problem !== null) throw new Error(problem);
    held.lab = await startLab({ spec, dist: join(repository, 'dist'), attached: true, progress: () => {} });
    held.drills = new PackageDrills(held.lab);
    await held.drills.attach();
    if (deployed) await held.drills.deploy({ checked: false });
  });
  afterAll(async () => {
    held.drills?.detach();
    await held.lab?.down();
  });
  return {
    get lab() {
      if (held.lab === null) throw new Error('the lab is not up');
      return held.lab;
    },
    get drills() {
      if (held.drills === null) throw new Error('the lab is not up');
      return held.drills;
    },
  };
}

type Used = ReturnType<typeof useLab>;

/** What a verb reports with --json, and how it ended. */
export interface Reported {
  readonly exitCode: number;
  readonly stderr: string;
  readonly problems: readonly Problem[];
  /** `CODE MEMBER` of each problem, or `CODE` where it concerns no single host. */
  readonly codes: readonly string[];
}

/** Shell scripts and csync as an administrator types them on a host of a lab. */
export function typedIn(used: Pick<Used, 'lab'>, toolkit = 'node /opt/csync/csync.mjs') {
  const sh = (host: string, script: string) => used.lab.exec(host, ['sh', '-c', script], { timeoutMs: 300_000 });
  const csync = async (words: string, host = 'm1'): Promise<ExecResult> => {
    const ended = await sh(host, `cd /root && exec ${toolkit} ${words}`);
    // What a shell or a signal took a part of is not the output of csync.
    if (ended.exitCode !== null && !/[|<>;&]/.test(words)) await checkedOutput(words.split(' '), ended.stdout);
    return ended;
  };
  /** Standard output of a script that succeeds. */
  const must = async (host: string, script: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await sh(host, script);
    expect(exitCode, `${script}\n${stdout}${stderr}`).toBe(0);
    return stdout;
  };
  /** The result of `csync WORDS --json`. */
  const json = async <Result = object>(words: string, host = 'm1'): Promise<Reported & Result> =>
    reported<Result>(await csync(`${words} --json`, host), words);
  /** The same of a verb that succeeds. */
  const done = async <Result = object>(words: string, host = 'm1'): Promise<Reported & Result> => {
    const result = await json<Result>(words, host);
    expect(result.exitCode, `${words}: ${JSON.stringify(result.problems)}${result.stderr}`).toBe(0);
    return result;
  };
  /** Breaks something on a host, by a script that succeeds; the second script repairs it, at the latest at the end of the test. */
  const broken = async (host: string, script: string, repair: string): Promise<() => Promise<void>> => {
    let isRepaired = false;
    const repaired = async (): Promise<void> => {
      if (isRepaired) return;
      isRepaired = true;
      await must(host, repair);
    };
    onTestFinished(repaired);
    await must(host, script);
    return repaired;
  };
  return { sh, must, csync, json, done, broken };
}

/** A verb at a terminal, where each question gets Enter, or y where that is not its default: shell text. */
export function atTerminal(command: string): string {
  const answers = command === 'csync init' ? '\\n'.repeat(30) : 'y\\n';
  return `printf '${answers}' | script -qec '${command}' /dev/null`;
}

/** Codes of the problems in what an emulated command or a member script printed, in its order. */
export const codesIn = (text: string): string[] => [...text.matchAll(/\[([a-z]+(?:-[a-z]+)*)\]/g)].map(([, code = '']) => code);

/** Reads what a verb printed with --json. */
export function reported<Result>({ exitCode, stdout, stderr }: ExecResult, words: string): Reported & Result {
  let result: Result & { readonly problems?: readonly Problem[] };
  try {
    result = JSON.parse(stdout);
  } catch (cause) {
    throw new Error(`${words} ended with ${exitCode} and printed no JSON: ${stdout}${stderr}`, { cause });
  }
  const { problems = [] } = result;
  const codes = problems.map(({ code, member }) => (member === undefined ? code : `${code} ${member}`));
  return { ...result, exitCode, stderr, problems, codes };
}

/**
 * The package serves from `home`, every member is in the cluster with a daemon, may have the package, and nothing is in maintenance: where a
 * test starts, after any other one. Where all that is so already it costs a few questions.
 */
export async function serving({ lab, drills }: Used, home = 'm1'): Promise<void> {
  const { members, packageName } = drills;
  const { daemonName, startDaemon } = adapterFor(lab.spec.settings);
  const on = (member: string, script: string) => lab.exec(member, ['sh', '-c', script]);
  const isServed = async (): Promise<boolean> => {
    const { owner, state, autoRun, switching } = await drills.view();
    return owner === home && state === 'running' && autoRun && members.every((member) => switching.get(member) === true);
  };
  const isWhole = async (): Promise<boolean> => {
    const states = memberStates((await on(home, 'cmviewcl -v -f line')).stdout);
    return members.every((member) => states.get(member) === 'up');
  };
  const makeHealthy = async (member: string): Promise<void> => {
    const file = `$SGCONF/${packageName}/${maintenanceFileName}`;
    const { exitCode } = await on(member, `. /etc/cmcluster.conf; rm -f ${file}; pgrep -x ${daemonName}`);
    if (exitCode !== 0) await lab.exec(member, startDaemon);
  };
  const { hosts } = await lab.status();
  for (const { name } of hosts.filter(({ name: host, up }) => members.includes(host) && !up))
    await lab.ask({ verb: 'boot', member: name });
  await Promise.all(members.map(makeHealthy));
  if ((await isServed()) && (await isWhole())) return;
  for (const member of members) await lab.ask({ verb: 'heal', member });
  await Promise.all(members.map((member) => on(member, `cmrunnode ${member}`)));
  await eventually('every member in the cluster', isWhole, 30_000);
  const nodes = members.map((member) => `-n ${member}`).join(' ');
  await on(home, `cmmodpkg -m off ${packageName}; cmmodpkg -e ${nodes} ${packageName}`);
  if ((await drills.view()).owner !== home) await on(home, `cmhaltpkg ${packageName}; cmrunpkg -n ${home} ${packageName}`);
  await on(home, `cmmodpkg -e ${packageName}`);
  await eventually(`the package to serve from ${home}`, isServed, 40_000);
  // What clients noticed of the way here is no news of the test.
  await drills.waitSeen();
  await drills.waitClients();
}

/**
 * A story in chapters: each is a test of its own, and plays those before it that were not played yet, so that any of them can run alone or in any
 * order. `timeoutMs`: for one chapter. A chapter marked `long` is only part of it with `npm run every-step`.
 */
export function story(timeoutMs: number) {
  const chapters: (() => Promise<void>)[] = [];
  const chapter = (title: string, play: () => Promise<void>): void => {
    let played: Promise<void> | null = null;
    chapters.push(() => (played ??= play()));
    const before = [...chapters];
    it(title, { timeout: timeoutMs * before.length }, async () => {
      for (const one of before) await one();
    });
  };
  const longChapter = (title: string, play: () => Promise<void>): void => {
    if (everyStep) chapter(`${title}${longMark}`, play);
    else it.skip(`${title}${longMark}`, play);
  };
  return { chapter, longChapter };
}
