#!/usr/bin/perl
# Lab: what a node has of the lab itself, over its control socket, a line of JSON each.
#   fence_csync_lab   a fence agent: cuts the power of a machine. Its network cable does not matter, as with a power switch of its own network.
#   alert_csync_lab   an alert agent: passes events of Pacemaker on to the journal of the lab. Runs as hacluster.
use strict;
use IO::Socket::UNIX;

my $metadata = <<'END';
<?xml version="1.0"?>
<resource-agent name="fence_csync_lab" shortdesc="Cuts the power of a lab machine">
<longdesc>Only for csync lab: kills all processes of a machine.</longdesc>
<parameters>
<parameter name="action" required="1"><content type="string" default="off"/></parameter>
<parameter name="port"><content type="string"/></parameter>
</parameters>
<actions>
<action name="off"/><action name="on"/><action name="reboot"/><action name="status"/><action name="monitor"/><action name="metadata"/>
</actions>
</resource-agent>
END

sub word { my ($text) = @_; $text =~ s/[^\w .:-]//g; return $text }

# Waits for the answer; false: refused, or no lab.
sub ask {
  my ($socket, %message) = @_;
  my $lab = IO::Socket::UNIX->new(Peer => "/run/csync-lab/$socket.sock") or return 0;
  $lab->autoflush(1);
  print $lab '{' . join(',', map { "\"$_\":\"" . word($message{$_}) . '"' } sort keys %message) . "}\n";
  my $answer = <$lab>;
  return defined $answer && $answer !~ /"problem"/;
}

if ($0 =~ /alert_csync_lab$/) {
  my %told = map { lc =~ s/^crm_alert_//r => $ENV{$_} } grep { /^CRM_alert_(kind|node|rsc|task|rc|desc|status)$/ } keys %ENV;
  delete $told{kind};
  exit !ask('monitor', kind => 'alert', of => $ENV{CRM_alert_kind}, %told);
}

my %option = map { /^\s*(\w+)\s*=\s*(.*?)\s*$/ ? ($1, $2) : () } -t STDIN ? () : <STDIN>;
my $action = $option{action} || 'off';
if ($action eq 'metadata') { print $metadata }
elsif ($action =~ /^(monitor|status)$/) { exit !ask('control', kind => 'fence', action => 'status', member => $option{port} || '') }
elsif ($action =~ /^(off|on|reboot)$/) { exit !ask('control', kind => 'fence', action => $action, member => $option{port} || $option{nodename}) }
else { exit 1 }
