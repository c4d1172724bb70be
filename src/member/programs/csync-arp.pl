# csync-arp.pl ADDRESS MS [LOG PACKAGE LINE]: which other host answers for the address on its subnet, within MS milliseconds; Node.js has
# no such sockets. IPv4: an ARP probe (RFC 5227, sender 0.0.0.0, so that no neighbour learns from it). IPv6: a neighbour solicitation from
# the link-local address of this host. Its answer comes to this host only; the one to duplicate address detection (sender ::) goes to all
# hosts, and they would turn to the other host. Answers of this host's own interfaces do not count. It prints the hardware address that
# answers. With LOG, during a start: it writes LINE, with that address for %s, to syslog and to the file LOG (-: no file). Nothing waits
# for this process, and it never waits for syslog.
# csync-arp.pl --announce ADDRESS: neighbour advertisements (RFC 4861, 7.2.6) for an IPv6 address of this host.
use strict;

my ($address, $ms, $log, $package, $line) = @ARGV;
my $announced = $address eq '--announce' ? $ms : undef;
$address = $announced if defined $announced;
my $six = $address =~ /:/;
# What this host's resolver library knows of IPv6; an IPv4 address needs no module.
my $ip = $six ? do { require Socket; Socket::inet_pton(10, $address) } : pack 'C4', split /\./, $address;
my $card = $six ? card_of_six() : card_of_four();
die "no card of this host has its subnet\n" if $card eq '';
my %own = map { (split m{/})[-1] ne 'lo' ? (lc fact((split m{/})[-1], 'address') => 1) : () } glob '/sys/class/net/*';
my $mac = pack 'H12', fact($card, 'address') =~ tr/://dr;
my $socket = $six ? open_six() : open_four();
exit announce() if defined $announced;
$six ? solicit() : ask();
# On Linux, select returns the rest of the time.
my ($count, $left) = (0, $ms / 1000);
while ($left > 0) {
  my $ready = '';
  vec($ready, fileno $socket, 1) = 1;
  ($count, $left) = select $ready, undef, undef, $left;
  last if $count < 1;
  recv $socket, my $packet, 64, 0;
  my ($sender, $of) = $six ? advertised($packet) : (unpack 'n n C C n a6 a4', "$packet" . "\0" x 28)[5, 6];
  my $name = join ':', map { sprintf '%02x', $_ } unpack 'C6', $sender;
  next if $of ne $ip || $own{$name};
  report($name);
  last;
}

sub fact { open my $file, '<', "/sys/class/net/$_[0]/$_[1]" or return ''; my $line = <$file>; chomp $line; return $line }

sub card_of_four {
  my ($card, $most) = ('', -1);
  my $number = unpack 'L', $ip;
  open my $routes, '<', '/proc/net/route' or die "no routes: $!\n";
  while (<$routes>) {
    my ($name, $network, $gateway, undef, undef, undef, undef, $mask) = split;
    next if $name eq 'Iface' || hex $gateway || ($number & hex $mask) != hex $network;
    my $bits = unpack '%32b*', pack 'L', hex $mask;
    ($card, $most) = ($name, $bits) if $bits > $most && $bits > 0;
  }
  return $card;
}

sub open_four {
  my $type = unpack 'S', pack 'n', 0x0806;
  socket my $socket, 17, 2, $type or die "no packet socket: $!\n";
  return $socket;
}

sub ask {
  my $type = unpack 'S', pack 'n', 0x0806;
  my $everybody = pack 'S S l S C C a8', 17, $type, fact($card, 'ifindex'), 1, 0, 6, "\xff" x 6;
  my $question = pack 'n n C C n a6 a4 a6 a4', 1, 0x0800, 6, 4, 1, $mac, "\0" x 4, "\0" x 6, $ip;
  send $socket, $question, 0, $everybody or die "not sent: $!\n";
}

# Routes through a gateway have a next hop; the local one of an own address has the flag 80000000 and may name lo.
sub card_of_six {
  my ($card, $most) = ('', 0);
  my $bits = unpack 'B128', $ip;
  open my $routes, '<', '/proc/net/ipv6_route' or die "no routes of IPv6: $!\n";
  while (<$routes>) {
    my ($network, $length, undef, undef, $gateway, undef, undef, undef, $flags, $name) = split;
    $length = hex $length;
    next if $name eq 'lo' || $gateway =~ /[1-9a-f]/ || hex($flags) & 0x80000000 || $length <= $most;
    ($card, $most) = ($name, $length) if substr($bits, 0, $length) eq substr unpack('B128', pack 'H32', $network), 0, $length;
  }
  return $card;
}

# A raw ICMPv6 socket: the kernel adds the checksum. It receives advertisements only.
sub open_six {
  my $link;
  open my $addresses, '<', '/proc/net/if_inet6' or die "no addresses of IPv6: $!\n";
  while (<$addresses>) {
    my ($own, undef, undef, $scope, $flags, $name) = split;
    $link = pack 'H32', $own if $name eq $card && $scope eq '20' && !(hex($flags) & 0x48);
  }
  die "$card has no usable link-local address\n" if !defined $link;
  my $index = fact($card, 'ifindex');
  socket my $socket, 10, 3, 58 or die "no ICMPv6 socket: $!\n";
  my @blocked = (0xffffffff) x 8;
  $blocked[4] &= ~(1 << 8) & 0xffffffff;
  setsockopt $socket, 58, 1, pack 'L8', @blocked or die "no filter: $!\n";
  # Hop limit 255, this card, and not back to this host.
  setsockopt $socket, 41, $$_[0], pack 'i', $$_[1] or die "no option $$_[0]: $!\n" for [18, 255], [17, $index], [19, 0];
  bind $socket, pack 'S n N a16 L', 10, 0, 0, $link, $index or die "no link-local socket: $!\n";
  return $socket;
}

sub to { return pack 'S n N a16 L', 10, 0, 0, pack('H*', $_[0]), fact($card, 'ifindex') }

sub solicit {
  my $group = 'ff02' . '0' x 18 . '01ff' . unpack 'H6', substr $ip, 13;
  send $socket, pack('C C n N a16 C C a6', 135, 0, 0, 0, $ip, 1, 1, $mac), 0, to($group) or die "not sent: $!\n";
}

# Hardware address and target. Option 2 has the hardware address.
sub advertised {
  my ($target, $options) = (unpack 'C C n N a16 a*', $_[0])[4, 5];
  return ("\0" x 6, '') if length $_[0] < 24;
  while (length $options >= 8) {
    my ($kind, $size) = unpack 'C C', $options;
    return (substr($options, 2, 6), $target) if $kind == 2;
    last if $size == 0;
    $options = length $options > 8 * $size ? substr $options, 8 * $size : '';
  }
  return ("\0" x 6, $target);
}

# Three times (MAX_NEIGHBOR_ADVERTISEMENT): any of them can get lost. Override replaces what the neighbours have.
sub announce {
  for my $pause (0, 0.3, 0.7) {
    select undef, undef, undef, $pause;
    send $socket, pack('C C n N a16 C C a6', 136, 0, 0, 0x20000000, $ip, 2, 1, $mac), 0, to('ff02' . '0' x 27 . '1') or die "not sent: $!\n";
  }
  return 0;
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
