/**
 * The brake: may the monitor exit with its verdict, or must the package stay? A load that follows the package address, or a packet that
 * kills the daemon, would hit the next member as well, and failovers would disable one member after the other. Pure, except for the query
 * to the cluster, which has a time limit.
 */

import { memberStates, packageStatus } from '../../engine/serviceguard/status.ts';
import type { MemberHost } from '../../host/host.ts';
import type { Connections } from '../../host/member/connections.ts';
import type { Settings } from '../../settings/settings.ts';
import { parsePromotion, promotionFile } from '../handover.ts';

export interface Others {
  /** Up and enabled for the package, and the package has AUTO_RUN. */
  readonly eligible: readonly string[];
  /** Disabled for the package, by a failure or by an administrator. */
  readonly switchedOff: readonly string[];
  /** Commands that make another member eligible. */
  readonly remedies: readonly string[];
}

/** A failover within this time after the previous one, from a member that is disabled since, is "in quick succession". */
export const settledMs = 600_000;
/**
 * With so many connections, the daemon exits because of the load. cf-serverd exits above maxconnections, which csync sets to at least 200
 * (render/policy.ts).
 */
export const loadConnections = 150;
/** Restarts in place that must fail, under load and after a failover, before the brake ends. */
const loadTries = 2;
const successionTries = 3;
/** Pause before each further restart in place; the last one repeats. A master is back within 10 s. */
const backOffMs = [0, 500, 1000, 2000, 4000, 5000] as const;

export interface Situation {
  readonly ofDaemon: boolean;
  readonly hereMs: number;
  /** The previous active member if it failed over; null: started here, or unknown. */
  readonly cameFrom: string | null;
  /** null: the cluster does not answer. That is not "none". */
  readonly others: Others | null;
  /** Of the daemon's port, including those just closed. */
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

/** Whether a failover now would be the second in quick succession. */
function isSecond({ hereMs, cameFrom, others }: Pick<Situation, 'hereMs' | 'cameFrom' | 'others'>): boolean {
  return hereMs < settledMs && cameFrom !== null && others?.switchedOff.includes(cameFrom) === true;
}

const loadText = ({ total, most }: Connections): string =>
  `the port has or had ${total} connections${most === null ? '' : `, ${most.count} of them from ${most.address}`}`;

function isKnown({ others }: Situation): boolean {
  // Two eligible members: if one has failed meanwhile, the other remains.
  return (others?.eligible.length ?? 0) > 1;
}

/** `stays`: how often the package has stayed, in a row. */
export function backOff(stays: number): number {
  return backOffMs[stays] ?? backOffMs[5];
}

/** The other members by `cmviewcl -v -f line`; null: the output has no such package. */
export function othersFrom(view: string, packageName: string, here: string): Others | null {
  const status = packageStatus(view, packageName);
  if (status === null) return null;
  const states = memberStates(view);
  const others = [...status.switching].filter(([member]) => member !== here);
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

/** How often the cluster is queried in advance: more often while a failover would be the second in quick succession. */
const askEveryMs = 600_000;
const askSoonMs = 10_000;
/** Right after a failover an administrator may enable the member again at any moment. */
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

  /** Whether to exit without a query: cmviewcl is missing, or the last answer is enough. Then the failover is not delayed. */
  mayLeaveAtOnce(situation: Situation): boolean {
    return (!this.#canAsk || isKnown(situation)) && whyStay(situation) === null;
  }

  /** Queries the cluster again, which delays the failover. Without a known cmviewcl it reads no disk. */
  async ask(limitMs = hurriedLimitMs): Promise<Others | null> {
    if (!this.#canAsk) return null;
    const { exitCode, stdout } = await this.#host.run([this.#program, '-v', '-f', 'line'], limitMs);
    this.#known = exitCode === 0 ? othersFrom(stdout, this.#packageName, this.#host.member) : null;
    return this.#known;
  }

  /** Queries in advance; resolves with the pause until the next query. */
  async askBeforehand(): Promise<number> {
    this.#canAsk ||= this.#host.canExecute(this.#program);
    const others = await this.ask(askLimitMs);
    if (!isSecond({ hereMs: this.hereMs, cameFrom: this.cameFrom, others })) return askEveryMs;
    return this.hereMs < atFirstMs ? askAtFirstMs : askSoonMs;
  }
}
