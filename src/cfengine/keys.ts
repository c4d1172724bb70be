/** File formats and names of both generations [cfengine.md 1.2, 2.2]. Key material stays in memory. */

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair as generate,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';
import { promisify } from 'node:util';
import { attempt } from '../base/attempt.ts';

export interface KeyPair {
  /** PKCS#1 PEM, DES-EDE3-CBC under cfengine's public constant: accepted by cfengine 2 and 3. */
  readonly privateKey: string;
  /** PKCS#1 PEM ("RSA PUBLIC KEY"). */
  readonly publicKey: string;
}

/** Compiled into every cfengine; only the file mode protects the key [cfengine.md 1.2]. */
const passphrase = 'Cfengine passphrase';

/** 2048 bits, accepted by both generations; made off the main thread. */
export async function generateKeyPair(): Promise<KeyPair> {
  return promisify(generate)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem', cipher: 'des-ede3-cbc', passphrase },
  });
}

/** Reads localhost.priv in any form that cfengine accepts; otherwise throws OpenSSL's error. */
export function readPrivateKey(pem: string): KeyObject {
  return createPrivateKey({ key: pem, passphrase });
}

function publicNumbers(key: KeyObject): { modulus: Buffer; exponent: Buffer } {
  const { n, e } = key.export({ format: 'jwk' });
  if (n === undefined || e === undefined) throw new TypeError('not an RSA key');
  return { modulus: Buffer.from(n, 'base64url'), exponent: Buffer.from(e, 'base64url') };
}

/** CFEngine 3's name of a key: MD5 over modulus and exponent, no DER [cfengine.md 2.2]. */
export function keyDigest(key: KeyObject): string {
  const { modulus, exponent } = publicNumbers(key);
  return `MD5=${createHash('md5').update(modulus).update(exponent).digest('hex')}`;
}

/** A Node.js that follows FIPS mode refuses MD5, and every key would look damaged. */
export const canNameKeys = (): boolean => attempt(() => createHash('md5') !== null, false);

/** In generation 3. */
export function peerKeyFileName(publicKeyPem: string): string {
  return `root-${keyDigest(createPublicKey(publicKeyPem))}.pub`;
}

/** Whether localhost.pub has the one form that cfengine reads [cfengine.md 2.2], and belongs to the key. */
export function isPublicPartOf(publicKeyPem: string, key: KeyObject): boolean {
  if (!publicKeyPem.includes('-----BEGIN RSA PUBLIC KEY-----')) return false;
  return attempt(() => createPublicKey(publicKeyPem).equals(createPublicKey(key)), false);
}

/** A certificate of that key. */
export function isCertificateOf(text: string, key: KeyObject): boolean {
  return attempt(() => new X509Certificate(text).checkPrivateKey(key), false);
}
