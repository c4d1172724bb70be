/** The Host of the member scripts, where only a real process shows whether it keeps its word. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository, scratchDirectory } from '../support.ts';

const scratch = scratchDirectory();

/** Runs perl with descriptors 9 and 40 open, then what it is given, as a careless caller would. */
const careless =
  'use POSIX (); open my $f, ">", shift or die; POSIX::dup2(fileno $f, $_) for 9, 40; exec { $ARGV[0] } @ARGV or die';

it('a daemon that is launched inherits no descriptor, whatever the caller left open', () => {
  const program = `import { realMemberHost } from ${JSON.stringify(join(repository, 'src/host/member-host.ts'))};
    const ended = await realMemberHost().launch(['/bin/sh', '-c', 'ls -l /proc/self/fd > ${scratch}/open'], 5000);
    console.log(ended.exitCode);`;
  const file = join(scratch, 'left-open');
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', program];
  const ran = spawnSync('perl', ['-e', careless, file, ...node], { cwd: repository, encoding: 'utf8' });
  expect([ran.stdout, ran.stderr]).toEqual(['0\n', '']);
  const open = spawnSync('cat', [`${scratch}/open`], { encoding: 'utf8' }).stdout;
  expect(open).toContain(' 0 -> /dev/null');
  expect(open).not.toContain('left-open');
});
