#!/bin/sh
# {{launcher_name}} of a set: finds the cluster's directories and runs the compiled script beside it. For a modular package, the launcher
# of the same name in the package directory selects the set and runs this; for a legacy one Serviceguard runs this itself.
# Rendered by the csync toolkit {{toolkit_version}} from settings {{settings_digest}}.
# Serviceguard passes neither PATH nor any other variable to a service, so everything needed is set here.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 022
# A caller may have closed the standard streams: the next opened files would take their numbers, and a copy of them fails.
{ true; } 2> /dev/null 3<&0 || exec < /dev/null
{ true; } 2> /dev/null 3>&1 || exec > /dev/null
{ true; } 3>&2 || exec 2> /dev/null
node={{node_path}}
mount_point={{mount_point}}
role={{launcher_role}}
# The set; the package directory is two levels above.
directory=${0%/*}
# Seconds, well below those of Serviceguard: a script that is stopped here exits by consequence, but one that Serviceguard kills disables
# the package. The second number is for undoing what the first began.
start_limits='{{start_limits}}'
halt_limits='{{halt_limits}}'
validate_limits='60 0'

# Syslog and the package log have the same line (docs/reference/log.md).
line_of() {
  read -r host < /proc/sys/kernel/hostname || host=unknown
  echo "${host%%.*} {{package_name}} $1"
}

# Serviceguard writes standard error to the package log.
report() {
  echo "$(date '+%b %e %H:%M:%S') $(line_of "$1")" >&2
}

# Is the policy file system mounted here? Asks the kernel, without a program. "Unreadable" is not "not mounted".
is_mounted() {
  found=unknown
  {
    found=no
    while read -r _device target _rest; do
      [ "$target" != "$mount_point" ] || found=yes
    done
  } < /proc/mounts
  [ "$found" != no ]
}

# Could a user other than root change FILE, or replace it?
is_open_to_others() {
  set -- "$1" "$(cd -P -- "${1%/*}/" && pwd -P)/${1##*/}"
  [ ! -h "$1" ] || set -- "$@" "$(readlink -f -- "$1")"
  for place in "$@"; do
    while [ -n "${place%/*}" ]; do
      place=${place%/*}
      set -- "$@" "$place"
    done
  done
  open=$(find -L "$@" / -maxdepth 0 \( ! -uid 0 -o ! \( -type d -perm -1000 \) \( -perm -002 -o -perm -020 ! -gid 0 \) \)) || return 0
  [ -n "$open" ] && [ "$(id -u)" = 0 ]
}

# SGCONFFILE comes from the caller's environment. validate checks the usual file, so that no failover has to run a program for it.
find_directories() {
  for file in "${SGCONFFILE:-}" /etc/cmcluster.conf; do
    case $file in /*) ;; *) continue ;; esac
    { [ -f "$file" ] && [ -r "$file" ]; } || continue
    if [ "$file" != /etc/cmcluster.conf ] && is_open_to_others "$file"; then
      report "$script: warning [configuration-refused] $file is not read: users other than root could change it."
      continue
    fi
    . "$file"
    break
  done
  : "${SGCONF:=/usr/local/cmcluster/conf}" "${SGRUN:=/usr/local/cmcluster/run}" "${SGSBIN:=/usr/local/cmcluster/bin}"
}

# Resets connections that an earlier promotion left half open: the daemon counts them, and would refuse that client a second one. Only while
# the address is on no interface of this member.
reset_connections() {
  here=$(timeout 2 ip -o addr show to {{package_address}}) && [ -z "$here" ] &&
    timeout 2 ss -KHtn state established src '[{{package_address}}]' sport = :{{cfengine_port}}
} > /dev/null 2>&1 3>&- 5>&-

# Has the package a log that no other user could redirect?
is_log_safe() {
  [ -n "$log" ] && [ ! -h "$log" ] && ! is_open_to_others "${log%/*}"
}

# LINE...: for both logs, as a script writes them.
log_lines() {
  for line in "$@"; do
    echo "syslog $(line_of "$line")" >&3
  done
  is_log_safe || return 0
  echo "log $log" >&3
  {
    echo "$log"
    for line in "$@"; do
      report "$line"
    done 2>&1
  } >&5
}

# Becomes the search for another host that has the address, before Serviceguard adds it here. It only logs: on another member it would be
# the same. A neighbour answers within a few ms.
find_owner() {
  is_log_safe || log=-
  line=$(line_of 'start: warning [address-conflict] another host answers for {{package_address}} as well (hardware address %s): clients may reach that host.')
  line="$line Some clients reach that host instead of the master, and a failover does not change it. Fix: find the host by its hardware address"
  line="$line (ip neigh, the switch), remove the address there (ip addr del), then with IPv4 on ${line%% *}: arping -U -c 3 -I INTERFACE ADDRESS | step=owner"
  beside PATH="$PATH" LC_ALL=C timeout 5 perl "$directory/csync-arp.pl" {{package_address}} 200 "$log" {{package_name}} "$line"
} 3>&- 5>&-

# The outer parts of a start and a halt, without Node.js, which needs 0.1 s to start: nothing is mounted, and the mount point is an empty
# directory. Fails with any other finding: then Node.js decides.
outer_part() {
  echo 'step 10 mount-point' >&3
  # In the directory itself, even if something is mounted over it meanwhile.
  { ! is_mounted && cd -P -- "$mount_point" && ! is_mounted && [ "$(find . -maxdepth 0 -type d -empty)" = . ]; } 2> /dev/null || return 1
  # Some file systems lack the flag.
  why=$(chattr +i . 2>&1) || case $why in *'not supported'* | *'Inappropriate ioctl'*) ;; *) return 1 ;; esac
  if [ "$script" = start ]; then
    log_lines 'start: ok [script-begin] Start, part 1 of 2: check this member before Serviceguard activates the storage. | role=pre' \
      "start: ok [mount-point-free] $mount_point is an empty directory, and nothing is mounted there. | step=mount-point"
    return 0
  fi
  # What the entry records at a start: no set runs here any more.
  { [ -n "${CSYNC_MARK:-}" ] && echo "- $mount_point" > "$CSYNC_MARK"; } 2> /dev/null || return 1
  # The daemon runs on as a client; nothing waits for it.
  (
    cd / && role=daemon supervised='' && hand_over halt
  ) < /dev/null > /dev/null 2>&1 3>&- 5>&- &
  log_lines 'halt: ok [script-begin] Halt, part 2 of 2: check that the policy file system is unmounted; the daemon runs on as a client. | role=pre' \
    "halt: ok [unmounted] $mount_point is not mounted on this member. | step=unmounted"
}

# Becomes the compiled script, with further arguments. Descriptor 3, if open, is for its supervisor, and 5 for the package log.
hand_over() {
  script=$1
  shift
  find_directories
  # A distributed Node.js has been tested with the scripts here, and the package was applied with it.
  if [ -x "${directory%/sets/*}/runtime/node" ]; then
    node=${directory%/sets/*}/runtime/node
  fi
  # A legacy package without SCRIPT_LOG_FILE logs beside its control script.
  log=${SG_SCRIPT_LOG_FILE:-}
  [ "$role" != legacy ] || log=${log:-$0.log}

  if [ ! -x "$node" ] || [ ! -f "$directory/csync-$script.cjs" ] || [ ! -r "$directory/csync-$script.cjs" ]; then
    report "$script: failed [script-missing] $node or $directory/csync-$script.cjs is missing on this member. Fix: install Node.js, distribute it (csync apply --with-runtime), or copy the package directory from another member"
    # By consequence: another member may be able to start; a halt fails only while this member holds the file system.
    case $script in
      start) exit 2 ;;
      halt) if is_mounted; then exit 1; else exit 0; fi ;;
      *) exit 1 ;;
    esac
  fi

  case $script-$role-$# in
    start-legacy-0 | start-pre-0)
      find_owner &
      reset_connections &
      ;;
  esac
  case $script-$role-$# in
    start-pre-0 | halt-pre-0)
      if (outer_part); then
        [ "$script" = halt ] || wait $!
        exit 0
      fi
      ;;
  esac

  # The service is a small program in front of the monitor, which gets the exit of the daemon as an event and exits at once. Without perl
  # the monitor polls.
  front=$directory/csync-front.pl
  if [ "$script" = monitor ] && [ -x /usr/bin/perl ] && [ -r "$front" ]; then
    # As the start chose them for this Node.js; without them the monitor only needs more memory.
    options=
    { [ ! -f /run/csync-node-{{package_name}} ] || read -r options < /run/csync-node-{{package_name}}; } 2> /dev/null
    case $options in *[!a-z\ -]*) options= ;; esac
    set -- /usr/bin/perl "$front" "$node" $options "$directory/csync-$script.cjs" "$directory" "$role" "$@"
  else
    set -- "$node" "$directory/csync-$script.cjs" "$directory" "$role" "$@"
    [ "$role" != daemon ] || set -- setsid "$@"
  fi

  # Listed one by one, so that nothing else from Serviceguard's environment reaches the scripts. Unset ones stay empty.
  exec env -i PATH="$PATH" LC_ALL=C HOME=/ \
    SGCONF="$SGCONF" SGRUN="$SGRUN" SGSBIN="$SGSBIN" SGCONFFILE="${SGCONFFILE:-}" \
    SG_PACKAGE="${SG_PACKAGE:-${SG_PACKAGE_NAME:-${PACKAGE:-}}}" SG_NODE="${SG_NODE:-${NODE:-}}" \
    SG_SCRIPT_LOG_FILE="$log" SG_HALT_REASON="${SG_HALT_REASON:-}" \
    CSYNC_MOUNT_POINT="$mount_point" PEV_CSYNC_SETTINGS_DIGEST="${PEV_CSYNC_SETTINGS_DIGEST:-}" \
    CSYNC_SUPERVISED="${supervised:-}" CSYNC_HURRIED="${hurried:-}" \
    "$@"
}

# Kills a process with all its children. A process that is stuck in the kernel stays, and nothing waits for it.
end_all() {
  kill -STOP "$1" 2> /dev/null
  for child in $(cat "/proc/$1/task/"*/children 2> /dev/null); do
    end_all "$child"
  done
  kill -KILL "$1" 2> /dev/null
}

