/** The member scripts as they are shipped, as real processes, against the stand-in of cfengine generation 2. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ProbeResult } from '../../../src/cfengine/probe.ts';
import { announceFunction } from '../../../src/contract/restart-notice.ts';
import { eventually, everyStep, everyStepIt, have, repository } from '../../support.ts';
import {
  cfservdConf,
  clientAddress,
  type Member,
  ownAddress,
  packageAddress,
  useMember,
  whyNoMember,
} from './generation2-member.ts';

const refusal = 'BAD: Unspecified server refusal (see verbose server output)';

/** A program that owns the daemon's port, accepts who comes, and says nothing. */
const foreign =
  "exec perl -e 'use IO::Socket::INET; my $l = IO::Socket::INET->new(LocalPort => 5308, Listen => 5, ReuseAddr => 1) or die; my @s; push @s, $l->accept while 1'";

/** A client that asks for a file and then takes nothing of it, as a stopped one would. */
function stalledClient(address: string, path: string): string {
  const client = [
    'use IO::Socket::INET;',
    'my ($a, $p) = @ARGV; my $s = IO::Socket::INET->new(PeerAddr => $a, PeerPort => 5308) or die;',
    'syswrite $s, pack(q(a8), q(t ) . length) . $_ for qq(CAUTH $a m1.lab root 0), qq(GET 2048 $p); sleep 1000',
  ].join(' ');
  return `exec perl -e '${client}' ${address} ${path}`;
}

/** Daemons that monitors said they watch, one after the other. */
async function watchedPids(member: Member): Promise<string[]> {
  const said = await member.demand(`cat ${member.log}`);
  return [...said.matchAll(/watches cfservd \(pid (\d+)\)/g)].map(([, pid = '']) => pid);
}

const isListening = (member: Member) =>
  eventually('a listener', async () => (await member.sh('ss -Hltn sport = :5308')).stdout.includes('LISTEN'));

