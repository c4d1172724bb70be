# Written by the csync toolkit, which writes it again; systemctl edit {{unit_name}} makes changes that stay.
[Unit]
Description=Daemons of cfengine (csync)
After=network-online.target nss-lookup.target time-sync.target syslog.target
Wants=network-online.target

[Service]
# Started once and then left alone: the package ends and starts the daemon by itself, and its monitor has to see it die.
Type=oneshot
RemainAfterExit=yes
Restart=no
# Agents of remote runs live on here when the daemon ends.
KillMode=process
# One of them that runs out of memory is no reason to end the daemon.
OOMPolicy=continue
IgnoreSIGPIPE=no
ExecCondition={{daemon_script}} configured
ExecStart={{daemon_script}} start
# What is missing is started, what runs is left alone.
ExecReload={{daemon_script}} start
# At a shutdown the daemon goes last, with everything that is left: before that, its end would be a failure of the package.
ExecStop=/bin/sh -c '[ "$$(systemctl is-system-running)" = stopping ] || exec {{daemon_script}} stop'
TimeoutStartSec=120
TimeoutStopSec=120
# Keys: nothing readable by others, no core files.
UMask=0077
LimitCORE=0
LimitNOFILE=4096

[Install]
WantedBy=multi-user.target
