/** csync sync with the real cf-runagent: from the member with the package and from another one, and what keeps a host from running. */
import { describe, expect, it } from 'vitest';
import type { HostRun } from '../../../src/cluster/procedures/run-outputs.ts';
import { eventually, everyStepIt } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const keys = '/var/lib/cfengine3/ppkeys';
const inputs = '/var/lib/cfengine3/inputs';

describe.skipIf(whyNoLab !== null)('csync sync in the lab', { timeout: 300_000 }, () => {
  const used = useLab('sync', { deployed: true, watched: false });
  const { sh, must, csync, json, broken } = typedIn(used);
  const sync = (words: string) => json<{ from: string; hosts: HostRun[] }>(`sync ${words}`);
  const reasons = (runs: readonly HostRun[]) => runs.map(({ host, reason }) => `${host} ${reason ?? 'ran'}`);
  const publicKey = async (host: string) => (await sh(host, `cf-key -p ${keys}/localhost.pub`)).stdout.trim();

  it('every host runs, the member that asks as well, and fetches what is new', async () => {
    await serving(used);
    await must('m2', `rm -f ${inputs}/csync-lab-policy.txt`);
    const all = await sync('m1 m2 m3 c1 c2 --parallel 2');
    expect([all.exitCode, reasons(all.hosts)]).toEqual([0, ['m1 ran', 'm2 ran', 'm3 ran', 'c1 ran', 'c2 ran']]);
    expect(all.hosts[1]?.changes.join('\n')).toMatch(/^Updated file '/m);
    // The text of it.
    expect((await csync('sync m2')).stdout).toMatch(/^ran +1 of 1\n/);
    expect((await sh('m2', `head -n 1 ${inputs}/csync-lab-policy.txt`)).stdout).toMatch(/^version \d+\n$/);
  });

  it('a member that calls itself 127.0.1.1 runs its own agent by its address in the network', async () => {
    await serving(used);
    await broken(
      'm1',
      "cp /etc/hosts /etc/kept; sed '1i 127.0.1.1 m1.lab m1' /etc/kept > /etc/hosts",
      'cat /etc/kept > /etc/hosts',
    );
    const own = await sync('m1');
    expect([own.exitCode, reasons(own.hosts)]).toEqual([0, ['m1 ran']]);
  });

  it('from a member that does not run the package, with a time for each host; --dry-run runs none', async () => {
    await serving(used);
    const there = await sync('c1 c2 --from m3');
    expect([there.exitCode, there.from, reasons(there.hosts)]).toEqual([0, 'm3', ['c1 ran', 'c2 ran']]);
    expect(there.hosts.every(({ milliseconds, exitCode }) => exitCode === 0 && (milliseconds ?? 0) > 0)).toBe(true);
    expect(await json('sync c1 --from m2 --dry-run --define urgent')).toMatchObject({
      from: 'm2',
      commands: ['/usr/bin/cf-runagent -H c1:5308 -t 600 -D urgent'],
    });
    expect(await json('sync c1 --from c1')).toMatchObject({ exitCode: 2, codes: ['usage'] });
    expect(await json('sync')).toMatchObject({ exitCode: 2, codes: ['usage'] });
  });

  it('classes reach the agent', async () => {
    await serving(used);
    const master = '/csync/dsau/masterfiles/promises.cf';
    const told = 'bundle agent told { reports: "urgent is defined" if => "urgent"; }';
    const repaired = await broken(
      'm1',
      `cp ${master} /tmp/sound; sed -i 's/bundlesequence *=> { */&"told", /' ${master}; echo '${told}' >> ${master}`,
      `cp /tmp/sound ${master}`,
    );
    const run = async (words: string) => (await sh('m1', `cf-runagent -H 10.9.0.13 ${words} </dev/null 2>&1`)).stdout;
    const said = [await run(''), await run('-D urgent,other')];
    await repaired();
    expect(said.map((one) => one.includes('R: urgent is defined'))).toEqual([false, true]);
    expect((await sync('m3 --define urgent --define other')).hosts).toMatchObject([{ outcome: 'ran', exitCode: 0 }]);
  });

  it('each kind of failure has its name and its fix; the others run', async () => {
    await serving(used);
    const [m1Key, c2Key] = [await publicKey('m1'), await publicKey('c2')];
    const away = (host: string, key: string) =>
      broken(host, `mv ${keys}/root-${key}.pub /tmp/key`, `mv /tmp/key ${keys}/root-${key}.pub`);
    const back = [await away('m3', m1Key), await away('m1', c2Key)];
    const keyless = await sync('m3 c2 c1 nosuch 10.9.0.99');
    for (const one of back) await one();
    expect(reasons(keyless.hosts)).toEqual(['m3 key-there', 'c2 key-here', 'c1 ran', 'nosuch no-address', '10.9.0.99 silent']);
    expect(keyless.exitCode).toBe(5);
    await must('m3', 'pkill -x cf-serverd');
    await eventually('its end', async () => (await sh('m3', 'pgrep -x cf-serverd')).stdout === '');
    expect(reasons((await sync('m3 c1')).hosts)).toEqual(['m3 closed', 'c1 ran']);
    await sh('m3', 'sed -i \'s/allowusers .*/allowusers => { "daemon" };/\' /var/lib/cfengine3/inputs/controls/cf_serverd.cf');
    await sh('m3', 'cd /; cf-serverd -K </dev/null >/dev/null 2>&1');
    await eventually('m3 to answer', async () => reasons((await sync('m3')).hosts)[0] === 'm3 admission', 20_000);
    // Its own agent gets the master's policy, and its daemon reads it again.
    await sh('m3', 'cf-agent -K -f update.cf; pkill -HUP -x cf-serverd');
    await eventually('m3 to admit again', async () => (await sync('m3')).exitCode === 0, 20_000);
  });

  everyStepIt('an agent that does not exit is left after the time limit, and delays no other', async () => {
    await serving(used);
    const command = 'cfruncommand => "\\/bin\\/sh -c \'echo begun; sleep 600\'";';
    await sh(
      'm3',
      `sed -i "s/cfruncommand .*/$(cat <<'END'\n${command}\nEND\n)/" ${inputs}/controls/cf_serverd.cf; pkill -HUP -x cf-serverd`,
    );
    await eventually(
      'the new command',
      async () => (await sync('m3 --timeout 2s')).hosts[0]?.errors.join().includes('begun'),
      30_000,
    );
    const limited = await sync('m3 c1 c2 --timeout 4s --parallel 3');
    expect(reasons(limited.hosts)).toEqual(['m3 time', 'c1 ran', 'c2 ran']);
    expect((await sh('m1', 'pgrep -x cf-runagent')).stdout).toBe('');
    await sh('m3', 'pkill -x sleep; cf-agent -K -f update.cf; pkill -HUP -x cf-serverd');
    await eventually('m3 to run again', async () => (await sync('m3')).exitCode === 0, 20_000);
  });

  everyStepIt('with the package halted only a named member starts agents', async () => {
    await serving(used);
    await used.lab.exec('m1', ['cmhaltpkg', 'csync']);
    const refused = await sync('c1');
    expect([refused.exitCode, refused.codes, refused.problems[0]?.remedy]).toEqual([
      4,
      ['cluster-not-running'],
      expect.stringContaining('csync sync --from m1'),
    ]);
    const named = await sync('c1 --from m2');
    expect(named.hosts[0]).toMatchObject({ outcome: 'ran' });
    expect(named.hosts[0]?.errors.length, 'the agent says that it got no policy').toBeGreaterThan(0);
    await used.lab.ask({ verb: 'crash', member: 'm3' });
    const gone = await sync('c1 --from m3');
    expect([gone.exitCode, gone.codes]).toEqual([4, ['cluster-unreachable m3']]);
    await used.lab.ask({ verb: 'boot', member: 'm3' });
  });
});
