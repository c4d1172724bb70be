/**
 * Who else answers for the package address on its subnet: an ARP probe (RFC 5227: sender address 0.0.0.0, so that no neighbour learns
 * anything from it), by a few lines of perl, since Node.js has no such sockets. The same question whether the address is here or not:
 * answers from this host's own cards do not count.
 */
import type { MemberHost } from '../host/host.ts';

export type OwnerLook =
  | { readonly kind: 'nobody else' }
  /** Hardware address of the card that answered. */
  | { readonly kind: 'foreign'; readonly card: string }
  | { readonly kind: 'cannot tell' | 'no perl'; readonly why: string };

/** ADDRESS MS: prints the cards of others that answer within that time. */
const probe = `
use strict;
my ($address, $ms) = @ARGV;
my $ip = pack 'C4', split /\\./, $address;
my $number = unpack 'L', $ip;
my ($card, $most) = ('', -1);
open my $routes, '<', '/proc/net/route' or die "no routes: $!\\n";
while (<$routes>) {
  my ($name, $network, $gateway, undef, undef, undef, undef, $mask) = split;
  next if $name eq 'Iface' || hex $gateway || ($number & hex $mask) != hex $network;
  my $bits = unpack '%32b*', pack 'L', hex $mask;
  ($card, $most) = ($name, $bits) if $bits > $most && $bits > 0;
}
die "no card of this host has its subnet\\n" if $card eq '';
sub fact { open my $file, '<', "/sys/class/net/$_[0]/$_[1]" or return ''; my $line = <$file>; chomp $line; return $line }
my %own = map { (split m{/})[-1] ne 'lo' ? (lc fact((split m{/})[-1], 'address') => 1) : () } glob '/sys/class/net/*';
my $mac = pack 'H12', fact($card, 'address') =~ tr/://dr;
my $type = unpack 'S', pack 'n', 0x0806;
socket my $socket, 17, 2, $type or die "no packet socket: $!\\n";
my $everybody = pack 'S S l S C C a8', 17, $type, fact($card, 'ifindex'), 1, 0, 6, "\\xff" x 6;
my $question = pack 'n n C C n a6 a4 a6 a4', 1, 0x0800, 6, 4, 1, $mac, "\\0" x 4, "\\0" x 6, $ip;
send $socket, $question, 0, $everybody or die "not sent: $!\\n";
# Linux says what is left of the time.
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
  print "$name\\n";
  last;
}
`;

/** Beyond the time that is listened: perl has to start. */
const startMs = 500;

/** Never waits longer than `listenMs` and half a second. */
export async function foreignOwner(host: Pick<MemberHost, 'run'>, address: string, listenMs: number): Promise<OwnerLook> {
  const { exitCode, timedOut, errorCode, stdout, stderr } = await host.run(
    ['perl', '-e', probe, address, String(listenMs)],
    listenMs + startMs,
  );
  const [card = ''] = stdout.split('\n');
  if (/^[0-9a-f:]{17}$/.test(card)) return { kind: 'foreign', card };
  if (exitCode === 0) return { kind: 'nobody else' };
  if (timedOut) return { kind: 'cannot tell', why: 'perl takes too long' };
  if (errorCode === 'ENOENT') return { kind: 'no perl', why: 'no perl' };
  return { kind: 'cannot tell', why: errorCode ?? (stderr.trim() || `perl ended with ${exitCode}`) };
}

/** What is found, for a log. */
export function ownerText(address: string, card: string): string {
  return `${address} is answered for by another host, too (hardware address ${card}): clients may reach that one`;
}
