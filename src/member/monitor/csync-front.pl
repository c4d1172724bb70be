# csync-front.pl NODE SCRIPT ARGUMENT...: what Serviceguard runs as the service of the package. It starts the monitor, is notified
# of the daemon's exit by a pidfd, which Node.js does not have, and exits the moment the monitor says so: the orderly exit of
# Node.js takes some milliseconds, the exit of this does not. It decides nothing about the daemon. The two talk over the
# monitor's standard input, a socket. The monitor sends a line at least every ten seconds:
#   watch PID       from now on "armed PID" (or "deaf PID": no pidfd here), "ended PID" when that process exits, and "stopped PID"
#                   every two seconds while it is stopped: no event reports that, and a check costs a fraction here; 0: none
#   alive NOTHING   each line of ours is answered with one, if with nothing else
#   log FILE PACKAGE NAME  (tabs in between) where a failure of the monitor itself is logged, for syslog as what, and how it begins
#   say TEXT        one datagram for syslog
#   exit STATUS     the service exits
# A monitor that sends nothing for too long is stopped or hangs, unless it only gets too little processor time: /proc shows which.
# One that hangs is killed and a new one judges; if that fails too, the service exits. SIGTERM is the halt of the package.
# Nothing here waits for a disk, for syslog or for another process.
use strict;

chdir '/';

# It runs for months and computes next to nothing: without its compiler it needs seven MB less, of 20.
my @frugal = ('--jitless', '--no-expose-wasm');
# How Node.js ends when it does not know an option.
my $bad_option = 9;
# The time that a monitor has is counted in waits of this process, and not by a clock: when the whole machine did not run, this
# process did not wake either. Only waits in which the monitor was blocked count: no thread of it could run, and it used no
# processor time and read no page of a file. A busy host moves no package.
my $idle_wait = 2;
my $short_wait = 0.25;
my %blocked_waits = (
  # For the first line of a new one: 10 s.
  started => 40,
  # For the answer to a line of ours: 2 s.
  asked => 8,
  # For any line, after the idle waits: 2 s.
  silent => 8,
);
# Without a line; the monitor sends one every ten seconds: 18 s.
my $idle_waits = 9;
# A monitor that has used so much processor time since and still sends nothing is in an endless loop: 30 s, in ticks of 10 ms.
my $busy_ticks = 3000;
# Seconds in which a second monitor may not fail as well.
my $replaced_window = 600;
# As the kernel has them.
my ($dontwait, $nohang, $again) = (0x40, 1, 11);

my ($node, @script) = @ARGV;
my ($here, $monitor, $expected, $waited, $killed, $replaced_at);
# The processor time of the monitor when its answer was first waited for, and all that it had got when it was last checked.
my ($ticks_before, $got);
my ($log, $package, $name) = (undef, 'csync', 'csync monitor:');
my $said = '';

# The halt of the package: the monitor exits with it. One that is stopped takes no TERM.
$SIG{TERM} = sub {
  kill 'TERM', $monitor if $monitor;
  kill 'KILL', $monitor if $monitor && !defined ended_within(0.25);
  exit 0;
};

# Its status, as wait(2) has it; undef: it is still there. One that is stuck in the kernel does not end, whatever it is sent.
sub ended_within {
  my ($seconds) = @_;
  for (0 .. $seconds / 0.005) {
    return $? if waitpid $monitor, $nohang;
    select undef, undef, undef, 0.005;
  }
  return undef;
}

sub start {
  my ($why, @argv) = @_;
  socketpair($here, my $there, 1, 1, 0) or exec @argv;
  $said = '';
  $monitor = fork;
  # No process left for two: the monitor in our place, which then polls.
  exec @argv if !defined $monitor;
  return expect('started') if $monitor;
  $SIG{PIPE} = 'DEFAULT';
  $ENV{CSYNC_FRONT} = $why;
  open STDIN, '+<&', $there and exec @argv;
  exit 127;
}

# From now on a line of the monitor is waited for.
sub expect {
  ($expected, $waited) = ($_[0], 0);
  ($ticks_before, $got) = used();
}

# The processor time of the monitor in ticks, and beside it a sum that also grows with each page it had to wait for.
sub used {
  my @fields = fields("/proc/$monitor/stat") or return (0, 0);
  my $ticks = $fields[11] + $fields[12];
  return ($ticks, $ticks + $fields[9]);
}

# What /proc says of a process or a thread, from its state on.
sub fields {
  my ($path) = @_;
  open my $file, '<', $path or return;
  sysread $file, my $text, 1024 or return;
  return split ' ', $text =~ s/.*\) //sr;
}

# Whether the monitor waits for a processor, on one of its threads.
sub is_runnable {
  opendir my $threads, "/proc/$monitor/task" or return 0;
  return grep { /\d/ && (fields("/proc/$monitor/task/$_/stat"))[0] eq 'R' } readdir $threads;
}

