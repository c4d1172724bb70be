/** Carrying out a set-up on hosts of which one hangs: who is skipped, for what reason, and the command that finishes it. */
import { expect, it } from 'vitest';
import { adapterFor } from '../../../src/cfengine/adapter.ts';
import type { HostStep } from '../../../src/cluster/hosts/host-setup.ts';
import { runSetup } from '../../../src/cluster/setup/run.ts';
import type { MemberShell } from '../../../src/host/admin/member-shell.ts';
import type { CommandResult } from '../../../src/host/host.ts';
import { settingsFor } from '../../support.ts';

const settings = settingsFor();
const ended: CommandResult = { exitCode: 0, signal: null, timedOut: false, errorCode: null, stdout: '', stderr: '' };
const outcome = (status: number, said: string): string => `ended ${status} ${Buffer.from(said).toString('base64')}\n`;
const chain = (host: string): readonly HostStep[] => [
  { do: 'daemon', host, how: 'start' },
  { do: 'agent', host },
];

async function setUp(answers: Readonly<Record<string, Partial<CommandResult>>>) {
  const limits: number[] = [];
  const shell: MemberShell = {
    here: 'm1',
    stop: new AbortController().signal,
    run: async (host, _script, limitMs) => {
      limits.push(limitMs);
      return { ...ended, ...answers[host] };
    },
    send: () => Promise.reject(new Error('nothing is sent')),
    hold: () => Promise.reject(new Error('nothing is held')),
  };
  const chains = new Map(Object.keys(answers).map((host) => [host, chain(host)]));
  const { failed } = await runSetup([{ stage: 'hosts', chains }], {
    shell,
    materials: {
      settings,
      adapter: adapterFor(settings),
      pairFor: () => null,
      inputs: new Map(),
      bootScript: () => '',
      agentSeconds: 120,
    },
    say: () => {},
    begin: () => () => {},
    onHosts: () => {},
    runPackage: () => Promise.reject(new Error('no package')),
    runRemotely: () => Promise.reject(new Error('no remote run')),
    finish: (host) => `csync client sync ${host}`,
  });
  return { failed: [...failed.values()].map(({ member, text, remedy }) => [member, text, remedy]), limits };
}

const good = { stdout: outcome(0, '').repeat(2) };

it('skips a client whose agent hangs, with the command that finishes it; the others are done, within five minutes', async () => {
  const { failed, limits } = await setUp({
    c1: { stdout: `${outcome(0, '')}${outcome(1, 'it did not finish within 120 s, and was killed')}` },
    c2: good,
  });
  expect(failed).toEqual([
    [
      'c1',
      'c1 is skipped: c1: run the agent: it did not finish within 120 s, and was killed',
      'repair c1, then csync client sync c1',
    ],
  ]);
  expect(Math.max(...limits)).toBeLessThan(300_000);
});

it('skips a client that cannot even end its agent', async () => {
  const { failed } = await setUp({ c1: { ...good, stdout: outcome(0, ''), exitCode: null, timedOut: true }, c2: good });
  expect(failed).toEqual([
    ['c1', 'c1 is skipped: c1: run the agent: no answer within 255 s', 'repair c1, then csync client sync c1'],
  ]);
});
