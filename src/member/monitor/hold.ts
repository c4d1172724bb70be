/** The daemon that the monitor watches: process, socket, the event of its exit, announced restarts. */
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
  /** Whether that process still has that socket. */
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

/** By the monotonic clock. NaN if unreadable. */
export function secondsSinceBoot(host: Pick<MemberHost, 'readText'>): number {
  return Number.parseFloat(host.readText('/proc/uptime') ?? '');
}

export type Found =
  | { readonly kind: 'hold'; readonly hold: Hold }
  | { readonly kind: 'foreign'; readonly detail: string }
  | { readonly kind: 'none'; readonly detail: string }
  | { readonly kind: 'unknown'; readonly detail: string };

/** `ended`: called when the process behind the port may have exited. */
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
  // In advance: the first run of a function is slow.
  host.readText(restartNoticeFile(settings.packageName));
  const { process: state, inode } = owner;
  const end = watchEnd(state.pid, ended);
  return {
    kind: 'hold',
    hold: { process: watched, state, inode, end, isTold: null, hasPort: watchSocket(state.pid, inode), name },
  };
}

/**
 * Before a verdict: the exit may be an announced restart. `last`: the last daemon that this monitor held; null: none yet, so the daemon that
 * exited is the one with which the package start proved the role. A notice about an earlier one says nothing about it.
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

/** A daemon listens first and then forks; the called process exits [cfengine.md 1.4, 2.4]. The socket is the same. */
function wentOnInChild(daemon: Daemon, { state, inode }: Hold): boolean {
  // null: this host lacks descriptors or memory, which does not concern the daemon.
  const owner = attempt(() => daemon.owner(), null);
  return owner?.kind === 'daemon' && owner.inode === inode && owner.process.pid !== state.pid;
}

/** The detail if another socket has the port; null: it is the daemon's, free, or unknown. */
export function replacedBy(daemon: Daemon, hold: Hold): string | null {
  const owner = attempt(() => daemon.owner(), null);
  if (owner === null) return null;
  const same = owner.kind === 'daemon' && hold.process.look()?.startTime === owner.process.startTime;
  if (owner.kind === 'free' || same) return null;
  return owner.kind === 'foreign'
    ? owner.text
    : `${owner.process.name} (pid ${owner.process.pid}) has the port now, not ${hold.name}`;
}
