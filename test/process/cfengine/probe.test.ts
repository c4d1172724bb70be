/** The probe against peers that are no daemon of the cluster's: impostors, and such as never stop. */
import { spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { build } from 'esbuild';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { monitorOptions } from '../../../src/base/version.ts';
import { selfSignedCertificate } from '../../../src/cfengine/certificate.ts';
import { encodeFrame } from '../../../src/cfengine/frames.ts';
import { generateKeyPair, readPrivateKey } from '../../../src/cfengine/keys.ts';
import { type ProbeIdentity, type ProbeResult, probeGeneration2, probeGeneration3 } from '../../../src/cfengine/probe.ts';
import { eventually, repository, scratchDirectory } from '../../support.ts';

const stat = 'OK: 0 420 420 0 0 256 1 1764000000 1 0 42 1 2049';
const limits = { port: 0, path: '/csync/dsau/csync.sentinel', timeoutMs: 2000 };

async function identity(): Promise<ProbeIdentity> {
  const { privateKey } = await generateKeyPair();
  return { key: readPrivateKey(privateKey), certificate: selfSignedCertificate(privateKey) };
}

const open: { readonly server: Server; readonly sockets: Set<Socket> }[] = [];

afterEach(() => {
  for (const { server, sockets } of open.splice(0)) {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
});

/** Listens on a port of its own; the port, and how many connections are open. */
async function listening(server: Server): Promise<{ readonly port: number; connections(): Promise<number> }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})));
  open.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const connections = (): Promise<number> => new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
  return { port: (server.address() as AddressInfo).port, connections };
}

/** Speaks as cf-serverd does, under a key. `behind` has the connection once the answer is sent. */
function serverd({ key, certificate }: ProbeIdentity, behind: (socket: Socket) => void = () => {}): Server {
  const pem = key.export({ type: 'pkcs8', format: 'pem' }) as string;
  return createTlsServer({ key: pem, cert: certificate, allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.write('CFE_v3 cf-serverd 3.21.0\n');
    let step = 0;
    socket.on('data', () => {
      step += 1;
      if (step === 1) socket.write('OK WELCOME\n');
      else if (step === 2) {
        socket.write(Buffer.concat([encodeFrame(stat), encodeFrame('OK:')]));
        behind(socket);
      }
    });
  });
}

/** Writes as fast as it is taken, after any input. */
function streamTo(socket: Socket): void {
  const piece = Buffer.alloc(65_536, 'x');
  const write = (): void => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', write);
  write();
}

describe('the key of the daemon', () => {
  it('is the own one of every member; an answer with another counts for nothing', async () => {
    const [ours, other] = [await identity(), await identity()];
    const ask = async (server: Server, anyKey = false): Promise<ProbeResult> =>
      probeGeneration3({ ...limits, address: '127.0.0.1', port: (await listening(server)).port, anyKey }, ours);
    expect(await ask(serverd(ours))).toMatchObject({ kind: 'served', stat: { inode: 42 } });
    expect(await ask(serverd({ ...(await identity()), ...ours }))).toMatchObject({ kind: 'served' });
    expect(await ask(serverd(other))).toEqual({ kind: 'stranger', why: "answers with another key than the cluster's" });
    expect(await ask(serverd(other), true), 'a client has a key of its own').toMatchObject({ kind: 'served' });
  });

  it('is compared also where it was read from another form of the file', async () => {
    const ours = await identity();
    const again = { ...ours, key: createPrivateKey(ours.key.export({ type: 'pkcs1', format: 'pem' })) };
    const { port } = await listening(serverd(ours));
    expect(await probeGeneration3({ ...limits, address: '127.0.0.1', port }, again)).toMatchObject({ kind: 'served' });
  });
});

describe('a peer that never stops', () => {
  /** Bytes that came in here, while the event loop was never away for long. */
  async function probed(server: Server, probe: (port: number) => Promise<ProbeResult>) {
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    let sent = 0;
    server.on('connection', (socket: Socket) => socket.once('close', () => (sent += socket.bytesWritten)));
    const peer = await listening(server);
    const answer = await probe(peer.port);
    await eventually('the connection to be over', async () => (await peer.connections()) === 0, 3000);
    clearInterval(timer);
    return { answer, sent, longest };
  }

  /** What fills the buffers of the kernel on the way is written, though never read here. */
  const mostSent = 16_000_000;

  it('behind its answer is left, of generation 3', async () => {
    const ours = await identity();
    const { answer, sent, longest } = await probed(serverd(ours, streamTo), (port) =>
      probeGeneration3({ ...limits, address: '127.0.0.1', port }, ours),
    );
    expect(answer).toMatchObject({ kind: 'served' });
    expect(sent).toBeLessThan(mostSent);
    expect(longest).toBeLessThan(400);
  });

  it('instead of an answer is no daemon, of generation 2', async () => {
    const server = createServer((socket) => {
      socket.write('t 99\0\0\0\0');
      streamTo(socket);
    });
    const { answer, sent } = await probed(server, (port) =>
      probeGeneration2({ ...limits, address: '127.0.0.1', port }, null, 'm1'),
    );
    expect(answer.kind).not.toBe('served');
    expect(sent).toBeLessThan(mostSent);
  });
});

