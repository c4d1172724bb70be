/** The daemon that the monitor watches: process, socket, exit event, announced restarts. */
import { attempt } from '../../base/attempt.ts';
import { parsePromotion, promotionFile } from '../../contract/handover.ts';
import { isAnnounced, type ProcessIdentity, restartNoticeFile } from '../../contract/restart-notice.ts';
import type { MemberHost, ProcessState } from '../../host/host.ts';
import type { MemberLog } from '../../host/member/member-log.ts';
import type { ProcessWatch } from '../../host/member/process-watch.ts';
import type { EndWatch } from '../../host/member/service-front.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Daemon } from '../daemon.ts';
import { message } from '../messages.ts';

export interface HoldWorld {
  readonly host: MemberHost;
  readonly settings: Settings;
  readonly daemon: Daemon;
  readonly log: MemberLog;
  watchProcess(wanted: ProcessState): ProcessWatch | null;
  /** null: no event available. */
  watchEnd(pid: number, look: () => void): EndWatch | null;
  watchSocket(pid: number, inode: string): () => boolean;
}

export interface Hold {
  readonly process: ProcessWatch;
  readonly state: ProcessState;
  readonly inode: string;
  readonly end: EndWatch | null;
  /** null: not checked yet. */
  isTold: boolean | null;
  readonly hasPort: () => boolean;
  readonly name: string;
}

/** Monotonic. NaN if unreadable. */
export function secondsSinceBoot(host: Pick<MemberHost, 'readText'>): number {
  return Number.parseFloat(host.readText('/proc/uptime') ?? '');
}

export type Found =
  | { readonly kind: 'hold'; readonly hold: Hold }
  | { readonly kind: 'foreign'; readonly detail: string }
  | { readonly kind: 'none'; readonly detail: string }
  | { readonly kind: 'unknown'; readonly detail: string };

/** `ended`: the process behind the port may have exited. */
export function takeHold(
  { host, daemon, settings, log, watchProcess, watchEnd, watchSocket }: HoldWorld,
  ended: () => void,
): Found {
  const found = attempt(() => {
    const owner = daemon.owner();
    return { owner, watched: owner.kind === 'daemon' ? watchProcess(owner.process) : null };
  }, null);
  if (found === null)
    return { kind: 'unknown', detail: 'this member cannot list sockets and processes: no free descriptor or memory' };
  daemon.forgetIdentity();
  const { owner, watched } = found;
  if (owner.kind === 'foreign') return { kind: 'foreign', detail: owner.text };
  if (owner.kind !== 'daemon' || watched === null)
    return { kind: 'none', detail: `no ${daemon.adapter.daemonName} listens on port ${settings.cfenginePort}` };
  const name = `${owner.process.name} (pid ${owner.process.pid})`;
  log.line('ok', message('watching', { daemon: name, pid: owner.process.pid }));
  // The first run of a function is slow.
  host.readText(restartNoticeFile(settings.packageName));
  const { process: state, inode } = owner;
  const end = watchEnd(state.pid, ended);
  return {
    kind: 'hold',
    hold: { process: watched, state, inode, end, isTold: null, hasPort: watchSocket(state.pid, inode), name },
  };
}

/**
 * Whether the exit is an announced restart. `last`: the last daemon that this monitor held; null: none, so it is the one that proved the
 * role at the package start. A notice about an earlier one does not count.
 */
export function isRestart({ host, settings, daemon, log }: HoldWorld, hold: Hold | null, last: ProcessIdentity | null): boolean {
  const notice = host.readText(restartNoticeFile(settings.packageName));
  if (notice === null) return false;
  const now = secondsSinceBoot(host);
  const proved = () => parsePromotion(host.readText(promotionFile(settings.packageName)))?.daemon ?? null;
  const isEnded = isAnnounced(notice, hold?.state ?? last ?? proved(), now);
  const isLauncher = !isEnded && hold !== null && isAnnounced(notice, null, now) && wentOnInChild(daemon, hold);
  if (hold !== null && isEnded) log.line('warning', message('restart-announced', { daemon: hold.name }));
  return isEnded || isLauncher;
}

/** A daemon listens, then forks, and the first process exits [cfengine.md 1.4, 2.4]. The socket stays. */
function wentOnInChild(daemon: Daemon, { state, inode }: Hold): boolean {
  // null: this host lacks descriptors or memory, which is no fault of the daemon.
  const owner = attempt(() => daemon.owner(), null);
  return owner?.kind === 'daemon' && owner.inode === inode && owner.process.pid !== state.pid;
}

/** What has the port instead; null: the daemon, nothing, or unknown. */
export function replacedBy(daemon: Daemon, hold: Hold): string | null {
  const owner = attempt(() => daemon.owner(), null);
  if (owner === null) return null;
  const same = owner.kind === 'daemon' && hold.process.look()?.startTime === owner.process.startTime;
  if (owner.kind === 'free' || same) return null;
  return owner.kind === 'foreign'
    ? owner.text
    : `${owner.process.name} (pid ${owner.process.pid}) has the port now, not ${hold.name}`;
}
