/** A host's certificate for cf-serverd. Loaded when needed: node-forge is three quarters of a member script, and would delay a failover. */
import { sign } from 'node:crypto';
import forge from 'node-forge';
import { readPrivateKey } from './keys.ts';

const { asn1, jsbn, md, pki } = forge;

/**
 * Self-signed, PEM: cf-serverd checks only the key [cfengine.md 2.3]. OpenSSL signs: in JavaScript without V8's compiler that would block
 * the monitor for a second. Throws OpenSSL's or node-forge's error for an invalid key.
 */
export function selfSignedCertificate(privateKeyPem: string): string {
  const key = readPrivateKey(privateKeyPem);
  const { n, e } = key.export({ format: 'jwk' });
  if (n === undefined || e === undefined) throw new TypeError('not an RSA key');
  const number = (text: string) => new jsbn.BigInteger(Buffer.from(text, 'base64url').toString('hex'), 16);
  const certificate = pki.createCertificate();
  certificate.publicKey = pki.setRsaPublicKey(number(n), number(e));
  certificate.serialNumber = '01';
  // Wide, so that a wrong clock does not matter.
  certificate.validity.notBefore = new Date('2000-01-01T00:00:00Z');
  certificate.validity.notAfter = new Date('2049-12-31T00:00:00Z');
  const name = [{ name: 'commonName', value: 'csync' }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  const signer = {
    sign: () => sign('sha256', Buffer.from(asn1.toDer(certificate.tbsCertificate).getBytes(), 'latin1'), key).toString('latin1'),
  };
  certificate.sign(signer as unknown as forge.pki.rsa.PrivateKey, md.sha256.create());
  return pki.certificateToPem(certificate).replaceAll('\r', '');
}
