#!/bin/sh
# Written by csync, which overwrites it. No stop at a shutdown: see the systemd unit.
# chkconfig: 2345 90 10
# description: daemons of cfengine (csync)
### BEGIN INIT INFO
# Provides:          cfservd
# Required-Start:    $local_fs $remote_fs $network $named $syslog $time
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:
# Short-Description: daemons of cfengine (csync)
# Description:       Starts the daemons of cfengine where CSYNC_CONFIGURED is 1 in {{configured_file}}.
### END INIT INFO
exec {{daemon_script}} "$@"
