# {{policy_header}}
#
# Fetches the policy and the cluster's public keys from the master. update.cf and failsafe.cf are this same text: cf-agent falls
# back to failsafe.cf when promises.cf is broken, and a repaired policy must still come in then. It imports nothing, so that
# nothing else can break it.

body common control
{
  bundlesequence => { "csync_look", "csync_update", "csync_public_keys" };
}

body copy_from csync_master(path, purge)
{
  # The package's name, never a member's: whichever member has the package answers.
  servers    => { "{{package_dns_name}}" };
  source     => "$(path)";
  portnumber => "{{cfengine_port}}";
  # Times change when files are restored or moved to another member; contents do not.
  compare    => "digest";
  # Keys are put in place beforehand; none is accepted because somebody answered.
  trustkey   => "false";
  # Seconds. The default is 30, and a receive is tried five times more.
  timeout    => "10";
  purge      => "$(purge)";
}

body depth_search csync_all
{
  depth => "inf";
}

# cf-agent refuses policy that others can write to, and a ppkeys that others can enter.
body perms csync_private
{
  mode   => "600";
  rxdirs => "true";
}

body classes csync_told(serves, away)
{
  promise_kept     => { "$(serves)" };
  promise_repaired => { "$(serves)" };
  repair_failed    => { "$(away)" };
  repair_denied    => { "$(away)" };
  repair_timeout   => { "$(away)" };
}

# Public keys and nothing else: whatever comes to lie in that directory, no private key of this host is ever replaced.
body file_select csync_key_names
{
  leaf_name   => { "root-(MD5|SHA)=[0-9a-f]+\.pub" };
  file_result => "leaf_name";
}

body copy_from csync_here(path)
{
  source  => "$(path)";
  compare => "digest";
}

bundle agent csync_look
{
  files:
    # One small file first. Where the master is away that costs one wait, not one for each promise; where the directory is there
    # but empty, nothing below is purged.
    "$(sys.workdir)/state/csync_master_policy"
      copy_from => csync_master("{{policy_directory}}/masterfiles/promises.cf", "false"),
      perms     => csync_private,
      classes   => csync_told("csync_master_serves", "csync_master_away");

    # Each promotion of the package writes a higher epoch there.
    csync_master_serves.!csync_master_away::
    "$(sys.workdir)/state/csync_master_epoch"
      copy_from => csync_master("{{policy_directory}}/csync.sentinel", "false"),
      perms     => csync_private,
      classes   => csync_told("csync_master_promoted", "csync_master_away");
}

bundle agent csync_update
{
  vars:
    csync_master_promoted.!csync_master_away::
      "told" string => readfile("$(sys.workdir)/state/csync_master_epoch", "1000");
      # Not there before the first fetch.
      "kept" string => readfile("$(sys.workdir)/state/csync_policy_epoch", "1000"),
        ifvarclass => fileexists("$(sys.workdir)/state/csync_policy_epoch");

  classes:
    csync_master_promoted.!csync_master_away::
      "csync_epoch_told" expression => regextract("(?s)\{\"epoch\":([0-9]+),.*", "$(told)", "master");
      "csync_epoch_kept" expression => regextract("(?s)\{\"epoch\":([0-9]+),.*", "$(kept)", "here");
      "csync_master_older" and => { "csync_epoch_told", "csync_epoch_kept", isgreaterthan("$(here[1])", "$(master[1])") };

  files:
    # Never back to the policy of a master of before: one that was taken for dead, or a disk that was restored. On record before
    # anything is fetched, so that half of it counts, too.
    csync_epoch_told.!csync_master_older.!csync_master_away::
    "$(sys.workdir)/state/csync_policy_epoch"
      copy_from => csync_here("$(sys.workdir)/state/csync_master_epoch"),
      perms     => csync_private,
      classes   => csync_told("csync_epoch_recorded", "csync_master_away");

    # Kept permissions of the last run's copy count as kept, too, hence both classes.
    csync_epoch_recorded.!csync_master_away::
    # Files appear one by one under their names, each whole; what the master no longer has is removed.
    "$(sys.inputdir)"
      copy_from    => csync_master("{{policy_directory}}/masterfiles", "true"),
      depth_search => csync_all,
      perms        => csync_private;

  reports:
    csync_master_older::
      "error: policy not fetched: the master is of epoch $(master[1]), older than $(here[1]), of which this host has policy";
}

# The cluster's key and, while it is rotated, the next one: a host that fetches knows both, whichever a member has. Nothing is
# purged, since ppkeys holds this host's own pair and the keys of its other peers.
bundle agent csync_public_keys
{
  files:
    csync_epoch_recorded.!csync_master_away::
    "$(sys.workdir)/ppkeys"
      copy_from    => csync_master("{{policy_directory}}/public_keys", "false"),
      depth_search => csync_all,
      file_select  => csync_key_names,
      perms        => csync_private;
}
