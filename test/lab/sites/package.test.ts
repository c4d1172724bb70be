/** The member scripts as real processes, and packages the toolkit did not write. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { parsePackageFile } from '../../../src/serviceguard/package-file.ts';
import { eventually, repository } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const directory = '/usr/local/cmcluster/conf/csync';

describe.skipIf(whyNoLab !== null)('the package in the lab', () => {
  const used = useLab('package', {
    deployed: true,
    watched: false,
    without: { sudo: 'the golden package has the settings of a site with root ssh' },
  });
  const { sh: on, must, json, done, broken } = typedIn(used);

  it('is the golden one, as rendered and as applied, the same on every member', async () => {
    // That one is rendered with other scripts, so it is of another set.
    const kept = readFileSync(join(repository, 'test/golden/csync-over-cmmakepkg.conf'), 'utf8');
    const set = (await on('m1', `ls ${directory}/sets`)).stdout.trim();
    const golden = kept.replace(/^(pev_csync_set_digest\s+).*$/m, `$1${set}`);
    for (const member of ['m1', 'm2', 'm3']) expect((await on(member, `cat ${directory}/csync.conf`)).stdout).toBe(golden);
    const values = (text: string, file: string) =>
      demand(parsePackageFile(text, file)).lines.map(({ keyword, value }) => `${keyword} ${value}`);
    const applied = (await used.lab.exec('m1', ['cmgetconf', '-p', 'csync'])).stdout;
    expect(values(applied, 'applied').sort()).toEqual(values(golden, 'golden').sort());
  });

  it('says what it did in the package log and in syslog, one line an event: time, member, package, script, result, code', async () => {
    await serving(used);
    const form = /^\w{3} [ \d]\d \d\d:\d\d:\d\d m\d csync (start|halt|monitor): (ok|done|warning|failed|would) \[[a-z-]+\] ./;
    const logged = (await must('m1', "grep -E ' m1 csync ' $SGRUN/log/csync.log")).trim().split('\n');
    expect(logged.filter((line) => !form.test(line))).toEqual([]);
    expect(logged.length).toBeGreaterThan(8);
    const syslog = await must('m1', 'cat /var/log/messages');
    for (const code of ['mounted', 'address-here', 'daemon-answers', 'promoted', 'role-proved', 'master']) {
      const line = new RegExp(`m1 csync start: (ok|done) \\[${code}\\] `);
      expect(logged.join('\n')).toMatch(line);
      expect(syslog).toMatch(line);
    }
  });

  it('member scripts run with an empty environment, from any directory, in any order, any number of times', async () => {
    await serving(used);
    const [owner, other] = ['m1', 'm2'];
    const run = (member: string, words: string) => on(member, `cd /tmp && env -i ${directory}/${words}; echo "exit $?"`);
    for (const words of ['csync.sh start', 'csync.sh start', 'csync_pre.sh validate', 'csync.sh validate']) {
      expect((await run(owner, words)).stdout, `${words} on the master`).toMatch(/exit 0\n$/);
    }
    for (const words of ['csync.sh stop', 'csync.sh stop', 'csync_pre.sh stop', 'csync_pre.sh start', 'csync.sh validate']) {
      expect((await run(other, words)).stdout, `${words} on another member`).toMatch(/exit 0\n$/);
    }
    expect((await run(other, 'csync.sh start')).stdout, 'a start where nothing is mounted').toMatch(/exit 2\n$/);
    expect((await run(other, 'csync.sh nonsense')).stdout).toMatch(/exit 1\n$/);
    expect(await used.drills.invariants()).toEqual([]);
  });

  it('a dry run prints the steps and does none', async () => {
    await serving(used);
    const before = await must('m1', 'cat /csync/dsau/csync.sentinel');
    const dry = await must('m1', `env -i ${directory}/csync.sh start --dry-run`);
    expect(dry).toMatch(/ start: would \[would\] .*\/csync\/dsau\/csync\.sentinel/);
    expect(await must('m1', 'cat /csync/dsau/csync.sentinel')).toBe(before);
  });

  it('a halt succeeds with damaged settings, a start sends the package to another member', async () => {
    await serving(used);
    const member = 'm3';
    await must(member, `cd ${directory}/sets/* && mv settings.json away && echo '{' > settings.json`);
    const run = (words: string) => on(member, `env -i ${directory}/${words} >/dev/null 2>&1; echo $?`);
    expect((await run('csync.sh stop')).stdout).toBe('0\n');
    expect((await run('csync_pre.sh stop')).stdout).toBe('0\n');
    expect((await run('csync.sh start')).stdout).toBe('2\n');
    expect((await run('csync.sh validate')).stdout).toBe('1\n');
    await on(member, `cd ${directory}/sets/* && mv away settings.json`);
  });

  it('a transfer that would hold the file system for ever is ended at halt, and the daemon runs afterwards', async () => {
    await serving(used);
    const owner = 'm1';
    await on(owner, 'dd if=/dev/zero of=/csync/dsau/masterfiles/big bs=1M count=30 2>/dev/null');
    // So slow that it is stopped in the middle.
    const isOpen = 'ls -l /proc/$(pgrep -x cf-serverd)/fd | grep -q "/big$"';
    await must(owner, 'tc qdisc add dev eth0 root tbf rate 50mbit burst 64k latency 50ms');
    await must('c1', 'cf-agent -K -f update.cf >/dev/null 2>&1 </dev/null &');
    await eventually('the transfer', async () => (await on(owner, isOpen)).exitCode === 0, 30_000);
    await must('c1', 'pkill -STOP -x cf-agent');
    await must(owner, `tc qdisc del dev eth0 root; ${isOpen}`);
    const before = (await on(owner, 'pgrep -x cf-serverd')).stdout;
    const halted = await used.lab.exec(owner, ['cmhaltpkg', 'csync']);
    await on('c1', 'pkill -KILL -x cf-agent');
    expect(halted.exitCode, halted.stderr).toBe(0);
    const { hosts } = await used.lab.status();
    expect(hosts.some((host) => host.mounted)).toBe(false);
    expect((await on(owner, 'pgrep -x cf-serverd')).stdout, 'losing its client is enough for the daemon to let go').toBe(before);
    await used.lab.exec(owner, ['cmmodpkg', '-e', 'csync']);
    await on(await used.drills.waitServed(), 'rm /csync/dsau/masterfiles/big');
  });

  it('a client that is connected at a halt is reset at once, not left waiting for an address that is gone', async () => {
    await serving(used);
    const owner = 'm1';
    const client = [
      'use IO::Socket::INET; use Time::HiRes q(time);',
      'my $s = IO::Socket::INET->new(PeerAddr => q(csync.lab:5308)) or die;',
      'open(my $f, q(>), q(/tmp/connected)); close $f;',
      'local $SIG{ALRM} = sub { print qq(nothing heard\\n); exit 1 }; alarm 8;',
      'my $n = sysread($s, my $b, 1); print defined $n ? qq(end\\n) : qq(reset\\n);',
    ].join(' ');
    const waiting = on('c1', `rm -f /tmp/connected; perl -e '${client}'`);
    await eventually('the client to be connected', async () => (await on('c1', 'test -e /tmp/connected')).exitCode === 0);
    const before = (await on(owner, 'pgrep -x cf-serverd')).stdout;
    expect((await used.lab.exec(owner, ['cmhaltpkg', 'csync'])).exitCode).toBe(0);
    expect((await waiting).stdout).toBe('reset\n');
    expect((await on(owner, 'pgrep -x cf-serverd')).stdout, 'the daemon goes on').toBe(before);
    await used.lab.exec(owner, ['cmmodpkg', '-e', 'csync']);
  });

  it('a package with an external script of its own runs, moves and halts', async () => {
    const script = [
      '#!/bin/bash',
      '. "$SG_UTILS"',
      'sg_source_pkg_env',
      'case $1 in',
      '  start) sg_log 0 "starting with $PEV_GREETING on $SG_NODE"; echo up > /tmp/foreign ;;',
      '  stop) sg_log 0 "halting because $SG_HALT_REASON"; rm -f /tmp/foreign ;;',
      'esac',
      'exit 0',
    ].join('\n');
    const conf = [
      'PACKAGE_NAME foreign',
      'MODULE_NAME sg/failover',
      'MODULE_VERSION 1',
      'MODULE_NAME sg/external',
      'MODULE_VERSION 1',
      'MODULE_NAME sg/service',
      'MODULE_VERSION 1',
      'MODULE_NAME sg/pev',
      'MODULE_VERSION 1',
      'PACKAGE_TYPE failover',
      'NODE_NAME m2',
      'NODE_NAME m3',
      'AUTO_RUN yes',
      'RUN_SCRIPT_TIMEOUT 20',
      'HALT_SCRIPT_TIMEOUT 20',
      'SERVICE_NAME foreign_service',
      'SERVICE_CMD "/bin/sleep 1000"',
      'SERVICE_RESTART none',
      'SERVICE_HALT_TIMEOUT 5',
      'EXTERNAL_SCRIPT $SGCONF/foreign/foreign.sh',
      'PEV_GREETING "good morning"',
    ].join('\n');
    for (const member of ['m1', 'm2', 'm3']) {
      await on(
        member,
        `mkdir -p $SGCONF/foreign; cat > $SGCONF/foreign/foreign.sh <<'END'\n${script}\nEND\nchmod 755 $SGCONF/foreign/foreign.sh`,
      );
    }
    await on('m1', `cat > /tmp/foreign.conf <<'END'\n${conf}\nEND`);
    const applied = await used.lab.exec('m1', ['cmapplyconf', '-f', '-P', '/tmp/foreign.conf']);
    expect(applied.exitCode, applied.stdout + applied.stderr).toBe(0);
    expect((await used.lab.exec('m1', ['cmmodpkg', '-e', 'foreign'])).exitCode).toBe(0);
    const runsOn = async (member: string) => {
      const view = (await used.lab.exec('m1', ['cmviewcl', '-f', 'line', '-p', 'foreign'])).stdout;
      return view.includes(`owner=${member}`) && view.includes('state=running');
    };
    await expect.poll(() => runsOn('m2'), { timeout: 10_000 }).toBe(true);
    const killed = async () => (await on('m2', 'pkill -KILL -f "^/bin/sleep 1000"')).exitCode;
    await expect.poll(killed, { timeout: 10_000 }).toBe(0);
    await expect.poll(() => runsOn('m3'), { timeout: 10_000 }).toBe(true);
    // What its script writes.
    await must('m2', 'grep -q "halting because failure" $SGRUN/log/foreign.log');
    await must('m3', 'grep -q "starting with good morning on m3" $SGRUN/log/foreign.log');
    expect((await used.lab.exec('m1', ['cmhaltpkg', 'foreign'])).exitCode).toBe(0);
    expect((await on('m3', 'ls /tmp/foreign')).exitCode).not.toBe(0);
    expect((await used.lab.exec('m1', ['cmdeleteconf', '-f', '-p', 'foreign'])).exitCode).toBe(0);
  });

  it('a pulled cable moves the package, and the member may have it again when the cable is back', async () => {
    await serving(used);
    const owner = 'm1';
    await used.lab.ask({ verb: 'cut', member: owner });
    await used.drills.waitServed(owner);
    await used.lab.ask({ verb: 'heal', member: owner });
    expect((await used.drills.view()).switching.get(owner)).toBe(true);
  });

  it('without perl on any member it is started, monitored and fails over, and csync names what that costs', async () => {
    await serving(used);
    const members = ['m1', 'm2', 'm3'];
    const restored = await Promise.all(
      members.map((member) => broken(member, 'mount --bind /dev/null /usr/bin/perl', 'umount /usr/bin/perl')),
    );
    await must('m1', 'cmhaltpkg csync && cmrunpkg -n m1 csync && cmmodpkg -e csync');
    const programs = async (name: string) => (await on('m1', `pgrep -f '[/]csync-${name}[.]' | wc -l`)).stdout;
    expect([await programs('front'), await programs('monitor')]).toEqual(['0\n', '1\n']);
    expect((await json('check')).codes).toEqual(members.map((member) => `check-programs ${member}`));
    await must('m1', 'cd /root && rm -rf work && csync policy show --copy work && echo "# edit" >> work/site.cf');
    const refused = await json('policy commit work');
    expect([refused.exitCode, refused.codes]).toEqual([5, ['change-policy m1']]);
    expect(refused.problems[0]?.text).toContain('perl');
    await must('m1', 'pkill -KILL -x cf-serverd');
    expect(await used.drills.waitServed('m1')).not.toBe('m1');
    await must('c1', 'cf-agent -Kf update.cf');
    for (const repaired of restored) await repaired();
    await done('policy commit work');
  });

  it('asks nothing without a terminal', async () => {
    const applied = await used.lab.exec('m1', ['cmapplyconf', '-P', `${directory}/csync.conf`]);
    expect([applied.exitCode, applied.stderr]).toEqual([1, expect.stringMatching(/ -f\b/)]);
  });
});
