/** The runner of drills over a made-up cluster: what it does, and that it passes nothing that went wrong. */
import { describe, expect, it } from 'vitest';
import { serviceguard } from '../../../src/engine/serviceguard/engine.ts';
import type { JournalEntry } from '../../../src/lab/emulation/journal.ts';
import { drillNamed, drills } from '../../../src/rehearsal/drill-table.ts';
import { type DrillGround, runDrill } from '../../../src/rehearsal/runner.ts';
import { readWatch } from '../../../src/rehearsal/watch-scripts.ts';
import { runningOn } from '../../support.ts';

/** A cluster of three that answers at once; `broken` says what it does not do. */
function madeUp(
  broken:
    | 'nothing'
    | 'no failover'
    | 'switch stays off'
    | 'client lost'
    | 'command fails'
    | 'daemon missing'
    | 'clients show nothing'
    | 'mounts show nothing'
    | 'a watch ends'
    | 'a client comes back late'
    | 'lock lost'
    | 'lock lost meanwhile' = 'nothing',
) {
  const typed: string[] = [];
  const trace: JournalEntry[] = [];
  let clock = 1000;
  let owner = 'm1';
  let autoRun = true;
  const off = new Set<string>();
  let moved = false;
  let late: JournalEntry | null = null;
  const tell = (kind: JournalEntry['kind'], what: string, member: string, text = what): void => {
    clock += 10;
    trace.push({ at: clock, kind, what, member, text });
  };
  tell('seen', 'client-served', 'c1');
  const moveFrom = (member: string): void => {
    tell('event', 'service-died', member);
    if (broken !== 'clients show nothing') tell('seen', 'client-lost', 'c1');
    const shown = (what: string, where: string): void => {
      if (broken !== 'mounts show nothing') tell('seen', what, where);
    };
    shown('address-off', member);
    shown('mounted-off', member);
    const next = ['m1', 'm2', 'm3'].find((one) => one !== member && !off.has(one));
    off.add(member);
    if (broken === 'no failover' || next === undefined) return;
    owner = next;
    shown('mounted-on', owner);
    shown('address-on', owner);
    tell('event', 'start-ended', owner, 'finished (exit status 0)');
    if (broken === 'a client comes back late')
      late = { at: clock + 25_000, kind: 'seen', what: 'client-served', member: 'c1', text: '' };
    else if (broken !== 'client lost' && broken !== 'clients show nothing') tell('seen', 'client-served', 'c1');
    moved = true;
  };
  const ground: DrillGround = {
    packageName: 'csync',
    members: ['m1', 'm2', 'm3'],
    engine: serviceguard,
    clients: ['c1'],
    trace: async () => trace,
    evidence: async () => {
      if (late !== null && offset > 20_000) trace.push(late);
      if (offset > 20_000) late = null;
      return { trace, missing: broken === 'a watch ends' && moved ? ['m2: its watch exited'] : [] };
    },
    mark: async () => trace.at(-1)?.at ?? 0,
    status: async () => ({
      ...runningOn(owner),
      autoRun,
      switching: new Map(ground.members.map((member) => [member, !off.has(member)])),
    }),
    type: async (member, argv) => {
      tell('command', argv[0] ?? '', member, argv.join(' '));
      typed.push(argv.join(' '));
      if (broken === 'command fails') throw new Error('ended with 1: Unable to');
      if (argv[1] === '-e' && argv[2] === '-n' && broken !== 'switch stays off') off.delete(argv[3] ?? '');
      if (argv[0] === 'cmmodpkg' && argv.length === 3) autoRun = argv[1] === '-e';
    },
    script: async (member, what, text) => {
      tell('fault', what, member, text);
      typed.push(text);
      // The brake: what came by a failover stays.
      if (what === 'signal-daemon' && text.includes('KILL') && !moved) moveFrom(member);
    },
    machine: null,
    words: { daemon: 'cf-serverd', monitor: 'the monitor', directory: '$SGCONF/csync', pause: 'csync.debug', start: 'true' },
    invariants: async () => (broken === 'daemon missing' ? ['0 cfengine daemons run on m1'] : []),
    forbidden: async () => (broken === 'lock lost' || (broken === 'lock lost meanwhile' && moved) ? ['the lock was lost'] : []),
    // Simulated time, so that limits are met at once.
    pause: async (milliseconds) => {
      offset += milliseconds;
    },
  };
  let offset = 0;
  const real = performance.now.bind(performance);
  performance.now = () => real() + offset;
  const restore = (): void => {
    performance.now = real;
  };
  return { ground, typed, restore };
}

async function run(name: string, broken?: Parameters<typeof madeUp>[0]) {
  const row = drillNamed(name);
  if (row === undefined) throw new Error(`no drill ${name}`);
  const { ground, typed, restore } = madeUp(broken);
  try {
    return { result: await runDrill(row, ground, () => {}), typed };
  } finally {
    restore();
  }
}

