/**
 * The event table of failover packages, row by row as the manual prints it [A12 p.59]; the expectations are typed from
 * the page, not from the code's own table.
 */
import { describe, expect, test } from 'vitest';
import { type Drive, haltEnds, packageOf, served, serviceFails, startEnds, subnet, subnetLost } from './lab-cluster.ts';

interface Expected {
  readonly event: string;
  readonly configuration: Readonly<Record<string, string>>;
  readonly happens: (drive: Drive) => Drive;
  readonly memberAfterwards: 'reboot' | 'running';
  readonly haltScriptRuns: boolean;
  /** null: the member reboots, the question does not arise. */
  readonly mayRunHereAgain: boolean | null;
  readonly mayRunElsewhere: boolean;
}

const nff = { node_fail_fast_enabled: 'yes' };
const sff = { service_fail_fast_enabled: 'yes' };

const haltedByCommand = (code: 'timeout') => (drive: Drive) =>
  drive.feed({ kind: 'package-halt', packages: ['csync'], members: [], force: false }).halt('csync', 'alpha', code);

const table: readonly Expected[] = [
  {
    event: 'service fails, fail fast',
    configuration: sff,
    happens: serviceFails,
    memberAfterwards: 'reboot',
    haltScriptRuns: false,
    mayRunHereAgain: null,
    mayRunElsewhere: true,
  },
  {
    event: 'service fails',
    configuration: {},
    happens: serviceFails,
    memberAfterwards: 'running',
    haltScriptRuns: true,
    mayRunHereAgain: false,
    mayRunElsewhere: true,
  },
  {
    event: 'run script exit 1',
    configuration: {},
    happens: startEnds(1),
    memberAfterwards: 'running',
    haltScriptRuns: false,
    mayRunHereAgain: true,
    mayRunElsewhere: false,
  },
  {
    event: 'run script exit 1, fail fast',
    configuration: nff,
    happens: startEnds(1),
    memberAfterwards: 'running',
    haltScriptRuns: false,
    mayRunHereAgain: true,
    mayRunElsewhere: false,
  },
  {
    event: 'run script exit 2, fail fast',
    configuration: nff,
    happens: startEnds(2),
    memberAfterwards: 'reboot',
    haltScriptRuns: false,
    mayRunHereAgain: null,
    mayRunElsewhere: true,
  },
  {
    event: 'run script exit 2',
    configuration: {},
    happens: startEnds(2),
    memberAfterwards: 'running',
    haltScriptRuns: false,
    mayRunHereAgain: false,
    mayRunElsewhere: true,
  },
  {
    event: 'run script exits with another number',
    configuration: {},
    happens: startEnds(3),
    memberAfterwards: 'running',
    haltScriptRuns: false,
    mayRunHereAgain: true,
    mayRunElsewhere: false,
  },
  {
    event: 'run script timeout, fail fast',
    configuration: nff,
    happens: startEnds('timeout'),
    memberAfterwards: 'reboot',
    haltScriptRuns: false,
    mayRunHereAgain: null,
    mayRunElsewhere: true,
  },
  {
    event: 'run script timeout',
    configuration: {},
    happens: startEnds('timeout'),
    memberAfterwards: 'running',
    haltScriptRuns: false,
    mayRunHereAgain: true,
    mayRunElsewhere: false,
  },
  {
    event: 'halt script exit 1',
    configuration: {},
    happens: haltEnds(1),
    memberAfterwards: 'running',
    haltScriptRuns: true,
    mayRunHereAgain: true,
    mayRunElsewhere: false,
  },
  {
    event: 'halt script exit 1, fail fast',
    configuration: nff,
    happens: haltEnds(1),
    memberAfterwards: 'running',
    haltScriptRuns: true,
    mayRunHereAgain: true,
    mayRunElsewhere: false,
  },
  {
    event: 'halt script exit 2',
    configuration: {},
    happens: haltEnds(2),
    memberAfterwards: 'running',
    haltScriptRuns: true,
    mayRunHereAgain: true,
    mayRunElsewhere: true,
  },
  {
    event: 'halt script exit 2, fail fast',
    configuration: nff,
    happens: haltEnds(2),
    memberAfterwards: 'reboot',
    haltScriptRuns: true,
    mayRunHereAgain: null,
    mayRunElsewhere: true,
  },
  {
    event: 'halt script exit 3, fail fast',
    configuration: nff,
    happens: haltEnds(3),
    memberAfterwards: 'running',
    haltScriptRuns: true,
    mayRunHereAgain: true,
    mayRunElsewhere: false,
  },
  {
    event: 'halt script exit 3',
    configuration: {},
    happens: haltEnds(3),
    memberAfterwards: 'running',
    haltScriptRuns: true,
    mayRunHereAgain: true,
    mayRunElsewhere: false,
  },
  {
    event: 'halt script timeout, fail fast',
    configuration: nff,
    happens: haltEnds('timeout'),
    memberAfterwards: 'reboot',
    haltScriptRuns: true,
    mayRunHereAgain: null,
    mayRunElsewhere: true,
  },
  {
    event: 'halt script timeout, fail fast, after cmhaltpkg',
    configuration: nff,
    happens: haltedByCommand('timeout'),
    memberAfterwards: 'reboot',
    haltScriptRuns: true,
    mayRunHereAgain: null,
    mayRunElsewhere: false,
  },
  {
    event: 'halt script timeout',
    configuration: {},
    happens: haltEnds('timeout'),
    memberAfterwards: 'running',
    haltScriptRuns: true,
    mayRunHereAgain: true,
    mayRunElsewhere: false,
  },
  {
    event: 'monitored subnet lost, fail fast',
    configuration: nff,
    happens: subnetLost,
    memberAfterwards: 'reboot',
    haltScriptRuns: false,
    mayRunHereAgain: null,
    mayRunElsewhere: true,
  },
  {
    event: 'monitored subnet lost',
    configuration: {},
    happens: subnetLost,
    memberAfterwards: 'running',
    haltScriptRuns: true,
    mayRunHereAgain: true,
    mayRunElsewhere: true,
  },
];

