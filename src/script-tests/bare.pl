# In front of each script: standard input closed, as Serviceguard's have none; one more descriptor than the script knows of, as a careless
# caller leaves; a directory and a umask to start with; its whole environment, which perl itself must not see. Runs as perl -e.
use strict;
use POSIX ();
my ($directory, $umask, $variables) = splice @ARGV, 0, 3;
my @environment = splice @ARGV, 0, $variables;
open my $careless, ">", "/run/conform-careless" or die;
POSIX::dup2(fileno $careless, 40);
close STDIN;
umask oct $umask;
chdir $directory or die;
%ENV = map { split /=/, $_, 2 } @environment;
exec { $ARGV[0] } @ARGV or print STDERR "$ARGV[0]: $!\n";
exit 127
