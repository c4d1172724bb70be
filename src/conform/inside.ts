/** Small programs that run in the sandbox: in front of a script, beside it, and under the cases' shell texts. */

/**
 * In front of each script: standard input closed, as Serviceguard's have none; one more descriptor than the script knows of,
 * as a careless caller leaves; a directory and a umask to start with; its whole environment, which perl itself must not see.
 */
export const bare = [
  '/usr/bin/perl',
  '-e',
  `use POSIX ();
   my ($directory, $umask, $variables) = splice @ARGV, 0, 3;
   my @environment = splice @ARGV, 0, $variables;
   open my $careless, ">", "/run/conform-careless" or die;
   POSIX::dup2(fileno $careless, 40);
   close STDIN; umask oct $umask; chdir $directory or die;
   %ENV = map { split /=/, $_, 2 } @environment;
   exec { $ARGV[0] } @ARGV; print STDERR "$ARGV[0]: $!\\n"; exit 127`,
];

/** Reads the log, which is a named pipe then, line by line up to the one of a step; the script waits at its next line for ever. */
export const holder =
  '$| = 1; my ($pipe, $step) = @ARGV; while (1) { open my $log, "<", $pipe or die; while (my $line = <$log>) { print $line; if (index($line, " $step: ") >= 0) { close $log; print "HELD\\n"; sleep } } }';

/** Words of the cases' shell texts. A daemon is known by pid and start time, so that another one is not taken for it. */
export const shellFunctions = `
daemons() {
  for p in /proc/[0-9]*; do
    read -r name 2> /dev/null < $p/comm || continue
    [ "$name" = "$DAEMON" ] && read -r stat 2> /dev/null < $p/stat || continue
    set -- \${stat##*) }
    [ "$1" = Z ] || printf '%s ' "\${p#/proc/}:\${20}"
  done
}
daemon_pid() { set -- $(daemons); echo "\${1%%:*}"; }
is_mounted() { grep -q "^[^ ]* $MOUNT_POINT " /proc/mounts; }
has_address() { ip -o address show to "$ADDRESS" | grep -q .; }
scripts() {
  for p in /proc/[0-9]*; do
    command=$(tr '\\0' ' ' 2> /dev/null < $p/cmdline)
    case $command in *"$PACKAGE"/*) echo "script $command" ;; esac
  done
}
script_pid() {
  for p in /proc/[0-9]*; do
    case $(tr '\\0' ' ' 2> /dev/null < $p/cmdline) in *"$PACKAGE"/*csync-*.cjs*) echo "\${p#/proc/}"; return ;; esac
  done
}
a_script_runs() { scripts | grep -q .; }
fingerprint() {
  find "$PACKAGE" "$SGRUN" "$MOUNT_POINT" "$WORK/ppkeys" /tmp /var/tmp /etc/hosts /etc/cmcluster.conf -printf '%p %M %s %T@\\n' | sort
}
listens() { ss -Hltn "sport = :$PORT" | grep -q LISTEN; }
eventually() {
  n=0
  until "$@"; do
    n=$((n + 1)); [ $n -lt 500 ] || { echo "waited in vain for: $*" >&2; return 1; }
    sleep 0.02
  done
}
no_daemon() { [ -z "$(daemons)" ]; }
kill_daemon() { kill -KILL "$(daemon_pid)"; eventually no_daemon; }
serviceguard_mounts() { mount -t "$FS_TYPE" $MOUNT_OPTIONS "$DEVICE" "$MOUNT_POINT"; mkdir -p "$POLICY"; }
write_a_sentinel() { echo '{"epoch":1,"member":"m0","at":"2026-11-23T12:00:00.000Z"}' > "$SENTINEL"; }
serviceguard_unmounts() { umount "$MOUNT_POINT"; }
serviceguard_adds_the_address() { ip address add "$ADDRESS/32" dev lo; }
cannot_be_executed() { : > /run/conform-nothing; mount --bind /run/conform-nothing "$1"; }
`;
