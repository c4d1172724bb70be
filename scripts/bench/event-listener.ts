/** Behind csync-front.pl, as the monitor is: makes processes, kills them, and prints after how many ms it was told. */
import { spawn } from 'node:child_process';
import { openServiceFront } from '../../src/host/service-front.ts';

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

void all(Number(process.argv[2]));
