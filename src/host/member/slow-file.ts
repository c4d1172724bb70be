/**
 * Reads files through a helper process, because a stuck thread keeps Node.js from exiting. Bypasses the cache if possible: cached data
 * proves nothing about the disk.
 */
import { spawn } from 'node:child_process';
import helper from './file-reader.pl';

export type SlowRead =
  /** At most 4 KB. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'error'; readonly why: string }
  /** The next read waits for it. */
  | { readonly kind: 'late' }
  /** perl is missing, or the helper was killed; the next read starts one. */
  | { readonly kind: 'no helper'; readonly why: string };

export interface SlowFile {
  read(limitMs: number): Promise<SlowRead>;
  close(): void;
}

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
      // Stuck in a read, it does not notice a closed pipe.
      ending?.kill('SIGKILL');
    },
  };
}
