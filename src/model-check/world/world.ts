/**
 * A member as few small facts, and what the members share: enough for every look and every command of the member scripts.
 * Each world is one small number, so that a search can hold millions of them. Pure.
 */
export const memberFields = {
  machine: ['up', 'down'],
  mounted: ['no', 'yes'],
  address: ['no', 'yes'],
  /** The volume group. */
  active: ['no', 'yes'],
  /** hung: listens, takes no TERM and answers nobody. */
  daemon: ['alive', 'hung', 'dead'],
  /** Whether a start of the daemon comes up. */
  startable: ['yes', 'no'],
  /** Who has something open on the policy file system; `stuck` cannot be ended. */
  holder: ['nobody', 'transfer', 'somebody', 'stuck'],
  disk: ['there', 'gone'],
  link: ['up', 'down'],
  /** The package's service; stopped: what judges in it is, or it hangs; unheard: the program in front of it is stopped. */
  monitor: ['no', 'yes', 'stopped', 'unheard'],
  /** The disk of the package log. */
  log: ['writes', 'hangs'],
  /** The set that counts; mixed: its settings are not those that were rendered with its other files. */
  files: ['sound', 'mixed'],
} as const;

type Fields = typeof memberFields;
export type MemberField = keyof Fields;
export type MemberWorld = { readonly [Field in MemberField]: Fields[Field][number] };
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
export type Changing = Mutable<MemberWorld>;

const names = Object.keys(memberFields) as MemberField[];

/** Where each field is in the number, and what each of its values adds to it. */
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
/** Of a number, whether the policy file system is mounted. */
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

/** A member on which nothing of the package is, and everything works. */
export const idle = Object.fromEntries(names.map((name) => [name, memberFields[name][0]])) as unknown as MemberWorld;

/** What the members share. */
export interface SharedWorld {
  /** Index of the member whose host tag the volume group carries. */
  readonly tag: number | null;
  /** Index of the member that wrote the sentinel last. */
  readonly sentinel: number | null;
  /** Another host answers for the package address, too. */
  readonly isContested: boolean;
}

export const sharedBits = 7;
export const contestedBit = 1 << 6;
/** Nobody has the volume group or has written, and the address is the package's alone. */
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

/** The machine loses its power. What is on its disk stays. */
export function crashed(world: MemberWorld): MemberWorld {
  const { disk, link, files, startable } = world;
  return { ...idle, machine: 'down', daemon: 'dead', disk, link, files, startable };
}

/** The machine is switched on; its daemon starts at boot. */
export function booted(world: MemberWorld): MemberWorld {
  return { ...world, machine: 'up', daemon: world.startable === 'yes' ? 'alive' : 'dead' };
}

/** What happens to whoever held the file system when the daemon ends. */
export function withoutDaemon(world: MemberWorld): MemberWorld {
  return { ...world, daemon: 'dead', holder: world.holder === 'transfer' ? 'nobody' : world.holder };
}

/** Clients that ask the package address get the policy from this member. */
export function serves({ machine, mounted, address, daemon, link, disk }: MemberWorld): boolean {
  return machine === 'up' && mounted === 'yes' && address === 'yes' && daemon === 'alive' && link === 'up' && disk === 'there';
}

/** What judges in the service runs. */
export function isJudged({ monitor }: MemberWorld): boolean {
  return monitor === 'yes' || monitor === 'unheard';
}

/** Something of the package is here. */
export function holdsPackage({ mounted, address, active, monitor }: MemberWorld): boolean {
  return mounted === 'yes' || address === 'yes' || active === 'yes' || monitor !== 'no';
}
