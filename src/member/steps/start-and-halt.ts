/** Steps of start and halt, the same for both styles; not storage, address and service. */

import { attempt } from '../../base/attempt.ts';
import {
  type Handover,
  handoverFile,
  noteOfHalt,
  type Promotion,
  parseHandover,
  parsePromotion,
  promotionAfter,
  promotionFile,
} from '../../contract/handover.ts';
import { monitorStateFile, parseMonitorState } from '../../contract/monitor-state.ts';
import { sentinelEpoch, sentinelMember } from '../../contract/policy-file-system.ts';
import type { MemberLog } from '../../host/member/member-log.ts';
import type { Daemon } from '../daemon.ts';
import type { Finding } from '../failures.ts';
import { mountAt } from '../judgements.ts';
import { message, ofStep } from '../messages.ts';
import { copiesUnmounted } from './mount-copies.ts';
import { runSteps, type Step } from './step.ts';
import * as steps from './steps.ts';

type MakeStep = (context: steps.StepContext) => Step;

export interface HaltContext extends steps.StepContext {
  readonly log: MemberLog;
  readonly dryRun: boolean;
  /** The previous attempt was stopped at its limit, so this one only releases. */
  readonly hurried: boolean;
}

export const beforeStorage: readonly MakeStep[] = [steps.mountPointFree, steps.mountPointSealed, steps.installationSound];

/** With storage and address active: start the daemon and prove its role. */
export const promotion: readonly MakeStep[] = [
  steps.policyFileSystemMounted,
  steps.addressPresent,
  steps.installationSound,
  steps.daemonRunning,
  steps.policyPresent,
  steps.sentinelWritten,
  steps.roleProved,
  // Last: a slow resolver must not delay the proof.
  steps.nameRegistered,
];

export function announce({ host, settings, daemon, log, dryRun }: HaltContext): void {
  if (dryRun) return;
  host.begin('announce', noteSeconds);
  const before = parseHandover(host.readText(handoverFile(settings.mountPoint)));
  const became = promotionAfter(sentinelEpoch(host.readText(daemon.sentinelPath)), host.now(), before);
  const record = { ...became, daemon: provedDaemon(daemon) };
  attempt(() => host.replace(promotionFile(settings.packageName), `${JSON.stringify(record)}\n`, 0o644));
  const { packageDnsName, packageAddress } = settings;
  const { from = '', milliseconds = '' } = became.failover ?? {};
  const after = from === '' ? '' : `, ${milliseconds} ms after ${from} lost it`;
  const names = { member: host.member, name: packageDnsName, address: packageAddress, after };
  const master = message('master', { ...names, epoch: became.epoch, from, outage_ms: milliseconds });
  log.line('done', ofStep('announce', master));
}

/** undefined: unknown. The monitor needs it only for a daemon that exits before the monitor saw it. */
function provedDaemon(daemon: Daemon): Promotion['daemon'] {
  const owner = attempt(() => daemon.owner(), null);
  return owner?.kind === 'daemon' ? { pid: owner.process.pid, startTime: owner.process.startTime } : undefined;
}

/** Records since when no master served. Not after a storage failure: the disk must not delay the halt. */
function leaveHandover({ host, settings, daemon, dryRun, hurried }: HaltContext, now: number): void {
  if (dryRun || hurried) return;
  host.begin('handover', noteSeconds);
  const { verdict } = parseMonitorState(host.readText(monitorStateFile(settings.packageName)) ?? '') ?? { verdict: null };
  const isRecent = verdict !== null && now - verdict.noticed < recentMs;
  if (isRecent && verdict.reason === 'storage') return;
  const mark = host.readText(daemon.sentinelPath);
  const proved = parsePromotion(host.readText(promotionFile(settings.packageName)));
  const own: Handover = {
    // A damaged mark has none.
    epoch: sentinelEpoch(mark) || (proved?.epoch ?? 0),
    member: host.member,
    lostAt: isRecent ? Math.min(Date.parse(verdict.since), verdict.noticed) : now,
    reason: host.environment.SG_HALT_REASON || 'unknown',
  };
  const path = handoverFile(settings.mountPoint);
  const note = noteOfHalt(own, { proved, marked: sentinelMember(mark), noteBefore: () => parseHandover(host.readText(path)) });
  if (note !== null) attempt(() => host.replace(path, `${JSON.stringify(note)}\n`, 0o644));
}

const noteSeconds = 5;

const recentMs = 60_000;

/** The daemon releases the policy file system before address and mount are removed. */
export async function letGo(context: HaltContext): Promise<0 | 1> {
  const { host, settings, log } = context;
  if (mountAt(host.mounts(), settings.mountPoint) === undefined) {
    log.line('ok', ofStep('release', message('unmounted', { mount_point: settings.mountPoint })));
    return 0;
  }
  const began = host.now();
  const grace = context.hurried ? { ...context, settings: { ...settings, haltGraceSeconds: 0 } } : context;
  const failed = await runSteps(
    [steps.daemonLetsGo(grace), steps.policyFileSystemThawed(context), steps.othersNamed(context), copiesUnmounted(context)],
    stepLog(context),
  );
  // The disk may hang.
  leaveHandover(context, began);
  // Last: a client that connects after the reset gets no notice.
  if (failed === null) await runSteps([steps.clientsDisconnected(context)], stepLog(context));
  return exitOf(failed);
}

/** The daemon runs on as a client. Fails only while this member holds the policy file system. */
export async function afterStorage(context: HaltContext): Promise<0 | 1> {
  const { host, settings, directory } = context;
  const held = exitOf(await runSteps([steps.policyFileSystemGone(context)], stepLog(context)));
  const beside = [process.execPath, `${directory}/csync-halt.cjs`, directory, 'daemon'];
  await runSteps([steps.daemonRevived(context, beside)], stepLog(context));
  // An immutable directory would prevent moving its files away.
  const isEmpty = host.list(settings.mountPoint)?.length === 0;
  if (held === 0 && isEmpty) await runSteps([steps.mountPointSealed(context)], stepLog(context));
  return held;
}

/** In the background of a halt; a daemon that does not start is only a warning. */
export async function reviveDaemon(context: HaltContext): Promise<0> {
  await runSteps([{ ...steps.daemonRunning(context), optional: true }], stepLog(context));
  return 0;
}

export function stepLog({ host, settings, log, dryRun }: HaltContext) {
  return { member: host.member, packageName: settings.packageName, log, dryRun, begin: host.begin };
}

/** 1: this member still holds it. */
export function exitOf(failed: Finding | null): 0 | 1 {
  return failed === null ? 0 : 1;
}
