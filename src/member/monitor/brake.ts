/**
 * May the monitor exit with its verdict, or must the package stay? A load that follows the address, or a packet that kills the daemon, would
 * hit the next member, too, and disable one after the other. Pure, except for the query to the cluster, which has a limit.
 */

import { isSameHost } from '../../base/network.ts';
import { parsePromotion, promotionFile } from '../../contract/handover.ts';
import { memberStates, packageStatus } from '../../engine/serviceguard/status.ts';
import type { MemberHost } from '../../host/host.ts';
import type { Connections } from '../../host/member/connections.ts';
import type { Settings } from '../../settings/settings.ts';

export interface Others {
  /** Up and enabled, and the package has AUTO_RUN. */
  readonly eligible: readonly string[];
  /** By a failure or by an administrator. */
  readonly switchedOff: readonly string[];
  /** Commands that make another member eligible. */
  readonly remedies: readonly string[];
}

/** A failover within this time after one from a member that is disabled since is "in quick succession". */
export const settledMs = 600_000;
/** Beyond this, load explains the exit. cf-serverd exits above maxconnections, at least 200 (render/policy.ts). */
export const loadConnections = 150;
/** Restarts in place that must fail before the brake ends. */
const loadTries = 2;
const successionTries = 3;
/** Before each further restart; the last one repeats. A master is back within 10 s. */
const backOffMs = [0, 500, 1000, 2000, 4000, 5000] as const;

export interface Situation {
  readonly ofDaemon: boolean;
  readonly hereMs: number;
  /** null: started here, or unknown. */
  readonly cameFrom: string | null;
  /** null: no answer. That is not "none". */
  readonly others: Others | null;
  /** Including those just closed. */
  readonly connections: Connections;
  readonly failedRestarts: number;
}

/** Why the package must stay; null: the monitor may exit. */
export function whyStay({ ofDaemon, hereMs, cameFrom, others, connections, failedRestarts }: Situation): string | null {
  if (others !== null && others.eligible.length === 0)
    return `no other member can run the package${others.switchedOff.length === 0 ? '' : ` (disabled: ${others.switchedOff.join(', ')})`}`;
  if (!ofDaemon) return null;
  if (connections.total >= loadConnections && failedRestarts < loadTries)
    return `${loadText(connections)}, and this load would follow the package`;
  if (failedRestarts >= successionTries || !isSecond({ hereMs, cameFrom, others })) return null;
  return `the package failed over from ${cameFrom} ${Math.round(hereMs / 1000)} s ago, and ${cameFrom} is disabled: this would be a second failover in quick succession`;
}

/** Would a failover now be the second in quick succession? */
function isSecond({ hereMs, cameFrom, others }: Pick<Situation, 'hereMs' | 'cameFrom' | 'others'>): boolean {
  return hereMs < settledMs && cameFrom !== null && others?.switchedOff.some((member) => isSameHost(member, cameFrom)) === true;
}

const loadText = ({ total, most }: Connections): string =>
  `the port has or had ${total} connections${most === null ? '' : `, ${most.count} of them from ${most.address}`}`;

function isKnown({ others }: Situation): boolean {
  // If one failed meanwhile, the other remains.
  return (others?.eligible.length ?? 0) > 1;
}

/** `stays`: in a row. */
export function backOff(stays: number): number {
  return backOffMs[stays] ?? backOffMs[5];
}

/** By `cmviewcl -v -f line`; null: no such package. */
export function othersFrom(view: string, packageName: string, here: string): Others | null {
  const status = packageStatus(view, packageName);
  if (status === null) return null;
  const states = memberStates(view);
  const others = [...status.switching].filter(([member]) => !isSameHost(member, here));
  const switchedOff = others.flatMap(([member, isOn]) => (isOn ? [] : [member]));
  const isUp = (member: string): boolean => states.get(member) === 'up';
  return {
    eligible: others.flatMap(([member, isOn]) => (status.autoRun && isOn && isUp(member) ? [member] : [])),
    switchedOff,
    remedies: [
      ...others.flatMap(([member]) => (isUp(member) ? [] : [`cmrunnode ${member}`])),
      ...switchedOff.map((member) => `cmmodpkg -e -n ${member} ${packageName}`),
      ...(status.autoRun ? [] : [`cmmodpkg -e ${packageName}`]),
    ],
  };
}

/** More often while a failover would be the second in quick succession. */
const askEveryMs = 600_000;
const askSoonMs = 10_000;
/** After a failover an administrator may enable the member at any moment. */
const askAtFirstMs = 1000;
const atFirstMs = 15_000;
const askLimitMs = 10_000;
const hurriedLimitMs = 1000;

type BrakeHost = Pick<MemberHost, 'readText' | 'run' | 'canExecute' | 'elapsed' | 'environment' | 'member'>;

export class Brake {
  readonly #host: BrakeHost;
  readonly #packageName: string;
  readonly #program: string;
  readonly #since: number;
  readonly cameFrom: string | null;
  #known: Others | null = null;
  #canAsk = false;

  constructor(host: BrakeHost, { packageName }: Pick<Settings, 'packageName'>) {
    this.#host = host;
    this.#packageName = packageName;
    this.#program = `${host.environment.SGSBIN || '/usr/local/cmcluster/bin'}/cmviewcl`;
    this.#since = host.elapsed();
    this.cameFrom = parsePromotion(host.readText(promotionFile(packageName)))?.failover?.from ?? null;
  }

  get hereMs(): number {
    return this.#host.elapsed() - this.#since;
  }

  get known(): Others | null {
    return this.#known;
  }

  /** Exits without a query: cmviewcl is missing, or the last answer is enough. */
  mayLeaveAtOnce(situation: Situation): boolean {
    return (!this.#canAsk || isKnown(situation)) && whyStay(situation) === null;
  }

  /** Delays the failover. Without a known cmviewcl it reads no disk. */
  async ask(limitMs = hurriedLimitMs): Promise<Others | null> {
    if (!this.#canAsk) return null;
    const { exitCode, stdout } = await this.#host.run([this.#program, '-v', '-f', 'line'], limitMs);
    this.#known = exitCode === 0 ? othersFrom(stdout, this.#packageName, this.#host.member) : null;
    return this.#known;
  }

  /** Resolves with the pause until the next query. */
  async askBeforehand(): Promise<number> {
    this.#canAsk ||= this.#host.canExecute(this.#program);
    const others = await this.ask(askLimitMs);
    if (!isSecond({ hereMs: this.hereMs, cameFrom: this.cameFrom, others })) return askEveryMs;
    return this.hereMs < atFirstMs ? askAtFirstMs : askSoonMs;
  }
}
