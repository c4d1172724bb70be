/** Answers of hosts whose logins print, refuse or replace what they are asked to run: a stand-in for ssh logs in as such a host does. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressViewLines } from '../../../src/cluster/condition/outside.ts';
import { openSshShell } from '../../../src/host/admin/member-shell.ts';
import { type MemberWay, plainWay } from '../../../src/host/admin/member-way.ts';
import { whyNoAnswer } from '../../../src/host/admin/no-answer.ts';
import { have, scratchDirectory } from '../../support.ts';

const scratch = scratchDirectory();
const pathBefore = process.env.PATH;

/** `ssh ... -- HOST COMMAND`: a login shell runs the file `login` before the command, and `logout` after it. */
const standIn = (directory: string): string => `#!/bin/bash
[ "$1" != -V ] || { echo "OpenSSH_9.2p1" >&2; exit 0; }
printf '%s\\n' "$*" >> ${directory}/called
while [ "$1" != -- ]; do shift; done
shift 2
. ${directory}/login
( eval "$*" ); status=$?
. ${directory}/logout
exit $status
`;

beforeAll(() => {
  mkdirSync(join(scratch, 'bin'));
  writeFileSync(join(scratch, 'bin/ssh'), standIn(scratch), { mode: 0o755 });
  process.env.PATH = `${scratch}/bin:${pathBefore}`;
});
afterAll(() => {
  process.env.PATH = pathBefore;
});

async function logsIn<T>(
  login: string,
  logout: string,
  use: (shell: ReturnType<typeof openSshShell>) => Promise<T>,
  way: MemberWay = plainWay,
  keep = false,
): Promise<T> {
  writeFileSync(join(scratch, 'login'), login);
  writeFileSync(join(scratch, 'logout'), logout);
  writeFileSync(join(scratch, 'called'), '');
  const shell = openSshShell(new AbortController().signal, keep, way);
  try {
    return await use(shell);
  } finally {
    await shell.close();
  }
}

const run = (login: string, logout: string, script: string, timeoutMs = 20_000) =>
  logsIn(login, logout, (shell) => shell.run('m2', script, timeoutMs));

const quirks: readonly (readonly [what: string, login: string, logout: string])[] = [
  ['prints nothing', '', ''],
  ['prints a line before', 'echo "*** Authorised use only ***"', ''],
  ['prints before without a line end', 'printf "Welcome to the cluster: "', ''],
  ['prints what looks like an answer', 'echo "name m9 10.0.0.9"; echo whole; echo "ended 0 x"', ''],
  ['prints after, with a status of its own', '', 'echo "Good bye"; exit 9'],
  ['prints after without a line end', '', 'printf "Good bye"'],
  ['prints to the errors', 'echo warning >&2', 'printf bye >&2'],
  [
    'prints between, from the background',
    '( while echo tick 2>/dev/null && printf tock; do sleep 0.01; done ) & p=$!',
    'kill $p',
  ],
];

/** Login shells of root that sites use, besides those of /bin/sh. Here they read no file of a user. */
const loginShells = ['csh -f -c', 'tcsh -f -c', 'fish --no-config -c', 'mksh -c', 'busybox sh -c', 'dash -c'].map(
  (words) => [`runs ${words.split(' ')[0]}`, `exec ${words} "$*"`, ''] as const,
);
const shellsHere = loginShells.filter(([what]) => have(what.split(' ')[1] ?? ''));

