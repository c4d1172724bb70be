/** Checks what a minimal installation lacks, and csync's scripts on each member. Pure. */

import type { Problem } from '../../base/problem.ts';
import { appliedName, parseApplied, setsName } from '../../contract/package-directory.ts';
import { driftRemedy } from '../apply/comparison.ts';
import { toolkitFrom, toolkitRemark } from '../apply/toolkit.ts';
import { namedDigest } from '../remote/package-look.ts';
import { type CheckInput, type Findings, first, type Looked, type MemberFacts, problem } from './check-model.ts';

interface Need {
  /** A program, or a use of one, as the member's report names it. */
  readonly what: string;
  readonly lack: string;
  readonly severity: Problem['severity'];
  readonly cost: string;
  readonly install: string;
}

const scriptCost = 'scripts of csync fail there: csync cannot change this member, and the package may not run on it';
const toInstall = (names: string) => `install ${names} there (dnf, zypper or apt-get)`;

/** Only what a supported system may lack; all have sh, coreutils, sed and grep. */
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

/** Prints `lacks WHAT` for each need, then `programs`. */
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

/** Serviceguard runs the launchers from the package directory. Nothing runs from /tmp or /run. */
export function judgeNoexec({ member, facts }: Looked): Findings {
  const directory = first(facts, 'directory') ?? '';
  const places = (facts.get('mount') ?? [])
    .map((line) => line.split(' '))
    .filter(([, point = '']) => point === '/' || `${directory}/`.startsWith(`${point}/`));
  if (directory === '' || places.length === 0) return [{ leftOut: 'the report of the member was cut short' }];
  // The later of two mounts at one point is in effect.
  const [, point = '', , options = ''] = places.sort(([, one = ''], [, other = '']) => one.length - other.length).at(-1) ?? [];
  if (!options.split(',').includes('noexec')) return [];
  const text = `${point} is mounted noexec: no script of the package directory ${directory} can start`;
  const remedy = `mount -o remount,exec ${point}, and correct /etc/fstab; or set another package_directory`;
  return [problem('error', 'noexec', member, text, remedy)];
}

const appliedOf = (facts: MemberFacts | null): string | null =>
  parseApplied(facts === null ? '' : (first(facts, 'applied') ?? ''))?.set ?? null;

/**
 * Digests of the scripts that a start would run. Not compared: the package file (used from one member), logs, sets kept for a rollback (a
 * new member has none). `applied` null: all sets count.
 */
function scriptsOf(facts: MemberFacts | null, applied: string | null): ReadonlyMap<string, string> {
  const files = (facts?.get('digest') ?? []).flatMap((line) => {
    const named = namedDigest(line);
    return named === null ? [] : [named];
  });
  const counts = (name: string): boolean =>
    !/^\.|^history\/|\.(conf|log)$/.test(name) &&
    (applied === null || !name.startsWith(`${setsName}/`) || name.startsWith(`${setsName}/${applied}/`));
  const scripts = new Map(files.filter(([name]) => counts(name)));
  // Only this set: the text also names the previous one, which a new member lacks.
  const own = appliedOf(facts);
  if (own !== null) scripts.set(appliedName, own);
  return scripts;
}

function mostFrequent<T>(values: readonly T[]): T | undefined {
  const count = (value: T): number => values.filter((one) => one === value).length;
  return [...values].sort((one, other) => count(other) - count(one))[0];
}

/** Compares members with the majority. csync diff compares with csync.yaml. */
export function judgeScripts({ member, facts }: Looked, { members }: CheckInput): readonly Problem[] {
  const applied = mostFrequent(members.flatMap((one) => appliedOf(one.facts) ?? [])) ?? null;
  const own = scriptsOf(facts, applied);
  const all = members
    .map((one) => ({ member: one.member, scripts: scriptsOf(one.facts, applied) }))
    .filter(({ scripts }) => scripts.size > 0);
  if (all.length === 0) return [];
  const names = [...new Set(all.flatMap(({ scripts }) => [...scripts.keys()]))].filter(
    (name) => own.get(name) !== mostFrequent(all.map(({ scripts }) => scripts.get(name))),
  );
  if (names.length === 0) return [];
  const text = `${names.sort().join(', ')} ${names.length === 1 ? 'differs' : 'differ'} from most members: the package would run other scripts here`;
  return [problem('warning', 'scripts', member, text, driftRemedy)];
}

/** A start runs this program for pending work. */
export function judgeToolkit({ member, facts }: Looked, { settings, toolkit }: CheckInput): Findings {
  const found = toolkitFrom(facts);
  if (found === null) return [{ leftOut: 'the report of the member was cut short' }];
  const remark = toolkitRemark(found, toolkit, settings);
  return remark === null ? [] : [problem('warning', 'toolkit', member, remark.text, remark.remedy)];
}
