/** Codes in package log and syslog. Their meaning for the cluster: member/failures.ts. */

import type { Explanation } from '../base/codes/entry.ts';
import type { FailureCode } from '../member/failures.ts';

/** In a sentence; the log has names. */
type MemberExplanation = Omit<Explanation, 'cluster'> & { readonly text: string };

const enable = 'Then let the package start there again: `cmmodpkg -e -n MEMBER PACKAGE`.';
const restart = 'Then start it: `cmmodpkg -e PACKAGE`.';
const log = 'Read the message of the command in the package log (script_log_file): `tail -50 $SGRUN/log/PACKAGE.log`.';

export const memberCodes: Readonly<Record<FailureCode, MemberExplanation>> = {
  'settings-damaged': {
    text: 'The settings of the set in the package directory of this member are missing or damaged.',
    why: 'An incomplete copy, a full disk, or an edit by hand. Each set has a digest, and this one does not match.',
    fix: ['`csync apply` from any member distributes the files again.', enable],
    example: 'The package directory of m2 was restored from an old backup.',
    page: 'package directory',
  },
  'mount-point-missing': {
    text: 'The mount point of the policy file system does not exist on this member.',
    why: 'The directory was never made there, or was deleted.',
    fix: ['`mkdir -m 0755 MOUNT-POINT` on that member.', enable],
    example: 'm3 was reinstalled.',
    page: 'runbook',
  },
  'mount-point-busy': {
    text: 'Another file system is mounted at the mount point.',
    why: 'A mount by hand, or a line in /etc/fstab.',
    fix: ['`findmnt MOUNT-POINT` shows what it is, `fuser -vm MOUNT-POINT` who uses it.', '`umount MOUNT-POINT`.', enable],
    example: 'An administrator mounted the volume to read a file.',
    page: 'runbook',
  },
  'mount-point-not-empty': {
    text: 'Files lie in the mount point directory while nothing is mounted there.',
    why: 'Someone copied files there before the mount, or a program wrote there while the package was elsewhere.',
    fix: [
      '`ls -lA MOUNT-POINT`, and move the files away. If that is refused: `chattr -i MOUNT-POINT` first.',
      'Policy that you need: put it on the active member with `csync policy commit`.',
      enable,
    ],
    example: 'A restore wrote the policy to /csync of a standby member.',
    page: 'policy',
  },
  'program-missing': {
    text: 'A program of cfengine cannot be executed on this member.',
    why: 'cfengine is not installed there, or is in another directory than cfengine_bin_directory.',
    fix: ['Install the same version as on the other members.', 'Or correct cfengine_bin_directory, then `csync apply`.', enable],
    example: 'An operating system update removed cfengine3 from m3.',
    page: 'runbook',
  },
  'keys-unusable': {
    text: 'The key pair of the cluster is missing on this member, damaged, or readable by others.',
    why: 'All members share one key pair. A member with another one would be refused by every client.',
    fix: [
      'New cluster: `csync members sync`.',
      '`csync keys list` and `csync keys verify`.',
      '`csync member add MEMBER` installs the pair again.',
      enable,
    ],
    example: '`cf-key` was run on m2 and replaced the pair.',
    page: 'keys',
  },
  'not-mounted': {
    text: 'The policy file system is not mounted, or another device or type is mounted.',
    why: 'Serviceguard mounts it before the start script; that failed or was undone.',
    fix: [log, '`findmnt MOUNT-POINT`, `vgs`, `lvs`.', enable],
    example: 'The logical volume was renamed.',
    page: 'runbook',
  },
  'no-address': {
    text: 'The package address is not on this member.',
    why: 'Serviceguard adds it before the start script; the network of the member has no such subnet, or it was removed.',
    fix: [log, '`ip addr` on that member.', enable],
    example: 'The network card of m2 is down.',
    page: 'runbook',
  },
  'address-conflict': {
    text: 'Another host answers at the package address.',
    why: 'A machine has the address configured, mostly a restored virtual machine or the old master.',
    fix: [
      'On another member: `ip neigh show ADDRESS`. Find the hardware address at the switch.',
      'Remove the address there: `ip addr del ADDRESS dev DEVICE`.',
      'On the active member: `arping -U -c 3 -I DEVICE ADDRESS`. Neighbours of an IPv6 address notice it within a minute.',
    ],
    example: 'The old master was switched on again.',
    page: 'runbook',
  },
  'group-not-activated': {
    text: 'The volume group could not be activated.',
    why: 'Another member holds it (host tag), disks are missing, or LVM failed.',
    fix: [
      '`vgs -o vg_name,vg_tags GROUP` shows the member that holds it.',
      'If that member is certainly down: `vgchange --deltag TAG GROUP`. If it runs, do not: two members would destroy the file system.',
      restart,
    ],
    example: 'm1 lost power and left its tag on vg_csync.',
    page: 'runbook',
  },
  'group-not-deactivated': {
    text: 'The volume group could not be deactivated in a halt.',
    why: 'A process or a mount still uses a logical volume.',
    fix: ['`csync recover` shows and removes the leftovers.', restart],
    example: 'A backup reads the device.',
    page: 'runbook',
  },
  'fsck-failed': {
    text: 'The check of the policy file system found errors that it may not repair alone.',
    why: 'Disk errors, or two members had it mounted at once.',
    fix: [
      'On one member: `vgchange --addtag MEMBER GROUP`, `vgchange -a y GROUP`, `fsck -n DEVICE`, then `fsck DEVICE`.',
      'If it is lost: mkfs and restore the policy from your backup.',
      restart,
    ],
    example: 'The storage array failed during a write.',
    page: 'runbook',
  },
  'mount-failed': {
    text: 'mount failed for the policy file system.',
    why: 'Wrong type, damaged file system, or wrong device.',
    fix: [log, '`blkid DEVICE` and `fsck -n DEVICE`.', restart],
    example: 'csync.yaml says ext4, the device has xfs.',
    page: 'runbook',
  },
  'address-not-added': {
    text: 'cmmodnet could not add the package address.',
    why: 'The subnet is not monitored by the cluster, or another host has the address.',
    fix: [log, '`cmviewcl -v` lists the subnets. `arping -D -c 3 -I DEVICE ADDRESS` finds a second owner.', restart],
    example: 'The old master still has the address.',
    page: 'runbook',
  },
  'address-not-removed': {
    text: 'cmmodnet could not remove the package address in a halt.',
    why: 'The cluster daemon of the member does not answer, or the address was changed by hand.',
    fix: ['`csync recover` removes it.', restart],
    example: 'cmcld was killed.',
    page: 'runbook',
  },
  'customer-failed': {
    text: 'Your own script customer-defined failed.',
    why: 'The script exited with another status than 0, or timed out.',
    fix: ['Run it by hand on that member: `PACKAGE-DIRECTORY/customer-defined run`.', 'Repair it on all members.', restart],
    example: 'A mount of NFS in customer-defined hangs.',
    page: 'package directory',
  },
  'service-not-started': {
    text: 'cmrunserv could not start the monitor.',
    why: 'The service name differs from the package file, or the service command cannot be executed.',
    fix: [log, '`csync diff` compares the files of the members.', restart],
    example: 'csync.sh has no execute permission.',
    page: 'runbook',
  },
  'service-not-halted': {
    text: 'cmhaltserv failed for the monitor.',
    why: 'The monitor had exited before, or Serviceguard did not answer in time.',
    fix: [
      'Mostly nothing: Serviceguard kills the remaining processes.',
      'If a monitor still runs: `cmhaltserv SERVICE` prints the reason.',
    ],
    example: 'A halt right after the daemon died.',
    page: 'runbook',
  },
  'port-occupied': {
    text: 'Another program listens on the port of the cfengine daemon.',
    why: 'A second cf-serverd, or another service with port 5308.',
    fix: ['`ss -ltnp sport = :5308` on that member shows it.', 'Stop it, then start the daemon: `csync-cfservd start`.', enable],
    example: 'A cf-serverd that was started by hand with other inputs.',
    page: 'runbook',
  },
  'daemon-dead': {
    text: 'The cfengine daemon does not run and could not be started.',
    why: 'Its policy or keys are refused, or its work directory is full.',
    fix: [
      'On that member: `cf-serverd -F -v` prints the reason (cfengine 2: `cfservd -F -v`).',
      '`df` of the work directory.',
      enable,
    ],
    example: '/var is full.',
    page: 'runbook',
  },
  'policy-missing': {
    text: 'The policy directory on the policy file system is missing or empty.',
    why: 'The file system is new, or the directory was renamed or deleted.',
    fix: [
      'New cluster: `csync members sync` writes the first policy.',
      'Lost policy: `cmmodpkg -m on PACKAGE` allows a partial start. Restore your backup into the policy directory, then `cmmodpkg -m off PACKAGE`.',
      restart,
    ],
    example: 'policy_directory in csync.yaml names another directory.',
    page: 'restore',
  },
  'sentinel-unwritable': {
    text: 'The mark of this promotion could not be written to the policy file system.',
    why: 'The file system is full or read-only.',
    fix: [
      '`csync status` shows how full it is. `mount | grep MOUNT-POINT` shows ro after disk errors.',
      'Make room, or repair the disk and let the package fail over.',
    ],
    example: 'A user stored ISO images in the policy directory.',
    page: 'policy',
  },
  'role-unproved': {
    text: 'The start asked the daemon through the package address, as a client does, and got no policy.',
    why: 'The access rules refuse it, the key is not trusted, SELinux refuses the file to the daemon, or the daemon hangs.',
    fix: [
      'If the message names SELinux: `csync check` prints the labels and their fix.',
      '`csync keys verify`.',
      '`csync member add MEMBER` repairs keys and rules.',
      enable,
    ],
    example: 'An edited access rule in site.cf shuts out the member.',
    page: 'runbook',
  },
  'still-held': {
    text: 'After a halt the policy file system is still mounted on this member.',
    why: 'A process uses a file there and cannot be killed, mostly because the disk hangs.',
    fix: [
      '`fuser -vm MOUNT-POINT`; end those processes, `umount MOUNT-POINT`.',
      'Or `csync recover`. If the disk hangs: reboot the member.',
      restart,
    ],
    example: 'An NFS export of the policy directory.',
    page: 'runbook',
  },
  'mount-copied': {
    text: 'A container or a service has a copy of the mount of the policy file system, and it could not be unmounted there.',
    why: 'It was started with private mounts while the policy file system was mounted, and its namespace has no umount.',
    fix: [
      '`grep -l MOUNT-POINT /proc/[0-9]*/mountinfo` shows its processes; stop that container or service.',
      'For later: start it with rslave propagation (podman and docker: `-v PATH:PATH:rslave`), or without the mount point.',
      restart,
    ],
    example: 'A container with `-v /:/host` on the active member.',
    page: 'runbook',
  },
  'clients-connected': {
    text: 'Connections of clients could not be reset when the address was removed.',
    why: 'The kernel has no INET_DIAG_DESTROY, or ss is missing.',
    fix: ['Nothing is required.', 'For shorter waits: install iproute2, and use a kernel with INET_DIAG_DESTROY.'],
    example: 'A minimal kernel on the members.',
    page: 'no master',
  },
  'name-unresolved': {
    text: 'This member cannot resolve the DNS name of the package, or resolves it to something else.',
    why: 'DNS does not answer, or the record is missing or old.',
    fix: [
      '`getent ahostsv4 NAME` on the member.',
      'Register the name for the package address in DNS, or in /etc/hosts of all hosts.',
    ],
    example: 'The DNS server is down during a failover.',
    page: 'runbook',
  },
  'others-may-change': {
    text: 'Other users can change a file that root runs or reads on this member.',
    why: 'A file or directory belongs to another user, or group or others may write it.',
    fix: [
      'Read the file first: was it changed?',
      '`chown root PATH`, `chmod go-w PATH` for each path that is named.',
      '`csync check`.',
    ],
    example: '/usr/local is group-writable.',
    page: 'threat model',
  },
  'policy-invalid': {
    text: 'The parser of cfengine refuses the inputs of this member.',
    why: 'A file in inputs was edited by hand, or a commit from outside of csync changed the policy.',
    fix: [
      'New cluster: `csync members sync` writes the policy.',
      'On the member: `cf-promises -f PATH` shows file and line.',
      'Correct it with `csync policy commit`; the agent copies it to the member.',
    ],
    example: 'A missing brace in site.cf.',
    page: 'policy',
  },
};
