/** What administrators type, and what follows: switching, halting members and the cluster, maintenance mode. */
import { describe, expect, test } from 'vitest';
import { preview } from '../../../src/lab/manager/configuration/preview.ts';
import { initialState, invariants } from '../../../src/lab/manager/package-manager.ts';
import { Drive, members, packageOf, served, subnet } from './lab-cluster.ts';

const halt = { kind: 'package-halt', packages: ['csync'], members: [], force: false } as const;
const runOn = (member: string) =>
  ({ kind: 'package-run', packages: ['csync'], members: [member], issuedOn: 'alpha', anyMember: false }) as const;
const enable = { kind: 'package-switch', packages: ['csync'], enable: true, members: [] } as const;
const replies = (drive: Drive) => drive.history.filter((effect) => effect.kind === 'reply').slice(2);

describe('cmrunpkg and cmhaltpkg', () => {
  test('a manual move leaves switching disabled until cmmodpkg -e', () => {
    const drive = served().feed(halt).halt('csync', 'alpha').feed(runOn('beta')).start('csync', 'beta');
    expect(drive.of('csync')).toMatchObject({
      status: 'up',
      owner: 'beta',
      autoRun: false,
      nodeSwitch: { alpha: true, beta: true },
    });
    expect(drive.feed(enable).of('csync').autoRun).toBe(true);
  });

  test('are answered when the script has ended, with the texts of the real commands', () => {
    const drive = served().feed(halt);
    expect(drive.wanted('reply')).toEqual([]);
    expect(drive.wanted('run-halt')).toMatchObject([{ reason: 'user_halt', timeoutSeconds: null }]);
    drive.halt('csync', 'alpha').feed(runOn('beta')).start('csync', 'beta');
    expect(replies(drive)).toMatchObject([
      {
        exitCode: 0,
        lines: [
          'Halting package csync',
          'Successfully halted package csync',
          'cmhaltpkg: Completed successfully on all packages specified',
        ],
      },
      {
        exitCode: 0,
        lines: [
          'Running package csync on node beta',
          'Successfully started package csync on node beta',
          'cmrunpkg: All specified packages are running',
        ],
      },
    ]);
  });

  test('cmrunpkg refuses a member the package is switched off for, in the words of the real command', () => {
    const drive = served().feed(halt).halt('csync', 'alpha');
    drive.feed({ kind: 'package-switch', packages: ['csync'], enable: false, members: ['beta'] }).feed(runOn('beta'));
    expect(drive.wanted('reply')).toMatchObject([
      {
        exitCode: 1,
        errorLines: [
          'Unable to run package csync on node beta. Node is not eligible.',
          'cmrunpkg: Unable to start some package or package instances',
        ],
      },
    ]);
  });

  test('cmrunpkg does nothing to a package that runs', () => {
    const drive = served().feed(runOn('beta'));
    expect(drive.wanted('reply')).toMatchObject([{ exitCode: 1 }]);
    expect(drive.of('csync')).toMatchObject({ owner: 'alpha', status: 'up' });
  });

  test('cmrunpkg -a takes the member the policy chooses', () => {
    const drive = served().feed(halt).halt('csync', 'alpha');
    drive.feed({ kind: 'package-run', packages: ['csync'], members: [], issuedOn: 'gamma', anyMember: true });
    expect(drive.wanted('run-start')).toMatchObject([{ member: 'alpha' }]);
  });
});

