/**
 * What a start and a halt consist of besides storage, address and service: the same lists whether Serviceguard sees to
 * those (modular) or our control script does (legacy).
 */

import { monitorStateFile, parseMonitorState } from '../../contract/monitor-state.ts';
import { sentinelEpoch } from '../../contract/policy-file-system.ts';
import type { MemberLog } from '../../host/member/member-log.ts';
import type { Finding } from '../failures.ts';
import { type Handover, handoverFile, parseHandover, promotionAfter, promotionFile } from '../handover.ts';
import { mountAt } from '../judgements.ts';
import { message, ofStep } from '../messages.ts';
import { runSteps, type Step } from './step.ts';
import * as steps from './steps.ts';

type MakeStep = (context: steps.StepContext) => Step;

export interface HaltContext extends steps.StepContext {
  readonly directory: string;
  readonly log: MemberLog;
  readonly dryRun: boolean;
  /** What was tried before was given up: nothing is done that is not needed to let go. */
  readonly hurried: boolean;
}

/** First of a start, before anybody touches the storage. */
export const beforeStorage: readonly MakeStep[] = [steps.mountPointFree, steps.mountPointSealed, steps.installationSound];

/** Storage and address are here: make sure of the daemon and prove that it is the master. */
export const promotion: readonly MakeStep[] = [
  steps.policyFileSystemMounted,
  steps.addressPresent,
  steps.installationSound,
  steps.daemonRunning,
  steps.policyPresent,
  steps.sentinelWritten,
  steps.roleProved,
  // Last: a resolver that takes its time must not keep the proof waiting.
  steps.nameRegistered,
];

/** Last of a promotion. */
export function announce({ host, settings, daemon, log, dryRun }: HaltContext): void {
  if (dryRun) return;
  host.begin('announce', noteSeconds);
  const before = parseHandover(host.readText(handoverFile(settings.mountPoint)));
  const became = promotionAfter(sentinelEpoch(host.readText(daemon.sentinelPath)), host.now(), before);
  attempt(() => host.replace(promotionFile(settings.packageName), `${JSON.stringify(became)}\n`, 0o644));
  const { packageDnsName, packageAddress } = settings;
  const { from = '', milliseconds = '' } = became.failover ?? {};
  const after = from === '' ? '' : `, ${milliseconds} ms after ${from} lost it`;
  const names = { member: host.member, name: packageDnsName, address: packageAddress, after };
  const master = message('master', { ...names, epoch: became.epoch, from, outage_ms: milliseconds });
  log.line('done', ofStep('announce', master));
}

/** For the next master, so that it can tell how long nobody served. A disk that fails right now must not keep the package here. */
function leaveHandover({ host, settings, daemon, dryRun, hurried }: HaltContext, now: number): void {
  if (dryRun || hurried) return;
  host.begin('handover', noteSeconds);
  const { verdict } = parseMonitorState(host.readText(monitorStateFile(settings.packageName)) ?? '') ?? { verdict: null };
  // That of a monitor before this promotion is not the reason for this halt.
  const isRecent = verdict !== null && now - verdict.noticed < recentMs;
  if (isRecent && verdict.reason === 'storage') return;
  const handover: Handover = {
    epoch: sentinelEpoch(host.readText(daemon.sentinelPath)),
    member: host.member,
    lostAt: isRecent ? Math.min(Date.parse(verdict.since), verdict.noticed) : now,
    reason: host.environment.SG_HALT_REASON || 'unknown',
  };
  attempt(() => host.replace(handoverFile(settings.mountPoint), `${JSON.stringify(handover)}\n`, 0o644));
}

/** A note is worth no more. */
const noteSeconds = 5;

/** A verdict that is older is not what this halt is about. */
const recentMs = 60_000;

/** Figures are nothing a package may fail over. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // Then nobody knows.
  }
}

/** Before the address and the mount go: the daemon lets go of the policy file system. */
export async function letGo(context: HaltContext): Promise<0 | 1> {
  const { host, settings, log } = context;
  if (mountAt(host.mounts(), settings.mountPoint) === undefined) {
    log.line('ok', ofStep('release', message('unmounted', { mount_point: settings.mountPoint })));
    return 0;
  }
  const began = host.now();
  const grace = context.hurried ? { ...context, settings: { ...settings, haltGraceSeconds: 0 } } : context;
  const failed = await runSteps(
    [steps.daemonLetsGo(grace), steps.policyFileSystemThawed(context), steps.othersNamed(context)],
    stepLog(context),
  );
  // What needs the disk only when the daemon has let go of it: this may be the one that hangs.
  leaveHandover(context, began);
  // The clients last: who connects between their reset and the end of the address hears nothing any more.
  if (failed === null) await runSteps([steps.clientsDisconnected(context)], stepLog(context));
  return exitOf(failed);
}

/** The very last of a halt: the daemon goes on as this member's own. Fails only while the policy file system is held. */
export async function afterStorage(context: HaltContext): Promise<0 | 1> {
  const { host, settings, directory } = context;
  const held = exitOf(await runSteps([steps.policyFileSystemGone(context)], stepLog(context)));
  const beside = [process.execPath, `${directory}/csync-halt.cjs`, directory, 'daemon'];
  await runSteps([steps.daemonRevived(context, beside)], stepLog(context));
  // What somebody left there has to be moved away first; sealing it in would only be in the way.
  const isEmpty = host.list(settings.mountPoint)?.length === 0;
  if (held === 0 && isEmpty) await runSteps([steps.mountPointSealed(context)], stepLog(context));
  return held;
}

/** What a halt leaves to a process of its own. A daemon that does not come up is told loudly, but fails no halt. */
export async function reviveDaemon(context: HaltContext): Promise<0> {
  await runSteps([{ ...steps.daemonRunning(context), optional: true }], stepLog(context));
  return 0;
}

export function stepLog({ host, settings, log, dryRun }: HaltContext) {
  return { member: host.member, packageName: settings.packageName, log, dryRun, begin: host.begin };
}

/** 1: it is not as it must be after a halt. */
export function exitOf(failed: Finding | null): 0 | 1 {
  return failed === null ? 0 : 1;
}
