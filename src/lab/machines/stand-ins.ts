/**
 * Small programs inside lab members that replace what a lab machine cannot have: LVM requires a device mapper. They refuse what the real
 * ones refuse. Shell text, written to each member's disk by the lab.
 */
import { sharedDirectory } from './lab-spec.ts';

/** Directory of the shared "disk labels" of the volume groups: VG/tag has the host tag, VG/volumes has `name major minor`. */
export const volumeGroupDirectory = `${sharedDirectory}/volume-groups`;

/**
 * vgchange: -a y|n, --addtag, --deltag of one volume group. Activation protection as in serviceguard.md 7.1: a volume group is activated
 * only on the host in its tag. Exit status 5 is LVM's "command failed".
 */
export const vgchange = `#!/bin/sh
# Lab stand-in for LVM's vgchange: host tags and activation of the lab's shared volume group.
fail() { echo "  $1" >&2; exit 5; }
action= value=
while [ $# -gt 1 ]; do
  case $1 in
    -a) action=activate value=$2; shift 2 ;;
    -ay|-an) action=activate value=\${1#-a}; shift ;;
    --addtag) action=addtag value=$2; shift 2 ;;
    --deltag) action=deltag value=$2; shift 2 ;;
    *) echo "  vgchange: unrecognized option '$1'" >&2; exit 3 ;;
  esac
done
group=\${1:-}
label=${volumeGroupDirectory}/$group
[ -n "$group" ] && [ -d "$label" ] || fail "Volume group \\"$group\\" not found"
tag=$(cat "$label/tag" 2>/dev/null)
me=$(uname -n)
case $action in
  addtag)
    [ -z "$tag" ] || [ "$tag" = "$value" ] || fail "Volume group \\"$group\\" carries the tag of $tag"
    printf '%s\\n' "$value" > "$label/tag" ;;
  deltag)
    [ "$tag" != "$value" ] || : > "$label/tag" ;;
  activate)
    while read -r volume major minor; do
      device=/dev/$group/$volume
      if [ "$value" = y ]; then
        [ "$tag" = "$me" ] || fail "Not activating $group/$volume since it does not pass activation filter."
        mkdir -p "/dev/$group"
        [ -b "$device" ] || mknod -m 600 "$device" b "$major" "$minor"
      else
        ! grep -q "^$device " /proc/mounts || fail "Logical volume $group/$volume contains a filesystem in use."
        rm -f "$device"
      fi
    done < "$label/volumes"
    [ "$value" = y ] || rmdir "/dev/$group" 2>/dev/null
    [ "$value" = y ] && n=$(wc -l < "$label/volumes") || n=0
    echo "  $n logical volume(s) in volume group \\"$group\\" now active" ;;
  *) echo "  vgchange: no action given" >&2; exit 3 ;;
esac
exit 0
`;

/** Parses `[--noheadings] [--separator X] -o FIELDS [GROUP]`; other options are refused. */
const reportOptions = `
fields= separator=' ' wanted=
while [ $# -gt 0 ]; do
  case $1 in
    --noheadings) shift ;;
    --separator) separator=$2; shift 2 ;;
    -o) fields=$2; shift 2 ;;
    -*) echo "  lab: $1 is not imitated" >&2; exit 3 ;;
    *) wanted=$1; shift ;;
  esac
done
[ -z "$wanted" ] || [ -d "${volumeGroupDirectory}/$wanted" ] || { echo "  Volume group \\"$wanted\\" not found" >&2; exit 5; }
for label in ${volumeGroupDirectory}/\${wanted:-*}; do
  [ -d "$label" ] || continue
  group=\${label##*/}
`;

/** vgs: the fields that this toolkit requests. The uuid only has to be the same on every member. */
export const vgs = `#!/bin/sh
# Lab stand-in for LVM's vgs.${reportOptions}  tags=$(cat "$label/tag" 2>/dev/null)
  case $fields in
    vg_tags) echo "  $tags" ;;
    vg_name,vg_uuid,vg_tags) echo "  $group$separator$(echo "$group" | cksum | cut -d ' ' -f 1)$separator$tags" ;;
    *) echo "  lab: the fields $fields are not imitated" >&2; exit 3 ;;
  esac
done
`;

/** lvs, likewise. */
export const lvs = `#!/bin/sh
# Lab stand-in for LVM's lvs.${reportOptions}  [ "$fields" = vg_name,lv_name,lv_size ] || { echo "  lab: the fields $fields are not imitated" >&2; exit 3; }
  while read -r volume major minor; do
    echo "  $group$separator$volume$separator$(($(cat /sys/dev/block/$major:$minor/size) / 2048)).00m"
  done < "$label/volumes"
done
`;

/** lvmconfig: one setting of lvm.conf, in either of LVM's forms; status 5 if the file lacks it. */
export const lvmconfig = `#!/bin/sh
# Lab stand-in for LVM's lvmconfig.
[ "$*" = tags/hosttags ] || { echo "  lab: lvmconfig $* is not imitated" >&2; exit 3; }
value=$(sed -n 's/#.*//; s/.*hosttags[[:space:]]*=[[:space:]]*\\([^[:space:]}]*\\).*/\\1/p' /etc/lvm/lvm.conf | tail -n 1)
[ -n "$value" ] || { echo "  Configuration node tags/hosttags not found" >&2; exit 5; }
echo "hosttags=$value"
`;

/** The configuration for the vgchange above, as an administrator would write it [serviceguard.md 7.1]. */
export const lvmConfiguration = `# Lab: host tags, so that a volume group is activated by its owner only
tags {
  hosttags = 1
}
`;

/**
 * The function library that external scripts source as $SG_UTILS. Names and purpose as in serviceguard.md 3.5; its path and the format of
 * its log lines are the lab's own (serviceguard.md gap 3).
 */
export const utilities = `# Lab: function library for external scripts (bash).
sg_log() {
  _level=$1; shift
  [ "$_level" -le "\${SG_LOG_LEVEL:-0}" ] || return 0
  echo "$(LC_ALL=C date '+%b %d %H:%M:%S') root@$(uname -n) \${0##*/}[$$]: $*"
}
sg_source_pkg_env() {
  eval "$(\${SGSBIN:-/usr/local/cmcluster/bin}/cmgetpkgenv "\${SG_PACKAGE:-$SG_PACKAGE_NAME}")"
}
`;

/** csync on a host of the lab, with extra words before its arguments. */
export function toolkitWrapper(nodePath: string, toolkit: string, ...words: readonly string[]): string {
  return `#!/bin/sh\nexec ${[nodePath, `${toolkit}/csync.mjs`, ...words].join(' ')} "$@"\n`;
}

/** A cm* command: the lab's client with the name of the command. */
export function commandWrapper(nodePath: string, toolkit: string): string {
  return `#!/bin/sh
# Lab: emulated Serviceguard command.
exec ${nodePath} ${toolkit}/lab/client.cjs "\${0##*/}" "$@"
`;
}
