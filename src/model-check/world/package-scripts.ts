/**
 * The scripts of a package as its package manager runs them, on any simulated host. A legacy package's are shipped. For a modular one
 * Serviceguard's modules run between ours; order, retries and rollback are the lab's (src/lab/emulation/scripts/control-script.ts), from
 * serviceguard.md 3.2, 3.3 and 4.3.
 */

import { deviceOf } from '../../contract/policy-file-system.ts';
import type { MemberLog } from '../../host/member/member-log.ts';
import { judgeMountPoint } from '../../member/judgements.ts';
import { haltRole, haltWithoutSettings, startRole, startWithoutSettings } from '../../member/programs/roles.ts';
import type { Role } from '../../member/steps/parts.ts';
import type { ScriptContext } from '../../member/steps/script.ts';
import type { Gate } from '../../simulated/gate.ts';
import type { SimulatedHost } from '../../simulated/simulated-host.ts';
import { givenUp, givenUpExit, supervise } from './supervised.ts';
import { digestOf, directory } from './world-host.ts';

export type Word = 'start' | 'halt';

/** Thrown by a host call when the script is killed with SIGKILL. */
export class ScriptKilled extends Error {}

/** A member's host; every call passes this gate. */
type Behind = (gate: Gate) => SimulatedHost;

interface Run {
  readonly gate: Gate;
  readonly behind: Behind;
  readonly host: SimulatedHost;
  readonly log: MemberLog;
}

/** Returns the exit status. */
export async function runPackageScript(word: Word, behind: Behind, gate: Gate): Promise<number> {
  const log: MemberLog = { line: () => {}, plain: () => {}, flush: async () => {}, alarm: () => {} };
  const run: Run = { gate, behind, host: behind(gate), log };
  if (run.host.settings.packageStyle === 'legacy') return ourScript(run, word, 'legacy');
  return word === 'start' ? modularStart(run) : modularHalt(run);
}

/** With its launcher: a killed script counts as 1; one that hangs is stopped. */
async function ourScript(run: Run, word: Word, role: Role): Promise<number> {
  const { gate, host } = run;
  const status = await supervise(gate, (own) => outerPart({ ...run, gate: own }, word, role));
  if (status !== givenUp) return status;
  if (role !== 'legacy') {
    const isHeld = word === 'halt' && role !== 'main' && gate.look(() => host.mounted.length > 0);
    return givenUpExit(word, role, { isHeld, isTakenBack: false });
  }
  const halted = await supervise(gate, (own) => scriptItself({ ...run, gate: own }, 'halt', role, true));
  return givenUpExit(word, role, { isHeld: false, isTakenBack: halted === 0 });
}

/**
 * While nothing is mounted and the mount point is empty, the launcher itself decides the outer parts of a modular package; otherwise the
 * script does. The daemon starts beside a halt.
 */
async function outerPart(run: Run, word: Word, role: Role): Promise<number> {
  const host = run.behind(run.gate);
  const isFree = (): boolean => judgeMountPoint(host.settings, host.mounts(), host.list(host.settings.mountPoint)) === null;
  if (role !== 'pre' || !isFree()) return scriptItself(run, word, role, false);
  await host.run(['chattr', '+i', '.']);
  if (word === 'halt') host.detach(['daemon']);
  return 0;
}

async function scriptItself({ behind, gate, log }: Run, word: Word, role: Role, hurried: boolean): Promise<number> {
  const host = behind(gate);
  const context: ScriptContext = {
    ...host.context(),
    directory,
    digest: () => digestOf(host.settings),
    role,
    logFile: null,
    dryRun: false,
    hurried,
    log,
  };
  try {
    // The digest from Serviceguard differs from that of a half-written directory.
    if (role !== 'legacy' && gate.look(() => host.isMixed)) {
      if (word === 'start') return startWithoutSettings();
      return haltWithoutSettings({ code: 'settings-damaged', text: 'digest' }, host, role);
    }
    return await (word === 'start' ? startRole(context) : haltRole(context));
  } catch (error) {
    if (error instanceof ScriptKilled) return 1;
    throw error;
  }
}

class PhaseFailure extends Error {
  readonly exit: number;
  constructor(exit: number) {
    super(`exit ${exit}`);
    this.exit = exit;
  }
}

