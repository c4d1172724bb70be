/** A clean Debian 12 in a directory, in which a test does what an administrator does on a new host. Made by debootstrap, as root. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endWithin, runProcess } from '../src/host/processes.ts';
import { enterHost } from '../src/lab/machines/boot.ts';
import { type BootedHost, bootHost } from '../src/lab/machines/booting.ts';
import init from '../src/lab/machines/init.pl';
import type { ExecResult } from '../src/lab/protocol.ts';
import { have, isRoot, repository } from './support.ts';

/** The packages of a minimal system, unpacked. Made once a day; later tests and runs take it. */
const cache = join(repository, 'node_modules/.cache/csync-debian-12.tar');
const dayMs = 86_400_000;
const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LC_ALL: 'C.UTF-8' };

function failure(argv: readonly string[]): string | null {
  const [program = '', ...rest] = argv;
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8', maxBuffer: 1 << 27 });
  return status === 0 ? null : `${program} ends with ${status}: ${`${stdout}${stderr}`.trim().split('\n').slice(-3).join('; ')}`;
}

/** Makes the cached tar of a clean system, unless one of today exists. Returns why it cannot be made; null: it exists. */
export function whyNoCleanRoot(): string | null {
  if (!isRoot) return 'a clean Debian needs root';
  if (!have('debootstrap')) return 'debootstrap is not installed';
  if (existsSync(cache) && Date.now() - statSync(cache).mtimeMs < dayMs) return null;
  const work = `${cache}.${process.pid}`;
  mkdirSync(work, { recursive: true });
  try {
    const why =
      failure(['debootstrap', '--variant=minbase', 'bookworm', join(work, 'root')]) ??
      failure(['tar', '--numeric-owner', '-C', join(work, 'root'), '-cf', join(work, 'tar'), '.']);
    if (why === null) renameSync(join(work, 'tar'), cache);
    return why;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

export interface CleanRoot {
  readonly sh: (script: string) => Promise<ExecResult>;
  readonly close: () => Promise<void>;
}

/** Unpacks the system; no service starts in it when its package is installed. */
export function unpackCleanRoot(directory: string): void {
  mkdirSync(directory);
  const why = failure(['tar', '--numeric-owner', '-C', directory, '-xf', cache]);
  if (why !== null) throw new Error(why);
  writeFileSync(join(directory, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
}

/** Runs a script in it with this machine's network, which its own namespaces lack: for apt-get. */
export function withNetwork(directory: string, script: string): { readonly status: number | null; readonly text: string } {
  const argv = ['--mount', '--pid', '--fork', '--kill-child', `--mount-proc=${directory}/proc`, 'chroot', directory];
  const { status, stdout, stderr } = spawnSync('unshare', [...argv, 'sh', '-c', script], {
    encoding: 'utf8',
    env: { ...environment, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return { status, text: `${stdout}${stderr}` };
}

/** Boots it: namespaces of its own, in which a lab can start further ones. All of it ends with this process. */
export async function bootCleanRoot(directory: string): Promise<CleanRoot> {
  const script = `set -eu
cd '${directory}'
mount --bind . .
cd '${directory}'
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
pivot_root . mnt
umount -l /mnt
exec /usr/bin/perl -e '${init.replaceAll("'", "'\\''")}' with-input`;
  const booted: BootedHost | string = await bootHost(script, { env: environment, stdin: 'pipe' });
  if (typeof booted === 'string') throw new Error(`the clean root did not boot: ${booted}`);
  return {
    sh: async (text) => {
      const argv = enterHost(booted.init, ['/bin/sh', '-c', `cd /root\n${text}`]);
      const { exitCode, stdout, stderr } = await runProcess(argv, { env: environment, timeoutMs: 300_000 });
      return { exitCode: exitCode ?? -1, stdout, stderr };
    },
    close: async () => {
      booted.process.child.stdin?.end();
      await endWithin(booted.process, 20_000);
    },
  };
}
