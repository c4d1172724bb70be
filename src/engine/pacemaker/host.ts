/** Pacemaker on the host that csync runs on. Pure. */
import { all, attribute, below, readXml } from '../../pacemaker/xml.ts';
import type { EngineHost, FoundCluster } from '../engine.ts';
import { readView, view } from './status.ts';

export const host: EngineHost = {
  variablesFile: '/var/lib/pacemaker/cib/cib.xml',
  variablesFileIn: 'CIB_file',
  variablesScript: null,
  readVariables: () => ({}),
  usualVariables: {},
  packagesIn: () => '/etc',
  searchPath: (own) => [own, '/usr/sbin:/usr/bin:/sbin:/bin'].filter(Boolean).join(':'),
  remoteCommand: () => null,
  foundText: (variables) => (variables === null ? 'not found: Pacemaker is not set up here' : 'a cluster of Pacemaker'),
  clusterCommands: [view, ['cibadmin', '--query', '--scope', 'configuration']],
  readCluster: ([status = '', configuration = '']) => readCluster(status, configuration),
};

/** Of crm_mon and cibadmin; null: the output names no member. */
function readCluster(status: string, configuration: string): FoundCluster | null {
  const { members } = readView(status);
  if (members.size === 0) return null;
  const root = readXml(configuration);
  const properties = below(root, 'configuration', 'crm_config', 'cluster_property_set', 'nvpair');
  const named = properties.find((pair) => attribute(pair, 'name') === 'cluster-name');
  const resources = below(root, 'configuration', 'resources');
  const groups = below(root, 'configuration', 'resources', 'group');
  const owners = [
    ...groups.map((group) => ({ name: attribute(group, 'id'), primitives: all(group, 'primitive') })),
    ...resources.flatMap((one) =>
      all(one, 'primitive').map((primitive) => ({ name: attribute(primitive, 'id'), primitives: [primitive] })),
    ),
  ];
  const used = owners.flatMap(({ name, primitives }) =>
    primitives
      .flatMap((primitive) => below(primitive, 'instance_attributes', 'nvpair'))
      .filter((pair) => ['vgname', 'volgrpname'].includes(attribute(pair, 'name')))
      .map((pair) => [attribute(pair, 'value'), name] as const),
  );
  return {
    name: named === undefined ? 'of Pacemaker' : attribute(named, 'value'),
    members: [...members.keys()],
    subnets: new Map(),
    packages: groups.map((group) => attribute(group, 'id')),
    packageOfVolumeGroup: new Map(used),
    unknownStorage: [],
    quorumServer: null,
  };
}
