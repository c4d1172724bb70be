/** Runs the package in a lab, makes its master fail and halt, while clients fetch with the real cf-agent. Prints a table and a verdict. */
import { columns } from '../../base/tables.ts';
import type { JournalEntry } from '../emulation/journal.ts';
import type { LabHandle } from '../handle.ts';
import { clientsOf, watchedClients } from '../machines/lab-spec.ts';
import { DrillFailure, PackageDrills } from './package-drills.ts';
import { type Failover, outagesIn, seconds, storyLine, unmeasured } from './timeline.ts';

export interface DemoResult {
  readonly verdict: 'pass' | 'fail';
  readonly sentence: string;
  readonly failovers: readonly Failover[];
  /** ms by client, during the deliberate halt. */
  readonly haltOutages: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
  readonly policyVersions: number;
  readonly worstLookDelayMs: number;
  readonly entries: readonly JournalEntry[];
  /** How it was halted and started again. */
  readonly halt: string;
}

const shown = new Set<JournalEntry['kind']>(['fault', 'command', 'event', 'seen', 'violation']);

/** In a lab that is up. `say` gets each line at once. */
export async function runDemo(lab: LabHandle, say: (line: string) => void): Promise<DemoResult> {
  const drills = new PackageDrills(lab);
  let origin: number | null = null;
  await drills.attach((entry) => {
    origin ??= entry.at;
    if (shown.has(entry.kind)) say(storyLine(entry, origin));
  });
  const failovers: Failover[] = [];
  const names = watchedClients(lab.spec).map(({ name }) => name);
  const violations: string[] = [];
  let haltOutages: Readonly<Record<string, number>> = {};
  let sentence = '';
  try {
    say('--- The package: from a settings file to a running master');
    await drills.deploy();
    await look(drills, violations, say);
    for (const [kind, title] of [
      ['kill', 'cf-serverd of the active member gets SIGKILL'],
      ['haltnode', `The active member is halted with ${drills.engine.programs.haltMember}`],
    ] as const) {
      say(`--- ${title}`);
      const failover = await drills.failOver(kind);
      failovers.push(failover);
      violations.push(...unmeasured(failover, names));
      await look(drills, violations, say);
      if (failover.from !== null) await drills.repair(kind, failover.from);
    }
    say('--- The package is halted: the daemon keeps running, clients keep their policy');
    haltOutages = await haltAndBringBack(drills, say);
    const silent = names.filter((name) => haltOutages[name] === undefined);
    if (silent.length > 0) violations.push(`not measured: ${silent.join(', ')} noticed nothing of a halt`);
    await look(drills, violations, say);
  } catch (error) {
    sentence = error instanceof Error ? error.message : String(error);
  }
  const { worstLookDelayMs } = await lab.status();
  drills.detach();
  const verdict = sentence === '' && violations.length === 0 ? 'pass' : 'fail';
  if (verdict === 'pass')
    sentence = `the package moved ${failovers.length} times, came back after a halt, and clients have policy version ${drills.version}`;
  if (sentence === '') sentence = violations.join('; ');
  return {
    verdict,
    sentence,
    failovers,
    haltOutages,
    violations,
    policyVersions: drills.version,
    worstLookDelayMs,
    entries: drills.entries,
    halt: drills.engine.programs.haltAndSwitchOn,
  };
}

async function look(drills: PackageDrills, violations: string[], say: (line: string) => void): Promise<void> {
  const owner = await drills.waitServed();
  await drills.waitClients();
  const version = await drills.publishAndFetch();
  const broken = await drills.invariants();
  violations.push(...broken);
  say(
    `    ${owner} is the master; every client has fetched policy version ${version}; ${broken.length === 0 ? 'invariants hold' : broken.join('; ')}`,
  );
}

async function haltAndBringBack(drills: PackageDrills, say: (line: string) => void): Promise<Record<string, number>> {
  const owner = await drills.waitServed();
  const mark = drills.entries.length;
  const before = daemonPid(await drills.lab.exec(owner, ['pgrep', '-x', 'cf-serverd']));
  await drills.order(owner, drills.engine.orders.halt(drills.packageName));
  const after = daemonPid(await drills.lab.exec(owner, ['pgrep', '-x', 'cf-serverd']));
  if (after === null) throw new DrillFailure(`no cf-serverd runs on ${owner} after the halt`);
  say(`    cf-serverd still runs on ${owner} (pid ${after}${after === before ? ', the same process' : `, before: ${before}`})`);
  for (const client of clientsOf(drills.lab.spec)) {
    const agent = await drills.lab.exec(client.name, ['cf-agent', '-K']);
    const version = await drills.clientVersion(client.name);
    if (agent.exitCode !== 0)
      throw new DrillFailure(`cf-agent on ${client.name} exited with ${agent.exitCode} while the package is halted`);
    if (version !== drills.version) throw new DrillFailure(`${client.name} lost its policy while the package is halted`);
    say(`    ${client.name} keeps its cached policy version ${version}`);
  }
  await drills.order(owner, drills.engine.orders.switchOn(drills.packageName));
  await drills.waitServed();
  await drills.waitSeen();
  await drills.waitClients(mark);
  return outagesIn(drills.entries.slice(mark));
}

function daemonPid(result: { readonly stdout: string }): string | null {
  return /^\d+/.exec(result.stdout)?.[0] ?? null;
}

export function demoSummary(result: DemoResult): string[] {
  const worst = (outages: Readonly<Record<string, number>>): string => {
    const values = Object.values(outages);
    return values.length === 0 ? 'none' : seconds(Math.max(...values));
  };
  const head = ['seconds after the fault', 'moved', 'detected', 'halted', 'mounted', 'address', 'proved', 'outage'];
  const rows = result.failovers.map((failover) => [
    failover.fault,
    `${failover.from}->${failover.to}`,
    seconds(failover.detected),
    seconds(failover.halted),
    seconds(failover.mounted),
    seconds(failover.address),
    seconds(failover.started),
    worst(failover.outages),
  ]);
  const halt = [result.halt, ...head.slice(2).map(() => ''), worst(result.haltOutages)];
  return [
    '',
    ...columns([head, ...rows, halt], { right: [1, 2, 3, 4, 5, 6, 7] }),
    `outage: the longest time that a client had no master; mounts and addresses were checked at least every ${Math.ceil(result.worstLookDelayMs)} ms`,
    '',
    `${result.verdict === 'pass' ? 'PASS' : 'FAIL'}: ${result.sentence}`,
  ];
}
