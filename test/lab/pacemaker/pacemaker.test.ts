/** The package on the real corosync and Pacemaker, with fencing: the same failovers and invariants as with the imitated Serviceguard. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readView } from '../../../src/engine/pacemaker/status.ts';
import { startLab } from '../../../src/lab/handle.ts';
import { labSpec } from '../../../src/lab/machines/lab-spec.ts';
import { failoverSummary, passed, runFailovers } from '../../../src/lab/trials/failovers.ts';
import { PackageDrills } from '../../../src/lab/trials/package-drills.ts';
import { eventually, labSettings, repository, serviceguardWords } from '../../support.ts';
import { typedIn, useLab, whyNoPacemaker } from '../../use-lab.ts';

if (whyNoPacemaker !== null) console.warn(`lab tests with Pacemaker are skipped: ${whyNoPacemaker}`);

/** A few; `csync lab failovers --engine pacemaker --count N` does more. The seed has every kind of fault. */
const count = Number(process.env.CSYNC_PACEMAKER_FAILOVERS ?? 3);
const seed = 20261127;

describe.skipIf(whyNoPacemaker !== null)('failovers by Pacemaker', () => {
  const used = useLab('pacemaker-failovers', { engine: 'pacemaker', deployed: false });

  it('of a killed daemon, a standby node and a crash each hold the invariants', {
    timeout: count * 60_000 + 120_000,
  }, async () => {
    const result = await runFailovers(used.lab, count, seed, () => {});
    console.info(failoverSummary(result).join('\n'));
    expect(passed(result), failoverSummary(result).join('\n')).toBe(true);
    expect(new Set(result.done.map(({ kind }) => kind)).size).toBe(3);
  });
});

const changeGrace = (seconds: number): string =>
  `sed -i 's/^halt_grace_seconds:.*/halt_grace_seconds: ${seconds}/' /root/csync.yaml`;

