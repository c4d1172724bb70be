# {{policy_header}}
#
# csync's part of update.cf in a tree of the Masterfiles Policy Framework: def.json imports it as one of its update_inputs.

# Instead of the framework's own copy, which takes policy from the host of policy_server.dat, also from a master that was cut off
# (mpf_update_policy_bundle of def.json). The framework's package modules are installed as before.
bundle agent csync_mpf_update
{
  methods:
    "look"    usebundle => "csync_look";
    "epoch"   usebundle => "csync_epoch";
    "update"  usebundle => "csync_update";
    "modules" usebundle => "modules_presence";
    debian|redhat|amazon_linux|suse|sles|opensuse::
    "python"  usebundle => cfe_internal_setup_python_symlink("$(sys.bindir)/cfengine-selected-python");
}

# Also where the site has an update bundle of its own (control_common_update_bundlesequence_end of def.json).
bundle agent csync_mpf_keys
{
  methods:
    !csync_master_serves.!csync_master_away::
    "look"  usebundle => "csync_look";
    !csync_epoch_recorded::
    "epoch" usebundle => "csync_epoch";
    any::
    "keys"  usebundle => "csync_public_keys";
}

{{update_bundles}}
