/**
 * The exit status follows from the consequence, not the cause [serviceguard.md 3.3]. Start 1: no other member can start the package either;
 * start 2: try another member. Halt 1: this member still holds the policy file system.
 */
import type { LogMessage } from '../base/log-line.ts';
import { sentence } from './messages.ts';

export interface FailureRow {
  readonly start: 1 | 2;
  readonly means: string;
  /** With {member} and {package}. */
  readonly remedy: string;
}

export const failureTable = {
  'settings-damaged': {
    start: 2,
    means: 'this member cannot run the package; another member with sound files can',
    remedy: 'copy the package directory from a sound member, then cmmodpkg -e -n {member} {package}',
  },
  'mount-point-missing': {
    start: 2,
    means: 'the policy file system cannot be mounted on this member',
    remedy: 'make the empty directory, then cmmodpkg -e -n {member} {package}',
  },
  'mount-point-busy': {
    start: 2,
    means: 'the policy file system is not mounted over other files, so nothing was damaged',
    remedy: 'fuser -vm shows who uses it; umount the file system at the mount point, then cmmodpkg -e -n {member} {package}',
  },
  'mount-point-not-empty': {
    start: 2,
    means: 'while nothing is mounted there, clients could get the stale files under the mount point',
    remedy: 'move the files away (chattr -i the directory first), then cmmodpkg -e -n {member} {package}',
  },
  'program-missing': {
    start: 2,
    means: 'this member cannot be the master',
    remedy: 'install cfengine here or correct cfengine_bin_directory, then cmmodpkg -e -n {member} {package}',
  },
  'keys-unusable': {
    start: 2,
    means: 'the daemon of this member would refuse every client',
    remedy:
      "csync members sync installs a missing pair; else put the cluster's key pair into ppkeys (directory 0700, files 0600) and restart the daemon; then cmmodpkg -e -n {member} {package}",
  },
  'not-mounted': {
    start: 2,
    means: 'the policy file system of this member is not the one of the package',
    remedy: 'see the package log for the mount, then cmmodpkg -e -n {member} {package}',
  },
  'no-address': {
    start: 2,
    means: 'clients cannot reach this member at the package address',
    remedy: 'see the package log for the address, then cmmodpkg -e -n {member} {package}',
  },
  'address-conflict': {
    start: 2,
    means: 'some clients reach that host instead of the master, and a failover does not change it',
    remedy:
      'find the host by its hardware address (ip neigh, the switch), remove the address there (ip addr del), then with IPv4 on {member}: arping -U -c 3 -I INTERFACE ADDRESS',
  },
  'group-not-activated': {
    start: 1,
    means: 'the policy file system is unreachable, and it is not clear which member holds it',
    remedy: 'vgs -o vg_name,vg_tags shows the holder; vgchange --deltag the member that is down, then cmmodpkg -e {package}',
  },
  'group-not-deactivated': {
    start: 1,
    means: 'no other member can activate the volume group while this member has it',
    remedy: 'csync recover shows and cleans up what {member} still holds; then cmmodpkg -e {package}',
  },
  'fsck-failed': {
    start: 1,
    means: 'the policy file system is damaged, for every member',
    remedy: 'fsck the device by hand, then cmmodpkg -e {package}',
  },
  'mount-failed': {
    start: 1,
    means: 'the policy cannot be served',
    remedy: 'see the package log for the error of mount, then cmmodpkg -e {package}',
  },
  'address-not-added': {
    start: 1,
    means: 'clients cannot reach a master',
    remedy: 'see the package log for the error of cmmodnet (subnet, duplicate address), then cmmodpkg -e {package}',
  },
  'address-not-removed': {
    start: 1,
    means: 'clients still reach this member, which is no longer the master',
    remedy: 'csync recover shows and cleans up what {member} still holds; then cmmodpkg -e {package}',
  },
  'customer-failed': {
    start: 1,
    means: "the administrator's commands of the package failed",
    remedy: 'repair customer-defined in the package directory, then cmmodpkg -e {package}',
  },
  'service-not-started': {
    start: 1,
    means: 'no monitor would notice the exit of the daemon',
    remedy: 'see the package log for the error of cmrunserv, then cmmodpkg -e {package}',
  },
  'service-not-halted': {
    start: 2,
    means: 'Serviceguard kills the rest of the service',
    remedy: 'none needed, unless the service keeps running: cmhaltserv prints why',
  },
  'port-occupied': {
    start: 2,
    means: "cfengine's daemon cannot listen on this member",
    remedy: 'stop the other program or change its port, then cmmodpkg -e -n {member} {package}',
  },
  'daemon-dead': {
    start: 2,
    means: 'this member cannot be the master',
    remedy: 'start the daemon by hand and read its output, then cmmodpkg -e -n {member} {package}',
  },
  'policy-missing': {
    start: 1,
    means: 'no member can serve a policy that is not on the policy file system',
    remedy: 'copy the policy there (cmmodpkg -m on {package} allows a partial start), then cmmodpkg -e {package}',
  },
  'sentinel-unwritable': {
    start: 2,
    means: 'clients are served, but this promotion has no mark and no policy can be published',
    remedy: 'free space on the policy file system, or check it; csync status shows how full it is',
  },
  'role-unproved': {
    start: 2,
    means: 'the daemon does not serve the policy through the package address',
    remedy:
      "check its access rules, and that ppkeys has this member's own public key as trusted, then cmmodpkg -e -n {member} {package}",
  },
  'still-held': {
    start: 2,
    means: 'the package cannot start on another member while this member holds the policy file system',
    remedy: 'fuser -vm the mount point, kill the processes that use it, umount it, then cmmodpkg -e {package}',
  },
  'mount-copied': {
    start: 2,
    means: 'the volume group stays in use, so the halt fails and the package starts nowhere else',
    remedy: 'stop that container or service; then umount, and cmmodpkg -e {package}',
  },
  'clients-connected': {
    start: 2,
    means: 'a connected client may hang for up to 30 s before it asks the next master',
    remedy: 'none needed; a kernel with INET_DIAG_DESTROY and ss from iproute2 avoids it',
  },
  'name-unresolved': {
    start: 2,
    means: 'clients that use the name do not find the master',
    remedy: 'register the name for the package address in DNS',
  },
  'others-may-change': {
    start: 2,
    means: 'that user can run any command as root on this member',
    remedy:
      'check the files, then chown root and chmod go-w each one (of a directory: its owner can replace everything in it); csync check',
  },
  'policy-invalid': {
    start: 2,
    means: "the daemon of this member would run without the administrator's policy",
    remedy: 'new cluster: csync members sync; else correct the policy in inputs: the parser named above prints the line',
  },
} as const satisfies Record<string, FailureRow>;

export type FailureCode = keyof typeof failureTable;

export interface Finding {
  readonly code: FailureCode;
  readonly text: string;
}

export function failureMessage({ code, text }: Finding, member: string, packageName: string): LogMessage {
  const { means, remedy } = failureTable[code];
  const fix = remedy.replaceAll('{member}', member).replaceAll('{package}', packageName);
  return { code, text: `${text}. ${sentence(means)}. Fix: ${fix}` };
}
