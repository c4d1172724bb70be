/**
 * From version 0.1.0, whose files lie in the package directory itself, to sets, while the package runs: it can fail over before
 * cmapplyconf, between the steps and behind it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { eventually, repository } from '../../support.ts';
import { codesIn, story, typedAsRoot, typedIn, useLab, whyNoLab } from '../../use-lab.ts';
import { auditFailover } from '../failover/failover-audit.ts';

const directory = '/usr/local/cmcluster/conf/csync';
const members = ['m1', 'm2', 'm3'] as const;

describe.skipIf(whyNoLab !== null)('a package of version 0.1.0', () => {
  const used = useLab('upgrade', { deployed: false, watched: false, without: typedAsRoot });
  const { sh, must, csync, json, done } = typedIn(used);
  const { chapter } = story(120_000);
  const isNoatime = async (member: string) => /\bnoatime\b/.test(await must(member, 'grep " /csync " /proc/mounts'));
  const flatOn = async (member: string) =>
    (await sh(member, `cd ${directory} && ls settings.json csync-*.cjs 2>/dev/null`)).stdout;

  beforeAll(async () => {
    // What this version renders, laid out as that one did, with its launchers.
    const template = readFileSync(join(repository, 'test/fixtures/version-0.1.0/launcher.sh.tpl'), 'utf8');
    const launcher = (name: string, role: string): string =>
      template
        .replaceAll('{{launcher_name}}', name)
        .replaceAll('{{launcher_role}}', role)
        .replaceAll('{{toolkit_version}}', '0.1.0')
        .replaceAll('{{settings_digest}}', 'as rendered')
        .replaceAll('{{node_path}}', used.lab.spec.settings.nodePath)
        .replaceAll('{{mount_point}}', '/csync')
        .replaceAll('{{package_directory}}', '$SGCONF/csync');
    const manifest =
      'const fs = require("fs"), crypto = require("crypto"); const files = {}; for (const name of fs.readdirSync(".")) if (fs.statSync(name).isFile()) files[name] = crypto.createHash("sha256").update(fs.readFileSync(name)).digest("hex"); fs.writeFileSync("manifest.json", JSON.stringify({ toolkitVersion: "0.1.0", settingsDigest: files["settings.json"], files }))';
    const history =
      'const zlib = require("zlib"); const list = fs.readdirSync(".").filter((name) => fs.statSync(name).isFile()).map((name) => ({ name, mode: fs.statSync(name).mode & 0o777, text: fs.readFileSync(name, "utf8") })); const digest = crypto.createHash("sha256").update(JSON.stringify(list.map(({ name, mode, text }) => [name, mode, text]))).digest("hex"); fs.mkdirSync("history", { mode: 0o700 }); fs.writeFileSync("history/0001.set.gz", zlib.gzipSync(JSON.stringify({ files: list })), { mode: 0o600 }); fs.writeFileSync("history/0001.json", JSON.stringify({ number: 1, at: "2026-11-01T00:00:00.000Z", by: "root@m1", toolkitVersion: "0.1.0", digest, note: "" }) + "\\n", { mode: 0o600 })';
    await must('m1', 'cmruncl -v');
    await done(`render --output ${directory}`);
    await must(
      'm1',
      `cd ${directory} && mv sets/*/csync-*.cjs sets/*/csync-front.pl sets/*/settings.json . && rm -r sets