describe('event table of failover packages', () => {
  test.each(table)('$event', (row) => {
    const drive = served(row.configuration);
    const before = drive.history.length;
    row.happens(drive);
    const asked = drive.history.slice(before);
    const haltRan = asked.filter((effect) => effect.kind === 'run-halt').length;
    const byCommand = row.event.startsWith('run script') ? 1 : 0;
    expect(haltRan - byCommand > 0).toBe(row.haltScriptRuns);
    expect(asked.some((effect) => effect.kind === 'reset-member' && effect.member === 'alpha')).toBe(
      row.memberAfterwards === 'reboot',
    );
    expect(drive.state.members.alpha?.status).toBe(row.memberAfterwards === 'reboot' ? 'down' : 'up');
    if (row.mayRunHereAgain !== null) expect(drive.of('csync').nodeSwitch.alpha).toBe(row.mayRunHereAgain);
    expect(drive.of('csync').autoRun).toBe(row.mayRunElsewhere);

    // And it does run elsewhere, or nowhere.
    if (drive.of('csync').pending?.script === 'halt') drive.halt('csync', 'alpha');
    if (row.memberAfterwards === 'reboot')
      drive.feed({ kind: 'member-crashed', member: 'alpha' }).feed({ kind: 'cluster-reformed', lost: ['alpha'] });
    const { owner, status } = drive.of('csync');
    // Exit 2 of a halt leaves alpha eligible, so the package may also come back to it.
    if (row.mayRunElsewhere) expect([status, owner]).toEqual(['starting', row.event === 'halt script exit 2' ? 'alpha' : 'beta']);
    else
      expect([status, owner]).toEqual(row.event.startsWith('halt script exit 3') ? ['partially_down', 'alpha'] : ['down', null]);
    if (!row.mayRunElsewhere && row.event !== 'halt script timeout, fail fast, after cmhaltpkg')
      expect(drive.log).toContain('cmmodpkg -e csync');
  });

  test('a monitored subnet that comes back makes the member eligible again', () => {
    const drive = subnetLost(served()).halt('csync', 'alpha').start('csync', 'beta');
    const again = drive
      .feed({ kind: 'subnet-changed', member: 'alpha', subnet, status: 'up' })
      .feed({ kind: 'member-halt', members: ['beta'], force: true })
      .halt('csync', 'beta');
    expect(again.of('csync').owner).toBe('alpha');
  });

  test('a monitored subnet that goes down during the start moves the package when the start has ended', () => {
    const drive = served()
      .feed({ kind: 'member-halt', members: ['alpha'], force: true })
      .halt('csync', 'alpha');
    drive.feed({ kind: 'subnet-changed', member: 'beta', subnet, status: 'down' });
    expect(drive.of('csync')).toMatchObject({ status: 'starting', owner: 'beta' });
    expect(drive.start('csync', 'beta').of('csync').status).toBe('failing');
    expect(drive.halt('csync', 'beta').of('csync').owner).toBe('gamma');
  });

  test('a subnet the package does not monitor is none of its business', () => {
    const drive = served();
    expect(drive.feed({ kind: 'subnet-changed', member: 'alpha', subnet: '10.8.0.0', status: 'down' }).of('csync').status).toBe(
      'up',
    );
  });

  test('with the option, a script that times out switches the member off too', () => {
    const drive = served({}, { timeoutDisablesMember: true });
    startEnds('timeout')(drive);
    expect(drive.of('csync').nodeSwitch.alpha).toBe(false);
  });

  test('with switching disabled a service failure halts the package and nothing more', () => {
    const drive = served().feed({ kind: 'package-switch', packages: ['csync'], enable: false, members: [] });
    serviceFails(drive).halt('csync', 'alpha');
    expect(drive.of('csync')).toMatchObject({ status: 'down', state: 'failed', owner: null, autoRun: false });
    expect(drive.log).toContain('cmmodpkg -e -n alpha csync; cmmodpkg -e csync');
  });
});

