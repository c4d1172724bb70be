/** Which process a restart was announced for, and how long that counts. */
import { describe, expect, it } from 'vitest';
import { isAnnounced } from '../../../src/contract/restart-notice.ts';
import { settingsFor } from '../../support.ts';
import { SimulatedMonitor } from './simulated-monitor.ts';

const daemon = { pid: 42, startTime: '1000' };

describe('a restart that was announced', () => {
  it.each<[string, string | null, typeof daemon | null, number, boolean]>([
    ['for this process', '42 1000 145\n', daemon, 100, true],
    ['for it among others', '41 900 145\n42 1000 145\n', daemon, 100, true],
    ['for one of the same pid before', '42 999 145\n', daemon, 100, false],
    ['for another one', '43 1000 145\n', daemon, 100, false],
    ['and is over', '42 1000 145\n', daemon, 145, false],
    ['before a boot', '42 1000 145000\n', { pid: 42, startTime: '1001' }, 1, false],
    ['while no daemon runs', '42 1000 145\n', null, 144.9, true],
    ['long ago, while no daemon runs', '42 1000 145\n', null, 145.1, false],
    ['by no process', null, daemon, 100, false],
    ['by an empty file', '', null, 100, false],
    ['by half a line', '42 1000', daemon, 100, false],
    ['by nonsense', 'until 2026-11-24\n', null, 100, false],
    ['while the time is unknown', '42 1000 145\n', daemon, Number.NaN, false],
  ])('%s', (_, notice, process, sinceBoot, counts) => {
    expect(isAnnounced(notice, process, sinceBoot)).toBe(counts);
  });
});

/** The simulated monitor begins at second 1 since boot. */
describe('a monitor whose daemon is gone', () => {
  const settings = settingsFor({ monitor_local_restart: 'none' });
  const until = '46';

  it.each<[string, { isGone: boolean; proved?: typeof daemon }, string, number]>([
    ['before it saw one; announced for the one that proved the role', { isGone: true, proved: daemon }, '42 1000', 45_000],
    ['before it saw one; announced for an earlier one', { isGone: true, proved: daemon }, '41 900', 0],
    ['before it saw one; announced, and a start of an older version recorded no daemon', { isGone: true }, '41 900', 45_000],
    ['that it saw; announced for it', { isGone: false, proved: daemon }, '42 7', 45_000],
    ['that it saw; announced for an earlier one', { isGone: false, proved: daemon }, '42 1000', 0],
  ])('%s', async (_, options, named, waitedMs) => {
    const monitor = new SimulatedMonitor(settings, options, `${named} ${until}\n`);
    const began = monitor.now;
    await monitor.kill();
    await monitor.pass(60_000);
    expect(monitor.verdict?.reason).toBe('gone');
    const at = (monitor.verdict?.at ?? 0) - began;
    expect([at >= waitedMs, at <= waitedMs + 2000], `${at} ms`).toEqual([true, true]);
  });

  it('goes on with the next daemon, and waits again for one that was announced later', async () => {
    const monitor = new SimulatedMonitor(settings, { proved: { pid: 42, startTime: '7' } }, `42 7 ${until}\n`);
    await monitor.kill();
    await monitor.pass(1000);
    monitor.daemon = { pid: 43, startTime: '8', state: 'S', name: 'cf-serverd' };
    await monitor.pass(5000);
    monitor.notice = `43 8 ${until}\n`;
    await monitor.kill();
    await monitor.pass(5000);
    expect(monitor.verdict).toBeNull();
  });
});
