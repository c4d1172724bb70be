# {{policy_header}}
#
# cf-runagent without -H runs the agent on these: the members and the registered clients.

body runagent control
{
  hosts    => { {{remote_hosts}} };
  port     => "{{cfengine_port}}";
  # Nobody is asked and nothing is accepted: keys are put in place beforehand.
  trustkey => "false";
}
