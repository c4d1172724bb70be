/** Both generations: 8-byte header, NUL padded, "<status> <length>" with t (done) or m (more), then the payload [cfengine.md 1.8]. Pure. */
export function encodeFrame(payload: string): Buffer {
  const body = Buffer.from(payload, 'latin1');
  const header = Buffer.alloc(8);
  header.write(`t ${body.length}`, 'latin1');
  return Buffer.concat([header, body]);
}

export type Decoded =
  | { readonly kind: 'frame'; readonly payload: string; readonly rest: Buffer }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'garbage'; readonly why: string };

/** cfengine's buffers have 4096. */
const mostBytes = 65_536;

/** From the received bytes. */
export function decodeFrame(bytes: Buffer): Decoded {
  if (bytes.length < 8) return { kind: 'incomplete' };
  const header = bytes.subarray(0, 8).toString('latin1').replace(/\0.*$/s, '');
  const length = Number(/^[tm] (\d{1,6})\s*$/.exec(header)?.[1] ?? Number.NaN);
  if (Number.isNaN(length) || length > mostBytes) return { kind: 'garbage', why: `header ${JSON.stringify(header)}` };
  if (bytes.length < 8 + length) return { kind: 'incomplete' };
  return { kind: 'frame', payload: bytes.subarray(8, 8 + length).toString('latin1'), rest: bytes.subarray(8 + length) };
}

/** Of a STAT answer [cfengine.md 1.8]. */
export interface RemoteStat {
  readonly size: number;
  readonly mtime: number;
  readonly inode: number;
}

/** Reads "OK: type mode lmode uid gid size atime mtime ctime holes ino nlink dev"; null: other text. */
export function parseStat(payload: string): RemoteStat | null {
  if (!payload.startsWith('OK: ')) return null;
  const words = payload.slice(4).trim().split(/\s+/);
  // Number() accepts 0x39, 5e1 and Infinity.
  if (!words.every((word) => /^-?\d+$/.test(word))) return null;
  const numbers = words.map(Number);
  const [size, mtime, inode] = [numbers[5], numbers[7], numbers[10]];
  if (size === undefined || mtime === undefined || inode === undefined) return null;
  return { size, mtime, inode };
}
