/**
 * `npm run shells`: runs the tests of launchers and of the scripts that csync sends to members with other shells as /bin/sh, as distributions have
 * them, or with all programs of another distribution. Called as root: shells.ts [--root DIRECTORY] [PATH...]; default: the tests that start
 * /bin/sh. --root: a system made by debootstrap, which takes the place of /.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { testsUnder } from './tests-under.ts';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { root: { type: 'string' } } });
const tests =
  positionals.length > 0
    ? positionals
    : ['test/process/member', 'test/process/cluster', 'test/process/programs/injection.test.ts'];
/** bash and mksh that are called as `sh` follow POSIX; busybox is a shell by that name. */
const shells = ['/bin/busybox', '/usr/bin/mksh', '/bin/bash'];
/** Only the processes below have these mounts. */
const withMounts = (script: string, ...words: readonly string[]): string[] => [
  ...['unshare', '--mount', '--propagation', 'private', '/bin/bash', '-euc', script, 'bash'],
  ...words,
];
const inPlace = 'mount --bind "$1" "$(readlink -f /bin/sh)"; shift; exec "$@"';
const inRoot = `
root=$1 repository=$2 node=$3; shift 3
mkdir -p "$root/$repository"
touch "$root/usr/bin/node"
mount --bind "$repository" "$root/$repository"
mount --bind "$node" "$root/usr/bin/node"
for place in proc sys dev run; do mount --rbind "/$place" "$root/$place"; done
exec chroot "$root" /bin/bash -c 'cd "$1"; shift; exec "$@"' bash "$repository" "$@"
`;

const { root } = values;
const failed =
  root !== undefined
    ? testsUnder(root, withMounts(inRoot, root, join(import.meta.dirname, '../..'), process.execPath), tests)
    : shells
        .filter((path) => existsSync(path))
        .map((shell) => testsUnder(`${shell} as /bin/sh`, withMounts(inPlace, shell), tests))
        .reduce((sum, one) => sum + one, 0);
process.exitCode = failed === 0 ? 0 : 1;
