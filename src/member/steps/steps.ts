/** Volume group, mount and address belong to Serviceguard's modules and are only checked. Order and conditions: cfengine.md 3.2, 3.3. */
import { isIpv6 } from '../../base/network.ts';
import type { ProbeResult } from '../../cfengine/probe.ts';
import { handoverFile, parseHandover } from '../../contract/handover.ts';
import { type Sentinel, sentinelEpoch } from '../../contract/policy-file-system.ts';
import type { MemberHost } from '../../host/host.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Daemon } from '../daemon.ts';
import { daemonSeconds } from '../deadlines.ts';
import type { Finding } from '../failures.ts';
import { judgeMount, judgeMountPoint, judgeName, mountAt } from '../judgements.ts';
import { message } from '../messages.ts';
import { addressAnnounced } from './address-step.ts';
import type { Step } from './step.ts';

export interface StepContext {
  readonly host: MemberHost;
  readonly settings: Settings;
  readonly daemon: Daemon;
  readonly directory: string;
}

const proofLimitMs = 10_000;
/** An idle daemon answers in a few ms; a slow one must not delay a failover. */
const quickAnswerMs = 500;
const afterResetMs = 1000;
const ssLimitMs = 5000;
const makeLimitMs = 10_000;
const thawLimitMs = 1000;
const chattr = '/usr/bin/chattr';

export function mountPointFree({ host, settings }: StepContext): Step {
  return {
    name: 'mount-point',
    look: () => judgeMountPoint(settings, host.mounts(), host.list(settings.mountPoint)),
    good: () => message('mount-point-free', { mount_point: settings.mountPoint }),
  };
}

/** Immutable while unmounted: clients would take files there for the policy. */
export function mountPointSealed({ host, settings }: StepContext): Step {
  let sealed = false;
  return {
    name: 'seal',
    optional: true,
    look: () =>
      sealed ? null : { code: 'mount-point-not-empty', text: `${settings.mountPoint} is not protected against writing` },
    action: {
      what: `${chattr} +i ${settings.mountPoint}`,
      run: async () => {
        const made = await host.run([chattr, '+i', settings.mountPoint], 5000);
        // Some file systems lack the flag. Whether the directory is empty is checked each time.
        sealed = made.exitCode === 0 || /not supported|Inappropriate ioctl/i.test(made.stderr);
      },
    },
    good: () => message('sealed', { mount_point: settings.mountPoint }),
  };
}

export function installationSound({ daemon }: StepContext): Step {
  return { name: 'installation', look: () => daemon.judgeInstallation(), good: () => message('installed', {}) };
}

export function policyFileSystemMounted({ host, settings }: StepContext): Step {
  return {
    name: 'mount',
    look: () => judgeMount(settings, host.mounts()),
    good: () => {
      const device = mountAt(host.mounts(), settings.mountPoint)?.source ?? '';
      return message('mounted', { device, mount_point: settings.mountPoint });
    },
  };
}

export function addressPresent(context: StepContext): Step {
  const { host, settings } = context;
  const { packageAddress } = settings;
  const look = (): Finding | null =>
    host.ownsAddress(packageAddress) ? null : { code: 'no-address', text: `this member does not own ${packageAddress}` };
  const step: Step = { name: 'address', look, good: () => message('address-here', { address: packageAddress }) };
  return isIpv6(packageAddress) ? addressAnnounced(context, step) : step;
}

export function nameRegistered({ host, settings }: StepContext): Step {
  return {
    name: 'name',
    // A resolver that is down must not prevent a start; validate refuses a missing name.
    optional: true,
    look: async () => judgeName(settings, await host.resolve(settings.packageDnsName)),
    good: () => message('name-resolves', { name: settings.packageDnsName, address: settings.packageAddress }),
  };
}

export function daemonRunning({ daemon }: StepContext): Step {
  return {
    name: 'daemon',
    limitSeconds: daemonSeconds,
    look: () => daemon.judgeRunning(),
    action: {
      what: daemon.adapter.startDaemon.slice(4).join(' '),
      run: async (finding) => void (await daemon.start(finding, true)),
    },
    good: () => {
      const owner = daemon.owner();
      const pid = owner.kind === 'daemon' ? owner.process.pid : 'unknown';
      return message('daemon-answers', { daemon: daemon.adapter.daemonName, pid });
    },
  };
}

