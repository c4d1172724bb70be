/**
 * The layers that the monitor probes beside the process of the daemon, one row each: its setting, its probe, its words, and when the model
 * check finds it good. A probe reports what it found, and never what follows from it; it never takes longer than its limit, also where a
 * disk hangs.
 */
import { type ProbeResult, probePort } from '../../cfengine/probe.ts';
import { type Room, roomBy, roomText, spaceCommand } from '../../contract/space.ts';
import type { MemberHost } from '../../host/host.ts';
import { openSlowFile, type SlowRead } from '../../host/member/slow-file.ts';
import { type LayerSchedule, parseLayerSchedule } from '../../settings/rules.ts';
import type { Settings } from '../../settings/settings.ts';
import { foreignOwner, ownerText } from '../address-owner.ts';
import type { Daemon } from '../daemon.ts';
import { mountAt } from '../judgements.ts';

export type LayerResult = 'good' | 'bad' | 'cannot-tell';

export interface Found {
  readonly result: LayerResult;
  readonly detail: string;
  /** Nothing was heard within a limit of wall time: of a monitor that did not run meanwhile that says nothing. */
  readonly isSilence?: boolean;
  /** This host lacks the program that looks: that is cured by no other member, and its time is no silence. */
  readonly isOurLack?: true;
  /** What the daemon made of a question that is no failure, and worth a line: it answers, but refuses the file. */
  readonly remark?: string;
}

type Probe = (limitMs: number) => Promise<Found>;

/** What probes need, and have in common. */
interface ProbeContext {
  readonly host: MemberHost;
  readonly settings: Settings;
  readonly daemon: Daemon;
  /** Of the member scripts. */
  readonly directory: string;
  /** Reads the sentinel; `whenRead` judges its text. */
  readonly readSentinel: (limitMs: number, whenRead: (text: string) => Found, ifMissing?: Found) => Promise<Found>;
}

/** A member in the model check, by what layers can see of it. */
export interface LayerWorld {
  readonly daemon: 'alive' | 'hung' | 'dead';
  readonly hasAddress: boolean;
  /** Mounted, and its disk answers. */
  readonly hasFileSystem: boolean;
  /** No other host answers for the package address. */
  readonly isOnlyOwner: boolean;
}

interface Layer {
  /** null: it is off. */
  readonly schedule: (settings: Settings) => LayerSchedule | null;
  readonly probe: (context: ProbeContext) => Probe;
  /** First words of the last sentence of the monitor. */
  readonly means: string;
  /** What it takes to conclude that. */
  readonly evidence: string;
  /** It asks the process that has the port, which is another one after a restart. */
  readonly ofDaemon: boolean;
  /** The line that follows when a remark of its probe does not come again; without it, remarks are not logged. */
  readonly remarkEnds?: string;
  /** Whether it is good in a world of the model check. */
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
  return { result: kind === 'cannot-tell' ? 'cannot-tell' : 'good', detail: why, remark };
}

/** In the order in which they are reported. */
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
    // The kernel takes connections for a daemon that hangs.
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
      ({ daemon, settings: { packageAddress } }) =>
      async (timeoutMs) => {
        const found = foundBy(await daemon.ask(packageAddress, timeoutMs), 'served');
        return found.remark === undefined ? found : { ...found, remark: `probe through ${packageAddress} ${found.remark}` };
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
      /** What the start of the package left there, as far as this monitor saw it. */
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
    // No member of the model check writes another sentinel while the package runs.
    isGoodIn: () => true,
  },
  address: {
    schedule: scheduleOf('monitorAddress'),
    probe:
      ({ host, settings: { packageAddress } }) =>
      async () =>
        host.ownsAddress(packageAddress) ? good('on this member') : bad(`${packageAddress} is on no interface of ${host.member}`),
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
        if (found.kind === 'nobody else') return good('no other host answers for the package address');
        const lack = found.kind === 'no perl' ? ({ isOurLack: true } as const) : {};
        return { result: 'cannot-tell', detail: `not probed: ${found.why}`, ...lack };
      },
    means: 'another host answers for the package address',
    evidence: 'failed probes in a row, as many as monitor_owner sets; a warning unless it sets fail',
    ofDaemon: false,
    isGoodIn: ({ isOnlyOwner }) => isOnlyOwner,
  },
} as const satisfies Readonly<Record<string, Layer>>;

export type LayerName = keyof typeof layers;

export const layerNames = Object.keys(layers) as LayerName[];

/** The row of a layer, with all that a row may have. */
export const layerOf = (name: LayerName): Layer => layers[name];

/** One of each. */
export function eachLayer<Value>(of: (name: LayerName) => Value): Readonly<Record<LayerName, Value>> {
  return Object.fromEntries(layerNames.map((name) => [name, of(name)])) as Record<LayerName, Value>;
}

/** How each layer is probed; null: not at all. */
export function layerSchedules(settings: Settings): Readonly<Record<LayerName, LayerSchedule | null>> {
  return eachLayer((name) => layerOf(name).schedule(settings));
}

/** Neighbours on a subnet answer within a few ms. */
const answerMs = 300;

const spaceEveryMs = 600_000;

function probeStorage({ host, settings: { mountPoint }, readSentinel }: ProbeContext): Probe {
  /** How much room there is changes slowly, and a program is started to see it. */
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
    // Whoever took the sentinel away did not take the disk away.
    const found = await readSentinel(limitMs, asRead, good('mounted, and the disk answers'));
    if (!isRead) return found;
    await lookForSpace(limitMs);
    const remark = roomText(room);
    return remark === null ? found : { ...found, remark };
  };
}

export interface Looks {
  readonly look: Readonly<Record<LayerName, Probe>>;
  /** Ends the helper; to be called however this process ends, since the helper may be stuck in a read. */
  close(): void;
}

/** perl's word for ENOENT, in the C locale. */
const missing = 'No such file or directory';

/** `directory`: of the member scripts. */
export function openLooks(host: MemberHost, settings: Settings, daemon: Daemon, directory: string): Looks {
  const sentinel = openSlowFile(daemon.sentinelPath);
  const readSentinel: ProbeContext['readSentinel'] = async (limitMs, whenRead, ifMissing) =>
    readBy(await sentinel.read(limitMs), daemon.sentinelPath, whenRead, ifMissing);
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
    // The mount table alone has to do: a missing program of ours must not count as a failure of the disk.
    case 'no helper':
      return { result: 'cannot-tell', detail: `not read: perl is missing or failed (${answer.why})`, isOurLack: true };
  }
}

/** What this host lacks, such as descriptors, says nothing of the layer. */
const safely =
  (probe: Probe): Probe =>
  async (limitMs) => {
    try {
      return await probe(limitMs);
    } catch (error) {
      return { result: 'cannot-tell', detail: `this host cannot probe: ${(error as Error).message}` };
    }
  };
