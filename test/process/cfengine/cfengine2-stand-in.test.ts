/** The stand-in for cfengine 2 does what cfengine.md says of the real one, and refuses what that refuses. */
import { spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { cpSync, readFileSync, statSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { keyDigest, peerKeyFileName, readPrivateKey } from '../../../src/cfengine/keys.ts';
import { eventually, isRoot, repository, scratchDirectory } from '../../support.ts';
import { cfservdConf, type Member, ownAddress, packageAddress, useMember, whyNoMember } from '../member/generation2-member.ts';

/** Frames of the protocol, sent from that address to itself by a client that knows nothing but 1.8; prints the payloads it receives, one a line. */
function talk(member: Member, address: string, ...payloads: readonly string[]): Promise<{ stdout: string }> {
  const client = [
    'use IO::Socket::INET; $SIG{PIPE} = q(IGNORE); alarm 8;',
    'my $to = shift; my $s = IO::Socket::INET->new(PeerAddr => $to, PeerPort => 5308, LocalAddr => $to) or die;',
    'syswrite $s, pack(q(a8), q(t ) . length) . $_ for @ARGV; shutdown $s, 1;',
    'while (read($s, my $head, 8) == 8) { read $s, my $body, (split q( ), $head)[1]; print qq($body\\n) }',
  ].join(' ');
  return member.sh(`perl -e '${client}' ${[address, ...payloads].map((word) => `'${word}'`).join(' ')}`);
}

const hello = 'CAUTH 10.9.0.11 m1.lab root 0';

describe.skipIf(whyNoMember !== null)('the stand-in cfservd', () => {
  const fresh = useMember();

  it('has the exit statuses of 1.4', async () => {
    const member = await fresh();
    const cfservd = `${member.work}/bin/cfservd`;
    const statusOf = async (script: string) => (await member.sh(`cd /; ${script}`)).exitCode;
    expect(await statusOf(`${cfservd} -V`)).toBe(0);
    expect(await statusOf(`${cfservd} -h`)).toBe(1);
    expect(await statusOf(`${cfservd} --nonsense`)).toBe(1);
    expect(await statusOf(`${cfservd} -p`)).toBe(0);
    expect(await statusOf(`${cfservd} -p -f ${member.work}/does-not-exist`)).toBe(0);
    expect(await statusOf(`env -i ${cfservd} -p; exit $?`), 'without PATH').toBe(139);
    await member.demand(`echo 'admit = (' > ${member.work}/inputs/bad`);
    const bad = await member.sh(`${cfservd} -p -f bad`);
    expect(bad.exitCode).toBe(1);
    expect(bad.stderr).toContain(`cf:cfservd:${member.work}/inputs/bad:1: syntax error\nExecution terminated after parsing`);
    member.write(`${member.work}/inputs/norun`, cfservdConf(['/x 10.9.0.0/24'], ['cfrunCommand = ( "/does/not/exist" )']));
    expect(await statusOf(`${cfservd} -p -f norun`)).toBe(1);
    for (const directory of ['ppkeys', 'rpc_in', 'rpc_out']) {
      await member.demand(`chmod 755 ${member.work}/${directory}`);
      expect((await member.sh(cfservd)).stderr).toContain(`${directory} was not private!`);
      expect(await statusOf(cfservd)).toBe(1);
      await member.demand(`chmod 700 ${member.work}/${directory}`);
    }
    const pid = await member.startDaemon();
    const second = await member.sh(cfservd);
    expect([second.exitCode, second.stderr]).toEqual([1, expect.stringContaining('Address already in use')]);
    expect(await member.demand(`cat ${member.work}/cfservd.pid`), 'the pid file of the first stays').toBe(`${pid}\n`);
  });

  it('is a daemon of the form of 1.4, and ends as it says', async () => {
    const member = await fresh();
    const pidFile = `${member.work}/cfservd.pid`;
    const pid = await member.startDaemon();
    expect(await member.demand(`readlink /proc/${pid}/cwd; stat -c %a ${pidFile}`)).toBe('/\n644\n');
    const open = await member.demand(`for f in /proc/${pid}/fd/*; do readlink $f; done`);
    expect(open.replace(/\[\d+\]/, '')).toBe('/dev/null\n/dev/null\n/dev/null\nsocket:\n');
    await member.demand(`kill -HUP ${pid}; kill -USR1 ${pid}; kill -PIPE ${pid}`);
    expect((await talk(member, '127.0.0.1', hello, 'VERSION')).stdout).toBe('OK: 2.2.10\n');
    expect(await member.daemons()).toEqual([pid]);
    await member.demand(`kill -TERM ${pid}`);
    await eventually('the daemon to end', async () => (await member.daemons()).length === 0);
    expect((await member.sh(`ls ${pidFile}`)).exitCode, 'TERM removes the pid file').not.toBe(0);
    await member.demand(`kill -KILL ${await member.startDaemon()}`);
    await eventually('the daemon to end', async () => (await member.daemons()).length === 0);
    expect((await member.sh(`ls ${pidFile}`)).exitCode, 'a crash leaves it').toBe(0);
    await member.startDaemon();
  });

  it('starts without keys and without a configuration; then every host may connect, and gets nothing', async () => {
    const member = await fresh();
    await member.demand(`rm ${member.work}/ppkeys/localhost.priv; rm ${member.work}/inputs/cfservd.conf`);
    await member.startDaemon();
    await member.demand('ip address add 192.168.7.1/24 dev lo');
    const root = [hello, `SYNCH ${Math.floor(Date.now() / 1000)} STAT /`, 'VERSION'];
    expect((await talk(member, '192.168.7.1', ...root)).stdout).toMatch(/^BAD: Unspecified.*\nOK: 2\.2\.10\n$/);
  });

  it('takes a plain address for the beginning of a text, and a network or /32 as it is', async () => {
    const member = await fresh();
    const ends = ['1', '12', '123'].map((end) => `192.168.7.${end}`);
    await member.demand(ends.map((address) => `ip address add ${address}/24 dev lo`).join('; '));
    member.write(`${member.directory}/conf/file`, 'x');
    const file = `${member.directory}/conf/file`;
    const stat = [hello, `SYNCH ${Math.floor(Date.now() / 1000)} STAT ${file}`];
    for (const [written, seen] of [
      ['192.168.7.1', [true, true, true]],
      ['192.168.7.1/32', [true, false, false]],
      ['192.168.7.0/28', [true, true, false]],
    ] as const)
      for (const [admits, connects] of [
        [written, '192.168.7.0/24'],
        ['192.168.7.0/24', written],
      ]) {
        member.writeConf(
          `control:\n domain = ( lab )\n AllowConnectionsFrom = ( ${connects} )\nadmit:\n any::\n  ${file} ${admits}\n`,
        );
        await member.startDaemon();
        for (const [index, own] of ends.entries()) {
          const answer = (await talk(member, own, ...stat)).stdout;
          expect(answer, `${own}: ${admits} of ${connects}`).toMatch(
            seen[index] === true ? /^OK: 0 / : /^(BAD: Unspecified.*\n)?$/,
          );
        }
        await member.demand(`kill -KILL ${(await member.daemons())[0]}`);
        await eventually('its end', async () => (await member.daemons()).length === 0);
      }
  });

  it('answers only whom it allows, and refuses more than MaxConnections without dying', async () => {
    const member = await fresh();
    member.writeConf(cfservdConf(['/x 10.9.0.0/24'], ['MaxConnections = ( 3 )', 'AllowConnectionsFrom = ( 10.9.0.0/24 )']));
    const pid = await member.startDaemon();
    expect((await talk(member, '127.0.0.1', hello, 'VERSION')).stdout).toBe('');
    expect((await talk(member, ownAddress, hello, 'VERSION')).stdout).toBe('OK: 2.2.10\n');
    const idle = 'use IO::Socket::INET; my @s = map { IO::Socket::INET->new(q(10.9.0.11:5308)) } 1 .. 2; sleep 100';
    const crowd = member.begin(`exec perl -e '${idle}'`);
    await eventually('two idle clients', async () => {
      return (await member.demand(`ls /proc/${pid}/fd`)).trim().split('\n').length === 6;
    });
    const busy = 'BAD: Server is currently too busy -- increase MaxConnections or Splaytime?\n';
    const pidFile = async () => (await member.sh(`ls ${member.work}/cfservd.pid`)).exitCode;
    // With the first above a third of them the pid file goes.
    for (const gone of [0, 0, 2]) {
      expect((await talk(member, ownAddress, hello, 'VERSION')).stdout).toBe(busy);
      expect(await pidFile(), 'the pid file is gone, the daemon is not').toBe(gone);
    }
    crowd.kill('SIGKILL');
    await eventually('it to recover', async () => (await talk(member, ownAddress, hello, 'VERSION')).stdout === 'OK: 2.2.10\n');
    expect(await member.daemons()).toEqual([pid]);
  });

  it('rereads a newer cfservd.conf when no client is connected, and dies of a syntax error in it', async () => {
    const member = await fresh();
    await member.mount();
    await member.demand(`echo one > ${member.policyDirectory}/file; echo two > ${member.mountPoint}/other`);
    const stat = (path: string) => [hello, `SYNCH ${Math.floor(Date.now() / 1000)} STAT ${path}`];
    const served = async (path: string) => /^OK: 0 420 /.test((await talk(member, ownAddress, ...stat(path))).stdout);
    const conf = `${member.work}/inputs/cfservd.conf`;
    const pid = await member.startDaemon();
    expect([await served(`${member.policyDirectory}/file`), await served(`${member.mountPoint}/other`)]).toEqual([true, false]);
    member.writeConf(cfservdConf([`${member.mountPoint} 10.9.0.0/24`]));
    await member.demand(`touch -d '2020-01-01' ${conf}`);
    expect(await served(`${member.mountPoint}/other`), 'an older file is not noticed').toBe(false);
    const waiting = member.begin(
      `exec perl -e 'use IO::Socket::INET; my $s = IO::Socket::INET->new(q(10.9.0.11:5308)); sleep 100'`,
    );
    await eventually('an idle client', async () => (await member.demand(`ls /proc/${pid}/fd`)).trim().split('\n').length === 5);
    await member.changeConf(cfservdConf([`${member.mountPoint} 10.9.0.0/24`]));
    expect(await served(`${member.mountPoint}/other`), 'nor with a client connected').toBe(false);
    waiting.kill('SIGKILL');
    await eventually('its end', async () => (await member.demand(`ls /proc/${pid}/fd`)).trim().split('\n').length === 4);
    expect(await served(`${member.mountPoint}/other`), 'the first connection comes beside the reading').toBe(false);
    expect(await served(`${member.mountPoint}/other`)).toBe(true);
    await member.demand(`echo '= nonsense' >> ${conf}; touch -d '+10 seconds' ${conf}`);
    await talk(member, ownAddress, hello, 'VERSION');
    await eventually('the daemon to die', async () => (await member.daemons()).length === 0);
    expect((await member.sh(`ls ${member.work}/cfservd.pid`)).exitCode, 'with a stale pid file').toBe(0);
  });

  it('a file of an admit line with encrypt=true is not given in clear; a clock that is far off is refused', async () => {
    const member = await fresh();
    member.writeConf(cfservdConf([`${member.directory}/conf 10.9.0.0/24 encrypt=true`]));
    await member.startDaemon();
    const file = `${member.directory}/conf/csync/csync.conf`;
    const refusal = 'BAD: Unspecified server refusal (see verbose server output)\n';
    expect((await talk(member, ownAddress, hello, `GET 2048 ${file}`)).stdout).toBe(refusal);
    const now = Math.floor(Date.now() / 1000);
    expect((await talk(member, ownAddress, hello, `SYNCH ${now} STAT ${file}`)).stdout).toMatch(
      /^OK: 0 420 0 0 0 \d+ (\d+ ){6}\d+\nOK:\n$/,
    );
    expect((await talk(member, ownAddress, hello, `SYNCH ${now - 4000} STAT ${file}`, 'VERSION')).stdout).toMatch(
      new RegExp(`^BAD: Clocks are too far unsynchronized \\d+/${now - 4000}\\n\\nOK: 2\\.2\\.10\\n$`),
    );
  });
});

describe.skipIf(whyNoMember !== null)('the stand-in cfagent and cfrun', () => {
  const fresh = useMember();

  /** A member that is its own client, with the master's policy, its keys trusted under each of its addresses. */
  async function client(): Promise<Member> {
    const member = await fresh();
    await member.mount();
    member.writeConf(cfservdConf([`${member.policyDirectory} 10.9.0.0/24 encrypt=true`]));
    const master = `${member.policyDirectory}/inputs`;
    const control = 'domain = ( lab )\n policyhost = ( csync.lab )\n IfElapsed = ( 0 )\n AddInstallable = ( master_down )';
    member.write(
      `${member.work}/inputs/update.conf`,
      `control:\n actionsequence = ( copy )\n ${control}\n master_inputs = ( ${master} )\n workdir = ( ${member.work} )\ncopy:\n` +
        ' $(master_inputs) dest=$(workdir)/inputs r=inf mode=600 type=checksum\n' +
        '   server=$(policyhost) trustkey=false encrypt=true exclude=*~ failover=master_down\n',
    );
    const agent =
      `control:\n actionsequence = ( copy shellcommands )\n ${control}\ncopy:\n` +
      ` ${member.policyDirectory}/none dest=${member.work}/none server=$(policyhost) failover=master_down\n` +
      'shellcommands:\n any::\n  "/bin/echo policy v1"\n master_down::\n  "/bin/echo master is down, cached policy used"\n';
    member.write(`${master}/cfagent.conf`, agent);
    member.write(`${master}/sub/big`, 'x'.repeat(100_000));
    member.write(`${master}/left~`, '');
    const held = [ownAddress, packageAddress].map((address) => `root-${address}.pub`);
    for (const name of held) await member.demand(`cd ${member.work}/ppkeys && cp localhost.pub ${name}`);
    return member;
  }

  it('copies the policy tree, goes on with what it has when the master is away, and says so by a class only', async () => {
    const member = await client();
    const agent = () => member.sh(`${member.work}/bin/cfagent -q`);
    await member.startDaemon();
    const first = await agent();
    expect([first.exitCode, first.stdout, first.stderr]).toEqual([0, 'cfengine:m1:/bin/echo pol: policy v1\n', '']);
    const inputs = `${member.work}/inputs`;
    expect(
      await member.demand(`cmp ${inputs}/sub/big ${member.policyDirectory}/inputs/sub/big; stat -c %a ${inputs}/sub/big`),
    ).toBe('600\n');
    expect((await member.sh(`ls ${inputs}/left~`)).exitCode).not.toBe(0);
    await member.demand(`kill -TERM ${(await member.daemons()).join(' ')}`);
    await eventually('the daemon to end', async () => (await member.daemons()).length === 0);
    const away = await agent();
    expect([away.exitCode, away.stdout, away.stderr]).toEqual([
      0,
      'cfengine:m1:/bin/echo pol: policy v1\ncfengine:m1:/bin/echo mas: master is down, cached policy used\n',
      '',
    ]);
    await member.demand(`echo nonsense >> ${inputs}/update.conf`);
    const broken = await agent();
    expect([broken.exitCode, broken.stdout]).toEqual([1, '']);
  });

  it('with inform names what it copied and ran; keeps what it replaced, unless told otherwise; copies links as links', async () => {
    const member = await client();
    const [inputs, master, update] = ['inputs', 'inputs/sub', 'inputs/update.conf'].map((name, at) =>
      at === 1 ? `${member.policyDirectory}/${name}` : `${member.work}/${name}`,
    ) as [string, string, string];
    await member.demand(`ln -s big ${master}/link`);
    await member.startDaemon();
    const agent = async () => (await member.sh(`${member.work}/bin/cfagent -q -B -I`)).stdout;
    expect(
      (await agent())
        .split('\n')
        .filter((line) => /big/.test(line))
        .sort(),
    ).toEqual([`cfengine:m1: Copying from csync.lab:${master}/big`, `cfengine:m1: Linking files ${inputs}/sub/link -> big`]);
    expect(await member.demand(`readlink ${inputs}/sub/link; stat -c %a ${inputs}/sub`)).toBe('big\n700\n');
    expect(await agent()).toBe('');
    await member.demand(`echo new > ${master}/big`);
    expect(await agent()).toBe(`cfengine:m1: Updated image ${inputs}/sub/big from master ${master}/big on csync.lab\n`);
    expect(await member.demand(`ls ${inputs}/sub; wc -c < ${inputs}/sub/big.cfsaved`)).toBe('big\nbig.cfsaved\nlink\n100000\n');
    await member.demand(
      `rm ${inputs}/sub/big.cfsaved; sed -i 's/exclude=/backup=false exclude=/' ${update}; echo newer > ${master}/big`,
    );
    await agent();
    expect(await member.demand(`cat ${inputs}/sub/big; ls ${inputs}/sub`)).toBe('newer\nbig\nlink\n');
    await member.demand(`kill -TERM ${(await member.daemons()).join(' ')}`);
    await eventually('the daemon to end', async () => (await member.daemons()).length === 0);
    expect(await agent()).toBe('cfengine:m1: Unable to establish connection with csync.lab (failover)\n');
  });

  it('tidies by the time of the last read, or by type=', async () => {
    const member = await client();
    const place = `${member.directory}/old`;
    const tidy = (options: string) =>
      member.demand(
        `mkdir -p ${place}; cd ${place}; touch read; touch -m -d '10 days ago' read; touch -d '10 days ago' unread; ` +
          `printf 'control:\\n actionsequence = ( tidy )\\ntidy:\\n ${place} pattern=* age=7 ${options}\\n' > ${member.work}/inputs/own.conf; ` +
          `${member.work}/bin/cfagent -q -f own.conf; ls`,
      );
    expect(await tidy('')).toBe('read\n');
    expect(await tidy('type=mtime')).toBe('');
  });

  it('a policy that cannot be read: a broken one, an import that is missing, and none', async () => {
    const member = await client();
    const inputs = `${member.work}/inputs`;
    const agent = async (policy: string) => {
      await member.demand(policy);
      const { exitCode, stdout, stderr } = await member.sh(`${member.work}/bin/cfagent -q -K`);
      return [exitCode, stdout.replaceAll(inputs, 'I'), stderr.replaceAll(inputs, 'I')];
    };
    const control = 'control:\\n actionsequence = ( copy )\\n';
    expect(await agent(`printf '${control}copy:\\n nonsense\\n' > ${inputs}/cfagent.conf`)).toEqual([
      1,
      '',
      'cf:cfagent:I/cfagent.conf:4: Unknown command or name out of context\ncf:cfagent:I/cfagent.conf:4: Warning: invalid statement\ncf:cfagent:I/cfagent.conf:4: syntax error\nExecution terminated after parsing due to errors in program\n',
    ]);
    expect(await agent(`printf '${control}import:\\n any::\\n  none other\\n' > ${inputs}/cfagent.conf`)).toEqual([
      1,
      "cfengine:m1: Can't open file I/none\ncfengine:m1: (CFINPUTS is set to <nothing>)\n",
      '',
    ]);
    const warned = 'cfengine:m1:I/update.conf:11: Warning:';
    expect(await agent(`rm ${inputs}/cfagent.conf`)).toEqual([
      0,
      '',
      `${warned} actionsequence is empty \n${warned} perhaps cfagent.conf/update.conf have not yet been set up?\n`,
    ]);
  });

  it('a server with another key than the one held is not believed, nor is one without', async () => {
    const member = await client();
    await member.startDaemon();
    const held = `${member.work}/ppkeys/root-${packageAddress}.pub`;
    const agent = async () => (await member.sh(`${member.work}/bin/cfagent -q -B`)).stdout;
    await member.demand(`rm ${held}`);
    expect(await agent()).toBe(
      "cfengine:m1: Not authorized to trust the server=csync.lab's public key (trustkey=false)\ncfengine:m1: Authentication dialogue with csync.lab failed\n",
    );
    await member.demand(`sed 's/A/B/' ${member.work}/ppkeys/localhost.pub > ${held}`);
    expect(await agent()).toBe(
      'cfengine:m1: BAD: Unspecified server refusal (see verbose server output)\ncfengine:m1: Authentication dialogue with csync.lab failed\n',
    );
  });

  it('a stale empty directory under the mount point and purge=true cost the client its files; nothing there costs nothing', async () => {
    const member = await client();
    await member.startDaemon();
    const update = `${member.work}/inputs/update.conf`;
    await member.demand(`sed -i 's/exclude=/purge=true exclude=/; s,dest=\\S*,dest=${member.directory}/copy,' ${update}`);
    const agent = () => member.demand(`${member.work}/bin/cfagent -q -B; ls ${member.directory}/copy`);
    expect(await agent()).toBe('cfagent.conf\nsub\n');
    await member.demand(`umount ${member.mountPoint}`);
    expect(await agent()).toBe('cfagent.conf\nsub\n');
    await member.demand(`mkdir -p ${member.policyDirectory}/inputs`);
    expect(await agent()).toBe('');
  });

  it('cfrun runs the agent of a host that admits it, and ends with 0 in every case', async () => {
    const member = await client();
    const command = `${member.work}/bin/cfagent`;
    member.writeConf(cfservdConf([`${command} 10.9.0.0/24`], [`cfrunCommand = ( "${command}" )`]));
    member.write(
      `${member.work}/inputs/cfagent.conf`,
      'control:\n actionsequence = ( shellcommands )\nshellcommands:\n "/bin/echo policy v1"\n',
    );
    await member.demand(`rm ${member.work}/inputs/update.conf`);
    member.write(`${member.work}/inputs/cfrun.hosts`, 'domain = lab\ncsync.lab\naccess1\nm1.lab:5309\n');
    const run = async (words: string) => {
      const { exitCode, stdout } = await member.sh(`${member.work}/bin/cfrun -T ${words} </dev/null`);
      expect(exitCode).toBe(0);
      return stdout;
    };
    await member.startDaemon();
    expect(await run('csync.lab')).toMatch(
      /^cfrun\(0\): {9}\.{10} \[ Hailing csync\.lab \] \.{10}\n\n(- )+-\n\ncfengine:m1: \nExecuting script \/bin\/echo policy v1\.\.\.\(timeout=0,uid=-1,gid=-1\)\ncfengine:m1:\/bin\/echo pol: policy v1\ncfengine:m1: Finished script \/bin\/echo policy v1\n(- )+-\n\n$/,
    );
    expect(await run('csync.lab -- -Dx')).toContain(`cfservd Executing ${command} --no-splay --inform -Dx\n`);
    await member.demand(`echo '${ownAddress} m1.lab' >> /etc/hosts`);
    // Only the first word of a line will do, with its port; the third line is a setting to it.
    for (const word of ['unknown', 'csync', 'm1.lab', 'access1']) expect(await run(word), word).toBe('');
    expect(await run('m1.lab:5309')).toContain('No response hailing m1.lab\nsocket: Connection refused\n');
    await member.changeConf(cfservdConf([`${command} 10.9.0.12/32`], [`cfrunCommand = ( "${command}" )`]));
    await eventually('a refusal', async () =>
      (await run('csync.lab')).includes(' Unspecified server refusal (see verbose server output)'),
    );
  });
});

const directory = scratchDirectory();

describe('the stand-in cfkey', () => {
  beforeAll(() => cpSync(`${repository}/test/fixtures/cfengine2`, `${directory}/bin`, { recursive: true }));
  const work = isRoot ? directory : `${directory}/.cfagent`;
  const cfkey = (...words: readonly string[]) =>
    spawnSync(process.execPath, [`${directory}/bin/cfkey`, ...words], { encoding: 'utf8', env: { HOME: directory } });
  const modeOf = (name: string) => (statSync(`${work}/${name}`).mode & 0o777).toString(8);

  it('makes the layout and keys of 1.1 and 1.2, once; the toolkit reads them', () => {
    expect(cfkey().status).toBe(0);
    const names = ['modules', 'ppkeys', 'rpc_in', 'rpc_out', 'state', 'ppkeys/localhost.priv', 'ppkeys/localhost.pub'];
    expect(names.map(modeOf)).toEqual(['700', '700', '700', '700', '755', '600', '600']);
    const again = cfkey();
    expect([again.status, again.stdout]).toEqual([1, expect.stringContaining('A key file already exists at')]);
    const [priv, pub] = ['priv', 'pub'].map((end) => readFileSync(`${work}/ppkeys/localhost.${end}`, 'utf8')) as [string, string];
    expect(priv).toMatch(/^-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,[0-9A-F]{16}\n/);
    const key = readPrivateKey(priv);
    expect(createPublicKey(key).export({ type: 'pkcs1', format: 'pem' })).toBe(pub);
    expect(createPublicKey(pub).export({ format: 'jwk' }).e, 'exponent 35').toBe(Buffer.from([35]).toString('base64url'));
    expect(peerKeyFileName(pub)).toBe(`root-${keyDigest(key)}.pub`);
    expect(keyDigest(key)).toMatch(/^MD5=[0-9a-f]{32}$/);
  });

  it('writes elsewhere when told so', () => {
    expect(cfkey('-f', `${directory}/another`).status).toBe(0);
    expect(readPrivateKey(readFileSync(`${directory}/another.priv`, 'utf8')).asymmetricKeyType).toBe('rsa');
  });
});
