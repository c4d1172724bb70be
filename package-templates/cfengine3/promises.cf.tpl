# {{policy_header}}
#
# What every host does: members and clients of {{package_dns_name}} alike. It is put together from parts, so that each can be
# replaced without the others. What is particular to this site belongs into site.cf, which comes last.

body common control
{
  inputs =>
  {
    # Who may connect, fetch and start runs.
    "controls/cf_serverd.cf",
    # Whom cf-runagent calls when it is told no names.
    "controls/cf_runagent.cf",
    # Classes that tell the members of the cluster from the clients.
    "csync_members.cf",
    # Yours.
    "site.cf",
  };
  bundlesequence => { "csync_members", "csync_policy", "site" };
}

# For site.cf: a reference file as it lies below master_files, such as csync_reference_file("etc/motd").
body copy_from csync_reference_file(name)
{
  # The package's name, never a member's: whichever member has the package answers.
  servers    => { "{{package_dns_name}}" };
  source     => "{{policy_directory}}/master_files/$(name)";
  portnumber => "{{cfengine_port}}";
  # Times change when files are restored or moved to another member; contents do not.
  compare    => "digest";
  # Keys are put in place beforehand; none is accepted because somebody answered.
  trustkey   => "false";
  # Seconds. The default is 30, and a receive is tried five times more.
  timeout    => "10";
}

bundle agent csync_policy
{
  reports:
    verbose_mode::
      "policy of {{package_dns_name}} on $(sys.host)";
}
