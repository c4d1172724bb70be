# Each cm* command of a lab member: passes its name, arguments and directory to the lab's daemon, prints the output, and asks its questions on
# the terminal. In perl without a module, since Node.js would need longer to start than a real command takes in all.
use strict;

# Set above, by the lab.
our $sockets;
my ($name) = $0 =~ m{([^/]+)$};
# The daemon finishes its work also when no process reads the output.
$SIG{PIPE} = 'IGNORE';
$| = 1;

sub unreachable {
  print STDERR "$name: Unable to connect to daemon.\n";
  exit 1;
}

# JSON of bytes in UTF-8.
sub quoted {
  my ($text) = @_;
  $text =~ s/(["\\])/\\$1/g;
  $text =~ s/([\x00-\x1f])/sprintf '\u%04x', ord $1/ge;
  return "\"$text\"";
}

# Control characters stay as they are written in JSON, so that none controls the terminal.
sub unquoted {
  my ($json) = @_;
  my %plain = (n => "\n", t => "\t");
  $json =~ s/\\(["\\\/nt])/$plain{$1} || $1/ge;
  return $json;
}

# A host's name may be full or in capitals; Serviceguard's node name is not.
sub node_name {
  open my $file, '<', '/proc/sys/kernel/hostname' or unreachable();
  return lc((<$file> =~ /^([^.\s]*)/)[0]);
}

my $daemon;
sub inform {
  my ($message) = @_;
  send $daemon, "$message\n", 0;
}

# AF_UNIX, SOCK_STREAM. Others than root have a socket of their own.
my $path = "$sockets/" . ($< == 0 ? 'control' : 'monitor') . '.sock';
socket($daemon, 1, 1, 0) && connect($daemon, pack 'S a108', 1, $path) or unreachable();
my $argv = join ',', map { quoted($_) } @ARGV;
my ($command, $member, $directory) = map { quoted($_) } $name, node_name(), readlink '/proc/self/cwd';
inform("{\"kind\":\"command\",\"command\":$command,\"argv\":[$argv],\"member\":$member,\"directory\":$directory}");

while (my $line = readline $daemon) {
  my ($word, $value) = $line =~ /^\{"(\w+)":"?(.*?)"?\}$/ or next;
  if ($word eq 'out') { print unquoted($value), "\n" }
  elsif ($word eq 'err') { print STDERR unquoted($value), "\n" }
  elsif ($word eq 'exit') { exit $value }
  elsif ($word eq 'problem') {
    print STDERR "$name: ", unquoted($value), "\n";
    exit 1;
  }
  elsif ($word eq 'ask') {
    my $answer;
    if (-t STDIN) {
      print unquoted($value);
      $answer = readline STDIN;
      chomp $answer if defined $answer;
    }
    # Without one the daemon prints the option to use.
    inform('{"answer":' . (defined $answer ? quoted($answer) : 'null') . '}');
  }
}
unreachable();
