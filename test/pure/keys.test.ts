import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { generateKeyPair, keyDigest, peerKeyFileName, readPrivateKey, selfSignedCertificate } from '../../src/cfengine/keys.ts';

describe('keys of cfengine', () => {
  it('are made in the form both generations read', async () => {
    const { privateKey, publicKey } = await generateKeyPair();
    expect(privateKey).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,/);
    expect(publicKey).toMatch(/^-----BEGIN RSA PUBLIC KEY-----\n/);
    expect(peerKeyFileName(publicKey)).toBe(`root-${keyDigest(readPrivateKey(privateKey))}.pub`);
  });

  it.each(['pkcs1', 'pkcs8'] as const)('an unencrypted %s key is read as well', (type) => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type, format: 'pem' }) as string;
    expect(keyDigest(readPrivateKey(pem))).toBe(keyDigest(publicKey));
  });

  it.each(['', 'garbage', '-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n'])('%j is refused', (pem) => {
    expect(() => readPrivateKey(pem)).toThrow();
  });

  it('a key of another kind has no digest', () => {
    expect(() => keyDigest(generateKeyPairSync('ed25519').publicKey)).toThrow('not an RSA key');
  });

  it('the certificate made by node-forge is good to OpenSSL and carries that very key', async () => {
    const { privateKey } = await generateKeyPair();
    const pem = await selfSignedCertificate(privateKey);
    const certificate = new X509Certificate(pem);
    const key = createPublicKey(readPrivateKey(privateKey));
    expect(certificate.verify(key)).toBe(true);
    expect(certificate.publicKey.equals(key)).toBe(true);
    expect(pem).not.toMatch(/PRIVATE|\r/);
  });
});
