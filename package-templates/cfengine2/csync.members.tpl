# {{policy_header}}
#
# The members of the cluster as classes, for site.main and other later imports: csync_members on each member, csync_member_NAME on one.
# csync overwrites this file when a member is added or removed, and never your own groups.

groups:
   csync_members = ( {{member_host_classes}} )
{{member_class_lines}}
