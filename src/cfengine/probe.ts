/** Probes a daemon as a client would. Complete dialogues, closed properly, leave no line in its log [monitor.md 5.8]. */
import type { KeyObject } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { challengeOf } from './challenge.ts';
import { decodeFrame, encodeFrame, parseStat, type RemoteStat } from './frames.ts';

export type ProbeResult =
  | { readonly kind: 'served'; readonly stat: RemoteStat }
  /** It does not serve us the file (refused, absent, key not trusted). */
  | { readonly kind: 'answered'; readonly why: string }
  /** No answer in cfengine's protocol within the limit. */
  | { readonly kind: 'silent'; readonly why: string }
  /** Generation 2: the daemon refuses the proof of keys. Its reason, and our address as it sees it. */
  | { readonly kind: 'unproved'; readonly why: string; readonly from: string; readonly isTrust: boolean }
  /** Another key than the cluster's: clients refuse it. */
  | { readonly kind: 'stranger'; readonly why: string }
  /** A fault of this host proves nothing about the daemon. */
  | { readonly kind: 'unknown'; readonly why: string };

export interface ProbeTarget {
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly timeoutMs: number;
  /** For a client, with a key of its own. */
  readonly anyKey?: boolean;
}

/** Members share the key, so their daemons answer with it. Generation 3 needs a certificate, too. */
export interface ProbeIdentity {
  readonly key: KeyObject;
  /** PEM; generation 2: empty. */
  readonly certificate: string;
}

/** A dialogue has a few hundred bytes. */
const mostReceivedBytes = 131_072;
/** For the other side's FIN. */
const closingLimitMs = 1000;
const closingLookMs = 10;
const mostBytesBehindTheEnd = 16_384;

/** Of this host, not of the daemon. */
const ownTroubles = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EAGAIN', 'EADDRNOTAVAIL', 'EACCES', 'EPERM']);

/** Consumes bytes; returns the rest, or a result. */
export type Dialogue = (
  received: Buffer,
  send: (bytes: Buffer | string) => void,
) => { readonly rest: Buffer; readonly result?: ProbeResult };

/** The other side may ignore our FIN and stream on. TLS discards that: this counts the bytes of TCP. */
function leaveSoon(socket: Socket, tcp: Socket): void {
  const { bytesRead } = tcp;
  let looks = 0;
  const timer = setInterval(() => {
    looks += 1;
    if (looks * closingLookMs >= closingLimitMs || tcp.bytesRead - bytesRead > mostBytesBehindTheEnd) socket.destroy();
  }, closingLookMs);
  timer.unref();
  socket.unref().once('close', () => clearInterval(timer));
}

/** `started`: resolves when the dialogue can begin, or with why not. */
function converse(
  socket: Socket,
  timeoutMs: number,
  started: Promise<ProbeResult | undefined>,
  dialogue: Dialogue,
  tcp: Socket = socket,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    let received: Buffer = Buffer.alloc(0);
    let connected = false;
    let greeted = false;
    let isOver = false;
    const finish = (result: ProbeResult): void => {
      if (isOver) return;
      clearTimeout(timer);
      isOver = true;
      received = Buffer.alloc(0);
      // A reset is a line in the daemon's log.
      socket.end();
      leaveSoon(socket, tcp);
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
    // Closed without an answer: too many connections, or our address [cfengine.md 1.12]. A failover would not help; a lasting refusal has
    // its own limit.
    const broken = (why: string): void => {
      if (greeted) finish({ kind: 'answered', why: `the daemon closed the connection (${why})` });
      else if (connected) finish({ kind: 'unknown', why: `the daemon closed the connection without an answer (${why})` });
      else finish({ kind: 'silent', why });
    };
    tcp.on('connect', () => {
      connected = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const why = error.code ?? error.message;
      if (ownTroubles.has(why)) return finish({ kind: 'unknown', why });
      broken(why);
    });
    socket.on('close', () => broken('closed'));
    socket.on('data', (bytes: Buffer) => {
      greeted = true;
      if (isOver) return;
      received = Buffer.concat([received, bytes]);
      if (received.length <= mostReceivedBytes) return advance();
      finish({ kind: 'silent', why: `not cfengine's protocol: more than ${mostReceivedBytes} bytes for an answer` });
      socket.destroy();
    });
    void started.then((refusal) => {
      if (isOver) return;
      if (refusal === undefined) advance();
      else finish(refusal);
    });
  });
}

/** Parsing them takes half of the preparation. */
const contexts = new WeakMap<ProbeIdentity, SecureContext>();

function contextOf(identity: ProbeIdentity): SecureContext {
  const known =
    contexts.get(identity) ??
    createSecureContext({ key: identity.key.export({ type: 'pkcs8', format: 'pem' }) as string, cert: identity.certificate });
  contexts.set(identity, known);
  return known;
}

