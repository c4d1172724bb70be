/** What cfengine's daemons and programs say, and its keys. */
import { generateKeyPairSync } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { decodeFrame, encodeFrame, parseStat } from '../../../src/cfengine/frames.ts';
import { isCertificateOf, isPublicPartOf, peerKeyFileName, readPrivateKey } from '../../../src/cfengine/keys.ts';
import { type Dialogue, dialogue2, dialogue3, type ProbeResult } from '../../../src/cfengine/probe.ts';
import { clientsOf, parsePeers } from '../../../src/cluster/condition/clients.ts';
import { parseRuns, runsText } from '../../../src/cluster/procedures/remote-run.ts';
import { readCfrun, readRunagent } from '../../../src/cluster/procedures/run-outputs.ts';
import { base64, recorded, settings, settings2 } from '../samples.ts';
import { type FuzzedParser, hold } from '../trial.ts';

const frame = (payload: string): string => encodeFrame(payload).toString('latin1');
const stat = 'OK: 0 33188 33188 0 0 87 1790000000 1790000000 1790000000 0 131 1 64768';

/** What came of a dialogue when the bytes come in pieces of that size. */
function result(dialogue: Dialogue, bytes: Buffer, piece: number): ProbeResult | undefined {
  let received: Buffer = Buffer.alloc(0);
  for (let at = 0; at < bytes.length; at += piece) {
    const step = dialogue(Buffer.concat([received, bytes.subarray(at, at + piece)]), () => {});
    if (step.result !== undefined) return step.result;
    received = step.rest;
  }
  return undefined;
}

function inAnyPieces(start: () => Dialogue, text: string): ProbeResult | undefined {
  const bytes = Buffer.from(text, 'latin1');
  const whole = result(start(), bytes, Math.max(1, bytes.length));
  const piece = Math.max(1, Math.ceil(bytes.length / 7));
  hold('the pieces in which it comes make no difference', isDeepStrictEqual(result(start(), bytes, piece), whole));
  return whole;
}

const pair = generateKeyPairSync('rsa', {
  modulusLength: 1024,
  publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
});
const key = readPrivateKey(pair.privateKey);

const three =
  'own 127.0.0.1 10.9.0.11\npeers 1790000000\npeer Incoming   10.9.0.21     10.9.0.21      Mon Nov 23 11:58:42 2026   MD5=2367d15d98c35e69cbf218954a51478d\npeer Total Entries: 1\ncalled 10.9.0.21       c1.lab c1\n';
const two =
  'own 10.9.0.11\npeers 1790000000\npeer <?xml version="1.0"?>\npeer <output>\npeer <entry>\npeer <pm>\npeer -\npeer </pm>\npeer <hostname>\npeer c1.lab\npeer </hostname>\npeer <ip>\npeer 10.9.0.21\npeer </ip>\npeer <date>\npeer Mon Nov 23 11:30\npeer </date>\npeer <q>\npeer 0.50\npeer </q>\npeer </entry>\n';

const hosts = ['c1', 'c2', 'c3', 'c4'].map((name, index) => ({ name, addresses: [`10.9.0.2${index}`] }));
const hail = (said: string, status = 0): string => `out 0 ${base64(said)}\nend 0 ${status} 120\ncut 1\nskip 2 closed\ndone\n`;
const cfrun = 'cfrun(0):         .......... [ Hailing c1.lab ] ..........\n';
const dashes = '\n- - - - - - - - - - - - - - - - - - -\n\n';

const runs = (of: typeof settings) => (text: string) => {
  const read = parseRuns(text, of, hosts);
  // What an agent says comes in pieces of base64; both the lines and the words are foreign.
  const said = parseRuns(hail(text), of, hosts);
  hold('every host has an outcome', read.length === hosts.length && said.length === hosts.length);
  const one = of.cfengineGeneration === 3 ? readRunagent(text) : readCfrun(text, of);
  return [read, said, one, runsText(read, 'm1').length];
};

