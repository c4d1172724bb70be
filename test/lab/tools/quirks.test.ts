/** A lab with all site quirks, as `csync lab up --quirks` starts it: what its hosts have, over a boot, and that `lab down` leaves nothing. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProcess } from '../../../src/host/processes.ts';
import { labsDirectory } from '../../../src/lab/machines/lab-spec.ts';
import { quirkNames } from '../../../src/lab/machines/quirks/quirks.ts';
import { have, repository } from '../../support.ts';
import { whyNoLab } from '../../use-lab.ts';

const name = `test-quirks-${process.pid}`;

describe.skipIf(whyNoLab !== null)('a lab with site quirks', { timeout: 120_000 }, () => {
  const csync = (...words: readonly string[]) => {
    const [group = '', verb = '', ...rest] = words;
    const argv = [process.execPath, join(repository, 'dist/csync.mjs'), group, verb, '--name', name, ...rest];
    return runProcess(argv, { timeoutMs: 100_000, env: { PATH: process.env.PATH ?? '' } });
  };
  const on = async (host: string, script: string): Promise<string> =>
    (await csync('lab', 'exec', host, '--', 'sh', '-c', script)).stdout;
  /** As csync logs in: its own options take the place of those for people. */
  const login = (host: string, command: string) =>
    on(
      'm1',
      `ssh -o RemoteCommand=none -o RequestTTY=no -o StdinNull=no -o VisualHostKey=no csync@${host} '${command}' 2>/dev/null`,
    );

  beforeAll(async () => {
    const up = await csync('lab', 'up', '--quirks', 'all', '--clients', '1');
    expect(up.exitCode, up.stderr).toBe(0);
  }, 120_000);
  afterAll(async () => {
    expect((await csync('lab', 'down')).exitCode).toBe(0);
    expect(existsSync(`${labsDirectory}/${name}`)).toBe(false);
  });

  it('prints them in its status, in both forms', async () => {
    expect((await csync('lab', 'status')).stdout).toContain(` with the site quirks ${quirkNames.join(', ')}\n`);
    expect(JSON.parse((await csync('lab', 'status', '--json')).stdout)).toMatchObject({ quirks: quirkNames });
  });

  /** What each one shows on m2. */
  const shown: readonly (readonly [what: string, script: string, printed: RegExp])[] = [
    ['banner', 'cat /root/.bashrc /root/.cshrc', /(Authorised use only[\s\S]*){2}/],
    ['bridge', 'ip -o -4 addr', /virbr0\s+inet 192\.168\.122\.1\/24[\s\S]*docker0\s+inet 172\.17\.0\.1\/16/],
    ['container', 'pgrep -f "[u]nshare --mount --propagation private"', /^\d+$/m],
    ['locale', 'cat /root/.bashrc', /LC_ALL=de_DE\.UTF-8/],
    ['loopback', 'getent ahostsv4 m2', /^127\.0\.1\.1 /],
    ['names', 'uname -n', /^M2\.LAB$/m],
    ['noexec', 'cp /bin/true /tmp/true && /tmp/true; echo $?', /^126$/m],
    ['ssh', 'ssh -G m1', /^remotecommand exec screen/m],
    ['shells', 'getent passwd root', have('tcsh') ? /:\/usr\/bin\/tcsh$/m : /:\/bin\/bash$/m],
    ['sudo', 'ssh -o BatchMode=yes -o RemoteCommand=none root@m3 true; echo $?', /^255$/m],
  ];
  const isShown = async (): Promise<void> => {
    const printed = (await on('m2', shown.map(([, script]) => script).join('; echo -----; '))).split('-----\n');
    for (const [index, [what, , pattern]] of shown.entries()) expect(printed[index], what).toMatch(pattern);
  };

  it('has each of them on its hosts, and once only after a boot', async () => {
    await isShown();
    expect(await login('m3', 'sudo -n /usr/local/sbin/csync-root; id -un')).toBe('csync\n');
    expect(await on('m1', 'readlink /csync/dsau/masterfiles; find /csync/dsau/masterfiles/site -type f | wc -l')).toBe(
      'releases/2026-11-30\n2000\n',
    );
    for (const verb of ['crash', 'boot']) expect((await csync('lab', verb, 'm2')).exitCode).toBe(0);
    await isShown();
    expect(await on('m2', 'grep -c Authorised /root/.bashrc')).toBe('1\n');
  });

  it('refuses a name that does not exist, and names those that do', async () => {
    const { exitCode, stderr } = await csync('lab', 'up', '--quirks', 'banner,virbr0');
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/"virbr0"[\s\S]*banner, bridge/)]);
  });
});
