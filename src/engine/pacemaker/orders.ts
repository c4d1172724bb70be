/** For an administrator's orders, with Pacemaker's own tools. */
import type { Orders } from '../engine.ts';

type Known = 'switchMembersOn' | 'haltMember' | 'runMember';

export const orders: Pick<Orders, Known> = {
  // Failures there are forgotten.
  switchMembersOn: (name, members) =>
    members.map((member) => ['crm_resource', '--resource', name, '--cleanup', '--node', member]),
  // The cluster stays, without resources.
  haltMember: (member) => [['crm_standby', '--node', member, '--update', 'on']],
  runMember: (member) => [['crm_standby', '--node', member, '--delete']],
};
