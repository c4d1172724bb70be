# {{policy_header}}
#
# The daemon of members and clients: the same rules on every host, since every member may be the next master. cfservd rereads a newer file
# when no client is connected, and DIES of a syntax error: check it first (cfservd -p -f).

control:
   domain                       = ( {{domain}} )
   # The command of cfrun. On a local disk: cfservd checks for it when it reads this file, and exits if it is missing. In quotes.
   cfrunCommand                 = ( "{{cfengine_bin_directory}}/cfagent" )
   AllowUsers                   = ( root )
   # This host, the package address, every member and registered client, client_networks of csync.yaml. Others are disconnected at once.
   # Always with a length: a plain address is the beginning of a text, so that one ending in .1 would admit .12 and .123, too.
   AllowConnectionsFrom         = ( {{allowed_addresses}} )
   # Several connections at a time for every host that may connect: otherwise cfservd closes a second one, and its cfagent exits in the
   # middle of its run; a client that hangs would be refused for two hours. docs/how-to/kernel-limits.md limits connections in the kernel.
   AllowMultipleConnectionsFrom = ( {{several_connections}} )
   # Twice the hosts that may connect, from 200 to 2000. cfservd serves one less at the same time, and refuses more.
   MaxConnections               = ( {{max_connections}} )
   # Minutes between two remote runs. The default is an hour.
   IfElapsed                    = ( 0 )
   # true: one line in syslog for each connection. csync probes the daemon, which alone would be some 11000 lines a day.
   LogAllConnections            = ( false )
   # No TrustKeysFrom: csync distributes the keys in advance, and none is accepted on trust.

# By address: a name is only what the other side claims. Real paths, without symbolic links.
admit:
   any::
      # Only with encrypt=true does cfservd require a key: otherwise a host without one could fetch.
      {{policy_directory}} {{allowed_addresses}} encrypt=true

      # Only members and the package address may start remote runs.
      {{cfengine_bin_directory}}/cfagent {{member_addresses}}
