# keepalived-watch.pl DIRECTORY: starts keepalived with DIRECTORY/keepalived.conf, prints "armed" when it has become the master of its
# instance, and when the tracked process exits the time at which it noticed, in seconds since the epoch. A pipe replaces a notify script.
use strict;
use Time::HiRes 'time';

my ($directory) = @ARGV;
$| = 1;
chdir $directory or die "$directory: $!";
# For writing as well: a pipe without a writer is at its end.
open my $told, '+<', 'fifo' or die "fifo: $!";
my $keepalived = fork // die "fork: $!";
if (!$keepalived) {
  open STDOUT, '>', '/dev/null';
  open STDERR, '>&', \*STDOUT;
  exec 'keepalived', qw(--dont-fork --vrrp --use-file keepalived.conf --pid keepalived.pid --vrrp_pid vrrp.pid) or die "keepalived: $!";
}
local $SIG{TERM} = sub { kill 'TERM', $keepalived; waitpid $keepalived, 0; exit 1 };
while (<$told>) {
  my $heard = time;
  print "armed\n" if /MASTER/;
  next if !/FAULT/;
  printf "%.6f\n", $heard;
  kill 'TERM', $keepalived;
  waitpid $keepalived, 0;
  exit 1;
}
