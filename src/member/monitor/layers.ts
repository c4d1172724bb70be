/** What the monitor probes besides the daemon's process. A probe reports what it found, and keeps its limit even if a disk hangs. */
import { isIpv6 } from '../../base/network.ts';
import { type ProbeResult, probePort } from '../../cfengine/probe.ts';
import { type Room, roomBy, roomText, spaceCommand } from '../../contract/space.ts';
import type { MemberHost } from '../../host/host.ts';
import { openSlowFile, type SlowRead } from '../../host/member/slow-file.ts';
import { type LayerSchedule, parseLayerSchedule } from '../../settings/rules.ts';
import type { Settings } from '../../settings/settings.ts';
import { addressState, duplicateText, foreignOwner, ownerText } from '../address-owner.ts';
import type { Daemon } from '../daemon.ts';
import { mountAt } from '../judgements.ts';
import { labelsText } from '../labels.ts';

export type LayerResult = 'good' | 'bad' | 'unknown';

export interface Found {
  readonly result: LayerResult;
  readonly detail: string;
  /** Proves nothing if the monitor itself did not run. */
  readonly isSilence?: boolean;
  /** This host lacks the program for the probe; no other member fixes that. */
  readonly isOurLack?: true;
  /** For the log, no failure: the daemon answers, but refuses the file. */
  readonly remark?: string;
}

type Probe = (limitMs: number) => Promise<Found>;

interface ProbeContext {
  readonly host: MemberHost;
  readonly settings: Settings;
  readonly daemon: Daemon;
  readonly directory: string;
  readonly readSentinel: (limitMs: number, whenRead: (text: string) => Found, ifMissing?: Found) => Promise<Found>;
}

/** A member of the model check. */
export interface LayerWorld {
  readonly daemon: 'alive' | 'hung' | 'dead';
  readonly hasAddress: boolean;
  readonly hasFileSystem: boolean;
  readonly isOnlyOwner: boolean;
}

interface Layer {
  /** null: off. */
  readonly schedule: (settings: Settings) => LayerSchedule | null;
  readonly probe: (context: ProbeContext) => Probe;
  readonly means: string;
  readonly evidence: string;
  /** It probes the process that has the port: a restart can help. */
  readonly ofDaemon: boolean;
  /** Logged when the remark disappears; without it, remarks are not logged. */
  readonly remarkEnds?: string;
  readonly isGoodIn: (world: LayerWorld) => boolean;
}

type LayerSetting = 'monitorPort' | 'monitorStorage' | 'monitorContent' | 'monitorAddress' | 'monitorOwner';

const scheduleOf = (field: LayerSetting) => (settings: Settings) => parseLayerSchedule(settings[field]) ?? null;

const good = (detail: string): Found => ({ result: 'good', detail });
const bad = (detail: string): Found => ({ result: 'bad', detail });

function foundBy(answer: ProbeResult, detail: string): Found {
  if (answer.kind === 'served') return good(detail);
  const { kind, why } = answer;
  const remark = `${kind}: ${why}`;
  if (kind === 'silent') return { result: 'bad', detail: why, isSilence: true, remark };
  if (kind === 'stranger') return { result: 'bad', detail: `the host that has the address ${why}`, remark };
  return { result: kind === 'unknown' ? 'unknown' : 'good', detail: why, remark };
}

