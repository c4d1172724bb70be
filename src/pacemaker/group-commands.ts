/** The group as an administrator types it: in the words of pcs, and as a file for crmsh. Pure. */
import { shellWord } from '../base/shell-word.ts';
import type { Group, Primitive } from './group.ts';

const words = (values: ReadonlyMap<string, string>): string =>
  [...values].map(([name, value]) => shellWord(`${name}=${value}`)).join(' ');

const operations = ({ operations: all }: Primitive): string[] =>
  all.map(({ name, interval, timeout }) => `op ${name} interval=${interval} timeout=${timeout}`);

/** One transaction: the commands change a copy of the configuration, and the last one loads it. */
export function pcsCommands({ id, meta, primitives, preferred, only }: Group): string {
  const change = 'pcs -f "$copy"';
  const created = primitives.map((one) =>
    [`${change} resource create ${one.id} ${one.agent} ${words(one.parameters)}`, ...operations(one), `--group ${id}`].join(
      ' \\\n  ',
    ),
  );
  return [
    '#!/bin/sh',
    `# The group ${id} in the words of pcs, for a cluster that does not have it yet. As root, on one member.`,
    'set -eu',
    'copy=$(mktemp)',
    'pcs cluster cib "$copy"',
    'cp "$copy" "$copy.before"',
    ...created,
    `${change} resource meta ${id} ${words(meta)}`,
    ...(preferred.length === 0
      ? []
      : [
          `${change} constraint location ${id} prefers ${preferred.map(({ node, score }) => shellWord(`${node}=${score}`)).join(' ')}`,
        ]),
    `${change} constraint location ${id} rule score=-INFINITY ${only.map((node) => `'#uname' ne ${shellWord(node)}`).join(' and ')}`,
    'pcs cluster cib-push "$copy" diff-against="$copy.before"',
    'rm -f "$copy" "$copy.before"',
    '',
  ].join('\n');
}

/** For `crm configure load update FILE`: all of it or nothing. */
export function crmConfiguration({ id, meta, primitives, preferred, only }: Group): string {
  const name = (text: string): string => (/^[\w./:=-]+$/.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`);
  const values = (of: ReadonlyMap<string, string>): string => [...of].map(([key, value]) => `${key}=${name(value)}`).join(' ');
  return [
    ...primitives.map((one) =>
      [`primitive ${one.id} ${one.agent}`, `params ${values(one.parameters)}`, ...operations(one)].join(' \\\n  '),
    ),
    `group ${id} ${primitives.map((one) => one.id).join(' ')} \\\n  meta ${values(meta)}`,
    ...preferred.map(({ node, score }) => `location ${id}-on-${node} ${id} ${score}: ${node}`),
    `location ${id}-others ${id} rule -inf: ${only.map((node) => `#uname ne ${node}`).join(' and ')}`,
    '',
  ].join('\n');
}