/** After a halt, which the cluster awaits before a start elsewhere, so a background process (`argv`) starts a missing daemon. */
export function daemonRevived(context: StepContext, argv: readonly string[]): Step {
  const { host, settings, daemon } = context;
  const running = daemonRunning(context);
  let left = false;
  return {
    ...running,
    optional: true,
    look: () => (left ? null : daemon.judgeRunning(Math.min(quickAnswerMs, settings.monitorTimeoutSeconds * 1000))),
    action: {
      what: `${daemon.adapter.startDaemon.slice(4).join(' ')}, in the background`,
      run: () => {
        left = host.detach(argv);
      },
    },
    good: () => (left ? message('daemon-background', { daemon: daemon.adapter.daemonName }) : running.good()),
  };
}

/**
 * On an empty file system the first start creates the directory, and csync members sync publishes into it. Otherwise a missing policy means
 * a wrong or damaged disk.
 */
export function policyPresent({ host, settings }: StepContext): Step {
  const { policyDirectory, mountPoint } = settings;
  const isNew =
    mountAt(host.mounts(), mountPoint) !== undefined && host.list(mountPoint)?.every((name) => name === 'lost+found') === true;
  const missing: Finding = { code: 'policy-missing', text: `${policyDirectory} is not on the policy file system` };
  const make = ['mkdir', '-p', '-m', '755', '--', policyDirectory];
  return {
    name: 'policy',
    look: () => (host.facts(policyDirectory)?.kind === 'directory' ? null : missing),
    ...(isNew
      ? {
          action: {
            what: `${make.join(' ')}, since the policy file system is empty`,
            run: async () => void (await host.run(make, makeLimitMs)),
          },
        }
      : {}),
    good: () => message('policy-here', { directory: policyDirectory }),
  };
}

/** All sentinels have this length, so overwriteLine can replace one in place. */
const sentinelBytes = 256;
/** Errors of a file system that is full, but allows an overwrite in place. */
const noRoom = new Set(['ENOSPC', 'EDQUOT']);

const errnoOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/**
 * Raises the epoch: each promotion writes its mark to the policy file system, where only the master can write. A full file system gets it
 * over the old mark. Without a mark the policy is still served.
 */
export function sentinelWritten({ host, settings, daemon }: StepContext): Step {
  const { sentinelPath } = daemon;
  let written: Sentinel | null = null;
  let why = 'the mark of this promotion is not written yet';
  return {
    name: 'sentinel',
    optional: true,
    look: () => (written === null ? { code: 'sentinel-unwritable', text: why } : null),
    action: {
      what: `write ${sentinelPath}`,
      run: () => {
        const before = host.readText(sentinelPath);
        if (before === null && host.facts(sentinelPath) !== null) {
          // A new mark could repeat an older epoch.
          why = `${sentinelPath} cannot be read`;
          return;
        }
        const handover = parseHandover(host.readText(handoverFile(settings.mountPoint)));
        const epoch = Math.max(sentinelEpoch(before), handover?.epoch ?? 0) + 1;
        const sentinel: Sentinel = { epoch, member: host.member, at: new Date(host.now()).toISOString() };
        const line = JSON.stringify(sentinel).padEnd(sentinelBytes - 1);
        try {
          host.writeDurably(sentinelPath, `${line}\n`, 0o644);
          written = sentinel;
        } catch (error) {
          why = `${sentinelPath} cannot be written: ${errnoOf(error)}`;
          if (before !== null && noRoom.has(errnoOf(error))) overwrite(line, sentinel);
        }
      },
    },
    good: () => message('promoted', { epoch: written?.epoch ?? '' }),
  };

  function overwrite(line: string, sentinel: Sentinel): void {
    try {
      host.overwriteLine(sentinelPath, line);
      written = sentinel;
    } catch (error) {
      why = `${why}, nor overwritten in place: ${errnoOf(error)}`;
    }
  }
}

/** The proof from outside: the daemon serves the sentinel of this member's disk through the package address. */
const oneMegabyte = 1_000_000;
const labelsMs = 300;

