import { chapter } from './row.ts';

export const eventTable = chapter('Failures of a failover package', { parts: ['lab/manager/'], tests: 'pure/lab/lab-events' }, [
  [
    'Service fails, restarts used up, service_fail_fast_enabled: the member reboots, the package starts elsewhere',
    'imitated',
    'A12 p.59',
    'service fails, fail fast',
  ],
  [
    'Service fails, restarts used up: halt script, member disabled, package starts elsewhere',
    'imitated',
    'A12 p.59',
    'service fails',
  ],
  ['Run script exit 1: switching disabled', 'imitated', 'A12 p.59, L9 p.67', 'run script exit 1'],
  ['Run script exit 2: member disabled, another is tried', 'imitated', 'A12 p.59', 'run script exit 2'],
  ['Run script exit 2 with node_fail_fast_enabled: the member reboots', 'imitated', 'A12 p.59', 'run script exit 2, fail fast'],
  ['Run script exits with another number: as 1', 'ours', 'INFERRED', 'run script exits with another number'],
  ['Run script times out: killed, switching disabled', 'imitated', 'A12 p.57-59', 'run script timeout'],
  [
    'Run script times out with node_fail_fast_enabled: the member reboots',
    'imitated',
    'A12 p.59',
    'run script timeout, fail fast',
  ],
  [
    'A time-out also disables the member',
    'ours',
    'CONFLICT A1120b p.172 against A12 p.57; an option, off',
    'with the option, a script that times out switches the member off too',
  ],
  ['Halt script exit 1: services killed, switching disabled, member not', 'imitated', 'A12 p.58', 'halt script exit 1'],
  ['Halt script exit 2: may run elsewhere', 'imitated', 'A12 p.59', 'halt script exit 2'],
  [
    'Halt script exit 2 with node_fail_fast_enabled: the member reboots',
    'ours',
    'the table has no such row',
    'halt script exit 2, fail fast',
  ],
  ['Halt script exit 3: package stays partially_down, switching disabled', 'imitated', 'A1120b p.210', 'halt script exit 3'],
  [
    'cmhaltpkg -f gets past an aborted halt',
    'imitated',
    'L9 p.238, A1120b p.210',
    'pure/lab/lab-requests > after an aborted halt only -f gets the package down',
  ],
  ['Halt script times out: killed, switching disabled', 'imitated', 'A12 p.59', 'halt script timeout'],
  [
    'Halt script times out with node_fail_fast_enabled: reboot; elsewhere unless it was cmhaltpkg',
    'imitated',
    'A12 p.59',
    'halt script timeout, fail fast, after cmhaltpkg',
  ],
  [
    'Monitored subnet lost: package moves, may come back with the subnet',
    'imitated',
    'A12 p.59',
    'a monitored subnet that comes back makes the member eligible again',
  ],
  [
    'Monitored subnet lost with node_fail_fast_enabled: the member reboots',
    'imitated',
    'A12 p.59',
    'monitored subnet lost, fail fast',
  ],
  [
    'Service failure with switching disabled: the package just halts',
    'imitated',
    'A12 p.70',
    'with switching disabled a service failure halts the package and nothing more',
  ],
  [
    'Service restarts in place are counted and limited',
    'imitated',
    'L9 p.91, p.264',
    'is restarted in place as often as service_restart says, then the package fails',
  ],
  ['cmmodpkg -R -s resets the restart counter', 'imitated', 'L9 p.264', 'cmmodpkg -R -s sets the counter back'],
  [
    'A service that dies during the start is judged after the start',
    'ours',
    'GAP',
    'a service that dies while the start still runs is judged when the start has ended',
  ],
  ['Generic resources', 'not imitated', 'refused by cmcheckconf', null],
  ['Dependencies between packages', 'not imitated', 'refused by cmcheckconf', 'pure/lab/lab-check > refuses or warns about: %s'],
  ['Multi-node and system multi-node packages, weights, sites', 'not imitated', 'refused by cmcheckconf', null],
]);

export const placement = chapter('Where a package runs', { parts: ['lab/manager/'], tests: 'pure/lab/lab-events' }, [
  [
    'configured_node: first eligible member of node_name',
    'imitated',
    'L10 p.61, p.209',
    'configured_node takes the first eligible member of node_name',
  ],
  [
    'min_package_node: fewest packages, ties in list order',
    'imitated',
    'L10 p.209; ties INFERRED',
    'min_package_node takes the eligible member with the fewest packages',
  ],
  [
    'Automatic failback to the primary member',
    'imitated',
    'L9 p.60',
    'automatic failback brings the package home when the primary member joins',
  ],
  ['Manual failback leaves the package', 'imitated', 'L10 p.210', 'manual failback leaves the package where it is'],
  [
    'A manual move leaves switching disabled',
    'imitated',
    'L7 p.238, L9 p.235',
    'pure/lab/lab-requests > a manual move leaves switching disabled until cmmodpkg -e',
  ],
  [
    'A disabled member is refused',
    'imitated',
    'GH-wiki',
    'pure/lab/lab-requests > cmrunpkg refuses a member the package is switched off for, in the words of the real command',
  ],
  [
    'The log names the recovery of a stranded package',
    'ours',
    'the lab logs it where the product shows flags',
    'pure/lab/lab-properties > leads back to a served package by the commands the log names, once faults stop',
  ],
]);

export const maintenance = chapter('Maintenance mode', { parts: ['lab/manager/'], tests: 'pure/lab/lab-requests' }, [
  [
    'Needs switching disabled; a member for a package that is down',
    'imitated',
    'A1120c p.222',
    'needs switching disabled and, for a package that is down, a member',
  ],
  ['Failures are ignored', 'imitated', 'A1120c p.222', 'failures are ignored and the package stays'],
  ['Can only be left healthy or halted', 'imitated', 'A1120c p.222', 'cannot be left while a service is down'],
  ['Partial start with cmrunpkg -m and -e', 'imitated', 'L9 p.237-238', 'partial start up to a module, on the one member only'],
]);
