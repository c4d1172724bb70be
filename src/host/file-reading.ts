/** Reads large files piece by piece. */
import { createHash } from 'node:crypto';
import { accessSync, closeSync, constants, fstatSync, readSync, statSync } from 'node:fs';
import { attempt } from '../base/attempt.ts';
import { openToRead } from './safe-file.ts';

const pieceBytes = 1 << 20;

/** Up to `length` bytes from `offset`; fewer at the end of the file. */
export type ReadAt = (offset: number, length: number) => Buffer;

/** Throws the errno error. */
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

/** SHA-256 in hexadecimal. Throws the errno error. */
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

/** Whether this process may execute the file. */
export function isExecutable(path: string): boolean {
  return attempt(() => {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  }, false);
}
