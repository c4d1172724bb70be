/** Which events csync alert run reports, and when: once an event, and again only when it says so. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Due,
  dueNow,
  type Facts,
  lastingEvents,
  type Moment,
  type Remembered,
  rankMs,
} from '../../../src/cluster/alerts/due.ts';

const nothing: Remembered = { marks: {}, lasting: {} };
const minute = 60_000;
const hour = 60 * minute;
const sighting = { subject: '', text: 'it is', fix: 'do' };
const down: Facts = { happened: {}, seen: { 'package-down': [sighting] } };
const up: Facts = { happened: {}, seen: { 'package-down': [] } };
const unknown: Facts = { happened: {}, seen: {} };
const elsewhere: Facts = { happened: {}, seen: { 'package-down': 'elsewhere' } };
const unready = (...members: string[]): Facts => ({
  happened: {},
  seen: { readiness: members.map((subject) => ({ ...sighting, subject })) },
});
const promoted = (epoch: number, at: number): Facts => ({
  happened: { promotion: { mark: `${epoch}`, at, text: 'master', fix: '' } },
  seen: {},
});

/** `EVENT STATE` with its subject, for each run at a time in minutes. */
function told(runs: readonly (readonly [minutes: number, facts: Facts])[], moment: Partial<Moment> = {}): string[] {
  let before = nothing;
  return runs.map(([minutes, facts]) => {
    const { after, due } = dueNow(before, facts, { repeatMs: 24 * hour, rank: 0, ...moment, now: minutes * minute });
    before = after;
    return due.map(({ event, subject, state }) => `${event}${subject === '' ? '' : `/${subject}`} ${state}`).join(', ');
  });
}

describe('an event that lasts', () => {
  it.each<[string, Parameters<typeof told>, string[]]>([
    [
      'is reported when it has lasted',
      [
        [
          [0, down],
          [1, down],
          [2, down],
        ],
      ],
      ['', 'package-down raised', ''],
    ],
    [
      'is not reported when it is over before',
      [
        [
          [0, down],
          [0.5, up],
          [1, up],
        ],
      ],
      ['', '', ''],
    ],
    [
      'begins anew when it was over in between',
      [
        [
          [0, down],
          [0.5, up],
          [1, down],
          [2, down],
        ],
      ],
      ['', '', '', 'package-down raised'],
    ],
    [
      'has one report of its end',
      [
        [
          [0, down],
          [1, down],
          [9, up],
          [10, up],
        ],
      ],
      ['', 'package-down raised', 'package-down cleared', ''],
    ],
    [
      'is repeated after the interval',
      [
        [
          [0, down],
          [1, down],
          [1440, down],
          [1441, down],
          [1442, down],
        ],
      ],
      ['', 'package-down raised', '', 'package-down repeated', ''],
    ],
    [
      'is reported once where that is set',
      [
        [
          [0, down],
          [1, down],
          [9999, down],
        ],
        { repeatMs: 0 },
      ],
      ['', 'package-down raised', ''],
    ],
    [
      'stays as it is while nothing is known',
      [
        [
          [0, down],
          [1, down],
          [2, unknown],
          [3, down],
          [4, up],
        ],
      ],
      ['', 'package-down raised', '', '', 'package-down cleared'],
    ],
    [
      'counts the time while nothing was known',
      [
        [
          [0, down],
          [1, unknown],
          [2, down],
        ],
      ],
      ['', '', 'package-down raised'],
    ],
    [
      'has no end where only another member can see it',
      [
        [
          [0, down],
          [1, down],
          [2, elsewhere],
          [3, up],
        ],
      ],
      ['', 'package-down raised', '', ''],
    ],
    [
      'is reported later by the next member',
      [
        [
          [0, down],
          [5, down],
          [6, down],
        ],
        { rank: 1 },
      ],
      ['', '', 'package-down raised'],
    ],
    [
      'is not reported by the next member when it is over',
      [
        [
          [0, down],
          [5, down],
          [5.9, up],
        ],
        { rank: 1 },
      ],
      ['', '', ''],
    ],
    [
      'is not silenced by a clock that was set back',
      [
        [
          [9000, down],
          [1, down],
          [2, down],
        ],
      ],
      ['', '', 'package-down raised'],
    ],
    [
      'is repeated after a clock that was set back',
      [
        [
          [9000, down],
          [9001, down],
          [1, down],
          [1441, down],
        ],
      ],
      ['', 'package-down raised', '', 'package-down repeated'],
    ],
    [
      'is one for each subject',
      [
        [
          [0, unready('m1')],
          [10, unready('m1', 'm3')],
          [20, unready('m1', 'm3')],
          [21, unready('m3')],
        ],
      ],
      ['', 'readiness/m1 raised', 'readiness/m3 raised', 'readiness/m1 cleared'],
    ],
  ])('%s', (_title, runs, expected) => expect(told(...runs)).toEqual(expected));
});