describe('a hostile peer', () => {
  const timeoutMs = 500;
  const times = 5;
  let own: ProbeIdentity;
  beforeAll(async () => {
    own = await identity();
  });

  /** Behind TLS and a sound greeting, these bytes in place of the answer. */
  const answering = (bytes: string) => (own: ProbeIdentity) =>
    createTlsServer({ key: own.key.export({ type: 'pkcs8', format: 'pem' }), cert: own.certificate }, (socket) => {
      socket.on('error', () => {});
      socket.write('CFE_v3 cf-serverd 3.21.0\n');
      socket.once('data', () => socket.write('OK WELCOME\n') && socket.once('data', () => socket.write(bytes)));
    });
  const afterTls = (talk: (socket: Socket) => void) => (own: ProbeIdentity) =>
    createTlsServer({ key: own.key.export({ type: 'pkcs8', format: 'pem' }), cert: own.certificate }, (socket) => {
      socket.on('error', () => {});
      talk(socket);
    });
  function drip(socket: Socket): void {
    const timer = setInterval(() => socket.write('C'), 20);
    socket.once('close', () => clearInterval(timer));
  }
  const reset = (socket: Socket): void => void socket.once('data', () => socket.resetAndDestroy());

  it.each<[string, (own: ProbeIdentity) => Server, ProbeResult['kind']]>([
    ['silent', () => createServer(() => {}), 'silent'],
    ['silent after TLS', afterTls(() => {}), 'silent'],
    ['a byte at a time', afterTls(drip), 'silent'],
    ['a frame of negative length', answering('t -5\0\0\0\0'), 'silent'],
    ['a frame of 999,999 bytes', answering('t 999999'), 'silent'],
    ['a reset', () => createServer(reset), 'unknown'],
  ])('costs a probe of generation 3 no more than its limit: %s', async (_, peer, kind) => {
    const { port } = await listening(peer(own));
    const began = performance.now();
    const asked = Array.from({ length: times }, () =>
      probeGeneration3({ ...limits, timeoutMs, address: '127.0.0.1', port }, own),
    );
    const kinds = (await Promise.all(asked)).map((answer) => answer.kind);
    expect(kinds).toEqual(kinds.map(() => kind));
    expect(performance.now() - began).toBeLessThan(timeoutMs + 500);
  });

  it.each<[string, (socket: Socket) => void, ProbeResult['kind']]>([
    ['silent', () => {}, 'silent'],
    ['a byte at a time', drip, 'silent'],
    ['a frame of negative length', (socket) => void socket.write('t -5\0\0\0\0'), 'silent'],
    ['a frame of 999,999 bytes', (socket) => void socket.write('t 999999'), 'silent'],
    ['a reset', reset, 'unknown'],
  ])('costs a probe of generation 2 no more than its limit: %s', async (_, talk, kind) => {
    const { port } = await listening(createServer(talk));
    const began = performance.now();
    const asked = Array.from({ length: times }, () =>
      probeGeneration2({ ...limits, timeoutMs, address: '127.0.0.1', port }, null, 'm1'),
    );
    const kinds = (await Promise.all(asked)).map((answer) => answer.kind);
    expect(kinds).toEqual(kinds.map(() => kind));
    expect(performance.now() - began).toBeLessThan(timeoutMs + 500);
  });
});

it('has a certificate made within moments, in a Node.js without its compiler as well', async () => {
  const directory = scratchDirectory();
  mkdirSync(directory, { recursive: true });
  const [maker, key, program] = ['certificate.cjs', 'key.pem', 'made.cjs'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const bundle = { entryPoints: [join(repository, 'src/cfengine/certificate.ts')], outfile: maker };
  await build({ ...bundle, bundle: true, platform: 'node', format: 'cjs' });
  writeFileSync(key, (await generateKeyPair()).privateKey);
  writeFileSync(
    program,
    `const { selfSignedCertificate } = require('./certificate.cjs');
const pem = require('node:fs').readFileSync(${JSON.stringify(key)}, 'utf8');
const before = process.cpuUsage();
selfSignedCertificate(pem);
const { user, system } = process.cpuUsage(before);
console.log((user + system) / 1000);`,
  );
  const { stdout } = spawnSync(process.execPath, [...monitorOptions(process.version), program], { encoding: 'utf8' });
  // The event loop of the monitor stands still meanwhile: it was 600 ms of processor time, and is 10.
  expect(Number.parseFloat(stdout)).toBeLessThan(200);
});
