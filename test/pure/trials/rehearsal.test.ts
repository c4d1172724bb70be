/** What a rehearsal says of a trace: moments, outages, budgets, verdicts, comparison, and the forms it is printed in. */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MemberShell } from '../../../src/host/admin/member-shell.ts';
import { openClusterGround } from '../../../src/rehearsal/cluster-ground.ts';
import { compareRehearsals, lastOf } from '../../../src/rehearsal/comparison.ts';
import { drills } from '../../../src/rehearsal/drill-table.ts';
import { notFit, uncleanFlags } from '../../../src/rehearsal/judgement.ts';
import { inSeconds, outagePartNames, outageParts, type Rehearsal, worstOutage } from '../../../src/rehearsal/model.ts';
import { drawnMembers, letterOf, tickStep } from '../../../src/rehearsal/page/drawing.ts';
import { escapeText, markup } from '../../../src/rehearsal/page/markup.ts';
import { rehearsalPage } from '../../../src/rehearsal/page/page.ts';
import { rehearsalText } from '../../../src/rehearsal/page/plain-text.ts';
import { storyOf } from '../../../src/rehearsal/timeline.ts';
import { repository, settingsFor } from '../../support.ts';
import {
  failoverLines,
  flagsOn,
  fullRehearsal,
  servedBefore,
  syntheticDrill,
  syntheticRehearsal,
  traceOf,
} from './synthetic-rehearsal.ts';

const golden = (name: string): string => join(repository, 'test/golden/rehearsal', name);

describe('the table of drills', () => {
  it('has drills, each with a name of its own', () => {
    expect(drills).not.toEqual([]);
    expect(new Set(drills.map(({ name }) => name)).size).toBe(drills.length);
    for (const { name } of drills) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });

  it('does to a real cluster nothing but orders to its engine, signals, and scripts that take back what they do', () => {
    for (const { name, where, acts, cleanup } of drills.filter((drill) => drill.where === 'any'))
      for (const act of [...acts, ...cleanup]) {
        expect(act.do, `${name} (${where})`).not.toBe('machine');
        if (act.do === 'script')
          expect(act.script, name).toMatch(
            /^(pgrep -x \{daemon\}|touch \{directory\}\/\{pause\}$|rm -f \{directory\}\/\{pause\}$|rm -f \{mount\}\/csync-drill-ballast$|pkill -CONT |\( sleep 120; (pkill -CONT|fsfreeze -u \{mount\}|rm -f \{mount\}\/csync-drill-ballast))/,
          );
      }
  });

  it('takes a third member only where there is one', () => {
    for (const { name, members, acts, cleanup, follows } of drills) {
      const named = JSON.stringify([acts, cleanup, follows]).includes('third');
      if (named) expect(members, name).toBe(3);
    }
  });

  it('has no script that ends the shell it is run by: a pattern for whole command lines does not match itself', () => {
    const scripts = drills
      .flatMap(({ acts, cleanup }) => [...acts, ...cleanup])
      .flatMap((act) => (act.do === 'script' ? [act.script] : []));
    const patterns = scripts.flatMap((script) =>
      [...script.matchAll(/p(?:kill|grep) [^;|\n]*-f "?([^";\s]+)/g)].map(([, pattern = '']) => ({ script, pattern })),
    );
    expect(patterns).not.toEqual([]);
    for (const { script, pattern } of patterns) expect(script).not.toMatch(new RegExp(pattern));
  });
});

