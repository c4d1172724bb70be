/** csync status against a cluster that is well, and against what breaks. */
import { describe, expect, it } from 'vitest';
import type { MemberStatus, StatusVerdict } from '../../../src/cluster/condition/status.ts';
import { everyStepIt } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

type Report = StatusVerdict & {
  readonly members: readonly MemberStatus[];
  readonly clients: readonly { address: string }[] | null;
};

describe.skipIf(whyNoLab !== null)('csync status in the lab', { timeout: 300_000 }, () => {
  const used = useLab('status', {
    deployed: true,
    without: { sudo: 'another user asks for the status, without an account of sudo' },
  });
  const { sh, must, csync, json, broken } = typedIn(used);
  const status = (member = 'm1') => json<Report>('status', member);
  const of = (report: Report, member: string) => report.members.find((one) => one.member === member);
  const remedies = (report: Report) => report.advice.map(({ remedy }) => remedy).join('\n');

  it('a package that serves: since when, which policy, a table; the same from any member, and as JSON', async () => {
    await serving(used);
    await used.drills.waitClients();
    const here = await csync('status');
    expect(here.exitCode, here.stdout).toBe(0);
    expect(here.stdout).toMatch(
      /^csync serves from m1 since \S+Z, policy [0-9a-f]{12}\n\nmember .*\nm1 +up +running +enabled +runs +yes +yes +same/,
    );
    expect(here.stdout).toMatch(/\nclient +.*\n10\.9\.0\.2[12] /);
    const there = await status('m3');
    expect(there).toMatchObject({ exitCode: 0, condition: 'serving', advice: [] });
    expect(there.clients?.map(({ address }) => address).sort()).toEqual(['10.9.0.21', '10.9.0.22']);
    expect(
      there.members.map(({ member, seen, noAnswer, inCluster, switching, staleFiles }) => ({
        ...{ member, noAnswer, inCluster, switching, staleFiles },
        ...{ daemons: seen?.daemons, mounted: seen?.mounted, address: seen?.address },
      })),
    ).toEqual(
      ['m1', 'm2', 'm3'].map((member) => ({
        ...{ member, noAnswer: null, inCluster: 'up', switching: true, staleFiles: [] },
        ...{ daemons: 1, mounted: member === 'm1', address: member === 'm1' },
      })),
    );
  });

  it('a failover switches the member off, and status says how it comes back', async () => {
    await serving(used);
    await used.drills.failOver('kill');
    const after = await status();
    expect([after.condition, of(after, 'm1')?.switching, of(after, 'm2')?.seen?.mounted]).toEqual(['serving', false, true]);
    const command = /cmmodpkg -e -n m1 csync$/.exec(remedies(after))?.[0];
    await must('m1', command ?? 'false');
    expect(await status()).toMatchObject({ condition: 'serving', advice: [] });
  });

  it('a user with the monitor role sees the package; what it may not see is not known, and it changes nothing', async () => {
    await serving(used, 'm2');
    const user = 'cp /root/csync.yaml /tmp; cd /tmp; setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent';
    const asUser = async (member: string): Promise<Report> =>
      JSON.parse((await sh(member, `${user} node /opt/csync/csync.mjs status --json`)).stdout);
    const seen = await asUser('m1');
    expect([seen.condition, seen.clients, of(seen, 'm2')?.seen]).toEqual(['unknown', null, null]);
    expect(of(seen, 'm2')?.noAnswer.remedy).toMatch(/ssh-keyscan m2/);
    expect(of(seen, 'm1')).toMatchObject({
      inCluster: 'up',
      switching: true,
      seen: { daemons: 1, mounted: false, address: false },
    });
    const here = await asUser('m2');
    expect([here.condition, of(here, 'm2')?.seen?.policyDigest], 'it may not read the policy').toEqual(['serving', null]);
    for (const command of ['cmhaltpkg csync', 'cmgetconf -p csync', 'cmmodpkg -d csync', 'cmmakepkg /tmp/x.conf'])
      expect(await sh('m1', `${user} ${command}`), command).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('Permission denied'),
      });
    expect(await used.drills.view()).toMatchObject({ owner: 'm2', state: 'running', autoRun: true });
  });

  it('files that drift, a daemon that is gone, a member that is out of reach', async () => {
    await serving(used);
    const file = '/usr/local/cmcluster/conf/csync/csync.sh';
    await broken(
      'm3',
      `cp -p ${file} /root; echo "# mine" >> ${file}; pkill -x cf-serverd; while pgrep -x cf-serverd >/dev/null; do :; done`,
      `cp -p /root/csync.sh ${file}`,
    );
    const drifted = await status();
    expect([drifted.exitCode, drifted.condition, drifted.advice.length]).toEqual([0, 'serving', 2]);
    expect(of(drifted, 'm3')).toMatchObject({ staleFiles: ['csync.sh'], seen: { daemons: 0 } });
    expect(remedies(drifted)).toMatch(/csync members sync[\s\S]*csync diff; then csync apply/);
    await used.lab.ask({ verb: 'crash', member: 'm3' });
    const gone = await status();
    expect([gone.exitCode, gone.condition, of(gone, 'm3')?.seen]).toEqual([0, 'serving', null]);
    await used.lab.ask({ verb: 'boot', member: 'm3' });
  });

  everyStepIt('halted, and what brings it back', async () => {
    await serving(used);
    await used.lab.exec('m1', ['cmhaltpkg', 'csync']);
    const halted = await status();
    expect([halted.exitCode, halted.condition]).toEqual([3, 'halted']);
    const command = /^cmmodpkg -e csync/.exec(remedies(halted))?.[0];
    await must('m1', command ?? 'false');
    expect(await used.drills.waitServed()).toBe('m1');
    const conf = await must('m1', 'cmgetconf -p csync');
    await must('m1', 'cmhaltpkg csync; cmdeleteconf -f -p csync');
    const unconfigured = await status();
    expect([unconfigured.exitCode, remedies(unconfigured)]).toEqual([
      3,
      expect.stringMatching(/^csync members sync, then csync apply --run$/m),
    ]);
    await must('m1', `cat > /root/csync.conf <<'END'\n${conf}END\ncmapplyconf -f -P /root/csync.conf`);
  });
});
