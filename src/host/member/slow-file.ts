/**
 * Files of a disk that may hang: read by a helper, so that neither the event loop nor the end of this process ever waits for
 * the disk (a thread of Node.js that is stuck in the kernel keeps the whole process from ending). Read past the cache where
 * the file system can do that, for what lies in memory says nothing about the disk.
 */
import { spawn } from 'node:child_process';

/** The part of the buffer that O_DIRECT takes begins at a whole page. */
const helper = `
use Fcntl;
$0 = "csync-file-reader";
my $buffer = "\\0" x 12288;
my $at = (4096 - unpack("J", pack("p", $buffer)) % 4096) % 4096;
while (my $path = <STDIN>) {
  chomp $path;
  my ($file, $length);
  for my $how (O_RDONLY | O_DIRECT, O_RDONLY) {
    undef $length;
    next unless sysopen($file, $path, $how);
    $length = sysread($file, $buffer, 4096, $at);
    last if defined $length;
  }
  syswrite(STDOUT, defined $length ? "text " . unpack("H*", substr($buffer, $at, $length)) . "\\n" : "error $!\\n");
  close $file if $file;
}
`;

export type SlowRead =
  /** Its first 4 KB. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'error'; readonly why: string }
  /** No answer within the limit; a later one is waited for by the next read. */
  | { readonly kind: 'late' }
  /** There is no perl here, or the helper was ended; the next read tries to start one. */
  | { readonly kind: 'no helper'; readonly why: string };

export interface SlowFile {
  read(limitMs: number): Promise<SlowRead>;
  close(): void;
}

/** One file of which the helper is asked again and again; who asks while it reads gets the answer of that same read. */
export function openSlowFile(path: string): SlowFile {
  let child: ReturnType<typeof start> | null = null;
  let pending = '';
  let isAsked = false;
  const waiting = new Set<(result: SlowRead) => void>();
  const answered = (result: SlowRead): void => {
    for (const told of [...waiting]) told(result);
  };

  function start() {
    const started = spawn('perl', ['-e', helper], {
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const lost = (why: string): void => {
      if (child !== started) return;
      child = null;
      isAsked = false;
      answered({ kind: 'no helper', why });
    };
    started.stdin.on('error', () => {});
    started.on('error', (error: NodeJS.ErrnoException) => lost(error.code ?? error.message)).on('exit', () => lost('it ended'));
    started.stdout.setEncoding('latin1').on('data', (piece: string) => {
      pending += piece;
      const end = pending.indexOf('\n');
      if (end === -1) return;
      const [word, rest = ''] = pending.slice(0, end).split(/ (.*)/s);
      pending = '';
      isAsked = false;
      answered(
        word === 'text' ? { kind: 'text', text: Buffer.from(rest, 'hex').toString('utf8') } : { kind: 'error', why: rest },
      );
    });
    return started;
  }

  return {
    read: (limitMs) =>
      new Promise((resolve) => {
        const told = (result: SlowRead): void => {
          clearTimeout(timer);
          waiting.delete(told);
          resolve(result);
        };
        const timer = setTimeout(() => told({ kind: 'late' }), limitMs);
        waiting.add(told);
        if (isAsked) return;
        isAsked = true;
        if (child === null) {
          pending = '';
          child = start();
        }
        child.stdin.write(`${path}\n`);
      }),
    close: () => {
      const ending = child;
      child = null;
      // It may be stuck in a read, and would not see that nobody asks any more.
      ending?.kill('SIGKILL');
    },
  };
}
