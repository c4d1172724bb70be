/** Members that are added and removed: what is refused, what a change does, and that random histories with it keep every promise. */
import { describe, expect, test } from 'vitest';
import { memberChange, refuseMembers, withMembers } from '../../../src/lab/manager/member-change.ts';
import { initialState, invariants } from '../../../src/lab/manager/package-manager.ts';
import { Drive, members, packageOf, served, spares, subnet } from './lab-cluster.ts';

const change = (wanted: readonly string[], packages = [] as ReturnType<typeof packageOf>[]) =>
  ({ kind: 'configuration-applied', packages, members: wanted }) as const;
const all = [...members, 'delta'];
const haltMember = (member: string) => ({ kind: 'member-halt', members: [member], force: true }) as const;
const answer = (drive: Drive) => drive.wanted('reply')[0];

/** csync is on alpha and beta only, so that gamma can go; gamma is halted. */
function readyToLose(): Drive {
  const drive = served().feed({ kind: 'configuration-applied', packages: [packageOf('csync', {}, ['alpha', 'beta'])] });
  return drive.feed(haltMember('gamma'));
}

describe('a member is added', () => {
  test('it is in the cluster and down until cmrunnode; packages with an open list accept it', () => {
    const drive = served().feed({ kind: 'configuration-applied', packages: [packageOf('web', {}, ['*'])] });
    drive.feed(change(all));
    expect(answer(drive)).toMatchObject({ exitCode: 0 });
    expect(drive.state.memberOrder).toEqual(all);
    expect(drive.state.members.delta).toMatchObject({
      status: 'down',
      state: 'halted',
      machine: 'up',
      subnets: { [subnet]: 'up' },
    });
    expect(Object.keys(drive.state.spares)).toEqual(['epsilon']);
    expect(drive.of('web').nodeSwitch).toMatchObject({ delta: true });
    expect(drive.of('csync').nodeSwitch).toEqual({ alpha: true, beta: true, gamma: true });
    expect(drive.feed({ kind: 'member-run', members: ['delta'] }).state.members.delta).toMatchObject({
      status: 'up',
      state: 'running',
    });
    expect(invariants(drive.state)).toEqual([]);
  });

  test('a package that gets it into node_name fails over to it', () => {
    const drive = served().feed(change(all, [packageOf('csync', {}, ['alpha', 'delta'])]));
    expect(drive.of('csync').nodeSwitch).toEqual({ alpha: true, delta: true });
    drive
      .feed({ kind: 'member-run', members: ['delta'] })
      .feed(haltMember('alpha'))
      .halt('csync', 'alpha');
    expect(drive.wanted('run-start')).toMatchObject([{ member: 'delta' }]);
  });

  test('a switch that was turned off stays off for those who were there before', () => {
    const drive = served().feed({ kind: 'package-switch', packages: ['csync'], enable: false, members: ['beta'] });
    drive.feed(change(all, [packageOf('csync', {}, all)]));
    expect(drive.of('csync').nodeSwitch).toEqual({ alpha: true, beta: false, gamma: true, delta: true });
  });

  test('its machine must be there: what happened to it while it was a spare is known', () => {
    const drive = served().feed({ kind: 'member-crashed', member: 'delta' });
    expect(answer(drive.feed(change(all)))).toMatchObject({
      exitCode: 1,
      errorLines: [expect.stringContaining('delta is unreachable'), expect.anything()],
    });
    drive.feed({ kind: 'member-booted', member: 'delta', join: true });
    expect(drive.state.running && drive.state.spares.delta?.status).toBe('down');
    drive.feed({ kind: 'subnet-changed', member: 'delta', subnet, status: 'down' }).feed(change(all));
    expect(drive.state.members.delta).toMatchObject({ machine: 'up', status: 'down', subnets: { [subnet]: 'down' } });
  });

  test('also while the cluster is down; cmruncl then takes it along', () => {
    const drive = new Drive(initialState({ name: 'lab', members, spares, subnets: [subnet] })).feed(change(all));
    expect(drive.feed({ kind: 'cluster-run', members: [] }).state.members.delta?.status).toBe('up');
  });
});

