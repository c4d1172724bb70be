/** cfengine's keys: every form its programs write or take, their names, and the certificate a member makes of its own. */
import { spawnSync } from 'node:child_process';
import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
  X509Certificate,
} from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import forge from 'node-forge';
import { beforeAll, describe, expect, it } from 'vitest';
import { selfSignedCertificate } from '../../../src/cfengine/certificate.ts';
import { generateKeyPair, isPublicPartOf, keyDigest, peerKeyFileName, readPrivateKey } from '../../../src/cfengine/keys.ts';
import { have, scratchDirectory } from '../../support.ts';

const passphrase = 'Cfengine passphrase';
const usual = generateKeyPairSync('rsa', { modulusLength: 2048 });
/** cfkey of generation 2 takes 35 for the exponent. */
const old = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 35 });

const pkcs1 = (key: KeyObject): string => key.export({ type: 'pkcs1', format: 'pem' }) as string;
const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string;
const encrypted = (key: KeyObject, cipher: string, secret = passphrase): string =>
  key.export({ type: 'pkcs1', format: 'pem', cipher, passphrase: secret }) as string;
const forged = (key: KeyObject): string =>
  forge.pki.encryptRsaPrivateKey(forge.pki.privateKeyFromPem(pkcs1(key)), passphrase, { legacy: true, algorithm: '3des' });

describe('the private key', () => {
  it.each<[string, string, KeyObject]>([
    ['plain PKCS#1, as cf-key writes it', pkcs1(usual.privateKey), usual.privateKey],
    ['PKCS#1 under DES-EDE3-CBC, as cfkey writes it', encrypted(old.privateKey, 'des-ede3-cbc'), old.privateKey],
    ['PKCS#1 under AES', encrypted(usual.privateKey, 'aes-256-cbc'), usual.privateKey],
    ['one of another maker, with CRLF', forged(usual.privateKey), usual.privateKey],
    ['one of another maker, with LF', forged(usual.privateKey).replaceAll('\r', ''), usual.privateKey],
  ])('is read: %s', (_what, pem, key) => {
    expect(pem).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\r?\n/);
    expect(readPrivateKey(pem).equals(key)).toBe(true);
  });

  it.each([
    ['a public key', pkcs1(usual.publicKey)],
    ['one under another passphrase', encrypted(usual.privateKey, 'des-ede3-cbc', 'another passphrase')],
    ['half of one', pkcs1(usual.privateKey).slice(0, 800)],
    ['nothing', ''],
    ['text', 'no key'],
  ])('is not %s', (_what, pem) => {
    expect(() => readPrivateKey(pem)).toThrow();
  });

  it('made here is one that both generations take, with its public key beside it', async () => {
    const made = await generateKeyPair();
    expect(made.privateKey).toMatch(
      /^-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,[0-9A-F]{16}\n/,
    );
    expect(made.publicKey).toMatch(/^-----BEGIN RSA PUBLIC KEY-----\n/);
    const key = readPrivateKey(made.privateKey);
    expect(key.asymmetricKeyDetails?.modulusLength).toBe(2048);
    expect(createPublicKey(key).equals(createPublicKey(made.publicKey))).toBe(true);
    // Another implementation reads the same numbers out of both files.
    const read = forge.pki.decryptRsaPrivateKey(made.privateKey, passphrase);
    const { n, e, d } = key.export({ format: 'jwk' });
    const hex = (value = ''): string => Buffer.from(value, 'base64url').toString('hex').replace(/^0+/, '');
    expect([read.n, read.e, read.d].map((number) => number.toString(16))).toEqual([hex(n), hex(e), hex(d)]);
    expect(forge.pki.publicKeyFromPem(made.publicKey).n.equals(read.n)).toBe(true);
    expect(() => createPrivateKey({ key: made.privateKey, passphrase: 'another passphrase' })).toThrow();
  });
});

describe('the public key beside it', () => {
  it.each<[string, string, boolean]>([
    ['PKCS#1 of the same pair', pkcs1(usual.publicKey), true],
    ['the same with CRLF', pkcs1(usual.publicKey).replaceAll('\n', '\r\n'), true],
    ['SPKI of the same pair, which cfengine does not read', spki(usual.publicKey), false],
    ['that of another pair', pkcs1(old.publicKey), false],
    ['half of it', pkcs1(usual.publicKey).slice(0, 200), false],
    ['the private key', pkcs1(usual.privateKey), false],
    ['nothing', '', false],
  ])('is taken or refused: %s', (_what, pem, fits) => {
    expect(isPublicPartOf(pem, usual.privateKey)).toBe(fits);
  });
});

