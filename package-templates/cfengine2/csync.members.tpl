# {{policy_header}}
#
# The members of the cluster as classes, for site.main and whatever else is imported after this file: csync_members on each of
# them, csync_member_NAME on one. It is written again whenever a member comes or goes; groups of your own never are.

groups:
   csync_members = ( {{member_host_classes}} )
{{member_class_lines}}
