# csync-arp.pl ADDRESS MS [LOG PACKAGE LINE]: which other host answers for the address on its subnet, within MS milliseconds. It sends
# an ARP probe (RFC 5227, sender 0.0.0.0, so that no neighbour learns from it); Node.js has no such sockets. Answers of this host's own
# interfaces do not count. It prints the hardware address that answers. With LOG, during a start: it writes LINE, with that address for
# %s, to syslog and to the file LOG (-: no file). Nothing waits for this process, and it never waits for syslog.
use strict;

my ($address, $ms, $log, $package, $line) = @ARGV;
my $ip = pack 'C4', split /\./, $address;
my $number = unpack 'L', $ip;
my ($card, $most) = ('', -1);
open my $routes, '<', '/proc/net/route' or die "no routes: $!\n";
while (<$routes>) {
  my ($name, $network, $gateway, undef, undef, undef, undef, $mask) = split;
  next if $name eq 'Iface' || hex $gateway || ($number & hex $mask) != hex $network;
  my $bits = unpack '%32b*', pack 'L', hex $mask;
  ($card, $most) = ($name, $bits) if $bits > $most && $bits > 0;
}
die "no card of this host has its subnet\n" if $card eq '';
sub fact { open my $file, '<', "/sys/class/net/$_[0]/$_[1]" or return ''; my $line = <$file>; chomp $line; return $line }
my %own = map { (split m{/})[-1] ne 'lo' ? (lc fact((split m{/})[-1], 'address') => 1) : () } glob '/sys/class/net/*';
my $mac = pack 'H12', fact($card, 'address') =~ tr/://dr;
my $type = unpack 'S', pack 'n', 0x0806;
socket my $socket, 17, 2, $type or die "no packet socket: $!\n";
my $everybody = pack 'S S l S C C a8', 17, $type, fact($card, 'ifindex'), 1, 0, 6, "\xff" x 6;
my $question = pack 'n n C C n a6 a4 a6 a4', 1, 0x0800, 6, 4, 1, $mac, "\0" x 4, "\0" x 6, $ip;
send $socket, $question, 0, $everybody or die "not sent: $!\n";
# On Linux, select returns the rest of the time.
my ($count, $left) = (0, $ms / 1000);
while ($left > 0) {
  my $ready = '';
  vec($ready, fileno $socket, 1) = 1;
  ($count, $left) = select $ready, undef, undef, $left;
  last if $count < 1;
  recv $socket, my $packet, 64, 0;
  next if length $packet < 28;
  my ($sender, $of) = (unpack 'n n C C n a6 a4', $packet)[5, 6];
  my $name = join ':', map { sprintf '%02x', $_ } unpack 'C6', $sender;
  next if $of ne $ip || $own{$name};
  report($name);
  last;
}

sub report {
  my ($name) = @_;
  if (!defined $log) {
    print "$name\n";
    return;
  }
  $line =~ s/%s/$name/;
  my $stamp = substr localtime, 4, 15;
  my $dontwait = 0x40;
  my $syslog;
  socket($syslog, 1, 2, 0) && send($syslog, "<29>$stamp $package: $line", $dontwait, pack('S a108', 1, '/dev/log'));
  return if $log eq '-' || -e $log && !-f $log;
  umask 022;
  open my $file, '>>', $log or return;
  syswrite $file, "$stamp $line\n";
}
