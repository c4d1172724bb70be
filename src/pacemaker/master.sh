#!/bin/sh
# The OCF agent ocf:csync:master: Pacemaker's actions become calls of the member scripts in the package directory. It decides nothing about the
# daemon. Installed as /usr/lib/ocf/resource.d/csync/master; docs/reference/pacemaker/agent.md describes it.
LC_ALL=C
export LC_ALL

# Needs no package directory, no Pacemaker and no privileges. Version 1.0 of the format: ocf-tester and pcs accept it. In it, a change of
# parameters with unique="0" alone is a reload.
meta_data() {
  cat << 'END'
<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="master" version="1.0">
<version>1.0</version>
<longdesc lang="en">
Makes this node the cfengine master, with the member scripts that csync rendered.
A group starts, in this order: LVM-activate (with LVM), csync:master with role=pre, Filesystem, IPaddr2, csync:master with role=main.
The cfengine daemon itself runs on every node at all times and belongs to no resource.
</longdesc>
<shortdesc lang="en">The cfengine master of csync</shortdesc>
<parameters>
<parameter name="directory" unique="0" required="0">
<longdesc lang="en">The package directory: absolute, the same on every node.</longdesc>
<shortdesc lang="en">Package directory</shortdesc>
<content type="string" default="/etc/csync"/>
</parameter>
<parameter name="role" unique="0" required="0">
<longdesc lang="en">
pre: before Filesystem; the mount point is free at a start, and unmounted after a stop.
main: behind IPaddr2; the start proves the role of the daemon, and a monitor watches it.
</longdesc>
<shortdesc lang="en">pre or main</shortdesc>
<content type="string" default="main"/>
</parameter>
<parameter name="set" unique="0" required="0">
<longdesc lang="en">
The set of rendered files for the next start: the name of a directory in sets/ of the package directory. What runs keeps the set of its start.
</longdesc>
<shortdesc lang="en">Set of files</shortdesc>
<content type="string" default=""/>
</parameter>
<parameter name="digest" unique="0" required="0">
<longdesc lang="en">SHA-256 of settings.json in the set. A node with another file does not start.</longdesc>
<shortdesc lang="en">Digest of the settings</shortdesc>
<content type="string" default=""/>
</parameter>
<parameter name="mount_point" unique="1" required="0">
<longdesc lang="en">The mount point of the set, with role=pre. The agent does not read it: another one restarts the group, since a stop checks that it is unmounted.</longdesc>
<shortdesc lang="en">Mount point</shortdesc>
<content type="string" default=""/>
</parameter>
</parameters>
<actions>
<action name="start" timeout="60s"/>
<action name="stop" timeout="60s"/>
<action name="reload" timeout="20s"/>
<action name="monitor" depth="0" timeout="20s" interval="10s"/>
<action name="monitor" depth="10" timeout="30s" interval="60s"/>
<action name="meta-data" timeout="5s"/>
<action name="validate-all" timeout="60s"/>
</actions>
</resource-agent>
END
}

action=${1:-}
[ "$action" != meta-data ] || { meta_data && exit 0; }

: "${OCF_ROOT:=/usr/lib/ocf}"
: "${OCF_FUNCTIONS_DIR:=$OCF_ROOT/lib/heartbeat}"
. "$OCF_FUNCTIONS_DIR/ocf-shellfuncs"

directory=${OCF_RESKEY_directory:-/etc/csync}
role=${OCF_RESKEY_role:-main}
node=${OCF_RESKEY_CRM_meta_on_node:-}
# Where the agent's own state is kept: removed by a boot, not by a restart of Pacemaker. A daemon runs on every node at all times, so neither
# a process nor an open port shows where the resource is started. Of role main it has the pid of the watcher, its start time, and the set and
# digest of the start.
mark=$HA_RSCTMP/csync-${OCF_RESOURCE_INSTANCE:-default}
case $role in
  pre) launcher=$directory/csync_pre.sh ;;
  *) launcher=$directory/csync.sh ;;
esac

set=${OCF_RESKEY_set:-} digest=${OCF_RESKEY_digest:-}

call() {
  SG_NODE=$node PEV_CSYNC_SET_DIGEST=$set PEV_CSYNC_SETTINGS_DIGEST=$digest "$launcher" "$@"
}

set_mark() {
  mkdir -p "$HA_RSCTMP" && echo "$*" > "$mark.new" && mv -f "$mark.new" "$mark"
}

# PID: its start time; empty: no such process.
started_at() {
  { read -r stat < "/proc/$1/stat"; } 2> /dev/null || return 0
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ "$1" = Z ] || echo "${20}"
}

# Sets pid and since to what the mark names, and running_set and running_digest, - for none.
read_mark() {
  pid='' since='' running_set='' running_digest=''
  { read -r pid since running_set running_digest < "$mark"; } 2> /dev/null || :
}

watcher_lives() {
  read_mark
  [ -n "$since" ] && [ "$(started_at "$pid")" = "$since" ]
}

# SET DIGEST of the start. In a session of its own, without a descriptor of the agent.
start_watcher() {
  setsid "$0" watch < /dev/null > /dev/null 2>&1 &
  set_mark "$! $(started_at $!) ${1:--} ${2:--}"
}

