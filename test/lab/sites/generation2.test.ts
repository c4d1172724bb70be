/** The package over cfengine 2, or what stands in for it, in a whole cluster: deployed by csync, failing over, serving a client. */
import { describe, expect } from 'vitest';
import { adapterFor } from '../../../src/cfengine/adapter.ts';
import { cfengine2Programs, eventually, labSettings } from '../../support.ts';
import { story, typedAsRoot, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const settings = labSettings({ cfengine_generation: 2 });
const { programs, fetchPolicy, daemonName } = adapterFor(settings);
const work = settings.cfengineWorkDirectory;

describe.skipIf(whyNoLab !== null)('cfengine 2 in a bare lab', () => {
  const used = useLab('generation2', {
    deployed: false,
    bare: true,
    settings,
    programs: cfengine2Programs,
    clients: 1,
    without: typedAsRoot,
  });
  const { sh, must, json } = typedIn(used);
  const { chapter } = story(120_000);
  const write = (host: string, file: string, lines: readonly string[]) =>
    must(host, `cat > ${file} <<'END'\n${lines.join('\n')}\nEND`);
  const networks = '127.0.0.1 10.9.0.0/24';
  const cfservd = [
    'control:',
    'domain = ( lab )',
    'AllowUsers = ( root )',
    `AllowConnectionsFrom = ( ${networks} )`,
    `AllowMultipleConnectionsFrom = ( ${networks} )`,
    `TrustKeysFrom = ( ${networks} )`,
    'MaxConnections = ( 50 )',
    'admit:',
    'any::',
    `${settings.policyDirectory} ${networks}`,
  ];
  const update = [
    'control:',
    'domain = ( lab )',
    'actionsequence = ( copy )',
    'copy:',
    'any::',
    `${settings.policyDirectory}/inputs dest=${work}/fetched server=${settings.packageAddress} r=inf type=checksum trustkey=true`,
  ];

  chapter('has the programs that were named, and is set up by hand', async () => {
    for (const host of ['m1', 'c1']) for (const program of Object.values(programs)) await must(host, `test -x ${program}`);
    await must('m1', programs.key);
    for (const member of ['m2', 'm3'])
      await must('m1', `scp -rpq ${work}/ppkeys ${work}/rpc_in ${work}/rpc_out ${member}:${work}/`);
    for (const member of ['m1', 'm2', 'm3']) {
      await write(member, `${work}/inputs/cfservd.conf`, cfservd);
      await must(member, programs.daemon);
    }
    await must('c1', programs.key);
    await write('c1', `${work}/inputs/update.conf`, update);
    const device = `/dev/${settings.volumeGroup}/${settings.logicalVolume}`;
    await must(
      'm1',
      `vgchange --addtag m1 ${settings.volumeGroup} && vgchange -a y ${settings.volumeGroup} && mount ${device} /csync`,
    );
    await must('m1', `mkdir -p ${settings.policyDirectory}/inputs; echo one > ${settings.policyDirectory}/inputs/policy`);
    await must('m1', `umount /csync; vgchange -a n ${settings.volumeGroup}; vgchange --deltag m1 ${settings.volumeGroup}`);
    await must('m1', 'cmruncl -v');
  });

  chapter('runs a package deployed by csync apply --run, and the lab sees it', async () => {
    const applied = await json('apply --run --yes');
    expect(applied.exitCode, applied.stderr + (await sh('m1', 'cat $SGRUN/log/csync.log')).stdout).toBe(0);
    await used.drills.waitServed();
    expect(await used.drills.invariants()).toEqual([]);
    const fetched = async () => (await sh('c1', `${fetchPolicy.join(' ')}; cat ${work}/fetched/policy`)).stdout;
    await eventually('the client to fetch the policy', async () => (await fetched()).endsWith('one\n'));
    expect((await sh('m1', `pgrep -x ${daemonName}`)).exitCode).toBe(0);
  });

  chapter('fails over when the daemon is killed, and the other member serves the same policy', async () => {
    const from = await used.drills.waitServed();
    const failover = await used.drills.failOver('kill');
    expect([failover.from, failover.fault]).toEqual([from, 'cfservd gets SIGKILL']);
    await must('c1', `rm -r ${work}/fetched`);
    const fetched = async () => (await sh('c1', `${fetchPolicy.join(' ')}; cat ${work}/fetched/policy`)).stdout;
    await eventually('the client to fetch the policy', async () => (await fetched()).endsWith('one\n'));
    await used.drills.repair('kill', from);
    expect(await used.drills.invariants()).toEqual([]);
  });
});