# After a wait without a line: why the monitor is to be replaced; undef: it is not.
sub why_replaced {
  $waited++;
  if ($expected eq 'idle') {
    expect('silent') if $waited >= $idle_waits;
    return undef;
  }
  my $what = { started => 'did not start', asked => 'did not answer', silent => 'sent nothing' }->{$expected};
  my ($ticks, $now) = used();
  my $is_busy = $now != $got || is_runnable();
  $got = $now;
  return "$what in ${\($busy_ticks / 100)} s of processor time" if $ticks - $ticks_before >= $busy_ticks;
  $waited-- if $is_busy;
  return $waited >= $blocked_waits{$expected} ? $what : undef;
}

my ($watched, $end, $state);

sub notify {
  my ($word) = @_;
  send $here, "$word $watched\n", $dontwait;
  expect('asked') if $expected eq 'idle';
}

sub watch {
  ($watched) = @_;
  undef $end;
  undef $state;
  return if $watched == 0;
  # pidfd_open (Linux 5.3) has this number wherever Linux numbers its newer calls alike: everywhere but on alpha.
  my $descriptor = syscall(434, $watched + 0, 0);
  open $end, '<&=', $descriptor if $descriptor >= 0;
  # Kept open, it stays that process's, whoever takes its number.
  undef $state if !$end || !open $state, '<', "/proc/$watched/stat";
  notify($end ? 'armed' : 'deaf');
}

sub is_stopped {
  my $text;
  return sysseek($state, 0, 0) && sysread($state, $text, 1024) && $text =~ /.*\) [Tt] /s;
}

# Never waits: what syslog does not take at once is dropped, unless its socket is of the other kind.
sub say_to_syslog {
  my ($datagram) = @_;
  my $socket;
  return if socket($socket, 1, 2, 0) && send($socket, $datagram, $dontwait, pack('S a108', 1, '/dev/log'));
  return if $! == $again;
  my ($tag, $text) = $datagram =~ /^<\d+>.{15} ([\w.-]+): (.*)/s or return;
  apart(sub { exec 'logger', '-t', $tag, '-p', 'daemon.alert', '--', $text });
}

# By a process that nobody waits for, and that is ended if it has not ended by itself.
sub apart {
  my ($act) = @_;
  my $child = fork;
  return if !defined $child || $child != 0;
  $SIG{TERM} = $SIG{ALRM} = 'DEFAULT';
  close $here;
  alarm 10;
  $act->();
  exit 127;
}

sub alert {
  my ($text) = @_;
  my ($stamp) = localtime() =~ /^\w+ (.{15})/;
  say_to_syslog("<25>$stamp $package: $name $text");
  return if !defined $log;
  apart(sub {
    open my $file, '>>', $log or exit 1;
    syswrite $file, "$stamp $name $text\n";
    exit 0;
  });
}

# The monitor is stopped, or hangs. Whether the daemon is well is for a monitor to judge, so a new one does. The old one is not
# waited for: it may be stuck in the kernel.
sub replace {
  my ($why, @argv) = @_;
  kill 'KILL', $monitor;
  $killed = $monitor;
  my ($now) = do { open my $uptime, '<', '/proc/uptime'; <$uptime> =~ /^(\d+)/ };
  if (defined $replaced_at && $now - $replaced_at < $replaced_window) {
    alert("failed [monitor-hung] The monitor $why, and so did the one that replaced it: the service exits, and Serviceguard acts.");
    exit 1;
  }
  $replaced_at = $now;
  watch(0);
  close $here;
  start("replaced: the monitor (pid $monitor) $why", @argv);
}

# Until the monitor exits; with what status.
sub serve {
  my @argv = @_;
  # Not before: what is ignored stays so in the monitor.
  $SIG{PIPE} = 'IGNORE';
  while (1) {
    my $ready = '';
    vec($ready, fileno $here, 1) = 1;
    vec($ready, fileno $end, 1) = 1 if $end;
    my $count = select $ready, undef, undef, $expected eq 'idle' ? $idle_wait : $short_wait;
    next if $count < 0;
    if ($count == 0) {
      # It may end much later.
      undef $killed if $killed && waitpid $killed, $nohang;
      my $why = why_replaced();
      replace($why, @argv) if defined $why;
      notify('stopped') if $state && $expected eq 'idle' && is_stopped();
      next;
    }
    if ($end && vec($ready, fileno $end, 1)) {
      undef $end;
      undef $state;
      notify('ended');
    }
    next if !vec($ready, fileno $here, 1);
    last if !sysread $here, $said, 4096, length $said;
    while ($said =~ s/^(\w+) (.*)\n//) {
      # A line of the log is no proof that it gets to its work.
      ($expected, $waited) = ('idle', 0) if $1 ne 'log';
      if ($1 eq 'watch') { watch($2) }
      elsif ($1 eq 'say') { say_to_syslog($2) }
      elsif ($1 eq 'exit') { exit $2 }
      elsif ($1 eq 'log') { ($log, $package, $name) = split /\t/, $2, 3 }
    }
  }
  my $status = ended_within(2);
  return defined $status && !($status & 127) ? $status >> 8 : 1;
}

# Loaded by a test of its decisions.
return 1 if caller;
start('started', $node, @frugal, @script);
my $status = serve($node, @frugal, @script);
if ($status == $bad_option) {
  start('started', $node, @script);
  $status = serve($node, @script);
}
exit $status;
