#!/bin/sh
# csync_pre.sh of a set: finds the cluster's directories and hands over to the compiled script beside it. Serviceguard calls it by
# way of the launcher of the same name in the package directory, which chooses the set; a legacy package's it calls itself.
# Rendered by the csync toolkit 0.1.0 from settings 4cd1e2bc530fff00f56cc38b9e179570320036cb04f58cdfcbe80db3c0035828.
# Serviceguard passes neither PATH nor any other variable to a service, so everything needed is set here.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
node=/usr/bin/node
mount_point=/csync
role=pre

: "${SGCONFFILE:=/etc/cmcluster.conf}"
if [ -r "$SGCONFFILE" ]; then
  . "$SGCONFFILE"
fi
: "${SGCONF:=/usr/local/cmcluster/conf}" "${SGRUN:=/usr/local/cmcluster/run}" "${SGSBIN:=/usr/local/cmcluster/bin}"
# Of the set; the package directory is two above.
directory=${0%/*}
# A Node.js that was carried along was seen to run the scripts here, and is what the package was applied with.
if [ -x "${directory%/sets/*}/runtime/node" ]; then
  node=${directory%/sets/*}/runtime/node
fi

# Is the policy file system mounted here? By the kernel's word, without a program.
is_mounted() {
  while read -r _device target _rest; do
    [ "$target" = "$mount_point" ] && return 0
  done < /proc/mounts
  return 1
}

# A legacy package without SCRIPT_LOG_FILE logs beside its control script.
log=${SG_SCRIPT_LOG_FILE:-}
[ "$role" != control ] || log=${log:-$0.log}

word=${1:-}
[ $# -eq 0 ] || shift
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

if [ ! -x "$node" ] || [ ! -r "$directory/csync-$script.cjs" ]; then
  echo "$0: $node or $directory/csync-$script.cjs is missing on this member; install Node.js, carry one along (csync apply --with-runtime), or copy the package directory from another member" >&2
  # By consequence: another member may well be able to start; a halt fails only while the file system is still held.
  case $script in
    start) exit 2 ;;
    halt) if is_mounted; then exit 1; else exit 0; fi ;;
    *) exit 1 ;;
  esac
fi

# The service is a small program in front of the monitor, which hears of the daemon's end at once, and is gone as fast. Without
# perl the monitor does without it, and looks.
front=$directory/csync-front.pl
if [ "$script" = monitor ] && [ -x /usr/bin/perl ] && [ -r "$front" ]; then
  set -- /usr/bin/perl "$front" "$node" "$directory/csync-$script.cjs" "$directory" "$role" "$@"
else
  set -- "$node" "$directory/csync-$script.cjs" "$directory" "$role" "$@"
fi

# One by one, so that nothing unexpected in Serviceguard's environment reaches the scripts. Unset ones stay empty.
exec env -i PATH="$PATH" LC_ALL=C HOME=/ \
  SGCONF="$SGCONF" SGRUN="$SGRUN" SGSBIN="$SGSBIN" \
  SG_PACKAGE="${SG_PACKAGE:-${SG_PACKAGE_NAME:-${PACKAGE:-}}}" SG_NODE="${SG_NODE:-${NODE:-}}" \
  SG_SCRIPT_LOG_FILE="$log" SG_HALT_REASON="${SG_HALT_REASON:-}" \
  CSYNC_MOUNT_POINT="$mount_point" PEV_CSYNC_SETTINGS_DIGEST="${PEV_CSYNC_SETTINGS_DIGEST:-}" \
  "$@"
