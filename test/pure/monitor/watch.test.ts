import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  conclusions,
  judge,
  type Limits,
  limitsOf,
  type Sample,
  verdictSentence,
  type Watch,
  watchFrom,
} from '../../../src/member/monitor/judge.ts';
import { eachLayer, type LayerName, type LayerResult, layerNames, layerOf } from '../../../src/member/monitor/layers.ts';
import { verdictOn } from '../../../src/model-check/world/verdicts.ts';
import { idle } from '../../../src/model-check/world/world.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { readPage } from '../../markdown.ts';
import { settingsFor } from '../../support.ts';

const three = { failures: 3, weight: 'fail' } as const;
const two = { failures: 2, weight: 'fail' } as const;
const limits: Limits = {
  layers: {
    ...eachLayer(() => two),
    protocol: three,
    content: { failures: 2, weight: 'warn' },
    owner: { failures: 2, weight: 'warn' },
  },
  unknownLimitMs: 60_000,
};

/** A story: samples in order; `at` is filled in, a second apart, unless the sample says otherwise. */
type Event = { readonly at?: number } & (
  | { readonly kind: 'process'; readonly seen: 'running' | 'gone' | 'zombie' | 'stopped'; readonly mark?: string }
  | { readonly kind: 'replaced' }
  | { readonly kind: 'layer'; readonly layer: LayerName; readonly result: LayerResult; readonly isOurLack?: true }
  | { readonly kind: 'starved'; readonly lateMs: number }
);
const tell = (events: readonly Event[]): Watch =>
  events.reduce(
    (watch, event, index) => judge(watch, { at: (index + 1) * 1000, detail: 'seen', ...event } as Sample, limits),
    watchFrom(0),
  );

const running = { kind: 'process', seen: 'running' } as const;
const stopped = { kind: 'process', seen: 'stopped', mark: '7' } as const;
const ranAndStopped = { ...stopped, mark: '8' } as const;
const of = <const L extends LayerName, const R extends LayerResult>(layer: L, result: R) =>
  ({ kind: 'layer', layer, result }) as const;
const answered = of('protocol', 'good');
const silent = of('protocol', 'bad');
const cannotTell = of('protocol', 'unknown');
const mounted = of('storage', 'good');
const unmounted = of('storage', 'bad');
const other = of('content', 'bad');
const starved = { kind: 'starved', lateMs: 5000 } as const;
const times = <T>(count: number, event: T): T[] => Array.from({ length: count }, () => event);

