/**
 * The machine, loader and libraries that a program file needs, by its ELF fields (elf(5)): no installed program prints them on every host.
 * Pure.
 */
export interface ProgramFile {
  /** Word size, byte order and machine; all programs of a host share them. */
  readonly identity: string;
  readonly interpreter: string | null;
  readonly libraries: readonly string[];
  /** Bytes of a complete file, at least. */
  readonly extent: number;
}

type ReadAt = (offset: number, length: number) => Buffer;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

const segmentTypes = { load: 1, dynamic: 2, interpreter: 3 } as const;
const dynamicTags = { end: 0, needed: 1, stringTable: 5, stringTableSize: 10 } as const;
/** A damaged file must not make us read without end. */
const mostBytes = 1 << 26;

/** null: no 64-bit program, or truncated before its tables. */
export function readProgramFile(read: ReadAt): ProgramFile | null {
  try {
    return programFile(read);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function programFile(read: ReadAt): ProgramFile | null {
  const header = read(0, 64);
  const identity = identityOf(header.subarray(4, 20).toString('hex'));
  if (header.toString('latin1', 0, 4) !== '\x7fELF' || header[4] !== 2 || identity === null) return null;
  const little = header[5] === 1;
  const half = (from: Buffer, at: number): number => (little ? from.readUInt16LE(at) : from.readUInt16BE(at));
  const word = (from: Buffer, at: number): number => (little ? from.readUInt32LE(at) : from.readUInt32BE(at));
  const long = (from: Buffer, at: number): number => Number(little ? from.readBigUInt64LE(at) : from.readBigUInt64BE(at));
  const bytes = (offset: number, length: number): Buffer => {
    if (length > mostBytes) throw new RangeError('the size of a table is impossible');
    return read(offset, length);
  };
  const [first, each, count] = [long(header, 32), half(header, 54), half(header, 56)];
  const table = bytes(first, each * count);
  const segments = Array.from({ length: count }, (_, index): Segment => {
    const at = index * each;
    const [offset, address, size] = [long(table, at + 8), long(table, at + 16), long(table, at + 32)];
    return { type: word(table, at), offset, address, size };
  });
  const segment = (type: number): Segment | undefined => segments.find((one) => one.type === type);
  const interpreter = segment(segmentTypes.interpreter);
  const dynamic = segment(segmentTypes.dynamic);
  const entries = dynamic === undefined ? [] : dynamicEntries(bytes(dynamic.offset, dynamic.size), long);
  return {
    identity,
    interpreter: interpreter === undefined ? null : textAt(bytes(interpreter.offset, interpreter.size), 0),
    libraries: librariesOf(entries, segments, bytes),
    extent: Math.max(...segments.map(({ offset, size }) => offset + size)),
  };
}

function dynamicEntries(section: Buffer, long: (from: Buffer, at: number) => number): [tag: number, value: number][] {
  const entries: [number, number][] = [];
  for (let at = 0; at + 16 <= section.length; at += 16) {
    const tag = long(section, at);
    if (tag === dynamicTags.end) break;
    entries.push([tag, long(section, at + 8)]);
  }
  return entries;
}

function librariesOf(entries: readonly [number, number][], segments: readonly Segment[], bytes: ReadAt): string[] {
  const valueFor = (wanted: number): number => entries.find(([tag]) => tag === wanted)?.[1] ?? 0;
  const address = valueFor(dynamicTags.stringTable);
  // The file names the table by its address in memory.
  const holder = segments.find(
    ({ type, address: from, size }) => type === segmentTypes.load && from <= address && address < from + size,
  );
  if (holder === undefined) return [];
  const texts = bytes(holder.offset + address - holder.address, valueFor(dynamicTags.stringTableSize));
  return entries.flatMap(([tag, value]) => (tag === dynamicTags.needed ? [textAt(texts, value)] : []));
}

function textAt(texts: Buffer, from: number): string {
  const end = texts.indexOf(0, from);
  return texts.toString('utf8', from, end === -1 ? undefined : end);
}

export function identityOf(bytes: string): string | null {
  const found = /^(0[12]0[12])[0-9a-f]{24}([0-9a-f]{4})$/.exec(bytes);
  return found === null ? null : `${found[1]}${found[2]}`;
}

const machines: Readonly<Record<string, string>> = {
  '02013e00': 'x86_64',
  '0201b700': 'aarch64',
  '02011500': 'ppc64le',
  '02020015': 'ppc64',
  '02020016': 's390x',
  '0201f300': 'riscv64',
  '01010300': 'i386',
  '01012800': 'arm',
};

export function machineName(identity: string): string {
  return machines[identity] ?? `another machine (ELF ${identity})`;
}
