/**
 * The start-up script of one lab host, run as root inside fresh network, mount, pid, uts and ipc namespaces. It gives
 * the host a root file system of its own: an overlay over this machine's, so that nothing it writes reaches the machine,
 * and its "disk" (the overlay's upper layer) survives a crash of the host but not the lab. Pure: text in, text out.
 */
import { sharedDirectory, toolkitDirectory } from './plan.ts';

export interface BootInput {
  readonly host: string;
  /** Directory with upper/ work/ root/ cfengine/ of this host, on a file system of the lab's own. */
  readonly directory: string;
  /** Directory shared by all hosts (control socket, volume group labels). */
  readonly shared: string;
  readonly dist: string;
  /** Directory that holds the node binary, bound in when the overlay would not show it. */
  readonly nodePath: string;
  readonly cfengineWorkDirectory: string;
}

const deviceNodes = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

/** Starts a program as process 1 of namespaces of its own, which end with the one that started it. */
export const inNewNamespaces: readonly string[] = [
  'unshare',
  ...['--fork', '--kill-child', '--mount', '--pid', '--net', '--uts', '--ipc', '--propagation', 'private'],
];

/** Quotes for POSIX sh. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Prints `READY` when the host is up; then stays as its process 1, which reaps what is orphaned, until it is killed. */
export function bootScript(input: BootInput): string {
  const root = `${input.directory}/root`;
  const inRoot = (path: string): string => quote(`${root}${path}`);
  return [
    'set -eu',
    `mount -t overlay overlay -o ${quote(`lowerdir=/,upperdir=${input.directory}/upper,workdir=${input.directory}/work`)} ${quote(root)}`,
    `mount -t proc proc ${inRoot('/proc')}`,
    `mount -t sysfs sysfs ${inRoot('/sys')}`,
    `mount -t tmpfs -o mode=1777 tmpfs ${inRoot('/tmp')}`,
    `mount -t tmpfs -o mode=755 tmpfs ${inRoot('/run')}`,
    `mkdir ${inRoot('/run/lock')} ${inRoot(sharedDirectory)}`,
    `mount -t tmpfs -o mode=755 tmpfs ${inRoot('/dev')}`,
    ...deviceNodes.map((node) => `: > ${inRoot(`/dev/${node}`)}; mount --bind /dev/${node} ${inRoot(`/dev/${node}`)}`),
    `mkdir ${inRoot('/dev/pts')} ${inRoot('/dev/shm')}`,
    `mount -t devpts -o newinstance,ptmxmode=0666 devpts ${inRoot('/dev/pts')}`,
    `ln -s pts/ptmx ${inRoot('/dev/ptmx')}; ln -s /proc/self/fd ${inRoot('/dev/fd')}`,
    `mount --bind ${quote(input.shared)} ${inRoot(sharedDirectory)}`,
    `mkdir -p ${inRoot(toolkitDirectory)}; mount --bind ${quote(input.dist)} ${inRoot(toolkitDirectory)}`,
    `mount -o remount,bind,ro ${inRoot(toolkitDirectory)}`,
    // A private work directory: the overlay would show this machine's own cfengine keys.
    `mkdir -p ${inRoot(input.cfengineWorkDirectory)}; mount --bind ${quote(`${input.directory}/cfengine`)} ${inRoot(input.cfengineWorkDirectory)}`,
    `[ -x ${inRoot(input.nodePath)} ] || { mkdir -p "$(dirname ${inRoot(input.nodePath)})"; : > ${inRoot(input.nodePath)}; mount --bind ${quote(input.nodePath)} ${inRoot(input.nodePath)}; }`,
    `hostname ${quote(input.host)}`,
    `cd ${quote(root)}; mkdir -p .lab-old; pivot_root . .lab-old; umount -l /.lab-old; rmdir /.lab-old`,
    // SIGCHLD ignored makes the kernel reap orphans at once; a killed daemon must not linger as a zombie for want of an init.
    `exec /usr/bin/perl -e '$SIG{CHLD} = "IGNORE"; $| = 1; print "READY\\n"; close STDOUT; sleep while 1'`,
  ].join('\n');
}
