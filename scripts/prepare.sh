# Sourced by scripts/demo and scripts/test: makes sure of what they need, installs only what is absent, and says so.
# Sets `repository`; changes to it.
set -eu
repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$repository"

say() { printf '%s\n' "$*" >&2; }

command -v node >/dev/null 2>&1 || { say "Node.js 20.19 or newer is missing; install it first (Debian: package nodejs of a suitable release)."; exit 4; }
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  { say "Node.js 20.19 or newer is needed; this is $(node --version)."; exit 4; }
command -v npm >/dev/null 2>&1 || { say "npm is missing; it usually comes with Node.js."; exit 4; }

# program:package; the lab runs these inside its members. The caller may want more_programs.
lab_programs="cf-serverd:cfengine3 cf-agent:cfengine3 busybox:busybox ip:iproute2 ss:iproute2 unshare:util-linux losetup:mount mkfs.ext4:e2fsprogs fuser:psmisc perl:perl-base ps:procps sshd:openssh-server ssh:openssh-client ping:iputils-ping"

missing_packages() {
  for pair in $lab_programs ${more_programs:-}; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null 2>&1 || printf '%s\n' "${pair#*:}"
  done | sort -u
}

# A lab needs the programs, not the services: what was just installed shall not start at the next boot either.
disable_services() {
  for package; do
    for unit in $(dpkg -L "$package" | sed -n 's#^.*/lib/systemd/system/\([^@/]*\.service\)$#\1#p'); do
      ! command -v systemctl >/dev/null 2>&1 || systemctl disable --quiet "$unit" || :
    done
    for script in $(dpkg -L "$package" | sed -n 's#^/etc/init\.d/##p'); do
      update-rc.d "$script" disable || :
    done
  done
}

# Debian's packages would start some services, and enable them, on the machine itself: policy-rc.d keeps them from starting.
install_packages() {
  packages=$(missing_packages)
  [ -n "$packages" ] || return 0
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    say "Missing: $(echo $packages). Install them (as root: apt-get install $(echo $packages)); Tests that need the lab are skipped without them."
    return 0
  fi
  say "Installing Debian packages that are missing:" $packages
  policy=/usr/sbin/policy-rc.d
  made_policy=
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' > $policy
    chmod 755 $policy
    made_policy=yes
  fi
  log=$(mktemp)
  trap '[ -z "$made_policy" ] || rm -f $policy; rm -f "$log"' EXIT
  trap 'exit 130' INT TERM
  export DEBIAN_FRONTEND=noninteractive
  # Without a network the package lists at hand may still do.
  apt-get update -qq > "$log" 2>&1 < /dev/null || :
  # shellcheck disable=SC2086
  if ! apt-get install -y -qq --no-install-recommends $packages >> "$log" 2>&1 < /dev/null; then
    tail -n 20 "$log" >&2
    say "Not installed; see above. As root, when the network is back: apt-get install" $packages
  else
    # shellcheck disable=SC2086
    disable_services $packages >> "$log" 2>&1
  fi
  rm -f "$log"
  [ -z "$made_policy" ] || rm -f $policy
  made_policy=
  trap - EXIT INT TERM
}

install_modules() {
  stamp=node_modules/.package-lock.json
  if [ ! -e $stamp ] || [ -n "$(find package-lock.json -newer $stamp)" ]; then
    say "Installing the npm packages of package-lock.json (npm ci)"
    npm ci --no-audit --no-fund --loglevel=error >&2 || {
      say "npm ci failed, see above; it needs the npm registry. Nothing else was changed."
      exit 5
    }
    touch $stamp
  fi
}

build() {
  say "Building, unless nothing changed"
  npm run --silent build >&2
}

# One preparation at a time in this clone: others wait for it, then find everything done. The kernel frees the lock with the process.
prepare() {
  exec 9< package-lock.json
  ! command -v flock >/dev/null 2>&1 || flock 9
  "$@"
  exec 9<&-
}
