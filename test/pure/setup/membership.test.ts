import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { adapterFor } from '../../../src/cfengine/adapter.ts';
import { type HostFacts, parseHost } from '../../../src/cluster/hosts/host-look.ts';
import { handshakes, type Party, wantedKeys } from '../../../src/cluster/hosts/key-layout.ts';
import { memberGoal } from '../../../src/cluster/setup/membership.ts';
import { planHost, project, type SeenHost } from '../../../src/cluster/setup/setup-plan.ts';
import {
  emptyRoster,
  type NamedKey,
  newestRoster,
  nextRoster,
  parseRoster,
  type Roster,
  rosterText,
  withWaiting,
} from '../../../src/contract/roster.ts';
import { settingsFor } from '../../support.ts';

const keyOf = (name: string): NamedKey => ({
  digest: `MD5=${createHash('md5').update(name).digest('hex')}`,
  publicKey: `-----BEGIN RSA PUBLIC KEY-----\n${Buffer.from(name).toString('base64')}\n-----END RSA PUBLIC KEY-----\n`,
});
const host = (name: string, last: number) => ({ name, addresses: [`10.9.0.${last}`] });
const client = (name: string, last: number) => ({ ...host(name, last), key: keyOf(name), cluster: null, holds: [] });
const roster: Roster = {
  ...emptyRoster,
  serial: 3,
  members: [host('m1', 11), host('m2', 12), host('m3', 13)],
  clients: [client('c1', 21), client('c2', 22)],
  key: keyOf('cluster'),
};
const settings = (generation: 2 | 3) => settingsFor({ cfengine_generation: generation });
const inputs = new Map([
  ['promises.cf', 'policy'],
  ['update.cf', 'update'],
]);

const fresh: HostFacts = {
  hostName: 'm1',
  root: true,
  addresses: ['10.9.0.11'],
  missing: [],
  enterprise: false,
  daemons: 0,
  owed: null,
  keyDirectoryMode: null,
  keys: [],
  own: null,
  privateKey: null,
  next: null,
  leftovers: [],
  inputs: new Map(),
  roster: null,
};
const seen = (name: string, kind: 'member' | 'client', facts: HostFacts | null): SeenHost => ({
  name,
  kind,
  facts,
  noAnswer: null,
  startsAtBoot: true,
});
const goalFor = (generation: 2 | 3, wanted: Roster) => ({
  settings: settings(generation),
  adapter: adapterFor(settings(generation)),
  roster: wanted,
  inputs,
  served: true,
  owner: 'm1',
});

/** Any state a host may be found in: some keys right, some of others, some damaged, its pair whole, half or another one. */
const pool = ['cluster', 'next', 'former', 'stranger', 'c1', 'c2'].map(keyOf);
const anyKey = fc.constantFrom(...pool);
const anyName = fc.oneof(
  anyKey.map(({ digest }) => `root-${digest}.pub`),
  fc.constantFrom(
    'root-10.9.0.100.pub',
    'root-10.9.0.11.pub',
    'root-10.9.0.12.pub',
    'root-10.9.0.21.pub',
    'cluster/current.pub',
    'cluster/next.pub',
  ),
);
const anyFacts: fc.Arbitrary<HostFacts> = fc.record({
  hostName: fc.constant('m1'),
  root: fc.constant(true),
  addresses: fc.constant(['10.9.0.11']),
  missing: fc.constant([]),
  enterprise: fc.constant(false),
  daemons: fc.nat(2),
  owed: fc.constantFrom(null, 'restart', 'reload'),
  keyDirectoryMode: fc.constantFrom(null, 0o700, 0o755),
  keys: fc.uniqueArray(
    fc.record({
      name: anyName,
      mode: fc.constantFrom(0o600, 0o644),
      digest: fc.oneof(
        fc.constant(null),
        anyKey.map(({ digest }) => digest),
      ),
    }),
    { selector: ({ name }) => name, maxLength: 8 },
  ),
  own: fc.oneof(fc.constant(null), anyKey),
  privateKey: fc.constantFrom(null, { sum: 'x', mode: 0o600 }, { sum: 'x', mode: 0o644 }),
  // Empty: half of a pair.
  next: fc.oneof(
    fc.constantFrom(null, ''),
    anyKey.map(({ digest }) => digest),
  ),
  leftovers: fc.constantFrom<string[]>([], ['/var/lib/cfengine3/ppkeys/.csync-arrival-now']),
  inputs: fc.constantFrom(new Map<string, string>(), new Map([['promises.cf', 'other']])),
  roster: fc.constant(null),
});
const rosters: readonly Roster[] = [
  roster,
  { ...roster, nextKey: keyOf('next') },
  { ...roster, key: keyOf('next'), formerKeys: [keyOf('cluster')] },
  { ...roster, key: keyOf('next'), retired: [keyOf('cluster').digest] },
  { ...roster, clients: [client('c1', 21)], gone: [{ ...host('c2', 22), kind: 'client', digest: keyOf('c2').digest, at: '' }] },
  { ...roster, members: roster.members.slice(0, 2), gone: [{ ...host('m3', 13), kind: 'member', digest: null, at: '' }] },
];

