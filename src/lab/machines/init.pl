# Process 1 of a host. SIGCHLD ignored makes the kernel reap orphans at once; without an init, a killed daemon would stay as a zombie.
# `with-input`: exits with its standard input. Runs as perl -e.
use strict;
$SIG{CHLD} = "IGNORE";
$| = 1;
print "READY\n";
close STDOUT;
if ("@ARGV" eq "with-input") { 1 while sysread STDIN, my $nothing, 1 }
else { sleep while 1 }