describe.skipIf(whyNoMember !== null)('start with generation 2', () => {
  const fresh = useMember();

  it('proves the role by the sentinel, with no signal to the daemon that ran before the mount', async () => {
    const member = await fresh();
    const pid = await member.startDaemon();
    expect((await member.script('csync_pre.sh start')).exitCode).toBe(0);
    await member.mount();
    const started = await member.script('csync.sh start');
    expect(started.exitCode, started.log).toBe(0);
    expect(started.log).toContain(
      `start: ok [role-proved] A request through ${packageAddress} returned the ${member.policyDirectory}/csync.sentinel of this member`,
    );
    expect(await member.daemons()).toEqual([pid]);
    expect(JSON.parse(await member.demand(`cat ${member.policyDirectory}/csync.sentinel`))).toMatchObject({
      epoch: 1,
      member: 'm1',
    });
    expect((await member.script('csync.sh start')).exitCode, 'a second time').toBe(0);
    expect(await member.demand(`cat ${member.policyDirectory}/csync.sentinel`)).toContain('"epoch":2');
  });

  it('is known to its own daemon where no keys are set up yet', async () => {
    const member = await fresh();
    await member.demand(`rm ${member.work}/ppkeys/root-*`);
    const pid = await member.startDaemon();
    await member.mount();
    const started = await member.script('csync.sh start');
    expect(started.exitCode, started.log).toBe(0);
    expect(started.log).toContain(`start: done [role-proved] A request through ${packageAddress}`);
    expect(await member.daemons()).toEqual([pid]);
    const named = await member.demand(`cd ${member.work}/ppkeys; cat localhost.pub > /tmp/own; cmp /tmp/own root-*; ls root-*`);
    expect(named).toMatch(/^root-10\.9\.0\.\d+\.pub\n$/);
  });

  it('takes no daemon for the master that has another key than the cluster: it is restarted with the right one', async () => {
    const member = await fresh();
    await member.demand(`cd ${member.work}/ppkeys && mkdir ../kept && mv localhost.* ../kept/ && ../bin/cfkey`);
    const pid = await member.startDaemon();
    await member.demand(`cd ${member.work}/ppkeys && mv -f ../kept/localhost.* .`);
    await member.mount();
    const started = await member.script('csync.sh start');
    expect(started.exitCode, started.log).toBe(0);
    expect(started.log).toContain(`start: done [role-proved] A request through ${packageAddress}`);
    expect(await member.daemons()).not.toContain(pid);
  });

  it('resets a connection that an earlier promotion left half open: the daemon would refuse that client another one', async () => {
    const [member, client] = [await fresh(), await fresh('c1')];
    await member.connect(client);
    await member.startDaemon();
    const connects = `my $s = IO::Socket::INET->new(q(${packageAddress}:5308)) or die; sleep 1000`;
    const idle = client.begin(`exec perl -MIO::Socket::INET -e '${connects}'`);
    const isConnected = async () =>
      (await member.demand(`ss -Htn state established src ${packageAddress}`)).includes(`${clientAddress}:`);
    await eventually('a client', isConnected);
    await member.demand(`ip address del ${packageAddress}/24 dev eth0`);
    expect(await isConnected(), 'the end of the address alone ends no connection').toBe(true);
    const started = await member.script('csync_pre.sh start');
    expect(started.exitCode, started.log).toBe(0);
    await eventually('the reset', async () => !(await isConnected()));
    idle.kill('SIGKILL');
  });

  it('takes no daemon for the master that answers STAT without the key, under the name of the daemon and run by another user', async () => {
    const member = await fresh();
    await member.mount();
    const impostor = [
      'use IO::Socket::INET; $0 = q(cfservd); open my $c, q(>), q(/proc/self/comm); print $c q(cfservd); close $c;',
      'my $l = IO::Socket::INET->new(LocalPort => 5308, Listen => 5, ReuseAddr => 1) or die; $> = $< = 65534;',
      'while (my $s = $l->accept) { sysread $s, my $all, 4096; syswrite $s, pack(q(a8), q(t ) . length) . $_',
      'for q(OK: 0 420 0 0 0 7 1 2 3 0 4711 1 64768), q(OK:) }',
    ].join(' ');
    const other = member.begin(`exec perl -e '${impostor}'`);
    await isListening(member);
    const started = await member.script('csync.sh start');
    expect(started.exitCode).toBe(2);
    expect(started.log).toContain('[port-occupied] port 5308 is taken by cfservd, which user 65534 runs');
    other.kill('SIGKILL');
  });

  it('starts a daemon that is missing, over the stale pid file of a crash', async () => {
    const member = await fresh();
    await member.demand(`kill -KILL ${await member.startDaemon()}`);
    await eventually('the crash', async () => (await member.daemons()).length === 0);
    await member.mount();
    const started = await member.script('csync.sh start');
    expect(started.exitCode, started.log).toBe(0);
    const [pid] = await member.daemons();
    expect(started.log).toContain(`start: done [daemon-answers] cfservd runs (pid ${pid}) and answers`);
    expect(await member.demand(`readlink /proc/${pid}/cwd`), 'it must not hold the file system').toBe('/\n');
  });

  it('puts a working daemon in the place of a stopped one', async () => {
    const member = await fresh();
    const pid = await member.startDaemon();
    await member.demand(`kill -STOP ${pid}`);
    await member.mount();
    const started = await member.script('csync.sh start');
    expect(started.exitCode, started.log).toBe(0);
    expect(await member.daemons()).not.toContain(pid);
    expect(await member.daemons()).toHaveLength(1);
  });

  it('another program on the port sends the package to another member', async () => {
    const member = await fresh();
    const other = member.begin(foreign);
    await isListening(member);
    await member.mount();
    const started = await member.script('csync.sh start');
    expect(started.exitCode).toBe(2);
    expect(started.log).toContain('[port-occupied] port 5308 is taken by perl');
    expect((await member.sh('ss -Hltn sport = :5308')).stdout, 'it is not ours to end').toContain('LISTEN');
    other.kill('SIGKILL');
  });

  it.each([
    ['a directory that others can read', 'chmod 755 ppkeys', 'ppkeys has mode 755'],
    ['a private key that others can read', 'chmod 644 ppkeys/localhost.priv', 'localhost.priv can be read by others'],
    ['no key', 'rm ppkeys/localhost.priv', 'cannot be read'],
    ['a key of another form', 'cp ppkeys/localhost.pub ppkeys/localhost.priv', 'is no private key cfengine can read'],
    ['no directory', 'mv ppkeys away', 'localhost.pub cannot be read'],
  ])('%s sends the package to another member', async (_, damage, said) => {
    const member = await fresh();
    await member.demand(`cd ${member.work} && ${damage}`);
    await member.mount();
    const started = await member.script('csync.sh start');
    expect(started.exitCode).toBe(2);
    expect(started.log).toContain('[keys-unusable]');
    expect(started.log).toContain(said);
    expect(await member.daemons()).toEqual([]);
  });

  it('a daemon that dies of its configuration is no master', async () => {
    const member = await fresh();
    await member.demand(`echo '= nonsense' >> ${member.work}/inputs/cfservd.conf`);
    await member.mount();
    const started = await member.script('csync.sh start');
    expect(started.exitCode).toBe(2);
    expect(started.log).toContain('[daemon-dead] no cfservd listens on port 5308');
  });

  everyStepIt(
    'admit rules that do not reach the policy leave the role unproved; corrected ones are reread while it waits',
    async () => {
      const member = await fresh();
      const link = `${member.directory}/link`;
      await member.demand(`ln -s csync ${link}`);
      // Stored as written, compared with real paths: always denied [cfengine.md 1.6].
      member.writeConf(cfservdConf([`${link}/dsau 127.0.0.1 10.9.0.0/24`]));
      const pid = await member.startDaemon();
      await member.mount();
      const refused = await member.script('csync.sh start');
      expect(refused.exitCode).toBe(2);
      expect(refused.log).toContain('[role-unproved]');
      expect(refused.log).toContain(refusal);
      const starting = member.script('csync.sh start');
      await eventually(
        'the sentinel of the second start',
        async () => (await member.sh(`grep -q '"epoch":2' ${member.policyDirectory}/csync.sentinel`)).exitCode === 0,
      );
      member.writeConf(cfservdConf([`${member.policyDirectory} 127.0.0.1 10.9.0.0/24`]));
      await member.demand(`touch -d '+2 seconds' ${member.work}/inputs/cfservd.conf`);
      const started = await starting;
      expect(started.exitCode, started.log).toBe(0);
      expect(await member.daemons()).toEqual([pid]);
    },
  );
});

