/** Reading of large files piece by piece; used on the administrator's side and on members. */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, readSync } from 'node:fs';
import { openToRead } from './safe-file.ts';

const pieceBytes = 1 << 20;

/** Up to `length` bytes from `offset` on; fewer at the end of the file. */
export type ReadAt = (offset: number, length: number) => Buffer;

/** Gives `use` a reader of the file and its size. Throws the errno error. */
export function withFile<T>(path: string, use: (read: ReadAt, size: number) => T): T {
  const descriptor = openToRead(path);
  try {
    const read: ReadAt = (offset, length) => {
      const piece = Buffer.alloc(length);
      return piece.subarray(0, readSync(descriptor, piece, 0, length, offset));
    };
    return use(read, fstatSync(descriptor).size);
  } finally {
    closeSync(descriptor);
  }
}

/** SHA-256 of a file, however large, in hexadecimal. Throws the errno error. */
export function digestOfFile(path: string): string {
  return withFile(path, (read) => {
    const hash = createHash('sha256');
    for (let offset = 0; ; ) {
      const piece = read(offset, pieceBytes);
      if (piece.length === 0) return hash.digest('hex');
      hash.update(piece);
      offset += piece.length;
    }
  });
}
