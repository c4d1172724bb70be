/**
 * The certificate that a host makes from its own key to speak to a cf-serverd. A file of its own, loaded when a certificate is made:
 * node-forge is three quarters of what a member script would have to read otherwise, and a start is on the way of a failover.
 */
import forge from 'node-forge';
import { readPrivateKey } from './keys.ts';

/**
 * A self-signed certificate of the key, PEM: cf-serverd looks at nothing but the key in it [cfengine.md 2.3]. Throws what
 * OpenSSL or node-forge says when the text is no private key.
 */
export function selfSignedCertificate(privateKeyPem: string): string {
  const plain = readPrivateKey(privateKeyPem).export({ type: 'pkcs1', format: 'pem' }) as string;
  const key = forge.pki.privateKeyFromPem(plain);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(key.n, key.e);
  certificate.serialNumber = '01';
  // Only the key counts; the dates are wide so that a wrong clock does not matter.
  certificate.validity.notBefore = new Date('2000-01-01T00:00:00Z');
  certificate.validity.notAfter = new Date('2049-12-31T00:00:00Z');
  const name = [{ name: 'commonName', value: 'csync' }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.sign(key, forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate).replaceAll('\r', '');
}
