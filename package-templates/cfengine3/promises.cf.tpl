# {{policy_header}}
#
# The policy of every host: members and clients of {{package_dns_name}}. It consists of parts, so that each can be replaced separately. Put
# the policy of your site into site.cf, which comes last.

body common control
{
  inputs =>
  {
    # Who may connect, fetch and start runs.
    "controls/cf_serverd.cf",
    # Targets of cf-runagent without names.
    "controls/cf_runagent.cf",
    # Classes of the members of the cluster.
    "csync_members.cf",
    # Yours.
    "site.cf",
  };
  bundlesequence => { "csync_members", "csync_policy", "site" };
}

# For site.cf: a reference file below master_files, such as csync_reference_file("etc/motd").
body copy_from csync_reference_file(name)
{
  # The package's name, never a member's: the active member answers.
  servers    => { "{{package_dns_name}}" };
  source     => "{{policy_directory}}/master_files/$(name)";
  portnumber => "{{cfengine_port}}";
  # Times change when files are restored or moved to another member; contents do not.
  compare    => "digest";
  # csync distributes keys in advance; none is accepted on trust.
  trustkey   => "false";
  # Seconds. The default is 30, and a receive is retried five times.
  timeout    => "10";
  # Otherwise cf-agent first renames the old file to NAME.cfsaved: for a moment, or after a crash there, this host has none.
  copy_backup => "false";
}

bundle agent csync_policy
{
  reports:
    verbose_mode::
      "policy of {{package_dns_name}} on $(sys.host)";
}
