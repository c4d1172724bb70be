# {{policy_header}}
#
# What every host does: members and clients of {{package_dns_name}} alike. What is particular to this site belongs into site.main,
# which is imported last: imported files see what the files before them define.

control:
   # All that site.main may want; what has no entries does nothing.
   actionsequence = ( directories copy links files editfiles tidy disable processes shellcommands )
   domain         = ( {{domain}} )
   # The package's name, never a member's: whichever member has the package answers.
   policyhost     = ( {{package_dns_name}} )
   workdir        = ( {{cfengine_work_directory}} )
   # Minutes before the same action is done again. The default of one makes a second run do nothing and say nothing.
   IfElapsed      = ( 0 )
   # A copy with failover=master_down defines it where the master is away: the exit status does not tell.
   AddInstallable = ( master_down )

import:
   any::
      cf.main
      csync.members
      site.main
