/** The scripts of a set-up, run by a real shell over a directory of their own. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { adapterFor } from '../../src/cfengine/adapter.ts';
import { parseOutcomes, setUpScript } from '../../src/cluster/setup/host-setup.ts';
import { scratchDirectory, settingsFor } from '../support.ts';

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
