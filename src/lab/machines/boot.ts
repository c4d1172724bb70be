/**
 * The start-up script of a lab host, run as root in new namespaces. An overlay keeps its writes off this machine; the upper layer, the
 * "disk", survives a crash, but not the lab. Pure.
 */
import { shellWord } from '../../base/shell-word.ts';
import init from './init.pl';
import keeperText from './keeper.pl';

export interface BootInput {
  readonly host: string;
  /** Has upper/ work/ root/ cfengine/, on a file system of the lab. */
  readonly directory: string;
  readonly binds: readonly { readonly from: string; readonly to: string; readonly readOnly: boolean }[];
  /** Of this machine; `to`: each place where the overlay has none. */
  readonly node: { readonly from: string; readonly to: readonly string[] };
  readonly cfengineWorkDirectory: string;
  /** Before the host's root is made, and after it, while this machine's is visible (the host's: $root). */
  readonly before?: readonly string[];
  readonly within?: readonly string[];
  /** The host ends when the holder of its input exits. */
  readonly endsWithInput?: boolean;
}

const deviceNodes = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

export const inNewNamespaces: readonly string[] = [
  'unshare',
  ...['--fork', '--kill-child', '--mount', '--pid', '--net', '--uts', '--ipc', '--propagation', 'private'],
];

/** Another name, as a host may lack perl. */
export const labPerl = '/dev/lab-perl';
const keeper = [labPerl, '-e', keeperText];

/** From the namespaces in which the host started; `init`: its process 1 there. */
export function enterHost(init: number, argv: readonly string[]): string[] {
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid'];
  return [
    ...['/usr/bin/nsenter', '--target', String(init), ...namespaces, '--no-fork', '--root', '--wd', '--'],
    ...keeper,
    ...argv,
  ];
}

/** Prints `READY`, then stays as process 1 and reaps orphans. */
export function bootScript(input: BootInput): string {
  const root = `${input.directory}/root`;
  const inRoot = (path: string): string => shellWord(`${root}${path}`);
  return [
    'set -eu',
    `root=${shellWord(root)}`,
    ...(input.before ?? []),
    `mount -t overlay overlay -o ${shellWord(`lowerdir=/,upperdir=${input.directory}/upper,workdir=${input.directory}/work`)} ${shellWord(root)}`,
    `mount -t proc proc ${inRoot('/proc')}`,
    `mount -t sysfs sysfs ${inRoot('/sys')}`,
    `mount -t tmpfs -o mode=1777 tmpfs ${inRoot('/tmp')}`,
    `mount -t tmpfs -o mode=755 tmpfs ${inRoot('/run')}`,
    `mkdir ${inRoot('/run/lock')}`,
    `mount -t tmpfs -o mode=755 tmpfs ${inRoot('/dev')}`,
    ...deviceNodes.map((node) => `: > ${inRoot(`/dev/${node}`)}; mount --bind /dev/${node} ${inRoot(`/dev/${node}`)}`),
    `: > ${inRoot(labPerl)}; mount --bind /usr/bin/perl ${inRoot(labPerl)}`,
    `mkdir ${inRoot('/dev/pts')}; mkdir -m 1777 ${inRoot('/dev/shm')}`,
    `mount -t devpts -o newinstance,ptmxmode=0666 devpts ${inRoot('/dev/pts')}`,
    `ln -s pts/ptmx ${inRoot('/dev/ptmx')}; ln -s /proc/self/fd ${inRoot('/dev/fd')}`,
    ...input.binds.flatMap(({ from, to, readOnly }) => [
      `mkdir -p ${inRoot(to)}; mount --bind ${shellWord(from)} ${inRoot(to)}`,
      ...(readOnly ? [`mount -o remount,bind,ro ${inRoot(to)}`] : []),
    ]),
    // The overlay would show this machine's own cfengine keys.
    `mkdir -p ${inRoot(input.cfengineWorkDirectory)}; mount --bind ${shellWord(`${input.directory}/cfengine`)} ${inRoot(input.cfengineWorkDirectory)}`,
    ...input.node.to.map(
      (there) =>
        `[ -x ${inRoot(there)} ] || { mkdir -p "$(dirname ${inRoot(there)})"; : > ${inRoot(there)}; mount --bind ${shellWord(input.node.from)} ${inRoot(there)}; }`,
    ),
    ...(input.within ?? []),
    `hostname ${shellWord(input.host)}`,
    `cd ${shellWord(root)}; mkdir -p .lab-old; pivot_root . .lab-old; umount -l /.lab-old; rmdir /.lab-old`,
    `exec ${labPerl} -e ${shellWord(init)}${input.endsWithInput === true ? ' with-input' : ''}`,
  ].join('\n');
}
