/** JSON objects, one a line, between cm* commands, csync and the lab's daemon. Path sockets work across network namespaces. */
import { chmodSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export interface Connection {
  send(message: object): void;
  onMessage(listener: (message: Record<string, unknown>) => void): void;
  onClose(listener: () => void): void;
  end(): void;
}

function connection(socket: Socket): Connection {
  const listeners: ((message: Record<string, unknown>) => void)[] = [];
  const waiting: Record<string, unknown>[] = [];
  const lines = createInterface({ input: socket });
  lines.on('line', (line) => {
    let message: Record<string, unknown>;
    try {
      message = JSON.parse(line) as Record<string, unknown>;
    } catch {
      socket.destroy();
      return;
    }
    if (listeners.length === 0) waiting.push(message);
    for (const listener of listeners) listener(message);
  });
  // A peer may exit within a line. The interface passes the error on, which would end this process.
  socket.on('error', () => socket.destroy());
  lines.on('error', () => socket.destroy());
  return {
    send: (message) => void socket.write(`${JSON.stringify(message)}\n`),
    onMessage: (listener) => {
      listeners.push(listener);
      for (const message of waiting.splice(0)) listener(message);
    },
    onClose: (listener) => void socket.once('close', listener),
    end: () => void socket.end(),
  };
}

/** Only this user may connect unless `mode` allows more. Replaces the socket of a dead lab. Rejects with the errno error. */
export function listen(path: string, onConnection: (connection: Connection) => void, mode = 0o600): Promise<Server> {
  rmSync(path, { force: true });
  const server = createServer((socket) => onConnection(connection(socket)));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      chmodSync(path, mode);
      resolve(server);
    });
  });
}

/** Until this process exits. Resolves to a function that releases it; null: another process has it. */
export function claimName(name: string): Promise<(() => void) | null> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)));
    // Abstract: no file.
    server.listen(`\0${name}`, () => resolve(() => void server.close()));
    server.unref();
  });
}

/** Rejects with the errno error if no process listens. */
export function connect(path: string): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(connection(socket));
    });
  });
}