describe('cmrunpkg and cmhaltpkg when something is in the way', () => {
  test('a start that fails makes cmrunpkg fail', () => {
    const drive = served().feed(halt).halt('csync', 'alpha').feed(runOn('beta')).start('csync', 'beta', 1);
    expect(drive.wanted('reply')).toMatchObject([{ exitCode: 1 }]);
    expect(drive.wanted('kill-services')).toMatchObject([{ package: 'csync', member: 'beta' }]);
  });

  test('cmhaltpkg while a start runs waits and halts then', () => {
    const drive = served()
      .feed(halt)
      .halt('csync', 'alpha')
      .feed(runOn('beta'))
      .feed({ ...halt, request: 'later' });
    expect(drive.effects.filter((effect) => effect.kind !== 'log')).toEqual([]);
    drive.start('csync', 'beta');
    expect(drive.wanted('run-halt')).toMatchObject([{ member: 'beta', reason: 'user_halt' }]);
    drive.halt('csync', 'beta');
    expect(drive.wanted('reply')).toMatchObject([{ request: 'later', exitCode: 0 }]);
  });

  test('cmhaltnode -f after that cmhaltpkg leaves it a halt by command', () => {
    const drive = served().feed(halt).halt('csync', 'alpha').feed(runOn('beta')).feed(halt);
    drive.feed({ kind: 'member-halt', members: ['beta'], force: true, request: 'member' }).start('csync', 'beta');
    expect(drive.wanted('run-halt')).toMatchObject([{ reason: 'user_halt' }]);
    expect(drive.halt('csync', 'beta').wanted('reply')).toMatchObject([{ exitCode: 0 }, { request: 'member', exitCode: 0 }]);
  });

  test('cmhaltpkg while the package fails over keeps it from starting elsewhere', () => {
    const drive = served().feed({ kind: 'service-died', package: 'csync', member: 'alpha', service: 'csync_monitor' });
    drive.feed(halt).halt('csync', 'alpha');
    expect(drive.wanted('run-start')).toEqual([]);
    expect(drive.wanted('reply')).toMatchObject([{ exitCode: 0 }]);
    expect(drive.of('csync')).toMatchObject({ status: 'down', autoRun: false });
  });

  test('after an aborted halt only -f gets the package down', () => {
    const drive = served().feed(halt).halt('csync', 'alpha', 3);
    expect(drive.of('csync')).toMatchObject({
      status: 'partially_down',
      state: 'halt_aborted',
      owner: 'alpha',
      lastHaltFailed: true,
    });
    expect(drive.feed(halt).halt('csync', 'alpha', 3).of('csync').status).toBe('partially_down');
    expect(
      drive
        .feed({ ...halt, force: true })
        .halt('csync', 'alpha', 3)
        .of('csync'),
    ).toMatchObject({ status: 'down', owner: null });
  });

  test('names that are no packages are reported, the others are done', () => {
    const drive = served()
      .feed({ ...halt, packages: ['nopkg', 'csync'] })
      .halt('csync', 'alpha');
    expect(drive.wanted('reply')).toMatchObject([
      { exitCode: 1, lines: ['Halting package csync', 'Successfully halted package csync'] },
    ]);
    expect(drive.wanted('reply')[0]?.errorLines[0]).toContain('is not a configured package name');
  });
});

describe('cmmodpkg', () => {
  test('-e starts a package that is down', () => {
    const drive = served().feed(halt).halt('csync', 'alpha').feed(enable);
    expect(drive.wanted('reply')).toMatchObject([{ lines: ['cmmodpkg: Completed successfully on all packages specified'] }]);
    expect(drive.wanted('run-start')).toMatchObject([{ member: 'alpha' }]);
  });

  test('-d does not halt; -d -n of the member it runs on leaves it running', () => {
    const drive = served()
      .feed({ ...enable, enable: false })
      .feed({ ...enable, enable: false, members: ['alpha'] });
    expect(drive.of('csync')).toMatchObject({ status: 'up', owner: 'alpha', autoRun: false, nodeSwitch: { alpha: false } });
  });

  test('a member that is not in node_name is refused', () => {
    expect(
      served()
        .feed({ ...enable, members: ['delta'] })
        .wanted('reply'),
    ).toMatchObject([{ exitCode: 1 }]);
  });
});

describe('cmhaltnode and cmrunnode', () => {
  const haltAlpha = { kind: 'member-halt', members: ['alpha'], force: true } as const;

  test('cmhaltnode needs -f while a package runs there', () => {
    expect(
      served()
        .feed({ ...haltAlpha, force: false })
        .wanted('reply'),
    ).toMatchObject([{ exitCode: 1 }]);
    expect(served().feed({ kind: 'member-halt', members: ['beta'], force: false }).state.members.beta?.status).toBe('down');
  });

  test('cmhaltnode -f moves packages, leaves the switches alone, answers when the member is down', () => {
    const drive = served().feed(haltAlpha);
    expect(drive.wanted('run-halt')).toMatchObject([{ reason: 'automatic_halt' }]);
    expect(drive.state.members.alpha?.status).toBe('up');
    drive.halt('csync', 'alpha');
    expect(drive.state.members.alpha).toMatchObject({ status: 'down', state: 'halted', machine: 'up' });
    expect(drive.wanted('reply')).toMatchObject([{ exitCode: 0 }]);
    expect(drive.wanted('run-start')).toMatchObject([{ member: 'beta' }]);
    expect(drive.of('csync')).toMatchObject({ autoRun: true, nodeSwitch: { alpha: true } });
  });

  test('cmhaltnode fails when a package does not halt cleanly', () => {
    const drive = served().feed(haltAlpha).halt('csync', 'alpha', 1);
    expect(drive.wanted('reply')).toMatchObject([{ exitCode: 1 }]);
    expect(drive.state.members.alpha?.status).toBe('up');
  });

  test('cmhaltnode -f gets past a package whose halt was aborted before', () => {
    const drive = served()
      .feed(halt)
      .halt('csync', 'alpha', 3)
      .feed({ ...haltAlpha, force: false });
    expect(drive.wanted('reply')).toMatchObject([{ exitCode: 1 }]);
    drive.feed(haltAlpha).halt('csync', 'alpha', 3);
    expect(drive.wanted('reply')).toMatchObject([{ exitCode: 0 }]);
    expect(drive.state.members.alpha?.status).toBe('down');
  });

  test('a halted member takes packages again only after cmrunnode', () => {
    const drive = served().feed(haltAlpha).halt('csync', 'alpha').start('csync', 'beta');
    expect(drive.feed({ kind: 'member-run', members: ['alpha'] }).state.members.alpha).toMatchObject({
      status: 'up',
      state: 'running',
    });
    expect(drive.feed({ kind: 'member-run', members: ['alpha'] }).wanted('reply')).toMatchObject([{ exitCode: 1 }]);
  });

  test('a member that joins starts what is down and enabled', () => {
    const drive = served().feed({ kind: 'package-switch', packages: ['csync'], enable: false, members: ['beta', 'gamma'] });
    drive.feed(haltAlpha).halt('csync', 'alpha');
    expect(drive.of('csync').owner).toBe(null);
    expect(drive.feed({ kind: 'member-run', members: ['alpha'] }).wanted('run-start')).toMatchObject([{ member: 'alpha' }]);
  });
});

