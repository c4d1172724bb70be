/** Codes of a copied Node.js, of `csync check` and of interruptions. */
import { code } from './entry.ts';

const serving = 'The package goes on as before, and it can still fail over.';
const noRuntime = `Nothing was changed. ${serving}`;
const other =
  'Use another binary: `csync apply --with-runtime=FILE`. bin/node of an archive from nodejs.org needs only the C library.';
const ownNode = 'Or install Node.js on the members and leave `--with-runtime` out.';
const again = 'Run the same command again: it completes the remaining steps.';

export const checkCodes = {
  'check-fencing': code(
    'different',
    'The cluster does not fence, or not every member: two members could mount the file system.',
    {
      cluster: 'The package goes on. If a member is cut off, the file system may be mounted twice and destroyed.',
      why: 'Fencing is off, no fence device is configured, no-quorum-policy is ignore, or a member could not be fenced.',
      fix: [
        'Configure a fence device for every member, and switch fencing on.',
        '`crm_verify --live-check -V` reports what is still missing.',
      ],
      example: '`stonith-enabled=false` from a test installation.',
      page: 'Pacemaker',
    },
  ),
  'change-runtime-fails': code('changeFailed', 'The copied Node.js does not run on a member.', {
    cluster: 'On that member no script of the package starts. A failover to it fails.',
    why: 'The copied Node.js is complete, but cannot be executed: a library was removed, or the CPU lacks an instruction.',
    fix: ['On the member: `PACKAGE-DIRECTORY/runtime/node --version` prints the reason.', other],
    example: 'libstdc++ was removed from m3.',
    page: 'nodejs',
  }),
  'change-runtime-unseen': code('changeFailed', 'Whether a member could run a copied Node.js is unknown.', {
    cluster: noRuntime,
    why: 'The member did not answer the question whether it could run the file.',
    fix: ['`ssh MEMBER true` must succeed.', again],
    example: 'm2 answers too slowly.',
    page: 'nodejs',
  }),
  'change-runtime-machine': code('changeFailed', 'The Node.js is a program for another kind of machine than a member.', {
    cluster: noRuntime,
    why: 'The file was built for another processor, for example arm64 instead of x86-64.',
    fix: [
      '`uname -m` on the member prints its kind.',
      other,
      'Members of different kinds: install Node.js on each, and set node_path.',
    ],
    example: 'csync runs on an arm64 laptop.',
    page: 'nodejs',
  }),
  'change-runtime-loader': code('changeFailed', 'A member lacks the loader that the Node.js needs.', {
    cluster: noRuntime,
    why: 'The file needs another C library than the member has: glibc instead of musl, or the reverse.',
    fix: [other, ownNode],
    example: 'A Node.js of Alpine on a Debian member.',
    page: 'nodejs',
  }),
  'change-runtime-space': code('changeFailed', 'A member has no room for the Node.js.', {
    cluster: noRuntime,
    why: 'A Node.js has about 100 MB, and the old one stays until the new one is proved.',
    fix: ['Make room on that member: `df -h` of the package directory.', again],
    example: '40 MB free in /usr of m2.',
    page: 'nodejs',
  }),
  'change-runtime-noexec': code('changeFailed', 'A member may not execute programs in the package directory (noexec).', {
    cluster: noRuntime,
    why: 'The file system of the package directory is mounted with noexec.',
    fix: ['Remount it: `mount -o remount,exec PATH`, and correct /etc/fstab.', ownNode],
    example: '/usr/local is mounted noexec.',
    page: 'nodejs',
  }),
  'change-runtime-lost': code('changeFailed', 'The Node.js could not be copied to a member.', {
    cluster: noRuntime,
    why: 'The copy broke off: connection lost, disk full, or the time limit of 30 minutes.',
    fix: ['Check the connection and `df -h` on the member.', again],
    example: 'A VPN that drops long transfers.',
    page: 'nodejs',
  }),
  'change-runtime-unfit': code('changeFailed', 'The Node.js was copied to a member, but does not run there.', {
    cluster: noRuntime,
    why: 'The file arrived, but did not run the scripts of the package there. The message has its output.',
    fix: [other, ownNode],
    example: 'libatomic.so.1 is missing on m3.',
    page: 'nodejs',
  }),
  'check-unreachable': code('different', 'A member could not be checked.', {
    cluster: 'The condition of this member is unknown. A failover to it may fail.',
    why: 'ssh failed or the member did not answer in time.',
    fix: ['`ssh MEMBER true`.', '`cmviewcl` shows whether the cluster sees it.', '`csync check` again.'],
    example: 'm3 is down.',
    page: 'ssh',
  }),
  'check-mount-point': code('different', 'The mount point is missing, no directory, or not empty on a member.', {
    cluster:
      'A start on this member fails. If files lie under the unmounted mount point, a daemon there could serve them, and clients could delete policy.',
    why: 'The directory is missing, is no directory, is not empty, or something is mounted there while the package is elsewhere.',
    fix: [
      'Missing: `mkdir MOUNT-POINT`.',
      'Not empty: `ls -A MOUNT-POINT`, then move the files away.',
      'Something is mounted: `fuser -vm MOUNT-POINT`, then `umount MOUNT-POINT`.',
    ],
    example: 'Someone copied the policy into /csync before the first mount.',
    page: 'runbook',
  }),
  'check-fstab': code(
    'different',
    'A line in /etc/fstab of a member mounts the policy file system; only the package may do that.',
    {
      cluster:
        'At the next boot this member mounts the policy file system by itself. Two members would then write to it and destroy it.',
      why: '/etc/fstab has a line for the device or the mount point.',
      fix: ['Delete the line, or add the option noauto.', '`systemctl daemon-reload`.'],
      example: '/dev/vg_csync/lv_csync /csync ext4 defaults.',
      page: 'runbook',
    },
  ),
  'check-other-mounts': code('different', 'The policy file system is mounted elsewhere on a member.', {
    cluster: 'The halt script could not unmount the policy file system, so a failover would fail.',
    why: 'Another file system is mounted below the mount point.',
    fix: ['`umount PATH`, and mount it elsewhere.'],
    example: 'An ISO image is mounted at /csync/iso.',
    page: 'runbook',
  }),
  'check-volume-group': code('different', 'The volume group of a member is missing, or active where the package is not.', {
    cluster: 'A start on this member fails, or two members could activate the group at once and destroy the file system.',
    why: 'The group is missing, is active where the package is not, carries an old tag, or LVM has no host tags.',
    fix: [
      'Missing: present the disks, `pvscan --cache`, `vgs`.',
      'Active here, and the package elsewhere: `vgchange -a n GROUP`.',
      'Old tag, and the package is halted: `vgchange --deltag TAG GROUP`.',
      'Host tags: `hosttags = 1` in /etc/lvm/lvm.conf.',
    ],
    example: 'systemd activated vg_csync at boot.',
    page: 'runbook',
  }),
  'check-space': code('different', 'A file system of a member is nearly full.', {
    cluster: 'Still working. A full policy file system accepts no new policy; a full package directory accepts no apply.',
    why: 'A file system of the member is nearly full.',
    fix: ['`df -h` and `du -xsh PATH/*` on the member.', 'Delete old files, or enlarge the file system.'],
    example: '/var has 12 MB left.',
    page: 'runbook',
  }),
  'check-name': code('different', 'A member resolves the DNS name or the address of the package to something else.', {
    cluster: 'If this member becomes the master, its name check fails, and old clients refuse it.',
    why: 'On this member the name or the address of the package resolves to something else. cfengine checks both directions.',
    fix: ['`getent ahostsv4 NAME` and `getent hosts ADDRESS` on the member.', 'Correct DNS or its /etc/hosts.'],
    example: '/etc/hosts of m2 still has the old address.',
    page: 'install',
  }),
  'check-network': code('different', 'A member has no interface in the subnet of the package, or an MTU that differs.', {
    cluster:
      'Without an interface in the subnet the package cannot start here. With another MTU large files are lost on the way.',
    why: 'No interface of the member is in package_subnet, or its MTU is smaller than that of the other members.',
    fix: ['`ip addr` and `ip link` on the member.', 'Correct package_subnet, or set one MTU on all members and the switch.'],
    example: 'm1 has MTU 9000, m3 has 1500.',
    page: 'install',
  }),
  'check-shared-address': code('different', 'Two members have the same address in the subnet of the package.', {
    cluster: 'Still working. The next set-up (`members sync`, `member add`) skips one of the members, or ignores the address.',
    why: 'csync and cfengine recognize a host by its address. Two members with one address would share keys and rights.',
    fix: [
      '`ip addr` on both members shows the device.',
      'Remove the address from one of them: `ip addr del ADDRESS/LENGTH dev DEVICE`.',
      'A bridge of containers or virtual machines (docker0, virbr0): configure another network for it than package_subnet.',
    ],
    example: 'virbr0 has 192.168.122.1 on every member, and package_subnet is 192.168.122.0.',
    page: 'install',
  }),
  'check-address': code('different', 'The other members reach another host at the package address.', {
    cluster: 'Some clients reach another host instead of the master. A failover does not change that.',
    why: 'Another machine uses the package address, or a switch or router keeps an old hardware address.',
    fix: [
      '`ip neigh show ADDRESS` on another member prints the hardware address; the switch shows its port.',
      'Remove the address from that host: `ip addr del ADDRESS dev DEVICE`.',
      'Then on the active member: `arping -U -c 3 -I DEVICE ADDRESS`.',
    ],
    example: 'A restored virtual machine has the old address of the master.',
    page: 'runbook',
  }),
  'check-port': code('different', 'A member cannot reach the port of the daemon on another member.', {
    cluster: 'Remote runs between these members fail. If that member is the master, this one cannot fetch policy from it.',
    why: 'A firewall drops the port, or the daemon of cfengine does not run there.',
    fix: [
      'On the other member: `ss -ltn` must show the port.',
      'From this one: `nc -vz MEMBER 5308`.',
      'Open the port in the firewall of all members.',
    ],
    example: 'firewalld of m2 has no rule for 5308/tcp.',
    page: 'install',
  }),
  'check-client-port': code('different', 'A member cannot reach the port of the daemon on clients.', {
    cluster: 'Clients still fetch policy. Only remote runs (`csync sync`) from this member fail.',
    why: 'The daemon of cfengine does not run on the client, or a firewall drops the port.',
    fix: ['On the member: `nc -vz CLIENT 5308`.', 'On the client: `systemctl status cfengine3`, and its firewall.'],
    example: 'c7 runs the agent only.',
    page: 'clients',
  }),
  'check-mtu': code('different', 'Large packets are lost between members.', {
    cluster: 'Short answers arrive, large files do not: a client of that path hangs in the middle of a copy.',
    why: 'A device on the way has a smaller MTU and drops large packets without an error message.',
    fix: [
      '`ping -M do -s 1472 MEMBER`; lower the size until it answers.',
      'Set one MTU on members and switches, or allow ICMP "fragmentation needed".',
    ],
    example: 'Jumbo frames on m1, but not on the switch.',
    page: 'install',
  }),
  'check-client-mtu': code('different', 'Large packets are lost between a member and its clients.', {
    cluster: 'These clients hang while they copy large files from the master.',
    why: 'A tunnel or router on the way drops large packets without an error message.',
    fix: [
      '`ping -M do -s 1472 CLIENT`; lower the size until it answers.',
      'Correct the MTU on the way, or allow ICMP "fragmentation needed".',
    ],
    example: 'Clients behind a VPN with MTU 1400.',
    page: 'install',
  }),
  'check-scripts': code('different', 'Scripts of the package differ between members.', {
    cluster: 'After a failover the package would run with other scripts on this member.',
    why: 'Files of the package directory differ from those of most members.',
    fix: [
      '`csync diff` shows which file is the wanted one.',
      '`csync apply` distributes it. It refuses to overwrite an edit made by hand: `csync apply --take-rendered` does.',
    ],
    example: 'm3 was down during the last apply.',
    page: 'package directory',
  }),
  'check-node': code('different', 'A member has no Node.js that is new enough.', {
    cluster: 'On this member no script of the package starts. A failover to it fails.',
    why: 'Node.js is missing, too old, or cannot be executed.',
    fix: ['`NODE-PATH --version` on the member.', 'Install Node.js there, or copy one: `csync apply --with-runtime`.'],
    example: 'm2 has Node.js 18.',
    page: 'nodejs',
  }),
  'check-toolkit': code('different', 'A member has another csync than the one that was run, or none.', {
    cluster:
      'The package is not affected: it runs its own copy of the scripts. Only pending set-ups wait, or run with another version.',
    why: 'csync is missing at `toolkit_program` of the member, cannot be run, or was not upgraded there.',
    fix: [
      '`csync toolkit status` lists the version of each member.',
      '`csync toolkit install` puts this version on every member.',
    ],
    example: 'csync was upgraded on m1 only.',
    page: 'upgrade',
  }),
  'check-daemon': code('different', 'The daemon of cfengine cannot be run on a member, or its version differs.', {
    cluster:
      'Without the daemon this member cannot be the master. With another version clients may get other behaviour after a failover.',
    why: 'cfengine is missing on the member, or its version differs from that of the others.',
    fix: [
      'Install the same version of cfengine on all members.',
      'If it is elsewhere: correct cfengine_bin_directory, then `csync apply`.',
    ],
    example: '3.21 on m1, 3.24 on m3.',
    page: 'runbook',
  }),
  'check-rules': code('different', 'The rules of cfservd (cfengine 2) on a member are dated in the future.', {
    cluster: 'If this member is the master, it refuses clients and probes at random until that time.',
    why: 'cfservd rereads a file that is newer than its last reading, and has no rules meanwhile. A file of the future is always newer.',
    fix: ['`date` on the member: correct the clock first.', '`touch` the file that the problem names.'],
    example: 'The clock was two hours ahead when the policy arrived, and was set back.',
    page: 'runbook',
  }),
  'check-selinux': code('different', 'SELinux is enforcing on this member and not on another one.', {
    cluster: 'Still working. A failover to this member may fail, or its master may serve no policy.',
    why: 'A member that only records refusals (permissive), or none, never shows what the enforcing one refuses.',
    fix: [
      'Run the package on the enforcing member once, in a maintenance window.',
      '`ausearch -m avc -ts recent` there prints what SELinux refused.',
      'Set the same mode on all members: `setenforce 1`, and SELINUX=enforcing in /etc/selinux/config.',
    ],
    example: 'setenforce 0 on m1 since an incident; m2 is enforcing.',
    page: 'hardened',
  }),
  'check-labels': code(
    'different',
    'SELinux labels of files of the package, or of the policy, are not those that programs may read.',
    {
      cluster:
        'Files of the package: a start may fail on that member. Policy: the daemon serves none of it, now or after a failover.',
      why: 'Files that were moved keep their label, and a new file system has none. A cfengine daemon that SELinux confines reads only its own label.',
      fix: [
        'Files of the package: `restorecon -v FILE`, as the problem prints it.',
        'Policy: set mount_options to `-o rw,context=system_u:object_r:cfengine_var_lib_t:s0`, then `csync apply --halt`.',
        'Or keep labels in the file system, on all members: `semanage fcontext -a -t cfengine_var_lib_t "/csync(/.*)?"`; then `restorecon -R /csync` on the active one.',
      ],
      example: 'The file system of the policy is new, so its files are unlabeled_t, and cf-serverd runs as cfengine_serverd_t.',
      page: 'hardened',
    },
  ),
  'check-fips': code('different', 'FIPS mode of a member forbids what cfengine or the member scripts do with keys.', {
    cluster:
      'Where Node.js refuses the key, no script of the package starts on that member. Where cfengine does, its daemon trusts no host.',
    why: 'The community edition of cfengine names keys by MD5, and encrypts private keys with 3DES. FIPS mode permits neither.',
    fix: [
      "Use cfengine's own packages: their OpenSSL does not follow FIPS mode of the host.",
      'Node.js: `csync apply --with-runtime=FILE`, with bin/node of nodejs.org.',
      'Or turn FIPS mode off on the members: `fips-mode-setup --disable`, then restart.',
    ],
    example: 'RHEL 9 with FIPS mode, and Node.js of the distribution.',
    page: 'hardened',
  }),
  'check-enterprise': code('different', 'A member has CFEngine Enterprise, which csync does not support.', {
    cluster: 'Its daemon does not find the keys that csync writes. It trusts no client, and no client trusts it.',
    why: 'CFEngine Enterprise names keys root-SHA=..., the community edition root-MD5=.... csync writes the latter.',
    fix: ['Install CFEngine Community on all members and clients.', 'Or keep the hub, which has a high availability of its own.'],
    example: 'cf-key -p /var/cfengine/ppkeys/localhost.pub prints SHA=....',
    page: 'hardened',
  }),
  'check-clock': code('different', 'The clock of a member differs from the others.', {
    cluster: 'Logs and timestamps of this member mislead. cfengine may copy files although they are not newer.',
    why: 'No time service runs on the member, or it cannot reach its servers.',
    fix: ['`timedatectl` and `chronyc tracking` on the member.', 'Start chronyd or ntpd on every member.'],
    example: 'm2 is 90 s behind after a suspend.',
    page: 'install',
  }),
  'check-programs': code('different', 'A member lacks a program that csync uses.', {
    cluster: 'The package can run. The message lists what does not work on this member.',
    why: 'A minimal installation lacks perl, bash or another program.',
    fix: ['Install the package of the message on that member.', '`csync check` again.'],
    example: 'RHEL minimal without perl.',
    page: 'install',
  }),
  'check-noexec': code('different', 'The file system of the package directory is mounted noexec.', {
    cluster: 'The package cannot start on this member.',
    why: 'Serviceguard executes the scripts in the package directory. noexec forbids that. /tmp and /run may be noexec.',
    fix: ['`mount -o remount,exec PATH`, and correct /etc/fstab.', 'Or set another package_directory.'],
    example: '/usr/local is mounted noexec.',
    page: 'install',
  }),
  'check-member-name': code('different', 'csync.yaml spells the name of a member differently than the cluster.', {
    cluster: 'Serviceguard refuses a package with this name. csync cannot find the member in the cluster.',
    why: 'The name has a domain or capitals in one of the two.',
    fix: ['Write the name in members as `cmviewcl` prints it.', '`csync check` again.'],
    example: 'M1.example.com in csync.yaml, m1 in the cluster.',
    page: 'install',
  }),
  'check-validate': code('different', 'The validate script fails on a member.', {
    cluster: 'A start of the package on this member fails.',
    why: 'The validate script of the applied set, which cmcheckconf also runs, found a problem on this member.',
    fix: ['Repair what the script prints; each line has its fix.', '`csync check` again.'],
    example: 'ppkeys of m3 has no private key.',
    page: 'runbook',
  }),
  'check-other-packages': code('different', 'Another package has the same address, volume group, mount point or service.', {
    cluster: 'Two packages would fight for one address, volume group or directory. One of them fails, or data is destroyed.',
    why: 'Serviceguard does not check this.',
    fix: ['`cmgetconf -p OTHER-PACKAGE` prints the other one.', 'Change the value in csync.yaml or in the other package.'],
    example: 'Package nfs mounts at /csync/data.',
    page: 'Serviceguard',
  }),
  interrupted: code('interrupted', 'You interrupted the verb.', {
    cluster: 'Files are old or new, never half. A step that ran on a member may still finish there.',
    why: 'You pressed Ctrl-C, closed the terminal, or did not confirm.',
    fix: [again, '`csync VERB --dry-run` prints what remains.'],
    example: 'Ctrl-C during `csync apply`.',
    page: 'verbs',
  }),
  'interrupted-sync': code('interrupted', 'You interrupted the start of agents; agents that were started go on.', {
    cluster: 'The policy is not affected. Agents that were started run to their end.',
    why: 'You interrupted `csync sync`. The message has the number of hosts that did not run.',
    fix: ['`csync sync` starts all agents again; agents that run already are skipped by their own lock.'],
    example: 'Ctrl-C after 40 of 200 hosts.',
    page: 'members',
  }),
  'interrupted-recover': code('interrupted', 'You interrupted a recovery; its remaining steps are listed.', {
    cluster: 'The cleanup is incomplete. The package may not start until it is complete.',
    why: 'You interrupted `csync recover`. The message lists the remaining steps.',
    fix: ['Run `csync recover` again.'],
    example: 'Ctrl-C while it waited for a member.',
    page: 'runbook',
  }),
  'interrupted-remove': code('interrupted', 'You interrupted a removal; its remaining steps are listed.', {
    cluster: 'The package may be halted, but not deleted yet. The message lists the remaining steps.',
    why: 'You interrupted `csync remove`.',
    fix: ['Run `csync remove` again. To keep the package: `cmmodpkg -e PACKAGE`.'],
    example: 'Ctrl-C after the halt.',
    page: 'runbook',
  }),
  'interrupted-maintenance': code('interrupted', 'You interrupted a change of maintenance; its remaining steps are listed.', {
    cluster: 'Maintenance may be on: then a failure of the daemon causes no failover.',
    why: 'You interrupted `csync maintenance`. The message lists the remaining steps.',
    fix: ['`csync status` shows whether the monitor pauses.', 'Run the same command again, or `csync maintenance off`.'],
    example: 'Ctrl-C during `csync maintenance on`.',
    page: 'maintenance',
  }),
  'check-alerts': code('different', 'Hooks that report events are missing, not run, fail, or differ between members.', {
    cluster: 'None: the package serves and fails over. An event may be unreported.',
    why: '`csync alert run` records what it finds on each member: files in `alert_directory` that other users can change, results of hooks, its own last run.',
    fix: [
      'Correct what the message names, on that member.',
      '`systemctl enable --now csync-alerts.timer` on a member where csync alert run does not run.',
      '`csync alert test` tries the hooks of every member.',
    ],
    example: 'A hook on m2 was edited by hand.',
    page: 'alerts',
  }),
};