describe('a member is removed', () => {
  test('once it is halted and no package lists it, and can come back', () => {
    const drive = readyToLose().feed(change(['alpha', 'beta']));
    expect(answer(drive)).toMatchObject({ exitCode: 0 });
    expect(drive.state.memberOrder).toEqual(['alpha', 'beta']);
    expect(Object.keys(drive.state.spares)).toEqual([...spares, 'gamma']);
    expect(invariants(drive.state)).toEqual([]);
    expect(answer(drive.feed({ kind: 'member-run', members: ['gamma'] }))).toMatchObject({ exitCode: 1 });
    expect(answer(drive.feed(change(members)))).toMatchObject({ exitCode: 0 });
  });

  test('one that crashed can go while its machine is down, and booted again it joins nothing', () => {
    const drive = served().feed({ kind: 'member-crashed', member: 'gamma' });
    expect(answer(drive.feed(change(['alpha', 'beta'])))?.errorLines[0]).toContain('re-forming');
    drive.feed({ kind: 'cluster-reformed', lost: ['gamma'] });
    drive.feed(change(['alpha', 'beta'], [packageOf('csync', {}, ['alpha', 'beta'])]));
    expect(drive.state.spares.gamma).toMatchObject({ machine: 'down' });
    drive.feed({ kind: 'member-booted', member: 'gamma', join: true });
    expect([drive.state.spares.gamma?.machine, drive.state.members.gamma]).toEqual(['up', undefined]);
  });

  test('with the packages that list it, in one command', () => {
    const drive = served().feed(haltMember('gamma'));
    expect(answer(drive.feed(change(['alpha', 'beta'])))).toMatchObject({
      exitCode: 1,
      errorLines: [expect.stringContaining('Package csync lists gamma'), expect.anything()],
    });
    drive.feed(change(['alpha', 'beta'], [packageOf('csync', {}, ['alpha', 'beta'])]));
    expect(answer(drive)).toMatchObject({ exitCode: 0 });
    expect(drive.of('csync')).toMatchObject({ status: 'up', owner: 'alpha', nodeSwitch: { alpha: true, beta: true } });
  });

  test('not through a file that was checked before the member went', () => {
    const drive = readyToLose().feed(change(['alpha', 'beta']));
    expect(answer(drive.feed({ kind: 'configuration-applied', packages: [packageOf('web')] }))).toMatchObject({
      exitCode: 1,
      errorLines: [expect.stringContaining('web lists gamma'), expect.anything()],
    });
    expect(drive.state.packages.web).toBeUndefined();
  });
});

describe('refused', () => {
  const codes = (drive: Drive, wanted: readonly string[], given: readonly string[] = []) =>
    refuseMembers(drive.state, wanted, given).map((problem) => problem.code);
  const inMaintenance = () =>
    served({}, {})
      .feed({ kind: 'configuration-applied', packages: [packageOf('csync', {}, ['*'])] })
      .feed({ kind: 'package-halt', packages: ['csync'], members: [], force: false })
      .halt('csync', 'alpha')
      .feed({ kind: 'package-maintenance', packages: ['csync'], on: true, members: ['gamma'] })
      .feed(haltMember('gamma'));
  test.each([
    ['no member left', served(), [], ['cluster-no-member']],
    ['a host the lab does not have', served(), [...members, 'zeta'], ['cluster-host-unknown']],
    ['an active member, listed by a package', served(), ['alpha', 'beta'], ['cluster-member-active']],
    ['a member a package lists', served().feed(haltMember('gamma')), ['alpha', 'beta'], ['cluster-member-listed']],
    ['the member a package is maintained on', inMaintenance(), ['alpha', 'beta'], ['cluster-member-maintenance']],
    [
      'several things at once',
      served(),
      ['alpha', 'zeta'],
      ['cluster-host-unknown', 'cluster-member-active', 'cluster-member-active'],
    ],
    ['nothing where nothing changes, in any order', served(), ['gamma', 'beta', 'alpha'], []],
  ] as const)('%s', (_what, drive, wanted, refused) => {
    expect(codes(drive, wanted)).toEqual(refused);
  });

  test('nothing changes by a refusal', () => {
    const drive = served();
    const before = drive.state;
    expect(drive.feed(change(['alpha'])).state).toEqual(before);
  });
});

test('a change and its opposite leave the members as they were', () => {
  const { state } = served();
  expect(withMembers(withMembers(state, all), members)).toEqual({ ...state, spares: expect.objectContaining(state.spares) });
  expect(memberChange(['a', 'b'], ['b', 'c'])).toEqual({ added: ['c'], removed: ['a'] });
});