describe('the story of a trace', () => {
  const trace = traceOf([...servedBefore, ...failoverLines()]);
  const story = storyOf(trace, servedBefore.length, trace.length);

  it('places what was probed in the middle between two probes, and reports how exact that is', () => {
    expect(story).toMatchObject({ from: 'm1', to: 'm2', exactness: 10 });
    expect(story.moments).toEqual({
      detect: 64,
      halt: 1180,
      unmount: 750,
      mount: 1490,
      address: 1610,
      prove: 2310,
      client: 1700,
    });
  });

  it('knows what was so before it began, and ends it where it ended', () => {
    expect(story.spans.filter(({ member }) => member === 'm1')).toEqual([
      { member: 'm1', what: 'address', from: -1000, to: 600 },
      { member: 'm1', what: 'mounted', from: -1000, to: 750 },
      { member: 'm1', what: 'halting', from: 70, to: 1180 },
    ]);
    expect(story.spans.find(({ member, what }) => member === 'm2' && what === 'mounted')).toMatchObject({ from: 1490, to: null });
  });

  it('an outage begins with the last success, not with the first failure', () => {
    expect(story.outages).toEqual([
      { client: 'c1', from: 30, to: 1700 },
      { client: 'c2', from: 22, to: 1764 },
    ]);
    expect(worstOutage(story)).toBe(1742);
  });

  it('what is published meanwhile is no deed; a trace without one is no drill', () => {
    const published = traceOf([[0, 'fault', 'published', 'm1', 'policy version 2 is published']]);
    expect(() => storyOf(published, 0, 1)).toThrow(RangeError);
  });

  it('the parts of an outage add up to its one figure (property)', () => {
    const moment = fc.option(fc.integer({ min: 0, max: 2000 }), { nil: null });
    fc.assert(
      fc.property(
        moment,
        moment,
        moment,
        moment,
        fc.integer({ min: -200, max: 900 }),
        fc.nat(3000),
        (detect, halt, mount, address, from, ms) => {
          const moments = { detect, halt, unmount: null, mount, address, prove: null, client: null };
          const outages = [
            { client: 'c1', from, to: from + ms },
            { client: 'c2', from: from + 1, to: from + ms },
          ];
          const parts = outageParts({ moments, outages });
          expect(inSeconds(parts.reduce((sum, part) => sum + part.ms, 0))).toBe(
            inSeconds(Math.round((worstOutage({ outages }) ?? 0) / 10) * 10),
          );
          expect(parts.map(({ name }) => outagePartNames.indexOf(name))).toEqual(
            parts.map(({ name }) => outagePartNames.indexOf(name)).sort((one, other) => one - other),
          );
          expect(Math.min(1, ...parts.map((part) => part.ms))).toBeGreaterThan(0);
        },
      ),
    );
  });

  it('an outage without an end has no parts', () => {
    expect(
      outageParts({ moments: storyOf(traceOf(failoverLines()), 0, 5).moments, outages: [{ client: 'c', from: 0, to: null }] }),
    ).toEqual([]);
  });

  it('only members in which something happens get a lane', () => {
    const { spans, marks } = storyOf(traceOf([...servedBefore, ...failoverLines()]), servedBefore.length, 100);
    expect(drawnMembers({ spans, marks }, ['m1', 'm2', 'm3'])).toEqual(['m1', 'm2']);
    expect(drawnMembers({ spans: spans.filter(({ member }) => member === 'm1'), marks: [] }, ['m1', 'm2'])).toEqual(['m1']);
    expect(drawnMembers({ spans: [{ member: 'm1', what: 'mounted', from: -1000, to: null }], marks: [] }, ['m1'])).toEqual([]);
  });
});

