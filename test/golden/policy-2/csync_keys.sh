#!/bin/sh
# Written by the csync toolkit 0.2.0. Do not edit: csync overwrites this file.
#
# update.conf runs this with one of two words:
#
# members  Members share one key, and cfengine 2 finds keys by address. A new member is unknown by its address: it gets the
#          key of the package address, so that its remote runs (cfrun) are accepted, too.
# other    cfagent could not talk to the master: it is unreachable, or has another key than the stored one. During a key rotation
#          this host has both, ppkeys/cluster/current.pub and next.pub; the next run then tries the other one. So both keys
#          work, whenever the members change. If the master was only unreachable, one more failed run restores the key.
#
# A key that is neither of the two is not from csync and stays.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 077
cd '/var/cfengine/ppkeys' || exit 1

# Leftovers of a killed run.
rm -f root-*.pub.csync-*

current=cluster/current.pub
next=cluster/next.pub

# Copies the file KEY to FILE, all of it or nothing.
put() { cp "$2" "$1.csync-$$" && chmod 600 "$1.csync-$$" && mv -f "$1.csync-$$" "$1"; }

if [ "${1-}" = members ]; then
  held=root-10.9.0.100.pub
  cmp -s "$held" "$current" || cmp -s "$held" "$next" || exit 0
  for address in 10.9.0.100 10.9.0.11 192.168.7.11 10.9.0.12 10.9.0.13; do
    [ -e "root-$address.pub" ] || put "root-$address.pub" "$held" || exit 1
  done
  exit 0
fi

[ -s "$current" ] && [ -s "$next" ] || exit 0
cmp -s "$current" "$next" && exit 0
# A member has the cluster's key pair itself, and csync keys rotate changes it together with the stored keys.
cmp -s localhost.pub "$current" && exit 0
cmp -s localhost.pub "$next" && exit 0

# The key of the package address decides for all; if it has neither, the first address that has one of them.
wanted=
for address in 10.9.0.100 10.9.0.11 192.168.7.11 10.9.0.12 10.9.0.13; do
  if cmp -s "root-$address.pub" "$current"; then wanted=$next; break; fi
  if cmp -s "root-$address.pub" "$next"; then wanted=$current; break; fi
done
[ -n "$wanted" ] || exit 0

# The deciding address comes last: the next run completes a killed one instead of undoing it.
for address in 10.9.0.13 10.9.0.12 192.168.7.11 10.9.0.11 10.9.0.100; do
  held=root-$address.pub
  cmp -s "$held" "$current" || cmp -s "$held" "$next" || continue
  cmp -s "$held" "$wanted" && continue
  put "$held" "$wanted" || exit 1
done
