/**
 * Serves fixed pages: GET, one request a connection. Clients may be hostile: each gets few seconds and kilobytes, and the address with the
 * most connections loses its oldest.
 */
import { createServer, type Socket } from 'node:net';

export interface Page {
  readonly type: string;
  text(): string;
}

const connectionsAtMost = 32;
const requestBytes = 4096;
const wholeLimitMs = 3000;

const phrases = { 200: 'OK', 400: 'Bad Request', 404: 'Not Found', 405: 'Method Not Allowed' } as const;

export function answerTo(head: string, pages: Readonly<Record<string, Page>>): string {
  const [, method, path = ''] = /^([A-Z]+) (\S+) HTTP\/1\.[01]\r?\n/.exec(head) ?? [];
  const isRead = method === 'GET' || method === 'HEAD';
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  const status = method === undefined ? 400 : !isRead ? 405 : page === undefined ? 404 : 200;
  const body = status === 200 && page !== undefined ? page.text() : '';
  const lines = [
    `HTTP/1.1 ${status} ${phrases[status]}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...(status === 200 ? [`Content-Type: ${page?.type}`] : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${method === 'HEAD' ? '' : body}`;
}

function mostGreedy(open: ReadonlyMap<Socket, string>): Socket | undefined {
  const byAddress = new Map<string, Socket[]>();
  for (const [socket, address] of open) byAddress.set(address, [...(byAddress.get(address) ?? []), socket]);
  return [...byAddress.values()].sort((one, other) => other.length - one.length)[0]?.[0];
}

/** `failed`: cannot listen on the address, or no longer. */
export function serveFigures(
  where: { readonly host: string; readonly port: number },
  pages: Readonly<Record<string, Page>>,
  failed: (why: string) => void,
): void {
  const open = new Map<Socket, string>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const timer = setTimeout(() => socket.destroy(), wholeLimitMs);
    open.set(socket, socket.remoteAddress ?? '');
    socket
      .on('error', () => {})
      .once('close', () => {
        clearTimeout(timer);
        open.delete(socket);
      });
    if (open.size > connectionsAtMost) mostGreedy(open)?.destroy();
    let head = '';
    const heard = (piece: Buffer): void => {
      head += piece.toString('latin1');
      if (!/\r?\n\r?\n/.test(head) && head.length <= requestBytes) return;
      socket.off('data', heard).pause();
      socket.end(answerTo(head, pages), () => socket.destroy());
    };
    socket.on('data', heard).once('end', () => socket.end());
  });
  server.on('error', (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
  server.listen(where);
}
