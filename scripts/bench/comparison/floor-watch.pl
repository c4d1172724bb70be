# floor-watch.pl NAME: the service of a package without csync. Exits as soon as the process NAME does (pidfd_open, poll).
use strict;

my ($name) = @ARGV;
# The process of that name whose parent is process 1: the daemon itself, and no child of it.
my ($pid) = map { (split)[0] } grep { (split)[1] == 1 } qx(ps -o pid=,ppid= -C $name) or die "no $name\n";
# A number, for perl would pass the address of a text.
my $fd = syscall 434, $pid + 0, 0;
$fd >= 0 or die "pidfd_open: $!\n";
vec(my $ready = '', $fd, 1) = 1;
select $ready, undef, undef, undef;
exit 1;
