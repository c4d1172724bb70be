#!/bin/sh
# The group csync in the words of pcs, for a cluster that does not have it yet. As root, on one member.
set -eu
copy=$(mktemp)
pcs cluster cib "$copy"
cp "$copy" "$copy.before"
pcs -f "$copy" resource create csync_vg ocf:heartbeat:LVM-activate vgname=vg_csync lvname=lv_csync vg_access_mode=system_id \
  op start interval=0s timeout=90s \
  op stop interval=0s timeout=90s \
  op monitor interval=30s timeout=90s \
  --group csync
pcs -f "$copy" resource create csync_pre ocf:csync:master role=pre directory=/etc/csync set=e4480c69f2aea307 digest=b70313af58d062f521ce188c7f8b296e0e9cdfd9a87e5cd05d6b65bc8fff50c8 mount_point=/csync \
  op start interval=0s timeout=120s \
  op stop interval=0s timeout=120s \
  op monitor interval=10s timeout=20s \
  op reload interval=0s timeout=20s \
  --group csync
pcs -f "$copy" resource create csync_fs ocf:heartbeat:Filesystem device=/dev/vg_csync/lv_csync directory=/csync fstype=ext4 options=rw \
  op start interval=0s timeout=60s \
  op stop interval=0s timeout=60s \
  op monitor interval=20s timeout=40s \
  --group csync
pcs -f "$copy" resource create csync_ip ocf:heartbeat:IPaddr2 ip=10.9.0.100 \
  op start interval=0s timeout=20s \
  op stop interval=0s timeout=20s \
  op monitor interval=10s timeout=20s \
  --group csync
pcs -f "$copy" resource create csync_main ocf:csync:master role=main directory=/etc/csync set=e4480c69f2aea307 digest=b70313af58d062f521ce188c7f8b296e0e9cdfd9a87e5cd05d6b65bc8fff50c8 \
  op start interval=0s timeout=120s \
  op stop interval=0s timeout=120s \
  op monitor interval=10s timeout=20s \
  op reload interval=0s timeout=20s \
  --group csync
pcs -f "$copy" resource meta csync migration-threshold=1 resource-stickiness=INFINITY target-role=Started
pcs -f "$copy" constraint location csync prefers m1=300 m2=200 m3=100
pcs -f "$copy" constraint location csync rule score=-INFINITY '#uname' ne m1 and '#uname' ne m2 and '#uname' ne m3
pcs cluster cib-push "$copy" diff-against="$copy.before"
rm -f "$copy" "$copy.before"
