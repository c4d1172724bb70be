#!/bin/sh
# Lab stand-in for LVM's vgs and lvs. Reads `[--noheadings] [--separator X] -o FIELDS [GROUP]`, with the fields that csync asks for; refuses all else.
# A uuid is as good as any other as long as it is the same everywhere.
fields='' separator=' ' wanted=''
while [ $# -gt 0 ]; do
  case $1 in
    --noheadings) shift ;;
    --separator) separator=$2; shift 2 ;;
    -o) fields=$2; shift 2 ;;
    -*) echo "  lab: $1 is not imitated" >&2; exit 3 ;;
    *) wanted=$1; shift ;;
  esac
done
[ -z "$wanted" ] || [ -d "/run/csync-lab/volume-groups/$wanted" ] || { echo "  Volume group \"$wanted\" not found" >&2; exit 5; }
for label in /run/csync-lab/volume-groups/${wanted:-*}; do
  [ -d "$label" ] || continue
  group=${label##*/}
  tags=$(cat "$label/tag" 2>/dev/null)
  case ${0##*/}:$fields in
    vgs:vg_tags) echo "  $tags" ;;
    vgs:vg_name,vg_uuid,vg_tags) echo "  $group$separator$(echo "$group" | cksum | cut -d ' ' -f 1)$separator$tags" ;;
    lvs:vg_name,lv_name,lv_size)
      while read -r volume major minor; do
        echo "  $group$separator$volume$separator$(($(cat /sys/dev/block/"$major:$minor"/size) / 2048)).00m"
      done < "$label/volumes"
      ;;
    *) echo "  lab: the fields $fields are not imitated" >&2; exit 3 ;;
  esac
done
