/** The Ansible collection as ansible-core reads it. test/lab/tools/ansible.test.ts runs it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { codeBelow, readPage } from '../../markdown.ts';
import { everyStepIt, have, repository, scratchDirectory } from '../../support.ts';

const isHere = have('ansible-playbook');
if (!isHere) console.warn('the syntax of the Ansible collection is not checked: ansible-core is not installed');

const isLinted = have('ansible-lint');
if (isHere && !isLinted) console.warn('the Ansible collection is not linted: ansible-lint is not installed');

describe.skipIf(!isHere)('the Ansible collection', () => {
  const scratch = scratchDirectory();
  const collection = join(scratch, 'ansible_collections/csync/serviceguard');
  const run = (cwd: string, program: string, ...words: readonly string[]) => {
    const env = { PATH: process.env.PATH, HOME: scratch, LC_ALL: 'C.UTF-8', ANSIBLE_COLLECTIONS_PATH: scratch };
    const { status, stdout, stderr } = spawnSync(program, words, { cwd, encoding: 'utf8', env });
    return {
      status,
      stdout,
      stderr: stderr.replace('[WARNING]: running playbook inside collection csync.serviceguard', '').trim(),
    };
  };

  beforeAll(() => {
    mkdirSync(join(collection, '..'), { recursive: true });
    symlinkSync(join(repository, 'ansible'), collection);
  });

  it('has no syntax error, with the inventory of the page', () => {
    const [, inventory = ''] = codeBelow(readPage('ansible/README.md'), 'Set up csync with Ansible');
    writeFileSync(join(scratch, 'hosts.yml'), inventory);
    expect(run(scratch, 'ansible-playbook', '--syntax-check', '-i', 'hosts.yml', 'csync.serviceguard.site')).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  if (isLinted)
    everyStepIt('passes ansible-lint', () => {
      const words = ['--offline', '--nocolor', '-c', join(repository, 'packaging/ansible-lint.yml')];
      expect(run(collection, 'ansible-lint', ...words)).toMatchObject({ status: 0 });
    });
});
