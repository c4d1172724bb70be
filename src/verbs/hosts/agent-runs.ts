import { errorProblem, Failure, failure, Interrupted, type Problem } from '../../base/problem.ts';
import { agentLimitSeconds } from '../../cluster/hosts/host-setup.ts';
import { chunksOf, parseRuns, type RemoteRunWish, runLimitMs, runScript } from '../../cluster/procedures/remote-run.ts';
import type { HostRun } from '../../cluster/procedures/run-outputs.ts';
import { inParallel } from '../../cluster/remote/observation.ts';
import { rosterIn, rosterLines } from '../../cluster/remote/roster-look.ts';
import { script } from '../../cluster/remote/shell-text.ts';
import { newestRoster, type Roster, type RosterHost } from '../../contract/roster.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { whyNoAnswer } from '../../host/admin/no-answer.ts';
import type { Settings } from '../../settings/settings.ts';
import { hostsBar } from '../common/meter.ts';

export const usage = (text: string, remedy: string): Problem => errorProblem('usage', text, remedy);

/** The newest one of the members. */
export async function rosterOf(shell: MemberShell, { members, packageDirectory }: Settings): Promise<Roster> {
  const look = script(...rosterLines(packageDirectory));
  const read = await inParallel(members, async (member) => rosterIn((await shell.run(member, look, lookLimitMs)).stdout, member));
  return newestRoster(read);
}

/** Members and clients that are set up. */
export async function rosterHosts(shell: MemberShell, settings: Settings): Promise<readonly RosterHost[]> {
  const { members, clients } = await rosterOf(shell, settings);
  return [...members, ...clients];
}

/** The failures by host, for another verb. */
export async function runQuietly(
  shell: MemberShell,
  settings: Settings,
  member: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const hosts = wanted(names, await rosterHosts(shell, settings));
  const runs = await runOnAll(shell, settings, member, hosts, { timeoutSeconds: agentLimitSeconds, parallel: 16, classes: [] });
  return new Map(runs.flatMap(({ host, outcome }) => (outcome === 'ran' ? [] : [[host, outcome]])));
}

const lookLimitMs = 20_000;

/** The named hosts, each once, with their roster entry; none named: all of the roster. Throws a Failure if there is none. */
export function wanted(named: readonly string[], roster: readonly RosterHost[]): readonly RosterHost[] {
  const known = new Map(roster.map((host) => [host.name, host]));
  const hosts = named.length === 0 ? roster : [...new Set(named)].map((name) => known.get(name) ?? { name, addresses: [] });
  if (hosts.length > 0) return hosts;
  throw new Failure([usage('no host was named, and none is set up', 'csync sync HOST...')]);
}

/** `show` gets the progress. */
export async function runOnAll(
  shell: MemberShell,
  settings: Settings,
  member: string,
  hosts: readonly RosterHost[],
  wish: RemoteRunWish,
  show: (text: string) => void = () => {},
): Promise<HostRun[]> {
  const runs: HostRun[] = [];
  show(hostsBar(0, hosts.length, 0));
  for (const chunk of chunksOf(hosts, wish.parallel)) {
    const limitMs = runLimitMs(chunk.length, wish);
    const answer = await shell.run(member, runScript(settings, chunk, wish), limitMs).catch((error: unknown) => {
      if (!(error instanceof Interrupted)) throw error;
      const left = hosts.length - runs.length;
      const text = `interrupted: ${runs.length} hosts are done, ${left} are not; started agents continue`;
      throw failure('interrupted-sync', text, 'run csync sync again: it runs the agent on all hosts');
    });
    const read = parseRuns(answer.stdout, settings, chunk);
    // Reported once, not as many hosts without an answer.
    if (runs.length === 0 && answer.exitCode !== 0 && read.every(({ reason }) => reason === 'lost')) {
      const { why, remedy } = whyNoAnswer(member, answer, limitMs);
      throw failure('cluster-unreachable', `no agent was run: ${why}`, remedy, member);
    }
    runs.push(...read);
    show(hostsBar(runs.length, hosts.length, runs.filter(({ outcome }) => outcome !== 'ran').length));
  }
  return runs;
}