describe('a drill', () => {
  it('is done, followed, cleaned up, and checked', async () => {
    const { result, typed } = await run('kill-daemon');
    expect(result).toMatchObject({
      verdict: 'pass',
      from: 'm1',
      to: 'm2',
      unclean: [],
      faults: [],
      before: { owner: 'm1' },
      after: { owner: 'm2' },
    });
    expect(typed).toEqual(['cf-serverd gets SIGKILL', 'cmmodpkg -e -n m1 csync']);
    expect(result.marks.map(({ text }) => text)).toEqual(['cf-serverd gets SIGKILL']);
  });

  it('whose members take their parts in turn: the cascade ends on the second', async () => {
    const { result } = await run('cascade');
    expect(result).toMatchObject({ verdict: 'pass', to: 'm2', after: { switching: { m1: true, m2: true, m3: true } } });
  });

  it.each([
    ['no failover', /timed out after 90 s waiting for the package to run elsewhere than on m1/],
    ['switch stays off', /final state differs: m1 is disabled for the package; before, it was enabled/],
    ['client lost', /not every client reaches the master/],
    ['command fails', /clean-up: cmmodpkg -e -n m1 csync: ended with 1: Unable to/],
    ['clients show nothing', /^not measured: c1 noticed nothing, although the package moved/],
    ['mounts show nothing', /^not measured: no evidence of mounted-on m2, address-on m2, mounted-off m1, address-off m1/],
    ['a watch ends', /^not measured: m2: its watch exited$/],
    ['a client comes back late', /c1 had no master for 25.\d\d s, limit 20 s/],
    ['daemon missing', /final state differs: 0 cfengine daemons run on m1/],
  ] as const)('fails for "%s"', async (broken, sentence) => {
    const { result } = await run('kill-daemon', broken);
    expect(result.verdict).toBe('fail');
    expect(result.sentence).toMatch(sentence);
  });

  it('for the lab only is not begun where csync cannot switch power; nor is any drill of it', async () => {
    for (const { name } of drills.filter(({ acts }) => acts.some((act) => act.do === 'machine'))) {
      const { result, typed } = await run(name);
      expect([result.verdict, result.sentence, typed]).toEqual(['fail', 'not started: it runs in the lab only', []]);
    }
  });

  it('is not begun, and nothing is done, when the cluster may not be changed', async () => {
    const { result, typed } = await run('cascade', 'lock lost');
    expect([result.verdict, result.sentence, typed]).toEqual(['fail', 'not started: the lock was lost', []]);
  });

  it('goes no further when the cluster may not be changed any more, and puts right what it broke', async () => {
    const { result, typed } = await run('cascade', 'lock lost meanwhile');
    expect([result.verdict, result.faults]).toEqual(['fail', ['the lock was lost']]);
    expect(typed).toEqual(['cf-serverd gets SIGKILL', 'cmmodpkg -e -n m1 csync']);
  });

  it('in which no client may notice fails when the package moved', async () => {
    const { ground, restore } = madeUp();
    const row = drillNamed('switch-off-on');
    if (row === undefined) throw new Error('no such drill');
    const moving: DrillGround = {
      ...ground,
      type: async (member, argv) => ground.type(member, argv).then(() => ground.script('m1', 'signal-daemon', 'KILL', '')),
    };
    const result = await runDrill(row, moving, () => {}).finally(restore);
    expect(result.verdict).toBe('fail');
    expect(result.sentence).toMatch(/did not stay on m1/);
  });
});

describe('what a watch on a real host wrote', () => {
  it('becomes entries by our clock; what is cut, or no line of ours, is skipped', () => {
    const text = [
      '1000.500000 mounted 1 1000.480000',
      '1001.000000 address 0 1000.975',
      '1002.000000 log Nov 28 03:00:00 m2 csync start: ok [script-begin] Start, part 1 of 2. | role=pre',
      '1003.000000 log Nov 28 03:00:01 m2 csync start: ok [script-complete] Start, part 2 of 2. | role=main exit=0 ms=80',
      '1003.500000 log Nov 28 03:00:01 m2 csync halt: ok [script-begin] Halt, part 1 of 2. | role=main',
      '1004.000000 client 0 1003.700000',
      'garbage',
      '1005.0',
    ].join('\n');
    expect(
      readWatch(text, 'm2', 250).map(({ at, what, sinceMs }) => [at, what, sinceMs === undefined ? null : Math.round(sinceMs)]),
    ).toEqual([
      [1_000_250, 'mounted-on', 20],
      [1_000_750, 'address-off', 25],
      [1_001_750, 'starting', null],
      [1_002_750, 'start-ended', null],
      [1_003_250, 'halting', null],
      [1_003_750, 'client-lost', 300],
    ]);
  });
});
