# {{policy_header}}
#
# cfagent runs this before cfagent.conf, apart from it: so a broken cfagent.conf can still be repaired from the master. A syntax error
# in this very file can be repaired by nobody but you, on every host: check it (cfagent -p -f) before it is published.

control:
   # Refresh the policy, then see to the keys if that failed.
   actionsequence = ( copy shellcommands )
   # Without one cfagent refuses to say who it is.
   domain         = ( {{domain}} )
   # The package's name, never a member's: whichever member has the package answers.
   policyhost     = ( {{package_dns_name}} )
   master_inputs  = ( {{policy_directory}}/cfengine_master/inputs )
   public_keys    = ( {{policy_directory}}/public_keys )
   workdir        = ( {{cfengine_work_directory}} )
   # Minutes before the same action is done again. The default of one makes a second run do nothing and say nothing.
   IfElapsed      = ( 0 )
   # Defined by failover= below. Without this line it could not be used in what follows.
   AddInstallable = ( master_down )

copy:
   any::
      # The cluster's key and, while it is rotated, the next one.
      $(public_keys) dest=$(workdir)/ppkeys/cluster r=1 mode=600 type=checksum
         server=$(policyhost) trustkey=false encrypt=true failover=master_down

      # type=checksum: times change when files are restored or moved to another member, contents do not. No purge: an empty
      # directory under an unmounted mount point would cost every client its policy. encrypt=true: the master serves it no other way.
      $(master_inputs) dest=$(workdir)/inputs r=inf mode=600 type=checksum
         server=$(policyhost) trustkey=false encrypt=true exclude=*~ failover=master_down

shellcommands:
   any::
      # A member that came later is trusted like the others: it has the same key, under another address.
      "/bin/sh $(workdir)/inputs/csync_keys.sh members" timeout=60

   # The master is away, or it has another key than the one held for it: which of the two, cfagent does not tell.
   master_down::
      "/bin/sh $(workdir)/inputs/csync_keys.sh other" timeout=60
