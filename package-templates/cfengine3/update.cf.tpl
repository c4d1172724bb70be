# {{policy_header}}
#
# Fetches the policy and the cluster's public keys from the master. update.cf and failsafe.cf have this same text: cf-agent runs failsafe.cf
# when promises.cf is broken, and must then still fetch a repaired policy. It imports nothing, so that no other file can break it.

body common control
{
  bundlesequence => { "csync_look", "csync_epoch", "csync_update", "csync_public_keys" };
}

body copy_from csync_master(path, purge)
{
  # The package's name, never a member's: the active member answers.
  servers    => { "{{package_dns_name}}" };
  source     => "$(path)";
  portnumber => "{{cfengine_port}}";
  # Times change when files are restored or moved to another member; contents do not.
  compare    => "digest";
  # csync distributes keys in advance; none is accepted on trust.
  trustkey   => "false";
  # Seconds. The default is 30, and a receive is retried five times.
  timeout    => "10";
  purge      => "$(purge)";
  # Otherwise cf-agent first renames the old file to NAME.cfsaved: for a moment, or after a crash there, this host has none.
  copy_backup => "false";
}

body depth_search csync_all
{
  depth => "inf";
}

# cf-agent refuses policy that others can write, and a ppkeys that others can enter.
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

# Only public keys: even if other files appear in that directory, a private key of this host is never replaced.
body file_select csync_key_names
{
  leaf_name   => { "root-(MD5|SHA)=[0-9a-f]+\.pub" };
  file_result => "leaf_name";
}

# A missing file is no error: only a host of a staged rollout has one, under its own key.
body copy_from csync_of_stage(path)
{
  servers    => { "{{package_dns_name}}" };
  source     => "$(path)";
  portnumber => "{{cfengine_port}}";
  compare    => "digest";
  trustkey   => "false";
  timeout    => "10";
  missing_ok => "true";
  copy_backup => "false";
}

body classes csync_copied(copied)
{
  promise_repaired => { "$(copied)" };
}

body delete csync_file
{
  dirlinks => "keep";
  rmdirs   => "false";
}

body copy_from csync_here(path)
{
  source  => "$(path)";
  compare => "digest";
  copy_backup => "false";
}

bundle agent csync_look
{
  files:
    # One small file first. If the master is unreachable, that costs one time-out instead of one for each promise; if the directory is
    # empty,
    # nothing below is purged.
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

# Whether the master may be followed: defines csync_epoch_recorded, which everything below requires.
bundle agent csync_epoch
{
  vars:
    csync_master_promoted.!csync_master_away::
      "told" string => readfile("$(sys.workdir)/state/csync_master_epoch", "1000");
      # Missing before the first fetch.
      "kept" string => readfile("$(sys.workdir)/state/csync_policy_epoch", "1000"),
        ifvarclass => fileexists("$(sys.workdir)/state/csync_policy_epoch");

  classes:
    csync_master_promoted.!csync_master_away::
      "csync_epoch_told" expression => regextract("(?s)\{\"epoch\":([0-9]+),.*", "$(told)", "master");
      "csync_epoch_kept" expression => regextract("(?s)\{\"epoch\":([0-9]+),.*", "$(kept)", "here");
      "csync_master_older" and => { "csync_epoch_told", "csync_epoch_kept", isgreaterthan("$(here[1])", "$(master[1])") };

  files:
    # Never the policy of a previous master: one that was cut off, or a restored disk. Recorded before anything is fetched, so that a
    # partial
    # fetch counts, too.
    csync_epoch_told.!csync_master_older.!csync_master_away::
    "$(sys.workdir)/state/csync_policy_epoch"
      copy_from => csync_here("$(sys.workdir)/state/csync_master_epoch"),
      perms     => csync_private,
      classes   => csync_told("csync_epoch_recorded", "csync_master_away");

  reports:
    csync_master_older::
      "error: policy not fetched: the master is of epoch $(master[1]), older than $(here[1]), of which this host has policy";
}

# During a staged rollout (csync policy commit --stage) its hosts fetch the staged policy, at each run until it ends.
bundle agent csync_update
{
  vars:
    csync_stage_fetched::
      "stage" string => readfile("$(sys.workdir)/state/csync_stage", "200");

  files:
    # It is fetched anew at each run, so that its absence on the master ends the rollout here.
    csync_epoch_recorded.!csync_master_away::
    "$(sys.workdir)/state/csync_stage"
      delete    => csync_file;
    "$(sys.workdir)/state/csync_stage"
      copy_from => csync_of_stage("{{stage_directory}}/$(sys.key_digest)/csync.stage"),
      classes   => csync_copied("csync_stage_here");

    # Files appear one by one under their names, each complete; files that the master no longer has are removed. The dot: inputs may be a
    # link.
    csync_stage_here.csync_epoch_recorded.!csync_master_away::
    "$(sys.inputdir)/."
      copy_from    => csync_master("{{stage_directory}}/$(sys.key_digest)/masterfiles", "true"),
      depth_search => csync_all,
      perms        => csync_private,
      classes      => csync_told("csync_stage_fetched", "csync_stage_failed");

    # Permissions kept from the last copy count as kept, too, hence both classes.
    csync_epoch_recorded.!csync_master_away.!csync_stage_here::
    "$(sys.inputdir)/."
      copy_from    => csync_master("{{policy_directory}}/masterfiles", "true"),
      depth_search => csync_all,
      perms        => csync_private;

  reports:
    # csync takes it as proof.
    csync_stage_fetched.!csync_stage_failed::
      "csync stage $(stage)"
        ifvarclass => isvariable("stage");
}

# The cluster's key and, during a rotation, the next one: a host that fetches has both, whichever a member uses. Nothing is purged, since
# ppkeys contains this host's own pair and the keys of its other peers.
bundle agent csync_public_keys
{
  files:
    csync_epoch_recorded.!csync_master_away::
    "$(sys.workdir)/ppkeys/."
      copy_from    => csync_master("{{policy_directory}}/public_keys", "false"),
      depth_search => csync_all,
      file_select  => csync_key_names,
      perms        => csync_private;
}
