/** Looking at everything a set-up rests on: the cluster, the package, the roster, every host, the master's policy. */

import { shellWord } from '../../base/shell-word.ts';
import type { CfengineAdapter } from '../../cfengine/adapter.ts';
import { newestRoster, parseRoster, type Roster, rosterName } from '../../contract/roster.ts';
import { engineFor, engineShell } from '../../engine/choice/engine-for.ts';
import { type MemberShell, whyNoAnswer } from '../../host/admin/member-shell.ts';
import type { Settings } from '../../settings/settings.ts';
import { type HostFacts, hostLines, parseHost } from '../hosts/host-look.ts';
import type { HostKind } from '../hosts/key-layout.ts';
import { type ClusterObservation, inParallel, observe } from '../remote/observation.ts';
import { commandScript, hostScript } from '../remote/shell-text.ts';
import type { SeenHost } from './setup-plan.ts';

export interface SetupView {
  readonly observation: ClusterObservation;
  readonly roster: Roster;
  /** Every member that was looked at, and every client that was asked for. */
  readonly hosts: ReadonlyMap<string, SeenHost>;
  /** Members of the cluster, by its engine; null: it does not say. */
  readonly clusterMembers: readonly string[] | null;
  /** Where the package runs, when that answers. */
  readonly owner: string | null;
  /** What the master serves, by name below the served directory; null: the policy file system is mounted nowhere we can look. */
  readonly masterFiles: ReadonlyMap<string, string> | null;
  readonly packageAddress: string;
}

export interface LookPlace {
  readonly settings: Settings;
  readonly adapter: CfengineAdapter;
  /** What is served: the directory on the policy file system, and those below it that are looked at. */
  readonly served: { readonly base: string; readonly directories: readonly string[] };
  /** Lines that show whether the daemon starts at boot, and their reader. */
  readonly bootLines: readonly string[];
  readonly startsAtBoot: (output: string) => boolean;
}

const lookLimitMs = 30_000;
/** Of a policy that is looked at as a whole. */
const policyLimitMs = 60_000;
/** Clients at the same time: each is a process of ssh here. */
export const clientsAtOnce = 32;

/** Every member of the settings and of the cluster, and `members`. Never throws for one that cannot be looked at; it says so. */
export async function lookAtSetup(shell: MemberShell, place: LookPlace, members: readonly string[]): Promise<SetupView> {
  const { settings } = place;
  const first = await observe(shell, settings);
  const states = first.memberStates;
  const wanted = [...new Set([...settings.members, ...members, ...(states?.keys() ?? [])])];
  const others = wanted.filter((member) => !settings.members.includes(member));
  const observation = others.length === 0 ? first : await observe(shell, { ...settings, members: wanted });
  const owner = ownerOf(observation);
  const [seen, masterFiles] = await Promise.all([
    inParallel(wanted, (member) => lookAtHost(shell, place, member, 'member')),
    owner === null ? null : readMasterFiles(shell, owner, place.served),
  ]);
  return {
    observation,
    roster: newestRoster(seen.map(({ facts }) => (facts?.roster == null ? null : parseRoster(facts.roster)))),
    hosts: new Map(seen.map((one) => [one.name, one])),
    clusterMembers: states === null ? null : [...states.keys()],
    owner,
    masterFiles,
    packageAddress: settings.packageAddress,
  };
}

/** The same view with clients in it. `onLooked` hears of each that was looked at. */
export async function withClientsSeen(
  shell: MemberShell,
  place: LookPlace,
  view: SetupView,
  clients: readonly string[],
  onLooked: () => void = () => {},
): Promise<SetupView> {
  const seen = await inParallel(
    clients.filter((name) => !view.hosts.has(name)),
    async (name) => {
      const one = await lookAtHost(shell, place, name, 'client');
      onLooked();
      return one;
    },
    clientsAtOnce,
  );
  return { ...view, hosts: new Map([...view.hosts, ...seen.map((one) => [one.name, one] as const)]) };
}

function ownerOf({ status, members }: ClusterObservation): string | null {
  const owner = status?.owner ?? null;
  return owner !== null && members.some((one) => one.reached && one.member === owner) ? owner : null;
}

async function lookAtHost(shell: MemberShell, place: LookPlace, name: string, kind: HostKind): Promise<SeenHost> {
  const { settings, adapter, bootLines, startsAtBoot } = place;
  const roster = `"$(${engineShell.tryBegin}; echo "${settings.packageDirectory}/${rosterName}")"`;
  const lines = [...bootLines, ...hostLines(adapter, settings, kind === 'member' ? roster : null)];
  const answer = await shell.run(name, hostScript(...lines), lookLimitMs);
  const facts: HostFacts | null = answer.exitCode === 0 ? parseHost(answer.stdout, settings.packageSubnet) : null;
  if (facts === null) {
    const noAnswer =
      answer.exitCode === 0 ? { why: 'its answer was cut short', remedy: 'try again' } : whyNoAnswer(name, answer, lookLimitMs);
    return { name, kind, facts: null, noAnswer, startsAtBoot: false };
  }
  return { name, kind, facts, noAnswer: null, startsAtBoot: startsAtBoot(answer.stdout) };
}

/** Texts of the policy on the policy file system; null when it cannot be read whole. */
async function readMasterFiles(
  shell: MemberShell,
  owner: string,
  { base, directories }: LookPlace['served'],
): Promise<ReadonlyMap<string, string> | null> {
  const lines = [
    // Not there yet: nothing was ever published.
    `cd ${shellWord(base)} 2>/dev/null || { echo whole; exit 0; }`,
    `find ${directories.map((name) => shellWord(`./${name}`)).join(' ')} -type f ! -name '.*' -exec sh -c 'for file; do printf "file %s %s\\n" "$(printf %s "\${file#./}" | base64 -w 0)" "$(base64 -w 0 < "$file")"; done' sh {} + 2>/dev/null; echo whole`,
  ];
  const answer = await shell.run(owner, hostScript(...lines), policyLimitMs);
  if (answer.exitCode !== 0 || !/^whole$/m.test(answer.stdout)) return null;
  const text = (word: string): string => Buffer.from(word, 'base64').toString('utf8');
  return new Map(
    [...answer.stdout.matchAll(/^file (\S+) (\S*)$/gm)].map(([, name = '', content = '']) => [text(name), text(content)]),
  );
}

/** The version of the engine; null where it says none. */
export async function engineVersion(shell: MemberShell, member: string, settings: Settings): Promise<string | null> {
  const { version, readVersion } = engineFor(settings).observation;
  const answer = await shell.run(member, commandScript(version, settings.packageDirectory), lookLimitMs);
  return readVersion(answer.stdout);
}
