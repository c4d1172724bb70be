# csync-front.pl NODE SCRIPT ARGUMENT...: what Serviceguard runs as the service of the package. It starts the monitor, hears of
# the daemon's end by a pidfd, which Node.js has none of, and is gone the moment the monitor says so: the orderly end of a Node.js
# takes some milliseconds, the end of this does not. It decides nothing. The two talk over the monitor's standard input, a socket:
#   watch PID     from now on "armed PID" (or "deaf PID": no pidfd here), "ended PID" at the end of that process, and "stopped PID"
#                 every two seconds while it is stopped: no event tells that, and a look from here costs a fraction of one from there; 0: none
#   say TEXT      one datagram for syslog
#   exit STATUS   the end of the service
# The monitor's own end is the service's, with its status; SIGTERM is the halt of the package.
use strict;

chdir '/';

# It runs for months and computes next to nothing: without its compiler it needs seven MB less, of 20.
my @frugal = ('--jitless', '--no-expose-wasm');
# How Node.js ends when it does not know an option.
my $bad_option = 9;
my ($node, @script) = @ARGV;
my ($here, $monitor);

# The halt of the package: the monitor leaves with it. One that takes long about it sees the end of the conversation, and ends then.
$SIG{TERM} = sub {
  kill 'TERM', $monitor if $monitor;
  for (1 .. 50) {
    last if !$monitor || waitpid $monitor, 1;
    select undef, undef, undef, 0.005;
  }
  exit 0;
};

sub start {
  my @argv = @_;
  socketpair($here, my $there, 1, 1, 0) or exec @argv;
  $monitor = fork;
  # No process left for two: the monitor in our place, which then looks instead of hearing.
  exec @argv if !defined $monitor;
  return if $monitor;
  $ENV{CSYNC_FRONT} = 1;
  open STDIN, '+<&', $there and exec @argv;
  exit 127;
}

my ($watched, $end, $state);

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
  syswrite $here, ($end ? 'armed' : 'deaf') . " $watched\n";
}

sub is_stopped {
  my $text;
  return sysseek($state, 0, 0) && sysread($state, $text, 1024) && $text =~ /.*\) [Tt] /s;
}

# Never waits: a syslog that takes nothing must not keep the package from moving.
sub say_to_syslog {
  my ($datagram) = @_;
  my $log;
  return if socket($log, 1, 2, 0) && send($log, $datagram, 0x40, pack('S a108', 1, '/dev/log'));
  my ($tag, $text) = $datagram =~ /^<\d+>.{15} ([\w.-]+): (.*)/s or return;
  my $logger = fork;
  return if !defined $logger || $logger != 0;
  close $here;
  exec 'logger', '-t', $tag, '-p', 'daemon.alert', '--', $text;
  exit 127;
}

# Until the monitor ends; what it ended with.
sub serve {
  # Not before: what is ignored stays so in the monitor.
  $SIG{PIPE} = 'IGNORE';
  my $said = '';
  while (1) {
    my $ready = '';
    vec($ready, fileno $here, 1) = 1;
    vec($ready, fileno $end, 1) = 1 if $end;
    my $count = select $ready, undef, undef, $state ? 2 : undef;
    syswrite $here, "stopped $watched\n" if $count == 0 && is_stopped();
    next if $count < 1;
    if ($end && vec($ready, fileno $end, 1)) {
      syswrite $here, "ended $watched\n";
      undef $end;
      undef $state;
    }
    next if !vec($ready, fileno $here, 1);
    last if !sysread $here, $said, 4096, length $said;
    while ($said =~ s/^(\w+) (.*)\n//) {
      if ($1 eq 'watch') { watch($2) }
      elsif ($1 eq 'say') { say_to_syslog($2) }
      elsif ($1 eq 'exit') { exit $2 }
    }
  }
  waitpid $monitor, 0;
  return $? & 127 ? 1 : $? >> 8;
}

start($node, @frugal, @script);
my $status = serve();
if ($status == $bad_option) {
  start($node, @script);
  $status = serve();
}
exit $status;
