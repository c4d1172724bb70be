/** Who the clients are, from the lists of cfengine 2 and 3, and how they are printed. */
import { describe, expect, it } from 'vitest';
import { type Client, clientsOf, parsePeers, parseReach, reachScript } from '../../../src/cluster/condition/clients.ts';
import { judgeStatus, type StatusInput } from '../../../src/cluster/condition/status.ts';
import { statusText } from '../../../src/cluster/condition/status-text.ts';
import { emptyRoster } from '../../../src/contract/roster.ts';
import { settingsFor } from '../../support.ts';

const now = Date.UTC(2026, 10, 23, 12);
const head = `own 127.0.0.1 10.9.0.11 10.9.0.100\npeers ${now / 1000}\n`;
const three = `peer Direction  IP                                       Name                      Last connection            Key
peer Incoming   10.9.0.21                                10.9.0.21                 Mon Nov 23 11:58:42 2026   MD5=2367d15d98c35e69cbf218954a51478d
peer Outgoing   10.9.0.100                               10.9.0.100                Mon Nov 23 11:59:42 2026   MD5=2367d15d98c35e69cbf218954a51478d
peer Incoming   10.9.0.11                                10.9.0.11                 Mon Nov  2 11:31:40 2026   MD5=bf2799035afa2b80e50ddef4226c2329
peer Total Entries: 3
called 10.9.0.21       c1.lab c1
`;
/** As cfshow -s -X prints them: each value and each closing tag on a line of its own. */
const entry = (mark: string, name: string, address: string, hours: string) => {
  const parts = { pm: mark, hostname: name, ip: address, date: 'Mon Nov 23 11:30', q: hours, expect: '0.10', sigma: '0.01' };
  return `<entry>\n${Object.entries(parts)
    .map(([tag, value]) => `<${tag}>\n${value}\n</${tag}>\n`)
    .join('')}\n</entry>\n`;
};
const listedBy2 = (...entries: readonly string[]) =>
  `<?xml version="1.0"?>\n<output>\n${entries.join('')}`.replace(/^/gm, 'peer ');
const two = listedBy2(
  entry('-', 'c1.lab', '10.9.0.21', '0.50'),
  entry('+', 'm2.lab', '10.9.0.12', '0.25'),
  entry('-', 'a-host-with-a-long-name.example.com', '192.168.100.101', '2.00'),
  entry('-', '192.168.100.10', '192.168.100.10', '-0.00'),
);

describe('the peers of a member', () => {
  it('are those that came to it, with their names, as CFEngine 3 lists them', () => {
    expect(parsePeers(head + three)).toEqual({
      peers: [
        { address: '10.9.0.21', name: 'c1.lab', at: Date.UTC(2026, 10, 23, 11, 58, 42), resolutionSeconds: 1 },
        { address: '10.9.0.11', name: null, at: Date.UTC(2026, 10, 2, 11, 31, 40), resolutionSeconds: 1 },
      ],
      own: ['127.0.0.1', '10.9.0.11', '10.9.0.100'],
    });
  });

  it('and as cfengine 2 does, with whole names and addresses, to 36 seconds', () => {
    const exact = { resolutionSeconds: 36 };
    expect(parsePeers(head + two).peers).toEqual([
      { address: '10.9.0.21', name: 'c1.lab', at: now - 1_800_000, ...exact },
      { address: '192.168.100.101', name: 'a-host-with-a-long-name.example.com', at: now - 7_200_000, ...exact },
      { address: '192.168.100.10', name: null, at: now, ...exact },
    ]);
    expect(parsePeers(head + listedBy2()).peers, 'no peer yet').toEqual([]);
  });

  it.each([
    "peer Couldn't open last-seen database /var/cfengine/cf_LastSeen.db\n",
    listedBy2(entry('-', 'c1.lab', '10.9.0.21', 'soon')),
    listedBy2(entry('?', 'c1.lab', '10.9.0.21', '0.50')),
  ])('are not known from a list that cannot be read: %j', (list) => {
    expect(parsePeers(head + list).peers).toBeNull();
  });

  it.each(['', 'own 10.9.0.11\n', 'Welcome\n'])('are not known from %j', (output) => {
    expect(parsePeers(output).peers).toBeNull();
  });
});