describe.skipIf(whyNoPacemaker !== null)('a lab with Pacemaker', () => {
  const used = useLab('pacemaker', { engine: 'pacemaker', deployed: true, clients: 1 });
  const view = async () => readView((await used.lab.view(used.drills.packageName)) ?? '');

  it('runs the group on the first member, with fencing on and the daemon on every member', async () => {
    expect(await used.drills.waitServed()).toBe('m1');
    const verified = await used.lab.exec('m1', ['crm_verify', '--live-check', '-V']);
    expect([verified.exitCode, verified.stderr]).toEqual([0, '']);
    expect((await view()).members).toEqual(
      new Map([
        ['m1', 'up'],
        ['m2', 'up'],
        ['m3', 'up'],
      ]),
    );
    for (const member of ['m1', 'm2', 'm3'])
      expect((await used.lab.exec(member, ['pgrep', '-c', '-x', 'cf-serverd'])).stdout.trim()).toBe('1');
  });

  it('csync status, check and maintenance work on it, in words of Pacemaker only', { timeout: 120_000 }, async () => {
    const owner = await used.drills.waitServed();
    const { csync, done, json, must } = typedIn(used);
    const serving = async (host: string) => {
      const { sentence, members } = await done<{ sentence: string; members: { member: string; switching: boolean }[] }>(
        'status',
        host,
      );
      expect(sentence).toMatch(new RegExp(`^csync serves from ${owner} since `));
      expect(members.map(({ switching }) => switching)).toEqual([true, true, true]);
    };
    await serving(owner);
    await serving('m3');
    const other = owner === 'm2' ? 'm3' : 'm2';
    await must(other, `crm_standby --node ${other} --update on`);
    onTestFinished(async () => void (await must(other, `crm_standby --node ${other} --delete`)));
    const text = await eventually('the standby', async () => {
      const { stdout } = await csync('status');
      return stdout.includes(`${other} is standby in the cluster`) ? stdout : null;
    });
    expect(text).toContain(`Fix: crm_standby --node ${other} --delete`);
    expect(text).not.toMatch(serviceguardWords);
    expect((await json('check')).codes.filter((code) => code.startsWith('check-fencing'))).toEqual([]);
    await must(owner, 'crm_attribute --name stonith-enabled --update false');
    onTestFinished(async () => void (await must(owner, 'crm_attribute --name stonith-enabled --update true')));
    expect((await json('check')).codes).toContain('check-fencing');
    await done('maintenance on --for 30m --yes', owner);
    await done('maintenance off --yes', owner);
  });

  it('new settings restart nothing, and hold from the next start', { timeout: 120_000 }, async () => {
    const owner = await used.drills.waitServed();
    const { done, must } = typedIn(used);
    const starts = () => used.drills.entries.filter(({ what }) => what === 'start-ended').length;
    const running = async (member: string) => (await must(member, 'cut -d" " -f1 /run/csync-running-*')).trim();
    const [before, began] = [await running(owner), starts()];
    await must('m1', changeGrace(31));
    expect((await done<{ outcome: string }>('apply --yes')).outcome).toBe('applied');
    const [, wanted = ''] = /name="set" value="(\w+)"/.exec(await must('m1', 'cibadmin --query --xpath "//group"')) ?? [];
    expect(wanted).not.toBe(before);
    // The checks that follow a reload, too.
    await must(owner, 'crm_resource --refresh --resource csync && crm_resource --wait --timeout=60s');
    expect([await running(owner), starts(), await used.drills.waitServed()]).toEqual([before, began, owner]);
    await used.drills.killDaemon(owner);
    const next = await used.drills.waitServed(owner);
    await must(next, 'crm_resource --wait --timeout=60s');
    expect(await running(next)).toBe(wanted);
    const cleanup = `on ${next}: crm_resource --resource csync --cleanup --node ${owner}`;
    expect((await done<{ steps: string[] }>('recover --dry-run', next)).steps).toEqual([cleanup]);
    await done('recover --yes', next);
    expect((await used.drills.view()).switching.get(owner)).toBe(true);
    await must('m1', changeGrace(30));
    await done('apply --yes');
  });

  it('csync apply requires --halt for a restart, and fencing; the second one changes nothing', { timeout: 120_000 }, async () => {
    const owner = await used.drills.waitServed();
    const { done, json, must, broken } = typedIn(used);
    expect(await done('apply --yes')).toMatchObject({ outcome: 'unchanged', steps: [] });
    const options = 'sed -i "s/^mount_options:.*/mount_options: ';
    await broken(
      'm1',
      `cp -p /root/csync.yaml /root/before.yaml; ${options}rw,noatime/" /root/csync.yaml`,
      'mv /root/before.yaml /root/csync.yaml',
    );
    const refused = await json('apply --yes');
    expect([refused.codes, refused.problems[0]?.text]).toEqual([
      ['change-needs-halt'],
      expect.stringContaining(`restart on ${owner}: csync_fs, csync_ip, csync_main`),
    ]);
    const fenced = (is: boolean) => `crm_attribute --name stonith-enabled --update ${is}`;
    const repaired = await broken('m1', fenced(false), fenced(true));
    expect((await json('apply --yes --halt')).codes).toEqual(['change-fencing']);
    await must('m1', 'sed -i "s/^test_cluster: false/test_cluster: true/" /root/csync.yaml');
    const dry = await done<{ steps: string[] }>('apply --halt --dry-run');
    expect(dry.steps).toContain('on m1: /etc/csync/csync.change.sh apply /etc/csync/csync.group.xml');
    await must('m1', 'sed -i "s/^test_cluster: true/test_cluster: false/" /root/csync.yaml');
    await repaired();
  });

  it('a member without network is fenced before another one mounts, and joins again after heal and boot', {
    timeout: 180_000,
  }, async () => {
    const { lab, drills } = used;
    const from = await drills.waitServed();
    const mark = drills.entries.length;
    await lab.ask({ verb: 'cut', member: from });
    const since = () => drills.entries.slice(mark);
    await eventually(
      'the group on another member',
      () => since().some(({ what, member }) => what === 'start-ended' && member !== from),
      60_000,
    );
    const order = since().filter(({ what, member }) => what === 'fenced' || (what === 'mounted-on' && member !== from));
    expect(order.map(({ what }) => what)).toEqual(['fenced', 'mounted-on']);
    expect((await lab.status()).hosts.find(({ name }) => name === from)?.up).toBe(false);
    expect(drills.entries.filter(({ kind }) => kind === 'violation')).toEqual([]);
    const owner = await drills.waitServed(from);
    await lab.ask({ verb: 'heal', member: from });
    await lab.ask({ verb: 'boot', member: from });
    await eventually(
      'the member to join',
      async () => (await view()).packages.get(drills.packageName)?.switching.get(from),
      60_000,
    );
    expect(await drills.waitServed()).toBe(owner);
  });
});

/** Pid namespaces of this machine in which processes of that init run: of one member, and nothing else. */
const spaceOf = (pid: number): string => readlinkSync(`/proc/${pid}/ns/pid`);
const spaces = (): string[] =>
  readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) ? [readlinkSync(`/proc/${name}/ns/pid`)] : [];
    } catch {
      return [];
    }
  });

describe.skipIf(whyNoPacemaker !== null)('the removal of a lab with Pacemaker', () => {
  it('leaves no process, no mount and no shared memory behind', { timeout: 180_000 }, async () => {
    const spec = labSpec(labSettings(), `test-pacemaker-left-${process.pid}`, { engine: 'pacemaker', clients: [] });
    const lab = await startLab({ spec, dist: `${repository}/dist`, attached: true, progress: () => {} });
    const daemon = Number(readFileSync(`${spec.home}/daemon.pid`, 'utf8'));
    const ofLab = new Set([spaceOf(daemon)]);
    try {
      await new PackageDrills(lab).deploy();
      // Their daemons are in spaces below that of the lab, which the kernel ends with it.
      const seen = await lab.exec('m1', ['pgrep', '-c', '-f', 'corosync|pacemaker']);
      expect(Number(seen.stdout)).toBeGreaterThan(5);
      for (const name of readdirSync(`/proc/${daemon}/root/proc`).filter((one) => /^\d+$/.test(one)))
        ofLab.add(readlinkSync(`/proc/${daemon}/root/proc/${name}/ns/pid`));
    } finally {
      await lab.down();
    }
    expect(ofLab.size).toBe(4);
    expect(spaces().filter((space) => ofLab.has(space))).toEqual([]);
    expect(readdirSync('/dev/shm').filter((name) => name.startsWith('qb-'))).toEqual([]);
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(spec.home);
    expect(existsSync(spec.home)).toBe(false);
  });
});