export function roleProved({ host, settings, daemon }: StepContext): Step {
  const { cfengineWorkDirectory } = settings;
  // A daemon whose databases cannot grow listens, and closes every connection.
  const fullDisk = (): string => {
    const free = host.freeBytes(cfengineWorkDirectory);
    const where = `the file system of ${cfengineWorkDirectory}, where the daemon writes for each peer,`;
    if (free === null) return `; whether ${where} is full is unknown`;
    return free < oneMegabyte ? `; ${where} is full` : '';
  };
  // Probes the directory if there is no sentinel.
  const pathOf = (): string => (host.facts(daemon.sentinelPath) === null ? settings.policyDirectory : daemon.sentinelPath);
  let keyRefused: Extract<ProbeResult, { kind: 'unproved' }> | null = null;
  const look = async (): Promise<Finding | null> => {
    const path = pathOf();
    const answer = await daemon.ask(settings.packageAddress, settings.monitorTimeoutSeconds * 1000, { path });
    const unproved = (text: string): Finding => ({ code: 'role-unproved', text });
    keyRefused = answer.kind === 'unproved' ? answer : null;
    if (answer.kind !== 'served')
      return unproved(
        `a request through ${settings.packageAddress} for ${path} failed: ${answer.why}${fullDisk()}${await daemon.refusalText(answer, labelsMs, path)}`,
      );
    const here = host.facts(path);
    if (
      here === null ||
      here.inode !== answer.stat.inode ||
      here.mtimeSeconds !== answer.stat.mtime ||
      here.size !== answer.stat.size
    ) {
      return unproved(`${settings.packageAddress} serves another ${path} than this member has`);
    }
    return null;
  };
  return {
    name: 'proof',
    limitSeconds: daemonSeconds,
    look,
    action: {
      what: `reload the access rules, then probe ${settings.packageAddress} again`,
      run: async (finding) => {
        if (keyRefused?.isTrust === true) daemon.trustOwnKey(keyRefused.from);
        // The daemon reads its key only at its start; the pair may have been replaced since.
        else if (keyRefused !== null) await daemon.start(finding);
        else daemon.reload();
        await daemon.waitFor(proofLimitMs, async () => (await look()) === null);
      },
    },
    good: () => message('role-proved', { address: settings.packageAddress, path: pathOf() }),
  };
}

/**
 * An idle daemon holds no file and keeps running. A transfer could hold the file system for ever: after the grace it is ended while the
 * address is up, so that clients notice at once [cfengine.md 1.6, 2.6, 3.3].
 */
export function daemonLetsGo({ host, settings, daemon }: StepContext): Step {
  const holding = () => host.holdersOf(settings.mountPoint).filter((process) => daemon.strangeness(process) === null);
  const isFree = () => holding().length === 0;
  // A client that fetches many files may begin the next one at any moment until the address is removed. Serviceguard's fuser ends that.
  let wasFree = false;
  return {
    name: 'release',
    limitSeconds: settings.haltGraceSeconds + daemonSeconds,
    look: () => {
      const [process] = wasFree ? [] : holding();
      return process === undefined
        ? null
        : {
            code: 'still-held',
            text: `${process.name} (pid ${process.pid}) holds ${settings.mountPoint}: a transfer is running`,
          };
    },
    action: {
      what: `wait ${settings.haltGraceSeconds} s for transfers to end, then reset them, then TERM ${daemon.adapter.daemonName}`,
      run: async () => {
        wasFree = await daemon.waitFor(settings.haltGraceSeconds * 1000, isFree);
        if (wasFree) return;
        // A thread that loses its client closes its file, and the daemon keeps its pid. Only a daemon that hangs is killed.
        await disconnectClients({ host, settings });
        wasFree = await daemon.waitFor(afterResetMs, isFree);
        if (!wasFree) for (const process of holding()) await daemon.end(process);
      },
    },
    good: () => message('released', { daemon: daemon.adapter.daemonName, mount_point: settings.mountPoint }),
  };
}

/** Filter for ss(8). */
function toPackage(settings: Settings): string[] {
  return ['state', 'established', 'src', `[${settings.packageAddress}]`, 'sport', '=', `:${settings.cfenginePort}`];
}

