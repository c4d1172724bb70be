# exchange ONE OTHER: two directories take each other's place at once.
# Exits with 1, and with 127 without perl: it is impossible on this host; with 2: it failed. Nothing was exchanged then. mv does not distinguish the two.
# [include/uapi/linux/fs.h: RENAME_EXCHANGE is 2; the numbers of renameat2 are those of each machine's unistd.h; EINVAL is 22, ENOSYS 38,
# EOPNOTSUPP 95 on all of these machines]
exchange() {
  if mv --help 2>/dev/null | grep -q -e --exchange; then mv --exchange -T -- "$1" "$2"; return; fi
  perl -e '
    my %number = (x86_64 => 316, aarch64 => 276, riscv64 => 276, ppc64le => 357, s390x => 347, i686 => 353);
    my ($machine, $one, $other) = @ARGV;
    my $number = $number{$machine} // do { print STDERR "the number of renameat2 is not known for $machine\n"; exit 1 };
    exit 0 if syscall($number, -100, $one, -100, $other, 2) == 0;
    my $error = $! + 0;
    print STDERR "renameat2: $!\n"; exit((grep { $_ == $error } 22, 38, 95) ? 1 : 2)' "$(uname -m)" "$1" "$2"
}