describe.skipIf(whyNoMember !== null)('halt with generation 2', () => {
  const fresh = useMember();

  async function master(): Promise<{ member: Member; pid: string }> {
    const member = await fresh();
    const pid = await member.startDaemon();
    await member.mount();
    const started = await member.script('csync.sh start');
    expect(started.exitCode, started.log).toBe(0);
    return { member, pid };
  }

  async function stalled(member: Member, pid: string, address: string): Promise<{ kill(signal: 'SIGKILL'): void }> {
    await member.demand(`head -c 40M /dev/zero > ${member.policyDirectory}/big`);
    const client = member.begin(stalledClient(address, `${member.policyDirectory}/big`));
    await eventually('a transfer that does not get on', async () => {
      const open = await member.demand(`for f in /proc/${pid}/fd/*; do readlink $f; done`);
      return open.includes('/dsau/big');
    });
    return client;
  }

  it('an idle daemon goes on', async () => {
    const { member, pid } = await master();
    expect((await member.script('csync.sh stop')).exitCode).toBe(0);
    await member.demand(`umount ${member.mountPoint}`);
    expect((await member.script('csync_pre.sh stop')).exitCode).toBe(0);
    expect(await member.daemons()).toEqual([pid]);
  });

  it('what is still mounted at the very end is a failure', async () => {
    const { member } = await master();
    const halted = await member.script('csync_pre.sh stop');
    expect(halted.exitCode).toBe(1);
    expect(halted.log).toContain('[still-held]');
  });

  const ways = [
    ['under the package address', packageAddress],
    ['under the own address of the member', ownAddress],
  ];
  it.each(everyStep ? ways : ways.slice(0, 1))(
    'a transfer %s holds the file system no longer than the grace, and a daemon runs afterwards',
    async (_, address) => {
      const { member, pid } = await master();
      const client = await stalled(member, pid, address);
      expect((await member.sh(`umount ${member.mountPoint}`)).exitCode, 'it is held').not.toBe(0);
      const before = performance.now();
      const halted = await member.script('csync.sh stop');
      expect(halted.exitCode, halted.log).toBe(0);
      expect(performance.now() - before).toBeLessThan(6000);
      await member.demand(`umount ${member.mountPoint}`);
      const ended = await member.script('csync_pre.sh stop');
      expect(ended.exitCode, ended.log).toBe(0);
      await eventually('one daemon', async () => (await member.daemons()).length === 1);
      // Only connections of the package are reset; any other costs the daemon, which runs again at the end.
      if (address === ownAddress) expect(await member.daemons()).not.toEqual([pid]);
      client.kill('SIGKILL');
    },
  );

  everyStepIt('a stopped daemon in mid transfer is ended as well', async () => {
    const { member, pid } = await master();
    const client = await stalled(member, pid, ownAddress);
    await member.demand(`kill -STOP ${pid}`);
    expect((await member.script('csync.sh stop')).exitCode).toBe(0);
    await member.demand(`umount ${member.mountPoint}`);
    const ended = await member.script('csync_pre.sh stop');
    expect(ended.exitCode).toBe(0);
    expect(ended.log).toContain('halt: done [daemon-background] cfservd starts in the background');
    const said = (await eventually('the daemon', async () =>
      /daemon: (.*)/.exec((await member.demand(`cat ${member.log}`)).replace(ended.log, '')),
    )) as RegExpExecArray;
    expect(said[1]).toMatch(/^done cfservd runs \(pid \d+\) and answers/);
    client.kill('SIGKILL');
  });
});

