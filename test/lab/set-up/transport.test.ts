/** How members are reached: what is said when one is not, and that no connection outlives its verb, however that ends. */
import { describe, expect, it } from 'vitest';
import { eventually, everyStep, everyStepIt } from '../../support.ts';
import { codesIn, serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('the way to the members', { timeout: 300_000 }, () => {
  const used = useLab('transport', { deployed: true, watched: false, without: { sudo: 'changes the accepted keys of root' } });
  const { sh, must, csync, json, done, broken } = typedIn(used);
  const config = (lines: string) => `cp /root/.ssh/config /root/.ssh/kept; sed -i '1i ${lines}' /root/.ssh/config`;
  const restored = 'cp /root/.ssh/kept /root/.ssh/config';
  /** Processes and directories of connections on a member. */
  const left = async (member = 'm1') =>
    (await sh(member, "pgrep -a -x ssh; ls -d /tmp/csync-ssh-* 2>/dev/null; ps -eo args= | grep '^sshd: .*@notty' || true"))
      .stdout;
  const nothingLeft = () => eventually('all connections to end', async () => (await left()) === '', 20_000);
  /** An apply runs on this host; what is done meanwhile, with its process id in $p, what it said in apply.log and apply.json. */
  const duringApply = (then: string) =>
    sh(
      'm1',
      `cd /root; : > apply.log; node /opt/csync/csync.mjs apply --yes --json > apply.json 2>> apply.log & p=$!
       until grep -q '^on m1: cmcheckconf' apply.log; do kill -0 $p || exit 1; done; ${then}`,
    );
  type Report = { members: { member: string; seen: object | null; noAnswer: { remedy: string } }[] };
  const raise = (value: number) => sh('m1', `sed -i 's/^monitor_failures:.*/monitor_failures: ${value}/' /root/csync.yaml`);

  const faults: readonly (readonly [what: string, on: string, broken: string, repaired: string, helps: RegExp])[] = [
    [
      'an unknown host key',
      'm1',
      `cd /root/.ssh; cp lab_known_hosts known; grep -v '^m2' known > lab_known_hosts`,
      'cd /root/.ssh; cp known lab_known_hosts',
      /ssh-keyscan m2/,
    ],
    [
      'another host key',
      'm1',
      `cd /root/.ssh; cp lab_known_hosts known; ssh-keygen -q -t ed25519 -N '' -f other; { grep -v '^m2' known; echo "m2 $(cut -d ' ' -f 1,2 other.pub)"; } > lab_known_hosts`,
      'cd /root/.ssh; cp known lab_known_hosts; rm other other.pub',
      /ssh-keygen -R m2/,
    ],
    [
      'a key that is not taken',
      'm2',
      'mv /root/.ssh/authorized_keys /root/.ssh/away',
      'mv /root/.ssh/away /root/.ssh/authorized_keys',
      /ssh-copy-id m2/,
    ],
    ['an sshd that turns logins away', 'm1', config('Host m2\\n  ProxyCommand true'), restored, /MaxStartups/],
    ['no sshd', 'm1', config('Host m2\\n  Port 1'), restored, /systemctl status sshd/],
    ['a name that is not known', 'm1', config('Host m2\\n  HostName nowhere.invalid'), restored, /getent hosts m2/],
    [
      'a host that takes connections and says nothing',
      'm1',
      `${config('Host m2\\n  HostName 127.0.0.1\\n  Port 2222')}; setsid perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 2222, Listen => 5, ReuseAddr => 1) or die; open F, ">/run/mute"; print F $$; close F; sleep 600' >/dev/null 2>&1 </dev/null & until [ -s /run/mute ]; do :; done`,
      `${restored}; kill $(cat /run/mute)`,
      /is m2 up/,
    ],
    [
      'a login that hangs',
      'm2',
      "echo 'exec sleep 600' > /root/.ssh/rc",
      'rm /root/.ssh/rc; pkill -x sleep; true',
      /ssh -T .*BatchMode=yes .*m2 true/,
    ],
    [
      'a login that prints without end',
      'm2',
      `echo 'exec yes ${'x'.repeat(100)}' > /root/.ssh/rc`,
      'rm /root/.ssh/rc; pkill -x yes; true',
      /ssh -T .*BatchMode=yes .*m2 true/,
    ],
  ];

  /** What a shorter one shows as well, but for how long it takes. */
  const repeating = [
    ...['no sshd', 'a name that is not known', 'a host that takes connections and says nothing', 'a login that hangs'],
    'a login that prints without end',
  ];
  const tried = faults.filter(([what]) => everyStep || !repeating.includes(what));

  it.each(tried)('%s is reported in words, with the fix', async (_what, on, breaks, repairs, helps) => {
    await serving(used);
    const repaired = await broken(on, breaks, repairs);
    const [refused, status] = await Promise.all([json('apply --yes'), json<Report>('status')]);
    await repaired();
    expect([refused.exitCode, refused.codes]).toEqual([4, ['cluster-unreachable m2']]);
    expect(refused.problems[0]?.remedy).toMatch(helps);
    const [m1, m2, m3] = status.members;
    expect([status.exitCode, m1?.seen === null, m2?.seen, m3?.seen === null]).toEqual([0, false, null, false]);
    expect(m2?.noAnswer.remedy).toMatch(helps);
    expect((await csync('diff')).exitCode).toBe(0);
  });

  it('logins that sshd turns away twice are repeated', async () => {
    const proxy = [
      '#!/bin/bash',
      'echo x >> /run/logins',
      '[ "$(wc -l < /run/logins)" -gt 2 ] || exit',
      'exec 3<>/dev/tcp/10.9.0.12/22',
      'cat <&3 &',
      'exec cat >&3',
    ];
    await must('m1', `printf '%s\\n' ${proxy.map((line) => `'${line}'`).join(' ')} > /root/proxy && chmod 755 /root/proxy`);
    const repaired = await broken('m1', config('Host m2\\n  ProxyCommand /root/proxy'), restored);
    const diff = await csync('diff');
    expect([diff.exitCode, Number(await must('m1', 'wc -l < /run/logins; rm /run/logins')) > 2]).toEqual([0, true]);
    const status = await json<Report>('status');
    expect([status.exitCode, status.members.map(({ seen }) => seen === null)]).toEqual([0, [false, false, false]]);
    await repaired();
  });

  it('a change keeps one connection a member, in a directory of its own, and ends it', async () => {
    await serving(used);
    await raise(4);
    const seen = await duringApply(`pgrep -a -x ssh | grep -c '[C]ontrolMaster=yes'; stat -c '%a %U' /tmp/csync-ssh-*; wait $p`);
    expect([seen.exitCode, seen.stdout]).toEqual([0, '2\n700 root\n']);
    await nothingLeft();
  });

  everyStepIt('connections that break in between are no failure', async () => {
    await raise(5);
    const ended = await duringApply(`pkill -KILL -f '[C]ontrolMaster=yes' || exit 2; wait $p; r=$?; cat apply.json; exit $r`);
    expect([ended.exitCode, JSON.parse(ended.stdout)]).toMatchObject([0, { outcome: 'applied' }]);
    await nothingLeft();
  });

  const places = [
    [20, 'missing', '/nowhere', 'true'],
    [21, 'full when the sockets are made', '/root/full', 'mkdir /root/full; mount -t tmpfs -o nr_inodes=2 none /root/full'],
    [22, 'of a name that ssh would read otherwise', '/root/a b%', "mkdir '/root/a b%'"],
    [23, 'too long a path', `/root/${'long/'.repeat(20)}`, `mkdir -p /root/${'long/'.repeat(20)}`],
  ] as const;
  it.each(everyStep ? places : places.slice(1, 2))(
    'nor is (%i) a place for their sockets that is %s',
    async (value, _what, place, made) => {
      await raise(value);
      await must('m1', `${made}; cd /root; TMPDIR='${place}' node /opt/csync/csync.mjs apply --yes`);
      expect((await sh('m1', `ls -A '${place}' 2>/dev/null`)).stdout).toBe('');
      await nothingLeft();
    },
  );

  it('a directory of another user that looks like one of ours is left alone', async () => {
    const foreign = '/tmp/csync-ssh-999999-other';
    await sh('m1', `mkdir ${foreign}; chown 1000 ${foreign}`);
    const looked = await csync('apply --dry-run');
    const removed = await sh('m1', `rmdir ${foreign}`);
    expect([looked.exitCode, removed.exitCode]).toEqual([0, 0]);
  });

  everyStepIt('nor is an sshd that allows a single session', async () => {
    const restart =
      'p=$(cat /run/sshd.pid); kill $p; while kill -0 $p 2>/dev/null; do :; done; /usr/sbin/sshd -f /etc/ssh/lab_sshd_config';
    await sh('m2', `echo 'MaxSessions 1' >> /etc/ssh/lab_sshd_config; ${restart}`);
    await raise(7);
    const ended = await csync('apply --yes');
    await sh('m2', `sed -i '/MaxSessions/d' /etc/ssh/lab_sshd_config; ${restart}`);
    expect(ended.exitCode, ended.stderr).toBe(0);
    await nothingLeft();
  });

  it('after a SIGKILL connections end by themselves, and the next change clears the directory away', async () => {
    await raise(8);
    await duringApply(`kill -KILL $p`);
    await eventually('ssh to end', async () => !(await left()).includes('ControlMaster=yes'), 20_000);
    await done('apply --yes');
    await nothingLeft();
  });

  it('Ctrl-C in a change: what was done, what not, nothing left behind; the same command finishes', async () => {
    await raise(9);
    const stopped = await duringApply(`kill -INT $p; wait $p; r=$?; cat apply.json; exit $r`);
    const { problems } = JSON.parse(stopped.stdout) as { problems: { code: string; text: string }[] };
    expect([stopped.exitCode, problems.map(({ code }) => code)]).toEqual([130, ['interrupted', 'change-incomplete']]);
    // What is still to do.
    expect(problems[1]?.text).toMatch(/on m1: cmapplyconf /);
    expect(problems[1]?.text).not.toMatch(/distribute to m\d: (?!history)/);
    await nothingLeft();
    await done('apply --yes');
    expect((await csync('diff')).exitCode).toBe(0);
  });

  it.each(everyStep ? ['INT', 'TERM'] : ['INT'])(
    'SIG%s at the question: nothing was changed, nothing is left behind',
    async (signal) => {
      await serving(used);
      const before = await must('m1', 'cmgetconf -p csync');
      await broken('m1', 'cd /root && cp csync.yaml kept.yaml', 'cd /root && mv kept.yaml csync.yaml');
      await raise(signal === 'INT' ? 10 : 11);
      const stopped = await sh(
        'm1',
        `cd /root; rm -f hold; mkfifo hold; script --quiet --flush --return --command 'echo $$ > asking.pid; exec node /opt/csync/csync.mjs apply' asked.log < hold > /dev/null & p=$!; exec 3> hold
       until grep -q 'continue?' asked.log 2>/dev/null; do kill -0 $p || exit 1; done
       kill -${signal} $(cat asking.pid); wait $p; r=$?; cat asked.log; rm asked.log; exit $r`,
      );
      expect([stopped.exitCode, codesIn(stopped.stdout).at(-1)]).toEqual([130, 'interrupted']);
      expect([(await csync('diff')).exitCode, await must('m1', 'cmgetconf -p csync')]).toEqual([1, before]);
      await nothingLeft();
    },
  );

  it.each(['check', 'status --watch'])('Ctrl-C in %s', async (words) => {
    const stopped = await sh(
      'm1',
      `cd /root; node /opt/csync/csync.mjs ${words} > look.log 2>&1 & p=$!
       until pgrep -x ssh >/dev/null; do kill -0 $p || exit 1; done; kill -INT $p; wait $p`,
    );
    expect(stopped.exitCode).toBe(130);
    await nothingLeft();
  });
});
