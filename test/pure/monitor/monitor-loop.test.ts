/** The monitor's loop, the shipped one, in simulated time: a day of load without a false alarm, and faults that are found in time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { random } from '../../../src/base/random.ts';
import { maintenanceText } from '../../../src/contract/maintenance-file.ts';
import { stoppedLimitMs } from '../../../src/member/monitor/judge.ts';
import { type Found, type LayerName, layerNames, layerSchedules } from '../../../src/member/monitor/layers.ts';
import { layerSchedule } from '../../../src/settings/rules.ts';
import { settingsFields } from '../../../src/settings/settings.ts';
import { settingsTable } from '../../../src/settings/table.ts';
import { settingsFor } from '../../support.ts';
import { SimulatedMonitor } from './simulated-monitor.ts';

const hour = 3_600_000;
const usual = settingsFor();
/** Layers that warn count here, too. */
const settings = settingsFor(
  Object.fromEntries(
    settingsFields
      .filter((field) => settingsTable[field].check === layerSchedule)
      .map((field) => [settingsTable[field].key, String(usual[field]).replace(/warn$/, 'fail')]),
  ),
);
const schedules = layerSchedules(settings);

/** Probes that are never silent, by their short limit: what they ask is known, or what does not answer is good. */
const atOnce: ReadonlySet<LayerName> = new Set(layerNames.filter((name) => (schedules[name]?.limitMs ?? 0) <= 1000));

/** Of a probe that runs when the fault comes, and still finds all well. */
const lookMs = 5;

/** Longest time from a fault until it is known: the next look, and as many as are wanted, each at its limit. */
function boundMs(layer: LayerName): number {
  const { everyMs, limitMs, failures } = schedules[layer] ?? { everyMs: 0, limitMs: 0, failures: 0 };
  return lookMs + everyMs + failures * limitMs + (failures - 1) * Math.min(everyMs, 1000);
}

/** A machine that is short of everything, at random; the daemon is well all the while. */
async function load(monitor: SimulatedMonitor, hours: number, seed: number): Promise<{ pauses: number }> {
  const next = random(seed);
  const between = (least: number, most: number): number => least + next() * (most - least);
  let pauses = 0;
  for (const layer of layerNames)
    monitor.answer[layer] = () => {
      const isShort = next() < 0.02;
      // Out of descriptors for a moment: nothing can be decided.
      if (isShort && !atOnce.has(layer)) return { found: { result: 'unknown', detail: 'EMFILE' }, tookMs: 0 };
      // Addresses are known at once; what is asked of others takes its time.
      const isSlow = next() < 0.1 && !atOnce.has(layer);
      return { found: { result: 'good', detail: 'good' }, tookMs: isSlow ? between(100, 2900) : between(1, 50) };
    };
  const end = monitor.now + hours * hour;
  while (monitor.now < end && monitor.verdict === null) {
    await monitor.pass(between(10, 20_000));
    // Stopped, swapped out, behind a thousand others: for moments mostly, now and then for minutes.
    const kind = next();
    await monitor.starve(kind < 0.7 ? between(1, 700) : kind < 0.95 ? between(500, 8000) : between(8000, 180_000));
    pauses += 1;
    if (next() < 0.01) monitor.wallMs += between(-hour, hour);
  }
  return { pauses };
}

describe('the monitor under load', () => {
  it.each([1, 2, 3])(
    'has no verdict in 24 hours (seed %i), and one at once when the daemon dies then',
    async (seed) => {
      const monitor = new SimulatedMonitor(settings);
      const { pauses } = await load(monitor, 24, seed);
      expect(monitor.verdict).toBeNull();
      expect(pauses).toBeGreaterThan(5000);
      expect(monitor.seen?.starvations).toBeGreaterThan(300);
      const at = monitor.now;
      await monitor.kill();
      expect(monitor.verdict).toMatchObject({ reason: 'gone', at });
    },
    120_000,
  );

  it('takes a minute in which it did not run for nothing, at any moment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 1, max: 60_000 }), async (before, pause) => {
        const monitor = new SimulatedMonitor(settings);
        await monitor.pass(before);
        await monitor.starve(pause);
        await monitor.pass(60_000);
        expect(monitor.verdict).toBeNull();
      }),
      { numRuns: 200 },
    );
  }, 120_000);

  it('fails when nothing can be decided for longer than its limit, and not before', async () => {
    const monitor = new SimulatedMonitor(settings);
    await monitor.pass(20_000);
    for (const layer of layerNames) monitor.answer[layer] = () => ({ found: { result: 'unknown', detail: 'EMFILE' }, tookMs: 0 });
    // The last that could be decided is as old as the slowest layer's pace.
    await monitor.pass((settings.monitorUnknownLimitSeconds - 30) * 1000);
    expect(monitor.verdict).toBeNull();
    await monitor.pass(60_000);
    expect(monitor.verdict?.reason).toBe('unknown');
    expect(monitor.verdict?.sentence).toContain('EMFILE');
  });
});

