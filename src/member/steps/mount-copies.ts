/**
 * A container, or a service with private mounts, that began while the policy file system was mounted has a copy of that mount. The unmount
 * does not reach it, so the volume group stays in use, and the package starts nowhere else.
 */
import type { MemberHost, ProcessState } from '../../host/host.ts';
import { unescapeMount } from '../../host/member/member-host.ts';
import type { Finding } from '../failures.ts';
import { message } from '../messages.ts';
import type { Step } from './step.ts';
import type { StepContext } from './steps.ts';

const enterLimitMs = 1000;

interface MountLine {
  readonly device: string;
  readonly target: string;
  /** Peer groups: mounts and unmounts reach it through them. */
  readonly groups: readonly string[];
}

/** /proc/PID/mountinfo [proc_pid_mountinfo(5)]: id, parent, device, root, target, options, optional fields, a hyphen. */
function linesOf(text: string): MountLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, , device = '', , target = '', , ...rest] = line.split(' ');
      const fields = rest.slice(0, rest.indexOf('-'));
      const groups = fields.flatMap((field) => /^(?:shared|master):(\d+)$/.exec(field)?.[1] ?? []);
      return { device, target: unescapeMount(target), groups };
    });
}

/** Targets of copies that an unmount of the mount point does not reach. */
export function copiesIn(table: string, own: string, mountPoint: string): string[] {
  const mount = linesOf(own).findLast(({ target }) => target === mountPoint);
  if (mount === undefined) return [];
  return linesOf(table)
    .filter(({ device, groups }) => device === mount.device && !groups.some((group) => mount.groups.includes(group)))
    .map(({ target }) => target);
}

interface Copy {
  readonly process: ProcessState;
  readonly target: string;
}

/** null: unknown. */
function copiesOn(host: MemberHost, mountPoint: string): Copy[] | null {
  const tables = host.mountTables();
  if (tables.length === 0) return [];
  const own = host.readText('/proc/self/mountinfo');
  if (own === null) return null;
  return tables.flatMap(({ process, text }) => copiesIn(text, own, mountPoint).map((target) => ({ process, target })));
}

/** Lazily: Serviceguard kills processes with open files (fuser before each retry of umount). */
const unmountIn = ({ process, target }: Copy): string[] => [
  ...['nsenter', '--target', String(process.pid), '--mount', '--root', '--wd'],
  ...['--', 'umount', '--lazy', target],
];

export function copiesUnmounted({ host, settings: { mountPoint } }: StepContext): Step {
  const look = (): Finding | null => {
    const copies = copiesOn(host, mountPoint);
    if (copies === null) return { code: 'mount-copied', text: '/proc/self/mountinfo cannot be read: copies are unknown' };
    if (copies.length === 0) return null;
    const names = copies.map(({ process, target }) => `${process.name} (pid ${process.pid}) at ${target}`).join(', ');
    return { code: 'mount-copied', text: `mount namespaces of their own have copies of ${mountPoint}: ${names}` };
  };
  return {
    name: 'copies',
    optional: true,
    look,
    action: {
      what: `umount --lazy in each mount namespace that has a copy of ${mountPoint}`,
      run: async () => {
        await Promise.all((copiesOn(host, mountPoint) ?? []).map((copy) => host.run(unmountIn(copy), enterLimitMs)));
      },
    },
    good: () => message('no-copies', { mount_point: mountPoint }),
  };
}
