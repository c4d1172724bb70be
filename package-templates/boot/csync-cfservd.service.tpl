# Written by csync, which overwrites it; use systemctl edit {{unit_name}} for your changes.
[Unit]
Description=Daemons of cfengine (csync)
After=network-online.target nss-lookup.target time-sync.target syslog.target
Wants=network-online.target

[Service]
# Starts the daemons once: the package itself stops and starts the daemon, and its monitor must see it exit.
Type=oneshot
RemainAfterExit=yes
Restart=no
# Agents of remote runs continue here when the daemon exits.
KillMode=process
# An agent that runs out of memory must not kill the daemon.
OOMPolicy=continue
IgnoreSIGPIPE=no
ExecCondition={{daemon_script}} configured
ExecStart={{daemon_script}} start
# Starts what is missing and leaves the rest alone.
ExecReload={{daemon_script}} start
# At a shutdown the daemon is killed last, with all other processes: an earlier stop would be a failure of the package.
ExecStop=/bin/sh -c '[ "$$(systemctl is-system-running)" = stopping ] || exec {{daemon_script}} stop'
TimeoutStartSec=120
TimeoutStopSec=120
# For the keys: no permissions for others, no core files.
UMask=0077
LimitCORE=0
LimitNOFILE=4096

[Install]
WantedBy=multi-user.target
