/** Remote runs of generation 2, as csync sends them to a member: the stand-in's cfrun, and the guards before it. */
import { describe, expect, it } from 'vitest';
import { parseRuns, runScript } from '../../../src/cluster/procedures/remote-run.ts';
import type { HostRun } from '../../../src/cluster/procedures/run-outputs.ts';
import type { RosterHost } from '../../../src/contract/roster.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { eventually, settingsFor } from '../../support.ts';
import { cfservdConf, type Member, ownAddress, packageAddress, useMember, whyNoMember } from '../member/generation2-member.ts';

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
      'control:\n domain = ( lab )\n actionsequence = ( shellcommands )\nshellcommands:\n "/bin/echo policy v1"\n',
    );
    member.write(`${member.work}/inputs/cfrun.hosts`, '# all\ndomain = lab\nmaxchild = 10\naccess = root\nm1.lab\nm2\n');
    await member.demand(`cd ${member.work}/ppkeys; cp localhost.pub root-${ownAddress}.pub`);
    await member.demand(`echo '${ownAddress} m1.lab' >> /etc/hosts`);
    await member.startDaemon();
    return member;
  }

  it('a host that admits it runs its agent, however its line and its name are written; that is no change', async () => {
    const member = await admitting();
    const lists = ['m1.lab', 'm1', 'm1:5308', `${ownAddress}`, `${ownAddress}:5308`];
    for (const line of lists) {
      // One line for all of them: an included file counts, too.
      member.write(`${member.work}/inputs/cfrun.hosts`, 'domain = lab\nmaxchild = 10\naccess = root\ninclude = more.hosts\n');
      member.write(`${member.work}/inputs/more.hosts`, `${line} \n`);
      for (const name of ['m1', 'm1.lab']) {
        const [run] = await runOn(member, [{ name, addresses: [ownAddress] }]);
        expect(run, `${name} by ${line}`).toMatchObject({ outcome: 'ran', changes: [], errors: [], exitCode: null });
      }
    }
    expect((await runOn(member, [{ name: 'm1', addresses: [] }], { classes: ['x'] }))[0]).toMatchObject({ outcome: 'ran' });
  });

  it('an agent that did nothing for the policy is a failed run, with its reason', async () => {
    const member = await admitting();
    const [inputs, keys] = [`${member.work}/inputs`, `${member.work}/ppkeys`];
    const policy = (name: string, text: string) => member.write(`${inputs}/${name}`, text);
    const update = 'control:\n domain = ( lab )\n actionsequence = ( copy )\ncopy:\n';
    const fetch = (server: string) =>
      `${update} ${member.policyDirectory}/inputs dest=${inputs} r=inf server=${server} type=checksum trustkey=false backup=false\n`;
    const outcome = async () => {
      const [run] = await runOn(member, [self]);
      return [run?.outcome, run?.reason];
    };
    await member.mount();
    await member.demand(`mkdir ${member.policyDirectory}/inputs; echo one > ${member.policyDirectory}/inputs/new`);
    const command = `${member.work}/bin/cfagent`;
    member.writeConf(
      cfservdConf([`${command} 10.9.0.0/24`, `${member.policyDirectory} 10.9.0.0/24`], [`cfrunCommand = ( "${command}" )`]),
    );
    await member.demand(`kill -KILL ${(await member.daemons())[0]}`);
    await eventually('its end', async () => (await member.daemons()).length === 0);
    await member.startDaemon();
    policy('update.conf', fetch('csync.lab'));
    expect((await runOn(member, [self]))[0]).toMatchObject({
      outcome: 'ran',
      changes: [`Copying from csync.lab:${member.policyDirectory}/inputs/new`],
    });
    expect((await runOn(member, [self]))[0]).toMatchObject({ outcome: 'ran', changes: [], errors: [] });
    await member.demand(
      `cp ${keys}/root-${packageAddress}.pub ${member.work}/sound; sed -i 's/A/B/' ${keys}/root-${packageAddress}.pub`,
    );
    expect(await outcome()).toEqual(['failed', 'master-key']);
    await member.demand(
      `cp ${member.work}/sound ${keys}/root-${packageAddress}.pub; sed 's/^${packageAddress} /192.0.2.1 /' /etc/hosts > ${member.work}/hosts; cat ${member.work}/hosts > /etc/hosts`,
    );
    expect(await outcome()).toEqual(['failed', 'master-away']);
    policy('update.conf', `${fetch('csync.lab')} nonsense\n`);
    expect(await outcome()).toEqual(['failed', 'syntax']);
    policy('update.conf', 'control:\n actionsequence = ( copy )\nimport:\n  none\n');
    expect(await outcome()).toEqual(['failed', 'no-file']);
    await member.demand(`rm ${inputs}/cfagent.conf`);
    policy('update.conf', update.replace('copy:\n', ''));
    expect(await outcome()).toEqual(['failed', 'no-policy']);
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
    // cfrun takes the beginning of a line for a setting.
    const list = `${member.work}/inputs/cfrun.hosts`;
    await member.demand(`echo access1 >> ${list}`);
    const swallowed = { name: 'access1', addresses: [ownAddress] };
    expect(reasons(await runOn(member, [swallowed]))).toEqual(['access1 directive']);
    await member.demand(`echo ${ownAddress} >> ${list}`);
    expect(reasons(await runOn(member, [swallowed]))).toEqual(['access1 ran']);
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
    await member.changeConf(cfservdConf([`${command} 10.9.0.12/32`], [`cfrunCommand = ( "${command}" )`]));
    expect(reasons(await runOn(member, [self]))).toEqual(['m1 admission']);
    // The daemon rereads beside the next connection, which it refuses; that is not the one that runs the agent.
    await member.changeConf(cfservdConf([`${command} 10.9.0.0/24`], [`cfrunCommand = ( "${command}" )`]));
    expect(reasons(await runOn(member, [self]))).toEqual(['m1 ran']);
    await member.demand(`sed -i 's/A/B/' ${member.work}/ppkeys/root-${ownAddress}.pub`);
    expect(reasons(await runOn(member, [self]))).toEqual(['m1 key-here']);
    await member.changeConf(cfservdConf([`${command} 10.9.0.0/24`], ['AllowConnectionsFrom = ( 10.9.0.12/32 )']));
    expect(reasons(await runOn(member, [self]))).toEqual(['m1 connects']);
  });

  it('a cfrun that asks for ever, and one that never exits, are ended; their output fills no memory', async () => {
    const member = await admitting();
    const asks =
      '#!/bin/sh\necho "cfrun(0):         .......... [ Hailing m1.lab ] .........."\nexec yes "Please reply yes or no...()"\n';
    await member.demand(`rm ${member.work}/bin/cfrun`);
    member.write(`${member.work}/bin/cfrun`, asks, 0o755);
    expect((await runOn(member, [self]))[0]).toMatchObject({ outcome: 'refused', reason: 'key-here', cut: true });
    const long = `#!/bin/sh
echo 'cfrun(0):         .......... [ Hailing m1.lab ] ..........'
dashes='- - - - - - - - - - - - - - - - - - -'
echo "$dashes"; yes 'cfengine:m1: Copied a file' | head -n 100000; echo 'cfengine:m1: Removed the last file'; echo "$dashes"
`;
    member.write(`${member.work}/bin/cfrun`, long, 0o755);
    const [much] = await runOn(member, [self]);
    expect(much).toMatchObject({ outcome: 'ran', cut: true, errors: [] });
    expect(much?.changes.at(-1)).toBe('Removed the last file');
    member.write(`${member.work}/bin/cfrun`, '#!/bin/sh\nsleep 600\n', 0o755);
    const [run] = await runOn(member, [self], { timeoutSeconds: 1 });
    expect(run).toMatchObject({ outcome: 'timed out', reason: 'time' });
    expect((await member.sh('pgrep -x sleep')).stdout).toBe('');
  });
});
