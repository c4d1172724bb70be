/** What is cleaned up, in which order, and what must not be touched. */
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { adapterFor } from '../../../src/cfengine/adapter.ts';
import {
  type Leftovers,
  leftoversLook,
  parseLeftovers,
  planRecovery,
  planRemoval,
  type RecoveryInput,
} from '../../../src/cluster/procedures/recovery.ts';
import type { PackageStatus } from '../../../src/engine/engine.ts';
import { runningOn, settingsFor } from '../../support.ts';

const settings = settingsFor({ members: ['m1', 'm2'] });
const nothing: Leftovers = { mounted: false, address: false, active: false, users: [] };
const all: Leftovers = { mounted: true, address: true, active: true, users: ['7 vim'] };
const up = runningOn('m1');
const down: PackageStatus = { ...up, status: 'down', state: 'halted', owner: null };

const noAnswer = { why: 'no route', remedy: 'is it up?' };

const plan = (more: Partial<RecoveryInput>, m1: Leftovers | null = nothing, m2: Leftovers | null = nothing) =>
  planRecovery({
    settings,
    adapter: adapterFor(settings),
    status: down,
    members: [
      { member: 'm1', left: m1, noAnswer },
      { member: 'm2', left: m2, noAnswer },
    ],
    clusterAnswers: true,
    commandMember: 'm1',
    run: false,
    ...more,
  });

const cleaned = [
  'm2 cmmodnet -r -i 10.9.0.100 10.9.0.0',
  'm2 fuser -km /csync, which kills vim (pid 7)',
  'm2 umount /csync',
  'm2 vgchange -a n vg_csync; vgchange --deltag m2 vg_csync',
  'm2 start cf-serverd if none runs',
];

describe('a recovery', () => {
  it.each<[string, Partial<RecoveryInput>, [Leftovers, Leftovers], string[]]>([
    ['nothing left', {}, [nothing, nothing], []],
    ['all of it left, in the order of the manual', {}, [nothing, all], cleaned],
    ['no process uses it', {}, [nothing, { ...all, users: [] }], cleaned.filter((step) => !step.includes('fuser'))],
    ['only the address', {}, [nothing, { ...nothing, address: true }], [cleaned[0] ?? '', cleaned[4] ?? '']],
    ['only the volume group', {}, [nothing, { ...nothing, active: true }], [cleaned[3] ?? '', cleaned[4] ?? '']],
    ['what the package has on the member it runs on is its own', { status: up }, [all, nothing], []],
    ['another member holds something meanwhile', { status: up }, [all, all], cleaned],
    [
      'a member switched off',
      { status: { ...down, switching: new Map([['m2', false]]) } },
      [nothing, nothing],
      ['m1 cmmodpkg -e -n m2 csync'],
    ],
    ['to start it again', { run: true }, [nothing, nothing], ['m1 cmmodpkg -e csync']],
    ['it runs and would fail over', { run: true, status: up }, [all, nothing], []],
  ])('%s', (_title, more, [m1, m2], expected) => {
    expect(demand(plan(more, m1, m2)).map(({ member, text }) => `${member} ${text}`)).toEqual(expected);
  });

  it.each<[string, Partial<RecoveryInput>, Leftovers | null, string[]]>([
    ['a member cannot be checked', {}, null, ['cluster-unreachable']],
    ['it is unknown where it runs', { status: null }, all, ['cluster-no-status']],
    ['a script runs', { status: { ...up, state: 'halting' } }, all, ['change-busy']],
    ['its condition is unknown', { status: { ...up, status: 'unknown' } }, all, ['change-busy']],
  ])('is refused while %s', (_title, more, m2, codes) => {
    const planned = plan(more, nothing, m2);
    expect([planned.ok, planned.problems.map(({ code }) => code)]).toEqual([false, codes]);
  });

  it.each([
    [true, /^csync status /],
    [false, /^cmviewcl -v; cmruncl/],
  ])('names the next command for a package that is not listed, where the cluster answers: %s', (clusterAnswers, fix) => {
    expect(plan({ status: null, clusterAnswers }, nothing, nothing).problems).toEqual([
      expect.objectContaining({ remedy: expect.stringMatching(fix) }),
    ]);
  });

  it('never asks fuser -m about a place where nothing is mounted', () => {
    const scripts = demand(plan({}, nothing, all)).map(({ script }) => script);
    const [asking = ''] = scripts.filter((script) => script.includes('fuser'));
    expect(asking).toMatch(/if grep -q -F ' \/csync ' \/proc\/self\/mounts; then fuser -km/);
  });
});

describe('what lies there', () => {
  it.each<[string, Leftovers | null]>([
    ['looked\n', nothing],
    ['mounted\naddress\nactive\nuser 7 vim\nlooked\n', all],
    ['mounted\n', null],
    ['', null],
  ])('%j', (output, expected) => {
    expect(parseLeftovers(output)).toEqual(expected);
  });
});

describe('a removal', () => {
  it.each<[string, PackageStatus | null, boolean, string[]]>([
    ['running', up, false, ['cmhaltpkg csync', 'cmdeleteconf -f -p csync']],
    ['halted', down, false, ['cmdeleteconf -f -p csync']],
    ['not there', null, false, []],
    ['not there, but daemons are started at boot', null, true, ['CSYNC_CONFIGURED=0', 'CSYNC_CONFIGURED=0']],
  ])('of a package that is %s', (_title, status, unconfigure, expected) => {
    const steps = planRemoval(settings, { status, commandMember: 'm1', unconfigure });
    expect(steps.map(({ text }) => text)).toEqual(expected.map((text) => expect.stringContaining(text)));
  });
});

it('the last line that a member prints says that the report is whole', () => {
  const [, last = ''] = /^echo (.*)$/.exec(leftoversLook(settings).lines.at(-1) ?? '') ?? [];
  expect(parseLeftovers(`${last}\n`)).toEqual(nothing);
});
