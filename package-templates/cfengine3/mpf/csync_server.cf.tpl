# {{policy_header}}
#
# csync's part of promises.cf in a tree of the Masterfiles Policy Framework: def.json imports it, and refers to its lists.

bundle common csync_hosts
{
  vars:
    # This host, the package address, every member and registered client, client_networks of csync.yaml. For "acl" of def.json.
    "allowed" slist => { {{allowed_addresses}} };
    # Twice the hosts that may connect, from 200 to 2000. For "control_server_maxconnections" of def.json.
    "maxconnections" string => "{{max_connections}}";
}

{{access_rules}}

# For your policy: a reference file below master_files, such as csync_reference_file("etc/motd").
{{reference_file_body}}
