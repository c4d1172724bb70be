/** However and whenever a lab is ended: nothing of it stays on the machine. The built toolkit as a real process. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually, everyStep, everyStepIt, repository } from '../../support.ts';
import { codesIn, whyNoLab } from '../../use-lab.ts';

const name = `test-interrupt-${process.pid}`;
const home = `/run/csync-lab/${name}`;
const toolkit = join(repository, 'dist', 'csync.mjs');

/** What a lab could leave on the machine, each as one line. */
function leftovers(): string[] {
  const processes = spawnSync('pgrep', ['-fa', home], { encoding: 'utf8' }).stdout.split('\n');
  const disks = spawnSync('losetup', ['-l', '-n', '-O', 'BACK-FILE'], { encoding: 'utf8' }).stdout.split('\n');
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const all = [...processes, ...disks, ...mounts].filter((line) => line.includes(home));
  return existsSync(home) ? [...all, home] : all;
}

function csync(...words: readonly string[]): ReturnType<typeof spawnSync> {
  return spawnSync(process.execPath, [toolkit, ...words, '--name', name], { encoding: 'utf8', timeout: 60_000 });
}

/** How long the user who pressed Ctrl-C is to wait; a lab that is busy ends with its namespaces, not with what it waits for. */
const patienceMs = 20_000;

interface Running {
  readonly child: ChildProcess;
  /** Since the moment came, within the patience. */
  readonly ended: Promise<number | string | null>;
}

/** Starts a verb and calls back at the first line that matches. */
function start(words: readonly string[], moment: RegExp, then: (child: ChildProcess) => void): Running {
  const child = spawn(process.execPath, [toolkit, ...words, '--name', name], { stdio: ['ignore', 'pipe', 'pipe'] });
  let done = false;
  const ended = new Promise<number | string | null>((resolve, reject) => {
    child.once('exit', (code, signal) => resolve(code ?? signal));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream as NodeJS.ReadableStream }).on('line', (line) => {
        if (done || !moment.test(line)) return;
        done = true;
        then(child);
        setTimeout(() => reject(new Error(`it has not ended within ${patienceMs} ms`)), patienceMs).unref();
      });
    }
  });
  return { child, ended };
}

describe.skipIf(whyNoLab !== null)('ending a lab', () => {
  afterEach(() => {
    csync('lab', 'down');
  });

  const moments: readonly (readonly [string, RegExp])[] = [
    ['creating the shared disk', /creating the shared disk/],
    ['booting the last client', /booting c2/],
    ['a halt', /halt of csync begins/],
  ];
  const others: typeof moments = [
    ['booting the first member', /booting m1/],
    ['deploying', /cmcheckconf/],
    ['the start script running', /start of csync begins/],
    ['a failover', /gets SIGKILL/],
  ];
  it.each([...moments, ...(everyStep ? others : [])])('Ctrl-C while %s leaves nothing', async (_, moment) => {
    const demo = start(['lab', 'demo'], moment, (child) => child.kill('SIGINT'));
    expect(await demo.ended).toBe(130);
    expect(leftovers()).toEqual([]);
  });

  everyStepIt('Ctrl-C twice is no worse than once', async () => {
    const demo = start(['lab', 'demo'], /start of csync begins/, (child) => {
      child.kill('SIGINT');
      child.kill('SIGTERM');
      setImmediate(() => child.kill('SIGINT'));
    });
    expect(await demo.ended).toBe(130);
    expect(leftovers()).toEqual([]);
  });

  everyStepIt('a reader that goes away ends it and leaves nothing', async () => {
    const demo = start(['lab', 'demo'], /start of csync begins/, (child) => child.stdout?.destroy());
    expect(await demo.ended).toBe(141);
    expect(leftovers()).toEqual([]);
  });

  it('SIGKILL leaves no process, mount or disk, and the next run sweeps up the directory', async () => {
    const demo = start(['lab', 'demo'], /start of csync begins/, (child) => child.kill('SIGKILL'));
    expect(await demo.ended).toBe('SIGKILL');
    await eventually('only the directory to be left', () => leftovers().every((line) => line === home));
    expect(csync('lab', 'down').status).toBe(0);
    expect(leftovers()).toEqual([]);
  });

  it('Ctrl-C during lab up takes down what was up', async () => {
    const up = start(['lab', 'up'], /booting m2/, (child) => child.kill('SIGINT'));
    expect(await up.ended).toBe(130);
    expect(leftovers()).toEqual([]);
  });

  it('verbs in the wrong order are refused with the fix', () => {
    for (const words of [['status'], ['crash', 'm1'], ['exec', 'm1', '--', 'true']] as const) {
      const refused = spawnSync(process.execPath, [toolkit, 'lab', words[0], '--name', name, ...words.slice(1)], {
        encoding: 'utf8',
      });
      expect(refused.status, words.join(' ')).not.toBe(0);
      expect([codesIn(refused.stderr), refused.stderr], words.join(' ')).toEqual([
        ['lab-unavailable'],
        expect.stringMatching(/csync lab up\b/),
      ]);
    }
    const down = csync('lab', 'down');
    expect(down.status).toBe(0);
  });

  everyStepIt('a lab that is up is not touched by another start of the same name', async () => {
    expect(csync('lab', 'up').status).toBe(0);
    for (const verb of ['up', 'demo', 'failovers']) {
      const refused = csync('lab', verb);
      expect(refused.status, verb).toBe(4);
      expect([codesIn(String(refused.stderr)), refused.stderr]).toEqual([
        ['lab-unavailable'],
        expect.stringMatching(/csync lab down\b/),
      ]);
    }
    const status = csync('lab', 'status', '--json');
    const hosts = (JSON.parse(String(status.stdout)) as { hosts: { up: boolean }[] }).hosts;
    expect(hosts.filter((host) => host.up)).toHaveLength(5);
    expect(csync('lab', 'crash', 'stranger').stderr).toMatch(/\bstranger\b/);
    expect(csync('lab', 'down').status).toBe(0);
    expect(leftovers()).toEqual([]);
  });
});
