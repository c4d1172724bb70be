import { failure } from '../../base/problem.ts';
import { shellWord } from '../../base/shell-word.ts';
import { generateKeyPair, type KeyPair } from '../../cfengine/keys.ts';
import type { NamedKey } from '../../contract/roster.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import type { Settings } from '../../settings/settings.ts';
import { nextPairNames, publicDigest } from '../hosts/host-look.ts';
import type { PairChange } from '../hosts/host-setup.ts';
import { inParallel } from '../remote/observation.ts';
import { hostScript } from '../remote/shell-text.ts';
import { quickLimitMs, type Round } from './change-model.ts';
import type { ClientChange } from './client-change.ts';
import type { SetupView } from './look.ts';
import type { MemberGoal } from './roster-change.ts';
import { keyHolder } from './setup-plan.ts';

/** The roster's, else a member's, else a new one. */
export async function chooseKey(view: SetupView, goal: MemberGoal, pairs: Map<string, KeyPair>): Promise<NamedKey> {
  const members = goal.members.flatMap((name) => view.hosts.get(name) ?? []);
  const { key } = view.roster;
  const isHeld = (digest: string): boolean =>
    [...view.hosts.values()].some(({ facts }) => facts?.own?.digest === digest || facts?.next === digest);
  if (key !== null && isHeld(key.digest)) return key;
  const silent = members.filter(({ facts }) => facts === null);
  if (key !== null && silent.length > 0)
    throw failure(
      'cluster-key-unreachable',
      `the cluster's key ${key.digest} is on no member that answers; ${silent.map(({ name }) => name).join(', ')} may have it`,
      `start ${silent[0]?.name}, then run this command again`,
    );
  const holder = keyHolder(members, view.owner)?.facts?.own;
  if (holder != null) return holder;
  const pair = await generateKeyPair();
  const named = { digest: publicDigest(pair.publicKey) ?? '', publicKey: pair.publicKey };
  pairs.set(named.digest, pair);
  return named;
}

export async function makeClientPairs(
  view: SetupView,
  { setUp }: ClientChange,
  pairs: Map<string, KeyPair>,
): Promise<ReadonlyMap<string, NamedKey>> {
  const without = setUp.filter((name) => {
    const facts = view.hosts.get(name)?.facts;
    return facts != null && facts.own === null;
  });
  const made = await inParallel(without, generateKeyPair);
  return new Map(
    without.map((name, index) => {
      const pair = made[index] as KeyPair;
      const digest = publicDigest(pair.publicKey) ?? '';
      pairs.set(digest, pair);
      return [name, { digest, publicKey: pair.publicKey }];
    }),
  );
}

/** By host: new, or read from a member. */
export async function pairsFor(
  shell: MemberShell,
  settings: Settings,
  { roster, plan, view }: Round,
  made: ReadonlyMap<string, KeyPair>,
): Promise<ReadonlyMap<string, KeyPair>> {
  const read = new Map<string, KeyPair>();
  const pairOf = async (key: NamedKey | null): Promise<KeyPair> => {
    const known = key === null ? undefined : (made.get(key.digest) ?? read.get(key.digest));
    if (known !== undefined) return known;
    const pair = key === null ? null : await readPair(shell, settings, key, view);
    if (pair === null || key === null) {
      const text = `the private part of ${key?.digest ?? 'the key'} could not be read from a member`;
      throw failure('change-keys', text, 'csync keys list   (lists who has which key)');
    }
    read.set(key.digest, pair);
    return pair;
  };
  const wanted = plan.stages
    .flatMap((stage) => (stage.stage === 'hosts' ? [...stage.chains.values()].flat() : []))
    .flatMap((step): [string, PairChange][] => (step.do === 'keys' && step.own !== null ? [[step.host, step.own]] : []));
  const given = new Map<string, KeyPair>();
  for (const [host, { pair }] of wanted) {
    if (pair === 'switch') continue;
    const client = roster.clients.find(({ name }) => name === host)?.key;
    if (pair === 'revoked') given.set(host, await generateKeyPair());
    else given.set(host, await pairOf(pair === 'next' ? roster.nextKey : (client ?? roster.key)));
  }
  return given;
}

async function readPair(shell: MemberShell, settings: Settings, key: NamedKey, view: SetupView): Promise<KeyPair | null> {
  for (const { name, facts } of view.hosts.values()) {
    if (facts === null || (facts.own?.digest !== key.digest && facts.next !== key.digest)) continue;
    const file = facts.own?.digest === key.digest ? 'localhost.priv' : nextPairNames.privateKey;
    const path = `${settings.cfengineWorkDirectory}/ppkeys/${file}`;
    const answer = await shell.run(name, hostScript(`base64 -w 0 ${shellWord(path)}`), quickLimitMs);
    const privateKey = Buffer.from(answer.stdout, 'base64').toString('utf8');
    if (answer.exitCode === 0 && privateKey.includes('PRIVATE KEY')) return { privateKey, publicKey: key.publicKey };
  }
  return null;
}
