/**
 * A child of csync-front.pl, as the monitor is, without the work of a monitor: the cost of the notification alone.
 *
 *   event-listener N          starts N processes, kills them, and prints the ms until each notification
 *   event-listener once PID   prints the time of the notification in seconds since the epoch, and exits
 */
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { openServiceFront } from '../../../src/host/member/service-front.ts';

const front = openServiceFront();
if (front === null) throw new Error('start it behind csync-front.pl');
const told = front;

async function once(): Promise<number> {
  const victim = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' });
  const ended = new Promise((done) => victim.once('exit', done));
  const pid = victim.pid ?? 0;
  const took = await new Promise<number>((resolve) => {
    let killed: number | null = null;
    const watch = told.watchEnd(pid, () => {
      if (killed !== null) {
        resolve(performance.now() - killed);
        watch.close();
      } else
        setTimeout(() => {
          killed = performance.now();
          process.kill(pid, 'SIGKILL');
        }, 1);
    });
  });
  await ended;
  return took;
}

async function all(rounds: number): Promise<void> {
  const lines: string[] = [];
  for (let round = 0; round < rounds; round += 1) lines.push((await once()).toFixed(3));
  process.stdout.write(`${lines.join('\n')}\n`, () => process.exit(0));
}

function hearOnce(pid: number): void {
  const now = (): number => performance.timeOrigin + performance.now();
  // The first call of a clock is the slow one; the monitor has had it by then.
  now();
  let isArmed = false;
  told.watchEnd(pid, () => {
    const heard = now();
    if (isArmed) {
      writeSync(1, `${(heard / 1000).toFixed(6)}\n`);
      told.leave(1, '');
      process.exit(1);
    }
    isArmed = true;
    writeSync(1, 'armed\n');
  });
}

const [what = '', pid] = process.argv.slice(2);
if (what === 'once') hearOnce(Number(pid));
else void all(Number(what));
