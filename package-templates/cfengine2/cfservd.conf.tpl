# {{policy_header}}
#
# The daemon of members and clients: the same rules everywhere, since every member may be the master next. cfservd reads this again when
# the file is newer than its last reading and nobody is connected, and DIES of a syntax error then: check it before (cfservd -p -f).

control:
   domain                       = ( {{domain}} )
   # What cfrun starts. On a local disk: cfservd looks for it when it reads this file, and ends if it is not there. In quotes.
   cfrunCommand                 = ( "{{cfengine_bin_directory}}/cfagent" )
   AllowUsers                   = ( root )
   # This host, the package address, every member and registered client, client_networks of csync.yaml. Others are cut off at once.
   AllowConnectionsFrom         = ( {{allowed_addresses}} )
   # Several connections at a time, for every host that may connect: cfservd cuts off a second one, and the cfagent that made it exits
   # in the middle of its run. A client that hangs would be refused for two hours. docs/how-to/kernel-limits.md limits connections in the kernel.
   AllowMultipleConnectionsFrom = ( {{several_connections}} )
   # Twice the hosts that may connect, 200 at least and 2000 at most: beyond it clients are refused.
   MaxConnections               = ( {{max_connections}} )
   # Minutes between two remote runs. The default is an hour.
   IfElapsed                    = ( 0 )
   # To syslog: who was there.
   LogAllConnections            = ( true )
   # No TrustKeysFrom: keys are put in place beforehand, nothing is accepted on trust.

# By address: a name is only what the other side says it is. Paths as they really are, without a symbolic link in them.
admit:
   any::
      # encrypt=true is what makes cfservd ask for a key: without it a host with none could fetch.
      {{policy_directory}} {{allowed_addresses}} encrypt=true

      # Remote runs may be started from every member and from the package address, and nowhere else.
      {{cfengine_bin_directory}}/cfagent {{member_addresses}}
