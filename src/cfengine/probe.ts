/**
 * Asks a cfengine daemon through the network what a client would ask: are you there, and do you serve this file? Complete
 * dialogues only, ended in the protocol's own way, because those leave no line in the daemon's log [monitor.md 5.8].
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { decodeFrame, encodeFrame, parseStat, type RemoteStat } from './frames.ts';

export type ProbeResult =
  /** The daemon answered and serves the file. */
  | { readonly kind: 'served'; readonly stat: RemoteStat }
  /** The daemon answered, but does not serve the file to us (refused, absent, key not trusted). */
  | { readonly kind: 'answered'; readonly why: string }
  /** No answer of the protocol within the limit. */
  | { readonly kind: 'silent'; readonly why: string }
  /** Our own fault or want: says nothing about the daemon. */
  | { readonly kind: 'cannot-tell'; readonly why: string };

export interface ProbeTarget {
  readonly address: string;
  readonly port: number;
  /** File to ask for. */
  readonly path: string;
  readonly timeoutMs: number;
}

/** A key and its certificate, PEM, for generation 3. */
export interface ProbeIdentity {
  readonly key: string;
  readonly certificate: string;
}

/** errno names that speak of this host and not of the daemon. */
const ownTroubles = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EAGAIN', 'EADDRNOTAVAIL', 'EACCES', 'EPERM']);

/** One step of a dialogue: looks at what has come, takes it, says what to send; or ends with a result. */
export type Dialogue = (
  received: Buffer,
  send: (bytes: Buffer | string) => void,
) => { readonly rest: Buffer; readonly result?: ProbeResult };

function converse(socket: Socket, timeoutMs: number, started: Promise<void>, dialogue: Dialogue): Promise<ProbeResult> {
  return new Promise((resolve) => {
    let received: Buffer = Buffer.alloc(0);
    let connected = false;
    let greeted = false;
    const finish = (result: ProbeResult): void => {
      clearTimeout(timer);
      // FIN, never RST: an abrupt end is a line in the daemon's log.
      socket.end();
      socket.setTimeout(1000, () => socket.destroy());
      socket.unref();
      resolve(result);
    };
    const timer = setTimeout(() => {
      finish({ kind: 'silent', why: `no answer within ${timeoutMs} ms` });
      socket.destroy();
    }, timeoutMs);
    const advance = (): void => {
      const { rest, result } = dialogue(received, (bytes) => void socket.write(bytes));
      received = rest;
      if (result !== undefined) finish(result);
    };
    // Whoever closes a connection without a word runs and turns us away: too many connections, or an address that may not
    // connect [cfengine.md 1.12]. Moving the package at a rush of clients would help nobody; lasting, it has its own limit.
    const broken = (why: string): void => {
      if (greeted) finish({ kind: 'answered', why: `connection ended by the daemon (${why})` });
      else if (connected) finish({ kind: 'cannot-tell', why: `the daemon closes the connection without a word (${why})` });
      else finish({ kind: 'silent', why });
    };
    socket.on('connect', () => {
      connected = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const why = error.code ?? error.message;
      if (ownTroubles.has(why)) return finish({ kind: 'cannot-tell', why });
      broken(why);
    });
    socket.on('close', () => broken('closed'));
    socket.on('data', (bytes: Buffer) => {
      greeted = true;
      received = Buffer.concat([received, bytes]);
      advance();
    });
    started.then(advance, () => {});
  });
}

/** Reading key and certificate costs as much as the rest of a probe's preparation; who asks again has them read. */
const contexts = new WeakMap<ProbeIdentity, SecureContext>();

function contextOf(identity: ProbeIdentity): SecureContext {
  const known = contexts.get(identity) ?? createSecureContext({ key: identity.key, cert: identity.certificate });
  contexts.set(identity, known);
  return known;
}

