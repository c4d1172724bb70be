# {{policy_header}}
#
# The daemon of members and clients: the same rules everywhere, since every member may be the master next.

body server control
{
  port             => "{{cfengine_port}}";
  # This host, the package address, every member and registered client, client_networks of csync.yaml. Others are cut off at once.
  allowconnects    => { {{allowed_addresses}} };
  # Several connections at a time: only from this host, the package address and the members (agent, probes, remote runs). Every
  # other address has one: a second one is closed before the daemon counts it, so no client can use up maxconnections.
  allowallconnects => { {{several_connections}} };
  # Keys are put in place beforehand; nothing is accepted on trust.
  trustkeysfrom    => { };
  allowusers       => { "root" };
  # What cf-runagent starts: new policy first, then a run with it. It is no shell that runs it, so it calls one. What a remote
  # run adds (-D CLASSES) comes behind the name cf-agent, hence "$@".
  cfruncommand     => "/bin/sh -c '{{cfengine_bin_directory}}/cf-agent -KI -f $(sys.inputdir)/update.cf \"$@\" ; {{cfengine_bin_directory}}/cf-agent -KI \"$@\"' cf-agent";
  # Twice the hosts that may connect, 200 at least and 2000 at most. Beyond it connections are refused, and after a third as many
  # refusals in a row cf-serverd exits ("Committing apoptosis").
  maxconnections   => "{{max_connections}}";
}

bundle server csync_access_rules
{
  access:
    # The slash at the end matters: a member loads this while the file system is not mounted there, and without it would deny
    # everything below when it is. No symbolic link may be in the path, for the same reason.
    "{{policy_directory}}/"
      admit_ips => { {{allowed_addresses}} };
    # For those who bootstrap.
    "{{policy_directory}}/masterfiles/"
      shortcut  => "masterfiles",
      admit_ips => { {{allowed_addresses}} };
    # The first word of cfruncommand: remote runs may be started from every member and from the package address, and nowhere else.
    "/bin/sh"
      admit_ips => { {{member_addresses}} };
  roles:
    # Classes a remote run may define.
    ".*"
      authorize => { "root" };
}