describe('the clients', () => {
  it('are the peers of all members but the members, each as it was last seen, the longest silent first', () => {
    const peer = (address: string, at: number) => ({ address, name: null, at, resolutionSeconds: 1 });
    const m1 = { member: 'm1', own: ['10.9.0.11'], peers: [peer('10.9.0.21', 5), peer('10.9.0.12', 9), peer('10.9.0.22', 4)] };
    const m2 = { member: 'm2', own: ['10.9.0.12'], peers: [peer('10.9.0.21', 7), peer('10.9.0.11', 9)] };
    expect(clientsOf([m1, m2, { member: 'm3', own: [], peers: null }])).toEqual([
      { ...peer('10.9.0.22', 4), member: 'm1' },
      { ...peer('10.9.0.21', 7), member: 'm2' },
    ]);
    expect(clientsOf([{ member: 'm3', own: [], peers: null }])).toBeNull();
  });
});

describe('the way to them', () => {
  it('is read line by line, and what is none is passed over', () => {
    const output = 'reach m2 0 ok\nreach 10.9.0.21 124 lost\nreach c3 1 silent\nreach c4 - -\nreach m1 0 none\nreach torn 0\n';
    expect(parseReach(output).map(({ target, port, size }) => [target, port, size])).toEqual([
      ['m2', 'answers', 'ok'],
      ['10.9.0.21', 'silent', 'lost'],
      ['c3', 'refused', 'silent'],
      ['c4', null, null],
      ['m1', 'answers', 'none'],
    ]);
  });

  it('a name that a resolver made up is never part of a script', () => {
    expect(reachScript(['c1', '$(reboot)', '-x', 'a b', 'fe80::1'], 5308)).not.toMatch(/reboot|-x |a b/);
  });
});

describe('clients in the status', () => {
  const place = settingsFor({ members: ['m1'] });
  const sentinel = JSON.stringify({ at: new Date(now - 10 * 3_600_000).toISOString() });
  const input = (clients: readonly Client[] | null, startedAt = sentinel): StatusInput => ({
    ...{
      place,
      applied: true,
      clusterAnswers: true,
      moving: false,
      now,
      clients,
      roster: emptyRoster,
      unread: [],
      clusterMembers: ['m1'],
    },
    status: { status: 'up', state: 'running', owner: 'm1', autoRun: true, switching: new Map() },
    members: [
      {
        ...{ member: 'm1', noAnswer: { why: '', remedy: '' }, inCluster: 'up', switching: true, staleFiles: [] },
        seen: {
          ...{
            daemons: 1,
            mounted: true,
            address: true,
            clock: { ahead: 0, doubt: 0 },
            policyDigest: null,
            staged: null,
            leaving: null,
            room: null,
            view: { cards: [], behind: null },
            maintenance: null,
            monitor: null,
          },
          sentinel: startedAt,
        },
      },
    ],
  });
  const client = (index: number, at: number): Client => ({
    ...{ address: `10.9.1.${index}`, name: null, at, member: 'm1' },
    resolutionSeconds: 1,
  });

  it('are a table; of many those longest silent', () => {
    const clients = [client(1, now - 3 * 86_400_000), { ...client(2, now - 150_000), name: 'c2.lab' }, client(3, now)];
    const text = statusText(judgeStatus(input(clients)), input(clients));
    expect(text).toMatch(/\nclient +name +last seen +served by\n10.9.1.1 +- +3 d ago +m1\n10.9.1.2 +c2.lab +2 min ago +m1\n/);
    const ofTwo = [now, now - 36_000, now - 72_000, now - 144_000].map((at, index) => ({
      ...client(index, at),
      resolutionSeconds: 36,
    }));
    const vague = statusText(judgeStatus(input(ofTwo)), input(ofTwo)).match(/- +(.* ago)/g);
    expect(vague?.map((cell) => cell.replace(/^- +/, ''))).toEqual([...Array(3).fill('under 3 min ago'), '2 min ago']);
    const many = Array.from({ length: 30 }, (_, index) => client(index, now));
    expect(statusText(judgeStatus(input(many)), input(many))).toMatch(/and 10 with a later connection; --json lists all 30\n$/);
    expect(statusText(judgeStatus(input(null)), input(null))).toMatch(/clients: unknown/);
  });

  it('that are silent for over an hour are reported, unless the package itself is no older', () => {
    const clients = [client(1, now - 3 * 86_400_000), client(2, now)];
    expect(judgeStatus(input(clients)).advice.map(({ text }) => text)).toEqual([
      '1 of 2 clients have not connected for over an hour: 10.9.1.1',
    ]);
    const young = JSON.stringify({ at: new Date(now - 60_000).toISOString() });
    expect(judgeStatus(input(clients, young)).advice).toEqual([]);
  });
});
