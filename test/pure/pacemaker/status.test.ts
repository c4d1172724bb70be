/** What crm_mon of Pacemaker 2.1.5 printed in the lab, read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hazards } from '../../../src/engine/pacemaker/hazards.ts';
import { readView } from '../../../src/engine/pacemaker/status.ts';
import { repository } from '../../support.ts';

const recorded = (name: string): string =>
  readFileSync(join(repository, 'test/recorded/pacemaker', `crm_mon-${name}.xml`), 'utf8');
const packageIn = (text: string) => readView(text).packages.get('csync');
const members = (text: string) => Object.fromEntries(readView(text).members);

describe('what does not protect the file system', () => {
  const found = (text: string) => hazards(text).map(({ code, text: said }) => [code, said.split(':')[0]]);

  it.each([
    ['nothing, where all is as it should be', (text: string) => text, []],
    ['fencing is off', (text: string) => text.replace('stonith-enabled="true"', 'stonith-enabled="false"'), ['fencing is off']],
    [
      'fencing is off, in the words of newer versions',
      (text: string) => text.replace('stonith-enabled="true"', 'stonith-enabled="true" fencing-enabled="false"'),
      ['fencing is off'],
    ],
    [
      'no device',
      (text: string) => text.replaceAll('stonith:fence_csync_lab', 'ocf:heartbeat:Dummy'),
      ['no fence device is configured, so Pacemaker starts nothing, or relies on a watchdog alone'],
    ],
    ['the quorum', (text: string) => text.replace('policy="stop"', 'policy="ignore"'), ['no-quorum-policy is ignore']],
    ['an unclean member', (text: string) => text.replace('unclean="false"', 'unclean="true"'), ['m1 is unclean']],
    ['no output', () => 'Unable to connect', ['crm_mon does not print whether fencing is on, so nothing is known of it']],
    [
      'no word about fencing',
      (text: string) => text.replace('stonith-enabled="true"', ''),
      ['crm_mon does not print whether fencing is on, so nothing is known of it'],
    ],
  ])('%s', (_, change, texts) => {
    expect(found(change(recorded('serving')))).toEqual(texts.map((text) => ['check-fencing', text]));
  });
});

describe('the state of a cluster', () => {
  it.each([
    ['Starting', { status: 'starting', state: 'starting', owner: 'm1' }],
    ['Stopping', { status: 'halting', state: 'halting', owner: 'm1' }],
  ])('is no running group while its last resource is %s', (role, expected) => {
    const text = recorded('serving').replace(/(<resource id="csync_main"[^>]* role=")Started/, `$1${role}`);
    expect(packageIn(text)).toMatchObject(expected);
  });

  it('is a running group, its owner, and members that may start it', () => {
    const text = recorded('serving');
    expect(members(text)).toEqual({ m1: 'up', m2: 'up', m3: 'up' });
    expect(packageIn(text)).toEqual({
      status: 'up',
      state: 'running',
      owner: 'm1',
      autoRun: true,
      switching: new Map([
        ['m1', true],
        ['m2', true],
        ['m3', true],
      ]),
      failures: [],
    });
    expect([...readView(text).packages.keys()], 'a fence device is none').toEqual(['csync']);
  });

  it.each([
    ['after-kill', { m1: false, m2: true, m3: true }],
    ['standby', { m1: false, m2: true, m3: false }],
  ])('%s: a member with too many failures, or in standby, may not start it', (name, switching) => {
    expect(packageIn(recorded(name))).toMatchObject({ status: 'up', owner: 'm2', switching: new Map(Object.entries(switching)) });
    expect(members(recorded(name)).m3).toBe(name === 'standby' ? 'standby' : 'up');
  });

  it('has the failures that are remembered, and not the words of crm_resource for one that the monitor reported', () => {
    const failure = 'op_key="csync_main_asyncmon_0" node="m1" exitstatus="error" exitreason="Simulated failure"';
    expect(packageIn(recorded('after-kill'))?.failures).toEqual([
      { member: 'm1', text: 'csync_main: the monitor reported a failure' },
    ]);
    const start = recorded('after-kill')
      .replace(failure, 'op_key="csync_main_start_0" node="m1" exitreason="csync.sh start exited with 2"')
      .replaceAll('task="asyncmon"', 'task="start"');
    expect(packageIn(start)?.failures).toEqual([
      { member: 'm1', text: 'csync_main: start failed (csync.sh start exited with 2)' },
    ]);
    expect(packageIn(start.replace('csync_main_start_0', 'other_start_0'))?.failures).toEqual([]);
  });

  it('is a halted group without an owner', () => {
    expect(packageIn(recorded('halted'))).toMatchObject({ status: 'down', state: 'halted', owner: null, autoRun: false });
    expect(packageIn(recorded('serving'))?.autoRun).toBe(true);
  });

  it.each([
    ['blocked', 'blocked="false"', 'blocked="true"'],
    ['maintenance', 'managed="true"', 'managed="false"'],
  ])('is %s where crm_mon says so', (state, from, to) => {
    expect(packageIn(recorded('serving').replaceAll(from, to))?.state).toBe(state);
  });

  it('names a member whose fencing is pending', () => {
    expect(members(recorded('serving').replace('name="m3" id="3" online="true"', 'name="m3" id="3" online="false"')).m3).toBe(
      'down',
    );
    expect(members(recorded('serving').replaceAll('unclean="false"', 'unclean="true"')).m3).toBe('unclean');
  });

  it.each(['', 'crm_mon: Error: cluster is not available on this node', '<crm_mon/>', recorded('serving').slice(0, 900)])(
    'is unknown without a whole answer',
    (text) => {
      expect(readView(text)).toEqual({ name: null, members: new Map(), packages: new Map() });
    },
  );
});
