/** The scripts of a set-up, run by a real shell over a directory of their own. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { adapterFor } from '../../../src/cfengine/adapter.ts';
import { parseOutcomes, setUpScript } from '../../../src/cluster/hosts/host-setup.ts';
import { scratchDirectory, settingsFor } from '../../support.ts';

const scratch = scratchDirectory();

it('puts policy in place while the agent of the host removes from inputs what the master does not have', async () => {
  const work = join(scratch, 'cfengine');
  mkdirSync(join(work, 'inputs'), { recursive: true });
  mkdirSync(join(work, 'inputs-before-csync'));
  const settings = settingsFor({ cfengine_work_directory: work });
  const inputs = new Map(['promises.cf', 'update.cf', 'site.cf'].map((name) => [name, `# ${name}\n`.repeat(200)]));
  const script = setUpScript([{ do: 'inputs', host: 'c1', names: [...inputs.keys()] }], {
    settings,
    adapter: adapterFor(settings),
    pairFor: () => null,
    inputs,
    bootScript: () => '',
    agentSeconds: 60,
  });
  const stop = join(scratch, 'stop');
  const agent = spawn('/bin/sh', ['-c', `cd ${work}/inputs; until [ -e ${stop} ]; do rm -rf .csync* ./*; done`], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => agent.once('exit', resolve));
  try {
    for (let run = 0; run < 10; run += 1) {
      const { stdout } = spawnSync('/bin/sh', ['-s'], { input: script, encoding: 'utf8', timeout: 20_000 });
      expect(parseOutcomes(stdout)).toEqual([null]);
    }
  } finally {
    writeFileSync(stop, '');
    await ended;
  }
  const { stdout } = spawnSync('/bin/sh', ['-s'], { input: script, encoding: 'utf8' });
  expect(parseOutcomes(stdout)).toEqual([null]);
  expect(readFileSync(join(work, 'inputs/site.cf'), 'utf8')).toBe(inputs.get('site.cf'));
  expect(readdirSync(work).sort()).toEqual(['.csync-daemon-owes', '.csync-lock', 'inputs', 'inputs-before-csync']);
}, 60_000);

it.each([
  // Deaf to what asks it to end.
  ['fetch of the policy', 'update.cf', "trap '' TERM; "],
  ['run of the policy', '-K', ''],
])(
  'ends an agent that hangs in its %s, says so, and leaves no process',
  (_, hangsAt, deaf) => {
    const bin = join(scratch, `bin-${hangsAt}`);
    mkdirSync(bin);
    // With a child that has its output open.
    const hangs = `${deaf}sleep 1000 & wait`;
    writeFileSync(join(bin, 'cf-agent'), `#!/bin/sh\nfor last; do :; done\n[ "$last" != ${hangsAt} ] || { ${hangs}; }\n`, {
      mode: 0o755,
    });
    const settings = settingsFor({ cfengine_bin_directory: bin });
    const script = setUpScript([{ do: 'agent', host: 'c1' }], {
      settings,
      adapter: adapterFor(settings),
      pairFor: () => null,
      inputs: new Map(),
      bootScript: () => '',
      agentSeconds: 2,
    });
    // All that it starts has this mark in its environment; a process that is dead and not yet collected has none.
    const mark = `CSYNC_TEST_AGENT=${bin}`;
    const env = { ...process.env, CSYNC_TEST_AGENT: bin };
    const { stdout } = spawnSync('/bin/sh', ['-s'], { input: script, encoding: 'utf8', timeout: 30_000, env });
    expect(parseOutcomes(stdout)).toEqual(['it did not finish within 2 s, and was killed']);
    expect(spawnSync('sh', ['-c', `grep -lazxsF '${mark}' /proc/[0-9]*/environ`], { encoding: 'utf8' }).stdout).toBe('');
  },
  60_000,
);
