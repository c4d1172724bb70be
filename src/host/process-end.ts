/**
 * The end of a process as an event instead of something that is polled for. Node.js has no pidfd; a few lines of perl, which
 * every distribution has, hold one, and say so when it becomes readable: at the death itself, whoever reaps the process
 * later. It costs no time while nothing happens [monitor.md 1, 5.2]. What it says is a hint to look, never a verdict.
 */
import { spawn } from 'node:child_process';
import type { ProcessState } from './host.ts';

/**
 * 434 is pidfd_open (Linux 5.3) wherever Linux numbers its newer calls alike, which is everywhere but on alpha. It ends with
 * its standard input, so that it never outlives who asked, however that ended.
 */
const helper = `
$0 = "csync-end-watch $ARGV[0]";
my $descriptor = syscall(434, $ARGV[0] + 0, 0);
exit 3 if $descriptor < 0;
syswrite(STDOUT, "armed\\n");
my $ready = "";
vec($ready, 0, 1) = 1;
vec($ready, $descriptor, 1) = 1;
select($ready, undef, undef, undef);
syswrite(STDOUT, "ended\\n") if vec($ready, $descriptor, 1);
`;

export interface EndWatch {
  /** Whether an end will be told; before that, and where there is no perl or no pidfd, somebody has to poll. */
  isArmed(): boolean;
  close(): void;
}

/**
 * `look` is called when the watch has been armed (the process may have ended before), when the process ends, and when the
 * watch itself is lost. A pid that was taken over meanwhile is for the one who looks to notice.
 */
export function watchEnd({ pid }: ProcessState, look: () => void): EndWatch {
  let armed = false;
  let closed = false;
  const child = spawn('perl', ['-e', helper, String(pid)], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const tell = (isArmed: boolean): void => {
    armed = isArmed;
    if (!closed) look();
  };
  child.stdin.on('error', () => {});
  child.stdout.setEncoding('latin1').on('data', (text: string) => tell(!text.includes('ended')));
  child.on('error', () => tell(false)).on('exit', () => tell(false));
  return {
    isArmed: () => armed,
    close: () => {
      closed = true;
      child.stdin.destroy();
    },
  };
}
