# {{policy_header}}
#
# The daemon of members and clients: the same rules on every host, since every member may be the next master.

body server control
{
  port             => "{{cfengine_port}}";
  # This host, the package address, every member and registered client, client_networks of csync.yaml. Others are disconnected at once.
  allowconnects    => { {{allowed_addresses}} };
  # Several connections at a time: only from this host, the package address and the members (agent, probes, remote runs). Every other
  # address has one: a second one is closed before the daemon counts it, so that no client can use up maxconnections.
  allowallconnects => { {{several_connections}} };
  # csync distributes keys in advance; none is accepted on trust.
  trustkeysfrom    => { };
  allowusers       => { "root" };
  # The command of cf-runagent: new policy first, then a run with it. cf-serverd runs it without a shell, so it calls one. Words that a
  # remote run adds (-D CLASSES) come after the name cf-agent, hence "$@".
  cfruncommand     => "/bin/sh -c '{{cfengine_bin_directory}}/cf-agent -KI -f $(sys.inputdir)/update.cf \"$@\" ; {{cfengine_bin_directory}}/cf-agent -KI \"$@\"' cf-agent";
  # Twice the hosts that may connect, from 200 to 2000. Above it connections are refused, and after a third as many refusals in a row
  # cf-serverd exits ("Committing apoptosis").
  maxconnections   => "{{max_connections}}";
}

bundle server csync_access_rules
{
  access:
    # The slash at the end is required: a member loads this while the file system is not mounted there, and without it would deny everything
    # below once it is. The path must not contain a symbolic link, for the same reason.
    "{{policy_directory}}/"
      admit_ips => { {{allowed_addresses}} };
    # For hosts that bootstrap.
    "{{policy_directory}}/masterfiles/"
      shortcut  => "masterfiles",
      admit_ips => { {{allowed_addresses}} };
    # The policy of a staged rollout: each host of it only what lies under its own key, and no other host.
    "{{stage_directory}}/$(connection.key)/"
      admit_keys => { "$(connection.key)" };
    # The first word of cfruncommand: only members and the package address may start remote runs.
    "/bin/sh"
      admit_ips => { {{member_addresses}} };
  roles:
    # Classes that a remote run may define.
    ".*"
      authorize => { "root" };
}
