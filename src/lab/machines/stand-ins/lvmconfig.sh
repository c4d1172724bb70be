#!/bin/sh
# Lab stand-in for LVM's lvmconfig: one setting of lvm.conf, in either of LVM's forms; 5 where the file does not have it.
[ "$*" = tags/hosttags ] || { echo "  lab: lvmconfig $* is not imitated" >&2; exit 3; }
value=$(sed -n 's/#.*//; s/.*hosttags[[:space:]]*=[[:space:]]*\([^[:space:]}]*\).*/\1/p' /etc/lvm/lvm.conf | tail -n 1)
[ -n "$value" ] || { echo "  Configuration node tags/hosttags not found" >&2; exit 5; }
echo "hosttags=$value"
