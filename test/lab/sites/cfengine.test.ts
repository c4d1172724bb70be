/** The adapter of generation 3 against the real programs, in the lab. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { adapterFor } from '../../../src/cfengine/adapter.ts';
import { generateKeyPair, keyDigest, peerKeyFileName, readPrivateKey } from '../../../src/cfengine/keys.ts';
import { layoutOf, policyChecks } from '../../../src/cfengine/layout.ts';
import { eventually, labSettings } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const adapter = adapterFor(labSettings());
const layout = layoutOf(labSettings());
const members = ['m1', 'm2', 'm3'];

describe.skipIf(whyNoLab !== null)('CFEngine 3 in the lab', () => {
  const used = useLab('cfengine', { deployed: true, watched: false });
  const { sh: on } = typedIn(used);

  it('every program of the adapter exists, and its key digest is the one cf-key prints', async () => {
    for (const program of Object.values(adapter.programs))
      expect((await on('m1', `test -x ${program}`)).exitCode, program).toBe(0);
    const pem = (await on('m1', `cat ${adapter.privateKey}`)).stdout;
    expect((await on('m1', `${adapter.programs.key} -p ${adapter.publicKey}`)).stdout.trim()).toBe(
      keyDigest(readPrivateKey(pem)),
    );
  });

  it('the rendered policy passes the real parser on members and clients', async () => {
    for (const host of [...members, 'c1']) {
      for (const { argv } of policyChecks(labSettings(), layout.inputs)) {
        const checked = await used.lab.exec(host, [...argv]);
        expect(checked.exitCode, checked.stdout + checked.stderr).toBe(0);
      }
    }
  });

  it('a policy the parser refuses is named by cmcheckconf with member, file and line', async () => {
    await on('m2', `cp ${adapter.daemonPolicy} /tmp/sound; echo 'bundle agent broken {' >> ${adapter.daemonPolicy}`);
    const checked = await used.lab.exec('m1', ['cmcheckconf', '-P', '/usr/local/cmcluster/conf/csync/csync.conf']);
    await on('m2', `cp /tmp/sound ${adapter.daemonPolicy}`);
    expect(checked.exitCode).toBe(1);
    expect(checked.stdout).toMatch(/m2[\s\S]*\[policy-invalid\][\s\S]*promises\.cf:\d+/);
  });

  it('cf-runagent from every member reaches every client; from a client it is refused', async () => {
    const clients = used.lab.spec.hosts.filter((host) => host.kind === 'client').map((host) => host.address);
    for (const member of members) {
      const run = await on(member, `${adapter.programs.run} -H ${clients.join(',')} 2>&1`);
      expect(run.exitCode, `${member}: ${run.stdout}`).toBe(0);
      for (const client of clients) expect(run.stdout).toContain(client);
    }
    expect((await on('c1', `${adapter.programs.run} -H ${clients[1]}`)).exitCode).not.toBe(0);
  });

  it('a promotion needs no reload: each member serves with the daemon that started at its boot', async () => {
    await serving(used);
    const pids = async () => Promise.all(members.map(async (member) => (await on(member, 'pgrep -x cf-serverd')).stdout));
    const before = await pids();
    for (const _ of members) {
      const owner = await used.drills.waitServed();
      await used.lab.exec(owner, ['cmhaltnode', '-f', owner]);
      await used.drills.waitServed(owner);
      await used.lab.exec(owner, ['cmrunnode', owner]);
      await used.drills.publishAndFetch();
    }
    expect(await pids()).toEqual(before);
  });

  it('an edit of the access rules on a member is taken up by SIGHUP, as the adapter says', { timeout: 150_000 }, async () => {
    await serving(used);
    const owner = 'm1';
    // cf-agent exits with 0 after any answer; only its output shows more. The daemon reads again at a moment when no client is
    // connected [cfengine.md 2.5], so a client that asks again has to pause.
    const refused = async () => (await on('c1', 'sleep 1; cf-agent -KI -f update.cf 2>&1')).stdout.includes("Can't stat file");
    const rules = `${layout.inputs}/controls/cf_serverd.cf`;
    await on(owner, `cp ${rules} /tmp/sound`);
    // The member's own agent may fetch the sound file again at any moment.
    const edit = `cmp -s ${rules} /tmp/sound && sed -i 's#admit_ips => .*10.9.0.21.*#admit_ips => { "127.0.0.1" };#' ${rules} && pkill -HUP -x cf-serverd`;
    const editedAndRefused = async () => {
      await on(owner, edit);
      return refused();
    };
    await eventually('the client to be refused', editedAndRefused, 60_000);
    await on(owner, `cp /tmp/sound ${rules}; pkill -HUP -x cf-serverd`);
    await eventually('the client to be served', async () => !(await refused()), 60_000);
  });

  it('a host that fetches gets the next public key of the cluster, and nothing else that lies beside it', async () => {
    await serving(used);
    const owner = 'm1';
    const next = await generateKeyPair();
    const name = peerKeyFileName(next.publicKey);
    const keys = `cd ${layout.keys}; sha256sum localhost.*; ls; stat -c '%a %n' . root-*`;
    // Clients of the lab fetch by themselves as well.
    const before = (await on('c1', keys)).stdout;
    await on(owner, `cat > ${layout.publicKeys}/${name} <<'END'\n${next.publicKey}END`);
    await on(
      owner,
      `echo planted > ${layout.publicKeys}/localhost.priv; echo planted > ${layout.publicKeys}/root-10.9.0.100.pub`,
    );
    for (const _ of [1, 2]) {
      await on('c1', `${adapter.programs.agent} -KI -f update.cf`);
      const there = (await on('c1', `${keys}; cat ${name}`)).stdout;
      expect(there).toContain(next.publicKey);
      expect(there).toContain(`600 ${name}\n`);
      expect(there.replace(next.publicKey, '').replace(`600 ${name}\n`, '').replace(`${name}\n`, '')).toBe(before);
    }
    await on(owner, `cd ${layout.publicKeys} && rm ${name} localhost.priv root-10.9.0.100.pub`);
    await on('c1', `${adapter.programs.agent} -KI -f update.cf`);
    expect((await on('c1', `cat ${layout.keys}/${name}`)).stdout, 'nothing is purged there').toBe(next.publicKey);
    await on('c1', `rm ${layout.keys}/${name}`);
  });

  it('a client keeps its policy when the master serves an empty directory in its place, and follows when a file is gone', async () => {
    await serving(used);
    const owner = 'm1';
    const update = `${adapter.programs.agent} -KI -f update.cf; find ${layout.inputs} -type f | sort`;
    const names = async () => (await on('c1', update)).stdout.split('\n').filter((line) => line.startsWith(layout.inputs));
    await on(owner, `echo 'bundle agent extra { }' > ${layout.masterInputs}/extra.cf; chmod 600 ${layout.masterInputs}/extra.cf`);
    const whole = await names();
    expect(whole).toContain(`${layout.inputs}/extra.cf`);
    await on(owner, `cd ${layout.masterInputs}/.. && mv masterfiles aside && mkdir masterfiles`);
    expect(await names()).toEqual(whole);
    await on(owner, `cd ${layout.masterInputs}/.. && rmdir masterfiles && mv aside masterfiles && rm masterfiles/extra.cf`);
    expect(await names()).toEqual(whole.filter((name) => !name.endsWith('/extra.cf')));
  });

  it('an update has the old file or the new one at every moment, and keeps no other', async () => {
    const epoch = async () => {
      await serving(used);
      await on('c1', `${adapter.programs.agent} -K -f update.cf`);
      return (await on('c1', 'cat /var/lib/cfengine3/state/csync_policy_epoch')).stdout;
    };
    const before = await epoch();
    // A promotion replaces the epoch, which is not below inputs, where agents remove what the master lacks.
    await on('m1', 'cmhaltpkg csync && cmmodpkg -e csync');
    expect(await epoch()).not.toBe(before);
    // cf-agent would rename the old file to this name, and the new one behind that.
    expect((await on('c1', "find -L /var/lib/cfengine3/ -name '*.cfsaved'")).stdout).toBe('');
  });

  it('the class file distinguishes members from clients', async () => {
    const classes = async (host: string) =>
      (await on(host, `${adapter.programs.agent} -K --show-evaluated-classes=csync_member`)).stdout;
    for (const member of members) {
      expect(await classes(member)).toContain('csync_members ');
      expect(await classes(member)).toContain(`csync_member_${member} `);
    }
    expect(await classes('c1')).not.toContain('csync_member');
  });

  it('no private key lies where it should not, or in any log', async () => {
    const home = used.lab.spec.home;
    const texts = readdirSync(home, { recursive: true, encoding: 'utf8' })
      .filter((name) => !name.startsWith('toolkit/') && !name.endsWith('disk.img'))
      .map((name) => join(home, name))
      .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false);
    expect(texts.length).toBeGreaterThan(2);
    for (const path of texts) expect(readFileSync(path, 'latin1'), path).not.toContain('PRIVATE KEY');
    for (const host of [...members, 'c1', 'c2']) {
      const found = await on(
        host,
        'grep -rlsE "BEGIN (RSA )?PRIVATE KEY" /var/lib/cfengine3 /usr/local/cmcluster /tmp /run /var/log /root/csync.yaml /root/.ssh 2>/dev/null | sort; stat -c "%a" /var/lib/cfengine3/ppkeys/localhost.priv; ps -eo args | grep -c "MII[A-Za-z0-9+/]"',
      );
      expect(found.stdout, host).toBe('/var/lib/cfengine3/ppkeys/localhost.priv\n600\n0\n');
    }
  });
});
