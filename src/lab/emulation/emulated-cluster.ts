import { membersOf, serviceguardHosts } from '../machines/lab-spec.ts';
import type { World } from '../machines/world.ts';
import { initialState } from '../manager/package-manager.ts';
import { CommandService } from './command-service.ts';
import { Cluster } from './emulation.ts';
import type { Journal } from './journal.ts';
import type { LabCluster } from './lab-cluster.ts';

export function emulatedCluster(world: World, journal: Journal, bootMachine: (member: string) => Promise<void>): LabCluster {
  const { spec } = world;
  const initial = initialState({
    name: spec.name,
    members: membersOf(spec).map((member) => member.name),
    spares: spec.hosts.filter((host) => host.kind === 'spare').map((host) => host.name),
    subnets: [spec.settings.packageSubnet],
  });
  const cluster = new Cluster({ world, journal, initial, bootMachine });
  const commands = new CommandService(world, cluster, journal);
  return {
    bootMember: (member) => cluster.bootMember(member),
    setLink: (member, up) => cluster.setLink(member, up),
    memberLost: (member) => {
      if (serviceguardHosts(spec).some(({ name }) => name === member)) cluster.memberLost(member);
    },
    isMember: (name) => Object.hasOwn(cluster.state.members, name),
    view: async (packageName) => {
      const someoneUp = serviceguardHosts(spec).some(({ name }) => world.isUp(name));
      return someoneUp ? commands.view(['-v', '-f', 'line', '-p', packageName]) : null;
    },
    serve: (message, connection, role) => commands.serve(message, connection, role),
  };
}
