#!/bin/sh
# Serviceguard calls this. It selects the set of rendered files and runs the launcher of that set:
#   start, validate: the set that the package names (PEV_CSYNC_SET_DIGEST); if none is named, the files of version 0.1.0
#   stop, monitor:   the set that its start recorded as running here; Serviceguard passes nothing to a service
# It should stay the same in every version, and starts no other program first.
name=${0##*/}
case $0 in
  /*) directory=${0%/*} ;;
  */*) directory=$(cd "${0%/*}" && pwd) ;;
  *) directory=$(pwd) ;;
esac
word=${1:-}

# The name contains the whole path of the package directory; only root can write there.
mark=/run/csync-running
rest=${directory#/}
while [ -n "$rest" ]; do
  mark=$mark-${rest%%/*}
  case $rest in */*) rest=${rest#*/} ;; *) rest= ;; esac
done
running='' applied='' mount_point=''
[ ! -f "$directory/applied" ] || read -r applied mount_point _rest < "$directory/applied"
if [ -f "$mark" ] && [ -O "$mark" ] && [ ! -h "$mark" ]; then
  read -r running mount_point _rest < "$mark"
fi

case $word in
  start) script=start ;;
  stop) script=halt ;;
  validate) script=validate ;;
  monitor) script=monitor ;;
  *)
    echo "$0: unknown word '$word'; Serviceguard calls it with start, stop, validate or monitor" >&2
    exit 1
    ;;
esac

is_here() {
  case $1 in
    flat) [ -r "$directory/csync-$script.cjs" ] ;;
    '' | *[!0-9a-f]*) return 1 ;;
    *) [ -x "$directory/sets/$1/$name" ] ;;
  esac
}

# The package file in this directory, for a package that was applied without csync apply and is called by hand.
lying() {
  for file in "$directory"/*.conf; do
    { [ -f "$file" ] && [ -r "$file" ]; } || continue
    while read -r keyword value _rest; do
      [ "$keyword" != pev_csync_set_digest ] || echo "$value"
    done < "$file"
  done
  for file in "$directory"/*.group.xml; do
    { [ -f "$file" ] && [ -r "$file" ]; } || continue
    while read -r line; do
      case $line in *' name="set" value="'*) line=${line#* value=\"} && echo "${line%%\"*}" && return ;; esac
    done < "$file"
  done
}

first_here() {
  for set in "$@"; do
    ! is_here "$set" || return 0
  done
  set=
}

case $word in
  start | validate)
    set=${PEV_CSYNC_SET_DIGEST:-}
    [ -n "$set" ] || [ -z "${PEV_CSYNC_SETTINGS_DIGEST:-}" ] || set=flat
    [ -n "$set" ] || first_here "$applied" flat "$(lying)"
    ;;
  *)
    # The running set may differ from the applied one, and so may its settings.
    PEV_CSYNC_SETTINGS_DIGEST=
    if [ -n "$running" ]; then first_here "$running"; else first_here flat; fi
    [ -n "$set" ] || first_here "${PEV_CSYNC_SET_DIGEST:-}" "$applied" "$(lying)"
    ;;
esac

if [ -n "$set" ] && is_here "$set" && [ "$set" != flat ]; then
  CSYNC_MARK=$mark
  export PEV_CSYNC_SETTINGS_DIGEST CSYNC_MARK
  exec "$directory/sets/$set/$name" "$@"
fi

# For packages of version 0.1.0, and for a member on which the set is missing.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
setting() {
  sed -n "s/^ *\"$1\": \"\(.*\)\",*\$/\1/p" "$directory/settings.json" 2> /dev/null
}
mount_point=${mount_point:-$(setting mountPoint)}

if [ "$set" = flat ] && is_here flat; then
  shift
  # A start of 0.1.0 records nothing, so the old record is wrong.
  [ "$word" != start ] || rm -f -- "$mark"
  node=$(setting nodePath)
  [ ! -x "$directory/runtime/node" ] || node=$directory/runtime/node
  [ "$name" = csync_pre.sh ] && role=pre || role=main
  [ ! -r "${SGCONFFILE:=/etc/cmcluster.conf}" ] || . "$SGCONFFILE"
  : "${SGCONF:=/usr/local/cmcluster/conf}" "${SGRUN:=/usr/local/cmcluster/run}" "${SGSBIN:=/usr/local/cmcluster/bin}"
  front=$directory/csync-front.pl
  if [ -x "$node" ]; then
    set -- "$node" "$directory/csync-$script.cjs" "$directory" "$role" "$@"
    [ "$word" != monitor ] || [ ! -x /usr/bin/perl ] || [ ! -r "$front" ] || set -- /usr/bin/perl "$front" "$@"
    exec env -i PATH="$PATH" LC_ALL=C HOME=/ SGCONF="$SGCONF" SGRUN="$SGRUN" SGSBIN="$SGSBIN" \
      SG_PACKAGE="${SG_PACKAGE:-${SG_PACKAGE_NAME:-}}" SG_NODE="${SG_NODE:-}" \
      SG_SCRIPT_LOG_FILE="${SG_SCRIPT_LOG_FILE:-}" SG_HALT_REASON="${SG_HALT_REASON:-}" \
      CSYNC_MOUNT_POINT="$mount_point" PEV_CSYNC_SETTINGS_DIGEST="${PEV_CSYNC_SETTINGS_DIGEST:-}" "$@"
  fi
  echo "$0: $node is missing on this member. Fix: install Node.js, or distribute it (csync apply --with-runtime)" >&2
else
  echo "$0: the set ${set:-of the package} is missing in $directory/sets on this member. Fix: csync apply, or copy it from another member" >&2
fi

# By consequence: another member may be able to start; a halt fails only while this member holds the policy file system.
case $word in
  start) exit 2 ;;
  stop)
    while read -r _device target _rest; do
      [ "$target" != "$mount_point" ] || exit 1
    done < /proc/mounts || exit 1
    exit 0
    ;;
  *) exit 1 ;;
esac
