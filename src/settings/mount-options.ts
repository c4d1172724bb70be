/** The setting mount_options: the words of mount(8) before the device, as Serviceguard passes them. Pure. */

export interface MountOptions {
  /** For the command line of mount. */
  readonly text: string;
  /** The single options, in order; a flag counts as its option. */
  readonly options: readonly string[];
}

const flags: Readonly<Record<string, string>> = { '-r': 'ro', '--read-only': 'ro', '-w': 'rw', '--rw': 'rw', '-n': '', '-s': '' };

/** Options that mount something other than the device. */
const elsewhere = /^r?(bind|remount|move|loop)(=|$)/;

/** A list as in the fourth field of fstab: `rw,noatime`. */
const list = /^[a-z_][\w.-]*(=[\w.:/@+-]*)?(,[a-z_][\w.-]*(=[\w.:/@+-]*)?)*$/i;

function listed(text: string | undefined): string[] | null {
  if (text === undefined || !list.test(text)) return null;
  const options = text.split(',');
  return options.some((option) => elsewhere.test(option)) ? null : options;
}

/** Reads `-o rw,noatime`, or the list alone as in fstab; null: mount would refuse it, or mount something else. */
export function parseMountOptions(text: string): MountOptions | null {
  const words = text.split(' ').filter(Boolean);
  const [only = ''] = words;
  if (words.length === 1 && !only.startsWith('-')) return listed(only) && parseMountOptions(`-o ${only}`);
  const options: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    const flag = flags[word];
    if (flag !== undefined) {
      options.push(...(flag === '' ? [] : [flag]));
      continue;
    }
    const attached = /^(?:-o|--options=)(.+)$/.exec(word)?.[1];
    const isAlone = word === '-o' || word === '--options';
    if (isAlone) index += 1;
    const found = isAlone ? listed(words[index]) : listed(attached);
    if (found === null) return null;
    options.push(...found);
  }
  return { text: words.join(' '), options };
}

/** Of several the last one counts, as for mount. */
export function mountsReadOnly(text: string): boolean {
  const last = parseMountOptions(text)?.options.findLast((option) => option === 'ro' || option === 'rw');
  return last === 'ro';
}
