# Fetches the policy from the master, by the package's name only: whichever member has the package answers.
# Rendered by the csync toolkit {{toolkit_version}}.

body common control
{
  bundlesequence => { "update" };
}

body copy_from master
{
  servers    => { "{{package_dns_name}}" };
  source     => "{{policy_directory}}/masterfiles";
  portnumber => "{{cfengine_port}}";
  compare    => "digest";
  trustkey   => "false";
  timeout    => "10";
  # Files appear one by one under their names, each whole; what the master no longer has is removed.
  purge      => "true";
}

body depth_search all
{
  depth => "inf";
}

body perms m600
{
  mode   => "600";
  rxdirs => "true";
}

bundle agent update
{
  files:
    "$(sys.inputdir)"
      copy_from    => master,
      depth_search => all,
      perms        => m600;
}
