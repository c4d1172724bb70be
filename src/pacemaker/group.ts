/** The resource group of the package, as XML for cibadmin. Pure. */
import { parseMountOptions } from '../settings/mount-options.ts';
import type { Settings } from '../settings/settings.ts';

export interface GroupInput {
  readonly settings: Settings;
  /** The set of member scripts that the group runs, and the digest of its settings. */
  readonly set: string;
  readonly digest: string;
  /** Whether the volume group is activated with the group; otherwise its device exists on every node. */
  readonly lvm: boolean;
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => escapes[character] ?? character);

function element(name: string, attributes: Readonly<Record<string, string>>, children: readonly string[] = []): string {
  const words = [name, ...Object.entries(attributes).map(([key, value]) => `${key}="${escaped(value)}"`)].join(' ');
  return children.length === 0 ? `<${words}/>` : `<${words}>${children.join('')}</${name}>`;
}

function pairs(kind: 'instance_attributes' | 'meta_attributes', owner: string, values: Readonly<Record<string, string>>): string {
  const id = `${owner}-${kind}`;
  const all = Object.entries(values).map(([name, value]) => element('nvpair', { id: `${id}-${name}`, name, value }));
  return element(kind, { id }, all);
}

type Times = readonly [start: number, stop: number, monitor: readonly [interval: number, timeout: number]];

interface Primitive {
  readonly id: string;
  readonly agent: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly times: Times;
}

function primitive({ id, agent, parameters, times }: Primitive): string {
  const [provider = '', type = ''] = agent.split(':');
  const [start, stop, [interval, timeout]] = times;
  const operation = (name: string, every: number, limit: number): string =>
    element('op', { id: `${id}-${name}`, name, interval: `${every}s`, timeout: `${limit}s` });
  const operations = [operation('start', 0, start), operation('stop', 0, stop), operation('monitor', interval, timeout)];
  return element('primitive', { id, class: 'ocf', provider, type }, [
    pairs('instance_attributes', id, parameters),
    element('operations', {}, operations),
  ]);
}

/** Group and constraints, for one `cibadmin --modify --allow-create --scope configuration`: one transaction. */
export function configurationXml(input: GroupInput): string {
  const constraints = constraintsXml(input.settings);
  return element('configuration', {}, [element('resources', {}, [groupXml(input)]), element('constraints', {}, constraints)]);
}

/** In the order of a start: as Serviceguard's modules. */
function groupXml({ settings, set, digest, lvm }: GroupInput): string {
  const { packageName: name, volumeGroup, logicalVolume, runScriptTimeoutSeconds, haltScriptTimeoutSeconds } = settings;
  const ours = { directory: settings.packageDirectory, set, digest };
  const own: Times = [runScriptTimeoutSeconds, haltScriptTimeoutSeconds, [10, 20]];
  const storage: Times = [60, 60, [20, 40]];
  const part = (id: string, agent: string, parameters: Readonly<Record<string, string>>, times: Times): string =>
    primitive({ id: `${name}_${id}`, agent, parameters, times });
  const parts = [
    ...(lvm
      ? [
          part(
            'vg',
            'heartbeat:LVM-activate',
            { vgname: volumeGroup, lvname: logicalVolume, vg_access_mode: 'system_id' },
            storage,
          ),
        ]
      : []),
    part('pre', 'csync:master', { role: 'pre', ...ours }, own),
    part('fs', 'heartbeat:Filesystem', fileSystem(settings), storage),
    // The length of the prefix is that of the interface.
    part('ip', 'heartbeat:IPaddr2', { ip: settings.packageAddress }, [20, 20, [10, 20]]),
    part('main', 'csync:master', { role: 'main', ...ours }, own),
  ];
  return element('group', { id: name }, [pairs('meta_attributes', name, meta(settings)), ...parts]);
}

function fileSystem(settings: Settings): Record<string, string> {
  const { volumeGroup, logicalVolume, mountPoint, fileSystemType, mountOptions } = settings;
  const options = parseMountOptions(mountOptions)?.options.join(',') ?? '';
  return { device: `/dev/${volumeGroup}/${logicalVolume}`, directory: mountPoint, fstype: fileSystemType, options };
}

function meta({ serviceRestart, failbackPolicy, autoRun }: Settings): Record<string, string> {
  return {
    'migration-threshold': String(typeof serviceRestart === 'number' ? serviceRestart + 1 : serviceRestart === 'none' ? 1 : 0),
    'resource-stickiness': failbackPolicy === 'automatic' ? '0' : 'INFINITY',
    ...(autoRun ? {} : { 'target-role': 'Stopped' }),
  };
}

/** Which node comes next, and that no other may run the group. */
function constraintsXml({ packageName: name, members, failoverPolicy }: Settings): string[] {
  const preferred = failoverPolicy === 'min_package_node' ? [] : members;
  const others = members.map((member) =>
    element('expression', { id: `${name}-not-${member}`, attribute: '#uname', operation: 'ne', value: member }),
  );
  return [
    ...preferred.map((member, index) =>
      element('rsc_location', {
        id: `${name}-on-${member}`,
        rsc: name,
        node: member,
        score: String(100 * (members.length - index)),
      }),
    ),
    element('rsc_location', { id: `${name}-others`, rsc: name }, [
      element('rule', { id: `${name}-others-rule`, score: '-INFINITY', 'boolean-op': 'and' }, others),
    ]),
  ];
}
