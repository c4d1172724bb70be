/** Events of a real package reach hooks, once each, and no failover waits for one. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Notice } from '../../../src/contract/alerts.ts';
import { eventually } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const directory = '/etc/csync/alerts.d';
const log = '/root/notices';
const state = '/run/csync-alerts-csync.json';
const record = `${directory}/record`;

describe.skipIf(whyNoLab !== null)('csync alert in the lab', { timeout: 300_000 }, () => {
  const used = useLab('alerts', { deployed: true, changes: { alertDirectory: directory, alertTimeoutSeconds: 20 } });
  const { sh, must, json, done, broken } = typedIn(used);
  const members = ['m1', 'm2', 'm3'];

  beforeAll(async () => {
    for (const member of members)
      await must(member, `mkdir -p ${directory}; printf '#!/bin/sh\\ncat >> ${log}\\n' > ${record}; chmod 755 ${record}`);
  });

  /** What the timer of a member does. */
  const run = async (member: string) => {
    const ran = await done<{ notices: Notice[]; unknown: string[]; skipped: string | null }>('alert run', member);
    expect(ran.skipped).toBeNull();
    return ran;
  };
  const everyone = () => Promise.all(members.map(run));
  const forgets = `node -e '
    const fs = require("node:fs"), state = JSON.parse(fs.readFileSync("${state}"));
    fs.writeFileSync("${state}", JSON.stringify({ ...state, lasting: {}, queue: [], results: {} }))'`;
  /** As if what lasts there had lasted for hours. */
  const age = (member: string, since = '1') => must(member, `sed -i 's/"since":[0-9][0-9]*/"since":${since}/g' ${state}`);
  /** Reported on the member since the test began, as the hook got it. */
  const told = async (member: string): Promise<Notice[]> =>
    (await sh(member, `cat ${log}`)).stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  const words = (notices: readonly Notice[]) => notices.map(({ event, state: how }) => `${event} ${how}`);
  /** It serves from m1, and every member has reported what was before. */
  const atHome = async () => {
    await serving(used);
    await everyone();
    await Promise.all(members.map((member) => must(member, `: > ${log}; ${forgets}`)));
  };

  it('a failover: the new master reports its promotion, once; members that stay report nothing at once', async () => {
    await atHome();
    await used.drills.failOver('kill');
    await everyone();
    await everyone();
    const [notice, ...more] = await told('m2');
    expect(more).toEqual([]);
    expect(notice).toMatchObject({ event: 'promotion', state: 'raised', severity: 'info', package: 'csync', member: 'm2' });
    expect(notice?.text).toMatch(
      /^m2 is the cfengine master for csync\.lab, after a failover from m1 with an outage of \d+\.\d s$/,
    );
    expect([await told('m1'), await told('m3')]).toEqual([[], []]);
    // m1 is disabled after its failure: that lasts, and the first member reports it.
    await Promise.all(members.map((member) => age(member)));
    await everyone();
    await everyone();
    expect(words(await told('m1'))).toEqual(['readiness raised']);
    expect((await told('m1'))[0]).toMatchObject({ key: 'csync/readiness/m1', severity: 'warning' });
  });

  it('hooks that hang on every member, while their timers run: the package fails over, and the promotion is reported', async () => {
    await atHome();
    for (const member of members)
      await broken(
        member,
        `printf '#!/bin/sh\\nexec sleep 86407\\n' > ${directory}/hang; chmod 755 ${directory}/hang; ` +
          `( while [ -e ${directory}/hang ]; do csync alert run; done > /dev/null 2>&1 < /dev/null & )`,
        `rm ${directory}/hang; flock -w 60 /run/csync-alerts-csync.lock true`,
      );
    await must('m1', `sed -i 's/"marks":{[^}]*}/"marks":{"promotion":"0"}/' ${state}`);
    await eventually('a hook to hang on m1', async () => (await sh('m1', 'pgrep -f "^sleep 86407"')).exitCode === 0);
    await used.drills.failOver('kill');
    expect((await used.drills.view()).owner).toBe('m2');
    await eventually('the hook to hang on m2', async () => (await sh('m2', 'pgrep -f "^sleep 86407"')).exitCode === 0, 30_000);
    await eventually('the promotion to be reported', async () => words(await told('m2')).includes('promotion raised'), 30_000);
  });

  it('a package that is down without any monitor: a standby reports it, the next one only if it lasts, and its end', async () => {
    await atHome();
    await must('m1', 'cmmodpkg -d -n m2 -n m3 csync');
    await used.lab.ask({ verb: 'crash', member: 'm1' });
    const standbys = ['m2', 'm3'];
    // The cluster reforms without m1: each standby sees it, and that m1 is gone.
    const isGone = 'cmviewcl -f line -n m1 | grep -qx status=down && cmviewcl -f line -p csync | grep -qx status=down';
    for (const member of standbys)
      await eventually('the cluster to be without m1', async () => (await sh(member, isGone)).exitCode === 0, 30_000);
    expect((await Promise.all(standbys.map(run))).flatMap(({ notices }) => notices)).toEqual([]);
    for (const member of standbys) await age(member, `'$(( ($(date +%s) - 61) * 1000 ))'`);
    await Promise.all(standbys.map(run));
    await Promise.all(standbys.map(run));
    const down = await told('m2');
    expect(words(down)).toEqual(['package-down raised']);
    expect(down[0]).toMatchObject({ key: 'csync/package-down', severity: 'critical' });
    expect(down[0]?.text).toMatch(/^csync is down, clients have no master: no member may start it/);
    expect(await told('m3')).toEqual([]);
    await age('m3');
    await run('m3');
    expect(words(await told('m3'))).toEqual(['package-down raised']);
    await must('m2', 'cmmodpkg -e -n m2 -n m3 csync');
    await must('m2', 'cmmodpkg -e csync');
    await used.drills.waitServed();
    await run('m2');
    expect(words(await told('m2')).toSorted()).toEqual(['package-down cleared', 'package-down raised', 'promotion raised']);
    await used.lab.ask({ verb: 'boot', member: 'm1' });
  });

  it('a start that fails is reported where it failed, with its reason', async () => {
    await atHome();
    await broken('m2', 'chattr -i /csync; rmdir /csync', 'mkdir -p /csync');
    await used.drills.failOver('kill');
    expect((await used.drills.view()).owner).toBe('m3');
    await everyone();
    await everyone();
    const [failed, ...more] = await told('m2');
    expect(more).toEqual([]);
    expect(failed).toMatchObject({ event: 'failed-failover', severity: 'critical' });
    expect(failed?.text).toMatch(/^a start of csync on m2 failed: \[mount-point-missing\] /);
    expect(words(await told('m3'))).toEqual(['promotion raised']);
  });

  it('a policy file system without room, and its end', async () => {
    await atHome();
    const repaired = await broken(
      'm1',
      'fallocate -l $(($(stat -f -c "%a * %S" /csync) * 95 / 100)) /csync/fill',
      'rm -f /csync/fill',
    );
    await run('m1');
    await run('m1');
    await repaired();
    await run('m1');
    const notices = await told('m1');
    expect(words(notices)).toEqual(['space raised', 'space cleared']);
    expect(notices[0]?.text).toMatch(/^policy file system: \d+ MB \(\d %\) are free/);
    expect((await run('m2')).unknown).toEqual([]);
  });

  it('a rehearsal that finds a member unready', async () => {
    await atHome();
    await broken('m1', 'cmmodpkg -d -n m3 csync', 'cmmodpkg -e -n m3 csync; rm -f /run/csync-rehearsed-csync.json');
    expect((await json('rehearse')).exitCode).toBe(1);
    await run('m1');
    const notices = await told('m1');
    expect(words(notices)).toEqual(['rehearsal raised']);
    expect(notices[0]?.text).toMatch(/^the last rehearsal failed: the package would start on 2 of 3 members, not on m3/);
  });

  it('a test reaches the hooks of every member; one without csync is reported', async () => {
    await atHome();
    const planned = await done<{ members: { member: string; hooks: { result: string }[] }[] }>('alert test --dry-run');
    expect(planned.members.map(({ member, hooks }) => [member, hooks.map(({ result }) => result)])).toEqual(
      members.map((member) => [member, ['would run']]),
    );
    await done('alert test');
    for (const member of members) expect(words(await told(member))).toEqual(['test raised']);
    await broken('m3', 'mv /usr/local/bin/csync /root/csync.away', 'mv /root/csync.away /usr/local/bin/csync');
    const lacking = await json('alert test', 'm2');
    expect([lacking.exitCode, lacking.codes]).toEqual([5, ['alert-unrun m3']]);
  });

  it('a hook that other users can change is not run, which status, check and a test report until it is corrected', async () => {
    await atHome();
    await must('m2', `chmod 777 ${record}`);
    await run('m2');
    const remedy = `check its content, then: chown root ${record}; chmod 755 ${record}`;
    const status = await json<{ advice: { text: string; remedy: string }[] }>('status');
    expect(status.advice).toMatchObject([{ text: expect.stringMatching(/^hook record on m2 is not run/), remedy }]);
    const checked = await json<{ problems: { code: string; member: string; remedy: string }[] }>('check');
    expect(checked.problems.filter(({ code }) => code === 'check-alerts')).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ member: 'm2', remedy })]),
    );
    const tried = await json('alert test');
    expect([tried.exitCode, tried.codes]).toEqual([5, ['alert-hook m2']]);
    await must('m2', `chown root ${record}; chmod 755 ${record}`);
    await done('alert test');
    await run('m2');
    expect(await json('status')).toMatchObject({ exitCode: 0, advice: [] });
    expect((await json('check')).codes).not.toContain('check-alerts m2');
  });

  it('hooks that fail, or differ between members, are reported by status', async () => {
    await atHome();
    await broken('m3', `printf '#!/bin/sh\\nexit 9\\n' > ${directory}/sms; chmod 755 ${directory}/sms`, `rm ${directory}/sms`);
    expect((await json('alert test')).codes).toEqual(['alert-hook m3']);
    await run('m3');
    const { advice } = await json<{ advice: { text: string }[] }>('status');
    expect(advice.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^hook sms on m3 failed: exit status 9/),
      'hooks of m3 and m1 differ: sms',
    ]);
  });
});