# All of its session. It can outlive its shell; another process with that pid is not part of it.
end_watcher() {
  read_mark
  now=$(started_at "${pid:-0}")
  [ -n "$since" ] && { [ -z "$now" ] || [ "$now" = "$since" ]; } || return 0
  for signal in TERM KILL; do
    kill -"$signal" "-$pid" 2> /dev/null || return 0
    n=0
    while kill -0 "-$pid" 2> /dev/null; do
      n=$((n + 1))
      [ $n -lt 40 ] || break
      sleep 0.05
    done
  done
}

# The watcher: the monitor of the package. It exits with 0 at a SIGTERM, otherwise with a verdict. The next poll notices a verdict that
# is lost here. Another start may have replaced this watcher; --fail on a node without the resource would ban that node.
watch() {
  call monitor && exit 0
  read_mark
  [ "$pid" = $$ ] || exit 0
  crm_resource --fail --resource "$OCF_RESOURCE_INSTANCE" --node "$node"
}

# What is missing for this node to be the master, a line each; empty: nothing. What each start makes anew is always missing.
missing_for_master() {
  # Parameters that were reloaded are for the next start.
  [ "${running_set:--}" = - ] || set=$running_set
  [ "${running_digest:--}" = - ] || digest=$running_digest
  told=$(call start --dry-run 2>&1) || { echo "$told" && return; }
  echo "$told" | grep -E ': (would|failed) ' | grep -vE ' step=(sentinel|service|customer)( |$)'
}

proved() {
  wrong=$(missing_for_master)
  [ -n "$wrong" ] || return 0
  # crm_mon shows the first 128 characters: without time, node and package.
  wrong=$(echo "$wrong" | head -n 1)
  ocf_exit_reason "${wrong#* start: }"
  return 1
}

csync_monitor() {
  [ -f "$mark" ] || return "$OCF_NOT_RUNNING"
  [ "$role" = main ] || return "$OCF_SUCCESS"
  if watcher_lives; then
    [ "${OCF_CHECK_LEVEL:-0}" -lt 10 ] || proved || return "$OCF_ERR_GENERIC"
    return "$OCF_SUCCESS"
  fi
  # Without the watcher the master may still be sound: it is not moved for that.
  proved || return "$OCF_ERR_GENERIC"
  end_watcher
  start_watcher "$running_set" "$running_digest"
  ocf_log warn "the watcher of $OCF_RESOURCE_INSTANCE was gone and is started again; the master is sound"
}

csync_start() {
  ! csync_monitor || return "$OCF_SUCCESS"
  call start
  status=$?
  if [ $status -ne 0 ]; then
    # Not configured (6) would stop the group on all nodes after one try. 1 tries each node once.
    ocf_exit_reason "${launcher##*/} start exited with $status: the package log on this node has the reason"
    return "$OCF_ERR_GENERIC"
  fi
  if [ "$role" = main ]; then start_watcher "$set" "$digest"; else set_mark started; fi
}

# Other parameters hold from the next start.
csync_reload() {
  [ -f "$mark" ] || return "$OCF_NOT_RUNNING"
  ocf_log info "$OCF_RESOURCE_INSTANCE runs the set of its start; the next start has the set ${set:-of the package directory}"
}

csync_stop() {
  end_watcher
  if [ ! -x "$launcher" ]; then
    ocf_log warn "$launcher is missing: nothing of csync can be held here"
  elif ! call stop; then
    if [ "$role" = pre ]; then
      ocf_exit_reason "the policy file system is still mounted after the stop of its resource"
      return "$OCF_ERR_GENERIC"
    fi
    # Filesystem stops next, ends who holds the mount, and fails by itself if it must.
    ocf_log warn "csync.sh stop failed: the package log on this node has the reason; the stop goes on with the address and the file system"
  fi
  rm -f "$mark"
}

# At level 0 only the parameters: nothing of this node.
csync_validate() {
  case $directory in /*) ;; *) ocf_exit_reason "directory is not absolute: $directory" && return "$OCF_ERR_CONFIGURED" ;; esac
  case $role in main | pre) ;; *) ocf_exit_reason "role is not main or pre: $role" && return "$OCF_ERR_CONFIGURED" ;; esac
  [ "${OCF_CHECK_LEVEL:-0}" -ge 10 ] || return "$OCF_SUCCESS"
  installed || return
  call validate || return "$OCF_ERR_GENERIC"
}

installed() {
  [ -x "$launcher" ] && return 0
  ocf_exit_reason "$launcher is missing on this node: run csync apply, or copy the package directory from another node"
  return "$OCF_ERR_INSTALLED"
}

case $action in
  start) installed && csync_validate && csync_start ;;
  stop) csync_stop ;;
  monitor) csync_monitor ;;
  reload) csync_reload ;;
  validate-all) csync_validate ;;
  watch) watch ;;
  usage | help) echo "usage: $0 {start|stop|monitor|reload|validate-all|meta-data}" ;;
  *)
    echo "usage: $0 {start|stop|monitor|reload|validate-all|meta-data}" >&2
    exit "$OCF_ERR_UNIMPLEMENTED"
    ;;
esac
