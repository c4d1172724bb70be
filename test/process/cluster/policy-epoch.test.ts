/**
 * A host and its master's epoch, by the rendered update.cf and the real cf-agent. The master is a directory here: without
 * `servers` cf-agent copies locally; everything else is the rendered text.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { generateKeyPair, type KeyPair } from '../../../src/cfengine/keys.ts';
import { planPolicyTree } from '../../../src/cluster/policy/tree.ts';
import { renderPolicy } from '../../../src/render/policy.ts';
import { have, policyTemplates, scratchDirectory, settingsFor } from '../../support.ts';

const whyNot = have('cf-agent', 'cf-promises') ? null : 'cf-agent is not installed';
if (whyNot !== null) console.warn(`epochs on hosts are skipped: ${whyNot}`);

const nextKey = 'root-MD5=0123456789abcdef0123456789abcdef.pub';

const scratch = scratchDirectory();
let pair: KeyPair;
beforeAll(async () => {
  pair = await generateKeyPair();
});

/** An update.cf of a site with the lines that csync prints for it, each where the note says. */
function siteUpdate(note: string): string {
  const places = note.split(/^ {2}in /m).slice(1);
  const linesOf = (place: string): string => (places.find((one) => one.startsWith(place)) ?? '').split('\n').slice(1).join('\n');
  const items = linesOf('bundlesequence').trim().split(/\s+/).join(', ');
  return `body common control\n{\n  bundlesequence => { "ours", ${items} };\n}\nbundle agent ours\n{\n}\n${linesOf('the file')}\n`;
}

class Host {
  readonly served: string;
  readonly work: string;
  constructor(isOfSite = false) {
    const directory = mkdtempSync(join(scratch, 'host-'));
    [this.served, this.work] = [join(directory, 'mnt', 'dsau'), join(directory, 'work')];
    const settings = settingsFor({ mount_point: join(directory, 'mnt'), policy_directory: this.served });
    const members = [{ name: 'm1', addresses: ['10.9.0.11'] }];
    const files = demand(renderPolicy({ settings, templates: policyTemplates(3), members, clients: [] }));
    const own = files.find(({ name }) => name === 'update.cf')?.text ?? '';
    const [note = ''] = planPolicyTree(files, new Map([['update.cf', 'bundle agent ours\n{\n}\n']])).notes;
    const update = (isOfSite ? siteUpdate(note) : own).replace(/^ *(servers|portnumber|trustkey) .*\n/gm, '');
    for (const name of ['state', 'bin', 'inputs']) mkdirSync(join(this.work, name), { recursive: true, mode: 0o700 });
    symlinkSync('/usr/bin/cf-promises', join(this.work, 'bin/cf-promises'));
    this.#write('work/ppkeys/localhost.priv', pair.privateKey);
    this.#write('work/ppkeys/localhost.pub', pair.publicKey);
    this.#write('work/inputs/update.cf', update);
    this.serve({ 'update.cf': update, 'promises.cf': 'bundle agent main { }\n' });
    this.#write('mnt/dsau/public_keys/none', '');
    this.#write(`mnt/dsau/public_keys/${nextKey}`, 'the next key of the cluster\n');
  }

  #write(name: string, text: string): void {
    const path = join(dirname(this.work), name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, text, { mode: 0o600 });
  }

  serve(texts: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(texts)) this.#write(`mnt/dsau/masterfiles/${name}`, text);
  }

  /** What the start of the package leaves. null: it is gone. */
  promoted(epoch: number | string | null): void {
    if (epoch === null) {
      rmSync(join(this.served, 'csync.sentinel'));
      return;
    }
    const text = typeof epoch === 'string' ? epoch : `${JSON.stringify({ epoch, member: 'm1', at: 'now' })}\n`;
    this.#write('mnt/dsau/csync.sentinel', text);
  }

  /** An agent run; resolves with what it said. */
  fetch(): string {
    const env = { PATH: '/usr/bin:/bin', CFENGINE_TEST_OVERRIDE_WORKDIR: this.work };
    const { stdout, stderr } = spawnSync('cf-agent', ['-K', '-f', join(this.work, 'inputs/update.cf')], {
      env,
      encoding: 'utf8',
    });
    return `${stdout}${stderr}`;
  }

  has(name: string): string | null {
    const path = join(this.work, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : null;
  }

  get epoch(): number | null {
    const text = this.has('state/csync_policy_epoch');
    return text === null ? null : JSON.parse(text).epoch;
  }
}

describe.skipIf(whyNot !== null)("a host and its master's epoch", () => {
  it('gets epoch and commit with the policy, follows a higher one, and never goes back to a lower one', () => {
    const host = new Host();
    host.promoted(9);
    host.serve({ 'csync.commit': '{"commit":1}\n', 'site.txt': 'nine' });
    expect(host.fetch()).toBe('');
    expect([host.epoch, host.has('inputs/site.txt'), host.has('inputs/csync.commit')]).toEqual([9, 'nine', '{"commit":1}\n']);
    // As a text 10 would be less than 9.
    host.promoted(10);
    host.serve({ 'site.txt': 'ten' });
    expect(host.fetch()).toBe('');
    expect([host.epoch, host.has('inputs/site.txt')]).toEqual([10, 'ten']);
    host.promoted(9);
    host.serve({ 'site.txt': 'nine again', 'promises.cf': 'bundle agent main { }\n# old\n' });
    expect(host.fetch()).toBe(
      'R: error: policy not fetched: the master is of epoch 9, older than 10, of which this host has policy\n',
    );
    expect([host.epoch, host.has('inputs/site.txt'), host.has('inputs/promises.cf')]).toEqual([
      10,
      'ten',
      'bundle agent main { }\n',
    ]);
    host.promoted(10);
    expect(host.fetch()).toBe('');
    expect([host.epoch, host.has('inputs/site.txt')]).toEqual([10, 'nine again']);
  });

  it('keeps what it has while the master has no sentinel, or a damaged one', () => {
    const host = new Host();
    host.promoted(3);
    host.serve({ 'site.txt': 'three' });
    host.fetch();
    host.serve({ 'site.txt': 'of no user' });
    for (const sentinel of ['', 'epoch 99', '{"epoch":"x"}', null]) {
      host.promoted(sentinel);
      host.fetch();
      expect([host.epoch, host.has('inputs/site.txt')]).toEqual([3, 'three']);
    }
  });

  it('of a site has an update.cf of its own: with the lines that csync prints for it, the keys of a rotation are fetched', () => {
    const host = new Host(true);
    host.promoted(1);
    expect(host.fetch()).toBe('');
    expect([host.has(`ppkeys/${nextKey}`), host.epoch]).toEqual(['the next key of the cluster\n', 1]);
  });
});