given_up=99

# The writer of the package log, beside the script: the disk may hang. The first line is the name of the file. Reports to the supervisor
# whether all lines were written. In a session of its own, since a killed script must not lose its last lines.
write_log() {
  {
    cd / && IFS= read -r log && { [ ! -e "$log" ] || [ -f "$log" ]; } && setsid cat >> "$log" 6>&-
  } > /dev/null 2>&1
  echo "logged $?" >&6
}

# Becomes a program beside the script, which needs no answer from it: Node.js stands still for some ms while it starts one.
beside() {
  exec < /dev/null > /dev/null 2>&1
  cd / && exec setsid env -i "$@"
}

# The lines for syslog, which may hang. It is said there whether the package log has them, and in the package log if syslog takes none.
to_syslog() {
  exec < /dev/null > /dev/null 2>&1
  case $logged in
    0) ;;
    late) lines=$lines$late ;;
    *) lines=$lines$unwritten ;;
  esac
  cd /
  printf '%s' "$lines" | timeout 2 logger -t {{package_name}} -p daemon.notice || { [ -f "$log" ] && echo "$dumb" >> "$log"; }
}

# LIMIT SCRIPT WORD...: runs the script as a process of its own, which reports its steps and their limits by descriptor 3, and has the
# package log by descriptor 5. Nothing in here reads a file from a disk. Exits with the script's status, or $given_up.
supervise() {
  limit=$1
  shift
  supervised=log
  {
    {
      {
        hand_over "$@" 3>&6 5>&1 >&4 4>&- 6>&- &
        exec >&6 6>&-
        echo "pid $!"
        # The caller may want to unmount its current directory.
        cd /
        wait $! 2> /dev/null
        echo "end $?"
      } | write_log 2> /dev/null 4>&- &
      { cd / && while sleep 1 && echo tick; do :; done; } 2> /dev/null 4>&- 6>&- &
      echo "clock $!"
    } 6>&1 | {
      script=$1 step=loading allowed=10 file='' here=0 all=0 clock='' ended='' logged='' log='' lines='' late='' unwritten='' dumb=''
      shift $#
      while read -r word rest; do
        case $word in
          pid) pid=$rest ;;
          clock) clock=$rest ;;
          step) step=${rest#* } allowed=${rest%% *} file='' here=0 ;;
          file) file=$rest ;;
          word) set -- "$@" "$rest" ;;
          run)
            beside "$@" &
            shift $#
            ;;
          log) log=$rest ;;
          syslog) lines="$lines$rest