cat > csync.sh <<'END'\n${launcher('csync.sh', 'main')}\nEND
cat > csync_pre.sh <<'END'\n${launcher('csync_pre.sh', 'pre')}\nEND
sed -i '/pev_csync_set_digest/d' csync.conf
node -e '${manifest}; ${history}'`,
    );
    for (const member of ['m2', 'm3']) await must('m1', `scp -rpq ${directory} ${member}:/usr/local/cmcluster/conf/`);
    await must('m1', `cmapplyconf -f -P ${directory}/csync.conf && cmrunpkg csync && cmmodpkg -e csync`);
    await used.drills.waitServed();
  });

  chapter('is what it was, and fails over', async () => {
    const { configuration } = await json<{ configuration: { keyword: string; applied: string[] }[] }>('diff');
    expect(configuration).toContainEqual(expect.objectContaining({ keyword: 'pev_csync_set_digest', applied: [] }));
    expect((await auditFailover(used, 'version 0.1.0')).to).toBe('m2');
  });

  chapter('fails over when this version has written its set and its launchers, and was refused then', async () => {
    await sh('m3', "echo '/dev/vg_csync/lv_csync /csync ext4 defaults 0 2' >> /etc/fstab");
    const refused = await json('apply --yes');
    expect([refused.exitCode, codesIn(refused.problems[0]?.text ?? '')]).toEqual([
      5,
      expect.arrayContaining(['mount-point-busy']),
    ]);
    await sh('m3', "sed -i '/lv_csync/d' /etc/fstab");
    for (const member of members) {
      expect((await must(member, `ls ${directory}/sets`)).trim(), member).toMatch(/^[0-9a-f]{16}$/);
      expect(await must(member, `cat ${directory}/csync.sh`), member).toMatch(/\b0\.1\.0\b/);
    }
    // Halted and started by the new launchers, with the old files.
    expect((await auditFailover(used, 'before cmapplyconf')).to).toBe('m1');
    expect((await auditFailover(used, 'before cmapplyconf, once more')).to).toBe('m2');
    expect((await sh('m2', 'ls /run/csync-running*')).exitCode, 'these starts write nothing down').not.toBe(0);
  });

  chapter('becomes one of sets while it runs; its files stay where they run, and go from where they do not', async () => {
    const daemon = await must('m2', 'pgrep -x cf-serverd');
    const mark = used.drills.entries.length;
    await done('apply --yes');
    expect(used.drills.entries.slice(mark).filter(({ what }) => what === 'halting')).toEqual([]);
    expect(await must('m2', 'pgrep -x cf-serverd')).toBe(daemon);
    expect(await flatOn('m2')).toMatch(/^csync-halt\.cjs$/m);
    for (const member of ['m1', 'm3']) expect(await flatOn(member), member).toBe('');
    const { to } = await auditFailover(used, 'after cmapplyconf');
    const set = (await must(to, `ls ${directory}/sets`)).trim();
    expect(await must(to, 'cat /run/csync-running*')).toBe(`${set} /csync\n`);
    await eventually(
      'the monitor of the set',
      async () => (await sh(to, `pgrep -f "${set}/[c]sync-monitor.cjs"`)).exitCode === 0,
    );
    await done('apply --yes');
    for (const member of members) expect(await flatOn(member), member).toBe('');
    expect((await csync('diff')).stdout).toBe('m1: same\nm2: same\nm3: same\napplied configuration: same\n');
    await auditFailover(used, 'without a file of version 0.1.0');
  });

  chapter('a cmapplyconf that fails behind the halt for it leaves a package that runs as before, and can fail over', async () => {
    await sh('m1', "sed -i 's|^mount_options:.*|mount_options: -o rw,noatime|' /root/csync.yaml");
    const program = '/usr/local/cmcluster/bin/cmapplyconf';
    await must(
      'm1',
      `mv ${program} ${program}.away; printf '#!/bin/sh\\necho no room; exit 1\\n' > ${program}; chmod 755 ${program}`,
    );
    const before = await used.drills.waitServed();
    const failed = await json('apply --yes --halt');
    await must('m1', `mv ${program}.away ${program}`);
    expect([failed.exitCode, failed.problems]).toEqual([
      5,
      [
        expect.objectContaining({ code: 'change-cmapplyconf', text: expect.stringContaining('no room') }),
        expect.objectContaining({ code: 'change-incomplete' }),
      ],
    ]);
    expect(await used.drills.view()).toMatchObject({ owner: before, status: 'up', autoRun: true });
    expect(await isNoatime(before)).toBe(false);
    await auditFailover(used, 'after a cmapplyconf that failed behind the halt');
    await done('apply --yes --halt');
    expect(await isNoatime(await used.drills.waitServed())).toBe(true);
  });

  chapter('a set that version 0.1.0 kept comes back with its own scripts, which this version starts', async () => {
    const { stderr } = await done('rollback 1 --yes --halt');
    expect(stderr, 'which it is').toMatch(/\bSet 1\b.*\b0\.1\.0\b/);
    expect(await isNoatime(await used.drills.waitServed())).toBe(false);
    for (const member of members) {
      expect(await flatOn(member), member).toMatch(/^csync-halt\.cjs$/m);
      expect(await must(member, `cat ${directory}/csync.sh`), member).toMatch(/\b0\.1\.0\b/);
    }
    const { to } = await auditFailover(used, 'after a rollback to version 0.1.0');
    expect((await sh(to, 'ls /run/csync-running*')).exitCode, 'its start removes the record of a set').not.toBe(0);
    await eventually('its monitor', async () => (await sh(to, `pgrep -f "${directory}/[c]sync-monitor.cjs"`)).exitCode === 0);
    expect((await done<{ outcome: string }>('rollback 1 --yes')).outcome).toBe('applied');
    await auditFailover(used, 'where its files were in use, and its settings are a set of this version');
  });
});
