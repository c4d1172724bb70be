/**
 * A client's view of the master, without waiting: asks the package address for the sentinel again and again and prints
 * when that begins and ends to work (the end with the ms since the last success). A success proves address, daemon and policy file system together.
 * `asked MS` is a question that was answered, or given up, by the time at which it was asked: what was so by then was printed before.
 * Called as: prober.cjs SETTINGS-FILE
 */

import * as files from '../host/lab-files.ts';
import { realMemberHost } from '../host/member-host.ts';
import { out } from '../host/output.ts';
import { Daemon } from '../member/daemon.ts';
import type { Settings } from '../settings.ts';

const everyMs = 100;
const limitMs = 300;
/** While nobody answers a new question is asked so often, whatever became of those before: one that was sent too early is never answered. */
const againMs = 50;

async function main(): Promise<void> {
  const settings = JSON.parse(files.readText(process.argv[2] ?? '') ?? '') as Settings;
  const daemon = new Daemon(realMemberHost(), settings);
  let told = 0;
  const ask = async () => {
    const asked = Date.now();
    const answer = await daemon.ask(settings.packageAddress, limitMs, { anyKey: true });
    return { ...answer, asked };
  };
  const tellAsked = (asked: number): void => {
    if (asked > told) out(`asked ${asked}\n`);
    told = Math.max(told, asked);
  };
  let lastServed = performance.now();
  for (let answer = await ask(); ; answer = await ask()) {
    if (answer.kind !== 'served') {
      out(`lost ${Math.round(performance.now() - lastServed)} ${answer.why}\n`);
      tellAsked(answer.asked);
      await served(ask, tellAsked);
      out('served\n');
    }
    tellAsked(answer.asked);
    lastServed = performance.now();
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

type Ask = () => Promise<Awaited<ReturnType<Daemon['ask']>> & { readonly asked: number }>;

function served(ask: Ask, tellAsked: (asked: number) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(async () => {
      const { kind, asked } = await ask();
      if (kind !== 'served') return tellAsked(asked);
      clearInterval(timer);
      resolve();
    }, againMs);
  });
}

void main();