describe('services', () => {
  test('is restarted in place as often as service_restart says, then the package fails', () => {
    const drive = served({ service_restart: '2' });
    serviceFails(drive);
    expect(drive.wanted('restart-service')).toMatchObject([{ member: 'alpha', service: 'csync_monitor', restarts: 1 }]);
    serviceFails(drive);
    expect(drive.of('csync')).toMatchObject({ status: 'up', services: [{ status: 'up', restarts: 2 }] });
    serviceFails(drive);
    expect(drive.of('csync')).toMatchObject({ status: 'failing', nodeSwitch: { alpha: false, beta: true } });
  });

  test('unlimited restarts never fail the package', () => {
    const drive = served({ service_restart: 'unlimited' });
    for (let death = 1; death <= 20; death += 1) serviceFails(drive);
    expect(drive.of('csync')).toMatchObject({ status: 'up', services: [{ restarts: 20 }] });
  });

  test('cmmodpkg -R -s sets the counter back', () => {
    const drive = serviceFails(served({ service_restart: '1' })).feed({
      kind: 'service-reset',
      packages: ['csync'],
      service: 'csync_monitor',
    });
    expect(drive.of('csync').services[0]?.restarts).toBe(0);
    expect(serviceFails(drive).of('csync').status).toBe('up');
  });

  test('a service that dies while the start still runs is judged when the start has ended', () => {
    const drive = served()
      .feed({ kind: 'package-halt', packages: ['csync'], members: [], force: false })
      .halt('csync', 'alpha');
    drive.feed({ kind: 'package-switch', packages: ['csync'], enable: true, members: [] });
    expect(serviceFails(drive).effects.filter((effect) => effect.kind !== 'log')).toEqual([]);
    expect(drive.start('csync', 'alpha').of('csync')).toMatchObject({ status: 'failing', nodeSwitch: { alpha: false } });
  });

  test('a service that dies while the package is being halted changes nothing', () => {
    const drive = served().feed({ kind: 'package-halt', packages: ['csync'], members: [], force: false });
    const { autoRun, nodeSwitch } = drive.of('csync');
    expect(serviceFails(drive).of('csync')).toMatchObject({ status: 'halting', autoRun, nodeSwitch });
  });

  test('a death reported for another member is ignored', () => {
    const drive = served().feed({ kind: 'service-died', package: 'csync', member: 'beta', service: 'csync_monitor' });
    expect(drive.of('csync').status).toBe('up');
  });
});

