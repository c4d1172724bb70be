/** Plans the stages of work from the observed hosts to the wanted set-up. A dry run prints the same list that is carried out. Pure. */

import { errorProblem, type Problem } from '../../base/problem.ts';
import type { CfengineAdapter } from '../../cfengine/adapter.ts';
import { sha256 } from '../../contract/package-directory.ts';
import type { Roster } from '../../contract/roster.ts';
import type { NoAnswer } from '../../host/admin/no-answer.ts';
import type { Settings } from '../../settings/settings.ts';
import { type ApplyPlan, type ApplyWish, stepText } from '../apply/apply-plan.ts';
import { type HostFacts, nextPairNames, type PolicyContent, staleInputs } from '../hosts/host-look.ts';
import { type HostStep, hostStepText, isKeyChange, noChange, type PairChange } from '../hosts/host-setup.ts';
import { changeKeys, type HostKind, type KeyChange, wantedKeys } from '../hosts/key-layout.ts';
import type { PolicyPlace } from '../policy/look.ts';
import type { PublicationOrder } from '../policy/scripts.ts';

export interface SeenHost {
  readonly name: string;
  readonly kind: HostKind;
  /** null: not reachable. */
  readonly facts: HostFacts | null;
  readonly noAnswer: NoAnswer | null;
  /** Its daemon starts at boot as the toolkit sets it up. */
  readonly startsAtBoot: boolean;
}

/** The served files on the policy file system: the master copies of the policy, and the public keys of the cluster. */
export interface PublishStep extends PublicationOrder {
  readonly member: string;
  readonly place: PolicyPlace;
}

export type Stage =
  /** Chains of steps, one a host, side by side; a failed step skips the rest of its host. */
  | { readonly stage: 'hosts'; readonly chains: ReadonlyMap<string, readonly HostStep[]> }
  | { readonly stage: 'package'; readonly plan: ApplyPlan; readonly wish: ApplyWish }
  | { readonly stage: 'publish'; readonly publish: PublishStep }
  /** The active member runs the agents of these hosts. */
  | { readonly stage: 'remote run'; readonly member: string; readonly hosts: readonly string[] };

export interface SetupPlan {
  readonly stages: readonly Stage[];
  readonly notes: readonly string[];
  /** Work that cannot be done now, and is pending. */
  readonly waits: readonly { readonly host: string; readonly why: string; readonly remedy: string }[];
}

/** One line for each action. */
export function stageTexts(stage: Stage): string[] {
  switch (stage.stage) {
    case 'hosts':
      return [...stage.chains.values()].flat().map(hostStepText);
    case 'package':
      return stage.plan.steps.map(stepText);
    case 'publish': {
      const { member, write, remove } = stage.publish;
      const parts = [
        ...(write.length > 0 ? [`write ${write.map(({ name }) => name).join(' ')}`] : []),
        ...(remove.length > 0 ? [`remove ${remove.join(' ')}`] : []),
      ];
      return [`${member}: publish the policy after the parser's check: ${parts.join('; ')}`];
    }
    case 'remote run':
      return [
        `${stage.member}: run the agent on ${stage.hosts.length === 1 ? stage.hosts[0] : `${stage.hosts.length} hosts`} (remote run)`,
      ];
  }
}

export interface HostGoal {
  readonly settings: Settings;
  readonly adapter: CfengineAdapter;
  /** The wanted roster: decides whom the host trusts. */
  readonly roster: Roster;
  /** The first policy of the host. */
  readonly inputs: ReadonlyMap<string, PolicyContent>;
  /** The policy is that of the master. Otherwise a host keeps its files and gets only missing ones. */
  readonly served: boolean;
  /** The package runs there. */
  readonly owner: string | null;
}

export interface HostPlan {
  readonly steps: readonly HostStep[];
  readonly problems: readonly Problem[];
}

/** The first five of the guide's seven steps, which concern the host itself [dsau-csync.md 6.2]; the same for a client. */
export function planHost(seen: SeenHost, facts: HostFacts, goal: HostGoal): HostPlan {
  const { settings, adapter, roster, inputs, served } = goal;
  const { name: host, kind } = seen;
  const { others, ...change } = changeKeys(wantedKeys(kind, roster, settings), facts.keys, roster, settings);
  const own = pairChange(kind, facts, roster);
  const isOpen = facts.keyDirectoryMode !== null && (facts.keyDirectoryMode & 0o077) !== 0;
  const modes = [...change.modes, ...(((facts.privateKey?.mode ?? 0) & 0o077) === 0 ? [] : ['localhost.priv'])];
  const keys = { ...noChange, ...change, modes, remove: [...change.remove, ...staleNextPair(facts, own, roster)] };
  const stale = staleInputs(inputs, facts.inputs).filter((file) => served || !facts.inputs.has(file));
  const renewed = own !== null && own.pair !== 'next';
  const owes = renewed ? 'restart' : (facts.owed ?? (stale.length > 0 ? 'reload' : null));
  const how = facts.daemons === 0 ? 'start' : owes;
  const steps: HostStep[] = [
    ...(facts.leftovers.length > 0 ? [{ do: 'sweep', host } as const] : []),
    ...(seen.startsAtBoot ? [] : [{ do: 'configure', host, configured: true } as const]),
    ...(own !== null || isOpen || isKeyChange(keys) ? [{ do: 'keys', host, own, change: keys } as const] : []),
    ...(stale.length > 0 ? [{ do: 'inputs', host, names: stale } as const] : []),
    ...(how === null || (how === 'reload' && adapter.reloadSignal === null) ? [] : [{ do: 'daemon', host, how } as const]),
  ];
  return { steps, problems: [...missingProblems(seen, facts), ...others.map((other) => otherKeyProblem(host, other))] };
}

