/** The state of a cluster by crm_mon. Pure. */
import { type CrmFailure, type CrmMon, type CrmNode, type CrmResource, readCrmMon } from '../../pacemaker/crm-mon.ts';
import type { Argv, ClusterView, PackageStatus } from '../engine.ts';

/** Prints the input of readView. */
export const view: Argv = ['crm_mon', '--output-as=xml', '-1', '-r', '-f'];

/** Never fails; unreadable text has no members. A group of resources is a package. */
export function readView(text: string): ClusterView {
  const seen = readCrmMon(text);
  if (seen === null) return { name: null, members: new Map(), packages: new Map() };
  const groups = new Set(seen.resources.flatMap(({ group }) => group ?? []));
  return {
    name: null,
    members: new Map(seen.nodes.map((node) => [node.name, stateOfNode(node)])),
    packages: new Map([...groups].map((group) => [group, statusOf(seen, group)])),
  };
}

const stateOfNode = ({ online, unclean, apart }: CrmNode): string => (unclean ? 'unclean' : online ? (apart ?? 'up') : 'down');

/** Up: every resource is started, on one node. */
function statusOf({ nodes, resources, stopped, failures }: CrmMon, group: string): PackageStatus {
  const parts = resources.filter((one) => one.group === group);
  const places = new Set(parts.flatMap((part) => part.nodes));
  const isWhole = places.size === 1 && parts.every(({ role, nodes: at }) => role === 'Started' && at.length === 1);
  const change = changeOf(parts);
  const mayStart = (node: string): boolean => parts.every(({ banned }) => !banned.has(node));
  return {
    status: isWhole ? 'up' : places.size === 0 ? 'down' : (change ?? 'unknown'),
    state: stateOf(parts, isWhole ? 'running' : change),
    owner: places.size === 1 ? ([...places][0] ?? null) : null,
    autoRun: !stopped.has(group) && parts.every(({ managed }) => managed),
    switching: new Map(nodes.map(({ name, online, apart }) => [name, online && apart === null && mayStart(name)])),
    failures: failures
      .filter(({ resource }) => parts.some(({ id }) => id === resource))
      .map((failure) => ({ member: failure.node, text: textOf(failure) })),
  };
}

/** crm_resource --fail has a reason of its own, which is not the one of the watcher that called it. */
function textOf({ resource, task, reason }: CrmFailure): string {
  if (task === 'asyncmon') return `${resource}: the monitor reported a failure`;
  return `${resource}: ${task} failed${reason === '' ? '' : ` (${reason})`}`;
}

/** null: nothing starts or stops at this moment. */
function changeOf(parts: readonly CrmResource[]): 'starting' | 'halting' | null {
  if (parts.some(({ role }) => role === 'Stopping')) return 'halting';
  return parts.some(({ role }) => role === 'Starting') ? 'starting' : null;
}

function stateOf(parts: readonly CrmResource[], whole: string | null): string {
  if (parts.some(({ blocked }) => blocked)) return 'blocked';
  if (parts.some(({ managed }) => !managed)) return 'maintenance';
  if (whole !== null) return whole;
  return parts.some(({ active }) => active) ? 'partly active' : 'halted';
}
