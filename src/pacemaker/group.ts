/** A resource group and its location constraints, as cibadmin prints them or as rendered. Pure. */
import { all, attribute, below, type Element, readXml } from './xml.ts';

export interface Group {
  readonly id: string;
  readonly meta: ReadonlyMap<string, string>;
  /** In the order of a start. */
  readonly primitives: readonly Primitive[];
  /** Preferred members, the first one first. */
  readonly preferred: readonly { readonly node: string; readonly score: string }[];
  /** Members outside of which the group may not run; none: no such constraint. */
  readonly only: readonly string[];
}

export interface Primitive {
  readonly id: string;
  /** `ocf:heartbeat:Filesystem`. */
  readonly agent: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly operations: readonly { readonly name: string; readonly interval: string; readonly timeout: string }[];
}

const pairs = (owner: Element, kind: string): ReadonlyMap<string, string> =>
  new Map(below(owner, kind, 'nvpair').map((pair) => [attribute(pair, 'name'), attribute(pair, 'value')]));

function primitiveOf(element: Element): Primitive {
  return {
    id: attribute(element, 'id'),
    agent: ['class', 'provider', 'type'].map((name) => attribute(element, name)).join(':'),
    parameters: pairs(element, 'instance_attributes'),
    operations: below(element, 'operations', 'op').map((operation) => ({
      name: attribute(operation, 'name'),
      interval: attribute(operation, 'interval'),
      timeout: attribute(operation, 'timeout'),
    })),
  };
}

const isOfCsync = ({ agent }: Primitive): boolean => agent === 'ocf:csync:master';

/** The group with an agent of csync; null: no XML, or no such group. Reads a configuration, and the result of a query by XPath. */
export function readGroup(text: string): Group | null {
  const document = readXml(text);
  const roots = [document, ...all(document, 'xpath-query')];
  const configurations = [...all(document, 'configuration'), ...below(document, 'cib', 'configuration')];
  const groups = [
    ...roots.flatMap((root) => all(root, 'group')),
    ...configurations.flatMap((one) => below(one, 'resources', 'group')),
  ];
  const element = groups.find((one) => all(one, 'primitive').map(primitiveOf).some(isOfCsync));
  if (element === undefined) return null;
  const id = attribute(element, 'id');
  // Those of crm_resource --move and --ban are orders, no part of the definition.
  const constraints = [
    ...roots.flatMap((root) => all(root, 'rsc_location')),
    ...configurations.flatMap((one) => below(one, 'constraints', 'rsc_location')),
  ].filter((one) => attribute(one, 'rsc') === id && !attribute(one, 'id').startsWith('cli-'));
  const preferred = constraints
    .filter((one) => attribute(one, 'node') !== '')
    .map((one) => ({ node: attribute(one, 'node'), score: attribute(one, 'score') }));
  return {
    id,
    meta: pairs(element, 'meta_attributes'),
    primitives: all(element, 'primitive').map(primitiveOf),
    preferred: preferred.sort((one, other) => Number(other.score) - Number(one.score)),
    only: constraints.flatMap((one) => below(one, 'rule', 'expression').map((expression) => attribute(expression, 'value'))),
  };
}
