/** Reads everything that a set-up needs: the cluster, the package, the roster, every host, the master's policy. */

import { isUtf8 } from 'node:buffer';
import { failure } from '../../base/problem.ts';
import { shellWord } from '../../base/shell-word.ts';
import type { CfengineAdapter } from '../../cfengine/adapter.ts';
import { canNameKeys } from '../../cfengine/keys.ts';
import { newestRoster, parseRoster, type Roster, rosterName } from '../../contract/roster.ts';
import { engineFor, engineShell } from '../../engine/choice/engine-for.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { type NoAnswer, rootRemedy, whyNoAnswer } from '../../host/admin/no-answer.ts';
import type { Settings } from '../../settings/settings.ts';
import { hostLook, type PolicyContent } from '../hosts/host-look.ts';
import type { HostKind } from '../hosts/key-layout.ts';
import { type Look, untimed } from '../remote/answers.ts';
import { type ClusterObservation, inParallel, observe } from '../remote/observation.ts';
import { commandScript, hostScript, rootLine } from '../remote/shell-text.ts';
import { printedFiles, printFiles } from '../remote/whole-files.ts';
import type { SeenHost } from './setup-plan.ts';

export interface SetupView {
  readonly observation: ClusterObservation;
  readonly roster: Roster;
  /** Every checked member, and every requested client. */
  readonly hosts: ReadonlyMap<string, SeenHost>;
  /** Members of the cluster, as its engine reports them. null: unknown. */
  readonly clusterMembers: readonly string[] | null;
  /** The active member, if it answers. */
  readonly owner: string | null;
  /** The master's files by name below the served directory. null: the package runs on no reachable member. */
  readonly masterFiles: ReadonlyMap<string, PolicyContent> | null;
  readonly packageAddress: string;
}

export interface LookPlace {
  readonly settings: Settings;
  readonly adapter: CfengineAdapter;
  /** The served directory on the policy file system, and the directories below it that are read. */
  readonly served: { readonly base: string; readonly directories: readonly string[] };
  /** Whether the daemons start with a host. */
  readonly boot: Look<boolean>;
}

const lookLimitMs = 30_000;
/** For reading the whole policy. */
const policyLimitMs = 60_000;
/** Parallel clients: each is an ssh process here. */
export const clientsAtOnce = 32;

/** Every member of the settings and of the cluster. Unreachable hosts carry the reason. A Failure: the master's policy is unreadable. */
export async function lookAtSetup(shell: MemberShell, place: LookPlace): Promise<SetupView> {
  const { settings } = place;
  if (!canNameKeys())
    throw failure(
      'here-fips',
      'the Node.js that runs csync here refuses MD5 (FIPS mode), so csync cannot recognize any key of cfengine',
      'run csync with bin/node of nodejs.org, or on a host without FIPS mode: docs/how-to/hardened/selinux.md',
    );
  const first = await observe(shell, settings);
  const states = first.memberStates;
  const wanted = [...new Set([...settings.members, ...(states?.keys() ?? [])])];
  const others = wanted.filter((member) => !settings.members.includes(member));
  const observation = others.length === 0 ? first : await observe(shell, { ...settings, members: wanted });
  const owner = ownerOf(observation);
  const [seen, masterFiles] = await Promise.all([
    inParallel(wanted, (member) => lookAtHost(shell, place, member, 'member')),
    owner === null ? null : readMasterFiles(shell, owner, place.served),
  ]);
  return {
    observation,
    roster: newestRoster(seen.map(({ name, facts }) => (facts?.roster == null ? null : parseRoster(facts.roster, name)))),
    hosts: new Map(seen.map((one) => [one.name, one])),
    clusterMembers: states === null ? null : [...states.keys()],
    owner,
    masterFiles,
    packageAddress: settings.packageAddress,
  };
}

/** The same view with clients added. `onLooked` is called for each checked client. */
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

function hostLookOf({ settings, adapter, boot }: LookPlace, kind: HostKind) {
  const roster = `"$(${engineShell.tryBegin}; echo "${settings.packageDirectory}/${rosterName}")"`;
  const look = hostLook(adapter, settings, kind === 'member' ? roster : null);
  return { script: hostScript(...boot.lines, ...look.lines), look };
}

/** The scripts that lookAtSetup runs on members, besides those of observe. */
export const lookScripts = (place: LookPlace): { readonly member: string; readonly masterFiles: string } => ({
  member: hostLookOf(place, 'member').script,
  masterFiles: masterFilesScript(place.served, mostTreeBytes),
});

