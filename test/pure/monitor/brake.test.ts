/** Whether the monitor may leave with its verdict, or keeps the package: the table, and the shipped loop in simulated time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConnections } from '../../../src/host/member/connections.ts';
import {
  backOff,
  failsBy,
  loadConnections,
  othersFrom,
  type Situation,
  settledMs,
  whyStay,
} from '../../../src/member/monitor/brake.ts';
import { settingsFor } from '../../support.ts';
import { SimulatedMonitor } from './simulated-monitor.ts';

const calm = { total: 0, most: null };
const load = { total: 206, most: { address: '10.9.0.21', count: 195 } };
const both = { eligible: ['m2', 'm3'], switchedOff: [], remedies: [] };
const second = { eligible: ['m3'], switchedOff: ['m1'], remedies: [] };
const none = { eligible: [], switchedOff: ['m1', 'm2'], remedies: [] };
const hour = 3_600_000;

describe('the brake', () => {
  const base: Situation = { ofDaemon: true, hereMs: hour, cameFrom: 'm1', others: both, connections: calm, failedRestarts: 0 };

  it.each<[string, Partial<Situation>, RegExp | null]>([
    ['a first failure', {}, null],
    ['a member was switched off long ago', { others: second }, null],
    ['no member is left', { others: none }, /no other member can run the package \(disabled: m1, m2\)/],
    ['no member is left, and it is the disk', { others: none, ofDaemon: false }, /no other member/],
    ['no member is left, after many restarts', { others: none, failedRestarts: 50 }, /no other member/],
    ['the cluster does not answer', { others: null, hereMs: 1000 }, null],
    ['a load', { connections: load }, /206 connections, 195 of them from 10\.9\.0\.21/],
    ['a load, and the cluster does not answer', { connections: load, others: null }, /206 connections/],
    ['a load under which restarts do not help', { connections: load, failedRestarts: 2 }, null],
    ['the second one under load', { others: second, hereMs: 3000, connections: load, failedRestarts: 50 }, /206 connections/],
    ['a disk under load', { connections: load, ofDaemon: false }, null],
    ['the second one in quick succession', { others: second, hereMs: 3000 }, /failed over from m1 3 s ago, and m1 is disabled/],
    ['the same, and restarts do not help', { others: second, hereMs: 3000, failedRestarts: 3 }, null],
    [
      'quick, but it was started here, and an administrator has switched off m1',
      { others: second, hereMs: 3000, cameFrom: null },
      null,
    ],
    ['the same, and the host is in capitals', { others: second, hereMs: 3000, cameFrom: 'M1' }, /and M1 is disabled/],
    ['quick, but it came from another one', { others: second, hereMs: 3000, cameFrom: 'm3' }, null],
    ['quick, but no member was switched off for it', { hereMs: 3000 }, null],
    ['a disk in quick succession', { others: second, hereMs: 3000, ofDaemon: false }, null],
  ])('%s', (_, changes, expected) => {
    const why = whyStay({ ...base, ...changes });
    if (expected === null) expect(why).toBeNull();
    else expect(why).toMatch(expected);
  });

  it('keeps no package for ever where another member is known to be able, once restarts do not help', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.nat(hour), fc.nat(1000), fc.integer({ min: 3, max: 9 }), (ofDaemon, hereMs, total, failed) => {
        const connections = { total, most: null };
        // Under load no second member is disabled.
        fc.pre(!ofDaemon || total < loadConnections || hereMs >= settledMs);
        expect(whyStay({ ofDaemon, hereMs, cameFrom: 'm1', others: second, connections, failedRestarts: failed })).toBeNull();
      }),
    );
  });

  it.each([
    ['it exited again under load', { wasUp: true, isUp: false, connections: load }, 0],
    ['it exited again without a load', { wasUp: true, isUp: false, connections: calm }, 1],
    ['it cannot start, under load or not', { wasUp: false, isUp: false, connections: load }, 1],
    ['it is up and silent', { wasUp: true, isUp: true, connections: load }, 1],
  ])('counts a restart: %s', (_, after, expected) => expect(failsBy(after)).toBe(expected));

  it('tries again within 5 s each time, so that a master is back within 10', () => {
    for (let stays = 0; stays < 100; stays += 1) expect(backOff(stays)).toBeLessThanOrEqual(5000);
  });
});

const viewOf = (switching: Readonly<Record<string, string>>, { down = '', autorun = 'enabled' } = {}): string =>
  [
    ...Object.keys(switching).flatMap((name) => [
      `node:${name}|name=${name}`,
      `node:${name}|status=${name === down ? 'down' : 'up'}`,
    ]),
    'package:csync|name=csync',
    `package:csync|autorun=${autorun}`,
    ...Object.entries(switching).flatMap(([name, word]) => [
      `package:csync|node:${name}|name=${name}`,
      `package:csync|node:${name}|status=down`,
      `package:csync|node:${name}|switching=${word}`,
    ]),
  ].join('\n');

describe('what cmviewcl says of the other members', () => {
  it.each([
    ['all well', viewOf({ m1: 'enabled', m2: 'enabled', m3: 'enabled' }), both],
    [
      'one is down',
      viewOf({ m1: 'enabled', m2: 'enabled', m3: 'enabled' }, { down: 'm2' }),
      { eligible: ['m3'], switchedOff: [], remedies: ['cmrunnode m2'] },
    ],
    [
      'one is switched off',
      viewOf({ m1: 'enabled', m2: 'disabled', m3: 'enabled' }),
      { eligible: ['m3'], switchedOff: ['m2'], remedies: ['cmmodpkg -e -n m2 csync'] },
    ],
    [
      'the package may not fail over',
      viewOf({ m1: 'enabled', m2: 'enabled' }, { autorun: 'disabled' }),
      { eligible: [], switchedOff: [], remedies: ['cmmodpkg -e csync'] },
    ],
    ['another package', viewOf({ m1: 'enabled', m2: 'enabled' }).replaceAll('csync', 'other'), null],
    ['nothing', '', null],
  ])('%s', (_, view, expected) => {
    expect(othersFrom(view, 'csync', 'm1')).toEqual(expected);
    expect(othersFrom(view, 'csync', 'M1'), 'the host in capitals').toEqual(expected);
  });
});

describe('connections of the port', () => {
  const head = '  sl  local_address rem_address   st tx_queue rx_queue\n';
  const line = (local: string, remote: string, state: string, timer = '00:00000000'): string =>
    `   0: ${local} ${remote} ${state} 00000000:00000000 ${timer}\n`;

  it('are counted by state, port and peer, of both families, those that have just ended included', () => {
    const four = [
      line('00000000:14BC', '00000000:0000', '0A'),
      line('6400090A:14BC', '1500090A:9C40', '01'),
      line('6400090A:14BC', '1500090A:9C41', '05', '03:0000176F'),
      line('6400090A:14BC', '1600090A:9C41', '06', '03:00001710'),
      // Ended a while ago.
      line('6400090A:14BC', '1600090A:9C43', '06', '03:00001200'),
      line('6400090A:14BC', '1600090A:9C42', '03'),
      line('6400090A:0016', '1600090A:9C42', '01'),
    ];
    const six = line('0000000000000000FFFF00006400090A:14BC', '0000000000000000FFFF00001500090A:9C42', '01');
    expect(parseConnections([head + four.join(''), head + six], 5308)).toMatchObject({ total: 4 });
    expect(parseConnections([head + four.join('')], 5308)).toEqual({ total: 3, most: { address: '10.9.0.21', count: 2 } });
    const ofSix =
      '   1: 000009FD000000000000000000010000:14BC 000009FD000000000000000021000000:C168 01 00000000:00000000 00:00000000 00000000\n';
    expect(parseConnections([head + ofSix], 5308)).toEqual({ total: 1, most: { address: 'fd09::21', count: 1 } });
    expect(parseConnections(['', 'garbage\n\n'], 5308)).toEqual({ total: 0, most: null });
  });
});

describe('the monitor with a brake', () => {
  const settings = settingsFor();
  const allOn = { text: viewOf({ m1: 'enabled', m2: 'enabled', m3: 'enabled' }), tookMs: 40 };
  const secondView = { text: viewOf({ m1: 'enabled', m2: 'disabled', m3: 'enabled' }), tookMs: 40 };
  const lastView = { text: viewOf({ m1: 'enabled', m2: 'disabled', m3: 'disabled' }), tookMs: 40 };

  async function monitorWith(view: SimulatedMonitor['view'], warmMs = 60_000): Promise<SimulatedMonitor> {
    const monitor = new SimulatedMonitor(settings, { view });
    await monitor.pass(warmMs);
    return monitor;
  }

  it('leaves at once where others are known to be able', async () => {
    const monitor = await monitorWith(allOn);
    const at = monitor.now;
    await monitor.kill();
    expect(monitor.verdict).toMatchObject({ reason: 'gone', at });
  });

  it('asks before it leaves a cluster whose last word was that one member is left, and waits no longer than a second', async () => {
    const monitor = await monitorWith(secondView, hour);
    for (const tookMs of [40, Number.POSITIVE_INFINITY]) monitor.view = { ...secondView, tookMs };
    const at = monitor.now;
    await monitor.kill();
    await monitor.pass(5000);
    expect(monitor.verdict).toMatchObject({ reason: 'gone', at: at + 1000 });
  });

  it('restarts in place a daemon that ended under load, each time, and names the host', async () => {
    const monitor = await monitorWith(allOn);
    for (let time = 1; time <= 5; time += 1) {
      monitor.connections = load;
      await monitor.kill();
      await monitor.pass(10_000);
      expect(monitor.verdict).toBeNull();
      expect(monitor.restarts).toHaveLength(time);
    }
    expect(monitor.lines.join('\n')).toContain('195 of them from 10.9.0.21');
    expect(monitor.seen?.brake).toContain('Brake: csync stays on m1');
    await monitor.pass(120_000);
    expect(monitor.seen?.brake).toBeNull();
    expect(monitor.lines.at(-1)).toContain('[brake-off]');
  });

  it('stays while each restarted daemon exits under load, and leaves when the load is over and no restart helps', async () => {
    const monitor = await monitorWith(allOn);
    monitor.connections = load;
    monitor.comesUp = 'and exits';
    await monitor.kill();
    await monitor.pass(60_000);
    expect([monitor.verdict, monitor.restarts.length > 10]).toEqual([null, true]);
    expect(monitor.seen?.brake?.match(/did not help/g)).toHaveLength(1);
    monitor.connections = calm;
    await monitor.pass(20_000);
    expect(monitor.verdict?.reason).toBe('gone');
  });

  it('knows the load under which the daemon did not answer, when its silence becomes a verdict', async () => {
    const monitor = await monitorWith(allOn);
    monitor.answer.protocol = () => {
      monitor.connections = monitor.connections === load ? calm : load;
      return { found: { result: 'bad', detail: 'no answer' }, tookMs: 5 };
    };
    await monitor.pass(60_000);
    expect(monitor.alarms.join('\n')).toContain('Brake: csync stays on m1');
    expect(monitor.alarms.join('\n')).toContain('195 of them from 10.9.0.21');
  });

  it('knows nothing of a load that was over before the daemon was killed', async () => {
    const monitor = await monitorWith(allOn);
    let asked = 0;
    monitor.answer.protocol = () => {
      asked += 1;
      monitor.connections = asked === 1 ? load : calm;
      // Without a result, which is no good one.
      return { found: { result: asked === 1 ? 'bad' : 'unknown', detail: 'no answer' }, tookMs: 5 };
    };
    while (asked < 2) await monitor.pass(1000);
    await monitor.pass(1000);
    const at = monitor.now;
    await monitor.kill();
    expect([monitor.verdict, monitor.restarts]).toMatchObject([{ reason: 'gone', at }, []]);
  });

  it('is no second failover in quick succession, while restarts help', async () => {
    const monitor = new SimulatedMonitor(settings, { view: secondView, cameFrom: 'm2' });
    await monitor.pass(3000);
    await monitor.kill();
    await monitor.pass(10_000);
    expect([monitor.verdict, monitor.restarts.length]).toEqual([null, 1]);
    monitor.comesUp = false;
    await monitor.kill();
    await monitor.pass(30_000);
    expect(monitor.verdict?.reason).toBe('gone');
  });

  it('waits for no answer either when the member that failed is switched on again soon after', async () => {
    const monitor = new SimulatedMonitor(settings, { view: secondView, cameFrom: 'm2' });
    await monitor.pass(2000);
    monitor.view = allOn;
    await monitor.pass(1500);
    const at = monitor.now;
    await monitor.kill();
    expect(monitor.verdict).toMatchObject({ reason: 'gone', at });
  });

  it('never leaves while no other member can run the package; a master is back within 10 s when one can be', async () => {
    const monitor = await monitorWith(lastView);
    monitor.comesUp = false;
    await monitor.kill();
    await monitor.pass(hour);
    expect(monitor.verdict).toBeNull();
    monitor.comesUp = true;
    const tried = monitor.restarts.length;
    await monitor.pass(10_000);
    expect(monitor.restarts.length).toBeGreaterThan(tried);
    expect(monitor.daemon).not.toBeNull();
    expect(monitor.alarms.length).toBeLessThanOrEqual(62 + monitor.restarts.length);
    expect(monitor.alarms.join('\n')).toContain('no other member can run the package (disabled: m2, m3)');
    expect(monitor.alarms.join('\n')).toContain('; cmmodpkg -e -n m2 csync; cmmodpkg -e -n m3 csync');
  });

  it('stays with a disk that is gone while no other member can run the package, and goes on looking', async () => {
    const monitor = await monitorWith(lastView);
    monitor.answer.storage = () => ({ found: { result: 'bad', detail: 'gone' }, tookMs: 3 });
    await monitor.pass(120_000);
    expect([monitor.verdict, monitor.restarts.length]).toEqual([null, 0]);
    expect(monitor.seen?.brake).toContain('The policy file system is missing');
    monitor.view = allOn;
    await monitor.pass(60_000);
    expect(monitor.verdict?.reason).toBe('storage');
  });
});
