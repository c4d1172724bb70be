/**
 * What the monitor looks at beside the process of the daemon: one look for each layer. A look says what was found, and never
 * what follows from it; it never takes longer than its limit, also where a disk hangs.
 */
import { type ProbeResult, probePort } from '../../cfengine/probe.ts';
import { type Room, roomBy, roomText, spaceCommand } from '../../contract/space.ts';
import type { MemberHost } from '../../host/host.ts';
import { openSlowFile, type SlowRead } from '../../host/member/slow-file.ts';
import type { Settings } from '../../settings/settings.ts';
import { foreignOwner, ownerText } from '../address-owner.ts';
import type { Daemon } from '../daemon.ts';
import { mountAt } from '../judgements.ts';
import { eachLayer, type LayerName, type LayerResult } from './judge.ts';

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

export interface Looks {
  readonly look: Readonly<Record<LayerName, (limitMs: number) => Promise<Found>>>;
  /** Ends the helper; to be called however this process ends, since the helper may be stuck in a read. */
  close(): void;
}

/** Neighbours on a subnet answer within a few ms. */
const answerMs = 300;

const good = (detail: string): Found => ({ result: 'good', detail });
const bad = (detail: string): Found => ({ result: 'bad', detail });

function foundBy(answer: ProbeResult, detail: string): Found {
  if (answer.kind === 'served') return good(detail);
  const { kind, why } = answer;
  const remark = `${kind}: ${why}`;
  if (kind === 'silent') return { result: 'bad', detail: why, isSilence: true, remark };
  if (kind === 'stranger') return { result: 'bad', detail: `who has the address ${why}`, remark };
  return { result: kind === 'answered' ? 'good' : 'cannot-tell', detail: why, remark };
}

const spaceEveryMs = 600_000;

/** perl's word for ENOENT, in the C locale. */
const missing = 'No such file or directory';

/** `directory`: of the member scripts. */
export function openLooks(host: MemberHost, settings: Settings, daemon: Daemon, directory: string): Looks {
  const { packageAddress, cfenginePort, mountPoint } = settings;
  const sentinel = openSlowFile(daemon.sentinelPath);
  /** How much room there is changes slowly, and a program is started to see it. */
  let spaceAt = Number.NEGATIVE_INFINITY;
  let room: Room = 'enough';
  const lookForSpace = async (limitMs: number): Promise<void> => {
    if (room !== 'unknown' && host.elapsed() - spaceAt < spaceEveryMs) return;
    spaceAt = host.elapsed();
    room = roomBy((await host.run(spaceCommand(mountPoint), limitMs)).stdout);
  };
  /** What the start of the package left there, as far as this monitor saw it. */
  let sentinelAtFirst: string | null = null;

  function readBy(answer: SlowRead, whenRead: (text: string) => Found): Found {
    switch (answer.kind) {
      case 'text':
        return whenRead(answer.text);
      case 'error':
        return bad(`${daemon.sentinelPath} cannot be read: ${answer.why}`);
      case 'late':
        return { result: 'bad', detail: `${daemon.sentinelPath} is not read in time: its disk does not answer`, isSilence: true };
      // The mount table alone has to do: a missing program of ours must not count as a failure of the disk.
      case 'no helper':
        return { result: 'cannot-tell', detail: `not read: no perl (${answer.why})`, isOurLack: true };
    }
  }

  /** What this host lacks, such as descriptors, says nothing of the layer. */
  const safely =
    (look: (limitMs: number) => Promise<Found>) =>
    async (limitMs: number): Promise<Found> => {
      try {
        return await look(limitMs);
      } catch (error) {
        return { result: 'cannot-tell', detail: `this host cannot probe: ${(error as Error).message}` };
      }
    };

  const look: Looks['look'] = {
    port: async (timeoutMs) => foundBy(await probePort({ address: packageAddress, port: cfenginePort, timeoutMs }), 'connected'),
    protocol: async (timeoutMs) => foundBy(await daemon.ask(packageAddress, timeoutMs), 'served'),
    storage: async (limitMs) => {
      const mount = mountAt(host.mounts(), mountPoint);
      if (mount === undefined) return bad(`${mountPoint} is not mounted any more`);
      if (mount.options.includes('ro')) return bad(`${mountPoint} cannot be written to any more: it is mounted read-only`);
      const read = await sentinel.read(limitMs);
      // Whoever took the sentinel away did not take the disk away.
      if (read.kind === 'error' && read.why === missing) return good('mounted, and the disk answers');
      if (read.kind === 'text') await lookForSpace(limitMs);
      const remark = roomText(room);
      return readBy(read, () => ({ ...good('mounted and read'), ...(remark === null ? {} : { remark }) }));
    },
    content: async (limitMs) =>
      readBy(await sentinel.read(limitMs), (text) => {
        sentinelAtFirst ??= text;
        return text === sentinelAtFirst ? good('as the start left it') : bad(`the sentinel is another one now: ${text.trim()}`);
      }),
    owner: async (limitMs) => {
      const found = await foreignOwner(host, directory, packageAddress, Math.min(limitMs, answerMs));
      if (found.kind === 'foreign') return bad(ownerText(packageAddress, found.card));
      if (found.kind === 'nobody else') return good('nobody else answers for it');
      const lack = found.kind === 'no perl' ? ({ isOurLack: true } as const) : {};
      return { result: 'cannot-tell', detail: `not probed: ${found.why}`, ...lack };
    },
    address: async () =>
      host.ownsAddress(packageAddress) ? good('here') : bad(`${packageAddress} is on no card of ${host.member} any more`),
  };
  return { look: eachLayer((name) => safely(look[name])), close: () => sentinel.close() };
}
