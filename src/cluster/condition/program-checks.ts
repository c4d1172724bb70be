/** Checks of csync check about what a minimal installation lacks. Pure. */

import type { Problem } from '../../base/problem.ts';
import { type Findings, first, type Looked, problem } from './check-model.ts';

interface Need {
  /** As the report of the member names it: a program, or a use of one. */
  readonly what: string;
  readonly lack: string;
  readonly severity: Problem['severity'];
  /** What does not work without it. */
  readonly cost: string;
  readonly install: string;
}

const scriptCost = 'scripts of csync fail there: csync cannot change this member, and the package may not run on it';
const toInstall = (names: string) => `install ${names} there (dnf, zypper or apt-get)`;

/** Only what a supported system may lack: all have sh, coreutils, sed and grep. */
const needs: readonly Need[] = [
  {
    what: 'perl',
    lack: '/usr/bin/perl is missing',
    severity: 'warning',
    cost: 'the monitor notices an exited daemon only at its next check, reads neither storage nor policy nor the owner of the address, and is not replaced if it hangs; csync policy commit needs perl or coreutils 9.5',
    install: toInstall('perl'),
  },
  {
    what: 'perl-runs',
    lack: '/usr/bin/perl exists, but does not run',
    severity: 'error',
    cost: 'the service of the package exits at once: the package cannot run on this member',
    install: 'reinstall perl there; /usr/bin/perl -e 1 prints the reason',
  },
  {
    what: 'perl-Fcntl',
    lack: 'the perl there lacks its module Fcntl',
    severity: 'warning',
    cost: 'the monitor checks storage by the mount table only, and the policy not at all',
    install: toInstall('perl-Fcntl, or all of perl'),
  },
  {
    what: 'bash',
    lack: 'bash is missing',
    severity: 'warning',
    cost: 'csync check, status and sync cannot test connections from this member, and csync rehearse cannot watch it',
    install: toInstall('bash'),
  },
  {
    what: 'ss',
    lack: 'ss is missing',
    severity: 'warning',
    cost: 'a halt cannot close the connections of clients: they wait for their own time limit (30 s) before they find the next master',
    install: toInstall('iproute'),
  },
  {
    what: 'fuser',
    lack: 'fuser is missing',
    severity: 'warning',
    cost: 'a halt cannot find the processes that keep the policy file system busy, and may fail',
    install: toInstall('psmisc'),
  },
  {
    what: 'awk',
    lack: 'awk is missing',
    severity: 'warning',
    cost: 'csync check cannot read free space there, and csync sync reaches no host of cfengine 2 from this member',
    install: toInstall('gawk'),
  },
  ...(['ip', 'flock', 'setsid', 'find', 'xargs'] as const).map((what): Need => {
    const from = { ip: 'iproute', flock: 'util-linux', setsid: 'util-linux', find: 'findutils', xargs: 'findutils' }[what];
    return { what, lack: `${what} is missing`, severity: 'error', cost: scriptCost, install: toInstall(from) };
  }),
];

/** Lines that print `lacks WHAT` for each need, and then `programs`. */
export const programLines: readonly string[] = [
  "if [ ! -x /usr/bin/perl ]; then echo 'lacks perl'",
  "elif ! /usr/bin/perl -Mstrict -e 1 2>/dev/null; then echo 'lacks perl-runs'",
  "elif ! /usr/bin/perl -MFcntl -e 1 2>/dev/null; then echo 'lacks perl-Fcntl'; fi",
  `for program in ${needs.flatMap(({ what }) => (what.startsWith('perl') ? [] : [what])).join(' ')}; do`,
  '  command -v "$program" >/dev/null 2>&1 || echo "lacks $program"',
  'done',
  'echo programs',
];

export function judgePrograms({ member, facts }: Looked): Findings {
  if (!facts.has('programs')) return [{ leftOut: 'the report of the member was cut short' }];
  const lacks = new Set(facts.get('lacks'));
  return needs
    .filter(({ what }) => lacks.has(what))
    .map(({ severity, lack, cost, install }) => problem(severity, 'programs', member, `${lack}: ${cost}`, install));
}

/** Serviceguard executes the launchers in the package directory. Nothing is executed in /tmp or /run. */
export function judgeNoexec({ member, facts }: Looked): Findings {
  const directory = first(facts, 'directory') ?? '';
  const places = (facts.get('mount') ?? [])
    .map((line) => line.split(' '))
    .filter(([, point = '']) => point === '/' || `${directory}/`.startsWith(`${point}/`));
  if (directory === '' || places.length === 0) return [{ leftOut: 'the report of the member was cut short' }];
  // Of two mounts at one point the later one is in effect.
  const [, point = '', , options = ''] = places.sort(([, one = ''], [, other = '']) => one.length - other.length).at(-1) ?? [];
  if (!options.split(',').includes('noexec')) return [];
  const text = `${point} is mounted noexec: no script of the package directory ${directory} can start`;
  const remedy = `mount -o remount,exec ${point}, and correct /etc/fstab; or set another package_directory`;
  return [problem('error', 'noexec', member, text, remedy)];
}
