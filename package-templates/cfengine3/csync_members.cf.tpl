# {{policy_header}}
#
# The members of the cluster as classes, for site.cf and other later imports: csync_members on each member, csync_member_NAME on one.
# csync overwrites this file when a member is added or removed, and never your own classes.

bundle common csync_members
{
  classes:
    # Defined by the host's name, as cfengine writes it in classes.
    "csync_members"
      or => { {{member_host_classes}} };
{{member_class_lines}}
}
