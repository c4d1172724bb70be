#!/bin/sh
# Written by the csync toolkit 0.1.0. Do not edit: csync overwrites this file.
#
# update.conf has cfagent run this, with one of two words:
#
# members  Members share one key, and cfengine 2 looks keys up by address. A member that came later is not known here by its
#          address yet: it gets what is held for the package address, so that its remote runs (cfrun) are welcome, too.
# other    cfagent could not speak to the master: it is away, or it has another key than the one held for it here. While the
#          cluster's key is rotated this host has both, ppkeys/cluster/current.pub and next.pub; then the other one is tried
#          the next time. So old and new are both good, whenever the members change. If the master was only away, one more
#          run that fails brings back what was held before.
#
# A key that is neither of the two was put there by somebody else and stays.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 077
cd '/var/cfengine/ppkeys' || exit 1

# Left by a run that was killed.
rm -f root-*.pub.csync-*

current=cluster/current.pub
next=cluster/next.pub

# FILE gets the key in the file KEY, all of it or nothing.
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
# A member has the cluster's pair itself, and csync keys rotate changes it there together with what is held.
cmp -s localhost.pub "$current" && exit 0
cmp -s localhost.pub "$next" && exit 0

# What the package address has decides for all; if it has neither, the first address that has one of them.
wanted=
for address in 10.9.0.100 10.9.0.11 192.168.7.11 10.9.0.12 10.9.0.13; do
  if cmp -s "root-$address.pub" "$current"; then wanted=$next; break; fi
  if cmp -s "root-$address.pub" "$next"; then wanted=$current; break; fi
done
[ -n "$wanted" ] || exit 0

# The address that decides comes last: a run that was killed here is finished by the next one, not turned back.
for address in 10.9.0.13 10.9.0.12 192.168.7.11 10.9.0.11 10.9.0.100; do
  held=root-$address.pub
  cmp -s "$held" "$current" || cmp -s "$held" "$next" || continue
  cmp -s "$held" "$wanted" && continue
  put "$held" "$wanted" || exit 1
done