describe('a fault at any moment', () => {
  const bad = { result: 'bad', detail: 'bad' } as const;

  it.each(layerNames)(
    'of layer %s is known within its limit and one interval, silent or not',
    async (layer) => {
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 90_000 }), fc.boolean(), async (before, isSilent) => {
          const monitor = new SimulatedMonitor(settings);
          await monitor.pass(before);
          monitor.answer[layer] = () => ({ found: bad, tookMs: isSilent ? Number.POSITIVE_INFINITY : 3 });
          const began = monitor.now;
          await monitor.pass(2 * boundMs(layer));
          expect(monitor.verdict?.reason).toBe(layer);
          expect((monitor.verdict?.at ?? 0) - began).toBeLessThanOrEqual(boundMs(layer));
        }),
        { numRuns: 200 },
      );
    },
    60_000,
  );

  it.each([
    [true, 2000 + stoppedLimitMs + settings.monitorProcessIntervalMs],
    [false, stoppedLimitMs + 2 * settings.monitorProcessIntervalMs],
  ])(
    'a stopped daemon is known when it has not run for three seconds, and not before (the end told: %s)',
    async (isEvent, withinMs) => {
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 90_000 }), fc.integer({ min: 0, max: 2000 }), async (before, phase) => {
          const monitor = new SimulatedMonitor(settings, { isEvent });
          await monitor.pass(before);
          monitor.lookForStops(phase);
          monitor.stop();
          const began = monitor.now;
          await monitor.pass(60_000);
          expect(monitor.verdict?.reason).toBe('stopped');
          expect((monitor.verdict?.at ?? 0) - began).toBeGreaterThanOrEqual(stoppedLimitMs);
          expect((monitor.verdict?.at ?? 0) - began).toBeLessThanOrEqual(withinMs);
        }),
        { numRuns: 200 },
      );
    },
    60_000,
  );

  it.each([true, false])(
    'stops of less than three seconds are none, however often (the end told: %s)',
    async (isEvent) => {
      const pieces = fc.array(fc.tuple(fc.integer({ min: 1, max: 2900 }), fc.integer({ min: 1, max: 4000 })), { maxLength: 40 });
      await fc.assert(
        fc.asyncProperty(pieces, fc.integer({ min: 0, max: 2000 }), async (stops, phase) => {
          const monitor = new SimulatedMonitor(settings, { isEvent });
          await monitor.pass(1000);
          monitor.lookForStops(phase);
          for (const [stoppedMs, runsMs] of stops) {
            monitor.stop();
            await monitor.pass(stoppedMs);
            monitor.continue();
            await monitor.pass(runsMs);
          }
          expect(monitor.verdict).toBeNull();
        }),
        { numRuns: 200 },
      );
    },
    60_000,
  );

  it('reports to its parent that it runs, at least every ten seconds, in any state of the layers', async () => {
    const monitor = new SimulatedMonitor(settings);
    for (const layer of layerNames)
      monitor.answer[layer] = () => ({ found: { result: 'good', detail: 'good' }, tookMs: Number.POSITIVE_INFINITY });
    for (let second = 0; second < 25 && monitor.verdict === null; second += 1) {
      await monitor.pass(1000);
      expect(monitor.now - monitor.aliveAt).toBeLessThanOrEqual(10_000);
    }
  });

  it('that only warns, and is over after a long while, leaves the pace as it was', async () => {
    const monitor = new SimulatedMonitor({ ...settings, monitorContent: settings.monitorContent.replace('fail', 'warn') });
    let looks = 0;
    let found: Found = { result: 'good', detail: 'good' };
    monitor.answer.content = () => {
      looks += 1;
      return { found, tookMs: 3 };
    };
    await monitor.pass(20_000);
    found = bad;
    await monitor.pass(hour);
    found = { result: 'good', detail: 'good' };
    // The next look, of a second later, finds it good.
    await monitor.pass(2000);
    looks = 0;
    await monitor.pass(hour);
    expect(monitor.verdict).toBeNull();
    expect(looks).toBeGreaterThanOrEqual(119);
    expect(looks).toBeLessThanOrEqual(121);
  });

  it('that is over at the next look is none', async () => {
    const monitor = new SimulatedMonitor(settings);
    await monitor.pass(20_000);
    let looks = 0;
    monitor.answer.port = () => ({ found: looks++ === 0 ? bad : { result: 'good', detail: 'good' }, tookMs: 3 });
    await monitor.pass(60_000);
    expect(looks).toBeGreaterThan(5);
    expect(monitor.verdict).toBeNull();
  });
});

describe('a pause for maintenance', () => {
  it.each([
    ['set back by a day', -24 * hour],
    ['set forward by a day', 24 * hour],
    ['right', 0],
  ])('is over after its time at the latest, with a wall clock that is %s meanwhile', async (_, jump) => {
    const monitor = new SimulatedMonitor(settings);
    await monitor.pass(5000);
    const until = monitor.wallMs + monitor.now + 60_000;
    monitor.maintenance = maintenanceText({ until, serviceguard: null });
    await monitor.pass(11_000);
    expect(monitor.lines.at(-1)).toContain('entering maintenance mode');
    monitor.wallMs += jump;
    await monitor.pass(70_000);
    expect(monitor.verdict).toBeNull();
    await monitor.kill();
    expect(monitor.verdict?.reason).toBe('gone');
  });
});