describe('the digest of a key', () => {
  it.each([
    ['exponent 65537', usual],
    ['exponent 35', old],
  ])('is MD5 over the bytes of modulus and exponent: %s', (_what, { publicKey, privateKey }) => {
    const der = forge.pki.publicKeyFromPem(spki(publicKey));
    const hex = (number: { toString(radix: number): string }): string => {
      const digits = number.toString(16);
      return digits.length % 2 === 0 ? digits : `0${digits}`;
    };
    const wanted = createHash('md5')
      .update(Buffer.from(hex(der.n) + hex(der.e), 'hex'))
      .digest('hex');
    expect(keyDigest(publicKey)).toBe(`MD5=${wanted}`);
    expect(keyDigest(privateKey)).toBe(`MD5=${wanted}`);
    expect(peerKeyFileName(pkcs1(publicKey))).toBe(`root-MD5=${wanted}.pub`);
  });

  it('is not that of any other key', () => {
    expect(keyDigest(usual.publicKey)).not.toBe(keyDigest(old.publicKey));
  });

  it('is refused for a key that is not RSA', () => {
    expect(() => keyDigest(generateKeyPairSync('ed25519').publicKey)).toThrow('not an RSA key');
  });
});

const whyNoCfKey = have('cf-key') ? null : 'cf-key is not installed';
if (whyNoCfKey !== null) console.warn(`comparisons with cf-key are skipped: ${whyNoCfKey}`);

describe.skipIf(whyNoCfKey !== null)('cf-key itself', () => {
  const directory = scratchDirectory();
  const cfKey = (...words: readonly string[]) => spawnSync('cf-key', words, { encoding: 'utf8' });

  it.each([
    ['exponent 65537', usual],
    ['exponent 35', old],
  ])('prints the same digest: %s', (_what, { publicKey }) => {
    const file = join(directory, 'peer.pub');
    writeFileSync(file, pkcs1(publicKey));
    expect(cfKey('-p', file).stdout.trim()).toBe(keyDigest(publicKey));
  });

  it('does not read a public key that is refused here, either', () => {
    const file = join(directory, 'spki.pub');
    writeFileSync(file, spki(usual.publicKey));
    expect(cfKey('-p', file).status).not.toBe(0);
  });

  it('writes keys that are read here', () => {
    const name = join(directory, 'made');
    expect(cfKey('-f', name).status).toBe(0);
    const key = readPrivateKey(readFileSync(`${name}.priv`, 'utf8'));
    expect(isPublicPartOf(readFileSync(`${name}.pub`, 'utf8'), key)).toBe(true);
    expect(cfKey('-p', `${name}.pub`).stdout.trim()).toBe(keyDigest(key));
  });
});

describe('the certificate', () => {
  const certificates = new Map<string, X509Certificate>();
  const pems: readonly [string, string, KeyObject][] = [
    ['a plain key', pkcs1(usual.privateKey), usual.privateKey],
    ['an encrypted key of generation 2', encrypted(old.privateKey, 'des-ede3-cbc'), old.privateKey],
  ];
  beforeAll(async () => {
    for (const [what, pem] of pems) certificates.set(what, new X509Certificate(selfSignedCertificate(pem)));
  });

  it.each(pems)('of %s is one OpenSSL takes, and carries exactly that key', (what, _pem, key) => {
    const certificate = certificates.get(what);
    expect(certificate?.checkPrivateKey(key)).toBe(true);
    expect(certificate && keyDigest(certificate.publicKey)).toBe(keyDigest(key));
    expect(certificate?.verify(certificate.publicKey)).toBe(true);
    expect(certificate?.checkPrivateKey(key === usual.privateKey ? old.privateKey : usual.privateKey)).toBe(false);
  });

  it.each(pems)('of %s is valid at any time of the clock of the host', (what) => {
    const { validFrom, validTo } = certificates.get(what) ?? { validFrom: '', validTo: '' };
    expect([new Date(validFrom).getUTCFullYear(), new Date(validTo).getUTCFullYear()]).toEqual([2000, 2049]);
  });

  it('holds nothing of the private key, and no carriage return', async () => {
    const text = selfSignedCertificate(pkcs1(usual.privateKey));
    expect(text).toMatch(/^-----BEGIN CERTIFICATE-----\n[^\r]*-----END CERTIFICATE-----\n$/);
    expect(text).not.toContain('PRIVATE');
    const secret = usual.privateKey.export({ format: 'jwk' }).d ?? '';
    expect(Buffer.from(text.replace(/-----.*-----|\n/g, ''), 'base64').includes(Buffer.from(secret, 'base64url'))).toBe(false);
  });

  it('goes with signatures of the key', () => {
    const text = Buffer.from('csync');
    const signature = sign('sha256', text, { key: usual.privateKey, padding: constants.RSA_PKCS1_PADDING });
    const certificate = certificates.get('a plain key');
    expect(certificate && verify('sha256', text, certificate.publicKey, signature)).toBe(true);
  });
});
