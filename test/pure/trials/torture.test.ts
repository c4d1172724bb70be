import { describe, expect, it } from 'vitest';
import { killOf, replayCommand, scheduleFor, Table, tortureKinds, woundOf } from '../../../src/lab/trials/torture-plan.ts';
import { codesIn, type Edit, editOutcome, judgeSet, numbersIn, wentBack } from '../../../src/lab/trials/torture-set.ts';
import { members, packageOf, subnet } from '../lab/lab-cluster.ts';

const settings = { packageName: 'csync', packageSubnet: subnet };
const table = () => new Table('lab', members, subnet, packageOf('csync'), 'csync');

describe('the schedule of a torture', () => {
  it('is a function of its seed', () => {
    expect(scheduleFor(7, 200)).toEqual(scheduleFor(7, 200));
    expect(scheduleFor(7, 50)).toEqual(scheduleFor(7, 200).slice(0, 50));
    expect(scheduleFor(8, 50)).not.toEqual(scheduleFor(7, 50));
    expect(scheduleFor(1, 4).map(({ kind }) => kind)).toMatchInlineSnapshot(`
      [
        "hang-front",
        "hung-start",
        "hang-monitor",
        "duplicate-address",
      ]
    `);
    expect(replayCommand(7, 3)).toBe('csync lab torture --seed 7 --iterations 3');
  });

  it('has every kind once before any comes again', () => {
    const steps = scheduleFor(3, 3 * tortureKinds.length);
    for (let at = 0; at < steps.length; at += tortureKinds.length)
      expect(new Set(steps.slice(at, at + tortureKinds.length).map(({ kind }) => kind)).size).toBe(tortureKinds.length);
  });
});

describe('where the table has the package', () => {
  it('begins on the first member', () => {
    expect([table().owner, table().up, table().ready]).toEqual(['alpha', ['alpha', 'beta', 'gamma'], ['beta', 'gamma']]);
  });

  const rows: readonly (readonly [kind: (typeof tortureKinds)[number], during: string | null, after: string | null])[] = [
    ['kill-daemon', 'beta', 'beta'],
    ['hang-daemon', 'beta', 'beta'],
    ['crash', 'beta', 'beta'],
    ['cut', 'beta', 'beta'],
    ['haltnode', 'beta', 'beta'],
    ['haltnode-standby', 'alpha', 'alpha'],
    ['crash-standby', 'alpha', 'alpha'],
    ['full-disk', 'alpha', 'alpha'],
    ['haltpkg', null, 'alpha'],
    ['move', 'beta', 'beta'],
    ['modpkg', 'alpha', 'alpha'],
    ['maintenance', 'alpha', 'alpha'],
    ['apply', 'alpha', 'alpha'],
    ['member', 'alpha', 'alpha'],
    ['hang-monitor', 'alpha', 'alpha'],
    ['hang-front', 'alpha', 'alpha'],
    ['hang-syslog', 'alpha', 'alpha'],
    ['hang-sshd', 'alpha', 'alpha'],
    ['hung-read', 'alpha', 'alpha'],
    ['killed-apply', 'alpha', 'alpha'],
    ['freeze-log', 'alpha', 'alpha'],
    ['freeze-policy', 'alpha', 'alpha'],
    ['overload', 'alpha', 'alpha'],
    ['duplicate-address', 'alpha', 'alpha'],
    ['hung-start', 'alpha', 'alpha'],
  ];
  it.each(rows)('%s: %s, repaired %s', (kind, during, after) => {
    const one = table();
    const wound = woundOf({ kind, standby: 0, lingers: false }, one, settings);
    one.feed(...(wound?.harm ?? []));
    expect(one.owner).toBe(during);
    one.feed(...(wound?.repair ?? []));
    expect(one.owner).toBe(after);
    expect(one.ready).toHaveLength(2);
  });

  it('asks whether it could fail over under all harm that leaves the package in its place, but maintenance and overload', () => {
    const asked = tortureKinds.filter(
      (kind) => woundOf({ kind, standby: 0, lingers: false }, table(), settings)?.failsOver !== null,
    );
    const still = rows.flatMap(([kind, during]) =>
      during === 'alpha' && !['maintenance', 'overload'].includes(kind) ? [kind] : [],
    );
    expect(asked.toSorted()).toEqual(still.toSorted());
  });

  it.each(['hung-read', 'hung-start'] as const)('%s: on the third member when a start on the next one fails', (kind) => {
    const one = table();
    const wound = woundOf({ kind, standby: 0, lingers: false }, one, settings);
    expect([wound?.member, wound?.refuses]).toEqual(['beta', true]);
    one.refuse('beta', true);
    one.feed(...killOf('alpha', 'csync')[0]);
    expect([one.owner, one.braked]).toEqual(['gamma', true]);
    one.refuse('beta', false);
    one.feed(...(wound?.repair ?? []), ...killOf('alpha', 'csync')[1]);
    expect([one.ready, one.braked]).toEqual([['alpha', 'beta'], false]);
    one.feed({ kind: 'package-switch', packages: ['csync'], enable: false, members: ['beta'] });
    expect(one.braked, 'it never came from there').toBe(false);
    one.feed({ kind: 'package-switch', packages: ['csync'], enable: false, members: ['alpha'] });
    expect(one.braked, 'it came from there').toBe(true);
  });

  it('asks no second failover in quick succession: where the package came from is switched off until it is repaired', () => {
    const one = table();
    const [harm, repair] = killOf('alpha', 'csync');
    one.feed(...harm);
    expect([one.owner, one.braked]).toEqual(['beta', true]);
    for (const kind of ['kill-daemon', 'hang-daemon'] as const)
      expect(woundOf({ kind, standby: 0, lingers: false }, one, settings)).toBeNull();
    one.feed(...repair);
    expect(one.braked).toBe(false);
    one.feed({ kind: 'package-switch', packages: ['csync'], enable: false, members: ['gamma'] });
    expect(one.braked, 'another one is switched off').toBe(false);
    one.feed({ kind: 'package-switch', packages: ['csync'], enable: false, members: ['alpha'] });
    expect(one.braked).toBe(true);
  });

  it('a second owner of the address is a member the package does not go to, and clients are not asked meanwhile', () => {
    const one = table();
    const wound = woundOf({ kind: 'duplicate-address', standby: 0, lingers: false }, one, settings);
    one.feed(...killOf('alpha', 'csync')[0]);
    expect([wound?.member, wound?.meanwhile, one.owner]).toEqual(['gamma', 'place', 'beta']);
  });

  it('asks all clients in every case, but the one that is harmful itself', () => {
    const meanwhile = tortureKinds.map((kind) => [
      kind,
      woundOf({ kind, standby: 0, lingers: false }, table(), settings)?.meanwhile,
    ]);
    expect(meanwhile.filter(([, what]) => what !== 'all')).toEqual([
      ['overload', 'others'],
      ['duplicate-address', 'place'],
    ]);
  });

  it('what needs members that are missing cannot be done, and the package always has a place', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const one = table();
      let open: ReturnType<typeof woundOf> = null;
      for (const step of scheduleFor(seed, 60)) {
        let wound = woundOf(step, one, settings);
        if (wound === null) {
          expect(open, `seed ${seed}`).not.toBeNull();
          one.feed(...(open?.repair ?? []));
          open = null;
          wound = woundOf(step, one, settings);
        }
        expect(wound, `seed ${seed} ${step.kind}`).not.toBeNull();
        one.feed(...(wound?.harm ?? []));
        if (step.kind !== 'haltpkg') expect(one.owner, `seed ${seed} ${step.kind}`).not.toBeNull();
        if (open !== null) one.feed(...open.repair);
        open = null;
        if (step.lingers) open = wound;
        else one.feed(...(wound?.repair ?? []));
        expect(one.owner).not.toBeNull();
      }
    }
  });
});

