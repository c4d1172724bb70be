# connects.pl ADDRESS PORT: what a client without patience sees. Begins a TCP connection every 20 ms, also while others wait, and prints
# for each time of more than 60 ms without a success how many ms it lasted: from the beginning of the last good one to that of the next.
# The first success is printed as 0.
use strict;
use IO::Socket::INET;
use Errno 'EINPROGRESS';
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC sleep);

my ($address, $port) = @ARGV;
my $target = sockaddr_in($port, inet_aton($address));
$| = 1;
my ($last, @open);
for (my $due = clock_gettime(CLOCK_MONOTONIC);; $due += 0.02) {
  my $now = clock_gettime(CLOCK_MONOTONIC);
  $due = $now if $now > $due + 0.1;
  sleep $due - $now if $due > $now;
  my $began = clock_gettime(CLOCK_MONOTONIC);
  my $socket = IO::Socket::INET->new(Proto => 'tcp', Blocking => 0) or die "socket: $!\n";
  my $done = connect $socket, $target;
  push @open, [$began, $socket] if $done || $!{EINPROGRESS};
  my @waiting;
  for my $one (@open) {
    my ($at, $asked) = @$one;
    vec(my $ready = '', fileno $asked, 1) = 1;
    if (!select undef, $ready, undef, 0) {
      push @waiting, $one if $began < $at + 2;
      next;
    }
    next if $asked->sockopt(SO_ERROR);
    printf "%d\n", defined $last ? ($at - $last) * 1000 : 0 if !defined $last || $at > $last + 0.06;
    $last = $at if !defined $last || $at > $last;
  }
  @open = @waiting;
}
