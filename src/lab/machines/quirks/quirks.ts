/** What real sites have and a plain lab lacks, for `csync lab up --quirks` and the lab tests. Pure. */
import type { Settings } from '../../../settings/settings.ts';
import banner from './banner.sh';
import bridge from './bridge.sh';
import container from './container.sh';
import links from './links.sh';
import locale from './locale.sh';
import loopback from './loopback.sh';
import names from './names.sh';
import shells from './shells.sh';
import ssh from './ssh.sh';
import sudo from './sudo.sh';
import tree from './tree.sh';

interface Quirk {
  readonly does: string;
  /** Shell text that gets a host's kind and number: before the first boot ends, and at each boot. */
  readonly onDisk?: string;
  readonly onBoot?: string;
  readonly inPolicy?: string;
  readonly settings?: Partial<Settings>;
}

const table = {
  banner: { does: 'root’s login prints two lines, one without a line end, before each command', onDisk: banner },
  bridge: { does: 'virbr0 and docker0 have the same addresses on all hosts', onBoot: bridge },
  container: { does: 'containers on each member hold a copy of its mounts', onBoot: container },
  links: { does: 'the policy is a link to the directory of a release', inPolicy: links },
  locale: { does: 'logins set a Turkish or a German locale', onDisk: locale },
  loopback: { does: 'the name of each host leads to 127.0.1.1 on it', onDisk: loopback },
  names: { does: 'hosts are called by their full name, each second one in capitals', onBoot: names },
  noexec: { does: '/tmp and /run are mounted noexec', onBoot: 'mount -o remount,noexec /tmp && mount -o remount,noexec /run' },
  shells: { does: 'root’s shell is tcsh on m2, fish on m3 and mksh on c1, where installed', onDisk: shells },
  ssh: { does: 'ssh is configured for typing: RemoteCommand, RequestTTY, StdinNull, ControlMaster', onDisk: ssh },
  sudo: {
    does: 'sshd refuses root; csync uses an account and sudo',
    onDisk: sudo,
    settings: { sshUser: 'csync', become: 'sudo' },
  },
  tree: { does: 'the policy has 2,000 more files and 9 MB of packages', inPolicy: tree },
} as const satisfies Readonly<Record<string, Quirk>>;

export type QuirkName = keyof typeof table;
export const quirkTable: Readonly<Record<QuirkName, Quirk>> = table;
export const quirkNames = Object.keys(table) as readonly QuirkName[];

/** Reads names with commas, `all`, and `-NAME` to except one. Returns the first unknown name as a string. */
export function quirksOf(list: string): readonly QuirkName[] | string {
  const words = list.split(',').filter((word) => word !== '');
  const odd = words.map((word) => word.replace(/^-/, '')).find((name) => name !== 'all' && !Object.hasOwn(table, name));
  const has = (name: QuirkName): boolean => (words.includes('all') || words.includes(name)) && !words.includes(`-${name}`);
  return odd ?? quirkNames.filter(has);
}

const mark = '/etc/csync-lab-quirks';
const texts = (names: readonly QuirkName[], when: 'onDisk' | 'onBoot' | 'inPolicy'): string[] =>
  names.flatMap((name) => quirkTable[name][when] ?? []);
const each = (scripts: readonly string[]): string[] => scripts.map((script) => `(\n${script}) || exit 1`);

/** Gets the host's kind and number; prints only failures. */
export function quirksOnBoot(names: readonly QuirkName[]): string {
  const first = [...each(texts(names, 'onDisk')), `: > ${mark}`];
  return [`if [ ! -e ${mark} ]; then`, ...first, 'fi', ...each(texts(names, 'onBoot')), ''].join('\n');
}

export function quirksInPolicy(names: readonly QuirkName[]): string {
  return each(texts(names, 'inPolicy')).join('\n');
}

/** Settings of a site with these quirks. */
export function quirkSettings(names: readonly QuirkName[]): Partial<Settings> {
  return Object.assign({}, ...names.map((name) => quirkTable[name].settings ?? {}));
}
