/** Orders of a drill by engine. Pure. */
import type { Commands, Orders } from '../engine/engine.ts';
import type { Act, Part } from './drills/drill-model.ts';

type Typing = Extract<Act, { do: 'type' }>;

/** Calls `nameOf` only for an order with a member. */
export function commandsOf(
  { order, on, member = on }: Typing,
  orders: Orders,
  packageName: string,
  nameOf: (part: Part) => string,
): Commands {
  const name = nameOf(member);
  switch (order) {
    case 'switch on':
      return orders.switchOn(packageName);
    case 'switch off':
      return orders.switchOff(packageName);
    case 'switch member on':
      return orders.switchMembersOn(packageName, [name]);
    case 'switch member off':
      return orders.switchMembersOff(packageName, [name]);
    case 'run':
      return orders.run(packageName, name);
    case 'halt':
      return orders.halt(packageName);
    case 'halt member':
      return orders.haltMember(name, 'no packages');
    case 'halt member, packages move':
      return orders.haltMember(name, 'packages move');
    case 'run member':
      return orders.runMember(name);
  }
}
