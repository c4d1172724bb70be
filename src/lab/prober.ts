/**
 * A client's view of the master, without waiting: asks the package address for the sentinel again and again and prints
 * when that begins and ends to work (the end with the ms since the last success). A success proves address, daemon and policy file system together.
 * Called as: prober.cjs SETTINGS-FILE
 */
import * as files from '../host/lab-files.ts';
import { realMemberHost } from '../host/member-host.ts';
import { Daemon } from '../member/daemon.ts';
import type { Settings } from '../settings.ts';

/** The end of an outage is looked for more closely than its beginning, which counts from the last success anyway. */
const everyMs = { served: 100, lost: 50 };
const limitMs = 300;

async function main(): Promise<void> {
  const settings = JSON.parse(files.readText(process.argv[2] ?? '') ?? '') as Settings;
  const daemon = new Daemon(realMemberHost(), settings);
  let served: boolean | null = null;
  let lastServed = performance.now();
  for (;;) {
    const answer = await daemon.ask(settings.packageAddress, limitMs);
    const now = answer.kind === 'served';
    const at = performance.now();
    if (now !== served)
      process.stdout.write(now ? 'served\n' : `lost ${Math.round(at - lastServed)} ${'why' in answer ? answer.why : ''}\n`);
    served = now;
    if (now) lastServed = at;
    await new Promise((resolve) => setTimeout(resolve, now ? everyMs.served : everyMs.lost));
  }
}

void main();
