/** The shortest program file with a loader and a library, made by hand: what a fuzzer of program files begins with. */
export function programSample(): string {
  const bytes = Buffer.alloc(640);
  bytes.write('\x7fELF\x02\x01\x01', 'latin1');
  bytes.writeUInt16LE(2, 16);
  bytes.writeUInt16LE(62, 18);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(3, 56);
  const segment = (index: number, type: number, offset: bigint, size: bigint): void => {
    const at = 64 + index * 56;
    bytes.writeUInt32LE(type, at);
    bytes.writeBigUInt64LE(offset, at + 8);
    bytes.writeBigUInt64LE(offset, at + 16);
    bytes.writeBigUInt64LE(size, at + 32);
  };
  segment(0, 1, 0n, 640n);
  segment(1, 3, 300n, 20n);
  segment(2, 2, 340n, 64n);
  bytes.write('/lib64/ld.so.2', 300, 'latin1');
  const entries: [number, number][] = [
    [1, 1],
    [5, 420],
    [10, 32],
    [0, 0],
  ];
  for (const [index, [tag, value]] of entries.entries()) {
    bytes.writeBigUInt64LE(BigInt(tag), 340 + index * 16);
    bytes.writeBigUInt64LE(BigInt(value), 348 + index * 16);
  }
  bytes.write('libc.so.6', 421, 'latin1');
  return bytes.toString('latin1');
}
