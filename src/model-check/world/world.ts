/** A member as small facts, and what members share, for all reads and commands of the scripts, in one small number. Pure. */
export const memberFields = {
  machine: ['up', 'down'],
  mounted: ['no', 'yes'],
  address: ['no', 'yes'],
  active: ['no', 'yes'],
  /** hung: listens, ignores TERM, no answer. */
  daemon: ['alive', 'hung', 'dead'],
  startable: ['yes', 'no'],
  /** Has a file open; `stuck`: cannot be killed. */
  holder: ['none', 'transfer', 'user', 'stuck'],
  disk: ['there', 'gone'],
  link: ['up', 'down'],
  /** stopped: or hangs; unheard: csync-front.pl is stopped. */
  monitor: ['no', 'yes', 'stopped', 'unheard'],
  log: ['writes', 'hangs'],
  /** mixed: settings of another set. */
  files: ['sound', 'mixed'],
} as const;

type Fields = typeof memberFields;
export type MemberField = keyof Fields;
export type MemberWorld = { readonly [Field in MemberField]: Fields[Field][number] };
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
export type Changing = Mutable<MemberWorld>;

const names = Object.keys(memberFields) as MemberField[];

interface Place {
  readonly name: MemberField;
  readonly shift: number;
  readonly mask: number;
  readonly bits: Readonly<Record<string, number>>;
}

let width = 0;
const places: readonly Place[] = names.map((name) => {
  const values: readonly string[] = memberFields[name];
  const wide = Math.ceil(Math.log2(values.length));
  const shift = width;
  width += wide;
  return {
    name,
    shift,
    mask: (1 << wide) - 1,
    bits: Object.fromEntries(values.map((value, index) => [value, index << shift])),
  };
});
export const worldBits = width;
export const mountedBit = places.find(({ name }) => name === 'mounted')?.bits.yes ?? 0;

export function encodeWorld(world: MemberWorld): number {
  let code = 0;
  for (const { name, bits } of places) code |= bits[world[name]] ?? 0;
  return code;
}

const decoded: (MemberWorld | undefined)[] = new Array(1 << worldBits);

export function decodeWorld(code: number): MemberWorld {
  const known = decoded[code];
  if (known !== undefined) return known;
  const pairs = places.map(({ name, shift, mask }) => [name, memberFields[name][(code >> shift) & mask]]);
  const world = Object.freeze(Object.fromEntries(pairs)) as MemberWorld;
  decoded[code] = world;
  return world;
}

/** Nothing of the package, no fault. */
export const idle = Object.fromEntries(names.map((name) => [name, memberFields[name][0]])) as unknown as MemberWorld;

export interface SharedWorld {
  /** The member in the volume group's host tag. */
  readonly tag: number | null;
  /** Index of the last writer. */
  readonly sentinel: number | null;
  readonly isContested: boolean;
}

export const sharedBits = 7;
export const contestedBit = 1 << 6;
export const nothingShared = encodeShared({ tag: null, sentinel: null, isContested: false });

export function encodeShared({ tag, sentinel, isContested }: SharedWorld): number {
  return (tag ?? 7) | ((sentinel ?? 7) << 3) | (isContested ? contestedBit : 0);
}

const shares = Array.from({ length: 1 << sharedBits }, (_, code): SharedWorld => {
  const index = (bits: number): number | null => (bits === 7 ? null : bits);
  return Object.freeze({ tag: index(code & 7), sentinel: index((code >> 3) & 7), isContested: (code & contestedBit) !== 0 });
});

export function decodeShared(code: number): SharedWorld {
  return shares[code] as SharedWorld;
}

/** Its disk stays. */
export function crashed(world: MemberWorld): MemberWorld {
  const { disk, link, files, startable } = world;
  return { ...idle, machine: 'down', daemon: 'dead', disk, link, files, startable };
}

/** Its daemon starts. */
export function booted(world: MemberWorld): MemberWorld {
  return { ...world, machine: 'up', daemon: world.startable === 'yes' ? 'alive' : 'dead' };
}

/** As the users of the file system see it. */
export function withoutDaemon(world: MemberWorld): MemberWorld {
  return { ...world, daemon: 'dead', holder: world.holder === 'transfer' ? 'none' : world.holder };
}

export function serves({ machine, mounted, address, daemon, link, disk }: MemberWorld): boolean {
  return machine === 'up' && mounted === 'yes' && address === 'yes' && daemon === 'alive' && link === 'up' && disk === 'there';
}

export function isJudged({ monitor }: MemberWorld): boolean {
  return monitor === 'yes' || monitor === 'unheard';
}

export function holdsPackage({ mounted, address, active, monitor }: MemberWorld): boolean {
  return mounted === 'yes' || address === 'yes' || active === 'yes' || monitor !== 'no';
}