export const layers = {
  port: {
    schedule: scheduleOf('monitorPort'),
    probe:
      ({ settings: { packageAddress: address, cfenginePort: port } }) =>
      async (timeoutMs) =>
        foundBy(await probePort({ address, port, timeoutMs }), 'connected'),
    means: 'no process accepts connections at the package address',
    evidence: 'failed probes in a row, as many as monitor_port sets',
    ofDaemon: true,
    // The kernel accepts connections for a daemon that hangs.
    isGoodIn: ({ daemon, hasAddress }) => daemon !== 'dead' && hasAddress,
  },
  protocol: {
    schedule: ({ monitorIntervalSeconds, monitorTimeoutSeconds, monitorFailures }) => ({
      everyMs: monitorIntervalSeconds * 1000,
      limitMs: monitorTimeoutSeconds * 1000,
      failures: monitorFailures,
      weight: 'fail',
    }),
    probe:
      ({ host, daemon, settings: { packageAddress } }) =>
      async (timeoutMs) => {
        const until = host.elapsed() + timeoutMs;
        const answer = await daemon.ask(packageAddress, timeoutMs);
        const found = foundBy(answer, 'served');
        if (found.remark === undefined) return found;
        const labels = await daemon.refusalText(answer, until - host.elapsed());
        return { ...found, remark: `probe through ${packageAddress} ${found.remark}${labels}` };
      },
    means: 'the cfengine daemon does not answer at the package address',
    evidence: 'probes without an answer in a row, as many as monitor_failures sets; a refusal is an answer',
    ofDaemon: true,
    remarkEnds: 'the daemon serves the sentinel again',
    isGoodIn: ({ daemon, hasAddress }) => daemon === 'alive' && hasAddress,
  },
  storage: {
    schedule: scheduleOf('monitorStorage'),
    probe: probeStorage,
    means: 'the policy file system is missing or does not answer',
    evidence: 'failed probes in a row, as many as monitor_storage sets',
    ofDaemon: false,
    remarkEnds: 'the policy file system has free space again',
    isGoodIn: ({ hasFileSystem }) => hasFileSystem,
  },
  content: {
    schedule: scheduleOf('monitorContent'),
    probe: ({ readSentinel }) => {
      /** What the start wrote, as first read. */
      let atFirst: string | null = null;
      return (limitMs) =>
        readSentinel(limitMs, (text) => {
          atFirst ??= text;
          return text === atFirst
            ? good('the sentinel is the one that the start wrote')
            : bad(`the sentinel changed: ${text.trim()}`);
        });
    },
    means: 'the sentinel is not the one that the start wrote',
    evidence: 'failed probes in a row, as many as monitor_content sets; a warning unless it sets fail',
    ofDaemon: false,
    // The model check has no other sentinel.
    isGoodIn: () => true,
  },
  address: {
    schedule: scheduleOf('monitorAddress'),
    probe:
      ({ host, settings: { packageAddress } }) =>
      async () => {
        if (!host.ownsAddress(packageAddress)) return bad(`${packageAddress} is on no interface of ${host.member}`);
        const isDuplicate = isIpv6(packageAddress) && addressState(host, packageAddress) === 'duplicate';
        return isDuplicate ? bad(duplicateText(packageAddress)) : good('on this member');
      },
    means: 'the package address is missing on this member',
    evidence: 'failed probes in a row, as many as monitor_address sets',
    ofDaemon: false,
    isGoodIn: ({ hasAddress }) => hasAddress,
  },
  owner: {
    schedule: scheduleOf('monitorOwner'),
    probe:
      ({ host, directory, settings: { packageAddress } }) =>
      async (limitMs) => {
        const found = await foreignOwner(host, directory, packageAddress, Math.min(limitMs, answerMs));
        if (found.kind === 'foreign') return bad(ownerText(packageAddress, found.card));
        if (found.kind === 'no other host') return good('no other host answers for the package address');
        const lack = found.kind === 'no perl' ? ({ isOurLack: true } as const) : {};
        return { result: 'unknown', detail: `not probed: ${found.why}`, ...lack };
      },
    means: 'another host answers for the package address',
    evidence: 'failed probes in a row, as many as monitor_owner sets; a warning unless it sets fail',
    ofDaemon: false,
    isGoodIn: ({ isOnlyOwner }) => isOnlyOwner,
  },
} as const satisfies Readonly<Record<string, Layer>>;

export type LayerName = keyof typeof layers;

export const layerNames = Object.keys(layers) as LayerName[];

/** As a type with every field. */
export const layerOf = (name: LayerName): Layer => layers[name];