describe('crash of a member', () => {
  test('nothing starts until the others have re-formed', () => {
    const drive = served().feed({ kind: 'member-crashed', member: 'alpha' });
    expect(drive.wanted('run-start')).toEqual([]);
    expect(drive.of('csync')).toMatchObject({ status: 'unknown', owner: null });
    drive.feed({ kind: 'package-run', packages: ['csync'], members: ['beta'], issuedOn: 'beta', anyMember: false });
    expect(drive.wanted('run-start')).toEqual([]);
    expect(drive.wanted('reply')).toMatchObject([{ exitCode: 1, errorLines: ['cmrunpkg: Unable to connect to daemon.'] }]);
    drive.feed({ kind: 'cluster-reformed', lost: ['alpha'] });
    expect(drive.wanted('run-start')).toMatchObject([{ package: 'csync', member: 'beta' }]);
  });

  test('a package that fails elsewhere in the meantime waits too', () => {
    const drive = served().feed({ kind: 'member-crashed', member: 'gamma' });
    serviceFails(drive).halt('csync', 'alpha');
    expect(drive.wanted('run-start')).toEqual([]);
    expect(drive.feed({ kind: 'cluster-reformed', lost: ['gamma'] }).of('csync')).toMatchObject({
      status: 'starting',
      owner: 'beta',
    });
  });

  test('in the middle of a start and of a halt', () => {
    const starting = served()
      .feed({ kind: 'package-halt', packages: ['csync'], members: [], force: false })
      .halt('csync', 'alpha');
    starting.feed({ kind: 'package-run', packages: ['csync'], members: ['beta'], issuedOn: 'alpha', anyMember: false });
    starting.feed({ kind: 'member-crashed', member: 'beta' });
    expect(starting.wanted('reply')).toMatchObject([{ exitCode: 1 }]);
    const halting = served()
      .feed({ kind: 'member-halt', members: ['alpha'], force: true })
      .feed({ kind: 'member-crashed', member: 'alpha' });
    expect(halting.wanted('reply')).toMatchObject([{ exitCode: 1 }]);
    expect(halting.feed({ kind: 'cluster-reformed', lost: ['alpha'] }).of('csync').owner).toBe('beta');
    // The end of the dead member's script comes too late to mean anything.
    expect(halting.halt('csync', 'alpha').of('csync').owner).toBe('beta');
  });

  test('a lost member that boots joins again and gets its switch back', () => {
    const drive = served({ node_fail_fast_enabled: 'yes' });
    drive.feed({ kind: 'package-switch', packages: ['csync'], enable: false, members: ['alpha'] });
    drive
      .feed({ kind: 'member-crashed', member: 'alpha' })
      .feed({ kind: 'cluster-reformed', lost: ['alpha'] })
      .start('csync', 'beta');
    drive.feed({ kind: 'member-booted', member: 'alpha', join: true });
    expect(drive.state.members.alpha).toMatchObject({ status: 'up', state: 'running', machine: 'up' });
    expect(drive.of('csync')).toMatchObject({ owner: 'beta', nodeSwitch: { alpha: true } });
  });

  test('a member that boots without having been missed has lost what it ran all the same', () => {
    const drive = served().feed({ kind: 'member-booted', member: 'alpha', join: true });
    expect(drive.wanted('run-start')).toMatchObject([{ package: 'csync', member: 'alpha' }]);
  });

  test('a package without an eligible member ends unowned and the log names the command that recovers it', () => {
    const drive = served();
    drive.feed({ kind: 'package-switch', packages: ['csync'], enable: false, members: ['beta', 'gamma'] });
    serviceFails(drive).halt('csync', 'alpha');
    expect(drive.of('csync')).toMatchObject({ status: 'down', state: 'failed', owner: null });
    expect(drive.log).toContain('cmmodpkg -e -n alpha csync');
  });

  test('when all members were lost the cluster forms again once all of them have booted', () => {
    const drive = served();
    for (const member of ['alpha', 'beta', 'gamma']) drive.feed({ kind: 'member-crashed', member });
    expect(drive.state.running).toBe(false);
    drive.feed({ kind: 'cluster-reformed', lost: ['alpha', 'beta', 'gamma'] });
    drive
      .feed({ kind: 'member-booted', member: 'alpha', join: true })
      .feed({ kind: 'member-booted', member: 'beta', join: true });
    expect(drive.state.running).toBe(false);
    drive.feed({ kind: 'member-booted', member: 'gamma', join: true });
    expect(drive.state.running).toBe(true);
    expect(drive.of('csync').owner).toBe('alpha');
  });
});

describe('placement', () => {
  test('min_package_node takes the eligible member with the fewest packages', () => {
    const drive = served({ failover_policy: 'min_package_node' });
    drive.feed({ kind: 'configuration-applied', packages: [packageOf('web')] });
    drive
      .feed({ kind: 'package-run', packages: ['web'], members: ['beta'], issuedOn: 'beta', anyMember: false })
      .start('web', 'beta');
    drive.feed({ kind: 'member-halt', members: ['alpha'], force: true }).halt('csync', 'alpha');
    expect(drive.of('csync').owner).toBe('gamma');
  });

  test('configured_node takes the first eligible member of node_name', () => {
    const drive = served().feed({ kind: 'package-switch', packages: ['csync'], enable: false, members: ['beta'] });
    expect(serviceFails(drive).halt('csync', 'alpha').of('csync').owner).toBe('gamma');
  });

  test('automatic failback brings the package home when the primary member joins', () => {
    const drive = served({ failback_policy: 'automatic' }).feed({ kind: 'member-halt', members: ['alpha'], force: true });
    drive
      .halt('csync', 'alpha')
      .start('csync', 'beta')
      .feed({ kind: 'member-run', members: ['alpha'] });
    expect(drive.wanted('run-halt')).toMatchObject([{ member: 'beta', reason: 'automatic_halt' }]);
    expect(drive.halt('csync', 'beta').of('csync').owner).toBe('alpha');
  });

  test('manual failback leaves the package where it is', () => {
    const drive = served()
      .feed({ kind: 'member-halt', members: ['alpha'], force: true })
      .halt('csync', 'alpha')
      .start('csync', 'beta');
    expect(drive.feed({ kind: 'member-run', members: ['alpha'] }).of('csync')).toMatchObject({ owner: 'beta', status: 'up' });
  });
});
