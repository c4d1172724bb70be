/** What a trial types and reads, by the engine of its lab. */
import type { Argv, Orders, PackageStatus } from '../../engine/engine.ts';
import { orders as pacemakerOrders } from '../../engine/pacemaker/orders.ts';
import { readView } from '../../engine/pacemaker/status.ts';
import { orders as serviceguardOrders } from '../../engine/serviceguard/orders.ts';
import { packageStatus } from '../../engine/serviceguard/status.ts';
import { type LabSpec, membersOf, sgDirectories, toolkitDirectory } from '../machines/lab-spec.ts';
import { clusterProgram } from '../machines/pacemaker/furnish-node.ts';

type Type = (member: string, argv: Argv, label?: string) => Promise<string>;

export interface TrialEngine {
  readonly orders: Pick<Orders, 'switchMembersOn' | 'haltMember' | 'runMember' | 'halt' | 'switchOn'>;
  /** The programs of these orders, for titles. */
  readonly programs: { readonly haltMember: string; readonly haltAndSwitchOn: string };
  /** Reads the output of LabHandle.view; null: no such package. */
  readonly status: (view: string, packageName: string) => PackageStatus | null;
  /** From settings to a package that may start. `checked`: runs the engine's own check first. */
  readonly deploy: (spec: LabSpec, type: Type, checked: boolean) => Promise<void>;
  readonly logs: string;
  readonly majority: boolean;
}

const csync = ['node', `${toolkitDirectory}/csync.mjs`];

/** On every member: the same settings render the same files. */
async function render(spec: LabSpec, type: Type, parent: string): Promise<void> {
  const words = ['render', '--settings', '/root/csync.yaml', '--output', `${parent}/${spec.settings.packageName}`];
  await Promise.all(membersOf(spec).map(({ name }) => type(name, [...csync, ...words])));
}

const serviceguard: TrialEngine = {
  orders: serviceguardOrders,
  programs: { haltMember: 'cmhaltnode -f', haltAndSwitchOn: 'cmhaltpkg, cmmodpkg -e' },
  status: packageStatus,
  logs: `${sgDirectories.SGRUN}/log`,
  majority: false,
  deploy: async (spec, type, checked) => {
    const { packageName } = spec.settings;
    const first = membersOf(spec)[0]?.name ?? '';
    const file = `${sgDirectories.SGCONF}/${packageName}/${packageName}.conf`;
    await type(first, ['cmruncl', '-v']);
    await render(spec, type, sgDirectories.SGCONF);
    if (checked) await type(first, ['cmcheckconf', '-v', '-P', file]);
    await type(first, ['cmapplyconf', '-f', '-P', file]);
    await type(first, ['cmrunpkg', packageName]);
    await type(first, ['cmmodpkg', '-e', packageName]);
  },
};

const pacemaker: TrialEngine = {
  orders: pacemakerOrders,
  programs: { haltMember: 'crm_standby', haltAndSwitchOn: 'target-role Stopped, Started' },
  status: (view, packageName) => readView(view).packages.get(packageName) ?? null,
  logs: '/var/log',
  majority: true,
  deploy: async (spec, type) => {
    const members = membersOf(spec).map(({ name }) => name);
    const first = members[0] ?? '';
    for (const member of members) await type(member, [clusterProgram, 'start']);
    const ready = 'until [ "$(crm_node --quorum 2> /dev/null)" = 1 ] && cibadmin --query > /dev/null; do sleep 0.2; done';
    await type(first, ['timeout', '60', 'sh', '-c', ready], 'crm_node --quorum   (until the cluster has a quorum)');
    await type(first, [...csync, 'apply', '--settings', '/root/csync.yaml', '--yes', '--run']);
  },
};

export function trialEngine({ settings }: LabSpec): TrialEngine {
  return settings.engine === 'pacemaker' ? pacemaker : serviceguard;
}
