/** What hosts report of their addresses and keys, and that it costs no other host anything. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AddressClaim, disputedHosts, settleAddresses } from '../../../src/cluster/hosts/host-addresses.ts';
import { type HostFacts, parseHost } from '../../../src/cluster/hosts/host-look.ts';
import { wantedKeys } from '../../../src/cluster/hosts/key-layout.ts';
import { withClients } from '../../../src/cluster/setup/client-change.ts';
import type { SetupView } from '../../../src/cluster/setup/look.ts';
import { addressClaims, excludedBy, withOwnAddresses } from '../../../src/cluster/setup/roster-change.ts';
import { planRotation } from '../../../src/cluster/setup/rotation.ts';
import { emptyRoster, type NamedKey, parseRoster, type Roster, rosterText } from '../../../src/contract/roster.ts';
import { settingsFor } from '../../support.ts';

const keyOf = (name: string): NamedKey => ({
  digest: `MD5=${createHash('md5').update(name).digest('hex')}`,
  publicKey: `-----BEGIN RSA PUBLIC KEY-----\n${Buffer.from(name).toString('base64')}\n-----END RSA PUBLIC KEY-----\n`,
});
const member = (name: string, ...addresses: string[]) => ({ name, addresses });
const client = (name: string, ...addresses: string[]) => ({
  ...member(name, ...addresses),
  key: keyOf(name),
  cluster: null,
  holds: [],
});
const roster: Roster = {
  ...emptyRoster,
  members: [member('m1', '10.9.0.11'), member('m2', '10.9.0.12'), member('m3', '10.9.0.13')],
  clients: [client('c1', '10.9.0.21'), client('c2', '10.9.0.22')],
  key: keyOf('cluster'),
};
const claim = (name: string, addresses: readonly string[], before: readonly string[] = []): AddressClaim => ({
  ...{ name, addresses, before },
  kind: name.startsWith('m') ? 'member' : 'client',
});
const nothing = new Map<string, readonly string[]>();

describe('the addresses of a host that count', () => {
  it.each([
    ['10.9.0.11 10.9.0.11 10.9.0.11/24 172.17.0.1/16', ['10.9.0.11'], 'no bridge of containers'],
    ['10.9.0.21 192.168.4.21 192.168.4.21/24 10.9.0.21/24', ['10.9.0.21', '192.168.4.21'], 'the one ssh reached it by'],
    ['10.9.0.21  10.9.0.21/24 10.9.0.22/32', ['10.9.0.21'], 'none that stands alone'],
    ['10.9.0.11  10.9.0.11/24 10.9.0.100/24', ['10.9.0.11', '10.9.0.100'], 'all of the subnet'],
    ['127.0.0.1 ::1 999.1.1.1 10.9.0.256/24 x/y', [], 'nothing that is none'],
  ])('of "%s" are %j: %s', (line, addresses) => {
    expect(parseHost(`host x\naddresses ${line}\ndaemons 1\nwhole\n`, '10.9.0.0')?.addresses).toEqual(addresses);
  });
});

describe('an address that two hosts have', () => {
  const settled = (claims: readonly AddressClaim[], resolved = nothing) => {
    const { addresses, problems } = settleAddresses(claims, resolved);
    return {
      addresses: Object.fromEntries(addresses),
      problems: problems.map(({ severity, member: of }) => `${severity} ${of}`),
    };
  };

  it('is the one’s who had it before; the other one is warned of, or left as it is where it connects from it', () => {
    const c2 = claim('c2', ['10.9.0.22'], ['10.9.0.22']);
    expect(settled([claim('c1', ['10.9.0.21', '10.9.0.22'], ['10.9.0.21']), c2])).toEqual({
      addresses: { c1: ['10.9.0.21'], c2: ['10.9.0.22'] },
      problems: ['warning c1'],
    });
    expect(settled([claim('c1', ['10.9.0.22'], ['10.9.0.21']), c2])).toEqual({
      addresses: { c1: [], c2: ['10.9.0.22'] },
      problems: ['error c1'],
    });
  });

  it('is the one’s whose name it stands for here, also when the other one said so first', () => {
    const claims = [claim('c1', ['10.9.0.22'], ['10.9.0.22']), claim('c2', ['10.9.0.22'])];
    expect(disputedHosts(claims)).toEqual(['c1', 'c2']);
    expect(settled(claims, new Map([['c2', ['10.9.0.22']]])).problems).toEqual(['error c1']);
  });

  it('costs a client that says it is a member’s nothing but the client', () => {
    expect(settled([claim('m2', ['10.9.0.12']), claim('c1', ['10.9.0.12', '10.9.0.21'])]).problems).toEqual(['error c1']);
  });

  it('for all reports of hosts, each address is one host’s, and one that reports only what is its own is never a problem', () => {
    const address = fc.integer({ min: 1, max: 8 }).map((last) => `10.9.0.${last}`);
    const names = ['m1', 'm2', 'c1', 'c2', 'c3'];
    fc.assert(
      fc.property(fc.tuple(...names.map(() => fc.uniqueArray(address, { maxLength: 4 }))), (said) => {
        const claims = names.map((name, index) => claim(name, said[index] ?? []));
        // One more, honest: it had its address before, and its name stands for it.
        const honest = claim('h', ['10.9.0.1'], ['10.9.0.1']);
        const { addresses, problems } = settleAddresses([...claims, honest], new Map([['h', ['10.9.0.1']]]));
        const all = [...addresses.values()].flat();
        expect(new Set(all).size).toBe(all.length);
        expect(addresses.get('h')).toEqual(['10.9.0.1']);
        expect(problems.filter(({ member: of }) => of === 'h')).toEqual([]);
      }),
    );
  });
});

const facts = (name: string, addresses: readonly string[], key: NamedKey): HostFacts => ({
  ...{
    hostName: name,
    root: true,
    addresses,
    missing: [],
    enterprise: false,
    daemons: 1,
    owed: null,
    keyDirectoryMode: 0o700,
    keys: [],
    own: key,
  },
  ...{ privateKey: { sum: 'x', mode: 0o600 }, next: null, leftovers: [], inputs: new Map(), roster: null },
});
const viewOf = (...seen: readonly HostFacts[]): SetupView => ({
  observation: { members: [], commandMember: 'm1', applied: null, status: null, memberStates: null, unprotected: [] },
  roster,
  hosts: new Map(
    seen.map((one) => [
      one.hostName,
      { name: one.hostName, kind: 'client', facts: one, noAnswer: null, startsAtBoot: true } as const,
    ]),
  ),
  clusterMembers: null,
  owner: 'm1',
  masterFiles: null,
  packageAddress: '10.9.0.100',
});
const keys = { made: new Map<string, NamedKey>(), acceptNew: false, cluster: null };
const setUp = (...names: string[]) => ({ setUp: names, fetch: true, remove: [] });

describe('a client whose answer cannot be taken', () => {
  const honest = facts('c2', ['10.9.0.22'], keyOf('c2'));
  it.each([
    ['another key than the accepted one', facts('c1', ['10.9.0.21'], keyOf('new')), 'change-other-key'],
    ['no address that counts', facts('c1', [], keyOf('c1')), 'cluster-no-address'],
    ['a key that no roster can hold', facts('c1', ['10.9.0.21'], { digest: 'MD5=x', publicKey: 'x' }), 'cluster-odd-key'],
  ])('for %s stays as it was, and is the only one that does', (_, odd, code) => {
    const checked = withClients(roster, viewOf(odd, honest), setUp('c1', 'c2'), keys, '');
    expect(checked.problems.map((one) => [one.code, one.member])).toEqual([[code, 'c1']]);
    expect(checked.ok && checked.value.clients).toEqual(roster.clients);
  });

  it('for more addresses than any host has is kept out of a roster that can be read', () => {
    const many = Array.from({ length: 100 }, (_, index) => `10.9.0.${index + 100}`);
    const checked = withClients(roster, viewOf(facts('c1', many, keyOf('c1')), honest), setUp('c1', 'c2'), keys, '');
    if (!checked.ok) throw new Error('refused');
    const settled = settleAddresses(addressClaims(checked.value, roster), nothing);
    expect([...excludedBy(settled.problems)]).toEqual(['c1']);
    const { clients, members } = withOwnAddresses(checked.value, roster, settled);
    expect([members, clients]).toEqual([roster.members, roster.clients]);
    expect(parseRoster(rosterText({ ...roster, clients, members }))).not.toBeNull();
  });

  it('keeps no rotation waiting; one that does not answer does', () => {
    const view = viewOf(honest);
    const members = roster.members.map(({ name, addresses }) => facts(name, addresses, keyOf('cluster')));
    const seen: SetupView = { ...view, hosts: new Map([...view.hosts, ...viewOf(...members).hosts]) };
    const plan = (excluded: readonly string[]) =>
      planRotation(roster, seen, keyOf('next'), { atOnce: false, excluded: new Set(excluded) });
    expect(plan(['c1']).rosters).toHaveLength(3);
    expect(plan([]).waits.map(({ host }) => host)).toEqual(['c1']);
  });
});

describe('the key files that a host wants', () => {
  it('have one key each, also where an older roster has an address twice', () => {
    const twice: Roster = {
      ...roster,
      members: [member('m1', '10.9.0.11', '172.17.0.1'), member('m2', '10.9.0.12', '172.17.0.1')],
      clients: [client('c1', '10.9.0.21', '172.17.0.1'), client('c2', '10.9.0.22', '172.17.0.1')],
    };
    const wanted = wantedKeys('member', twice, settingsFor({ cfengine_generation: 2 }));
    expect(new Set(wanted.map(({ name }) => name)).size).toBe(wanted.length);
    expect(wanted.find(({ name }) => name === 'root-172.17.0.1.pub')?.of).toBe('the cluster');
  });
});
