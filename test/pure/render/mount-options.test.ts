/** The setting mount_options, held against the mount of this host: it parses the words and mounts nothing (-f). */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { mountsReadOnly, parseMountOptions } from '../../../src/settings/mount-options.ts';
import { parseSettings } from '../../../src/settings/settings-yaml.ts';
import { have, isRoot, settingsFor, settingsText } from '../../support.ts';

const taken = [
  '-o rw',
  '-o rw,noatime',
  '-orw',
  '-r',
  '-w -o noatime',
  '-o rw -o noatime',
  '--options rw',
  '--options=rw,data=ordered',
  '-n -o errors=remount-ro',
  '-o context=system_u:object_r:var_lib_t:s0',
  '',
];
const refused = [
  'noatime rw',
  '-o',
  '-o rw extra',
  '-o rw, noatime',
  '--bind',
  '-L x',
  '-o ,',
  '-o rw,',
  '-o bind',
  'loop',
  '-o rw,remount',
];

/** Whether mount takes these words in front of a device. */
const mountTakes = (text: string): boolean =>
  spawnSync('/bin/sh', ['-c', 'mount "$@"', 'sh', '-f', '-t', 'ext4', ...text.split(' ').filter(Boolean), '/dev/null', '/mnt'])
    .status === 0;

describe('mount_options', () => {
  it.each(taken)('takes %j', (text) => expect(parseMountOptions(text)?.text).toBe(text));

  it.each(refused)('refuses %j', (text) => {
    expect(parseMountOptions(text)).toBeNull();
    expect(parseSettings(settingsText({ mount_options: text }), 'csync.yaml').ok).toBe(false);
  });

  it('adds -o to a list as fstab has it', () => {
    expect(settingsFor({ mount_options: 'rw,noatime' }).mountOptions).toBe('-o rw,noatime');
    expect(settingsFor({ mount_options: 'defaults' }).mountOptions).toBe('-o defaults');
  });

  it.skipIf(!isRoot || !have('mount'))('takes nothing that mount itself refuses', () => {
    expect([...taken, '-o defaults'].filter((text) => !mountTakes(text))).toEqual([]);
    expect(mountTakes('rw,noatime'), 'the words of fstab alone are no options on a command line').toBe(false);
  });

  it.each([
    ['-o noatime,ro', true],
    ['-r', true],
    ['-o ro,rw', false],
    ['-o errors=remount-ro', false],
    ['-o rw', false],
  ])('%s mounts read-only: %s', (text, is) => expect(mountsReadOnly(text)).toBe(is));
});
