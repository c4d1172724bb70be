/** The Host of the member scripts, where only a real process shows whether it keeps its word. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually, repository, scratchDirectory } from '../../support.ts';

const scratch = scratchDirectory();

/** Runs perl with descriptors 9 and 40 open, then what it is given, as a careless caller would. */
const careless =
  'use POSIX (); open my $f, ">", shift or die; POSIX::dup2(fileno $f, $_) for 9, 40; exec { $ARGV[0] } @ARGV or die';

it('a process left to itself has a session of its own, nothing of its caller, and no process waits for it', async () => {
  const report = `cut -d " " -f 6 /proc/self/stat > ${scratch}/new; ls -l /proc/self/fd >> ${scratch}/new; mv ${scratch}/new ${scratch}/beside`;
  const program = `import { realMemberHost } from ${JSON.stringify(join(repository, 'src/host/member/member-host.ts'))};
    const { detach } = realMemberHost();
    const told = [['/bin/sh', '-c', 'until [ -e ${scratch}/go ]; do sleep 0.02; done; ${report}'], ['/no/such/program']];
    console.log(...told.map(detach));
    process.exit(0);`;
  const file = join(scratch, 'left-open');
  const node = [process.execPath, '--import', './scripts/typescript.mjs', '--input-type=module', '-e', program];
  const ran = spawnSync('perl', ['-e', careless, file, ...node], { cwd: repository, encoding: 'utf8', timeout: 30_000 });
  expect([ran.stdout, ran.stderr]).toEqual(['true false\n', '']);
  expect(existsSync(join(scratch, 'beside'))).toBe(false);
  writeFileSync(join(scratch, 'go'), '');
  await eventually('its report', () => existsSync(join(scratch, 'beside')));
  const [session = '', ...open] = readFileSync(join(scratch, 'beside'), 'utf8').split('\n');
  expect(Number(session)).not.toBe(
    Number(spawnSync('ps', ['-o', 'sid=', '-p', String(process.pid)], { encoding: 'utf8' }).stdout),
  );
  expect(open.join('\n')).toContain(' 0 -> /dev/null');
  expect(open.join('\n')).not.toMatch(/left-open|pipe:/);
});

it('a daemon that is launched inherits no descriptor that the caller left open', () => {
  const program = `import { realMemberHost } from ${JSON.stringify(join(repository, 'src/host/member/member-host.ts'))};
    const ended = await realMemberHost().launch(['/bin/sh', '-c', 'ls -l /proc/self/fd > ${scratch}/open'], 5000);
    console.log(ended.exitCode);`;
  const file = join(scratch, 'left-open');
  const node = [process.execPath, '--import', './scripts/typescript.mjs', '--input-type=module', '-e', program];
  const ran = spawnSync('perl', ['-e', careless, file, ...node], { cwd: repository, encoding: 'utf8' });
  expect([ran.stdout, ran.stderr]).toEqual(['0\n', '']);
  const open = spawnSync('cat', [`${scratch}/open`], { encoding: 'utf8' }).stdout;
  expect(open).toContain(' 0 -> /dev/null');
  expect(open).not.toContain('left-open');
});