describe('cmhaltcl and cmruncl', () => {
  test('cmhaltcl -f halts everything and starts nothing elsewhere; cmruncl starts from the configuration', () => {
    const drive = served().feed({ kind: 'cluster-halt', force: false });
    expect(drive.wanted('reply')).toMatchObject([{ exitCode: 1 }]);
    drive.feed({ kind: 'package-switch', packages: ['csync'], enable: false, members: ['beta'] });
    drive.feed({ kind: 'cluster-halt', force: true }).halt('csync', 'alpha');
    expect(drive.wanted('run-start')).toEqual([]);
    expect(drive.state.running).toBe(false);
    drive.feed({ kind: 'cluster-run', members: [] });
    expect(drive.of('csync')).toMatchObject({ owner: 'alpha', autoRun: true, nodeSwitch: { beta: true } });
  });

  test('cmruncl wants every machine or the names of those that are up', () => {
    const drive = new Drive(initialState({ name: 'lab', members, subnets: [subnet] })).feed({
      kind: 'member-crashed',
      member: 'beta',
    });
    expect(drive.feed({ kind: 'cluster-run', members: [] }).wanted('reply')).toMatchObject([{ exitCode: 1 }]);
    expect(drive.feed({ kind: 'cluster-run', members: ['alpha', 'gamma'] }).state.running).toBe(true);
  });

  test('a member that booted before there was a cluster joins the one that is started', () => {
    const drive = new Drive(initialState({ name: 'lab', members, subnets: [subnet] }));
    drive.feed({ kind: 'member-crashed', member: 'beta' }).feed({ kind: 'member-booted', member: 'beta', join: true });
    expect(drive.state.members.beta).toMatchObject({ status: 'down', state: 'reforming', machine: 'up' });
    drive.feed({ kind: 'cluster-run', members: ['alpha'] });
    expect(Object.values(drive.state.members).map((member) => member.status)).toEqual(['up', 'up', 'down']);
  });
});