describe.skipIf(whyNoMember !== null)('the monitor with generation 2', () => {
  const fresh = useMember();

  async function watched(): Promise<{
    member: Member;
    pid: string;
    end: Promise<number | null>;
    verdict: () => Promise<string>;
  }> {
    const member = await fresh();
    const pid = await member.startDaemon();
    await member.mount();
    expect((await member.script('csync.sh start')).exitCode).toBe(0);
    await member.demand(`: > ${member.log}`);
    const { ended } = member.begin(`exec env -i ${member.directory}/conf/csync/csync.sh monitor`);
    const said = () => member.demand(`cat ${member.log}`);
    await eventually('the monitor to watch', async () =>
      (await said()).includes(`monitor: ok [watching] The monitor watches cfservd (pid ${pid})`),
    );
    return {
      member,
      pid,
      end: ended.then(({ exitCode }) => exitCode),
      verdict: async () => (await said()).split('\n').find((line) => line.includes('monitor: failed')) ?? '',
    };
  }

  /** The log is written after the service has exited. */
  const written = (verdict: () => Promise<string>) => eventually('the verdict', async () => (await verdict()) || null);

  it.each([
    ['killed', 'KILL', 'The cfengine daemon exited'],
    ['told to end', 'TERM', 'The cfengine daemon exited'],
    ['stopped', 'STOP', 'The cfengine daemon is stopped'],
  ])('sees a daemon that was %s', async (_, signal, sentence) => {
    const { member, pid, end, verdict } = await watched();
    await member.demand(`kill -${signal} ${pid}`);
    expect(await end).toBe(1);
    expect(await written(verdict)).toContain(sentence);
  });

  it('sees a daemon that hangs though its process is well', async () => {
    const { member, end, verdict } = await watched();
    // Until the end: within the five seconds that cfservd sleeps without its configuration, a busy host fits no two probes.
    await member.demand(`: > ${member.work}/hangs`);
    expect(await end).toBe(1);
    expect(await written(verdict)).toMatch(
      /does not answer at the package address: 2 failed probes in a row: no answer within 1000 ms/,
    );
  });

  it('follows a restart that was announced when it saw first the one that only launches the daemon', async () => {
    const { member, pid, end, verdict } = await watched();
    const watches = async (others: readonly string[]) => (await watchedPids(member)).find((one) => !others.includes(one));
    await member.demand(`: > ${member.work}/launch-lasts`);
    const restart = `${announceFunction('csync')}\nannounce ${pid}; kill ${pid}; while kill -0 ${pid} 2>/dev/null; do :; done`;
    member.begin(`${restart}; cd /; exec ${member.work}/bin/cfservd`);
    const launcher = await eventually('the monitor to watch the first one', () => watches([pid]));
    await member.demand(`rm ${member.work}/launch-lasts`);
    const next = await eventually('the monitor to watch the daemon', () => watches([pid, launcher]));
    expect([next]).toEqual(await member.daemons());
    expect(await verdict()).toBe('');
    await member.demand(`kill -KILL ${next}`);
    expect(await end).toBe(1);
    expect(await verdict(), 'it is not a launcher that ends').toContain(`cfservd (pid ${next}) is gone`);
  });

  it('sees that the daemon died of a configuration it could not read', async () => {
    const { member, end, verdict } = await watched();
    await member.demand(
      `echo '= nonsense' >> ${member.work}/inputs/cfservd.conf; touch -d '+2 seconds' ${member.work}/inputs/cfservd.conf`,
    );
    expect(await end).toBe(1);
    expect(await written(verdict)).toContain('The cfengine daemon exited');
  });

  it('takes a refusal of the sentinel for an answer, and a SIGTERM for the end', async () => {
    const { member, pid, end, verdict } = await watched();
    member.writeConf(cfservdConf(['/nothing 10.9.0.0/24']));
    await member.demand(`touch -d '+2 seconds' ${member.work}/inputs/cfservd.conf`);
    const warned = async () =>
      (await member.demand(`cat ${member.log}`)).includes(`monitor: warning [probe-remark] Probe through ${packageAddress}`);
    await eventually('the warning', warned);
    const monitors = await member.demand(
      `for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q '^[^ ]*node .*csync-monitor.cjs' && echo "\${p#/proc/}"; done; true`,
    );
    await member.demand(`kill -TERM ${monitors.trim()}`);
    expect(await end).toBe(0);
    expect(await verdict()).toBe('');
    expect(await member.daemons(), 'the daemon is none of its business').toEqual([pid]);
  });
});

