/**
 * `client.cjs COMMAND [ARGUMENT...]` is every cm* command on a lab member: passes name, arguments and directory to the lab's daemon, prints
 * the output, and asks its questions on the terminal.
 */

import { hostname } from 'node:os';
import { createInterface } from 'node:readline';
import { shortName } from '../base/network.ts';
import { type Connection, connect } from '../host/lab/lab-socket.ts';
import { err, out } from '../host/output.ts';
import { sharedDirectory } from './machines/lab-spec.ts';

async function answer(connection: Connection, question: string): Promise<void> {
  // The daemon then prints the option to use.
  if (!process.stdin.isTTY) return connection.send({ answer: null });
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const text = await new Promise<string>((resolve) => terminal.question(question, resolve));
  terminal.close();
  connection.send({ answer: text });
}

/** A host's name may be full or in capitals; Serviceguard's node name is not. */
const nodeName = (host: string): string => shortName(host).toLowerCase();

async function main(): Promise<void> {
  const [command = '', ...argv] = process.argv.slice(2);
  const socket = process.getuid?.() === 0 ? 'control' : 'monitor';
  const connection = await connect(`${sharedDirectory}/${socket}.sock`);
  connection.onMessage((message) => {
    if (typeof message.out === 'string') out(`${message.out}\n`);
    if (typeof message.err === 'string') err(`${message.err}\n`);
    if (typeof message.ask === 'string') void answer(connection, message.ask);
    if (typeof message.problem === 'string') {
      err(`${command}: ${message.problem}\n`);
      process.exitCode = 1;
      connection.end();
    }
    if (typeof message.exit === 'number') {
      process.exitCode = message.exit;
      connection.end();
    }
  });
  connection.onClose(() => {
    if (process.exitCode !== undefined) return;
    err(`${command}: Unable to connect to daemon.\n`);
    process.exitCode = 1;
  });
  connection.send({ kind: 'command', command, argv, member: nodeName(hostname()), directory: process.cwd() });
}

main().catch(() => {
  err(`${process.argv[2] ?? ''}: Unable to connect to daemon.\n`);
  process.exitCode = 1;
});