" ;;
          late) late=$rest ;;
          unwritten) unwritten=$rest ;;
          dumb) dumb=$rest ;;
          logged) logged=$rest ;;
          end)
            # The script itself sends it first, since Node.js needs some ms to end; then the shell above.
            [ -z "$ended" ] || continue
            ended=$rest
            [ -z "$clock" ] || kill "$clock"
            # The disk of the log gets a tenth of a second for the last lines; nothing if it cannot be measured.
            [ -n "$logged" ] || { { sleep 0.1; echo logged late; } 2> /dev/null & } > /proc/self/fd/0 || logged=late
            ;;
          tick)
            here=$((here + 1)) all=$((all + 1))
            { [ $all -lt "$limit" ] && [ $here -lt "$allowed" ]; } || break
            ;;
        esac
        [ -z "$ended" ] || [ -z "$logged" ] || break
      done
      if [ -n "$lines" ]; then to_syslog & fi
      if [ -n "$ended" ]; then
        # A failure that the script did not decide (such as a crash of Node.js) proves nothing: it exits by consequence, as after a hang.
        case $script-$step-$ended in
          *-leaving-* | *-0 | validate-*) exit "$ended" ;;
        esac
        report "$script: failed [script-crashed] The script exited with status $ended at step $step. | role=$role" > /dev/null &
        exit $given_up
      fi
      said="$script: failed [script-stopped] The script was stopped after $all s: step $step took $here s${file:+, the last of it at $file}. | role=$role"
      # Both logs may hang as well.
      { report "$said"; logger -t {{package_name}} -p daemon.alert -- "$(line_of "$said")"; } > /dev/null &
      end_all "$pid"
      exit $given_up
    } 4>&-
  } 4>&1
}

word=${1:-}
[ $# -eq 0 ] || shift
case $word in
  start) script=start limits=$start_limits ;;
  stop) script=halt limits=$halt_limits ;;
  validate) script=validate limits=$validate_limits ;;
  # Runs as long as the package.
  monitor) hand_over monitor "$@" ;;
  *)
    echo "$0: unknown word '$word'; Serviceguard calls it with start, stop, validate or monitor" >&2
    exit 1
    ;;
esac

supervise "${limits% *}" "$script" "$@"
status=$?
[ $status -eq $given_up ] || exit $status

# By consequence. Serviceguard undoes the start of a modular package itself, in its halt; for a legacy one it happens here.
hurried=1
case $script-$role in
  start-legacy)
    supervise "${limits#* }" halt && exit 2
    exit 1
    ;;
  start-*) exit 2 ;;
  halt-legacy)
    supervise "${limits#* }" halt && exit 0
    exit 1
    ;;
  # Serviceguard removes address and mount after this script.
  halt-main) exit 0 ;;
  halt-*) if is_mounted; then exit 1; else exit 0; fi ;;
  *) exit 1 ;;
esac