describe('the verdict on the set', () => {
  const edits: readonly Edit[] = [
    { number: 1, outcome: 'acknowledged' },
    { number: 2, outcome: 'acknowledged' },
    { number: 3, outcome: 'failed', why: 'change-policy-conflict' },
    { number: 4, outcome: 'unknown' },
    { number: 5, outcome: 'unknown' },
  ];
  it('holds when all that was acknowledged exists, and of the rest only what is not known', () => {
    expect(judgeSet(edits, [1, 2, 5])).toEqual({
      read: true,
      acknowledged: 2,
      failed: 1,
      reasons: { 'change-policy-conflict': 1 },
      unknown: 2,
      recovered: 1,
      lost: [],
      unexpected: [],
    });
  });
  it('finds what was lost, what failed but exists, what no edit wrote, and what exists twice', () => {
    expect(judgeSet(edits, [1, 3, 9, 1])).toMatchObject({ lost: [2], unexpected: [3, 9, 1] });
    expect(judgeSet(edits, null), 'it cannot be read').toMatchObject({ read: false, lost: [], unexpected: [] });
  });

  it.each([
    [{ epoch: 2, commit: 5, numbers: [1] }, { epoch: 2, commit: 6, numbers: [1, 2] }, null],
    [{ epoch: 2, commit: 5, numbers: [1] }, { epoch: 3, commit: 5, numbers: [1] }, null],
    [{ epoch: 2, commit: 5, numbers: [1] }, { epoch: 1, commit: 9, numbers: [1] }, 'from epoch 2 to 1'],
    [{ epoch: 2, commit: 5, numbers: [1] }, { epoch: 2, commit: 4, numbers: [1] }, 'from commit 5 to 4'],
    [{ epoch: 2, commit: 5, numbers: [1, 2] }, { epoch: 3, commit: 6, numbers: [1] }, 'edits 2 existed earlier and are missing'],
  ])('a client with %j and then %j: %s', (before, now, is) => {
    expect(wentBack(before, now)).toBe(is);
  });

  it.each([
    [true, 0, '', 'acknowledged'],
    [true, 5, '{"problems":[{"code":"change-policy-unacknowledged"}]}', 'unknown'],
    [true, 5, '{"problems":[{"code":"change-policy-conflict"}]}', 'failed'],
    [true, 4, '{"problems":[{"code":"cluster-not-running"}]}', 'failed'],
    [true, 137, '', 'unknown'],
    [true, 70, 'nonsense', 'unknown'],
    [false, 0, '', 'unknown'],
  ])('an end (%s) with %i and %j is %s', (ended, exitCode, stdout, is) => {
    expect(editOutcome(ended, exitCode, stdout)).toBe(is);
  });

  it('reports why an edit was refused', () => {
    const printed = JSON.stringify({ problems: [{ code: 'b' }, { code: 'a' }, { code: 'b' }] }, null, 2);
    expect([codesIn(printed), codesIn('')]).toEqual(['a b', '']);
  });

  it('reads a set, and no half one', () => {
    expect([numbersIn(''), numbersIn('1\n12\n'), numbersIn('1\n1'), numbersIn('x\n')]).toEqual([[], [1, 12], null, null]);
  });
});