/** Generation 3: TLS, greeting, identity, STAT [cfengine.md 2.9]. */
export function probeGeneration3(target: ProbeTarget, identity: ProbeIdentity): Promise<ProbeResult> {
  const socket = connectTls({
    host: target.address,
    port: target.port,
    secureContext: contextOf(identity),
    // The server's certificate is thrown away at each start; its key is checked by cfengine's own clients.
    rejectUnauthorized: false,
  });
  const started = new Promise<void>((resolve) => socket.once('secureConnect', () => resolve()));
  return converse(socket, target.timeoutMs, started, dialogue3(target.path));
}

/** What generation 3 and we say to each other behind the handshake; the bytes may come in any pieces. */
export function dialogue3(path: string): Dialogue {
  let state: 'greeting' | 'welcome' | 'stat' = 'greeting';
  return (received, send) => {
    let rest = received;
    for (;;) {
      if (state !== 'stat') {
        const end = rest.indexOf('\n');
        if (end === -1) return { rest };
        const line = rest.subarray(0, end).toString('latin1');
        rest = rest.subarray(end + 1);
        if (state === 'greeting') {
          if (!line.startsWith('CFE_v'))
            return { rest, result: { kind: 'silent', why: `not cfengine's protocol: ${JSON.stringify(line.slice(0, 40))}` } };
          send('CFE_v3 cf-agent 3.21.0\nIDENTITY USERNAME=root\n');
          state = 'welcome';
        } else {
          if (!line.startsWith('OK WELCOME')) return { rest, result: { kind: 'answered', why: line } };
          send(encodeFrame(statRequest(path)));
          state = 'stat';
        }
        continue;
      }
      return statAnswer(rest);
    }
  };
}

/**
 * Whether connections are taken at all: made and ended without a word, which leaves no line in the daemon's log
 * [monitor.md 2]. A daemon that is stopped takes them, too: its backlog does.
 */
export function probePort({ address, port, timeoutMs }: Omit<ProbeTarget, 'path'>): Promise<ProbeResult> {
  const socket = connectTcp({ host: address, port });
  const started = new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  let isConnected = false;
  void started.then(() => {
    isConnected = true;
  });
  return converse(socket, timeoutMs, started, (rest) =>
    isConnected ? { rest, result: { kind: 'answered', why: 'connected' } } : { rest },
  );
}

/** Generation 2: greeting without authentication, then STAT [cfengine.md 1.8]. */
export function probeGeneration2(target: ProbeTarget, ownName: string): Promise<ProbeResult> {
  const socket = connectTcp({ host: target.address, port: target.port });
  const started = new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return converse(
    socket,
    target.timeoutMs,
    started,
    dialogue2(target.path, () => `CAUTH ${socket.localAddress ?? '127.0.0.1'} ${ownName} root 0`),
  );
}

/** The same of generation 2, which says nothing before it was greeted. */
export function dialogue2(path: string, greeting: () => string): Dialogue {
  let sent = false;
  return (received, send) => {
    if (!sent) {
      sent = true;
      send(encodeFrame(greeting()));
      send(encodeFrame(statRequest(path)));
    }
    return statAnswer(received);
  };
}

function statRequest(path: string): string {
  return `SYNCH ${Math.floor(Date.now() / 1000)} STAT ${path}`;
}

function statAnswer(received: Buffer): { readonly rest: Buffer; readonly result?: ProbeResult } {
  const frame = decodeFrame(received);
  if (frame.kind === 'incomplete') return { rest: received };
  if (frame.kind === 'garbage')
    return { rest: received, result: { kind: 'silent', why: `not cfengine's protocol: ${frame.why}` } };
  const stat = parseStat(frame.payload);
  if (stat === null) return { rest: frame.rest, result: { kind: 'answered', why: frame.payload } };
  // The second transaction, the link target, completes the dialogue.
  const second = decodeFrame(frame.rest);
  if (second.kind === 'incomplete') return { rest: received };
  return { rest: Buffer.alloc(0), result: { kind: 'served', stat } };
}
