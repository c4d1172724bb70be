# A process between us and a program on a host: it exits exactly when the program exits, with the same status. nsenter's own fork does not:
# it is killed by a SIGTERM for the program, and stops when the program is stopped. Runs as perl -e.
use strict;
my @polite = qw(HUP INT QUIT TERM);
$SIG{$_} = "IGNORE" for @polite;
defined(my $child = fork) or die "fork: $!\n";
if (!$child) {
  $SIG{$_} = "DEFAULT" for @polite;
  exec { $ARGV[0] } @ARGV or print STDERR "$ARGV[0]: $!\n";
  exit 127;
}
waitpid $child, 0;
if (my $signal = $? & 127) {
  $SIG{$_} = "DEFAULT" for @polite;
  kill $signal, $$;
  sleep;
}
exit $? >> 8