describe.skipIf(whyNoMember !== null)('a restart in place', () => {
  const fresh = useMember();
  const inPlace = { monitor_local_restart: 'once in 60 min' };

  async function watched(member: Member, pid: string): Promise<void> {
    const watching = async () => (await member.demand(`tail -1 ${member.log}`)).includes(`watches cfservd (pid ${pid})`);
    await eventually('the monitor to watch', watching);
  }

  it('keeps the package once; the next failure moves it, also for the monitor after this one', async () => {
    const member = await fresh();
    await member.render(inPlace);
    const pid = await member.startDaemon();
    await member.mount();
    expect((await member.script('csync.sh start')).exitCode).toBe(0);
    const begin = () => member.begin(`exec env -i ${member.directory}/conf/csync/csync.sh monitor`).ended;
    const first = begin();
    await watched(member, pid);
    await member.demand(`kill -KILL ${pid}`);
    // Not by the list of processes: a daemon that comes up is another process for a moment.
    const next = await eventually('the monitor to watch another daemon', async () =>
      (await watchedPids(member)).find((one) => one !== pid),
    );
    expect(await member.demand(`cat ${member.log}`)).toContain('warning [restarting] Restarting cfservd in place');
    expect(await member.demand(`cat ${member.log}`)).not.toContain('monitor: failed');
    await member.demand(`kill -KILL ${next}`);
    expect((await first).exitCode).toBe(1);
    expect(await member.demand(`grep -c 'Restarting cfservd in place' ${member.log}`)).toBe('1\n');
    const third = await member.startDaemon();
    const second = begin();
    await watched(member, third);
    await member.demand(`kill -KILL ${third}`);
    expect((await second).exitCode).toBe(1);
    expect(await member.demand(`grep -c 'Restarting cfservd in place' ${member.log}`)).toBe('1\n');
  });

  it('that does not help is part of the verdict', async () => {
    const member = await fresh();
    await member.render(inPlace);
    const pid = await member.startDaemon();
    await member.mount();
    expect((await member.script('csync.sh start')).exitCode).toBe(0);
    const { ended } = member.begin(`exec env -i ${member.directory}/conf/csync/csync.sh monitor`);
    await watched(member, pid);
    await member.demand(`chmod -x ${member.work}/bin/cfservd; kill -KILL ${pid}`);
    expect((await ended).exitCode).toBe(1);
    expect(await member.demand(`grep 'monitor: failed' ${member.log}`)).toMatch(
      /The cfengine daemon exited: .*; a restart in place did not help: no cfservd listens on port 5308/,
    );
  });
});

