/** The output of `crm_mon --output-as=xml -1 -r -f`. Pure. */
import { all, attribute, below, type Element, readXml } from './xml.ts';

export interface CrmMon {
  readonly nodes: readonly CrmNode[];
  /** Also of groups, in the order of their start. */
  readonly resources: readonly CrmResource[];
  /** Groups whose target-role is Stopped. */
  readonly stopped: ReadonlySet<string>;
  /** Until a cleanup. */
  readonly failures: readonly CrmFailure[];
  /** null: not in the output. */
  readonly fencing: boolean | null;
  readonly quorumPolicy: string | null;
}

export interface CrmFailure {
  readonly resource: string;
  readonly node: string;
  /** start, stop, monitor; asyncmon: reported from outside. */
  readonly task: string;
  /** Empty: none was given. */
  readonly reason: string;
}

export interface CrmNode {
  readonly name: string;
  readonly online: boolean;
  /** Why it takes no resources: standby, maintenance, or pending while it joins. null: it does. */
  readonly apart: string | null;
  /** Not known to be dead; its fencing is pending. */
  readonly unclean: boolean;
}

export interface CrmResource {
  readonly id: string;
  /** `ocf:csync:master`, `stonith:NAME`. */
  readonly agent: string;
  /** null: in none. */
  readonly group: string | null;
  /** Also while it starts or stops. */
  readonly active: boolean;
  /** Started, Starting, Stopping, Stopped. */
  readonly role: string;
  readonly blocked: boolean;
  readonly managed: boolean;
  readonly nodes: readonly string[];
  /** Nodes where the failures reached the threshold, so it may not start there. */
  readonly banned: ReadonlySet<string>;
}

const is = (element: Element, name: string): boolean => attribute(element, name) === 'true';

/** null: other text. */
export function readCrmMon(text: string): CrmMon | null {
  const document = readXml(text);
  const [root] = [...all(document, 'pacemaker-result'), ...all(document, 'crm_mon')];
  if (root === undefined) return null;
  const nodes = below(root, 'nodes', 'node').map(nodeOf);
  if (nodes.length === 0) return null;
  const banned = bannedIn(root);
  const resource = (group: string | null) => (one: Element) => resourceOf(one, group, banned);
  const resources = all(root, 'resources').flatMap((one) => [
    ...all(one, 'resource').map(resource(null)),
    ...all(one, 'group').flatMap((inner) => all(inner, 'resource').map(resource(attribute(inner, 'id')))),
  ]);
  const groups = below(root, 'resources', 'group').filter((group) => is(group, 'disabled'));
  const stopped = new Set(groups.map((group) => attribute(group, 'id')));
  return { nodes, resources, stopped, failures: below(root, 'failures', 'failure').map(failureOf), ...optionsIn(root) };
}

/** Newer versions have fencing-enabled, too. */
function optionsIn(root: Element): Pick<CrmMon, 'fencing' | 'quorumPolicy'> {
  const [options = {}] = below(root, 'summary', 'cluster_options');
  const fencing = attribute(options, 'fencing-enabled') || attribute(options, 'stonith-enabled');
  const quorumPolicy = attribute(options, 'no-quorum-policy') || null;
  return { fencing: fencing === '' ? null : fencing === 'true', quorumPolicy };
}

function failureOf(element: Element): CrmFailure {
  const task = attribute(element, 'task');
  // RESOURCE_TASK_INTERVAL
  const resource = attribute(element, 'op_key').replace(/_[^_]*_[^_]*$/, '');
  return { resource, node: attribute(element, 'node'), task, reason: attribute(element, 'exitreason') };
}

function nodeOf(element: Element): CrmNode {
  const apart = ['standby', 'standby_onfail', 'maintenance', 'pending'].find((name) => is(element, name))?.split('_')[0] ?? null;
  return { name: attribute(element, 'name'), online: is(element, 'online'), apart, unclean: is(element, 'unclean') };
}

function resourceOf(element: Element, group: string | null, banned: ReadonlyMap<string, ReadonlySet<string>>): CrmResource {
  const id = attribute(element, 'id');
  return {
    id,
    agent: attribute(element, 'resource_agent'),
    group,
    active: is(element, 'active'),
    role: attribute(element, 'role'),
    blocked: is(element, 'blocked'),
    managed: is(element, 'managed'),
    nodes: all(element, 'node').map((node) => attribute(node, 'name')),
    banned: banned.get(id) ?? new Set(),
  };
}

function bannedIn(root: Element): Map<string, Set<string>> {
  const banned = new Map<string, Set<string>>();
  const number = (text: string): number => (text === 'INFINITY' ? Number.POSITIVE_INFINITY : Number(text || 0));
  for (const node of below(root, 'node_history', 'node'))
    for (const history of all(node, 'resource_history')) {
      const threshold = number(attribute(history, 'migration-threshold'));
      if (threshold === 0 || number(attribute(history, 'fail-count')) < threshold) continue;
      const id = attribute(history, 'id');
      banned.set(id, (banned.get(id) ?? new Set()).add(attribute(node, 'name')));
    }
  return banned;
}
