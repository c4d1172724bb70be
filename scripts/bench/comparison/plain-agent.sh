#!/bin/sh
# A plain OCF agent for a cfengine daemon, as sites write them: its monitor looks for the process. The daemon runs on every node; the file
# says where it is the master.
mark=/run/plain-master
daemon=cf-serverd
case $1 in
  meta-data)
    cat << 'END'
<?xml version="1.0"?>
<resource-agent name="plain" version="1.0"><version>1.0</version><longdesc lang="en">A daemon</longdesc><shortdesc lang="en">A daemon</shortdesc>
<parameters/><actions><action name="start" timeout="20s"/><action name="stop" timeout="20s"/><action name="monitor" timeout="20s" interval="1s"/>
<action name="meta-data" timeout="5s"/></actions></resource-agent>
END
    ;;
  start)
    pgrep -x "$daemon" > /dev/null || "$daemon" -K || exit 1
    : > "$mark"
    ;;
  stop)
    rm -f "$mark"
    pgrep -x "$daemon" > /dev/null || "$daemon" -K
    ;;
  monitor)
    [ -e "$mark" ] && pgrep -x "$daemon" > /dev/null || exit 7
    ;;
  *) exit 3 ;;
esac
exit 0
