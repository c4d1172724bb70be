/** The daemon that the monitor holds on to: its process, its socket and the event of its end; and restarts that somebody announced. */
import { isAnnounced, restartNoticeFile } from '../../contract/restart-notice.ts';
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
  /** null: nobody tells. */
  watchEnd(pid: number, look: () => void): EndWatch | null;
  /** Whether that process still has that socket: while it does, nobody else can have its port. */
  watchSocket(pid: number, inode: string): () => boolean;
}

export interface Hold {
  readonly process: ProcessWatch;
  readonly state: ProcessState;
  readonly inode: string;
  readonly end: EndWatch | null;
  /** Whether its end was told when that was asked last; null: never yet. */
  isTold: boolean | null;
  readonly hasPort: () => boolean;
  readonly name: string;
}

/** null: this host lacks descriptors or memory to read it. That says nothing of the daemon. */
export function known<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** By the clock that never jumps. NaN where it cannot be read. */
export function secondsSinceBoot(host: Pick<MemberHost, 'readText'>): number {
  return Number.parseFloat(host.readText('/proc/uptime') ?? '');
}

export type Found =
  | { readonly kind: 'hold'; readonly hold: Hold }
  /** A program that is not cfengine's has the port. */
  | { readonly kind: 'foreign'; readonly detail: string }
  | { readonly kind: 'nobody'; readonly detail: string }
  | { readonly kind: 'unknown'; readonly detail: string };

/** Finds the process behind the port and keeps hold of it. `ended`: its end may have come. */
export function takeHold(
  { host, daemon, settings, log, watchProcess, watchEnd, watchSocket }: HoldWorld,
  ended: () => void,
): Found {
  const found = known(() => {
    const owner = daemon.owner();
    return { owner, watched: owner.kind === 'daemon' ? watchProcess(owner.process) : null };
  });
  if (found === null)
    return { kind: 'unknown', detail: 'this member cannot list sockets and processes: no free descriptor or memory' };
  daemon.forgetIdentity();
  const { owner, watched } = found;
  if (owner.kind === 'foreign') return { kind: 'foreign', detail: owner.text };
  if (owner.kind !== 'daemon' || watched === null)
    return { kind: 'nobody', detail: `no ${daemon.adapter.daemonName} listens on port ${settings.cfenginePort}` };
  const name = `${owner.process.name} (pid ${owner.process.pid})`;
  log.line('ok', message('watching', { daemon: name, pid: owner.process.pid }));
  // The file of a restart is read once before it matters: the first run of a function is the slow one.
  host.readText(restartNoticeFile(settings.packageName));
  const { process: state, inode } = owner;
  const end = watchEnd(state.pid, ended);
  return {
    kind: 'hold',
    hold: { process: watched, state, inode, end, isTold: null, hasPort: watchSocket(state.pid, inode), name },
  };
}

/** Looked at only when the daemon would be given up: its end may have been announced, and the next one is awaited. */
export function isRestart({ host, settings, daemon, log }: HoldWorld, hold: Hold | null): boolean {
  const notice = host.readText(restartNoticeFile(settings.packageName));
  if (notice === null) return false;
  const now = secondsSinceBoot(host);
  const isEnded = isAnnounced(notice, hold?.state ?? null, now);
  const isLauncher = !isEnded && hold !== null && isAnnounced(notice, null, now) && wentOnInChild(daemon, hold);
  if (hold !== null && isEnded) log.line('warning', message('restart-announced', { daemon: hold.name }));
  return isEnded || isLauncher;
}

/**
 * Whether it was the one that is called, not the one that serves: a daemon that comes up listens first, forks then, and
 * what was called ends [cfengine.md 1.4, 2.4]. The very socket is held on.
 */
function wentOnInChild(daemon: Daemon, { state, inode }: Hold): boolean {
  const owner = known(() => daemon.owner());
  return owner?.kind === 'daemon' && owner.inode === inode && owner.process.pid !== state.pid;
}

/** What there is to say when another socket has the port; null: it is still the daemon's, or nobody's, or unknown. */
export function replacedBy(daemon: Daemon, hold: Hold): string | null {
  const owner = known(() => daemon.owner());
  if (owner === null) return null;
  const same = owner.kind === 'daemon' && hold.process.look()?.startTime === owner.process.startTime;
  if (owner.kind === 'free' || same) return null;
  return owner.kind === 'foreign'
    ? owner.text
    : `${owner.process.name} (pid ${owner.process.pid}) owns the port now, not ${hold.name}`;
}
