/** The Ansible collection as ansible-core reads it. test/lab/tools/ansible.test.ts runs it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { codeBelow, readPage } from '../../markdown.ts';
import { have, repository, scratchDirectory } from '../../support.ts';

const isHere = have('ansible-playbook');
if (!isHere) console.warn('the syntax of the Ansible collection is not checked: ansible-core is not installed');

const scratch = scratchDirectory();

it.skipIf(!isHere)('its playbook and roles have no syntax error, with the inventory of the page', () => {
  const [, inventory = ''] = codeBelow(readPage('docs/how-to/ansible.md'), 'Set up csync with Ansible');
  mkdirSync(join(scratch, 'ansible_collections/csync'), { recursive: true });
  symlinkSync(join(repository, 'ansible'), join(scratch, 'ansible_collections/csync/serviceguard'));
  writeFileSync(join(scratch, 'hosts.yml'), inventory);
  const { status, stderr } = spawnSync('ansible-playbook', ['--syntax-check', '-i', 'hosts.yml', 'csync.serviceguard.site'], {
    cwd: scratch,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: scratch, LC_ALL: 'C.UTF-8', ANSIBLE_COLLECTIONS_PATH: scratch },
  });
  expect({
    status,
    warnings: stderr.replace('[WARNING]: running playbook inside collection csync.serviceguard', '').trim(),
  }).toEqual({
    status: 0,
    warnings: '',
  });
});
