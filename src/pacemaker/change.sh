#!/bin/sh
# Makes the resource group of a rendered file the one of the cluster, with its location constraints: by one transaction that also deletes what
# the group no longer has. csync runs it on one member; an administrator can, too. docs/reference/pacemaker/group.md describes it.
#   check      builds the new configuration beside the live one and runs crm_verify on it
#   simulate   the same, then prints crm_simulate: what would stop, move and start
#   apply      the same as check, then changes the cluster
# What was ordered by hand stays: target-role, is-managed, maintenance, and constraints of crm_resource --move and --ban. A new group is halted.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
unset CIB_file CIB_shadow
case $#:${1:-} in
  2:check | 2:simulate | 2:apply) ;;
  *) echo "usage: $0 check|simulate|apply GROUP.group.xml" >&2 && exit 64 ;;
esac
action=$1 file=$2
id=${file##*/} id=${id%.group.xml}

# Fence devices have passwords.
umask 077
work=$(mktemp -d /run/csync-change.XXXXXX)
trap 'rm -rf -- "$work"' EXIT
trap 'exit 143' HUP INT TERM
live=$work/live.xml new=$work/new.xml

# An XPath in the live configuration: 0 found, 1 not found; any other failure ends the script.
found() {
  status=0
  CIB_file=$live cibadmin --query --xpath "$1" > /dev/null 2> "$work/said" || status=$?
  case $status in
    0) return 0 ;;
    105) return 1 ;;
  esac
  cat "$work/said" >&2
  exit 1
}

# FILE COMMAND: on a configuration beside the live one. When cibadmin refuses a command, it prints the whole configuration.
on() {
  configuration=$1
  shift
  CIB_file=$configuration "$@" > "$work/said" 2>&1 || { tail -n 1 "$work/said" | cut -c 1-300 >&2 && exit 1; }
}

cibadmin --query > "$live" || exit 1
if found "/cib/configuration//*[@id='$id' and not(self::group[primitive[@provider='csync']])]"; then
  echo "the cluster has something else with the id $id: it is not replaced" >&2
  exit 1
fi
cp "$live" "$new"
others="@rsc='$id' and not(starts-with(@id,'cli-'))"
on "$new" cibadmin --delete-all --force --xpath "//constraints/rsc_location[$others]"
if found "//group[@id='$id']"; then
  # The group alone: constraints that stay name it, so it cannot be deleted before.
  cibadmin --empty > "$work/rendered.xml"
  on "$work/rendered.xml" cibadmin --modify --allow-create --scope configuration --xml-file "$file"
  CIB_file=$work/rendered.xml cibadmin --query --xpath "//group[@id='$id']" > "$work/group.xml"
  on "$new" cibadmin --replace --xpath "//group[@id='$id']" --xml-file "$work/group.xml"
  on "$new" cibadmin --modify --allow-create --scope configuration --xml-file "$file"
  for name in target-role is-managed maintenance; do
    # Not set: 0 without output, or 105 in newer versions. Anything else is unknown, not "none".
    value=$(CIB_file=$live crm_resource --resource "$id" --meta --get-parameter "$name" 2> "$work/said") || {
      [ $? -eq 105 ] || { cat "$work/said" >&2 && exit 1; }
    }
    case $value in
      '') on "$new" crm_resource --resource "$id" --meta --delete-parameter "$name" ;;
      *) on "$new" crm_resource --resource "$id" --meta --set-parameter "$name" --parameter-value "$value" ;;
    esac
  done
else
  on "$new" cibadmin --modify --allow-create --scope configuration --xml-file "$file"
  on "$new" crm_resource --resource "$id" --meta --set-parameter target-role --parameter-value Stopped
fi
# It fails for warnings, too: as long as a node is new to the cluster, or for a name that is deprecated.
crm_verify --xml-file "$new" -V > "$work/said" 2>&1 || {
  cat "$work/said" >&2
  grep -q 'Warnings found' "$work/said" && ! grep -q 'Errors found' "$work/said" || exit 1
}
case $action in
  simulate) crm_simulate --xml-file "$new" --simulate --output-as=xml ;;
  apply)
    status=0
    # Without versions: what others change at this moment stays.
    crm_diff --original "$live" --new "$new" --no-version > "$work/patch.xml" || status=$?
    case $status in
      0) echo "the group $id is as in $file" ;;
      1) cibadmin --patch --xml-file "$work/patch.xml" ;;
      *) exit 1 ;;
    esac
    ;;
esac
