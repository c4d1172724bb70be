# csync-front.pl NODE [--OPTION...] SCRIPT ARGUMENT...: the service process of the package. It starts the monitor, gets the exit of the daemon from a
# pidfd, which Node.js does not support, and exits at once when the monitor requests it; Node.js would need some milliseconds. It makes no
# decision about the daemon. Both talk over the monitor's standard input, a socket. The monitor sends a line at least every ten seconds:
#   watch PID       answers: "armed PID" ("deaf PID": no pidfd here), "ended PID" when the process exits, and "stopped PID"
#                   every two seconds while it is stopped, because no event reports that; 0: watch nothing
#   alive NOTHING   the answer to each line from here
#   log FILE PACKAGE NAME  (with tabs) where a failure of the monitor itself is logged, the tag for syslog, and the head of the line
#   say TEXT        sends one datagram to syslog
#   exit STATUS     the service exits
# A monitor that sends nothing for too long hangs or is stopped, unless it lacks processor time: /proc shows which. A monitor that
# hangs is killed and replaced once; after that the service exits. SIGTERM is the halt of the package.
# Nothing here waits for a disk, for syslog or for another process.
use strict;

chdir '/';

# Exit status of Node.js for an unknown option.
my $bad_option = 9;
# The time limits of the monitor count waits of this process, not a clock: when the whole machine stood still, this process did not
# wake up either. Only waits in which the monitor was blocked count: no thread could run, no processor time was used, no page was read.
# A busy host moves no package.
my $idle_wait = 2;
my $short_wait = 0.25;
my %blocked_waits = (
  # For the first line of a new monitor: 10 s.
  started => 40,
  # For the answer to a line: 2 s.
  asked => 8,
  # For any line, after the idle waits: 2 s.
  silent => 8,
);
# Without a line; the monitor sends one every ten seconds: 18 s.
my $idle_waits = 9;
# A silent monitor that used this much processor time is in an endless loop: 30 s, in ticks of 10 ms.
my $busy_ticks = 3000;
# Seconds in which the replacement must not fail as well.
my $replaced_window = 600;
# Kernel constants.
my ($dontwait, $nohang, $again) = (0x40, 1, 11);

my ($node, @script) = @ARGV;
# For V8, as the start chose them for its own Node.js.
my @options;
push @options, shift @script while @script && $script[0] =~ /^--/;
my ($here, $monitor, $expected, $waited, $killed, $replaced_at);
# The processor time of the monitor when the wait began, and its activity at the last check.
my ($ticks_before, $got);
my ($log, $package, $name) = (undef, 'csync', 'csync monitor:');
my $said = '';

# The halt of the package: the monitor exits with it. A stopped process does not handle TERM.
$SIG{TERM} = sub {
  kill 'TERM', $monitor if $monitor;
  kill 'KILL', $monitor if $monitor && !defined ended_within(0.25);
  exit 0;
};

# Its status, as from wait(2); undef: it still exists. A process that is stuck in the kernel does not exit.
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
  # No process for both: the monitor runs in our place and polls.
  exec @argv if !defined $monitor;
  return expect('started') if $monitor;
  $SIG{PIPE} = 'DEFAULT';
  $ENV{CSYNC_FRONT} = $why;
  open STDIN, '+<&', $there and exec @argv;
  exit 127;
}

# Starts waiting for a line of the monitor.
sub expect {
  ($expected, $waited) = ($_[0], 0);
  ($ticks_before, $got) = used();
}

# The processor time of the monitor in ticks, and a sum that also grows with each page it waited for.
sub used {
  my @fields = fields("/proc/$monitor/stat") or return (0, 0);
  my $ticks = $fields[11] + $fields[12];
  return ($ticks, $ticks + $fields[9]);
}

# The fields of a stat file in /proc, from the state on.
sub fields {
  my ($path) = @_;
  open my $file, '<', $path or return;
  sysread $file, my $text, 1024 or return;
  return split ' ', $text =~ s/.*\) //sr;
}

# Whether a thread of the monitor waits for a processor.
sub is_runnable {
  opendir my $threads, "/proc/$monitor/task" or return 0;
  return grep { /\d/ && (fields("/proc/$monitor/task/$_/stat"))[0] eq 'R' } readdir $threads;
}

# After a wait without a line: why the monitor must be replaced; undef: it must not.
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
  # pidfd_open (Linux 5.3) has this number on every architecture except alpha.
  my $descriptor = syscall(434, $watched + 0, 0);
  open $end, '<&=', $descriptor if $descriptor >= 0;
  # While it is open, it belongs to that process, even if the pid is reused.
  undef $state if !$end || !open $state, '<', "/proc/$watched/stat";
  notify($end ? 'armed' : 'deaf');
}

sub is_stopped {
  my $text;
  return sysseek($state, 0, 0) && sysread($state, $text, 1024) && $text =~ /.*\) [Tt] /s;
}

# Never waits: a datagram that syslog does not take at once is dropped, unless its socket is a stream.
sub say_to_syslog {
  my ($datagram) = @_;
  my $socket;
  return if socket($socket, 1, 2, 0) && send($socket, $datagram, $dontwait, pack('S a108', 1, '/dev/log'));
  return if $! == $again;
  my ($tag, $text) = $datagram =~ /^<\d+>.{15} ([\w.-]+): (.*)/s or return;
  apart(sub { exec 'logger', '-t', $tag, '-p', 'daemon.alert', '--', $text });
}

# In a child that no process waits for, killed after 10 s.
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

# The monitor hangs or is stopped. A new monitor judges the daemon. The old one may be stuck in the kernel, so nothing waits for it.
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

# Runs until the monitor exits; returns its status.
sub serve {
  my @argv = @_;
  # Not earlier: the monitor would inherit it.
  $SIG{PIPE} = 'IGNORE';
  while (1) {
    my $ready = '';
    vec($ready, fileno $here, 1) = 1;
    vec($ready, fileno $end, 1) = 1 if $end;
    my $count = select $ready, undef, undef, $expected eq 'idle' ? $idle_wait : $short_wait;
    next if $count < 0;
    if ($count == 0) {
      # It may exit much later.
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
      # A log line does not prove that the monitor works.
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

# A test loads this file.
return 1 if caller;
start('started', $node, @options, @script);
my $status = serve($node, @options, @script);
# Another Node.js was installed since the start.
if ($status == $bad_option && @options) {
  start('started', $node, @script);
  $status = serve($node, @script);
}
exit $status;
