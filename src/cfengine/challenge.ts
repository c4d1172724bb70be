/**
 * How generation 2 proves keys: each side encrypts a nonce, the other answers with the MD5 of what it decrypted [cfengine.md 1.14]. The
 * daemon answers only callers whose key it has. Pure except for the random numbers.
 */

import { constants, createHash, createPublicKey, type KeyObject, privateDecrypt, publicEncrypt, randomBytes } from 'node:crypto';
import { attempt } from '../base/attempt.ts';

const textBytes = 24;
const sessionKeyBytes = 16;

const latin1 = (bytes: Buffer): string => bytes.toString('latin1');
const md5 = (bytes: Buffer): string => latin1(createHash('md5').update(bytes).digest());
const encryptedFor = (key: KeyObject, bytes: Buffer): Buffer =>
  publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, bytes);

/** OpenSSL's MPI: length, and a zero before a first bit that is set. */
function mpi(number: Buffer): Buffer {
  const body = (number[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), number]) : number;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** PKCS#1 v1.5; null: no such padding. Node.js no longer removes it, since that helps attackers. */
function decrypted(key: KeyObject, bytes: Buffer): Buffer | null {
  return attempt(() => {
    const padded = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, bytes);
    const end = padded.indexOf(0, 2);
    return padded[0] === 0 && padded[1] === 2 && end > 0 ? padded.subarray(end + 1) : null;
  }, null);
}

export interface Challenge {
  /** The nonce, and both numbers of our public key. */
  readonly opening: readonly string[];
  /** Whether the daemon has the private key. */
  isProof(answer: string): boolean;
  /** With the session key; null: not made for our key. */
  answer(challenge: string): readonly string[] | null;
}

/** Members have the same key pair. */
export function challengeOf(own: KeyObject): Challenge {
  const shared = createPublicKey(own);
  const { n = '', e = '' } = shared.export({ format: 'jwk' });
  const random = randomBytes(32);
  // As BN_rand: the first of 256 bits is set.
  random[0] = (random[0] ?? 0) | 0x80;
  const nonce = mpi(random);
  const cipher = encryptedFor(shared, nonce);
  const text = `SAUTH y ${cipher.length} ${nonce.length}`.padEnd(textBytes, '\0');
  return {
    opening: [text + latin1(cipher), ...[n, e].map((number) => latin1(mpi(Buffer.from(number, 'base64url'))))],
    isProof: (answer) => answer === md5(nonce),
    answer: (challenge) => {
      const plain = decrypted(own, Buffer.from(challenge, 'latin1'));
      return plain && [md5(plain), latin1(encryptedFor(shared, randomBytes(sessionKeyBytes)))];
    },
  };
}
