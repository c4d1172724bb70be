# {{policy_header}}
#
# The members of the cluster as classes, for site.cf and whatever else is imported after this file: csync_members on each of
# them, csync_member_NAME on one. It is written again whenever a member comes or goes; classes of your own never are.

bundle common csync_members
{
  classes:
    # Defined by the host's name, as cfengine writes it in classes.
    "csync_members"
      or => { {{member_host_classes}} };
{{member_class_lines}}
}
