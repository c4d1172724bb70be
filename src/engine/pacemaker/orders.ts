/** For an administrator's orders, with Pacemaker's own tools. */
import type { Argv, Orders } from '../engine.ts';

const set = (name: string, parameter: string, value: string): Argv => [
  ...['crm_resource', '--resource', name, '--meta', '--set-parameter', parameter, '--parameter-value', value],
];
/** Until every action that follows is complete. */
export const settled: Argv = ['crm_resource', '--wait', '--timeout=600s'];
const cleanup = (name: string, member: string): Argv => ['crm_resource', '--resource', name, '--cleanup', '--node', member];

export const orders: Orders = {
  switchOn: (name) => [set(name, 'target-role', 'Started')],
  // It keeps running, and no failure is acted on.
  switchOff: (name) => [set(name, 'is-managed', 'false')],
  // Failures there are forgotten.
  switchMembersOn: (name, members) => members.map((member) => cleanup(name, member)),
  switchMembersOff: (name, members) => members.map((member) => ['crm_resource', '--resource', name, '--ban', '--node', member]),
  // The preference of the move would outlive it, also for 15 minutes where this is killed.
  run: (name, member) => [
    ['crm_resource', '--resource', name, '--move', '--node', member, '--lifetime=PT15M'],
    set(name, 'target-role', 'Started'),
    settled,
    ['crm_resource', '--resource', name, '--clear', '--node', member],
  ],
  halt: (name) => [set(name, 'target-role', 'Stopped'), settled],
  // A failure that was recorded meanwhile would move the group at the end of the mode.
  maintenance: (name, mode) =>
    mode === 'on'
      ? [set(name, 'maintenance', 'true')]
      : [
          ['crm_resource', '--resource', name, '--cleanup'],
          ['crm_resource', '--resource', name, '--meta', '--delete-parameter', 'maintenance'],
        ],
  // The cluster stays there, without resources.
  haltMember: (member) => [['crm_standby', '--node', member, '--update', 'on']],
  runMember: (member) => [['crm_standby', '--node', member, '--delete']],
  forget: (name) => [
    ['cibadmin', '--delete-all', '--force', '--xpath', `//constraints/rsc_location[@rsc='${name}']`],
    ['cibadmin', '--delete', '--xpath', `//group[@id='${name}']`],
  ],
  releaseAddress: (address) => [['sh', '-c', release, address]],
};

const release =
  'ip -o address show to "$0" | while read -r _ device _ found _; do ip address delete "$found" dev "$device"; done';
