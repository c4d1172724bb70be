# shellcheck shell=bash
# Lab: function library for external scripts (bash), which source it as $SG_UTILS. Names and purpose as in serviceguard.md 3.5; its path and the
# format of its log lines are the lab's own (serviceguard.md gap 3).
sg_log() {
  _level=$1; shift
  [ "$_level" -le "${SG_LOG_LEVEL:-0}" ] || return 0
  echo "$(LC_ALL=C date '+%b %d %H:%M:%S') root@$(uname -n) ${0##*/}[$$]: $*"
}
sg_source_pkg_env() {
  eval "$(${SGSBIN:-/usr/local/cmcluster/bin}/cmgetpkgenv "${SG_PACKAGE:-$SG_PACKAGE_NAME}")"
}
