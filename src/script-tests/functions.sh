# Words of the cases' shell texts, in the sandbox. A daemon is known by pid and start time, so that another one is not taken for it.
# shellcheck shell=sh
daemons() {
  for p in /proc/[0-9]*; do
    read -r name 2> /dev/null < $p/comm || continue
    [ "$name" = "$DAEMON" ] && read -r stat 2> /dev/null < $p/stat || continue
    set -- ${stat##*) }
    [ "$1" = Z ] || printf '%s ' "${p#/proc/}:${20}"
  done
}
# shellcheck disable=SC2046
daemon_pid() { set -- $(daemons); echo "${1%%:*}"; }
is_mounted() { grep -q "^[^ ]* $MOUNT_POINT " /proc/mounts; }
has_address() { ip -o address show to "$ADDRESS" | grep -q .; }
scripts() {
  for p in /proc/[0-9]*; do
    command=$(tr '\0' ' ' 2> /dev/null < $p/cmdline)
    case $command in *"$PACKAGE"/*) echo "script $command" ;; esac
  done
}
script_pid() {
  for p in /proc/[0-9]*; do
    case $(tr '\0' ' ' 2> /dev/null < $p/cmdline) in *"$PACKAGE"/*csync-*.cjs*) echo "${p#/proc/}"; return ;; esac
  done
}
a_script_runs() { scripts | grep -q .; }
fingerprint() {
  find "$PACKAGE" "$SGRUN" "$MOUNT_POINT" "$WORK/ppkeys" /tmp /var/tmp /etc/hosts /etc/cmcluster.conf -printf '%p %M %s %T@\n' | sort
}
listens() { ss -Hltn "sport = :$PORT" | grep -q LISTEN; }
eventually() {
  n=0
  until "$@"; do
    n=$((n + 1)); [ $n -lt 500 ] || { echo "timed out after 10 s waiting for: $*" >&2; return 1; }
    sleep 0.02
  done
}
no_scripts() { [ -z "$(scripts)" ]; }
no_daemon() { [ -z "$(daemons)" ]; }
kill_daemon() { kill -KILL "$(daemon_pid)"; eventually no_daemon; }
serviceguard_mounts() { mount -t "$FS_TYPE" $MOUNT_OPTIONS "$DEVICE" "$MOUNT_POINT"; mkdir -p "$POLICY"; }
write_a_sentinel() { echo '{"epoch":1,"member":"m0","at":"2026-11-23T12:00:00.000Z"}' > "$SENTINEL"; }
serviceguard_unmounts() { umount "$MOUNT_POINT"; }
serviceguard_adds_the_address() { ip address add "$ADDRESS/32" dev lo; }
cannot_be_executed() { : > /run/conform-nothing; mount --bind /run/conform-nothing "$1"; }
