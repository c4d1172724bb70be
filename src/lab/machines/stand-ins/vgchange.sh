#!/bin/sh
# Lab stand-in for LVM's vgchange: host tags and activation of the lab's shared volume group. -a y|n, --addtag, --deltag of one volume group. Activation
# protection as in serviceguard.md 7.1: a volume group is activated only where its tag names the host. Exit 5 is LVM's "command failed".
fail() { echo "  $1" >&2; exit 5; }
action='' value=''
while [ $# -gt 1 ]; do
  case $1 in
    -a) action=activate value=$2; shift 2 ;;
    -ay|-an) action=activate value=${1#-a}; shift ;;
    --addtag) action=addtag value=$2; shift 2 ;;
    --deltag) action=deltag value=$2; shift 2 ;;
    *) echo "  vgchange: unrecognized option '$1'" >&2; exit 3 ;;
  esac
done
group=${1:-}
label=/run/csync-lab/volume-groups/$group
[ -n "$group" ] && [ -d "$label" ] || fail "Volume group \"$group\" not found"
tag=$(cat "$label/tag" 2>/dev/null)
# The lab's Serviceguard writes the name of the node, a legacy script that of the host.
me=$(uname -n)
node=$(echo "$me" | sed 's/[.].*//' | tr 'A-Z' 'a-z')
case $action in
  addtag)
    [ -z "$tag" ] || [ "$tag" = "$value" ] || fail "Volume group \"$group\" carries the tag of $tag"
    printf '%s\n' "$value" > "$label/tag" ;;
  deltag)
    [ "$tag" != "$value" ] || : > "$label/tag" ;;
  activate)
    while read -r volume major minor; do
      device=/dev/$group/$volume
      if [ "$value" = y ]; then
        [ "$tag" = "$me" ] || [ "$tag" = "$node" ] || fail "Not activating $group/$volume since it does not pass activation filter."
        mkdir -p "/dev/$group"
        [ -b "$device" ] || mknod -m 600 "$device" b "$major" "$minor"
      else
        # Also in a mount namespace of a container.
        ! cat /proc/[0-9]*/mounts 2>/dev/null | grep -q "^$device " || fail "Logical volume $group/$volume contains a filesystem in use."
        rm -f "$device"
      fi
    done < "$label/volumes"
    [ "$value" = y ] || rmdir "/dev/$group" 2>/dev/null
    [ "$value" = y ] && n=$(wc -l < "$label/volumes") || n=0
    echo "  $n logical volume(s) in volume group \"$group\" now active" ;;
  *) echo "  vgchange: no action given" >&2; exit 3 ;;
esac
exit 0
