# {{policy_header}}
#
# The common policy of all sites. Imported by cfagent.conf before site.main.

control:
   # Reference files on the master; site.main shows how to fetch one.
   master_files = ( {{policy_directory}}/cfengine_master/master_files )

tidy:
   any::
      # Output of cfexecd's runs, older than a week.
      $(workdir)/outputs pattern=* age=7
