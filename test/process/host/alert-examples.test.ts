/** examples/alerts: hooks that are called as csync calls them; the webhook only reaches this host. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { environmentOf, noticeOf } from '../../../src/verbs/cluster/alert-delivery.ts';
import { have, repository, scratchDirectory } from '../../support.ts';

const examples = join(repository, 'examples/alerts');
const scratch = scratchDirectory();
const notice = noticeOf(
  { event: 'package-down', subject: '', state: 'raised', text: 'csync is down', fix: 'csync status', since: 0 },
  'csync',
  'm2',
  60_000,
);

/** As csync does: the event in the environment and as JSON. */
function call(name: string, env: Record<string, string>): Promise<{ status: number | null; stderr: string }> {
  const child = spawn('/bin/sh', [join(examples, name)], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...environmentOf(notice, 1), ...env },
  });
  child.stdin.end(`${JSON.stringify(notice)}\n`);
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, stderr })));
}

/** A web server on this host that answers with this status. */
async function webhook(status: number): Promise<{ config: string; got: string[] }> {
  const got: string[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    let body = '';
    for await (const part of request) body += part;
    got.push(`${request.method} ${request.headers['content-type']} ${body}`);
    response.writeHead(status).end('thanks');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const config = join(scratch, `webhook-${status}.conf`);
  writeFileSync(config, `url = "http://127.0.0.1:${(server.address() as AddressInfo).port}/csync?token=secret"\n`, {
    mode: 0o600,
  });
  return { config, got };
}

describe('examples/alerts', () => {
  it.skipIf(!have('shellcheck'))('has scripts for any shell', () => {
    const files = readdirSync(examples).map((name) => join(examples, name));
    expect(spawnSync('shellcheck', ['-s', 'sh', ...files], { encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '' });
  });

  it.skipIf(!have('curl'))('webhook posts the event, and its address is in no argument', async () => {
    const { config, got } = await webhook(200);
    expect(await call('webhook', { CSYNC_WEBHOOK_CONFIG: config })).toEqual({ status: 0, stderr: '' });
    expect(got).toEqual([`POST application/json ${JSON.stringify(notice)}\n`]);
    expect(readFileSync(join(examples, 'webhook'), 'utf8')).not.toMatch(/--url/);
  });

  it.skipIf(!have('curl'))('webhook fails where the server refuses, or no server is', async () => {
    const { config } = await webhook(503);
    expect(await call('webhook', { CSYNC_WEBHOOK_CONFIG: config })).toMatchObject({
      status: 22,
      stderr: expect.stringContaining('503'),
    });
    expect((await call('webhook', { CSYNC_WEBHOOK_CONFIG: '/no/such' })).status).not.toBe(0);
  });

  it.each([
    [
      'sendmail',
      `cat > "$0.out"; echo "$*" >> "$0.out"`,
      'To: ops@example.com\nSubject: [csync] package-down raised, reported by m2\n',
    ],
    ['mail', `cat > "$0.out"; echo "$*" >> "$0.out"`, 'csync is down\n'],
  ])('mail sends it by %s', async (program, script, begins) => {
    const bin = join(scratch, program);
    mkdirSync(bin);
    writeFileSync(join(bin, program), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, program), 0o755);
    for (const name of ['cat', 'printf']) writeFileSync(join(bin, name), `#!/bin/sh\nexec /bin/${name} "$@"\n`, { mode: 0o755 });
    writeFileSync(join(scratch, 'to'), 'ops@example.com\n');
    // A sendmail of this host must not get it.
    if (program === 'mail' && existsSync('/usr/sbin/sendmail')) return;
    expect(await call('mail', { PATH: bin, CSYNC_MAIL_TO: join(scratch, 'to') })).toEqual({ status: 0, stderr: '' });
    const text = readFileSync(join(bin, `${program}.out`), 'utf8');
    expect(text.startsWith(begins)).toBe(true);
    expect(text).toContain('Fix: csync status\n');
    expect(text).toContain('Key: csync/package-down\n');
    expect(text.trim().split('\n').at(-1)).toMatch(/ops@example\.com$/);
  });
});
