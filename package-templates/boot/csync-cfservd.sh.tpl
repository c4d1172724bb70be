#!/bin/sh
# The daemons of cfengine on this host, for systemd and init: start | stop | restart | status | configured
# Written by csync, which overwrites it: put your changes into {{configured_file}}.
# On the active member stop is a failure, and the package fails over: run csync maintenance on first. restart is announced to the
# package's monitor and is no failure.
# Exit status as in the LSB: 0 done, or running; 1 failed; 2 usage; 3 not running; 4 unknown, or not root; 5 not installed; 6 not
# configured.
# Only processes and the port count, not pid files or exit statuses of cfengine.
# Pids are words, and split on purpose:
# shellcheck disable=SC2046
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
daemon={{daemon_name}}
scheduler={{scheduler_name}}
cd / || exit 1

configured() {
  [ -r {{configured_file}} ] && ( CSYNC_CONFIGURED=0; . {{configured_file}} && [ "$CSYNC_CONFIGURED" = 1 ] )
}

# Pids of NAME in this host's own namespaces: /proc shows those of containers, too. No zombies, and only root's processes: others can have
# any name.
processes() {
  for directory in /proc/[0-9]*; do
    { read -r name < "$directory/comm" && read -r line < "$directory/stat"; } 2>/dev/null || continue
    [ "$name" = "$1" ] || continue
    line=${line##*) }
    case $line in [ZX]*) continue ;; esac
    grep -q '^Uid:[[:space:]]*0[[:space:]]' "$directory/status" 2>/dev/null || continue
    for kind in pid net; do
      there=$(readlink "$directory/ns/$kind")
      [ -z "$there" ] || [ "$there" = "$(readlink /proc/self/ns/$kind)" ] || continue 2
    done
    echo "${directory#/proc/}"
  done
}

# Whether a process listens on port {{cfengine_port}}.
listening() {
  grep -q -s -i ':{{cfengine_port_hex}} [0-9A-F]*:0000 0A ' /proc/net/tcp /proc/net/tcp6
}

serves() { [ -n "$(processes "$daemon")" ] && listening; }

# Waits up to 10 s for a state.
await() {
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ $tries -le 100 ] || return 1
    sleep 0.1
  done
}

say() { echo "csync-cfservd: $*"; }
problem() { say "$@" >&2; }

# Runs a program with an empty environment except PATH, and without open descriptors, which a daemon would keep. A shell closes those with
# one digit; bash, if it exists, the rest.
begin() {
  set -- env -i PATH="$PATH" LC_ALL=C "$@"
  if command -v bash > /dev/null; then
    set -- env -i PATH="$PATH" LC_ALL=C bash -c '
      for open in /proc/self/fd/*; do open=${open##*/}; [ "$open" -le 2 ] || eval "exec $open>&-"; done
      exec "$@"' bash "$@"
  fi
  "$@" < /dev/null > /dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- || :
}

start_daemon() {
  running=$(processes "$daemon")
  if [ -n "$running" ]; then
    await listening && { say "$daemon is already running (pid $(echo $running))"; return 0; }
    problem "$daemon runs (pid $(echo $running)) but does not listen on port {{cfengine_port}}. Fix: $0 restart"
    return 1
  fi
  listening && { problem "another program listens on port {{cfengine_port}}: ss -ltnp 'sport = :{{cfengine_port}}'"; return 1; }
  begin {{start_daemon}}
  await serves && { say "$daemon is running (pid $(echo $(processes "$daemon")))"; return 0; }
  problem "$daemon did not start within 10 s. Output of {{policy_check}}:"
  timeout 30 {{policy_check}} 2>&1 < /dev/null | tail -n 5 >&2
  return 1
}

# Nothing to start if this cfengine has no scheduler.
start_scheduler() {
  [ -n "$scheduler" ] && [ -z "$(processes "$scheduler")" ] || return 0
  begin {{start_scheduler}}
  scheduled() { [ -n "$(processes "$scheduler")" ]; }
  await scheduled && { say "$scheduler runs"; return 0; }
  problem "$scheduler did not start within 10 s: nothing runs the agent on this host"
  return 1
}

start() {
  configured || { problem "CSYNC_CONFIGURED is not 1 in {{configured_file}}: nothing is started"; return 6; }
  [ -x {{daemon_program}} ] || { problem "{{daemon_program}} cannot be executed"; return 5; }
  start_daemon && start_scheduler
}

# TERM, then KILL after 5 s: a signal handler of cfengine may hang.
end() {
  gone() { [ -z "$(processes "$end_of")" ]; }
  end_of=$1
  gone && return 0
  kill -TERM $(processes "$1") 2>/dev/null
  tries=0
  until gone; do
    tries=$((tries + 1))
    [ $tries -ne 50 ] || kill -KILL $(processes "$1") 2>/dev/null
    [ $tries -le 100 ] || { problem "$1 cannot be killed"; return 1; }
    sleep 0.1
  done
  say "$1 ended"
}

# Announces to the monitor of a running package which process exits on purpose, and until when (seconds since boot).
{{announce_function}}

stop() {
  [ -z "$scheduler" ] || end "$scheduler" || return 1
  end "$daemon"
}

status() {
  running=$(processes "$daemon")
  [ -n "$running" ] || { say "$daemon is not running"; return 3; }
  listening || { say "$daemon runs (pid $(echo $running)), but no process listens on port {{cfengine_port}}"; return 4; }
  [ -z "$scheduler" ] || [ -n "$(processes "$scheduler")" ] || { say "$daemon is running (pid $(echo $running)), $scheduler is not"; return 3; }
  if [ -n "$scheduler" ]; then
    say "$daemon and $scheduler are running (pid $(echo $running))"
  else
    say "$daemon is running (pid $(echo $running))"
  fi
}

# One at a time, as root.
alone() {
  [ "$(id -u)" = 0 ] || { problem "$1 needs root"; exit 4; }
  exec 9> /run/csync-cfservd.lock && flock -w 60 9 || { problem 'another start or stop did not finish within 60 s'; exit 1; }
}

main() {
  case ${1-} in
    start) alone start; start ;;
    stop) alone stop; stop ;;
    restart) alone restart; configured || { start; return; }; announce $(processes "$daemon"); stop && start ;;
    status) status ;;
    configured) configured ;;
    *) echo "usage: $0 start | stop | restart | status | configured" >&2; return 2 ;;
  esac
}
main "$@"
