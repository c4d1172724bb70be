/** Small programs for the sandbox: before a script, beside it, and functions for the cases' shell texts. */

/**
 * Before each script: standard input closed, as in Serviceguard; an extra descriptor, as from a careless caller; a directory and a umask;
 * its whole environment, which perl itself must not use.
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

/** Stops the script of a package directory when its log, from an offset on, has a line of the step; then reports it. */
export const holder = String.raw`
$| = 1;
my ($file, $from, $step, $package) = @ARGV;
my ($log, $is_open, $pid, $said);
print "READY\n";
while (1) {
  for (glob '/proc/[0-9]*/cmdline') {
    last if $pid;
    open my $command, '<', $_ or next;
    $pid = (split m{/})[2] if (<$command> // '') =~ m{\Q$package\E/\S*csync-\w+\.cjs};
  }
  $is_open = open($log, '<', $file) && sysseek($log, $from, 0) if !$is_open;
  sysread $log, $said, 65536, length($said // '') if $is_open;
  if ($pid && index($said // '', " $step: ") >= 0) {
    kill 'STOP', $pid;
    print "HELD\n";
    sleep;
  }
  select undef, undef, undef, 0.0002;
}
`;

/** Functions for the cases' shell texts. A daemon is identified by pid and start time. */
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
    n=$((n + 1)); [ $n -lt 500 ] || { echo "timed out after 10 s waiting for: $*" >&2; return 1; }
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