describe('the judge of the monitor', () => {
  it.each<[string, readonly Event[], string | null, number?]>([
    ['all is well', [running, answered, mounted], null],
    ['a daemon that is gone, at once', [running, { kind: 'process', seen: 'gone' }], 'gone', 2000],
    ['a zombie is as dead', [{ kind: 'process', seen: 'zombie' }], 'zombie', 1000],
    ['another process on the port, at once', [running, { kind: 'replaced' }], 'replaced', 2000],
    ['a stop of less than three seconds, however often it is seen', [running, stopped, stopped, stopped], null],
    ['a stop is believed after three seconds, since the first look', [running, ...times(4, stopped)], 'stopped', 2000],
    ['one that ran in between begins anew', [stopped, stopped, stopped, ...times(3, ranAndStopped)], null],
    ['but not for ever', [stopped, stopped, stopped, ...times(4, ranAndStopped)], 'stopped', 4000],
    ['what it does not answer meanwhile is for the limit of the stop', [silent, silent, stopped, silent, silent], null],
    ['and counts again when it runs', [silent, silent, stopped, silent, running, silent], 'protocol', 1000],
    ['looks that are far apart', [stopped, { ...ranAndStopped, at: 60_000 }], null],
    ['a moment of ptrace', [stopped, running, stopped, running], null],
    ['silence below the limit', times(2, silent), null],
    ['silence up to the limit, since its first', [answered, ...times(3, silent)], 'protocol', 2000],
    ['an answer in between', [silent, silent, answered, silent, silent], null],
    ['a probe without a result neither counts nor forgives', [silent, silent, cannotTell, silent], 'protocol', 1000],
    ['an unmount in progress', [unmounted, mounted, unmounted], null],
    ['a file system that is gone', [unmounted, unmounted], 'storage', 1000],
    ['one bad look each of several layers', [unmounted, silent, of('port', 'bad'), of('address', 'bad')], null],
    ['a good probe of one layer does not forgive another', [unmounted, answered, unmounted], 'storage', 1000],
    ['a layer that only warns', times(50, other), null],
    ['a layer that only warns and has no result', [of('content', 'unknown'), { ...of('content', 'unknown'), at: 10 ** 9 }], null],
    ['an address that is gone', times(2, of('address', 'bad')), 'address', 1000],
    ['what was counted by a monitor that did not run is forgotten', [silent, silent, starved, silent, silent], null],
    ['a stop around a pause of the monitor', [stopped, stopped, starved, stopped, stopped], null],
    [
      'for want of a program on this host, for ever',
      [mounted, { ...of('storage', 'unknown'), isOurLack: true, at: 10 ** 9 }],
      null,
    ],
    [
      'for want of a program, and then of something else: that counts from there',
      [
        mounted,
        { ...of('storage', 'unknown'), isOurLack: true, at: 10 ** 6 },
        { ...of('storage', 'unknown'), at: 10 ** 6 + 60_001 },
      ],
      'unknown',
      10 ** 6,
    ],
    ['no result, below its own limit', [answered, { ...cannotTell, at: 60_999 }], null],
    ['no result, up to its own limit', [answered, cannotTell, { ...cannotTell, at: 61_000 }], 'unknown', 1000],
    [
      'a pause longer than that limit is no silence of the daemon',
      [answered, { kind: 'starved', lateMs: 600_000, at: 601_000 }, { ...cannotTell, at: 601_100 }],
      null,
    ],
    [
      'but missing results go on counting after it',
      [answered, { kind: 'starved', lateMs: 600_000, at: 601_000 }, { ...cannotTell, at: 661_001 }],
      'unknown',
      601_000,
    ],
    ['a verdict stays', [{ kind: 'process', seen: 'gone' }, running, answered], 'gone', 1000],
  ])('%s', (_, events, reason, since) => {
    const { verdict } = tell(events);
    expect(verdict?.reason ?? null).toBe(reason);
    if (since !== undefined) expect(verdict?.since).toBe(since);
  });

  it('a healthy daemon is never failed, however late, often or in what order it is probed', () => {
    const good = fc.constantFrom<Event>(running, answered, mounted);
    const pause = fc.record({ kind: fc.constant('starved' as const), lateMs: fc.integer({ min: 0, max: 10 ** 7 }) });
    const step = fc.tuple(fc.integer({ min: 0, max: 10 ** 7 }), fc.oneof(good, pause));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let at = 0;
        const events = steps.map(([later, event]) => {
          at += later;
          return { ...event, at };
        });
        expect(tell(events).verdict).toBeNull();
      }),
      { numRuns: 2000 },
    );
  });

  it('a dead daemon is failed by the first probe of it, after any history', () => {
    const any = fc.constantFrom<Event>(running, answered, mounted, silent, cannotTell, starved, stopped, unmounted);
    fc.assert(
      fc.property(fc.array(any, { maxLength: 20 }), (before) => {
        expect(tell([...before, { kind: 'process', seen: 'gone' }]).verdict).not.toBeNull();
      }),
    );
  });

  it('says what failed, since when by the wall clock, on what evidence, and what the cluster does now', () => {
    const { verdict } = tell([{ kind: 'process', seen: 'gone' }]);
    if (verdict === null) throw new Error('no verdict');
    const say = (changes: Partial<Settings>): string =>
      verdictSentence(verdict, { ...settingsFor({}), ...changes }, 'm1', Date.parse('2026-01-01T00:00:00Z'));
    const sentence = say({});
    expect(sentence).toContain('The cfengine daemon exited: seen (since 2026-01-01T00:00:01.000Z)');
    expect(sentence).toContain('moves csync to the next enabled member');
    expect(sentence).toContain('cmmodpkg -e -n m1 csync');
    expect(say({ serviceFailFast: true })).toContain(
      'Serviceguard reboots this member and starts csync on the next enabled member',
    );
    expect(say({ serviceRestart: 2 })).toContain('restarts the monitor here up to 2 times (service_restart). After that,');
    expect(say({ serviceRestart: 'unlimited' })).not.toContain('moves');
  });
});

describe('a layer', () => {
  it.each(layerNames.map((name) => [name, layerOf(name)] as const))(
    '%s has a complete row',
    (name, { schedule, means, evidence, isGoodIn }) => {
      const settings = settingsFor();
      expect(schedule(settings)).toMatchObject({
        everyMs: expect.any(Number),
        limitMs: expect.any(Number),
        failures: expect.any(Number),
      });
      expect(conclusions[name]).toMatchObject({ means, evidence });
      expect(isGoodIn({ daemon: 'alive', hasAddress: true, hasFileSystem: true, isOnlyOwner: true })).toBe(true);
      expect(readPage('docs/reference/monitor.md')).toContain(`\n| ${name} | `);
    },
  );

  it('that is off counts for nothing, and one that fails in the settings ends the monitor', () => {
    const bad = (limits: Limits) =>
      Array.from({ length: 200 }, (_, at): Sample => ({ kind: 'layer', layer: 'port', at, result: 'bad', detail: 'x' })).reduce(
        (watch, sample) => judge(watch, sample, limits),
        watchFrom(0),
      ).verdict?.reason;
    expect(bad(limitsOf({ ...settingsFor(), monitorPort: 'off' }))).toBeUndefined();
    expect(bad(limitsOf({ ...settingsFor(), monitorPort: 'every 5 s, limit 3 s, 2 in a row, fail' }))).toBe('port');
  });

  it('counts in the model check as its row says', () => {
    const settings = settingsFor();
    const world = { ...idle, machine: 'up', daemon: 'alive', mounted: 'yes', address: 'yes', link: 'up', disk: 'there' } as const;
    expect(verdictOn(world, false, settings)).toBeNull();
    expect(verdictOn({ ...world, address: 'no' }, false, settings)?.reason).toBe('port');
    expect(verdictOn({ ...world, mounted: 'no' }, false, settings)?.reason).toBe('storage');
  });
});