describe('the answer of a host whose login', () => {
  it.each([...quirks, ...shellsHere])('%s is what the script printed, and no more', async (_, login, logout) => {
    const script = 'echo "one  line"; sleep 0.1; printf "a\\tb\\n\\n"; echo wrong >&2; printf last; exit 3';
    expect(await run(login, logout, script)).toMatchObject({
      exitCode: 3,
      stdout: 'one  line\na\tb\n\nlast\n',
      stderr: 'wrong\n',
    });
  });

  it.each([...quirks, ...shellsHere])(
    '%s is kept apart also where a file is sent, and where a script stays',
    async (_, login, logout) => {
      const file = join(scratch, 'sent');
      writeFileSync(file, 'content');
      await logsIn(login, logout, async (shell) => {
        expect(await shell.send('m2', 'cat', { file, onSent: () => {} }, 20_000)).toMatchObject({
          exitCode: 0,
          stdout: 'content\n',
        });
        const script = 'echo csync-connected; while read -r line && [ "$line" != end ]; do echo "renewed $line"; done';
        const hold = await shell.hold('m2', script);
        if (!('release' in hold)) throw new Error(JSON.stringify(hold));
        expect([await hold.ask('1', 5000), await hold.ask('2', 5000)]).toEqual(['renewed 1', 'renewed 2']);
        await hold.release();
        expect(await shell.hold('m2', 'echo busy >&2; exit 75')).toMatchObject({ exitCode: 75, stderr: 'busy\n' });
      });
    },
  );

  it.each(shellsHere)('%s is the same over a connection that stays', async (_, login) => {
    const script = 'echo "it is $((1 + 1))"; echo wrong >&2; exit 3';
    const said = { exitCode: 3, stdout: 'it is 2\n', stderr: 'wrong\n' };
    expect(await logsIn(login, '', (shell) => shell.run('m2', script, 20_000), plainWay, true)).toMatchObject(said);
    const calls = readFileSync(join(scratch, 'called'), 'utf8').match(/ControlMaster=\w+/g);
    expect(calls).toEqual(['ControlMaster=yes', 'ControlMaster=no']);
  });

  it('has nothing of the .bashrc that a bash in a script would read behind fish', () => {
    writeFileSync(join(scratch, '.bashrc'), 'echo "*** Authorised use only ***"; printf "Welcome: "');
    const env = { PATH: pathBefore ?? '', HOME: scratch, SSH_CLIENT: '10.9.0.11 4711 22' };
    const script = addressViewLines('127.0.0.1', 'false').join('\n');
    const { stdout } = spawnSync('sh', ['-c', script], { env, encoding: 'utf8' });
    expect(stdout).toMatch(/^cards [^\n]*\nbehind \n$/);
  });

  it('is whole although its logout never ends', async () => {
    expect(await run('', 'sleep 600', 'echo done', 1000)).toMatchObject({ exitCode: 0, timedOut: false, stdout: 'done\n' });
  });

  it('has the steps that were complete when a script hangs', async () => {
    expect(await run('', '', 'echo first; echo wrong >&2; sleep 600', 1000)).toMatchObject({
      timedOut: true,
      stdout: 'first\n',
      stderr: 'wrong\n',
    });
  });
});

