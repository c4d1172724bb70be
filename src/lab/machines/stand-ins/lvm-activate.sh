#!/bin/sh
# Lab stand-in for ocf:heartbeat:LVM-activate with vg_access_mode=system_id, over the lab's vgchange: LVM requires a device mapper. As the real one
# it takes the volume group over at a start, without asking whether its owner lives.
group=${OCF_RESKEY_vgname:-}
case ${1:-} in
  start) uname -n > "/run/csync-lab/volume-groups/$group/tag" && vgchange -a y "$group" ;;
  stop) vgchange -a n "$group" && vgchange --deltag "$(uname -n)" "$group" ;;
  monitor) [ -b "/dev/$group/${OCF_RESKEY_lvname:-}" ] || exit 7 ;;
  meta-data)
    cat << 'END'
<?xml version="1.0"?>
<resource-agent name="LVM-activate" version="1.0">
<version>1.0</version>
<longdesc lang="en">Lab stand-in.</longdesc>
<shortdesc lang="en">Lab stand-in</shortdesc>
<parameters>
<parameter name="vgname" required="1"><longdesc lang="en">Volume group.</longdesc><shortdesc lang="en">VG</shortdesc><content type="string"/></parameter>
<parameter name="lvname"><longdesc lang="en">Logical volume.</longdesc><shortdesc lang="en">LV</shortdesc><content type="string"/></parameter>
<parameter name="vg_access_mode"><longdesc lang="en">system_id.</longdesc><shortdesc lang="en">Mode</shortdesc><content type="string"/></parameter>
</parameters>
<actions>
<action name="start" timeout="90s"/>
<action name="stop" timeout="90s"/>
<action name="monitor" timeout="90s" interval="30s"/>
<action name="meta-data" timeout="10s"/>
</actions>
</resource-agent>
END
    ;;
  validate-all) ;;
  *) exit 3 ;;
esac || exit 1