describe.skipIf(whyNoMember !== null)('figures of the monitor', () => {
  const fresh = useMember();

  it('are in a file and answered for, until the package is halted', async () => {
    const member = await fresh();
    await member.render({ monitor_metrics_file: `${member.directory}/csync.prom`, monitor_metrics_listen: '127.0.0.1:9308' });
    await member.startDaemon();
    await member.mount();
    expect((await member.script('csync.sh start')).exitCode).toBe(0);
    const { ended } = member.begin(
      `echo $$ > ${member.directory}/pid; exec env -i ${member.directory}/conf/csync/csync.sh monitor`,
    );
    const ask = (page: string) =>
      member.sh(
        `${process.execPath} -e "fetch('http://127.0.0.1:9308${page}').then(async (r) => console.log(r.status, await r.text()), () => process.exit(1))"`,
      );
    await eventually('the monitor to have looked', async () => (await ask('/metrics')).stdout.includes('layer="content"'));
    const { stdout } = await ask('/metrics');
    expect(stdout).toMatch(/^200 /);
    expect(stdout).toContain('csync_master{package="csync",member="m1"} 1');
    expect(stdout).toContain('csync_promotions_total{package="csync",member="m1"} 1');
    expect(stdout).toContain('csync_layer_result{package="csync",member="m1",layer="storage",result="good"} 1');
    if (have('promtool'))
      expect(
        spawnSync('promtool', ['check', 'metrics'], { input: stdout.slice(4).trimEnd().concat('\n'), encoding: 'utf8' }),
      ).toMatchObject({
        status: 0,
        stderr: '',
      });
    expect(JSON.parse((await ask('/state')).stdout.slice(4))).toMatchObject({ member: 'm1', verdict: null });
    expect((await ask('/etc/passwd')).stdout).toMatch(/^404 /);
    expect((await member.sh(`cat ${member.directory}/csync.prom`)).stdout).toContain(
      'csync_master{package="csync",member="m1"} 1',
    );
    await member.demand(`kill -TERM $(cat ${member.directory}/pid)`);
    expect((await ended).exitCode).toBe(0);
    await eventually('the file to say so', async () =>
      (await member.sh(`cat ${member.directory}/csync.prom`)).stdout.includes('csync_master{package="csync",member="m1"} 0'),
    );
    expect((await ask('/metrics')).exitCode).toBe(1);
  });

  it('that cannot be had cost a line in the log, and nothing else', async () => {
    const member = await fresh();
    await member.render({ monitor_metrics_file: '/no/such/place/csync.prom', monitor_metrics_listen: '192.0.2.1:9308' });
    const pid = await member.startDaemon();
    await member.mount();
    const { ended } = member.begin(`exec env -i ${member.directory}/conf/csync/csync.sh monitor`);
    const said = () => member.demand(`cat ${member.log}`);
    await eventually('both lines', async () => {
      const log = (await member.sh(`cat ${member.log}`)).stdout;
      return ['no figures under', 'cannot be written'].every((text) => log.includes(text));
    });
    await member.demand(`kill -KILL ${pid}`);
    expect((await ended).exitCode).toBe(1);
    expect((await said()).match(/csync.prom cannot be written/g)).toHaveLength(1);
  });
});

describe.skipIf(whyNoMember !== null)('validate with generation 2', () => {
  const fresh = useMember();

  it('is content with a sound member, and changes nothing', async () => {
    const member = await fresh();
    const sound = await member.script('csync.sh validate');
    expect(sound.exitCode, sound.log).toBe(0);
    expect(await member.daemons()).toEqual([]);
  });

  it('finds a missing program, a bad policy and an open key directory, all at once', async () => {
    const member = await fresh();
    const conf = `${member.work}/inputs/cfservd.conf`;
    await member.demand(`chmod -x ${member.work}/bin/cfagent; echo '= nonsense' >> ${conf}`);
    const found = await member.script('csync.sh validate');
    expect(found.exitCode).toBe(1);
    expect(found.log).toContain(`[program-missing] ${member.work}/bin/cfagent cannot be executed`);
    expect(found.log).toMatch(
      /\[policy-invalid\] .*cfservd -p -f .* exited with 1: cf:cfservd:.*cfservd\.conf:\d+: syntax error/,
    );
    await member.demand(`chmod +x ${member.work}/bin/cfagent; chmod 750 ${member.work}/ppkeys`);
    expect((await member.script('csync.sh validate')).log).toContain('[keys-unusable]');
  });

  it('detects a missing policy, with which the parser itself is content', async () => {
    const member = await fresh();
    await member.demand(`rm ${member.work}/inputs/cfservd.conf; ${member.work}/bin/cfservd -p`);
    const found = await member.script('csync.sh validate');
    expect([found.exitCode, found.log]).toEqual([1, expect.stringContaining('cfservd.conf cannot be read')]);
  });
});