describe('no answer of a host', () => {
  const refused: readonly (readonly [what: string, login: string, said: string])[] = [
    [
      'with a forced command',
      'echo "Please login as the user ops rather than root."; exit 142',
      'Please login as the user ops rather than root.',
    ],
    ['with a forced command that is content', 'echo "This account is a gateway."; exit 0', 'This account is a gateway.'],
    ['for sftp only', 'echo "This service allows sftp connections only."; exit 1', 'This service allows sftp connections only.'],
    ['without a shell', 'echo "This account is currently not available."; exit 1', 'This account is currently not available.'],
    [
      'whose host key is of an old kind',
      'echo "Authorised use only" >&2; echo "Unable to negotiate with 10.0.0.2 port 22: no matching host key type found. Their offer: ssh-rsa" >&2; exit 255',
      'no matching host key type found. Their offer: ssh-rsa',
    ],
    ['that refuses politely', 'echo "Permission denied: use the gateway"; exit 1', 'Permission denied: use the gateway'],
  ];

  it.each(refused)('%s has what ssh and the host said, and is no success', async (_, login, said) => {
    const ended = await run(login, '', 'touch /nowhere/at/all');
    expect(ended).toMatchObject({ exitCode: 255, stdout: '' });
    expect(whyNoAnswer('m2', ended, 1000).why).toContain(said);
  });

  it.each([
    'kex_exchange_identification: Connection closed by remote host',
    'kex_exchange_identification: read: Connection reset by peer',
    'banner exchange: Connection to 10.0.0.2 port 22: Broken pipe',
  ])('that turned the login away (%s) is asked again; nothing was run', async (said) => {
    const once = `[ -e ${scratch}/turned ] || { touch ${scratch}/turned; echo '${said}' >&2; exit 255; }; rm ${scratch}/turned`;
    expect(await run(once, '', 'echo whole')).toMatchObject({ exitCode: 0, stdout: 'whole\n' });
    expect(readFileSync(join(scratch, 'called'), 'utf8').trim().split('\n')).toHaveLength(2);
  });

  it('that speaks another protocol is not asked again', async () => {
    const said = 'banner exchange: Connection to 10.0.0.2 port 22: invalid format';
    expect(await run(`echo '${said}' >&2; exit 255`, '', 'true')).toMatchObject({ exitCode: 255 });
    expect(readFileSync(join(scratch, 'called'), 'utf8').trim().split('\n')).toHaveLength(1);
  });

  const sudoSays: readonly (readonly [said: string, status: number, why: RegExp])[] = [
    ["env: 'sudo': No such file or directory", 127, /sudo is not installed/],
    ["env: can't execute 'sudo': No such file or directory", 127, /sudo is not installed/],
    ['sudo: a password is required', 1, /asks for a password/],
    ['sudo: sorry, you must have a tty to run sudo', 1, /requires a terminal/],
    ['sudo: no tty present and no askpass program specified', 1, /requires a terminal/],
    [
      "Sorry, user csync is not allowed to execute '/usr/local/sbin/csync-root' as root on m2.",
      1,
      /no rule of sudo there allows/,
    ],
    ['csync is not in the sudoers file.  This incident will be reported.', 1, /no rule of sudo there allows/],
    ['/etc/sudoers.d/csync:3:10: syntax error', 1, /cannot use its rules: .*csync:3:10/],
    ['sudo: /usr/local/sbin/csync-root: command not found', 1, /is not installed there/],
    ['sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set', 1, /cannot become root there/],
    ['sudo: The "no new privileges" flag is set, which prevents sudo from running as root.', 1, /cannot become root there/],
    ['sudo: account validation failure, is your account locked?', 1, /PAM refuses/],
    ['csync-reader: this program has no such script', 78, /does not have this script/],
  ];

  it.each(sudoSays)('whose sudo says %s has a reason of its own', async (said, status, why) => {
    const way = { sshUser: 'csync', become: 'sudo', insteadOfSsh: null } as const;
    const login = `echo "*** Authorised use only ***"; echo '${said.replaceAll("'", "'\\''")}' >&2; exit ${status}`;
    const ended = await logsIn(login, '', (shell) => shell.run('m2', 'touch /nowhere/at/all', 20_000), way);
    expect(ended).toMatchObject({ exitCode: 255, stdout: '' });
    const answer = whyNoAnswer('m2', ended, 1000);
    expect(answer.why).toMatch(why);
    expect(answer.why).not.toContain('Authorised');
    const called = readFileSync(join(scratch, 'called'), 'utf8');
    expect(called).toContain('-o User=csync ');
    expect(called).toMatch(/-- m2 env LC_ALL=C sudo -n -- \/usr\/local\/sbin\/csync-root$/m);
    // A login that only prints the same has nothing to do with sudo.
    expect(whyNoAnswer('m2', await run(login, '', ':'), 1000).why).toContain(said);
  });

  it('that was cut in the middle is no success, and has what was whole', async () => {
    expect(await run('', '', 'echo whole; kill -KILL $$')).toMatchObject({ exitCode: 137, stdout: 'whole\n' });
  });
});

describe('ssh', () => {
  it('is called so that a configuration for people does not change what it runs', async () => {
    await run('', '', ':');
    const called = readFileSync(join(scratch, 'called'), 'utf8');
    for (const option of [
      'RemoteCommand=none',
      'StdinNull=no',
      'SessionType=default',
      'ForkAfterAuthentication=no',
      'RequestTTY=no',
    ])
      expect(called).toContain(`-o ${option} `);
    expect(called).toContain('-o PermitLocalCommand=no ');
    expect(called).not.toContain('LogLevel=ERROR');
  });
});
