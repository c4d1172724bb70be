/**
 * What the commands of scripts do to a world: a volume group is activated only where its tag names the member, nothing is
 * unmounted that is in use; as the lab's do [serviceguard.md 7.1].
 */
import { type Changing, type MemberWorld, type SharedWorld, withoutDaemon } from './world.ts';

/** Where a script runs: changed in place by what it does. */
export interface Place {
  readonly index: number;
  readonly members: readonly string[];
  world: MemberWorld;
  shared: SharedWorld;
  /** Members that cmviewcl has as down, by index. */
  readonly down: (index: number) => boolean;
}

/** Not 1: that is a success of fsck's. */
export const failed = 5;

type Command = (place: Place, named: number) => number;

function done(place: Place, changes: Partial<Changing>): 0 {
  place.world = { ...place.world, ...changes };
  return 0;
}

function tagged(place: Place, tag: number | null): 0 {
  place.shared = { ...place.shared, tag };
  return 0;
}

/** Fails where the disk does not answer. */
const onDisk =
  (command: Command): Command =>
  (place, named) =>
    place.world.disk === 'gone' ? failed : command(place, named);

const commands: Readonly<Record<string, Command>> = {
  'vgchange --addtag': onDisk((place, named) => {
    const { tag } = place.shared;
    return tag === null || tag === named ? tagged(place, named) : failed;
  }),
  'vgchange --deltag': onDisk((place, named) => (place.shared.tag === named ? tagged(place, null) : 0)),
  'vgchange -a y': onDisk((place) => (place.shared.tag === place.index ? done(place, { active: 'yes' }) : failed)),
  'vgchange -a n': onDisk((place) => (place.world.mounted === 'yes' ? failed : done(place, { active: 'no' }))),
  fsck: onDisk(({ world }) => (world.active === 'yes' ? 0 : failed)),
  mount: onDisk((place) => {
    const { active, mounted } = place.world;
    return active === 'yes' && mounted === 'no' ? done(place, { mounted: 'yes' }) : failed;
  }),
  umount: (place) => {
    const { mounted, holder } = place.world;
    return mounted === 'yes' && holder === 'nobody' ? done(place, { mounted: 'no' }) : failed;
  },
  fuser: (place) => {
    const { holder } = place.world;
    if (holder === 'transfer') place.world = withoutDaemon(place.world);
    return holder === 'somebody' ? done(place, { holder: 'nobody' }) : 0;
  },
  'cmmodnet -a': (place) => done(place, { address: 'yes' }),
  'cmmodnet -r': (place) => done(place, { address: 'no' }),
  cmrunserv: (place) => done(place, { monitor: 'yes' }),
  cmhaltserv: (place) => done(place, { monitor: 'no' }),
};

/** `what`: the command and its words without paths; `rest`: all its words. Throws for one that the world does not have. */
export function carryOut(place: Place, what: string, rest: readonly string[]): number {
  const name = Object.keys(commands).find((beginning) => what === beginning || what.startsWith(`${beginning} `));
  const command = commands[name ?? ''];
  if (command === undefined) throw new Error(`the world has no ${what}`);
  return command(place, place.members.indexOf(rest[1] ?? ''));
}
