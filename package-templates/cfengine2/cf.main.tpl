# {{policy_header}}
#
# What all sites have in common. Imported by cfagent.conf before site.main.

control:
   # Reference files on the master; see site.main for how one is fetched.
   master_files = ( {{policy_directory}}/cfengine_master/master_files )

tidy:
   any::
      # What cfexecd writes of each run, older than a week.
      $(workdir)/outputs pattern=* age=7