for (const generation of [2, 3] as const)
  describe(`one host, generation ${generation}`, () => {
    it('what was done once needs nothing more, wherever the host began', () => {
      fc.assert(
        fc.property(
          anyFacts,
          fc.constantFrom(...rosters),
          fc.constantFrom('member' as const, 'client' as const),
          (facts, wanted, kind) => {
            const goal = goalFor(generation, wanted);
            const name = kind === 'member' ? 'm1' : 'c1';
            let now: HostFacts = { ...facts, hostName: name };
            // Its pair and the next one may need one round each.
            for (let round = 0; round < 2; round++) {
              const { steps } = planHost(seen(name, kind, now), now, goal);
              now = project(now, steps, goal);
            }
            expect(planHost(seen(name, kind, now), now, goal).steps).toEqual([]);
            // Nothing of a private key lies about once no rotation is under way.
            if (wanted.nextKey === null) expect(now.next).toBeNull();
          },
        ),
        { numRuns: 500 },
      );
    });

    it('a key that was accepted for another host is never written over', () => {
      fc.assert(
        fc.property(anyFacts, fc.constantFrom(...rosters), (facts, wanted) => {
          const { steps } = planHost(seen('m1', 'member', facts), facts, goalFor(generation, wanted));
          const written = steps.flatMap((step) => (step.do === 'keys' ? step.change.write : []));
          const known = new Set([...pool.slice(0, 3).map(({ digest }) => digest), ...wanted.gone.map(({ digest }) => digest)]);
          for (const { name, of, key } of written) {
            const before = facts.keys.find((one) => one.name === name)?.digest ?? null;
            if (before === null || name.includes('MD5=') || name.startsWith('cluster/')) continue;
            expect(known.has(before), `${name} of ${of}: ${before} -> ${key.digest}`).toBe(true);
          }
        }),
        { numRuns: 500 },
      );
    });
  });

test('a fresh member gets the pair, the keys, the policy and the daemon, in the order of the guide', () => {
  const { steps } = planHost({ ...seen('m1', 'member', fresh), startsAtBoot: false }, fresh, goalFor(3, roster));
  expect(steps.map((step) => step.do)).toEqual(['configure', 'keys', 'inputs', 'daemon']);
  expect(steps[1]).toMatchObject({
    own: { pair: 'given', keep: null },
    change: { write: [{ of: 'the cluster' }, { of: 'c1' }, { of: 'c2' }] },
  });
});

test("an added member with a pair of its own gets the cluster's, and its own is kept aside", () => {
  const facts = { ...fresh, own: keyOf('stranger'), daemons: 1 };
  const { steps } = planHost(seen('m1', 'member', facts), facts, goalFor(3, roster));
  expect(steps.find((step) => step.do === 'keys')).toMatchObject({ own: { pair: 'given', keep: keyOf('stranger').digest } });
  expect(steps.find((step) => step.do === 'daemon')).toMatchObject({ how: 'restart' });
});