function pairChange(kind: HostKind, { own, next }: HostFacts, { key, nextKey, formerKeys, retired }: Roster): PairChange | null {
  if (kind === 'client') return own === null ? { pair: 'given', keep: null } : null;
  if (own !== null && own.digest === key?.digest) return nextKey === null || next === nextKey.digest ? null : { pair: 'next' };
  // A switch to the next pair is running, or was killed there.
  if (own !== null && own.digest === nextKey?.digest) return null;
  if (next !== null && next === key?.digest) return { pair: 'switch' };
  if (own !== null && (retired.includes(own.digest) || formerKeys.some(({ digest }) => digest === own.digest)))
    return { pair: 'given', keep: null };
  return { pair: 'given', keep: own?.digest ?? null };
}

/** A killed switch leaves the pair that it copied, which no later step would remove after the rotation. */
function staleNextPair({ next }: HostFacts, own: PairChange | null, { nextKey }: Roster): KeyChange['remove'] {
  // A pair that is given, switched or revoked cleans up itself.
  const isSeenTo = own !== null && own.pair !== 'given';
  if (next === null || isSeenTo || (nextKey !== null && next === nextKey.digest)) return [];
  return Object.values(nextPairNames).map((name) => ({ name, why: 'no rotation is under way' }));
}

/** The state of a host after these steps; for a pair that is made on the way, only the digest is known. */
export function project(facts: HostFacts, steps: readonly HostStep[], goal: Pick<HostGoal, 'roster' | 'inputs'>): HostFacts {
  return steps.reduce((now, step) => projectStep(now, step, goal), facts);
}

function projectStep(now: HostFacts, step: HostStep, { roster, inputs }: Pick<HostGoal, 'roster' | 'inputs'>): HostFacts {
  switch (step.do) {
    case 'sweep':
      return { ...now, leftovers: [] };
    case 'configure':
      return now;
    case 'keys':
      return { ...now, ...projectKeys(now, step, roster) };
    case 'daemon':
      return { ...now, daemons: step.how === 'stop' ? 0 : Math.max(1, now.daemons), owed: null };
    case 'inputs':
    case 'agent': {
      const names = step.do === 'inputs' ? step.names : [...inputs.keys()];
      return {
        ...now,
        inputs: new Map([...now.inputs, ...names.map((name) => [name, sha256(inputs.get(name) ?? '')] as const)]),
      };
    }
  }
}

function projectKeys(
  now: HostFacts,
  { host, own, change }: Extract<HostStep, { do: 'keys' }>,
  roster: Roster,
): Partial<HostFacts> {
  const gone = new Set([...change.remove, ...change.write].map(({ name }) => name));
  const keys = [
    ...now.keys
      .filter(({ name }) => !gone.has(name))
      .map((one) => (change.modes.includes(one.name) ? { ...one, mode: 0o600 } : one)),
    ...change.write.map(({ name, key }) => ({ name, mode: 0o600, digest: key.digest })),
  ];
  const given = roster.clients.find(({ name }) => name === host)?.key ?? roster.key;
  const privateKey = { sum: '', mode: 0o600 };
  const pair: Partial<HostFacts> =
    own === null
      ? now.privateKey === null || !change.modes.includes('localhost.priv')
        ? {}
        : { privateKey: { ...now.privateKey, mode: 0o600 } }
      : own.pair === 'next'
        ? { next: roster.nextKey?.digest ?? null }
        : own.pair === 'revoked'
          ? { own: null, next: null }
          : { own: given, next: own.pair === 'switch' ? null : now.next, privateKey };
  const next = gone.has(nextPairNames.privateKey) ? { next: null } : {};
  return { keyDirectoryMode: 0o700, keys, leftovers: [], ...pair, ...next };
}

function missingProblems({ name: member }: SeenHost, { missing, enterprise }: HostFacts): Problem[] {
  const problems: Problem[] = [];
  if (missing.length > 0)
    problems.push(
      errorProblem(
        'cluster-no-cfengine',
        `cfengine differs from the settings: ${missing.join(', ')} cannot be run`,
        'install cfengine there, or correct cfengine_generation and cfengine_bin_directory in csync.yaml',
        member,
      ),
    );
  if (enterprise)
    problems.push(
      errorProblem(
        'cluster-enterprise',
        'this is CFEngine Enterprise, which names keys root-SHA=...: it would not find the keys that csync writes (root-MD5=...)',
        'install CFEngine Community there: docs/how-to/hardened/selinux.md',
        member,
      ),
    );
  return problems;
}

function otherKeyProblem(member: string, { name, of, digest }: { name: string; of: string; digest: string }): Problem {
  return errorProblem(
    'change-other-key',
    `ppkeys/${name} has another key (${digest}) than the accepted one of ${of}; csync never replaces an accepted key unasked`,
    `csync keys verify   (shows whose it is); if it is stale, remove that file on ${member} and run this command again`,
    member,
  );
}

/**
 * The member whose pair becomes the cluster's: the active member, since its clients trust that one, else the first that has any. null: make
 * a new pair.
 */
export function keyHolder(members: readonly SeenHost[], owner: string | null): SeenHost | null {
  const holders = members.filter(({ facts }) => facts !== null && facts.own !== null);
  return holders.find(({ name }) => name === owner) ?? holders[0] ?? null;
}
