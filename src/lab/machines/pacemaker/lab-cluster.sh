#!/bin/sh
# Lab: lab-cluster start|stop, in the place of systemd: the units corosync and pacemaker of this machine.
set -eu
cib=/var/lib/pacemaker/cib/cib.xml
ends() {
  n=0
  while pgrep -x "$1" > /dev/null; do
    n=$((n + 1))
    [ $n -lt 600 ] || { echo "lab-cluster: $1 does not exit" >&2; exit 1; }
    sleep 0.05
  done
}
case ${1:-} in
  start)
    ! pgrep -x pacemakerd > /dev/null || exit 0
    # The first configuration of a new cluster; without it the first election takes 20 s.
    [ -e $cib ] || install -o hacluster -g haclient -m 600 /etc/csync-lab/cib.xml $cib
    pgrep -x corosync > /dev/null || corosync
    setsid pacemakerd < /dev/null > /dev/null 2>&1 &
    ;;
  stop)
    pkill -TERM -x pacemakerd || :
    ends pacemakerd
    pkill -TERM -x corosync || :
    ends corosync
    ;;
  *) echo "usage: lab-cluster start|stop" >&2 && exit 2 ;;
esac
