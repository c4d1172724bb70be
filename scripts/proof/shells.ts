/**
 * `npm run shells`: runs the tests of launchers and of the scripts that csync sends to members with other shells as /bin/sh, as distributions have
 * them, or with all programs of another distribution. Called as root: shells.ts [--root DIRECTORY] [PATH...]; default: the tests that start
 * /bin/sh. --root: a system made by debootstrap, which takes the place of /.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { testsUnder, withMounts } from './tests-under.ts';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { root: { type: 'string' } } });
const tests =
  positionals.length > 0
    ? positionals
    : ['test/process/member', 'test/process/cluster', 'test/process/programs/injection.test.ts'];
const work = mkdtempSync(join(tmpdir(), 'csync-shells-'));
/** bash that is called as `sh` follows POSIX; lksh is the form of mksh for /bin/sh. */
const shells: readonly (readonly [name: string, installed: string, shell: () => string])[] = [
  ['busybox sh', '/bin/busybox', () => busyboxShell('/bin/busybox')],
  ['mksh (lksh)', '/bin/lksh', () => '/bin/lksh'],
  ['bash', '/bin/bash', () => '/bin/bash'],
];

/** Debian's busybox runs its own find and cp in place of those in the PATH. This copy has no other name than those of its shell. */
function busyboxShell(busybox: string): string {
  const text = readFileSync(busybox, 'latin1');
  const start = text.indexOf('[\0[[\0');
  const end = text.indexOf('\0\0', start);
  const names = text
    .slice(start, end)
    .split('\0')
    .map((name) => (/^(sh|ash|busybox)$/.test(name) ? name : `${name.slice(0, -1)}\x01`));
  const copy = join(work, 'busybox');
  writeFileSync(copy, text.slice(0, start) + names.join('\0') + text.slice(end), { encoding: 'latin1', mode: 0o755 });
  return copy;
}

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
try {
  const failed =
    root !== undefined
      ? testsUnder(root, withMounts(inRoot, root, join(import.meta.dirname, '../..'), process.execPath), tests)
      : shells
          .filter(([, installed]) => existsSync(installed))
          .map(([name, , shell]) => testsUnder(`${name} as /bin/sh`, withMounts(inPlace, shell()), tests))
          .reduce((sum, one) => sum + one, 0);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
