# {{policy_header}}
#
# cf-runagent without -H runs the agent on these: the members and the registered clients.

body runagent control
{
  hosts    => { {{remote_hosts}} };
  port     => "{{cfengine_port}}";
  # No prompt and no trust: csync distributes the keys in advance.
  trustkey => "false";
}