describe('maintenance mode', () => {
  const mode = (on: boolean, named: string[] = []) =>
    ({ kind: 'package-maintenance', packages: ['csync'], on, members: named }) as const;
  const maintained = () =>
    served()
      .feed({ ...enable, enable: false })
      .feed(mode(true));

  test('needs switching disabled and, for a package that is down, a member', () => {
    expect(served().feed(mode(true)).wanted('reply')).toMatchObject([{ exitCode: 1 }]);
    const down = served().feed(halt).halt('csync', 'alpha').feed(mode(true));
    expect(down.wanted('reply')).toMatchObject([{ exitCode: 1 }]);
    expect(down.feed(mode(true, ['beta'])).of('csync').maintenance).toMatchObject({ on: true, member: 'beta' });
  });

  test('failures are ignored and the package stays', () => {
    const drive = maintained();
    expect(drive.of('csync')).toMatchObject({ status: 'up', state: 'maintenance' });
    drive.feed({ kind: 'service-died', package: 'csync', member: 'alpha', service: 'csync_monitor' });
    drive.feed({ kind: 'subnet-changed', member: 'alpha', subnet, status: 'down' });
    expect(drive.of('csync')).toMatchObject({ status: 'up', owner: 'alpha', nodeSwitch: { alpha: true } });
  });

  test('outlasts a restart of the cluster, with switching disabled', () => {
    const drive = maintained()
      .feed({ kind: 'cluster-halt', force: true })
      .halt('csync', 'alpha')
      .feed({ kind: 'cluster-run', members: [] });
    expect(drive.of('csync')).toMatchObject({ status: 'down', autoRun: false, maintenance: { on: true, member: 'alpha' } });
  });

  test('cannot be left while a service is down', () => {
    const drive = maintained().feed({ kind: 'service-died', package: 'csync', member: 'alpha', service: 'csync_monitor' });
    expect(drive.feed(mode(false)).wanted('reply')).toMatchObject([{ exitCode: 1 }]);
    expect(drive.feed(halt).halt('csync', 'alpha').feed(mode(false)).of('csync').maintenance.on).toBe(false);
  });

  test('partial start up to a module, on the one member only', () => {
    const drive = served()
      .feed(halt)
      .halt('csync', 'alpha')
      .feed(mode(true, ['beta']))
      .feed(runOn('gamma'));
    expect(drive.wanted('reply')).toMatchObject([{ exitCode: 1 }]);
    const partial = { ...runOn('beta'), members: [], upToModule: 'sg/package_ip' };
    expect(drive.feed(partial).wanted('run-start')).toMatchObject([{ member: 'beta', upToModule: 'sg/package_ip' }]);
    expect(drive.start('csync', 'beta').of('csync')).toMatchObject({
      status: 'up',
      state: 'maintenance',
      services: [{ status: 'uninitialized' }],
    });
    expect(drive.feed(mode(false)).wanted('reply')).toMatchObject([{ exitCode: 1 }]);
    drive
      .feed(halt)
      .halt('csync', 'beta')
      .feed({ ...runOn('beta'), members: [] })
      .start('csync', 'beta');
    expect(drive.feed(mode(false)).of('csync')).toMatchObject({ status: 'up', state: 'running', owner: 'beta' });
  });

  test('-m names a module that is started', () => {
    const drive = served()
      .feed(halt)
      .halt('csync', 'alpha')
      .feed(mode(true, ['beta']));
    drive.feed({ ...runOn('beta'), upToModule: 'sg/nothing' });
    expect(drive.wanted('reply')[0]?.errorLines[0]).toContain('sg/nothing is not a module that is started');
  });

  test('-m and -e are refused outside of it', () => {
    const drive = served()
      .feed(halt)
      .halt('csync', 'alpha')
      .feed({ ...runOn('alpha'), exceptModule: 'sg/service' });
    expect(drive.wanted('reply')).toMatchObject([{ exitCode: 1 }]);
  });
});

describe('configuration', () => {
  test('a package added while the cluster runs is off until cmmodpkg -e', () => {
    const drive = served().feed({ kind: 'configuration-applied', packages: [packageOf('web')] });
    expect(drive.of('web')).toMatchObject({ status: 'down', state: 'halted', autoRun: false, id: 2 });
    const eager = served({}, { onlineAddEnablesAutoRun: true }).feed({
      kind: 'configuration-applied',
      packages: [packageOf('web')],
    });
    expect(eager.of('web').status).toBe('starting');
  });

  test('a running package keeps running and keeps its counters', () => {
    const drive = served({ service_restart: '5' }).feed({
      kind: 'service-died',
      package: 'csync',
      member: 'alpha',
      service: 'csync_monitor',
    });
    drive.feed({ kind: 'configuration-applied', packages: [packageOf('csync', { service_restart: '3', pev_level: '1' })] });
    expect(drive.of('csync')).toMatchObject({ status: 'up', owner: 'alpha', services: [{ restarts: 1, status: 'up' }] });
  });

  test('only a package that is down can be deleted', () => {
    const drive = served().feed({ kind: 'package-deleted', package: 'csync' });
    expect(drive.wanted('reply')).toMatchObject([{ exitCode: 1 }]);
    drive.feed(halt).halt('csync', 'alpha').feed({ kind: 'package-deleted', package: 'csync' });
    expect(Object.keys(drive.state.packages)).toEqual([]);
    expect(invariants(drive.state)).toEqual([]);
  });
});

describe('preview (-t)', () => {
  test('shows where the package would go and changes nothing', () => {
    const { state } = served();
    const before = JSON.stringify(state);
    expect(preview('cmhaltnode', state, { kind: 'member-halt', request: 'p', members: ['alpha'], force: true })).toEqual({
      exitCode: 0,
      lines: [
        'package:csync|node:alpha|action:halting',
        'package:csync|node:beta|action:starting',
        'cmhaltnode: Command preview completed successfully',
      ],
      errorLines: [],
    });
    expect(JSON.stringify(state)).toBe(before);
  });

  test('is refused for a package in maintenance mode', () => {
    const drive = served().feed({ ...enable, enable: false });
    drive.feed({ kind: 'package-maintenance', packages: ['csync'], on: true, members: [] });
    expect(preview('cmhaltpkg', drive.state, { ...halt, request: 'p' }).exitCode).toBe(1);
  });
});
