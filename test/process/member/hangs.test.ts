/**
 * What does not die but hangs: the monitor, the program in front of it, syslog, the disk of the log, /run, clients of the figures.
 * The whole service in a member of its own with the real cf-serverd; each with the bound that docs/proof/hangs.md states.
 */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { bootMember, openWorkshop } from '../../../scripts/bench/member.ts';
import type { Sandbox } from '../../../src/script-tests/sandbox.ts';
import type { Workshop } from '../../../src/script-tests/workshop.ts';
import { have, isRoot, scratchDirectory } from '../../support.ts';

const programs = ['unshare', 'nsenter', 'ip', 'losetup', 'mkfs.ext4', 'fsfreeze', 'perl', 'cf-serverd', 'busybox'];
const whyNot = !isRoot ? 'namespaces need root' : have(...programs) ? null : 'programs are missing';
if (whyNot !== null) console.warn(`tests of what hangs are skipped: ${whyNot}`);

/** Shell functions beside those of the conformance test. */
const functions = `
state=/run/csync-monitor-csync.json
# In milliseconds, and never back.
now() { read -r up idle < /proc/uptime; echo "\${up%.*}\${up#*.}0"; }
monitor_pid() { pgrep -P "$service"; }
# The service, with a monitor that has an event for the end of the daemon.
service() {
  rm -f $state
  "$PACKAGE/csync.sh" monitor > /dev/null 2>&1 < /dev/null &
  service=$!
  eventually grep -qs '"endIsEvent":true.*"protocol":{"result":"good"' $state
}
# Kills the daemon; the status of the service, and after how many milliseconds.
killed() { began=$(now); kill -KILL "$(daemon_pid)"; status=0; wait "$service" || status=$?; echo "$status $(($(now) - began))"; }
# syslogd is stopped, and its queue is full.
syslog_is_blocked() {
  kill -STOP "$(pgrep -x busybox)"
  perl -e 'use Socket; socket(S, AF_UNIX, SOCK_DGRAM, 0); connect(S, pack_sockaddr_un("/dev/log")) or die; 1 while send(S, "x" x 1000, 0x40); exit($!{EAGAIN} ? 0 : 1)'
}
syslog_runs() { kill -CONT "$(pgrep -x busybox)"; }
`;

const scratch = scratchDirectory();

/**
 * Another process of the daemon's program that has its listening socket: a child that was stopped between fork and exec. pidfd_open and
 * pidfd_getfd by their numbers, which are the same everywhere.
 */
const stoppedChild = `perl -MFcntl -e '
  my ($daemon, @program) = @ARGV;
  my $pidfd = syscall(434, $daemon + 0, 0);
  my ($socket) = map { my $fd = syscall(438, $pidfd, (split m{/})[-1] + 0, 0); $fd >= 0 && is_listening($fd) ? $fd : () } glob "/proc/$daemon/fd/*";
  sub is_listening { open my $file, "<&=", $_[0]; my $is = unpack "i", getsockopt($file, 1, 30) // pack "i", 0; push @kept, $file; $is }
  open my $socket_file, "<&=", $socket or die; fcntl $socket_file, F_SETFD, 0;
  my $child = fork // die; if (!$child) { exec @program or die }
  1 until do { open my $comm, "<", "/proc/$child/comm"; <$comm> =~ /^cf-serverd/ };
  kill STOP => $child'`;

