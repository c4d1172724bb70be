#!/bin/sh
# Copies csync to where it belongs on this host. Needs no network. Called as: install.sh [DIRECTORY]; DIRECTORY takes the place of /.
# csync is removed with: rm -rf /usr/share/csync /usr/share/doc/csync /usr/bin/csync /usr/bin/csync_wizard /usr/bin/csync_dispatcher
set -eu
here=$(cd "$(dirname -- "$0")" && pwd)
root=${1:-}
[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || { echo "install.sh writes to /usr and /etc. Run it as root, or name another directory" >&2; exit 4; }
mkdir -p "$root/usr/share"
# The programs are replaced as a whole: a csync that runs keeps its own files.
rm -rf "$root/usr/share/csync.new"
cp -R "$here/usr/share/csync" "$root/usr/share/csync.new"
if [ -d "$root/usr/share/csync" ]; then mv "$root/usr/share/csync" "$root/usr/share/csync.old"; fi
mv "$root/usr/share/csync.new" "$root/usr/share/csync"
rm -rf "$root/usr/share/csync.old"
cd "$here"
# For hooks of yours.
mkdir -p "$root/etc/csync/alerts.d"
find usr etc ! -type d ! -path 'usr/share/csync/*' | while read -r file; do
  # Your changes of configuration files stay.
  case $file in etc/*) [ ! -e "$root/$file" ] || continue ;; esac
  mkdir -p "$root/${file%/*}"
  cp -P -f "$file" "$root/$file"
done
if [ -x "$here/node" ]; then
  mkdir -p "$root/usr/share/csync/runtime"
  cp "$here/node" "$root/usr/share/csync/runtime/node"
  echo "Node.js is in $root/usr/share/csync/runtime/node. Set node_path in csync.yaml, or link it: ln -s $root/usr/share/csync/runtime/node /usr/local/bin/node"
fi
echo "csync is installed. Next: csync init"