interface Phase {
  start(run: Run): Promise<void>;
  halt(run: Run): Promise<void>;
}

async function succeeds({ host }: Run, ...argv: readonly string[]): Promise<boolean> {
  return (await host.attend(argv)) === 0;
}

async function required(run: Run, ...argv: readonly string[]): Promise<void> {
  if (!(await succeeds(run, ...argv))) throw new PhaseFailure(1);
}

async function retried(run: Run, argv: readonly string[], attempts: number, between: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; !(await succeeds(run, ...argv)); attempt += 1) {
    if (attempt >= attempts) throw new PhaseFailure(1);
    await between();
  }
}

function external(role: Role): Phase {
  const call = async (run: Run, word: Word): Promise<void> => {
    const exit = await ourScript(run, word, role);
    if (exit !== 0) throw new PhaseFailure(exit === 2 || (exit === 3 && word === 'halt') ? exit : 1);
  };
  return { start: (run) => call(run, 'start'), halt: (run) => call(run, 'halt') };
}

/** Of umount and deactivation, as in the rendered package file. */
const attempts = 3;

const volumeGroup: Phase = {
  start: async (run) => {
    const { nodeName } = run.host;
    const { volumeGroup: group } = run.host.settings;
    const states = run.gate.look(() => run.host.memberStates);
    const gone = Object.keys(states).filter((name) => name !== nodeName && states[name] === 'failed');
    for (const member of gone) await succeeds(run, 'vgchange', '--deltag', member, group);
    await required(run, 'vgchange', '--addtag', run.host.nodeName, group);
    await required(run, 'vgchange', '-a', 'y', group);
  },
  halt: async (run) => {
    const { volumeGroup: group } = run.host.settings;
    await retried(run, ['vgchange', '-a', 'n', group], attempts, async () => {});
    await required(run, 'vgchange', '--deltag', run.host.nodeName, group);
  },
};

const fileSystem: Phase = {
  start: async (run) => {
    const { mountPoint } = run.host.settings;
    await required(run, 'fsck', '-p', deviceOf(run.host.settings));
    if (run.host.mounts().length > 0) throw new PhaseFailure(1);
    await required(run, 'mount', deviceOf(run.host.settings), mountPoint);
  },
  halt: async (run) => {
    const { mountPoint } = run.host.settings;
    if (run.host.mounts().length === 0) return;
    await retried(run, ['umount', mountPoint], attempts, () => succeeds(run, 'fuser', '-k', '-m', mountPoint));
  },
};

const packageAddress: Phase = {
  start: async (run) => {
    const { packageAddress: address, packageSubnet } = run.host.settings;
    await required(run, 'cmmodnet', '-a', '-i', address, packageSubnet);
  },
  halt: async (run) => {
    const { packageAddress: address, packageSubnet } = run.host.settings;
    if (!run.gate.look(() => run.host.addresses.includes(address))) return;
    await required(run, 'cmmodnet', '-r', '-i', address, packageSubnet);
  },
};

function setService({ host, gate }: Run, runs: boolean, what: string): Promise<void> {
  return gate.actLater(what, () => {
    host.service = runs;
  });
}

const service: Phase = {
  start: (run) => setService(run, true, 'the monitor starts'),
  halt: (run) => setService(run, false, 'the monitor is halted'),
};

const phases: readonly Phase[] = [external('pre'), volumeGroup, fileSystem, packageAddress, external('main'), service];

function failureOf(error: unknown): PhaseFailure {
  if (error instanceof PhaseFailure) return error;
  // A killed command of Serviceguard has failed.
  if (error instanceof ScriptKilled) return new PhaseFailure(1);
  throw error;
}

async function modularStart(run: Run): Promise<number> {
  const begun: Phase[] = [];
  try {
    for (const phase of phases) {
      begun.push(phase);
      await phase.start(run);
    }
    return 0;
  } catch (error) {
    const { exit } = failureOf(error);
    for (const phase of begun.reverse()) await phase.halt(run).catch(failureOf);
    return exit;
  }
}

async function modularHalt(run: Run): Promise<number> {
  let worst = 0;
  for (const phase of [...phases].reverse()) {
    try {
      await phase.halt(run);
    } catch (error) {
      const { exit } = failureOf(error);
      if (exit === 3) return 3;
      if (worst === 0) worst = exit;
    }
  }
  return worst;
}
