/** Into maintenance and out of it: which steps, in which order, and that none is forgotten after a kill. */
import { describe, expect, it } from 'vitest';
import { logLine } from '../../../src/base/log-line.ts';
import { type MaintenancePlace, stepsOff, stepsOn } from '../../../src/cluster/procedures/maintenance.ts';
import { parseMaintenance } from '../../../src/contract/maintenance-file.ts';
import type { PackageStatus } from '../../../src/engine/engine.ts';
import { message, ofStep } from '../../../src/member/messages.ts';
import { runningOn, settingsFor } from '../../support.ts';

const until = Date.UTC(2026, 10, 23, 12);
const end = 'until 2026-11-23T12:00:00.000Z';
const running = runningOn('m1');
const inMode: PackageStatus = { ...running, state: 'maintenance', autoRun: false };

const place = (status: PackageStatus, file: string | null = null, maintenanceFlag = true): MaintenancePlace => ({
  settings: settingsFor({ members: ['m1', 'm2'], maintenance_flag: maintenanceFlag }),
  ...{ owner: 'm1', commandMember: 'm2', status, file: file === null ? null : parseMaintenance(file) },
});
/** Steps in short; the text of the file that one writes. */
const short = (steps: ReturnType<typeof stepsOn>): string[] =>
  steps.map(({ text, script }) => {
    const sent = /<<'END-OF-FILE'\n([\s\S]*?)\nEND-OF-FILE/.exec(script)?.[1];
    return sent === undefined ? text.replace(/ \S*csync\.debug/, '') : Buffer.from(sent, 'base64').toString().trim();
  });

describe('into maintenance', () => {
  it.each<[string, MaintenancePlace, boolean, string[]]>([
    ['the monitor alone', place(running), false, [end]],
    [
      "with Serviceguard's mode",
      place(running),
      true,
      [`${end} serviceguard auto_run=yes`, 'cmmodpkg -d csync', 'cmmodpkg -m on csync'],
    ],
    [
      'what would not fail over does not afterwards',
      place({ ...running, autoRun: false }),
      true,
      [`${end} serviceguard auto_run=no`, 'cmmodpkg -d csync', 'cmmodpkg -m on csync'],
    ],
    [
      'again, after a kill that had switched it off already',
      place({ ...running, autoRun: false }, 'until 2026-11-23T11:00:00Z serviceguard auto_run=yes'),
      true,
      [`${end} serviceguard auto_run=yes`, 'cmmodpkg -d csync', 'cmmodpkg -m on csync'],
    ],
    [
      'once in the mode only its end moves, whichever way is asked for',
      place(inMode, 'until 2026-11-23T11:00:00Z serviceguard auto_run=no'),
      false,
      [`${end} serviceguard auto_run=no`],
    ],
    ['a mode begun by hand gets an end', place(inMode), true, [`${end} serviceguard auto_run=yes`]],
    [
      'a monitor that ignores the file gets none',
      place(running, null, false),
      true,
      ['cmmodpkg -d csync', 'cmmodpkg -m on csync'],
    ],
  ])('%s', (_title, from, serviceguard, expected) => {
    expect(short(stepsOn(from, until, serviceguard))).toEqual(expected);
  });
});

describe('out of it', () => {
  const healthy = 'check that daemon, address, mount and policy are those of a master';
  it.each<[string, MaintenancePlace, string[]]>([
    ['nothing to end', place(running), []],
    ['a pause', place(running, end), [healthy, 'remove']],
    [
      "Serviceguard's mode",
      place(inMode, `${end} serviceguard auto_run=yes`),
      [healthy, 'cmmodpkg -m off csync', 'cmmodpkg -e csync', 'remove'],
    ],
    [
      'switching stays off where it was',
      place(inMode, `${end} serviceguard auto_run=no`),
      [healthy, 'cmmodpkg -m off csync', 'remove'],
    ],
    ['begun by hand', place(inMode), [healthy, 'cmmodpkg -m off csync', 'cmmodpkg -e csync']],
    [
      'what a kill left undone',
      place({ ...running, autoRun: false }, `${end} serviceguard auto_run=yes`),
      [healthy, 'cmmodpkg -e csync', 'remove'],
    ],
  ])('%s', (_title, from, expected) => {
    expect(short(stepsOff(from))).toEqual(expected);
  });

  it('what each start makes anew is no reason to stay, and any other step of a dry run is', () => {
    const { script = '' } = stepsOff(place(running, end))[0] ?? {};
    const [bad = '', passed = ''] = [...script.matchAll(/grep -v?E '([^']+)'/g)].map(([, pattern = '']) => pattern);
    const stays = ['sentinel', 'service', 'customer', 'daemon', 'mount', 'address'].filter((step) => {
      const would = ofStep(step, message('would', { command: 'start it', why: 'it is missing' }));
      const line = `Nov 30 06:23:03 ${logLine({ member: 'm1', packageName: 'csync', script: 'start' }, 'would', would)}`;
      return new RegExp(bad).test(line) && !new RegExp(passed).test(line);
    });
    expect(stays).toEqual(['daemon', 'mount', 'address']);
  });
});
