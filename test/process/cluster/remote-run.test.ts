/** Remote runs of generation 2, as csync sends them to a member: the stand-in's cfrun, and the guards before it. */
import { describe, expect, it } from 'vitest';
import { type HostRun, parseRuns, runScript } from '../../../src/cluster/procedures/remote-run.ts';
import type { RosterHost } from '../../../src/contract/roster.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { eventually, settingsFor } from '../../support.ts';
import { cfservdConf, type Member, ownAddress, useMember, whyNoMember } from '../member/generation2-member.ts';

const wish = { parallel: 4, timeoutSeconds: 5, classes: [] };

describe.skipIf(whyNoMember !== null)('remote runs of generation 2', { timeout: 120_000 }, () => {
  const fresh = useMember();
  const settingsOf = (member: Member): Settings =>
    settingsFor({
      cfengine_generation: 2,
      cfengine_work_directory: member.work,
      cfengine_bin_directory: `${member.work}/bin`,
    });
  const self: RosterHost = { name: 'm1', addresses: [ownAddress] };

  async function runOn(member: Member, hosts: readonly RosterHost[], more = {}): Promise<HostRun[]> {
    const settings = settingsOf(member);
    const { exitCode, stdout, stderr } = await member.sh('exec sh -s', runScript(settings, hosts, { ...wish, ...more }));
    expect([exitCode, stderr]).toEqual([0, '']);
    return parseRuns(stdout, settings, hosts);
  }
  const reasons = (runs: readonly HostRun[]) => runs.map(({ host, reason }) => `${host} ${reason ?? 'ran'}`);

  /** A member that admits itself and has a policy that says a word. */
  async function admitting(): Promise<Member> {
    const member = await fresh();
    const command = `${member.work}/bin/cfagent`;
    member.writeConf(cfservdConf([`${command} 10.9.0.0/24`], [`cfrunCommand = ( "${command}" )`]));
    member.write(
      `${member.work}/inputs/cfagent.conf`,
      'control:\n actionsequence = ( shellcommands )\nshellcommands:\n "/bin/echo policy v1"\n',
    );
    member.write(`${member.work}/inputs/cfrun.hosts`, '# all\ndomain = lab\nmaxchild = 10\naccess = root\nm1.lab\nm2\n');
    await member.demand(`cd ${member.work}/ppkeys; cp localhost.pub root-${ownAddress}.pub`);
    await member.demand(`echo '${ownAddress} m1.lab' >> /etc/hosts`);
    await member.startDaemon();
    return member;
  }

  it('a host that admits it runs its agent; found by name, by whole name and by address', async () => {
    const member = await admitting();
    for (const name of ['m1', 'm1.lab']) {
      const [run] = await runOn(member, [{ name, addresses: [ownAddress] }]);
      expect(run).toMatchObject({ outcome: 'ran', changes: ['policy v1'], exitCode: null });
    }
    expect((await runOn(member, [{ name: 'm1', addresses: [] }]))[0]).toMatchObject({ outcome: 'ran' });
  });

  it('down, unknown, not in the list, no key, no list: each is reported without a question', async () => {
    const member = await admitting();
    const down = { name: 'm2', addresses: ['127.0.0.2'] };
    await member.demand('ip address add 10.9.0.13/24 dev lo');
    const unlisted = { name: 'c9', addresses: ['10.9.0.13'] };
    const unknown = { name: 'stranger.invalid', addresses: [] };
    expect(reasons(await runOn(member, [self, unlisted, unknown]))).toEqual([
      'm1 ran',
      'c9 not-listed',
      'stranger.invalid no-address',
    ]);
    await member.demand(`rm ${member.work}/ppkeys/root-${ownAddress}.pub`);
    expect(reasons(await runOn(member, [self]))).toEqual(['m1 no-key']);
    await member.demand(`rm ${member.work}/inputs/cfrun.hosts`);
    expect(reasons(await runOn(member, [self]))).toEqual(['m1 no-list']);
    await member.demand(`kill -TERM ${(await member.daemons())[0]}`);
    await eventually('its end', async () => (await member.daemons()).length === 0);
    expect(reasons(await runOn(member, [self, down]))).toEqual(['m1 closed', 'm2 closed']);
  });

  it('refused there: the command is not admitted; the key is another one', async () => {
    const member = await admitting();
    const command = `${member.work}/bin/cfagent`;
    member.writeConf(cfservdConf([`${command} 10.9.0.12`], [`cfrunCommand = ( "${command}" )`]));
    await member.demand(`touch -d '+5 seconds' ${member.work}/inputs/cfservd.conf`);
    await eventually('a refusal', async () => reasons(await runOn(member, [self]))[0] === 'm1 admission');
    await member.demand(`sed -i 's/A/B/' ${member.work}/ppkeys/root-${ownAddress}.pub`);
    expect((await runOn(member, [self]))[0]).toMatchObject({ outcome: 'refused' });
  });

  it('a cfrun that asks for ever, and one that never exits, are ended; their output fills no memory', async () => {
    const member = await admitting();
    const asks =
      '#!/bin/sh\necho "cfrun(0):         .......... [ Hailing m1.lab ] .........."\nexec yes "Please reply yes or no...()"\n';
    await member.demand(`rm ${member.work}/bin/cfrun`);
    member.write(`${member.work}/bin/cfrun`, asks, 0o755);
    expect((await runOn(member, [self]))[0]).toMatchObject({ outcome: 'refused', reason: 'key-here', cut: true });
    member.write(`${member.work}/bin/cfrun`, '#!/bin/sh\nsleep 600\n', 0o755);
    const [run] = await runOn(member, [self], { timeoutSeconds: 1 });
    expect(run).toMatchObject({ outcome: 'timed out', reason: 'time' });
    expect((await member.sh('pgrep -x sleep')).stdout).toBe('');
  });
});
