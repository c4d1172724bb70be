/**
 * A client's view of the master: `prober.cjs SETTINGS-FILE` requests the sentinel from the package address, and prints when that starts and
 * stops working, with ms since the last success. `waited MS ANSWER-MS`: a late answer after a moment without the address. `asked MS`: a
 * question is answered or abandoned; what was observed before is printed.
 */

import * as files from '../host/lab/lab-files.ts';
import { realMemberHost } from '../host/member/member-host.ts';
import { out } from '../host/output.ts';
import { Daemon } from '../member/daemon.ts';
import type { Settings } from '../settings/settings.ts';

const everyMs = 100;
const limitMs = 300;
/** A normal answer takes 20 ms. */
const lateMs = 100;
/** While others are pending, too: one that was sent too early is never answered. */
const againMs = 50;
/** For 5 s, longer than measured outages. */
const hastyQuestions = 100;
/** Limit of a single question, sent sometimes: a slow master refuses the next one before it answers. */
const patientMs = 2000;
/** A client has one connection at a time (allowallconnects), and its agent goes first: the probe pauses, and repeats a refused question. */
const makeRoomMs = 500;
const besideMs = 20;

async function main(): Promise<void> {
  const settings = JSON.parse(files.readText(process.argv[2] ?? '') ?? '') as Settings;
  const host = realMemberHost();
  const daemon = new Daemon(host, settings);
  let told = 0;
  const ask = async (withinMs = limitMs) => {
    const asked = Date.now();
    const answer = await daemon.ask(settings.packageAddress, withinMs, { anyKey: true });
    return { ...answer, asked };
  };
  const tellAsked = (asked: number): void => {
    if (asked > told) out(`asked ${asked}\n`);
    told = Math.max(told, asked);
  };
  const agents = new Set(['cf-agent', 'cfagent']);
  const isAgentRunning = () =>
    (host.list('/proc') ?? []).some((pid) => agents.has(host.readText(`/proc/${pid}/comm`)?.trim() ?? ''));
  let lastServed = performance.now();
  const isEarly = () => performance.now() - lastServed < makeRoomMs;
  /** On the connections of this host to the master. */
  const receivedBytes = async (): Promise<number> => {
    const argv = ['ss', '-tinH', 'dst', settings.packageAddress, 'dport', '=', `:${settings.cfenginePort}`];
    const { stdout } = await host.run(argv, limitMs);
    return [...stdout.matchAll(/\bbytes_received:(\d+)/g)].reduce((total, [, bytes]) => total + Number(bytes), 0);
  };
  let madeRoomMsSince = 0;
  const makeRoom = async (): Promise<void> => {
    const began = performance.now();
    let received: number | null = null;
    while (isAgentRunning()) {
      const waited = performance.now() - lastServed;
      if (received === null && waited > makeRoomMs / 2) received = await receivedBytes();
      if (waited >= makeRoomMs) {
        // Served is who receives: an agent may compare thousands of files on one connection.
        const now = await receivedBytes();
        if (received === null || now <= received) break;
        [received, lastServed] = [now, performance.now()];
      }
      await pause(besideMs);
    }
    madeRoomMsSince += performance.now() - began;
  };
  const askBesideAgent = async () => {
    await makeRoom();
    let answer = await ask();
    while (answer.kind === 'unknown' && isEarly()) {
      await pause(besideMs);
      await makeRoom();
      answer = await ask();
    }
    return answer;
  };
  const waitedMs = () => performance.now() - lastServed - everyMs - madeRoomMsSince;
  for (let answer = await ask(); ; answer = await askBesideAgent()) {
    if (answer.kind !== 'served') {
      out(`lost ${Math.round(performance.now() - lastServed)} ${answer.why}\n`);
      tellAsked(answer.asked);
      await served(ask, tellAsked);
      out('served\n');
    } else if (waitedMs() > lateMs) out(`waited ${Math.round(performance.now() - lastServed)} ${Math.round(waitedMs())}\n`);
    madeRoomMsSince = 0;
    tellAsked(answer.asked);
    lastServed = performance.now();
    await pause(everyMs);
  }
}

type Ask = (withinMs?: number) => Promise<Awaited<ReturnType<Daemon['ask']>> & { readonly asked: number }>;

async function served(ask: Ask, tellAsked: (asked: number) => void): Promise<void> {
  let isOver = false;
  const isServed = async (withinMs: number): Promise<boolean> => {
    const { kind, asked } = await ask(withinMs);
    if (kind !== 'served') tellAsked(asked);
    return kind === 'served';
  };
  const hasty = async (n: number): Promise<void> => {
    await pause(n * againMs);
    if (isOver || !(await isServed(limitMs))) throw new Error('not served');
  };
  while (!isOver) {
    const questions = Array.from({ length: hastyQuestions }, (_, n) => hasty(n));
    isOver = await Promise.any(questions).then(
      () => true,
      () => isServed(patientMs),
    );
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

void main();
