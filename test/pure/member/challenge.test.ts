/** Generation 2: who answers is proved by the key that the members share, and by nothing else. */
import {
  constants,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame } from '../../../src/cfengine/frames.ts';
import { dialogue2, type ProbeResult } from '../../../src/cfengine/probe.ts';

const keyOf = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 35 }).privateKey;
const modulusOf = (key: KeyObject): string => Buffer.from(key.export({ format: 'jwk' }).n ?? '', 'base64url').toString('hex');
// What is encrypted with the smaller modulus can always be decrypted with the larger one.
const [shared, another] = [keyOf(), keyOf()].sort((a, b) => (modulusOf(a) < modulusOf(b) ? -1 : 1)) as [KeyObject, KeyObject];
const stat = ['OK: 0 420 0 0 0 7 1 2 3 0 4711 1 64768', 'OK:'];
const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest().toString('latin1');
const refusal = 'BAD: Unspecified server refusal (see verbose server output)';

/** What a daemon says to each payload, in turn. */
type Peer = (payload: string) => readonly string[];

/** A daemon with this key, as far as 1.14 goes, that knows the caller. */
function daemon(key: KeyObject, answers: Partial<Record<'accept' | 'proof' | 'counter', string>> = {}): Peer {
  const nonce = Buffer.from('a nonce of the daemon');
  const counter = publicEncrypt({ key: createPublicKey(shared), padding: constants.RSA_PKCS1_PADDING }, nonce).toString('latin1');
  let proof = '';
  let answered = '';
  return (payload) => {
    if (payload.startsWith('SAUTH')) {
      const [, , size, length] = payload.slice(0, payload.indexOf('\0')).split(' ');
      const cipher = Buffer.from(payload.slice(24), 'latin1');
      expect([cipher.length, Number(size)]).toEqual([256, 256]);
      const plain = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, cipher).subarray(-Number(length));
      proof = md5(plain);
    } else if (payload === '\0\0\0\u0001#')
      return [answers.accept ?? 'OK: key accepted', answers.proof ?? proof, answers.counter ?? counter];
    else if (payload.length === 16) answered = payload;
    else if (payload.startsWith('SYNCH')) return answered === md5(nonce) ? stat : [refusal];
    return [];
  };
}

/** The probe against that peer, without a network. */
function probed(peer: Peer, key: KeyObject | null = shared): ProbeResult | undefined {
  const dialogue = dialogue2('/csync/dsau/csync.sentinel', key, () => ({
    from: '10.9.0.11',
    greeting: 'CAUTH 10.9.0.11 m1 root 0',
  }));
  let received = Buffer.alloc(0);
  let said: string[] = [];
  const send = (bytes: Buffer | string): void => {
    const frame = decodeFrame(Buffer.from(bytes));
    if (frame.kind === 'frame') said.push(frame.payload);
  };
  for (let round = 0; round < 9; round += 1) {
    const { rest, result } = dialogue(received, send);
    if (result !== undefined) return result;
    const answers = said.flatMap(peer).map(encodeFrame);
    said = [];
    received = Buffer.concat([rest, ...answers]);
  }
  return undefined;
}

describe('the proof of generation 2', () => {
  it('takes the file of a daemon that has the key', () => {
    expect(probed(daemon(shared))).toEqual({ kind: 'served', stat: { size: 7, mtime: 2, inode: 4711 } });
  });

  it.each<[string, Peer]>([
    ['has another key', daemon(another)],
    ['answers with what it made up', daemon(shared, { proof: 'sixteen letters!' })],
    ['answers with nothing', daemon(shared, { proof: '' })],
    ['answers the file at once', (payload) => (payload.startsWith('SAUTH') ? stat : [])],
    ['sends a challenge that is none', daemon(shared, { counter: 'x'.repeat(256) })],
    ['sends a challenge of another length', daemon(shared, { counter: 'x' })],
  ])('takes a peer that %s for a stranger', (_, peer) => {
    expect(probed(peer)).toEqual({ kind: 'stranger', why: "answers with another key than the cluster's" });
  });

  it.each([
    ['BAD: key could not be accepted on trust', true],
    ['BAD: keys did not match', true],
    [refusal, false],
  ])('is none where the daemon says: %s', (accept, isTrust) => {
    expect(probed(daemon(shared, { accept }))).toEqual({ kind: 'unproved', why: accept, from: '10.9.0.11', isTrust });
  });

  it('is not owed by a daemon that has too many connections: it answers, and a restart would not help', () => {
    const accept = 'BAD: Server is currently too busy -- increase MaxConnections or Splaytime?';
    expect(probed(daemon(shared, { accept }))).toEqual({ kind: 'answered', why: accept });
    expect(probed(() => [accept], null)).toEqual({ kind: 'answered', why: accept });
  });

  it('is not asked for by who has no key of the cluster: a client', () => {
    expect(probed((payload) => (payload.startsWith('SYNCH') ? stat : []), null)).toMatchObject({ kind: 'served' });
  });
});
