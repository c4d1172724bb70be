/** mount_options: words of mount(8) before the device. Pure. */

export interface MountOptions {
  readonly text: string;
  readonly options: readonly string[];
}

const flags: Readonly<Record<string, string>> = { '-r': 'ro', '--read-only': 'ro', '-w': 'rw', '--rw': 'rw', '-n': '', '-s': '' };

/** Options that mount something else than the device. */
const elsewhere = /^r?(bind|remount|move|loop)(=|$)/;

/** As in fstab: `rw,noatime`. */
const list = /^[a-z_][\w.-]*(=[\w.:/@+-]*)?(,[a-z_][\w.-]*(=[\w.:/@+-]*)?)*$/i;

function listed(text: string | undefined): string[] | null {
  if (text === undefined || !list.test(text)) return null;
  const options = text.split(',');
  return options.some((option) => elsewhere.test(option)) ? null : options;
}

/** `-o rw,noatime`, or the list alone; null: mount would refuse it, or mount something else. */
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

/** The last option counts. */
export function mountsReadOnly(text: string): boolean {
  const last = parseMountOptions(text)?.options.findLast((option) => option === 'ro' || option === 'rw');
  return last === 'ro';
}