describe('the verdict of a drill', () => {
  it.each([
    ['a budget that is kept', failoverLines(), 'pass', 'the package moved from m1 to m2; outage 1.74 s, limit 20 s'],
    ['a detection that is late', failoverLines(60), 'fail', 'the cluster acted after 3.84 s, limit 3 s'],
    [
      'a client that never comes back',
      failoverLines().filter(([, , what, who]) => !(what === 'client-served' && who === 'c2')),
      'fail',
      'c2 had no master for the rest of the drill',
    ],
    ['a failover without any action', failoverLines().slice(0, 1), 'fail', 'the cluster did not act'],
  ] as const)('%s', (_, lines, verdict, sentence) => {
    const drill = syntheticDrill({ drill: 'kill-daemon', lines });
    expect(drill.sentence).toContain(sentence);
    expect(drill.verdict).toBe(verdict);
  });

  it('a client that notices where none may, a violation, and an end that is not clean, each fail it', () => {
    const lines = failoverLines().filter(([, , what]) => /^(kill|client)/.test(what));
    expect(syntheticDrill({ drill: 'kill-standby-daemon', lines }).sentence).toMatch(
      /had no master for 1\.74 s, but no client may notice/,
    );
    const violated = syntheticDrill({
      drill: 'kill-daemon',
      lines: [...failoverLines(), [1600, 'violation', 'I1', 'm2', 'I1: two mounts']],
    });
    expect([violated.verdict, violated.sentence]).toEqual(['fail', 'I1: two mounts']);
    const unclean = syntheticDrill({
      drill: 'kill-daemon',
      lines: failoverLines(),
      unclean: ['m1 is disabled for the package; before, it was enabled'],
    });
    expect([unclean.verdict, unclean.sentence]).toEqual([
      'fail',
      'the final state differs: m1 is disabled for the package; before, it was enabled',
    ]);
  });

  it.each([
    [flagsOn('m1'), []],
    [flagsOn(null), ['the package is down (halted)', 'it runs on no member', 'package switching is disabled']],
    [flagsOn('m1', ['m2', 'm3']), ['m2, m3 are disabled for the package']],
    [{ ...flagsOn('m1'), state: 'starting' }, ['the package is up (starting)']],
  ])('is not begun where the package does not run or a switch is off: %j', (flags, hindrances) => {
    expect(notFit(flags)).toEqual(hindrances);
  });

  it('where it runs may differ afterwards, switches may not', () => {
    expect(uncleanFlags(flagsOn('m1'), flagsOn('m3'))).toEqual([]);
    expect(uncleanFlags(flagsOn('m1'), flagsOn('m2', ['m1']))).toEqual([
      'm1 is disabled for the package; before, it was enabled',
    ]);
    expect(uncleanFlags(flagsOn('m1'), flagsOn(null))).toHaveLength(3);
  });
});

describe('what has to hold on a cluster behind a drill', () => {
  /** m1 has the package; m2 finds that card at its address. */
  const broken = async (behind: string): Promise<readonly string[]> => {
    const answer = (exitCode: number, stdout: string) => ({
      ...{ exitCode, stdout, signal: null, timedOut: false, errorCode: null, stderr: 'no' },
    });
    const view = ['name=csync', 'status=up', 'state=running', 'owner=m1', 'autorun=enabled'].map((one) => `package:csync|${one}`);
    const said = {
      m1: 'cards 02:00:00:00:00:01\naddress 1\nmounted 1\n',
      m2: `cards 02:00:00:00:00:02\nbehind ${behind}\n`,
    };
    const shell = {
      here: 'm1',
      stop: new AbortController().signal,
      hold: async () => answer(1, ''),
      run: async (on: 'm1' | 'm2', text: string) => {
        if (text.includes('cmgetconf')) return answer(0, 'package_name csync\n');
        if (text.includes('cmviewcl')) return answer(0, ['node:m1|state=running', ...view, ''].join('\n'));
        return answer(0, `directory /d\ndaemons 1\n${said[on]}clock ${Date.now() / 1000}\n`);
      },
    } as unknown as MemberShell;
    const opened = await openClusterGround(shell, settingsFor({ members: ['m1', 'm2'] }), 'x', {
      forbidden: async () => [],
      pause: async () => {},
    });
    return opened.ground.invariants();
  };

  it('is that the other members reach the one with the package, which is known of one at least', async () => {
    expect(await broken('02:00:00:00:00:01')).toEqual([]);
    expect(await broken('02:00:00:00:00:02')).toEqual(['10.9.0.100 belongs to m1, but clients reach m2 instead (seen from m2)']);
    expect(await broken('')).toEqual(['unknown whether clients reach m1: m2 cannot determine which host has 10.9.0.100']);
  });
});

describe('a rehearsal beside the last one', () => {
  const one = (pace: number): Rehearsal =>
    syntheticRehearsal([syntheticDrill({ drill: 'kill-daemon', lines: failoverLines(pace) })]);

  it.each([
    [1, 1, 'same', 'unchanged'],
    [1, 1.1, 'same', 'about the same'],
    [1, 1.5, 'better', '0.81 s faster'],
    [1.5, 1, 'worse', '0.81 s slower'],
    [60, 1, 'worse', 'failed now'],
    [1, 60, 'better', 'passed now'],
  ] as const)('pace %d after %d is %s: %s', (now, before, change, text) => {
    expect(compareRehearsals(one(now), one(before))?.drills).toMatchObject([{ change, text }]);
  });

  it('without one before there is nothing to compare; a drill that is new says so', () => {
    expect(compareRehearsals(one(1), null)).toBeNull();
    expect(compareRehearsals(one(1), syntheticRehearsal([]))?.drills).toMatchObject([{ change: 'new' }]);
  });

  it('each drill is compared with its own last time, however long ago', () => {
    const other = syntheticRehearsal([syntheticDrill({ drill: 'haltnode', lines: failoverLines() })]);
    expect(lastOf([one(3), one(2), other])?.drills.map(({ name, length }) => [name, Math.round(length)])).toEqual([
      ['haltnode', 2810],
      ['kill-daemon', 5120],
    ]);
    expect(lastOf([])).toBeNull();
  });
});