export const cfengine: readonly FuzzedParser[] = [
  {
    name: 'frames',
    of: 'cfengine daemon',
    samples: [frame(stat), stat, frame('BAD: refused')],
    words: ['t 5\0\0\0\0\0', 'm 999999', 'OK: '],
    parse: (text) => {
      const payload = text.slice(0, 60_000).replace(/[^\0-\xff]/g, '?');
      const back = decodeFrame(encodeFrame(payload));
      hold('a frame reads as it was written', back.kind === 'frame' && back.payload === payload && back.rest.length === 0);
      return [decodeFrame(Buffer.from(text, 'latin1')).kind, parseStat(text)];
    },
  },
  {
    name: 'dialogue of generation 3',
    of: 'cfengine daemon',
    samples: [
      `CFE_v2 cf-serverd 3.21.0\nOK WELCOME USERNAME=root\n${frame(stat)}${frame('OK: ')}`,
      `CFE_v3 x\nOK WELCOME\n${frame('BAD: x')}`,
    ],
    words: ['CFE_v2\n', 'OK WELCOME\n', frame('OK: '), frame(stat)],
    parse: (text) => inAnyPieces(() => dialogue3('/csync/x'), text),
  },
  {
    name: 'dialogue of generation 2',
    of: 'cfengine daemon',
    samples: [frame(stat) + frame('OK: '), frame('BAD: Host authorization/authentication failed')],
    words: [frame('OK: '), frame(stat)],
    parse: (text) => {
      const hello = () => ({ from: '10.9.0.11', greeting: 'CAUTH' });
      return [null, key].map((of) => inAnyPieces(() => dialogue2('/csync/x', of, hello), text));
    },
  },
  {
    name: 'keys',
    of: 'member, client',
    samples: [pair.privateKey],
    throws: (error) =>
      error instanceof Error &&
      /^ERR_(OSSL|CRYPTO|INVALID_ARG)|unsupported|^ERR_MISSING_PASSPHRASE/.test(String((error as NodeJS.ErrnoException).code)),
    parse: (text) => {
      isPublicPartOf(text, key);
      isCertificateOf(text, key);
      return readPrivateKey(text).type;
    },
  },
  {
    name: 'public keys',
    of: 'member, client',
    samples: [pair.publicKey],
    throws: (error) =>
      error instanceof Error &&
      (error instanceof TypeError || /^ERR_(OSSL|CRYPTO)/.test(String((error as NodeJS.ErrnoException).code))),
    parse: (text) => {
      hold('a key is of its pair or none', isPublicPartOf(text, key) === (isPublicPartOf(text, key) && text.includes('BEGIN')));
      return peerKeyFileName(text);
    },
  },
  {
    name: 'peers (cf-key -sn, cfshow)',
    of: 'cfengine',
    samples: [three, two, three + two],
    parse: (text) => {
      const peers = parsePeers(text);
      for (const client of clientsOf([{ member: 'm1', ...peers }]) ?? [])
        hold('a client was seen at a time', !Number.isNaN(new Date(client.at).getTime()));
      return peers;
    },
  },
  {
    name: 'remote runs (cf-runagent)',
    of: 'cfengine, agents',
    samples: [...recorded('cf-runagent'), ...recorded('cf-runagent').map((text) => hail(text))],
    parse: runs(settings),
  },
  {
    name: 'remote runs (cfrun)',
    of: 'cfengine, agents',
    samples: [
      `${cfrun}${dashes}cfengine:c1: Copying from csync.lab:/x\n${dashes}`,
      `${cfrun}cfrun:m1.lab: No response hailing c1.lab\n`,
      `${cfrun}${dashes}cfengine:c1:/bin/echo pol: policy v1\nine:c1: cfengine:c1: \ncfengine:c1: Authentication dialogue with csync.lab failed\n${dashes}`,
      hail(`${cfrun}${dashes}x\n${dashes}`),
    ],
    parse: runs(settings2),
  },
];