/** TLS, greeting, identity, STAT [cfengine.md 2.9]. */
export function probeGeneration3(target: ProbeTarget, identity: ProbeIdentity): Promise<ProbeResult> {
  const tcp = connectTcp({ host: target.address, port: target.port });
  const socket = connectTls({
    socket: tcp,
    secureContext: contextOf(identity),
    // Made anew at each start; cfengine's clients check its key.
    rejectUnauthorized: false,
  });
  const started = new Promise<ProbeResult | undefined>((resolve) =>
    socket.once('secureConnect', () => {
      const isOurs = target.anyKey === true || socket.getPeerX509Certificate()?.checkPrivateKey(identity.key) === true;
      resolve(isOurs ? undefined : stranger);
    }),
  );
  return converse(socket, target.timeoutMs, started, dialogue3(target.path), tcp);
}

/** After the handshake; bytes arrive in any pieces. */
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

/** Opened and closed without a byte: no line in the daemon's log [monitor.md 2]. The backlog also accepts for a stopped daemon. */
export function probePort({ address, port, timeoutMs }: Omit<ProbeTarget, 'path'>): Promise<ProbeResult> {
  const socket = connectTcp({ host: address, port });
  const started = new Promise<undefined>((resolve) => socket.once('connect', () => resolve(undefined)));
  let isConnected = false;
  void started.then(() => {
    isConnected = true;
  });
  return converse(socket, timeoutMs, started, (rest) =>
    isConnected ? { rest, result: { kind: 'answered', why: 'connected' } } : { rest },
  );
}

/** Greeting, proof of the shared key, STAT [cfengine.md 1.8, 1.14]. `key` null: does not identify the daemon. */
export function probeGeneration2(target: ProbeTarget, key: KeyObject | null, ownName: string): Promise<ProbeResult> {
  const socket = connectTcp({ host: target.address, port: target.port });
  const started = new Promise<undefined>((resolve) => socket.once('connect', () => resolve(undefined)));
  const dialogue = dialogue2(target.path, key, () => {
    const from = socket.localAddress ?? '127.0.0.1';
    return { from, greeting: `CAUTH ${from} ${ownName} root 0` };
  });
  return converse(socket, target.timeoutMs, started, dialogue);
}

/** It does not have our key under our address. */
const distrust = /could not be accepted on trust|keys did not match/;

/** The daemon sends nothing before the greeting. */
export function dialogue2(
  path: string,
  key: KeyObject | null,
  hello: () => { readonly from: string; readonly greeting: string },
): Dialogue {
  const challenge = key === null ? null : challengeOf(key);
  let state: 'greeting' | 'key' | 'proof' | 'counter' | 'stat' = 'greeting';
  let from = '';
  return (received, send) => {
    const say = (payloads: readonly string[]): void => {
      for (const payload of payloads) send(encodeFrame(payload));
    };
    if (state === 'greeting') {
      const { from: address, greeting } = hello();
      from = address;
      state = challenge === null ? 'stat' : 'key';
      say([greeting, ...(challenge?.opening ?? [statRequest(path)])]);
    }
    let rest = received;
    while (state !== 'stat') {
      const frame = takeFrame(rest);
      if (!('payload' in frame)) return frame;
      const { payload } = frame;
      rest = frame.rest;
      // Above MaxConnections [cfengine.md 1.13]: a restart would not help.
      if (/^BAD: .*too busy/.test(payload)) return { rest, result: { kind: 'answered', why: payload } };
      if (payload.startsWith('BAD:'))
        return { rest, result: { kind: 'unproved', why: payload, from, isTrust: distrust.test(payload) } };
      if (state === 'key') state = 'proof';
      else if (state === 'proof') {
        if (challenge?.isProof(payload) !== true) return { rest, result: stranger };
        state = 'counter';
      } else {
        const answer = challenge?.answer(payload) ?? null;
        if (answer === null) return { rest, result: stranger };
        say([...answer, statRequest(path)]);
        state = 'stat';
      }
    }
    return statAnswer(rest);
  };
}

const stranger: ProbeResult = { kind: 'stranger', why: "answers with another key than the cluster's" };

function statRequest(path: string): string {
  return `SYNCH ${Math.floor(Date.now() / 1000)} STAT ${path}`;
}

function takeFrame(
  received: Buffer,
): { readonly payload: string; readonly rest: Buffer } | { readonly rest: Buffer; readonly result?: ProbeResult } {
  const frame = decodeFrame(received);
  if (frame.kind === 'frame') return frame;
  if (frame.kind === 'incomplete') return { rest: received };
  return { rest: received, result: { kind: 'silent', why: `not cfengine's protocol: ${frame.why}` } };
}

function statAnswer(received: Buffer): { readonly rest: Buffer; readonly result?: ProbeResult } {
  const frame = takeFrame(received);
  if (!('payload' in frame)) return frame;
  const stat = parseStat(frame.payload);
  if (stat === null) return { rest: frame.rest, result: { kind: 'answered', why: frame.payload } };
  // The second transaction is about the link target.
  const second = decodeFrame(frame.rest);
  if (second.kind === 'incomplete') return { rest: received };
  return { rest: Buffer.alloc(0), result: { kind: 'served', stat } };
}