/** Puts the log of a member on a file system of its own, on a disk of this machine that is removed with its last user. */
function logOfItsOwn(member: Sandbox): void {
  const image = join(scratch, `${randomUUID()}.img`);
  writeFileSync(image, '');
  truncateSync(image, 16 * 1024 * 1024);
  const outside = 'mkfs.ext4 -q "$0"; loop=$(losetup --find --show "$0"); exec 9< "$loop"; losetup --detach "$loop"; exec "$@"';
  // By its descriptor: the member does not have the disk by name.
  const inside = 'mkdir -p "$(dirname "$LOG")"; mount --no-canonicalize -t ext4 /proc/self/fd/9 "$(dirname "$LOG")"';
  const made = spawnSync('/bin/sh', ['-ec', outside, image, ...member.argv(inside)], {
    env: { ...member.variables, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(made.stderr);
}

/** A member whose service can run, with its log on a disk of its own. */
class Hands {
  readonly member: Sandbox;

  private constructor(member: Sandbox) {
    this.member = member;
  }

  static async in(workshop: Workshop): Promise<Hands> {
    const member = await bootMember(workshop);
    logOfItsOwn(member);
    return new Hands(member);
  }

  async sh(script: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.member.sh(`set -e\n${functions}\n${script}`);
    if (exitCode !== 0) throw new Error(`status ${exitCode}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  /** After how many milliseconds the service fails when the daemon is killed in that state of things. */
  async failsAfter(fault: string, repair = ':'): Promise<number> {
    const [status, milliseconds] = (await this.sh(`service; ${fault}; killed; ${repair}`)).split('\n').at(-1)?.split(' ') ?? [];
    expect(status).not.toBe('0');
    return Number(milliseconds);
  }
}

const verdict = 'eventually grep -q "monitor: failed .verdict. The cfengine daemon exited" "$LOG"';

describe.skipIf(whyNot !== null)('the service of the package', () => {
  let workshop: Workshop;
  beforeAll(async () => {
    workshop = await openWorkshop('monitor_metrics_listen: "127.0.0.1:9308"\n');
  });
  afterAll(() => workshop?.close());

  describe('with something stopped', { concurrent: true }, () => {
    const own = async ({ onTestFinished }: TestContext): Promise<Hands> => {
      const hands = await Hands.in(workshop);
      onTestFinished(() => hands.member.close());
      return hands;
    };

    it('fails within 4 s while the monitor is stopped: another one takes its place', async (context) => {
      const hands = await own(context);
      const stop = 'stopped=$(monitor_pid); : > "$LOG"; kill -STOP $stopped';
      expect(await hands.failsAfter(stop, `eventually test ! -e /proc/$stopped; ${verdict}`)).toBeLessThan(4000);
      expect(await hands.sh('grep -c "did not answer and was killed; this one takes its place" "$LOG"')).toBe('1');
    });

    it('fails within 11 s while the program in front is stopped', async (context) => {
      const hands = await own(context);
      expect(await hands.failsAfter('kill -STOP $service')).toBeLessThan(11_000);
    });

    it('polls from its next check on while the program in front is stopped', async (context) => {
      const hands = await own(context);
      const polls = 'kill -STOP $service; eventually grep -q "csync-front.pl is stopped" "$LOG"';
      expect(await hands.failsAfter(`: > "$LOG"; ${polls}`)).toBeLessThan(1500);
    });

    it('goes on while a debugger holds the daemon for moments, and fails within 5.5 s when it is stopped', async (context) => {
      const hands = await own(context);
      const moments = 'for n in 1 2 3; do kill -STOP "$(daemon_pid)"; sleep 2.5; kill -CONT "$(daemon_pid)"; sleep 0.1; done';
      expect(await hands.sh(`service; ${moments}; kill -0 $service && echo goes on; kill -TERM $service; wait $service`)).toBe(
        'goes on',
      );
      const stopped =
        'began=$(now); kill -STOP "$(daemon_pid)"; wait $service || :; echo $(($(now) - began)); kill -KILL "$(daemon_pid)"; eventually no_daemon';
      expect(Number(await hands.sh(`service; ${stopped}`))).toBeLessThan(5500);
    });

    it('leaves a daemon that answers where the daemon and a child with its socket were stopped', async (context) => {
      const hands = await own(context);
      const stop = `daemon=$(daemon_pid); ${stoppedChild} "$daemon" "$(readlink /proc/$daemon/exe)" --no-fork; kill -STOP "$daemon"; two() { test "$(daemons | wc -w)" = 2; }; eventually two`;
      const halt = '"$PACKAGE/csync.sh" stop; serviceguard_unmounts; "$PACKAGE/csync_pre.sh" stop';
      const revived = 'eventually grep -q ": done .daemon-answers. cf-serverd runs" "$LOG"; daemons | wc -w';
      expect(await hands.sh(`${stop}; ${halt}; ${revived}`)).toBe('1');
    });
  });

  describe('with a fault around it', () => {
    let hands: Hands;
    beforeEach(async () => {
      hands = await Hands.in(workshop);
    });
    afterEach(() => hands.member.close());
    const sh = (script: string) => hands.sh(script);
    const failsAfter = (fault: string, repair?: string) => hands.failsAfter(fault, repair);

    it('fails at once when nothing else is wrong, and its last words are in the log behind that', async () => {
      expect(await failsAfter(': > "$LOG"', verdict)).toBeLessThan(1000);
    });

    it('fails at once while the disk of the log is frozen; the log has all of it afterwards', async () => {
      const frozen = `: > "$LOG"; trap 'fsfreeze -u "$(dirname "$LOG")"' EXIT; fsfreeze -f "$(dirname "$LOG")"`;
      expect(await failsAfter(frozen, `fsfreeze -u "$(dirname "$LOG")"; trap - EXIT; ${verdict}`)).toBeLessThan(1000);
    });

    it('fails at once while syslog takes nothing', async () => {
      expect(await failsAfter(': > "$LOG"; syslog_is_blocked', `syslog_runs; ${verdict}`)).toBeLessThan(1000);
    });

    it.each([
      [
        'full',
        'mount -t tmpfs -o size=64k tmpfs /run; dd if=/dev/zero of=/run/filler bs=1k 2> /dev/null || :',
        'umount --lazy /run',
      ],
      ['read-only', 'mount --bind /run /run; mount -o remount,bind,ro /run', 'umount /run'],
    ])('fails at once while /run is %s', async (_, fault, repair) => {
      expect(await failsAfter(`: > "$LOG"; ${fault}`, `${repair}; ${verdict}`)).toBeLessThan(1000);
    });

    const attack = (round: string) =>
      `perl -MIO::Socket::INET -e 'sub fresh { IO::Socket::INET->new("127.0.0.1:9308") } my @s = map { fresh() } 1 .. 8; $SIG{PIPE} = "IGNORE"; $SIG{ALRM} = sub { exit }; alarm 15; while (1) { ${round} }' & attack=$!`;
    const sending = (request: string): string =>
      `for (@s) { $_ = fresh() if !$_ || !defined syswrite $_, ${request} } select undef, undef, undef, 0.001`;
    const scrape =
      'perl -MIO::Socket::INET -e \'my $s = IO::Socket::INET->new("127.0.0.1:9308"); alarm 1; print $s "GET /metrics HTTP/1.0\\r\\n\\r\\n"; print <$s>\' | grep -q "^csync_master.* 1"';

    it.each([
      ['that send requests without end', sending('"GET /absent HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" x 500')],
      ['that send a byte now and then', sending('"G"')],
      [
        'that send a body without end',
        sending('"POST /metrics HTTP/1.1\\r\\nContent-Length: 99999999999\\r\\n\\r\\n" . "x" x 60000'),
      ],
      ['that never end the head of a request', sending('"x: y\\r\\n" x 9000')],
      [
        'that fetch the figures one time after the other, as fast as they come',
        'for (@s) { $_ = fresh() or next; print $_ "GET /metrics HTTP/1.0\\r\\n\\r\\n"; my @all = <$_> }',
      ],
    ])('fails at once, and answers for its figures within a second, under the attack of eight clients %s', async (_, round) => {
      const scraped = `scrape() { ${scrape}; }; eventually scrape; ${attack(round)}; n=0; while [ $n -lt 5 ]; do scrape || { kill $attack; exit 3; }; n=$((n + 1)); done`;
      expect(await failsAfter(`: > "$LOG"; ${scraped}`, `kill $attack || :; ${verdict}`)).toBeLessThan(1000);
    });

    const fourScripts =
      'csync() { "$PACKAGE/$1" "$2"; }; csync csync.sh stop; serviceguard_unmounts; csync csync_pre.sh stop; csync csync_pre.sh start; serviceguard_mounts; csync csync.sh start';
    const isFull = (directory: string) => `if dd if=/dev/zero of=${directory}/more bs=4k count=1 2> /dev/null; then exit 9; fi`;
    const fill = (directory: string) => `dd if=/dev/zero of=${directory}/filler bs=4k 2> /dev/null || :; ${isFull(directory)}`;

    it.each([
      ['/run is full', `mount -o remount,size=$(($(df -k /run | awk 'NR == 2 { print $3 }') + 4))k /run; ${fill('/run')}`],
      ['/run is read-only', 'mount --bind /run /run; mount -o remount,bind,ro /run; if touch /run/more; then exit 9; fi'],
      ['the root file system is full', fill('')],
      ['the root file system is read-only', 'mount -o remount,bind,ro /; if touch /more; then exit 9; fi'],
    ])('runs its four scripts in 3 s while %s', async (_, fault) => {
      const timed = `: > "$LOG"; ${fault}; began=$(now); ${fourScripts}; echo $(($(now) - began))`;
      expect(Number((await sh(timed)).split('\n').at(-1))).toBeLessThan(3000);
      expect(
        await sh('eventually grep -q "start: ok .script-complete. Start, part 2" "$LOG"; grep -c ": failed " "$LOG" || :'),
      ).toBe('0');
    });

    it('lets go of a policy file system that is frozen within 3 s: it is thawed, with who writes there', async () => {
      const writer = '( echo late > "$MOUNT_POINT/late" ) & writer=$!; eventually grep -q "^State:.D" /proc/$writer/status';
      const frozen = `: > "$LOG"; trap 'fsfreeze -u "$MOUNT_POINT" || :' EXIT; fsfreeze -f "$MOUNT_POINT"; ${writer}`;
      const halt =
        'began=$(now); "$PACKAGE/csync.sh" stop; took=$(($(now) - began)); wait $writer; serviceguard_unmounts; echo $took';
      expect(Number(await sh(`${frozen}; ${halt}`))).toBeLessThan(3000);
      expect(await sh('grep -c "halt: done .thawed. /csync was frozen (fsfreeze) and is thawed" "$LOG"')).toBe('1');
    });

    it('leaves nothing frozen behind when its machine ends, nor who writes there', async () => {
      const writer = '( echo late > "$MOUNT_POINT/late" ) > /dev/null 2>&1 & eventually grep -q "^State:.D" /proc/$!/status';
      await sh(`fsfreeze -f "$MOUNT_POINT"; ${writer}`);
      const began = performance.now();
      await hands.member.close();
      expect(performance.now() - began, 'who hangs in the kernel keeps a machine for longer').toBeLessThan(5000);
    });

    it('runs its four scripts in 3 s while neither syslog nor the disk of the log takes anything', async () => {
      const hung = `: > "$LOG"; syslog_is_blocked; trap 'fsfreeze -u "$(dirname "$LOG")"; syslog_runs' EXIT; fsfreeze -f "$(dirname "$LOG")"`;
      const timed = `began=$(now); ${fourScripts}; took=$(($(now) - began)); fsfreeze -u "$(dirname "$LOG")"`;
      const whole =
        'eventually grep -q "start: ok .script-complete. Start, part 2" "$LOG"; eventually grep -q "warning .syslog-late." "$LOG"; syslog_runs; trap - EXIT';
      expect(Number(await sh(`${hung}; ${timed}; ${whole}; echo $took`))).toBeLessThan(3000);
    });
  });
});
