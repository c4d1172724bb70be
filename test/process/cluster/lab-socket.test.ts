import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connect } from '../../../src/host/lab/lab-socket.ts';
import { scratchDirectory } from '../../support.ts';

const directory = scratchDirectory();

it('a peer that goes away with words unread closes the connection and ends nothing else', async () => {
  const path = join(directory, 'control.sock');
  // Closing with unread data makes the kernel answer with ECONNRESET.
  const server = createServer({ pauseOnConnect: true }, (socket) => setTimeout(() => socket.destroy(), 50));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const connection = await connect(path);
  connection.send({ unread: true });
  await new Promise<void>((resolve) => connection.onClose(resolve));
  server.close();
  expect(server.listening).toBe(false);
});