describe('the forms', () => {
  const rehearsal = fullRehearsal();
  const comparison = compareRehearsals(rehearsal, fullRehearsal(1.5));

  it('text and page are as they were reviewed (made-up data)', async () => {
    await expect(rehearsalText(rehearsal, comparison)).toMatchFileSnapshot(golden('rehearsal.txt'));
    await expect(rehearsalPage(rehearsal, comparison)).toMatchFileSnapshot(golden('rehearsal.html'));
  });

  it('the page needs nothing else: no script, nothing from elsewhere', () => {
    const page = rehearsalPage(rehearsal, comparison);
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\((?!#)|https?:|\son\w+=/i);
    expect(page).toContain("default-src 'none'");
  });

  it('says without colour what it says with it', () => {
    const words = rehearsalPage(rehearsal, comparison).replaceAll(/<style>[\s\S]*?<\/style>|<[^>]*>/g, ' ');
    for (const word of [
      'FAILED',
      'PASSED',
      'READY',
      'NOT READY',
      'DIFFERS',
      'mounted',
      'address',
      'no power',
      'outage 1.74 s',
      'no master',
    ])
      expect(words).toContain(word);
  });

  it('escapes everything, of any origin', () => {
    const hostile = '<script>alert("1")</script> & \' <svg onload=x> \u0000\u001b[31m';
    const page = rehearsalPage(hostileRehearsal(hostile), null);
    for (const bad of ['<script', '<svg onload', '\u0000', '\u001b']) expect(page).not.toContain(bad);
    expect(page).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;');
  });

  it('escapes any text: tags in equals tags out (property)', () => {
    const tags = (page: string): number => page.match(/<[a-z/!]/gi)?.length ?? 0;
    const plain = tags(rehearsalPage(hostileRehearsal('x'), null));
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), (text) => {
        expect(tags(rehearsalPage(hostileRehearsal(`x${text}`), null))).toBe(plain);
        expect(escapeText(text)).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
      }),
      { numRuns: 15 },
    );
  });

  it('markup in markup stays, text in markup is escaped, lists are joined', () => {
    expect(markup`<b>${['<', markup`<i>${1}</i>`, null]}</b>`.text).toBe('<b>&lt;<i>1</i></b>');
  });

  it('letters and ticks', () => {
    expect([0, 25, 26, 51, 52].map(letterOf)).toEqual(['a', 'z', 'aa', 'az', 'ba']);
    expect([900, 3300, 45_000].map((length) => tickStep(length, 12))).toEqual([100, 500, 5000]);
  });
});

/** The same text wherever words of another program can stand. */
function hostileRehearsal(text: string): Rehearsal {
  const drill = syntheticDrill({
    drill: 'kill-daemon',
    lines: [[0, 'fault', 'x', text, text], ...failoverLines().slice(1)],
    faults: [text],
    unclean: [text],
  });
  const look = { name: text, member: text, is: 'bad', text, remedy: text } as const;
  const ready = {
    verdict: 'fail',
    sentence: text,
    condition: text,
    general: [{ text, remedy: text }],
    members: [{ member: text, verdict: 'not ready', good: 0, wanted: 1, sentence: text, looks: [look] }],
  } as const;
  const outages = [...drill.outages, { client: text, from: 0, to: 900 }];
  return syntheticRehearsal([{ ...drill, name: text, title: text, outages }], {
    ready,
    packageName: text,
    members: ['m1', text],
    clients: ['c1', text],
    probe: text,
    toolkit: text,
  });
}
