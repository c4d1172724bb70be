/**
 * The policy file system mounted by two hosts: two real loop devices over one image, so that the kernel takes them for two disks.
 * What nothing prevents here, what ext4 MMP prevents, and what the content layer of the monitor finds.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { openSlowFile } from '../../../src/host/member/slow-file.ts';
import { overwriteLine } from '../../../src/host/safe-file.ts';
import { everyStepIt, have, isRoot } from '../../support.ts';

const whyNot = !isRoot
  ? 'mounting needs root'
  : have('mkfs.ext4', 'losetup', 'perl')
    ? null
    : 'mkfs.ext4, losetup or perl is missing';
if (whyNot !== null) console.warn(`mounts on two hosts are skipped: ${whyNot}`);

const scratch = mkdtempSync('/dev/shm/csync-test-');
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Newest first. */
const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0)) one();
});

function run(...argv: readonly [string, ...string[]]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}`.trim() };
}

function demand(...argv: readonly [string, ...string[]]): string {
  const { status, said } = run(...argv);
  if (status !== 0) throw new Error(`${argv.join(' ')} exits with ${status}: ${said}`);
  return said;
}

/** An image as a disk that any number of hosts see. */
function image(...features: readonly string[]): string {
  const file = join(mkdtempSync(join(scratch, 'disk-')), 'image');
  demand('truncate', '-s', '16M', file);
  demand('mkfs.ext4', '-q', '-F', ...features, file);
  return file;
}

/** Mounts the image by a loop device of its own. */
function mount(file: string): { readonly mountPoint: string; readonly status: number | null; readonly seconds: number } {
  const mountPoint = mkdtempSync(join(scratch, 'mnt-'));
  const device = demand('losetup', '--find', '--show', file);
  const began = performance.now();
  const { status } = run('mount', '-t', 'ext4', device, mountPoint);
  const seconds = (performance.now() - began) / 1000;
  undo.unshift(() => {
    if (status === 0) demand('umount', mountPoint);
    demand('losetup', '--detach', device);
  });
  return { mountPoint, status, seconds };
}

const mmp = ['-O', 'mmp', '-E', 'mmp_update_interval=1'];

describe.skipIf(whyNot !== null)('the policy file system on two hosts at once', { timeout: 60_000 }, () => {
  it('is mounted by both without MMP; the content layer of the first one finds the mark of the second', async () => {
    const disk = image();
    const first = mount(disk);
    const sentinel = (mountPoint: string): string => join(mountPoint, 'csync.sentinel');
    const mark = (epoch: number, member: string): string => `${JSON.stringify({ epoch, member, at: '' })}\n`;
    demand('sh', '-c', `printf '%s' '${mark(7, 'm1')}' > ${sentinel(first.mountPoint)}; sync -f ${first.mountPoint}`);
    const file = openSlowFile(sentinel(first.mountPoint));
    undo.unshift(() => file.close());
    expect(await file.read(2000)).toEqual({ kind: 'text', text: mark(7, 'm1') });
    const second = mount(disk);
    expect(second.status, 'nothing prevents it').toBe(0);
    // As the start of the package does it there.
    overwriteLine(sentinel(second.mountPoint), mark(8, 'm2'));
    expect(await file.read(2000), 'past the cache of the first host').toEqual({ kind: 'text', text: mark(8, 'm2') });
  });

  everyStepIt('is refused to the second one by MMP while the first one has it', async () => {
    const disk = image(...mmp);
    expect(mount(disk).status).toBe(0);
    const second = mount(disk);
    expect(second.status).toBe(32);
    console.info(`MMP refuses the second mount after ${second.seconds.toFixed(1)} s`);
    expect(second.seconds).toBeLessThan(20);
  });

  everyStepIt('costs a takeover behind a crash the time of MMP, and an orderly one nothing', async () => {
    const disk = image(...mmp);
    const first = mount(disk);
    expect(first.seconds).toBeLessThan(2);
    const crashed = `${disk}.crash`;
    demand('sh', '-c', `sync -f ${first.mountPoint}; cp ${disk} ${crashed}`);
    const taken = mount(crashed);
    expect(taken.status).toBe(0);
    console.info(`MMP: orderly mount ${first.seconds.toFixed(1)} s, behind a crash ${taken.seconds.toFixed(1)} s`);
    expect(taken.seconds).toBeLessThan(30);
  });
});
