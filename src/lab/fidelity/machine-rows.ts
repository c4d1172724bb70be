/** Scripts, services and machines. */
import { chapter } from './row.ts';

export const machinery = chapter(
  'Scripts, services and machines, really run',
  { parts: ['lab/emulation/', 'lab/machines/'], tests: 'lab/sites/commands' },
  [
    [
      'Order of the modules at start and halt, SG_HALT_REASON',
      'imitated',
      'A12 p.55-58, L8 p.134',
      'starts in the order of the modules and halts in the opposite one, with the reason',
    ],
    [
      'validate of every external script on every member of the package',
      'imitated',
      'L10 p.148',
      'cmcheckconf calls validate of every script on every member of the package',
    ],
    [
      'A script that times out is killed with all its children',
      'imitated',
      'A12 p.57; the process group is ours',
      'a start that outlives its time-out is killed with all it started, and switching is disabled',
    ],
    [
      'service_restart, its counter and cmmodpkg -R',
      'imitated',
      'L9 p.91, p.264',
      'a service is restarted in place as often as configured, counted, and only then the package moves',
    ],
    [
      'A service gets SIGTERM with its group, SIGKILL after service_halt_timeout',
      'imitated',
      'MAN cmhaltserv, L8 p.327',
      'a service that ignores SIGTERM is killed after its halt time-out, and its package halts only then',
    ],
    [
      'Maintenance with a service that dies',
      'imitated',
      'A1120c p.222',
      'in maintenance a dead service moves nothing, and the way out needs it healthy',
    ],
    [
      'Environment of scripts; none for services',
      'imitated',
      'L10 p.148, L9 p.91',
      'lab/sites/package > a package with an external script of its own runs, moves and halts',
    ],
    [
      'cmgetpkgenv, cmmodnet, cmrunserv, cmexec',
      'imitated',
      'L9 p.87, L6 p.290, MAN; format of cmgetpkgenv GAP',
      'reports the parameters of a package and takes services and addresses from its scripts',
    ],
    [
      'An IPv6 address is added after duplicate address detection, is not announced, and fails if another host has it',
      'ours',
      'U18 p.480 has the delay; the rest is GAP: serviceguard.md 2.6',
      'lab/failover/ipv6 > does not start where the kernel finds a duplicate, and serves from there when it is gone',
    ],
    [
      'cmexec runs a command line as root on another member, without standard input; its limits and refusals are unknown',
      'ours',
      'GH-hpe has the call; no manual found: serviceguard.md 5.12',
      'lab/access/without-root-ssh > cmexec reads without ssh, and changes nothing',
    ],
    [
      'cmgetconf prints what cmapplyconf accepts, without extra lines of the real one',
      'imitated',
      'GH-gdha',
      'a configuration that was read back can be applied again as it is',
    ],
    [
      'Losing a monitored subnet moves the package',
      'imitated',
      'A12 p.59',
      'lab/sites/package > a pulled cable moves the package, and the member may have it again when the cable is back',
    ],
    [
      'A member that crashes: noticed after MEMBER_TIMEOUT, here 2 s',
      'imitated',
      'L9 p.88; 2 s is below what cmapplyconf allows',
      'lab/failover/failovers > in random order, with one member left broken, each hold the invariants',
    ],
    [
      'A power loss leaves no file system frozen: loop devices are thawed, since all machines share one kernel',
      'ours',
      'a real kernel stops with its machine',
      'lab/failover/daemon > takes the power of a member whose file system is frozen, and it is not frozen on the next one',
    ],
    [
      'A bare host boots without systemd: /etc/init.d/cfservd start where CSYNC_CONFIGURED is 1',
      'ours',
      'names INFERRED from L09 p.27, MSW p.148',
      'lab/sites/bare > boots a host as a system without systemd: the init script, if it is configured',
    ],
    ['The safety timer of a member that loses all its networks', 'not imitated', 'csync lab crash does it by hand', null],
    [
      'vgchange: activation only where the host tag names the member',
      'imitated',
      'L9 p.119; the program is ours, not every kernel has a device mapper',
      'a volume group is activated only where its tag names the member',
    ],
    [
      'vgs, lvs, lvmconfig: names, tags, sizes; host tags, enabled in lvm.conf',
      'imitated',
      'serviceguard.md 7.1; only the queries of csync init and check, others are refused',
      'lab/verbs/check > finds nothing in a sound cluster, before and while the package runs',
    ],
  ],
);