describe('an event of one moment', () => {
  it.each<[string, Parameters<typeof told>[0], string[]]>([
    [
      'is reported once',
      [
        [0, unknownPromotion()],
        [1, promoted(7, minute)],
        [2, promoted(7, minute)],
      ],
      ['', 'promotion/7 raised', ''],
    ],
    [
      'is reported by a first run that finds it fresh',
      [
        [59, promoted(7, 0)],
        [60, promoted(7, 0)],
      ],
      ['promotion/7 raised', ''],
    ],
    [
      'is history for a first run that finds it old',
      [
        [61, promoted(7, 0)],
        [62, promoted(7, 0)],
        [63, promoted(8, 62 * minute)],
      ],
      ['', '', 'promotion/8 raised'],
    ],
    [
      'is reported late by a member that ran before',
      [
        [0, unknownPromotion()],
        [999, promoted(7, minute)],
      ],
      ['', 'promotion/7 raised'],
    ],
    [
      'is not forgotten while it is unknown',
      [
        [1, promoted(7, minute)],
        [2, unknown],
        [3, unknownPromotion()],
        [4, promoted(7, minute)],
      ],
      ['promotion/7 raised', '', '', ''],
    ],
  ])('%s', (_title, runs, expected) => expect(told(runs)).toEqual(expected));
});

function unknownPromotion(): Facts {
  return { happened: { promotion: null }, seen: {} };
}

describe('any sequence of observations', () => {
  const events = Object.keys(lastingEvents) as (keyof typeof lastingEvents)[];
  const seen = fc.constantFrom<'none' | 'there' | 'unknown' | 'elsewhere'>('none', 'there', 'unknown', 'elsewhere');
  const runs = fc.array(fc.record({ seconds: fc.nat(7200), seen }), { maxLength: 60 });
  const play = (event: keyof typeof lastingEvents, list: { seconds: number; seen: string }[], moment: Omit<Moment, 'now'>) => {
    let [before, now] = [nothing, 0];
    const reports: { now: number; due: Due; firstSeen: number }[] = [];
    let firstSeen = Number.NaN;
    for (const one of list) {
      now += one.seconds * 1000;
      const facts =
        one.seen === 'unknown' ? {} : { [event]: one.seen === 'there' ? [sighting] : one.seen === 'none' ? [] : 'elsewhere' };
      if (one.seen === 'there' && Number.isNaN(firstSeen)) firstSeen = now;
      const { after, due } = dueNow(before, { happened: {}, seen: facts }, { ...moment, now });
      before = after;
      reports.push(...due.map((item) => ({ now, due: item, firstSeen })));
      if (one.seen === 'none' || one.seen === 'elsewhere') firstSeen = Number.NaN;
    }
    return { reports, now };
  };

  it.each(events)('%s: raised before it is repeated or cleared, never twice, and not before it lasted', (event) => {
    const { graceMs, byRank } = lastingEvents[event];
    fc.assert(
      fc.property(runs, fc.nat(3), fc.constantFrom(0, hour, 24 * hour), (list, rank, repeatMs) => {
        const { reports } = play(event, list, { rank, repeatMs });
        let isRaised = false;
        let last = Number.NaN;
        for (const { now, due, firstSeen } of reports) {
          // What only another member sees ends without a report.
          if (due.state === 'raised') {
            expect(now - firstSeen).toBeGreaterThanOrEqual(graceMs + (byRank ? rank * rankMs : 0));
            isRaised = true;
          } else {
            expect(isRaised).toBe(true);
            if (due.state === 'repeated') expect(now - last).toBeGreaterThanOrEqual(repeatMs);
            else isRaised = false;
          }
          last = now;
        }
      }),
    );
  });

  it.each(events)('%s: at most one report a run, and none for what is unknown', (event) => {
    fc.assert(
      fc.property(runs, (list) => {
        const { reports, now } = play(event, list, { rank: 0, repeatMs: hour });
        expect(reports.length).toBeLessThanOrEqual(list.filter((one) => one.seen !== 'unknown').length);
        expect(reports.filter(({ due }) => due.state === 'repeated').length).toBeLessThanOrEqual(now / hour);
      }),
    );
  });
});
