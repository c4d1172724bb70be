/** Failovers with random, repeatable faults; checks the invariants after each. */
import { random } from '../../base/random.ts';
import { columns } from '../../base/tables.ts';
import type { LabHandle } from '../handle.ts';
import { watchedClients } from '../machines/lab-spec.ts';
import { type FaultKind, faultKinds, PackageDrills } from './package-drills.ts';
import { type Failover, median, seconds, unmeasured } from './timeline.ts';

export interface FailoverRunResult {
  readonly seed: number;
  readonly wanted: number;
  readonly done: readonly {
    readonly kind: FaultKind;
    readonly failover: Failover;
    readonly fetchedMs: number;
    readonly violations: readonly string[];
  }[];
  /** Empty: all were done. */
  readonly failure: string;
  readonly worstLookDelayMs: number;
}

/** In a lab that is up without a package. Stops at the first failure. */
export async function runFailovers(
  lab: LabHandle,
  count: number,
  seed: number,
  say: (line: string) => void,
): Promise<FailoverRunResult> {
  const drills = new PackageDrills(lab);
  await drills.attach();
  const next = random(seed);
  const clients = watchedClients(lab.spec).map(({ name }) => name);
  const done: FailoverRunResult['done'][number][] = [];
  let failure = '';
  let broken: { kind: FaultKind; member: string } | null = null;
  try {
    await drills.deploy();
    await drills.publishAndFetch();
    for (let number = 1; number <= count; number += 1) {
      const kind = faultKinds[Math.floor(next() * faultKinds.length)] ?? 'kill';
      const failover = await drills.failOver(kind);
      // Broken through the next failover, so that every member serves in turn. Exceptions: a disabled member, because the brake would hold
      // the next failover back, and one without power if the rest needs a majority.
      const isRepaired = kind === 'kill' || (kind === 'crash' && drills.engine.majority);
      if (isRepaired && failover.from !== null) await drills.repair(kind, failover.from);
      const earlier = broken;
      broken = failover.from === null || isRepaired ? null : { kind, member: failover.from };
      if (earlier !== null) await drills.repair(earlier.kind, earlier.member);
      const published = performance.now();
      await drills.publishAndFetch();
      const fetchedMs = performance.now() - published;
      const violations = [...(await drills.invariants()), ...unmeasured(failover, clients)];
      done.push({ kind, failover, fetchedMs, violations });
      const times = `outage ${seconds(worstOutage(failover))}  policy fetched in ${seconds(fetchedMs)}`;
      const line = `${String(number).padStart(3)}/${count} ${kind.padEnd(8)} ${failover.from} -> ${failover.to} ${times}`;
      say(violations.length === 0 ? line : `${line}  VIOLATION: ${violations.join('; ')}`);
      if (violations.length > 0) break;
    }
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  const { worstLookDelayMs } = await lab.status();
  drills.detach();
  return { seed, wanted: count, done, failure, worstLookDelayMs };
}

function worstOutage(failover: Failover): number | null {
  const values = Object.values(failover.outages);
  return values.length === 0 ? null : Math.max(...values);
}

export function passed(result: FailoverRunResult): boolean {
  return result.failure === '' && result.done.length === result.wanted && result.done.every((one) => one.violations.length === 0);
}

/** n, minimum, median, maximum. */
export function failoverSummary(result: FailoverRunResult): string[] {
  const rows = faultKinds.map((kind) => {
    const outages = result.done.filter((one) => one.kind === kind).flatMap((one) => worstOutage(one.failover) ?? []);
    return spread(kind, 'outage', outages);
  });
  const fetches = spread(
    'policy',
    'fetched',
    result.done.map((one) => one.fetchedMs),
  );
  const verdict = passed(result)
    ? `PASS: ${result.done.length} failovers, none skipped, invariants held after each (seed ${result.seed})`
    : `FAIL: ${result.done.length} of ${result.wanted} failovers (seed ${result.seed}): ${result.failure || result.done.flatMap(({ violations }) => violations).join('; ')}`;
  return [...columns([...rows, fetches]), verdict];
}

function spread(name: string, what: string, values: readonly number[]): string[] {
  if (values.length === 0) return [name, 'n 0'];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return [
    name,
    `n ${values.length}`,
    `${what} minimum ${seconds(least)}`,
    `median ${seconds(median(values))}`,
    `maximum ${seconds(most)}`,
  ];
}
