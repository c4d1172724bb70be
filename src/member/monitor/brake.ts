/**
 * Whether the monitor may exit with its verdict: a load that follows the address, or a packet that kills the daemon, would disable one
 * member after the other. Pure, except for the query to the cluster, which has a limit.
 */

import { isSameHost } from '../../base/network.ts';
import { parsePromotion, promotionFile } from '../../contract/handover.ts';
import { memberStates, packageStatus } from '../../engine/serviceguard/status.ts';
import type { MemberHost } from '../../host/host.ts';
import type { Connections } from '../../host/member/connections.ts';
import type { Settings } from '../../settings/settings.ts';

export interface Others {
  /** Up and enabled; the package has AUTO_RUN. */
  readonly eligible: readonly string[];
  readonly switchedOff: readonly string[];
  readonly remedies: readonly string[];
}

/** "In quick succession": within this time after a failover from a member that has been disabled since. */
export const settledMs = 600_000;
/** From here on, load explains the exit. cf-serverd exits above maxconnections, at least 200 (render/policy.ts). */
export const loadConnections = 150;
/** Restarts in place that must fail before the brake ends. Under load there is no second failover at all. */
const loadTries = 2;
const successionTries = 3;
/** The last pause repeats. A master is back within 10 s. */
const backOffMs = [0, 500, 1000, 2000, 4000, 5000] as const;

export interface Situation {
  readonly ofDaemon: boolean;
  readonly hereMs: number;
  /** null: started here, or unknown. */
  readonly cameFrom: string | null;
  /** null: no answer, which is not "none". */
  readonly others: Others | null;
  /** With those just closed; the most at a failed probe, or now. */
  readonly connections: Connections;
  /** In a row, as counted by `failsBy`. */
  readonly failedRestarts: number;
}

export const isLoad = ({ total }: Connections): boolean => total >= loadConnections;

/** 0: a load ended the daemon again, which the next member's daemon would not survive either. */
export function failsBy({
  wasUp,
  isUp,
  connections,
}: Readonly<{ wasUp: boolean; isUp: boolean; connections: Connections }>): 0 | 1 {
  return wasUp && !isUp && isLoad(connections) ? 0 : 1;
}

/** null: the monitor may exit. */
export function whyStay({ ofDaemon, hereMs, cameFrom, others, connections, failedRestarts }: Situation): string | null {
  if (others !== null && others.eligible.length === 0)
    return `no other member can run the package${others.switchedOff.length === 0 ? '' : ` (disabled: ${others.switchedOff.join(', ')})`}`;
  if (!ofDaemon) return null;
  const wouldBeSecond = isSecond({ hereMs, cameFrom, others });
  if (isLoad(connections) && (wouldBeSecond || failedRestarts < loadTries))
    return `${loadText(connections)}, and this load would follow the package`;
  if (failedRestarts >= successionTries || !wouldBeSecond) return null;
  return `the package failed over from ${cameFrom} ${Math.round(hereMs / 1000)} s ago, and ${cameFrom} is disabled: this would be a second failover in quick succession`;
}

/** A failover now would be the second in quick succession. */
function isSecond({ hereMs, cameFrom, others }: Pick<Situation, 'hereMs' | 'cameFrom' | 'others'>): boolean {
  return hereMs < settledMs && cameFrom !== null && others?.switchedOff.some((member) => isSameHost(member, cameFrom)) === true;
}

const loadText = ({ total, most }: Connections): string =>
  `the port has or had ${total} connections${most === null ? '' : `, ${most.count} of them from ${most.address}`}`;

function isKnown({ others }: Situation): boolean {
  // Two, because one may have failed meanwhile.
  return (others?.eligible.length ?? 0) > 1;
}

/** `stays`: in a row. */
export function backOff(stays: number): number {
  return backOffMs[stays] ?? backOffMs[5];
}

/** Reads `cmviewcl -v -f line`; null: no such package. */
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
/** An administrator may enable the member at any moment after a failover. */
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

  /** No query: cmviewcl is missing, or the last answer suffices. */
  mayLeaveAtOnce(situation: Situation): boolean {
    return (!this.#canAsk || isKnown(situation)) && whyStay(situation) === null;
  }

  /** Delays the failover. Reads no disk unless cmviewcl was found before. */
  async ask(limitMs = hurriedLimitMs): Promise<Others | null> {
    if (!this.#canAsk) return null;
    const { exitCode, stdout } = await this.#host.run([this.#program, '-v', '-f', 'line'], limitMs);
    this.#known = exitCode === 0 ? othersFrom(stdout, this.#packageName, this.#host.member) : null;
    return this.#known;
  }

  async askBeforehand(): Promise<number> {
    this.#canAsk ||= this.#host.canExecute(this.#program);
    const others = await this.ask(askLimitMs);
    if (!isSecond({ hereMs: this.hereMs, cameFrom: this.cameFrom, others })) return askEveryMs;
    return this.hereMs < atFirstMs ? askAtFirstMs : askSoonMs;
  }
}
