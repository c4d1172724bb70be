/**
 * The brake: whether the monitor may leave with its verdict, or has to keep the package here. A load that follows the package address,
 * or a packet that ends the daemon, meets the next member a moment later; a failover then switches off one member after the other.
 * Pure, but for the question that `Brake` asks the cluster with a time limit.
 */

import { memberStates, packageStatus } from '../../engine/serviceguard/status.ts';
import type { MemberHost } from '../../host/host.ts';
import type { Connections } from '../../host/member/connections.ts';
import type { Settings } from '../../settings/settings.ts';
import { parsePromotion, promotionFile } from '../handover.ts';

/** The members that the package is not on. */
export interface Others {
  /** Up, switched on for the package, and the package may fail over. */
  readonly eligible: readonly string[];
  /** Switched off for the package: by a failure, or by an administrator. */
  readonly switchedOff: readonly string[];
  /** Commands of an administrator after which one of them is eligible. */
  readonly remedies: readonly string[];
}

/** A package that came here by a failover less than this ago, from a member that is switched off for it since, would be the second one in quick succession. */
export const settledMs = 600_000;
/**
 * Connections of the port at which its daemon does not end for a reason of this member. cf-serverd ends itself above maxconnections,
 * which csync sets to 200 at least (render/policy.ts).
 */
export const loadConnections = 150;
/** Restarts in place under load, and after a failover, before they count as no help. */
const loadTries = 2;
const successionTries = 3;
/** Seconds before each further restart in place; the last one for all that follow. A master is back within 10 s. */
const backOffMs = [0, 500, 1000, 2000, 4000, 5000] as const;

export interface Situation {
  /** Whether a restart of the daemon could help. */
  readonly ofDaemon: boolean;
  /** How long the package has been here. */
  readonly hereMs: number;
  /** The member that lost it by a failover; null: it was started here, or nobody knows. */
  readonly cameFrom: string | null;
  /** null: the cluster does not answer. That is not "none". */
  readonly others: Others | null;
  /** Of the daemon's port, those that have just ended included. */
  readonly connections: Connections;
  /** Restarts in place that did not help against this failure. */
  readonly failedRestarts: number;
}

/** Why the package has to stay; null: the monitor may leave. */
export function whyStay({ ofDaemon, hereMs, cameFrom, others, connections, failedRestarts }: Situation): string | null {
  if (others !== null && others.eligible.length === 0)
    return `no other member can run the package${others.switchedOff.length === 0 ? '' : ` (disabled: ${others.switchedOff.join(', ')})`}`;
  if (!ofDaemon) return null;
  if (connections.total >= loadConnections && failedRestarts < loadTries)
    return `${loadText(connections)}, and this load would follow the package`;
  if (failedRestarts >= successionTries || !isSecond({ hereMs, cameFrom, others })) return null;
  return `the package failed over from ${cameFrom} ${Math.round(hereMs / 1000)} s ago, and ${cameFrom} is disabled: this would be a second failover in quick succession`;
}

/** Whether a failover now would be the second in quick succession. An administrator may have switched off others. */
function isSecond({ hereMs, cameFrom, others }: Pick<Situation, 'hereMs' | 'cameFrom' | 'others'>): boolean {
  return hereMs < settledMs && cameFrom !== null && others?.switchedOff.includes(cameFrom) === true;
}

const loadText = ({ total, most }: Connections): string =>
  `the port has or had ${total} connections${most === null ? '' : `, ${most.count} of them from ${most.address}`}`;

/** Whether what was known beforehand is enough to leave. */
function isKnown({ others }: Situation): boolean {
  // One that is gone meanwhile leaves another one.
  return (others?.eligible.length ?? 0) > 1;
}

/** `stays`: how often the package stayed before, in a row. */
export function backOff(stays: number): number {
  return backOffMs[stays] ?? backOffMs[5];
}

/** What `cmviewcl -v -f line` says of the other members; null: nothing of this package. */
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

/** What is asked for beforehand, and how often: seldom, but soon again while it says that a failover would be the second. */
const askEveryMs = 600_000;
const askSoonMs = 10_000;
/** Right behind a failover it is said soonest that the member is switched on again. */
const askAtFirstMs = 1000;
const atFirstMs = 15_000;
const askLimitMs = 10_000;
/** In the way of a failover. */
const hurriedLimitMs = 1000;

type BrakeHost = Pick<MemberHost, 'readText' | 'run' | 'canExecute' | 'elapsed' | 'environment' | 'member'>;

export class Brake {
  readonly #host: BrakeHost;
  readonly #packageName: string;
  readonly #program: string;
  readonly #since: number;
  readonly cameFrom: string | null;
  #known: Others | null = null;
  /** Whether Serviceguard's commands are known to be here. */
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

  /** As the cluster said last. */
  get known(): Others | null {
    return this.#known;
  }

  /** Whether to leave without asking: nobody is there to ask, or what was known beforehand is enough. Then no failover waits. */
  mayLeaveAtOnce(situation: Situation): boolean {
    return (!this.#canAsk || isKnown(situation)) && whyStay(situation) === null;
  }

  /** Asks anew, in the way of a failover. Where it is not known that there are Serviceguard's commands, no disk is waited for. */
  async ask(limitMs = hurriedLimitMs): Promise<Others | null> {
    if (!this.#canAsk) return null;
    const { exitCode, stdout } = await this.#host.run([this.#program, '-v', '-f', 'line'], limitMs);
    this.#known = exitCode === 0 ? othersFrom(stdout, this.#packageName, this.#host.member) : null;
    return this.#known;
  }

  /** Asks beforehand; resolves with the pause until it is to be asked again. */
  async askBeforehand(): Promise<number> {
    this.#canAsk ||= this.#host.canExecute(this.#program);
    const others = await this.ask(askLimitMs);
    if (!isSecond({ hereMs: this.hereMs, cameFrom: this.cameFrom, others })) return askEveryMs;
    return this.hereMs < atFirstMs ? askAtFirstMs : askSoonMs;
  }
}
