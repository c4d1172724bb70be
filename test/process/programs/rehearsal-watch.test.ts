/** The watches of a drill on a real cluster, run here by a shell: what they see, and that nothing of them is left. */
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { standingWord } from '../../../src/host/admin/member-shell.ts';
import { clientWatch, fetchWatch, memberWatch, readFetched, readWatch, watchFile } from '../../../src/rehearsal/watch-scripts.ts';
import { eventually, have, isRoot, labSettings, scratchDirectory } from '../../support.ts';

const able = isRoot && have('bash', 'timeout');
if (!able) console.warn('the tests of the watches are skipped: they need root, for /run, and bash');

describe.skipIf(!able)('a watch', { timeout: 60_000 }, () => {
  const scratch = scratchDirectory();
  const settings = labSettings();

  /** Runs it until `work` is done, then ends its standard input as the end of csync would. */
  async function watching(script: string, token: string, work: (seen: () => string[]) => Promise<void>): Promise<void> {
    const file = watchFile(token);
    const child = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (piece: Buffer) => {
      said += piece.toString();
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    try {
      await eventually('the watch to stand', () => said.includes(`${standingWord}\n`), 20_000);
      await work(() => readWatch(existsSync(file) ? readFileSync(file, 'utf8') : '', 'm1', 0).map(({ what }) => what));
    } finally {
      child.stdin.end();
    }
    await ended;
    expect(existsSync(file)).toBe(false);
  }

  it('on a member sees what is mounted, the address, and what the package log says from then on', async () => {
    const log = join(scratch, 'package.log');
    const configuration = join(scratch, 'cmcluster.conf');
    writeFileSync(configuration, 'SGRUN=/nowhere\n');
    writeFileSync(log, 'Nov 28 03:00:01 m1 csync start: ok [script-complete] Start, part 2 of 2. | role=main exit=0 ms=80\n');
    const script = memberWatch({ ...settings, mountPoint: '/proc', packageAddress: '127.0.0.1', scriptLogFile: log }, 'testm');
    await watching(
      script.replace('configuration=/etc/cmcluster.conf', `configuration=${configuration}`),
      'testm',
      async (seen) => {
        await eventually('mount and address to be seen', () => seen().length === 2);
        appendFileSync(
          log,
          'Nov 28 03:00:02 m1 csync halt: ok [script-begin] Halt, part 1 of 2. | role=main\nNov 28 03:00:03 m1 csync halt: ok [script-complete] Halt, part 2 of 2. | role=pre exit=0 ms=9\n',
        );
        await eventually('the log to be seen', () => seen().length === 4);
        expect(seen()).toEqual(['mounted-on', 'address-on', 'halting', 'halt-ended']);
      },
    );
  });

  it('on a member without a package log sees the first one that is written', async () => {
    const log = join(scratch, 'first.log');
    const configuration = join(scratch, 'cmcluster.conf');
    writeFileSync(configuration, 'SGRUN=/nowhere\n');
    const script = memberWatch(
      { ...settings, mountPoint: '/nowhere', packageAddress: '203.0.113.9', scriptLogFile: log },
      'testf',
    );
    const here = script.replace('configuration=/etc/cmcluster.conf', `configuration=${configuration}`);
    await watching(here, 'testf', async (seen) => {
      writeFileSync(log, 'Nov 28 03:00:01 m1 csync start: ok [script-complete] Start, part 2 of 2. | role=main exit=0 ms=80\n');
      await eventually('the log to be seen', () => seen().length === 1);
      expect(seen()).toEqual(['start-ended']);
    });
  });

  it('says up to when it has looked: its fetch is complete soon after any moment, and an error once it has ended', async () => {
    const configuration = join(scratch, 'cmcluster.conf');
    writeFileSync(configuration, 'SGRUN=/nowhere\n');
    const script = memberWatch(
      { ...settings, mountPoint: '/nowhere', packageAddress: '203.0.113.9', scriptLogFile: '/nowhere/log' },
      'testl',
    );
    const fetch = () => spawnSync('sh', ['-s'], { input: fetchWatch(watchFile('testl')), encoding: 'utf8' });
    const here = script.replace('configuration=/etc/cmcluster.conf', `configuration=${configuration}`);
    await watching(here, 'testl', async () => {
      for (let round = 0; round < 3; round += 1) {
        const asked = Date.now();
        await eventually('a probe that began later', () => (readFetched(fetch().stdout).looked ?? 0) > asked);
      }
      const { now } = readFetched(fetch().stdout);
      expect(Math.abs((now ?? 0) - Date.now())).toBeLessThan(5000);
    });
    expect(fetch().status).toBe(1);
    expect(existsSync(`${watchFile('testl')}.at`)).toBe(false);
  });

  it('on a client sees the port open, and closed again', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const script = clientWatch({ ...settings, packageAddress: '127.0.0.1', cfenginePort: port }, 'testc');
    await watching(script, 'testc', async (seen) => {
      await eventually('a success', () => seen().length === 1);
      server.close();
      await eventually('a failure', () => seen().length === 2);
      expect(seen()).toEqual(['client-served', 'client-lost']);
    });
  });

  it('on a client sees that a connection had to be waited for, which is how an address looks that moves meanwhile', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    // Its connections take 0.15 s while the file exists.
    const slow = join(scratch, 'slow');
    const script = clientWatch({ ...settings, packageAddress: '127.0.0.1', cfenginePort: port }, 'testw').replace(
      'exec 9<>',
      () => `[ ! -e ${slow} ] || sleep 0.15; exec 9<>`,
    );
    await watching(script, 'testw', async (seen) => {
      await eventually('a success', () => seen().length === 1);
      writeFileSync(slow, '');
      await eventually('a wait', () => seen().includes('client-waited'));
      rmSync(slow);
      expect(seen().slice(0, 2)).toEqual(['client-served', 'client-waited']);
      const [, entry] = readWatch(readFileSync(watchFile('testw'), 'utf8'), 'c1', 0);
      expect(entry?.sinceMs).toBeGreaterThan(150);
    });
    server.close();
  });

  it.each([
    ['no wait', 0.2],
    ['no attempt', 0.5],
  ])('on a client whose program takes long to start sees %s', async (_, seconds) => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const [busy, started] = [join(scratch, `busy-${seconds}`), join(scratch, `started-${seconds}`)];
    const script = clientWatch({ ...settings, packageAddress: '127.0.0.1', cfenginePort: port }, 'tests').replace(
      /timeout [\d.]+ /,
      (limit) => `${limit}sh -c '\\''[ ! -e ${busy} ] || { echo >> ${started}; sleep ${seconds}; }; exec "$@"'\\'' - `,
    );
    await watching(script, 'tests', async (seen) => {
      await eventually('a success', () => seen().length === 1);
      writeFileSync(busy, '');
      await eventually('five late starts', () => existsSync(started) && readFileSync(started, 'utf8').length >= 5, 20_000);
      rmSync(busy);
      const asked = Date.now();
      const looked = () => readFileSync(`${watchFile('tests')}.at`, 'utf8');
      await eventually('an attempt after them', () => Number(looked()) * 1000 > asked);
      expect(seen()).toEqual(['client-served']);
    });
    server.close();
  });
});
