/**
 * Every way a member script can fail, and what the cluster makes of it. The exit status follows from the consequence, not from the cause
 * [serviceguard.md 3.3]: start 1 = no other member can start the package either, 2 = try another member; halt 1 = the policy file system is
 * still held here.
 */
import type { LogMessage } from '../base/log-line.ts';
import { sentence } from './messages.ts';

export interface FailureRow {
  /** Exit status of a start. */
  readonly start: 1 | 2;
  /** What it means for the cluster. */
  readonly means: string;
  /** The command or edit that fixes it; {member} and {package} are filled in. */
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
    means: 'the policy file system is not mounted over what is there, so nothing was harmed',
    remedy: 'see fuser -vm and umount what is mounted there, then cmmodpkg -e -n {member} {package}',
  },
  'mount-point-not-empty': {
    start: 2,
    means: 'clients could be served, and purged by, stale files under the mount point whenever it is not mounted',
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
      "put the cluster's key pair into ppkeys (directory 0700, files 0600), restart the daemon, then cmmodpkg -e -n {member} {package}",
  },
  'not-mounted': {
    start: 2,
    means: 'the policy file system is not what it must be on this member',
    remedy: 'see the package log for the mount, then cmmodpkg -e -n {member} {package}',
  },
  'no-address': {
    start: 2,
    means: 'clients cannot reach this member under the package address',
    remedy: 'see the package log for the address, then cmmodpkg -e -n {member} {package}',
  },
  'address-conflict': {
    start: 2,
    means: 'some clients reach that host in place of the master, and a failover does not change it',
    remedy:
      'find the host by its hardware address (ip neigh, the switch), take the address off it (ip addr del), then on {member}: arping -U -c 3 -I CARD ADDRESS',
  },
  'group-not-activated': {
    start: 1,
    means: 'the policy file system cannot be reached, and which member holds it is not clear',
    remedy: 'see vgs -o vg_name,vg_tags; vgchange --deltag the member that is gone, then cmmodpkg -e {package}',
  },
  'group-not-deactivated': {
    start: 1,
    means: 'no other member may activate the volume group as long as this one has it',
    remedy: 'csync recover   shows what is left on {member} and cleans it up; then cmmodpkg -e {package}',
  },
  'fsck-failed': {
    start: 1,
    means: 'the policy file system is damaged, for every member',
    remedy: 'fsck the device by hand, then cmmodpkg -e {package}',
  },
  'mount-failed': {
    start: 1,
    means: 'the policy cannot be served',
    remedy: 'see the package log for what mount says, then cmmodpkg -e {package}',
  },
  'address-not-added': {
    start: 1,
    means: 'clients cannot reach a master',
    remedy: 'see the package log for what cmmodnet says (subnet, duplicate address), then cmmodpkg -e {package}',
  },
  'address-not-removed': {
    start: 1,
    means: 'clients would go on asking this member, which is no master any more',
    remedy: 'csync recover   shows what is left on {member} and cleans it up; then cmmodpkg -e {package}',
  },
  'customer-failed': {
    start: 1,
    means: "the administrator's own part of the package failed",
    remedy: 'repair customer-defined in the package directory, then cmmodpkg -e {package}',
  },
  'service-not-started': {
    start: 1,
    means: 'nobody would notice the end of the daemon',
    remedy: 'see the package log for what cmrunserv says, then cmmodpkg -e {package}',
  },
  'service-not-halted': {
    start: 2,
    means: 'Serviceguard ends what is left of it',
    remedy: 'none is needed, unless it goes on running: cmhaltserv tells why',
  },
  'port-occupied': {
    start: 2,
    means: "cfengine's daemon cannot listen on this member",
    remedy: 'end the other program or give it another port, then cmmodpkg -e -n {member} {package}',
  },
  'daemon-dead': {
    start: 2,
    means: 'this member cannot be the master',
    remedy: 'start the daemon by hand and read what it says, then cmmodpkg -e -n {member} {package}',
  },
  'policy-missing': {
    start: 1,
    means: 'no member can serve a policy that is not on the policy file system',
    remedy: 'put the policy there (cmmodpkg -m on {package} allows a partial start), then cmmodpkg -e {package}',
  },
  'sentinel-unwritable': {
    start: 2,
    means: 'clients are served, but this promotion has no mark, and no policy can be published',
    remedy: 'make room on the policy file system, or check it; csync status shows how full it is',
  },
  'role-unproved': {
    start: 2,
    means: 'the daemon does not serve the policy through the package address',
    remedy:
      "check its access rules and that this member's own public key is trusted in ppkeys, then cmmodpkg -e -n {member} {package}",
  },
  'still-held': {
    start: 2,
    means: 'the package cannot start elsewhere as long as this member holds the policy file system',
    remedy: 'fuser -vm the mount point, end what holds it, umount it, then cmmodpkg -e {package}',
  },
  'clients-connected': {
    start: 2,
    means: 'a client that is connected may hang for up to 30 s before it asks the next master',
    remedy: 'none is needed; a kernel with INET_DIAG_DESTROY and ss from iproute2 avoid it',
  },
  'name-unresolved': {
    start: 2,
    means: 'clients that look the master up by name do not find it',
    remedy: 'register the name for the package address in DNS',
  },
  'others-may-change': {
    start: 2,
    means: 'whoever that is can have anything done as root on this member',
    remedy:
      'look at what lies there, then chown root and chmod go-w what is named (a directory: whoever writes to it can exchange all in it); csync check',
  },
  'policy-invalid': {
    start: 2,
    means: "the daemon of this member would run without the administrator's policy",
    remedy: 'correct the policy in inputs; the parser named above shows the line',
  },
} as const satisfies Record<string, FailureRow>;

export type FailureCode = keyof typeof failureTable;

/** Something that is not as it must be. */
export interface Finding {
  readonly code: FailureCode;
  /** What was seen, with names. */
  readonly text: string;
}

/** Finding, consequence and fix, for the log. */
export function failureMessage({ code, text }: Finding, member: string, packageName: string): LogMessage {
  const { means, remedy } = failureTable[code];
  const fix = remedy.replaceAll('{member}', member).replaceAll('{package}', packageName);
  return { code, text: `${text}. ${sentence(means)}. Fix: ${fix}` };
}
