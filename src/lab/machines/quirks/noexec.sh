# No program runs from /tmp and /run.
mount -o remount,noexec /tmp && mount -o remount,noexec /run
