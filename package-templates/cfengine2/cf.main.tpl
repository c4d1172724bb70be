# {{policy_header}}
#
# The common policy of all sites. Imported by cfagent.conf before site.main.

control:
   # Reference files on the master; site.main shows how to fetch one.
   master_files = ( {{policy_directory}}/cfengine_master/master_files )

tidy:
   any::
      # Output of cfexecd's runs, older than a week. Without type=mtime the time of the last read would count.
      $(workdir)/outputs pattern=* age=7 type=mtime
      # What an update.conf without backup=false kept of replaced files.
      $(workdir)/inputs pattern=*.cfsaved r=inf age=0 type=mtime
      $(workdir)/ppkeys/cluster pattern=*.cfsaved age=0 type=mtime