describe.skipIf(whyNoMember !== null)('the probe of generation 2', () => {
  const fresh = useMember();

  /** The probe runs in the member's network, so in a process of its own. */
  async function ask(member: Member, ...targets: readonly (readonly [string, string])[]): Promise<ProbeResult[]> {
    const list = targets.map(([address, path]) => ({ address, port: 5308, path, timeoutMs: 1000 }));
    const program = `import { readFileSync } from 'node:fs';
      import { readPrivateKey } from ${JSON.stringify(join(repository, 'src/cfengine/keys.ts'))};
      import { probeGeneration2 } from ${JSON.stringify(join(repository, 'src/cfengine/probe.ts'))};
      const found = [];
      const key = readPrivateKey(readFileSync('${member.work}/ppkeys/localhost.priv', 'utf8'));
      for (const target of ${JSON.stringify(list)})
        found.push(await probeGeneration2(target, target.address === '127.0.0.1' ? null : key, 'm1'));
      console.log(JSON.stringify(found));`;
    const told = await member.demand(
      `cd ${repository} && ${process.execPath} --import ./scripts/typescript.mjs --input-type=module -`,
      program,
    );
    return JSON.parse(told) as ProbeResult[];
  }

  it('distinguishes served, refused and silent', async () => {
    const member = await fresh();
    await member.mount();
    const { policyDirectory: policy, mountPoint } = member;
    await member.demand(
      `cd ${mountPoint} && echo policy > dsau/file && echo other > other && ln -s / dsau/out && ln -s dsau in && ln -s file dsau/alias`,
    );
    const pid = await member.startDaemon();
    const inode = Number(await member.demand(`stat -c %i ${policy}/file`));
    const refused = { kind: 'answered', why: refusal };
    const served = { kind: 'served', stat: { size: 7, mtime: expect.any(Number), inode } };
    const found = await ask(
      member,
      [packageAddress, `${policy}/file`],
      ['127.0.0.1', `${policy}/file`],
      [packageAddress, `${mountPoint}/in/file`],
      [packageAddress, `${policy}/missing`],
      [packageAddress, `${mountPoint}/other`],
      [packageAddress, `${policy}/../other`],
      [packageAddress, `${policy}/out/etc/hosts`],
      [packageAddress, `${policy}x`],
    );
    expect(found).toEqual([served, served, served, refused, refused, refused, refused, refused]);
    await member.demand(`umount ${mountPoint}`);
    expect(await ask(member, [packageAddress, `${policy}/file`]), 'unmounted').toEqual([refused]);
    await member.demand(`kill -STOP ${pid}`);
    expect(await ask(member, [packageAddress, `${policy}/file`])).toEqual([{ kind: 'silent', why: 'no answer within 1000 ms' }]);
    await member.demand(`kill -KILL ${pid}`);
    await eventually('the end', async () => (await member.daemons()).length === 0);
    expect(await ask(member, [packageAddress, `${policy}/file`])).toEqual([{ kind: 'silent', why: 'ECONNREFUSED' }]);
  });

  it('an address that is not allowed to connect is turned away, which proves nothing about the role', async () => {
    const member = await fresh();
    member.writeConf(cfservdConf(['/x 10.9.0.0/24'], ['AllowConnectionsFrom = ( 10.9.0.12 )']));
    await member.startDaemon();
    expect(await ask(member, [packageAddress, '/x'])).toEqual([{ kind: 'unknown', why: expect.any(String) }]);
  });
});