async function lookAtHost(shell: MemberShell, place: LookPlace, name: string, kind: HostKind): Promise<SeenHost> {
  const { boot } = place;
  const { script, look } = hostLookOf(place, kind);
  const answer = await shell.run(name, script, lookLimitMs);
  const said = untimed(answer.stdout);
  const facts = answer.exitCode === 0 ? look.read(said) : null;
  if (facts?.root !== true) {
    const cut = { why: 'its answer was cut short', remedy: 'run the same command again' };
    // To another user the keys and the policy of root look as if they were missing.
    const stranger = { why: 'ssh connects, but not as root', remedy: rootRemedy(name) };
    const noAnswer = answer.exitCode !== 0 ? whyNoAnswer(name, answer, lookLimitMs) : facts === null ? cut : stranger;
    return { name, kind, facts: null, noAnswer, startsAtBoot: false };
  }
  return { name, kind, facts, noAnswer: null, startsAtBoot: boot.read(said) };
}

/** Of the whole policy, which is read into memory, and of its answer: base64 and names. */
const mostTreeBytes = 64 * 1024 * 1024;
const mostAnswerBytes = 2 * mostTreeBytes;
/** While files change meanwhile. */
const tries = 4;

/** Prints every file below the served directory, or how large they are together. Exits with a status for what cannot be read. */
export function masterFilesScript({ base, directories }: LookPlace['served'], mostBytes: number): string {
  return hostScript(
    rootLine,
    // Missing: nothing was ever published.
    `cd ${shellWord(base)} 2>/dev/null || { [ ! -e ${shellWord(base)} ] || exit 1; echo whole; exit 0; }`,
    `set --; for directory in ${directories.map((name) => shellWord(`./${name}`)).join(' ')}; do [ ! -e "$directory" ] || set -- "$@" "$directory"; done`,
    '[ $# -gt 0 ] || { echo whole; exit 0; }',
    'sizes=$(find -H "$@" -type f ! -name \'.*\' -exec stat -c %s {} +) || exit 1',
    'bytes=0; files=0; for size in $sizes; do bytes=$((bytes + size)); files=$((files + 1)); done',
    `[ $bytes -le ${mostBytes} ] || { echo "large $bytes $files"; exit 0; }`,
    `find -H "$@" -type f ! -name '.*' ${printFiles('printf "%s\\0" "$@"', true)} || exit 1`,
    'echo whole',
  );
}

/** The policy on the policy file system. A Failure where it cannot be read as a whole: what is not known cannot be published. */
async function readMasterFiles(
  shell: MemberShell,
  owner: string,
  served: LookPlace['served'],
): Promise<ReadonlyMap<string, PolicyContent>> {
  for (let left = tries; ; left -= 1) {
    const answer = await shell.run(owner, masterFilesScript(served, mostTreeBytes), policyLimitMs, mostAnswerBytes);
    const read = answer.exitCode === 0 ? parseMasterFiles(answer.stdout) : null;
    if (read !== null && !('bytes' in read)) return read;
    if (read === null && answer.exitCode === 0 && left > 1) continue;
    const { why, remedy } = read === null ? whyNoAnswer(owner, answer, policyLimitMs) : tooLarge(read);
    const text = `the policy of the master cannot be read, so nothing was changed: ${why}`;
    throw failure('cluster-policy-unreadable', text, remedy, owner);
  }
}

interface Large {
  readonly bytes: number;
  readonly files: number;
}

function tooLarge({ bytes, files }: Large): NoAnswer {
  const size = (of: number): string => `${Math.ceil(of / 1024 ** 2)} MB`;
  return {
    why: `it has ${size(bytes)} in ${files} files, and csync reads at most ${size(mostTreeBytes)}`,
    remedy: 'move packages and other large files out of masterfiles, into a directory of their own below the policy directory',
  };
}

/** Reads what masterFilesScript printed; null: not all of it, or changed meanwhile. */
export function parseMasterFiles(output: string): ReadonlyMap<string, PolicyContent> | Large | null {
  const [, bytes, files] = /^large (\d+) (\d+)$/m.exec(output) ?? [];
  if (bytes !== undefined) return { bytes: Number(bytes), files: Number(files) };
  if (!/^whole$/m.test(output)) return null;
  const found = printedFiles(output.split('\n').map((line) => line.split(' ')));
  return found && new Map(found.map(({ entry, content }) => [entry.replace(/^\.\//, ''), contentOf(content)]));
}

const contentOf = (bytes: Buffer): PolicyContent => (isUtf8(bytes) ? bytes.toString('utf8') : bytes);

/** Version of the engine. null: unknown. */
export async function engineVersion(shell: MemberShell, member: string, settings: Settings): Promise<string | null> {
  const { version, readVersion } = engineFor(settings).observation;
  const answer = await shell.run(member, commandScript(version, settings.packageDirectory), lookLimitMs);
  return readVersion(answer.stdout);
}
