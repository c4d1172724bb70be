/** Simulated commands: activate a volume group only if its tag names the member, unmount nothing in use [serviceguard.md 7.1]. */
import { deviceOf } from '../contract/policy-file-system.ts';
import type { MemberFacts } from './member-facts.ts';

/** 1 would be a success of fsck. */
export const failed = 5;

/** Its changes; null: it fails. `words`: after the program and its first option. */
type Command = (member: MemberFacts, words: readonly string[]) => Partial<MemberFacts> | null;

/** The disk must answer. */
const onDisk =
  (command: Command): Command =>
  (member, words) =>
    member.diskAnswers ? command(member, words) : null;

const commands: Readonly<Record<string, Command>> = {
  'vgchange --addtag': onDisk(({ tags }, [tag = '']) => (tags.every((other) => other === tag) ? { tags: [tag] } : null)),
  'vgchange --deltag': onDisk(({ tags }, [tag]) => ({ tags: tags.filter((other) => other !== tag) })),
  'vgchange -a y': onDisk(({ tags, nodeName }) => (tags.includes(nodeName) ? { active: true } : null)),
  'vgchange -a n': onDisk(({ mounted, settings }) =>
    mounted.some(({ source }) => source === deviceOf(settings)) ? null : { active: false },
  ),
  fsck: onDisk(({ active }) => (active ? {} : null)),
  mount: onDisk(({ active, mounted, settings }) => {
    const { mountPoint: target, fileSystemType: type } = settings;
    if (!active || mounted.some((mount) => mount.target === target)) return null;
    return { mounted: [...mounted, { source: deviceOf(settings), target, type, options: ['rw'] }] };
  }),
  umount: ({ mounted, processes, settings }) => {
    const left = mounted.filter(({ target }) => target !== settings.mountPoint);
    return left.length === mounted.length || processes.some(({ holds }) => holds) ? null : { mounted: left };
  },
  // A process that sleeps in the kernel does not exit.
  fuser: ({ processes }) => ({ processes: processes.filter(({ holds, state }) => !holds || state === 'D') }),
  'cmmodnet -a': ({ addresses }, [, address = '']) => ({ addresses: [...addresses, address] }),
  'cmmodnet -r': ({ addresses }, [, address]) => ({ addresses: addresses.filter((one) => one !== address) }),
  cmrunserv: () => ({ service: true }),
  cmhaltserv: () => ({ service: false }),
  'customer-defined': () => ({}),
};

export function baseName(path: string): string {
  return path.split('/').at(-1) ?? '';
}

export function spelled([program = '', ...words]: readonly string[]): string {
  return [baseName(program), ...words].join(' ');
}

export function carryOut(member: MemberFacts, argv: readonly string[]): number {
  const text = spelled(argv);
  const name = Object.keys(commands).find((beginning) => text === beginning || text.startsWith(`${beginning} `));
  const changes = commands[name ?? '']?.(member, argv.slice(2));
  if (changes === undefined) throw new Error(`the simulated member has no ${text}`);
  Object.assign(member, changes);
  return changes === null ? failed : 0;
}