/** A reset, so that both sides notice. Needs INET_DIAG_DESTROY in the kernel [ss(8), option -K]. */
async function disconnectClients({ host, settings }: Pick<StepContext, 'host' | 'settings'>): Promise<void> {
  await host.run(['ss', '-KHtn', ...toPackage(settings)], ssLimitMs);
}

/**
 * A client that is connected while the address is removed waits for its own limit (30 s for cf-agent), even if another member already
 * serves. It notices a reset while the address is up.
 */
export function clientsDisconnected({ host, settings }: StepContext): Step {
  let reset: readonly string[] | null = null;
  return {
    name: 'clients',
    optional: true,
    look: async (): Promise<Finding | null> => {
      const listed = await host.run(['ss', '-Htn', ...toPackage(settings)], ssLimitMs);
      const finding = (text: string): Finding => ({ code: 'clients-connected', text });
      if (listed.exitCode !== 0) return finding(`ss cannot list the connections (${listed.errorCode ?? listed.stderr.trim()})`);
      const peers = listed.stdout.split('\n').flatMap((line) => line.trim().split(/\s+/)[3] ?? []);
      // Reports only those that survived the reset: new clients may connect while the address is up.
      const left = peers.filter((peer) => reset?.includes(peer) ?? true);
      reset = peers;
      return left.length === 0 ? null : finding(`${left.join(', ')} are connected to ${settings.packageAddress}`);
    },
    action: { what: `ss -K ${toPackage(settings).join(' ')}`, run: () => disconnectClients({ host, settings }) },
    good: () => message('clients-closed', { address: settings.packageAddress }),
  };
}

/**
 * A frozen file system (fsfreeze, an unfinished snapshot) blocks writers for ever, even after SIGKILL, and after the unmount the device, so
 * the volume group cannot be deactivated. No file shows the state: it is always thawed, which otherwise changes nothing. The service is
 * worth more than the snapshot.
 */
export function policyFileSystemThawed({ host, settings }: StepContext): Step {
  const { mountPoint } = settings;
  const argv = ['fsfreeze', '-u', mountPoint];
  let known: 'thawed' | 'not-frozen' | null = null;
  let why = 'may be frozen';
  return {
    name: 'thaw',
    optional: true,
    look: () => (known === null ? { code: 'still-held', text: `${mountPoint} ${why}` } : null),
    action: {
      what: argv.join(' '),
      run: async () => {
        const { exitCode, timedOut, errorCode, stderr } = await host.run(argv, thawLimitMs);
        if (exitCode === 0) known = 'thawed';
        // EINVAL of FITHAW, in the C locale.
        else if (stderr.includes('Invalid argument')) known = 'not-frozen';
        else why = `may be frozen: fsfreeze -u ${timedOut ? 'timed out' : `failed (${errorCode ?? stderr.trim()})`}`;
      },
    },
    hasChanged: () => known === 'thawed',
    good: () => message(known ?? 'not-frozen', { mount_point: mountPoint }),
  };
}

/** Only names other holders: Serviceguard kills them (fuser before each retry of umount). */
export function othersNamed({ host, settings, daemon }: StepContext): Step {
  return {
    name: 'holders',
    optional: true,
    look: () => {
      const others = host.holdersOf(settings.mountPoint).filter((process) => daemon.strangeness(process) !== null);
      if (others.length === 0) return null;
      const names = others.map((process) => `${process.name} (pid ${process.pid})`).join(', ');
      return { code: 'still-held', text: `${names} use ${settings.mountPoint}; Serviceguard kills them before it unmounts` };
    },
    good: () => message('no-holders', { mount_point: settings.mountPoint }),
  };
}

export function policyFileSystemGone({ host, settings }: StepContext): Step {
  return {
    name: 'unmounted',
    look: () => {
      const mount = mountAt(host.mounts(), settings.mountPoint);
      return mount === undefined
        ? null
        : { code: 'still-held', text: `${mount.source} is still mounted at ${settings.mountPoint}` };
    },
    good: () => message('unmounted', { mount_point: settings.mountPoint }),
  };
}
