# Stops the script of a package directory as soon as its log, from a place on, has a line of the step; then says so. Runs as perl -e.
use strict;
$| = 1;
my ($file, $from, $step, $package) = @ARGV;
my ($log, $is_open, $pid, $said);
print "READY\n";
while (1) {
  for (glob '/proc/[0-9]*/cmdline') {
    last if $pid;
    open my $command, '<', $_ or next;
    $pid = (split m{/})[2] if (<$command> // '') =~ m{\Q$package\E/\S*csync-\w+\.cjs};
  }
  $is_open = open($log, '<', $file) && sysseek($log, $from, 0) if !$is_open;
  sysread $log, $said, 65536, length($said // '') if $is_open;
  if ($pid && ($said // '') =~ / step=\Q$step\E\b/) {
    kill 'STOP', $pid;
    print "HELD\n";
    sleep;
  }
  select undef, undef, undef, 0.0002;
}
