/** Serviceguard on the host that csync runs on: its directories, the cluster, the other packages. Pure. */
import { isIpv4, isIpv6, prefixOf } from '../../base/network.ts';
import { parseClusterVariables, variablesScript } from '../../serviceguard/cluster-variables.ts';
import { volumeGroupName, volumeGroupOfDevice } from '../../serviceguard/storage-names.ts';
import { type LineView, parseLineView, partsOf } from '../../serviceguard/view.ts';
import type { EngineHost, FoundCluster } from '../engine.ts';

/** Default directories [serviceguard.md 1.1]. */
const usualPath = '/usr/local/cmcluster/bin:/opt/cmcluster/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export const host: EngineHost = {
  variablesFile: '/etc/cmcluster.conf',
  variablesFileIn: 'SGCONFFILE',
  variablesScript,
  readVariables: parseClusterVariables,
  usualVariables: { SGCONF: '/usr/local/cmcluster/conf', SGRUN: '/usr/local/cmcluster/run' },
  packagesIn: ({ SGCONF = '/usr/local/cmcluster/conf' }) => SGCONF,
  searchPath: (own, { SGSBIN }) => [SGSBIN, own, usualPath].filter(Boolean).join(':'),
  // Used by HPE's cmmaplicense [serviceguard.md 5.12].
  remoteCommand: ({ SGSBIN }) => ({ name: 'cmexec', argv: [SGSBIN === undefined ? 'cmexec' : `${SGSBIN}/cmexec`] }),
  foundText: (variables) => (variables === null ? 'not found: Serviceguard is not installed here' : `SGCONF=${variables.SGCONF}`),
  clusterCommands: [
    ['cmviewcl', '-v', '-f', 'line'],
    ['cmviewcl', '-v', '-f', 'line', '-s', 'config'],
  ],
  readCluster: ([status = '', configuration = '']) => readCluster(status, configuration),
};

/**
 * Reads `cmviewcl -v -f line` and `-s config`; null when the output names no member. A public script shows the subnets of a member in its
 * view (gdha/criux filters `node:...|subnet:` lines), and interfaces with addresses [GH-chk]. The attributes of packages with `-s config`
 * are [GH-hpe]. How a quorum server is shown is a GAP: a part of that type.
 */
export function readCluster(status: string, configuration: string): FoundCluster | null {
  const view = parseLineView(status);
  const members = partsOf(view, 'node').map(([name]) => name);
  if (members.length === 0) return null;
  const packages = partsOf(parseLineView(configuration), 'package');
  return {
    name: view.own.get('name') ?? '',
    members,
    subnets: new Map(partsOf(view, 'node').map(([name, part]) => [name, subnetsIn(part)])),
    packages: partsOf(view, 'package').map(([name]) => name),
    packageOfVolumeGroup: new Map(packages.flatMap(([name, part]) => groupsOf(part).map((group) => [group, name] as const))),
    unknownStorage: [...new Set([...partsOf(view, 'package'), ...packages].map(([name]) => name))].filter(
      (name) => !packages.some(([shown, part]) => shown === name && showsStorage(part)),
    ),
    quorumServer: partsOf(view, 'quorum_server')[0]?.[0] ?? null,
  };
}

function groupsOf(configured: LineView): string[] {
  const devices = partsOf(configured, 'fs_name').flatMap(([device]) => volumeGroupOfDevice(device) ?? []);
  return [...partsOf(configured, 'vg').map(([group]) => volumeGroupName(group)), ...devices];
}

/** The script of a legacy package has its storage, and no command shows it. */
function showsStorage(configured: LineView): boolean {
  return (
    configured.own.get('style') === 'modular' || partsOf(configured, 'module_name').length > 0 || groupsOf(configured).length > 0
  );
}

function subnetsIn(member: LineView): string[] {
  return partsOf(member, 'subnet')
    .map(([name]) => name)
    .filter((name) => isIpv4(name) || isIpv6(name) || prefixOf(name) !== null);
}
