/** For an administrator's orders [serviceguard.md 5, 6]. */
import type { Orders } from '../engine.ts';

const each = (members: readonly string[]): string[] => members.flatMap((member) => ['-n', member]);

export const orders: Orders = {
  switchOn: (packageName) => [['cmmodpkg', '-e', packageName]],
  switchOff: (packageName) => [['cmmodpkg', '-d', packageName]],
  switchMembersOn: (packageName, members) => [['cmmodpkg', '-e', ...each(members), packageName]],
  switchMembersOff: (packageName, members) => [['cmmodpkg', '-d', ...each(members), packageName]],
  // Without -n it would apply to this member.
  run: (packageName, member) => [['cmrunpkg', '-n', member, packageName]],
  halt: (packageName) => [['cmhaltpkg', packageName]],
  // Requires AUTO_RUN off [serviceguard.md 6.10].
  maintenance: (packageName, mode) => [
    ...(mode === 'on' ? [['cmmodpkg', '-d', packageName]] : []),
    ['cmmodpkg', '-m', mode, packageName],
  ],
  haltMember: (member, packages) => [['cmhaltnode', ...(packages === 'packages move' ? ['-f'] : []), member]],
  runMember: (member) => [['cmrunnode', member]],
  forget: (packageName) => [['cmdeleteconf', '-f', '-p', packageName]],
  releaseAddress: (address, subnet) => [['cmmodnet', '-r', '-i', address, subnet]],
};
