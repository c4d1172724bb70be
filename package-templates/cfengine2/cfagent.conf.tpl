# {{policy_header}}
#
# The policy of every host: members and clients of {{package_dns_name}}. Put the policy of your site into site.main, which is imported last,
# because imported files see what the files before them define.

control:
   # All actions that site.main may need; an action without entries does nothing.
   actionsequence = ( directories copy links files editfiles tidy disable processes shellcommands )
   domain         = ( {{domain}} )
   # The package's name, never a member's: the active member answers.
   policyhost     = ( {{package_dns_name}} )
   workdir        = ( {{cfengine_work_directory}} )
   # Minutes until the same action runs again. With the default of one, a second run does nothing, without a message.
   IfElapsed      = ( 0 )
   # A copy with failover=master_down defines it when the master is unreachable: the exit status does not show that.
   AddInstallable = ( master_down )

import:
   any::
      cf.main
      csync.members
      site.main