export function eachLayer<Value>(of: (name: LayerName) => Value): Readonly<Record<LayerName, Value>> {
  return Object.fromEntries(layerNames.map((name) => [name, of(name)])) as Record<LayerName, Value>;
}

/** null: off. */
export function layerSchedules(settings: Settings): Readonly<Record<LayerName, LayerSchedule | null>> {
  return eachLayer((name) => layerOf(name).schedule(settings));
}

/** Neighbours on a subnet answer within a few ms. */
const answerMs = 300;

const spaceEveryMs = 600_000;

function probeStorage({ host, settings: { mountPoint }, readSentinel }: ProbeContext): Probe {
  /** Free space changes slowly, and reading it starts a program. */
  let spaceAt = Number.NEGATIVE_INFINITY;
  let room: Room = 'enough';
  const lookForSpace = async (limitMs: number): Promise<void> => {
    if (room !== 'unknown' && host.elapsed() - spaceAt < spaceEveryMs) return;
    spaceAt = host.elapsed();
    room = roomBy((await host.run(spaceCommand(mountPoint), limitMs)).stdout);
  };
  return async (limitMs) => {
    const mount = mountAt(host.mounts(), mountPoint);
    if (mount === undefined) return bad(`${mountPoint} is not mounted`);
    if (mount.options.includes('ro')) return bad(`${mountPoint} is mounted read-only`);
    let isRead = false;
    const asRead = (): Found => {
      isRead = true;
      return good('mounted and read');
    };
    // A missing sentinel does not prove a failed disk.
    const found = await readSentinel(limitMs, asRead, good('mounted, and the disk answers'));
    if (!isRead) return found;
    await lookForSpace(limitMs);
    const remark = roomText(room);
    return remark === null ? found : { ...found, remark };
  };
}

export interface Looks {
  readonly look: Readonly<Record<LayerName, Probe>>;
  /** Kills the helper, which may be stuck in a read. Call it before each exit. */
  close(): void;
}

/** perl's texts in the C locale. */
const missing = 'No such file or directory';
const refused = 'Permission denied';

/** `directory`: of the set. */
export function openLooks(host: MemberHost, settings: Settings, daemon: Daemon, directory: string): Looks {
  const sentinel = openSlowFile(daemon.sentinelPath);
  const readSentinel: ProbeContext['readSentinel'] = async (limitMs, whenRead, ifMissing) => {
    const until = host.elapsed() + limitMs;
    const answer = await sentinel.read(limitMs);
    const found = readBy(answer, daemon.sentinelPath, whenRead, ifMissing);
    if (answer.kind !== 'error' || answer.why !== refused) return found;
    const reader = { pid: 'self', name: 'the monitor' } as const;
    return { ...found, detail: `${found.detail}${await labelsText(host, daemon.sentinelPath, reader, until - host.elapsed())}` };
  };
  const context = { host, settings, daemon, directory, readSentinel };
  return { look: eachLayer((name) => safely(layerOf(name).probe(context))), close: () => sentinel.close() };
}

function readBy(answer: SlowRead, path: string, whenRead: (text: string) => Found, ifMissing?: Found): Found {
  switch (answer.kind) {
    case 'text':
      return whenRead(answer.text);
    case 'error':
      if (answer.why === missing && ifMissing !== undefined) return ifMissing;
      return bad(`${path} cannot be read: ${answer.why}`);
    case 'late':
      return { result: 'bad', detail: `${path} was not read in time: its disk does not answer`, isSilence: true };
    // Only the mount table counts then: a missing helper must not count as a disk failure.
    case 'no helper':
      return { result: 'unknown', detail: `not read: perl is missing or failed (${answer.why})`, isOurLack: true };
  }
}

/** What this host lacks, such as descriptors, is no fault of the layer. */
const safely =
  (probe: Probe): Probe =>
  async (limitMs) => {
    try {
      return await probe(limitMs);
    } catch (error) {
      return { result: 'unknown', detail: `this member cannot probe: ${(error as Error).message}` };
    }
  };
