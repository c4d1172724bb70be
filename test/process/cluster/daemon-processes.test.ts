/** Which processes are this host's daemon: none of a container, of another installation, of another user, and no zombie. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { daemonFunction } from '../../../src/cluster/remote/daemon-lines.ts';
import { eventually, have, isRoot, scratchDirectory } from '../../support.ts';

const scratch = scratchDirectory();
const started: ChildProcess[] = [];
afterEach(async () => {
  for (const child of started.splice(0)) {
    child.kill('SIGKILL');
    await eventually('the process to be gone', () => child.exitCode !== null || child.signalCode !== null);
  }
});

const name = 'csync-td';
let made = 0;

/** A copy of sleep with the name of the daemon, in a directory of its own. */
function program(): string {
  made += 1;
  // Another user runs it, too.
  chmodSync(scratch, 0o711);
  const directory = join(scratch, `bin-${made}`);
  mkdirSync(directory);
  copyFileSync('/usr/bin/sleep', join(directory, name));
  return join(directory, name);
}

function run(argv: readonly string[], options: { readonly uid?: number } = {}): ChildProcess {
  const [file = '', ...rest] = argv;
  const child = spawn(file, rest, { stdio: 'ignore', ...options });
  started.push(child);
  return child;
}

const named = (): number[] =>
  spawnSync('pgrep', ['-x', name], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean).map(Number);
const daemons = (daemon: string, work = '/nonexistent'): number[] => {
  const adapter = { daemonName: name, programs: { daemon, agent: '', key: '', run: '' } };
  const { stdout } = spawnSync('/bin/sh', ['-c', `set -u; ${daemonFunction(adapter, work)}\ndaemon_pids`], { encoding: 'utf8' });
  return stdout.split('\n').filter(Boolean).map(Number);
};

describe.skipIf(!isRoot || !have('unshare', 'pgrep'))('the daemon of a host', () => {
  it('is what runs the configured program, also behind a link', async () => {
    const file = program();
    const link = join(scratch, 'link');
    symlinkSync(file, link);
    const child = run([file, '600']);
    await eventually('it to run', () => named().includes(child.pid ?? 0));
    expect([daemons(file), daemons(link)]).toEqual([[child.pid], [child.pid]]);
    // The copy in the work directory, which cfengine's own policy starts.
    mkdirSync(join(scratch, 'work/bin'), { recursive: true });
    symlinkSync(file, join(scratch, 'work/bin', name));
    expect(daemons(program(), join(scratch, 'work'))).toEqual([child.pid]);
  });

  it('is none of another installation, of another user, or of a container', async () => {
    const file = program();
    run([program(), '600']);
    run([file, '600'], { uid: 65534 });
    run(['unshare', '--pid', '--fork', '--kill-child', file, '600']);
    await eventually('all three to run', () => named().length === 3);
    expect(daemons(file)).toEqual([]);
  });
});
