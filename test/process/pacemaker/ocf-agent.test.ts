/**
 * The OCF agent with the built member scripts, a real cf-serverd, file system and address, in a sandbox without Serviceguard. A stand-in of
 * crm_resource records its arguments; the lab with Pacemaker has the real one.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import agent from '../../../src/pacemaker/master.sh';
import { renderPackage, setOf } from '../../../src/render/package.ts';
import { Sandbox } from '../../../src/script-tests/sandbox.ts';
import { type TestedPackage, Workshop } from '../../../src/script-tests/workshop.ts';
import { packageContent } from '../../../src/serviceguard/package-content.ts';
import { parsePackageFile } from '../../../src/serviceguard/package-file.ts';
import { settingsDigest } from '../../../src/settings/settings.ts';
import { have, isRoot, labSettings, packageTemplates, policyTemplates, repository } from '../../support.ts';

const needed = ['unshare', 'nsenter', 'ip', 'losetup', 'mkfs.ext4', 'perl', 'ss', 'cf-serverd', 'ocf-tester', 'xmllint'];
const missing = needed.filter((program) => !have(program));
const whyNot = !isRoot ? 'namespaces need root' : missing.length > 0 ? `missing: ${missing.join(', ')}` : null;
if (whyNot !== null) console.warn(`tests of the OCF agent are skipped: ${whyNot}`);

const settings = labSettings({ engine: 'pacemaker', node_path: process.execPath });
const compiled = join(repository, 'dist', 'member');
const installedAt = '/usr/lib/ocf/resource.d/csync/master';
const statuses = { ok: 0, generic: 1, notInstalled: 5, notConfigured: 6, notRunning: 7 } as const;

function tested(): TestedPackage {
  const bundles = new Map(readdirSync(compiled).map((name) => [name, readFileSync(join(compiled, name), 'utf8')]));
  const files = demand(renderPackage({ settings, templates: packageTemplates('modular', 'pacemaker'), bundles }));
  // For what mounts and adds the address in the sandbox.
  const other = { ...settings, engine: 'serviceguard' as const };
  const text = demand(renderPackage({ settings: other, templates: packageTemplates(), bundles })).find(
    ({ name }) => name === 'csync.conf',
  )?.text;
  return { settings, files, content: packageContent(demand(parsePackageFile(text ?? '', 'csync.conf'))) };
}

describe.skipIf(whyNot !== null)('the OCF agent', () => {
  let workshop: Workshop;
  let set = '';
  beforeAll(async () => {
    const one = tested();
    set = setOf(one.files) ?? '';
    workshop = await Workshop.open(one, policyTemplates(3));
  });
  afterAll(() => workshop?.close());

  /** A node: only the daemon runs, as after each boot. */
  async function node() {
    const sandbox = await Sandbox.boot(workshop);
    onTestFinished(() => sandbox.close());
    await sandbox.prepare('halted', [
      `rm -rf /etc/cmcluster.conf /usr/local/cmcluster; mkdir -p ${installedAt.slice(0, -7)}; touch /var/log/csync.log`,
      `cat > ${installedAt} <<'AGENT'\n${agent}AGENT\nchmod 755 ${installedAt}`,
      `printf '#!/bin/sh\\necho "$*" >> /run/told\\n' > /usr/sbin/crm_resource; chmod 755 /usr/sbin/crm_resource`,
    ]);
    const sh = async (script: string) => {
      const { exitCode, stdout, stderr } = await sandbox.sh(script);
      return { status: exitCode, out: `${stdout}${stderr}` };
    };
    const environment = (role: string, more: string) =>
      `export OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=csync_${role} OCF_RESKEY_role=${role} OCF_RESKEY_set=${set} ` +
      `OCF_RESKEY_digest=${settingsDigest(settings)} OCF_RESKEY_CRM_meta_on_node=n1 OCF_RESKEY_CRM_meta_interval=10000 ${more};`;
    /** As Pacemaker calls it. */
    const call = async (role: 'pre' | 'main', action: string, more = '') =>
      (await sh(`${environment(role, more)} exec ${installedAt} ${action}`)).status;
    const storage = () => sandbox.change('serviceguard_mounts; serviceguard_adds_the_address');
    const started = async () => {
      expect(await call('pre', 'start')).toBe(statuses.ok);
      await storage();
      expect(await call('main', 'start')).toBe(statuses.ok);
    };
    const watcher = async () => (await sh('cut -d" " -f1 /run/resource-agents/csync-csync_main')).out.trim();
    const told = async () => (await sh('cat /run/told 2>/dev/null')).out.trim();
    return { sandbox, sh, call, storage, started, watcher, told, environment };
  }

  it.each(['pre', 'main'] as const)(
    'a probe of role %s is "not running" while the daemon runs, also without the package',
    async (role) => {
      const { sh, call } = await node();
      expect((await sh('listens')).status).toBe(0);
      expect(await call(role, 'monitor')).toBe(statuses.notRunning);
      await sh('rm -r /etc/csync');
      expect(await call(role, 'monitor')).toBe(statuses.notRunning);
      expect(await call(role, 'stop')).toBe(statuses.ok);
      expect(await call(role, 'start')).toBe(statuses.notInstalled);
    },
  );

  it('starts in the order of the group, is started once, and stops in the reverse order', async () => {
    const { sandbox, sh, call, started, watcher } = await node();
    await started();
    for (const role of ['pre', 'main'] as const) expect(await call(role, 'monitor')).toBe(statuses.ok);
    expect(await call('main', 'monitor', 'OCF_CHECK_LEVEL=10')).toBe(statuses.ok);
    const before = await watcher();
    expect(await call('main', 'start')).toBe(statuses.ok);
    expect(await watcher()).toBe(before);
    expect((await sh('cat "$SENTINEL"')).out).toContain('"epoch":1');
    expect(await call('main', 'stop')).toBe(statuses.ok);
    expect((await sh(`ls /proc/${before}`)).status).not.toBe(0);
    await sandbox.change('ip address del "$ADDRESS/32" dev lo; serviceguard_unmounts');
    expect(await call('pre', 'stop')).toBe(statuses.ok);
    for (const role of ['pre', 'main'] as const) {
      expect(await call(role, 'monitor')).toBe(statuses.notRunning);
      expect(await call(role, 'stop')).toBe(statuses.ok);
    }
    // A stop returns before what starts the daemon has ended.
    await sandbox.change('eventually listens; eventually no_scripts');
    const log = (await sh('cat /var/log/csync.log')).out;
    expect(log).toContain('Pacemaker starts the monitor');
    expect(log).not.toMatch(/Serviceguard|\bcm[a-z]{3,}\b/);
  });

  it('a stop of role pre fails only while the file system is mounted', async () => {
    const { sandbox, call, started } = await node();
    await started();
    expect(await call('main', 'stop')).toBe(statuses.ok);
    expect(await call('pre', 'stop')).toBe(statuses.generic);
    expect(await call('pre', 'monitor')).toBe(statuses.ok);
    await sandbox.change('ip address del "$ADDRESS/32" dev lo; serviceguard_unmounts');
    expect(await call('pre', 'stop')).toBe(statuses.ok);
  });

  it('the exit of the daemon is reported to Pacemaker once, on this node', async () => {
    const { sandbox, sh, call, started, told } = await node();
    await started();
    await sandbox.change('kill_daemon; eventually test -s /run/told');
    expect(await told()).toBe('--fail --resource csync_main --node n1');
    const log = (await sh('cat /var/log/csync.log')).out;
    expect(log).toMatch(/To enable it again: crm_resource --cleanup --resource csync --node \S+/);
    expect(log).not.toMatch(/Serviceguard|\bcm[a-z]{3,}\b/);
    expect(await call('main', 'monitor')).toBe(statuses.generic);
    expect(await call('main', 'stop')).toBe(statuses.ok);
    expect(await told()).toBe('--fail --resource csync_main --node n1');
  });

  it('a watcher whose mark is gone reports nothing', async () => {
    const { sandbox, started, watcher, told } = await node();
    await started();
    const pid = await watcher();
    await sandbox.change(
      `rm /run/resource-agents/csync-csync_main; kill_daemon; gone() { [ ! -e /proc/${pid} ]; }; eventually gone`,
    );
    expect(await told()).toBe('');
  });

  it('after a lost watcher the next poll starts another, and ends the rest of its session', async () => {
    const { sandbox, sh, call, started, watcher, told } = await node();
    await started();
    const before = await watcher();
    await sandbox.change(`kill -KILL ${before}`);
    expect((await sh(`pgrep -g ${before}`)).out).not.toBe('');
    expect(await call('main', 'monitor')).toBe(statuses.ok);
    const after = await watcher();
    expect(after).not.toBe(before);
    expect((await sh(`pgrep -g ${before}`)).out).toBe('');
    expect(await told()).toBe('');
    await sandbox.change('kill_daemon; eventually test -s /run/told');
  });

  it('at depth 10 the role of the daemon is checked, and the reason is what crm_mon shows', async () => {
    const { sandbox, sh, started, environment, watcher } = await node();
    await started();
    await sandbox.change(`kill -STOP -${await watcher()}; ip address del "$ADDRESS/32" dev lo`);
    const depth = (level: number) => sh(`${environment('main', `OCF_CHECK_LEVEL=${level}`)} ${installedAt} monitor`);
    expect((await depth(0)).status).toBe(statuses.ok);
    const deep = await depth(10);
    expect(deep.status).toBe(statuses.generic);
    expect(deep.out).toMatch(/^ocf-exit-reason:failed \[no-address\] /m);
  });

  it('a start with other settings than the applied ones fails on this node', async () => {
    const { sandbox, call, storage } = await node();
    expect(await call('pre', 'start')).toBe(statuses.ok);
    await storage();
    expect(await call('main', 'start', `OCF_RESKEY_digest=${'0'.repeat(64)}`)).toBe(statuses.generic);
    expect(await call('main', 'monitor')).toBe(statuses.notRunning);
    await sandbox.change('eventually no_scripts');
  });

  it('a reload changes nothing that runs: its checks and its watcher keep the set of the start', async () => {
    const { sandbox, call, started, watcher } = await node();
    const other = `OCF_RESKEY_set=${'1'.repeat(16)} OCF_RESKEY_digest=${'0'.repeat(64)}`;
    for (const role of ['pre', 'main'] as const) expect(await call(role, 'reload', other)).toBe(statuses.notRunning);
    await started();
    const before = await watcher();
    for (const role of ['pre', 'main'] as const) expect(await call(role, 'reload', other)).toBe(statuses.ok);
    expect(await watcher()).toBe(before);
    const deep = () => call('main', 'monitor', `${other} OCF_CHECK_LEVEL=10`);
    expect(await deep()).toBe(statuses.ok);
    await sandbox.change(`kill -KILL -${before}`);
    expect(await deep()).toBe(statuses.ok);
    expect(await watcher()).not.toBe(before);
    expect(await deep()).toBe(statuses.ok);
    expect(await call('main', 'stop', other)).toBe(statuses.ok);
    expect(await call('main', 'start', other)).toBe(statuses.generic);
    await sandbox.change('eventually no_scripts');
  });

  it('validates the parameters at level 0, the node at level 10', async () => {
    const { call, sh } = await node();
    expect(await call('main', 'validate-all')).toBe(statuses.ok);
    expect(await call('main', 'validate-all', 'OCF_RESKEY_role=other')).toBe(statuses.notConfigured);
    expect(await call('main', 'validate-all', 'OCF_RESKEY_directory=csync')).toBe(statuses.notConfigured);
    await sh(`rm /etc/csync/sets/${set}/csync-halt.cjs`);
    expect(await call('main', 'validate-all')).toBe(statuses.ok);
    expect(await call('main', 'validate-all', 'OCF_CHECK_LEVEL=10')).toBe(statuses.generic);
    expect(await call('main', 'promote')).toBe(3);
  });

  it.each(['pre', 'main'] as const)('ocf-tester passes with role %s', { timeout: 120_000 }, async (role) => {
    const { call, storage, sh } = await node();
    if (role === 'main') {
      expect(await call('pre', 'start')).toBe(statuses.ok);
      await storage();
    }
    const { status, out } = await sh(`ocf-tester -n csync_${role} -o role=${role} -o set=${set} ${installedAt}`);
    expect(out).toContain(`${installedAt} passed all tests`);
    expect(status).toBe(0);
  });
});

describe('the meta-data of the OCF agent', () => {
  const metaData = (options: object = {}) =>
    spawnSync('/bin/sh', ['-s', 'meta-data'], { input: agent, encoding: 'utf8', env: {}, cwd: '/', ...options });

  it.skipIf(!isRoot)('needs no privileges, no variable and no package directory', () => {
    const { status, stdout, stderr } = metaData({ uid: 65534, gid: 65534 });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('<resource-agent name="master"');
  });

  const schemas = '/usr/share/resource-agents';
  it.skipIf(!have('xmllint', 'ocf-tester')).each([
    ['ra-api-1.dtd', ['--valid'], ''],
    ['metadata.rng', ['--relaxng', 'metadata.rng'], '- validates\n'],
  ])('is valid by %s of resource-agents', (_, words, said) => {
    const input = metaData().stdout;
    const { status, stderr } = spawnSync('xmllint', ['--noout', '--nonet', ...words, '-'], {
      cwd: schemas,
      input,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, said]);
  });
});