test.each([
  ['restart', 3, 'restart'],
  ['reload', 3, 'reload'],
  // It checks its files by itself.
  ['reload', 2, undefined],
] as const)('a daemon that owes a %s, with all files as they should be, generation %d: %s', (owed, generation, how) => {
  const goal = goalFor(generation, roster);
  const done = [1, 2].reduce((now) => project(now, planHost(seen('m1', 'member', now), now, goal).steps, goal), fresh);
  expect(planHost(seen('m1', 'member', done), done, goal).steps).toEqual([]);
  const { steps } = planHost(seen('m1', 'member', { ...done, owed }), { ...done, owed }, goal);
  expect(steps).toEqual(how === undefined ? [] : [{ do: 'daemon', host: 'm1', how }]);
});

describe('handshakes', () => {
  const party = (name: string, last: number, kind: 'member' | 'client', own: NamedKey, generation: 2 | 3): Party => ({
    ...host(name, last),
    kind,
    own: own.digest,
    trusts: new Map(
      wantedKeys(kind, roster, settings(generation)).map(({ name: file, keys }) => [file, keys[0]?.digest ?? null]),
    ),
    faults: [],
  });
  for (const generation of [2, 3] as const) {
    const all = [
      ...roster.members.map(({ name }, index) => party(name, 11 + index, 'member', keyOf('cluster'), generation)),
      ...roster.clients.map(({ name }, index) => party(name, 21 + index, 'client', keyOf(name), generation)),
    ];
    it(`all succeed with the keys as the layout has them, generation ${generation}`, () => {
      const made = handshakes(generation, all, '10.9.0.100');
      expect(made).toHaveLength(3 * 5 + 3 * 4);
      expect(made.filter(({ why }) => why.length > 0)).toEqual([]);
    });
    it(`a missing, a foreign and an own key that is gone are named, generation ${generation}`, () => {
      const [m1, , , c1] = all as [Party, Party, Party, Party];
      const foreign = { ...c1, trusts: new Map([...c1.trusts.keys()].map((file) => [file, keyOf('stranger').digest])) };
      const why = (...parties: Party[]) => handshakes(generation, parties, '10.9.0.100').flatMap((one) => one.why);
      expect(why(m1, foreign).join()).toMatch(generation === 3 ? /has a different key for m1/ : /c1 has a different key for m1/);
      expect(why(m1, { ...c1, trusts: new Map() }).join()).toContain('c1 does not have the key of m1');
      expect(why(m1, { ...c1, own: null }).join()).toContain('c1 has no usable key pair');
      expect(why(m1, { ...c1, faults: ['ppkeys is readable by other users'] }).join()).toContain(
        'c1: ppkeys is readable by other users',
      );
    });
  }
});

describe('a host with CFEngine Enterprise', () => {
  const lines = (name: string) => parseHost(`host m1\nuid 0\ndaemons 0\n${name}\nwhole\n`, '10.9.0.0')?.enterprise;
  it.each([
    ['key-name SHA=00', true],
    ['key-name MD5=00', false],
    ['key-name ', false],
    ['key-version CFEngine Core 3.21.0 CFEngine Enterprise 3.21.0 ', true],
    ['key-version CFEngine Core 3.21.0 ', false],
    ['other', false],
  ])('is recognized: %s', (line, enterprise) => {
    expect(lines(line)).toBe(enterprise);
  });

  it('is refused by name, because it would find no key', () => {
    const problems = (enterprise: boolean) =>
      planHost(seen('c1', 'client', { ...fresh, enterprise }), { ...fresh, enterprise }, goalFor(3, roster)).problems;
    expect(problems(true)).toMatchObject([
      { code: 'cluster-enterprise', member: 'c1', remedy: expect.stringContaining('Community') },
    ]);
    expect(problems(false)).toEqual([]);
  });
});

