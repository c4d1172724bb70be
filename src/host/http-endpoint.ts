/** A server for figures: a few fixed pages, GET only, small limits. Loads Node's server only where one is wanted. */
import type { Server } from 'node:http';

export interface Page {
  readonly type: string;
  text(): string;
}

/** `failed` is called when the address cannot be listened on; nothing else becomes of it. Keeps no process running. */
export function serveFigures(
  where: { readonly host: string; readonly port: number },
  pages: Readonly<Record<string, Page>>,
  failed: (why: string) => void,
): void {
  // Not loaded by most monitors: it is a tenth of what an idle Node.js needs.
  import('node:http').then(
    ({ createServer }) => {
      const server: Server = createServer(
        { maxHeaderSize: 4096, requestTimeout: 5000, headersTimeout: 5000 },
        (request, response) => {
          const page = Object.hasOwn(pages, request.url ?? '') ? pages[request.url ?? ''] : undefined;
          const isRead = request.method === 'GET' || request.method === 'HEAD';
          request.resume();
          if (page === undefined || !isRead) response.writeHead(isRead ? 404 : 405).end();
          else response.writeHead(200, { 'content-type': page.type, connection: 'close' }).end(page.text());
        },
      );
      server.maxConnections = 8;
      server.on('error', (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
      server.listen(where).unref();
    },
    () => failed('no HTTP server in this Node.js'),
  );
}
