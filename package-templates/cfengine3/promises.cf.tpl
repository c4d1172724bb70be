# Policy of the hosts of {{package_dns_name}}, for members and clients alike.
# Rendered by the csync toolkit {{toolkit_version}}.

body common control
{
  bundlesequence => { "main" };
}

body server control
{
  port             => "{{cfengine_port}}";
  allowconnects    => { "127.0.0.1", {{allowed_networks}} };
  allowallconnects => { "127.0.0.1", {{allowed_networks}} };
  # Keys are put in place beforehand; nothing is accepted on trust.
  trustkeysfrom    => { };
  allowusers       => { "root" };
  cfruncommand     => "/bin/sh -c '{{cfengine_bin_directory}}/cf-agent -KI -f $(sys.inputdir)/update.cf ; {{cfengine_bin_directory}}/cf-agent -KI'";
  maxconnections   => "200";
}

bundle server access_rules
{
  access:
    # The slash at the end matters: a member loads this while the file system is not mounted there.
    "{{policy_directory}}/"
      admit_ips => { "127.0.0.1", {{allowed_networks}} };
    "{{policy_directory}}/masterfiles/"
      shortcut  => "masterfiles",
      admit_ips => { "127.0.0.1", {{allowed_networks}} };
    "/bin/sh"
      admit_ips => { {{member_addresses}} };
  roles:
    ".*"
      authorize => { "root" };
}

bundle agent main
{
  reports:
    verbose_mode::
      "policy of {{package_dns_name}} on $(sys.host)";
}
