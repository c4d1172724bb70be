/** `csync rehearse`: looks whether the package would start on each member, and why not. Changes nothing. */
import { script } from '../cluster/member-scripts.ts';
import { inParallel } from '../cluster/observation.ts';
import { lookAtSetup, withClientsSeen } from '../cluster/setup-look.ts';
import { judgeStatus } from '../cluster/status.ts';
import type { MemberShell } from '../host/member-shell.ts';
import { readTextFile } from '../host/real.ts';
import type { ExitCode } from '../problem.ts';
import type { ReadyReport } from '../rehearsal/model.ts';
import { judgeReadiness, type ReadyInput, type ScriptSaid } from '../rehearsal/ready.ts';
import { launcherNames, type RenderedFile } from '../render/package.ts';
import type { Settings } from '../settings.ts';
import { lookAtCluster } from './check.ts';
import { verifiedHandshakes } from './keys.ts';
import { onMembers } from './members.ts';
import { type ResultPlaces, reportRehearsal } from './rehearsal-results.ts';
import { type PackageSources, packageHere } from './render.ts';
import { setupPlace } from './setup-place.ts';
import { lookAtStatus } from './status.ts';
import { findSettings } from './toolkit.ts';

export interface RehearseOptions extends PackageSources, ResultPlaces {}

const limitMs = 60_000;
/** Every lab host has it; no other host does. */
const labMark = '/etc/csync-lab.json';

/** Status 1: a member would not start the package, or it does not serve now. */
export async function rehearse(options: RehearseOptions): Promise<ExitCode | number> {
  const { settings, files } = await packageHere(options);
  const place = readTextFile(labMark) === null ? 'cluster' : 'lab';
  return onMembers('keeping connections', async (shell) => {
    const ready = await lookWhetherReady(shell, { settings, files, options });
    const { packageName, members } = settings;
    const told = { place, packageName, members, clients: [], probe: '', ready, drills: [] } as const;
    return reportRehearsal(options, told, options.settings);
  });
}

interface Looked {
  readonly settings: Settings;
  readonly files: readonly RenderedFile[];
  readonly options: PackageSources;
}

/** What csync check, status and keys verify look at, and the package's own validate and start --dry-run. */
export async function lookWhetherReady(shell: MemberShell, { settings, files, options }: Looked): Promise<ReadyReport> {
  const status = await lookAtStatus(shell, settings, files);
  const check = await lookAtCluster(shell, settings);
  const reached = status.members.filter(({ seen }) => seen !== null).map(({ member }) => member);
  const owner = status.status?.owner ?? null;
  const names = launcherNames(settings.packageStyle);
  const [first = '', before = first] = names;
  const call = async (words: (member: string) => string): Promise<Map<string, ScriptSaid>> => {
    const said = await inParallel(reached, async (member): Promise<[string, ScriptSaid]> => {
      // As Serviceguard calls them: with nothing of our environment.
      const line = script(`exec env -i "${settings.packageDirectory}"/${words(member)} < /dev/null`);
      const { exitCode, stdout, stderr } = await shell.run(member, line, limitMs);
      return [member, { exitCode, output: `${stdout}${stderr}` }];
    });
    return new Map(said);
  };
  return judgeReadiness({
    status,
    verdict: judgeStatus(status),
    check,
    validate: await call(() => `${first} validate`),
    // Where it does not run, what comes behind storage and address has nothing to stand on yet.
    dryRun: await call((member) => `${member === owner ? first : before} start --dry-run`),
    handshakes: await keysOf(shell, options),
  });
}

/** null: csync has set up nobody. */
async function keysOf(shell: MemberShell, options: PackageSources): Promise<ReadyInput['handshakes']> {
  const source = findSettings(options.settings === 'csync.yaml' ? undefined : options.settings);
  const place = setupPlace(source, options.templates);
  const view = await lookAtSetup(shell, place, []);
  if (view.roster.serial === 0) return null;
  const clients = view.roster.clients.map(({ name }) => name);
  return verifiedHandshakes(await withClientsSeen(shell, place, view, clients), source.settings).all;
}
