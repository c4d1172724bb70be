# {{policy_header}}
#
# cfagent runs this before cfagent.conf, and separately, so that a broken cfagent.conf can be repaired from the master. A syntax error in
# this file must be repaired by hand on every host: check it first (cfagent -p -f).

control:
   # Fetch the policy, then check the keys if that failed.
   actionsequence = ( copy shellcommands )
   # Without a domain cfagent cannot identify itself.
   domain         = ( {{domain}} )
   # The package's name, never a member's: the active member answers.
   policyhost     = ( {{package_dns_name}} )
   master_inputs  = ( {{policy_directory}}/cfengine_master/inputs )
   public_keys    = ( {{policy_directory}}/public_keys )
   workdir        = ( {{cfengine_work_directory}} )
   # Minutes until the same action runs again. With the default of one, a second run does nothing, without a message.
   IfElapsed      = ( 0 )
   # Defined by failover= below, and declared here for later use.
   AddInstallable = ( master_down )

copy:
   any::
      # The cluster's key and, while it is rotated, the next one.
      $(public_keys) dest=$(workdir)/ppkeys/cluster r=1 mode=600 type=checksum
         server=$(policyhost) trustkey=false encrypt=true failover=master_down backup=false

      # type=checksum: times change when files are restored or moved to another member, contents do not. No purge: an empty directory under
      # an unmounted mount point would delete every client's policy. encrypt=true: the master refuses other transfers. backup=false:
      # otherwise every replaced file stays as NAME.cfsaved.
      $(master_inputs) dest=$(workdir)/inputs r=inf mode=600 type=checksum
         server=$(policyhost) trustkey=false encrypt=true exclude=*~ failover=master_down backup=false

shellcommands:
   any::
      # Trusts a new member like the others: same key, another address.
      "/bin/sh $(workdir)/inputs/csync_keys.sh members" timeout=60

   # The master is unreachable, or has another key than the stored one: cfagent does not show which.
   master_down::
      "/bin/sh $(workdir)/inputs/csync_keys.sh other" timeout=60