describe('who shall be a member', () => {
  const known = { roster, clusterMembers: ['m1', 'm2', 'm3'], owner: 'm1' };
  const none = { add: [], remove: [] };
  const goal = (view: Parameters<typeof memberGoal>[0], wish: Parameters<typeof memberGoal>[2] = none) =>
    memberGoal(view, settingsFor(), wish);
  it('those of the settings at first; other members of the cluster are skipped', () => {
    const first = goal({ roster: emptyRoster, clusterMembers: ['m1', 'm2', 'm3', 'm9'], owner: null });
    expect(first).toMatchObject({ ok: true, value: { members: ['m1', 'm2', 'm3'], added: ['m1', 'm2', 'm3'], leftOut: ['m9'] } });
  });
  it('a member that came to the cluster is taken in, one that went is not kept', () => {
    expect(goal({ ...known, clusterMembers: ['m1', 'm2', 'm4'] })).toMatchObject({
      value: { members: ['m1', 'm2', 'm4'], added: ['m4'], removed: ['m3'] },
    });
  });
  it('no member is added or removed while the cluster is silent', () => {
    expect(goal({ ...known, clusterMembers: null })).toMatchObject({
      value: { members: ['m1', 'm2', 'm3'], added: [], removed: [] },
    });
    expect(goal({ ...known, clusterMembers: null }, { add: ['m4'], remove: [] })).toMatchObject({ ok: false });
  });
  it('one that was taken out stays out while it is in the cluster, until it is added again', () => {
    const removed = goal(known, { add: [], remove: ['m3'] });
    expect(removed).toMatchObject({ value: { members: ['m1', 'm2'], leftOut: ['m3'] } });
    const after = { ...roster, members: roster.members.slice(0, 2), leftOut: ['m3'] };
    expect(goal({ ...known, roster: after })).toMatchObject({ value: { members: ['m1', 'm2'], added: [] } });
    expect(goal({ ...known, roster: after }, { add: ['m3'], remove: [] })).toMatchObject({
      value: { added: ['m3'], leftOut: [] },
    });
  });
  it.each([
    ['the one the package runs on', { add: [], remove: ['m1'] }, 'change-owner'],
    ['one that is none', { add: [], remove: ['m7'] }, 'usage-no-member'],
    ['one the cluster does not have', { add: ['m7'], remove: [] }, 'cluster-no-member'],
  ])('%s is refused', (_what, wish, code) => {
    expect(goal(known, wish)).toMatchObject({ ok: false, problems: [{ code }] });
  });
});

describe('the roster', () => {
  it('is read back as it was written; a damaged one is none', () => {
    expect(parseRoster(rosterText(roster))).toEqual(roster);
    for (const text of ['', '{}', rosterText(roster).slice(0, 200), rosterText(roster).replace('10.9.0.11', '$(reboot)')])
      expect(parseRoster(text)).toBeNull();
  });
  it('the one with the highest serial rules', () => {
    expect(newestRoster([null, roster, { ...roster, serial: 9 }]).serial).toBe(9);
    expect(newestRoster([null]).serial).toBe(0);
  });
  it('grows only with a change', () => {
    expect(nextRoster(roster, { ...roster, at: 'later' }, 'now', 'me')).toBeNull();
    expect(nextRoster(roster, { ...roster, leftOut: ['m9'] }, 'now', 'me')).toMatchObject({ serial: 4, at: 'now', by: 'me' });
  });
  it('what waits keeps the time since when', () => {
    const once = withWaiting(roster, { host: 'm4', what: 'member' }, 'down', '1');
    const twice = withWaiting(once, { host: 'm4', what: 'member' }, 'still down', '2');
    expect(twice.waiting).toEqual([{ host: 'm4', what: 'member', why: 'still down', since: '1' }]);
    expect(withWaiting(twice, { host: 'm4', what: 'member' }, null, '3').waiting).toEqual([]);
  });
});
