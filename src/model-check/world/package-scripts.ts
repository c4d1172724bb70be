/**
 * The scripts of a package as its package manager runs them. Those of a legacy package are shipped. For a modular one Serviceguard's
 * modules run between our two scripts: their order, retries and rollback are those of the lab
 * (src/lab/emulation/scripts/control-script.ts), from serviceguard.md 3.2, 3.3 and 4.3.
 */

import { deviceOf } from '../../contract/policy-file-system.ts';
import type { MemberLog } from '../../host/member/member-log.ts';
import { haltRole, haltWithoutSettings, startRole, startWithoutSettings } from '../../member/programs/roles.ts';
import type { Role } from '../../member/steps/parts.ts';
import type { ScriptContext } from '../../member/steps/script.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Gate } from '../../simulated/gate.ts';
import { givenUp, givenUpExit, supervise } from './supervised.ts';
import { digestOf, directory, type Place, WorldHost } from './world-host.ts';

export type Word = 'start' | 'halt';
export type Log = MemberLog['line'];

/** Thrown by a host call when its script is killed with SIGKILL. */
export class ScriptKilled extends Error {}

interface Run {
  readonly place: Place;
  readonly gate: Gate;
  readonly settings: Settings;
  readonly host: WorldHost;
  readonly log: MemberLog;
}

/** Exit status of a start or halt of the package on this member. */
export async function runPackageScript(
  word: Word,
  place: Place,
  gate: Gate,
  settings: Settings,
  say: Log = () => {},
): Promise<number> {
  const log: MemberLog = { line: say, plain: () => {}, flush: async () => {}, alarm: () => {} };
  const run: Run = { place, gate, settings, host: new WorldHost(place, gate, settings), log };
  if (settings.packageStyle === 'legacy') return ourScript(run, word, 'legacy');
  return word === 'start' ? modularStart(run) : modularHalt(run);
}

/** One of our scripts with its launcher: a killed one counts as 1; one that hangs is stopped. */
async function ourScript(run: Run, word: Word, role: Role): Promise<number> {
  const { place, gate } = run;
  const status = await supervise(gate, (own) => scriptItself({ ...run, gate: own }, word, role, false));
  if (status !== givenUp) return status;
  if (role !== 'legacy') {
    const isHeld = word === 'halt' && role !== 'main' && gate.look(() => place.world.mounted) === 'yes';
    return givenUpExit(word, role, { isHeld, isTakenBack: false });
  }
  const halted = await supervise(gate, (own) => scriptItself({ ...run, gate: own }, 'halt', role, true));
  return givenUpExit(word, role, { isHeld: false, isTakenBack: halted === 0 });
}

async function scriptItself({ place, gate, settings, log }: Run, word: Word, role: Role, hurried: boolean): Promise<number> {
  const host = new WorldHost(place, gate, settings);
  const context: ScriptContext = {
    ...host.context(),
    directory,
    digest: digestOf(settings),
    role,
    logFile: null,
    dryRun: false,
    hurried,
    log,
  };
  try {
    // The digest that Serviceguard passes differs from that of a half-written directory.
    if (role !== 'legacy' && gate.look(() => place.world.files) === 'mixed') {
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

/** Retries of umount and of the deactivation, as in the rendered package file. */
const attempts = 3;

const volumeGroup: Phase = {
  start: async (run) => {
    const { members, index, down } = run.place;
    const { volumeGroup: group } = run.settings;
    const gone = run.gate.look(() => members.filter((_, other) => other !== index && down(other)));
    for (const member of gone) await succeeds(run, 'vgchange', '--deltag', member, group);
    await required(run, 'vgchange', '--addtag', run.host.nodeName, group);
    await required(run, 'vgchange', '-a', 'y', group);
  },
  halt: async (run) => {
    const { volumeGroup: group } = run.settings;
    await retried(run, ['vgchange', '-a', 'n', group], attempts, async () => {});
    await required(run, 'vgchange', '--deltag', run.host.nodeName, group);
  },
};

const fileSystem: Phase = {
  start: async (run) => {
    const { mountPoint } = run.settings;
    await required(run, 'fsck', '-p', deviceOf(run.settings));
    if (run.host.mounts().length > 0) throw new PhaseFailure(1);
    await required(run, 'mount', deviceOf(run.settings), mountPoint);
  },
  halt: async (run) => {
    const { mountPoint } = run.settings;
    if (run.host.mounts().length === 0) return;
    await retried(run, ['umount', mountPoint], attempts, () => succeeds(run, 'fuser', '-k', '-m', mountPoint));
  },
};

const packageAddress: Phase = {
  start: async (run) => {
    const { packageAddress: address, packageSubnet } = run.settings;
    await required(run, 'cmmodnet', '-a', '-i', address, packageSubnet);
  },
  halt: async (run) => {
    const { packageAddress: address, packageSubnet } = run.settings;
    if (run.gate.look(() => run.place.world.address) === 'no') return;
    await required(run, 'cmmodnet', '-r', '-i', address, packageSubnet);
  },
};

function setMonitor({ place, gate }: Run, monitor: 'yes' | 'no', what: string): Promise<void> {
  return gate.actLater(what, () => {
    place.world = { ...place.world, monitor };
  });
}

const service: Phase = {
  start: (run) => setMonitor(run, 'yes', 'the monitor starts'),
  halt: (run) => setMonitor(run, 'no', 'the monitor is halted'),
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
