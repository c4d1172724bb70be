/** The rendered group, and the one in force. Pure. */
import { errorProblem, type Problem } from '../../base/problem.ts';
import change from '../../pacemaker/change.sh';
import { readDisturbances } from '../../pacemaker/crm-simulate.ts';
import { type Group, readGroup } from '../../pacemaker/group.ts';
import { crmConfiguration, pcsCommands } from '../../pacemaker/group-commands.ts';
import agent from '../../pacemaker/master.sh';
import type { Argv, Definition, DefinitionFormat, Forecast } from '../engine.ts';
import { settled } from './orders.ts';
import { locationLines, tokens } from './tokens.ts';

const extension = '.group.xml';
const agentName = 'ocf-csync-master';
const agentPath = '/usr/lib/ocf/resource.d/csync/master';
/** Of a rendered file: the companion that makes it the group of the cluster. */
const changeOf = (file: string): string => `${file.slice(0, -extension.length)}.change.sh`;

/** What an administrator orders while the group is defined: no part of its definition. */
const orders = new Set(['target-role', 'is-managed', 'maintenance']);

export const definition: DefinitionFormat = {
  template: () => 'pacemaker/group.xml.tpl',
  fileName: (packageName) => `${packageName}${extension}`,
  companions,
  tokens: (settings, set) => ({ values: tokens(settings, set), problems: [] }),
  templateCommand: () => null,
  layOver: (_base, own) => own,
  withMembers,
  withSet,
  keepsSet: () => true,
  parse: (text, file) => {
    const group = readGroup(text);
    return group === null ? { ok: false, problems: [noGroup(file)] } : { ok: true, value: definitionOf(group), problems: [] };
  },
  check: (text, file) => {
    const group = readGroup(text);
    return group === null ? [noGroup(file)] : orderProblems(group, file);
  },
  differences,
  // The agent reloads these two. A Pacemaker that restarts it all the same says so in the simulation.
  needsHalt: ({ keyword }) => /^(resources|\S+ parameter (?!(set|digest)$))/.test(keyword),
  installs: new Map([[agentName, agentPath]]),
  simulation: { command: (file) => ['sh', changeOf(file), 'simulate', file], read: readForecast },
  checkFile: (file) => [[changeOf(file), 'check', file]],
  applyFile: (file) => [[changeOf(file), 'apply', file], settled],
  memberChecks,
  showLine: (packageName) => `cibadmin --query --xpath "//group[@id='${packageName}']" 2>/dev/null`,
};

/** Prints the input of readGroup. */
export function definitionQuery(packageName: string): Argv {
  return ['cibadmin', '--query', '--xpath', `//group[@id='${packageName}'] | //rsc_location[@rsc='${packageName}']`];
}

export function readDefinition(text: string): Definition | null {
  const group = readGroup(text);
  return group === null ? null : definitionOf(group);
}

const noGroup = (file: string): Problem =>
  errorProblem('package-group', 'the file is no XML with a group that has an ocf:csync:master', 'render it again', { file });

/** The agent for every member, the program that changes the cluster, and the group for people who use pcs or crmsh. None without a readable group. */
function companions(text: string): { name: string; mode: number; text: string }[] {
  const group = readGroup(text);
  if (group === null) return [];
  return [
    { name: agentName, mode: 0o755, text: agent },
    { name: changeOf(`${group.id}${extension}`), mode: 0o755, text: change },
    { name: `${group.id}.pcs.sh`, mode: 0o755, text: pcsCommands(group) },
    { name: `${group.id}.crm`, mode: 0o644, text: crmConfiguration(group) },
  ];
}

const ofCsync = 'ocf:csync:master';

function definitionOf(group: Group): Definition {
  const { id, meta, primitives, preferred, only } = group;
  const values = (name: string): string[] => primitives.flatMap(({ parameters }) => parameters.get(name) ?? []);
  const mounts = primitives.filter(({ agent: one }) => one === 'ocf:heartbeat:Filesystem');
  const first = preferred.map(({ node }) => node);
  return {
    name: id,
    members: [...first, ...only.filter((member) => !first.includes(member))],
    set: primitives.find((one) => one.agent === ofCsync)?.parameters.get('set') ?? null,
    style: 'modular',
    claims: {
      mountPoints: mounts.flatMap(({ parameters }) => parameters.get('directory') ?? []),
      volumeGroups: values('vgname'),
      addresses: values('ip'),
      elsewhere: null,
    },
    lines: [
      ...primitives.map((one) => ({ keyword: 'resources', value: `${one.id} ${one.agent}` })),
      ...[...meta].filter(([name]) => !orders.has(name)).map(([name, value]) => ({ keyword: `meta ${name}`, value })),
      ...primitives.flatMap((one) => [
        ...[...one.parameters].map(([name, value]) => ({ keyword: `${one.id} parameter ${name}`, value })),
        ...one.operations.map(({ name, interval, timeout }) => ({
          keyword: `${one.id} operation ${name}`,
          value: `interval=${interval} timeout=${timeout}`,
        })),
      ]),
      ...preferred.map(({ node, score }) => ({ keyword: `prefers ${node}`, value: score })),
      ...only.map((node) => ({ keyword: 'only on', value: node })),
    ],
  };
}

/** Of the installed agent, which runs validate of the set. */
function memberChecks({ lines }: Definition): Argv[] {
  const [main = ''] =
    lines.find((one) => one.value === 'main' && one.keyword.endsWith(' parameter role'))?.keyword.split(' ') ?? [];
  const parameters = lines.flatMap(({ keyword, value }) => {
    const [resource, , name] = keyword.split(' ');
    return resource === main && keyword.includes(' parameter ') ? [`OCF_RESKEY_${name}=${value}`] : [];
  });
  return [['env', 'OCF_ROOT=/usr/lib/ocf', 'OCF_CHECK_LEVEL=10', ...parameters, agentPath, 'validate-all']];
}

function readForecast(text: string, applied: Definition | null, wanted: Definition): Forecast | null {
  const all = readDisturbances(text);
  if (all === null) return null;
  const ids = [...(applied?.lines ?? []), ...wanted.lines].flatMap(({ keyword, value }) =>
    keyword === 'resources' ? [value.split(' ')[0]] : [],
  );
  const told = (isOwn: boolean): string[] => {
    const these = all.filter(({ resource }) => ids.includes(resource) === isOwn);
    const ways = new Set(these.map(({ action, member }) => `${action} on ${member}`));
    return [...ways].map((way) => {
      const names = these.filter(({ action, member }) => `${action} on ${member}` === way).map(({ resource }) => resource);
      return `${way}: ${names.join(', ')}`;
    });
  };
  return { own: told(true), others: told(false) };
}

/** In the order of a start; what lies before Filesystem and behind IPaddr2 depends on it. */
const order = ['ocf:heartbeat:LVM-activate', ofCsync, 'ocf:heartbeat:Filesystem', 'ocf:heartbeat:IPaddr2', ofCsync];

function orderProblems({ id, primitives }: Group, file: string): Problem[] {
  const agents = primitives.map(({ agent: one }) => one).filter((one) => order.includes(one));
  if (agents.join() === order.join() || agents.join() === order.slice(1).join()) return [];
  const text = `the group ${id} starts ${agents.join(', ')}; csync requires ${order.join(', ')}, in this order`;
  return [errorProblem('package-group', text, 'restore the order of the shipped template: csync templates diff', { file })];
}

function differences(applied: Definition, wanted: Definition) {
  const valuesOf = ({ lines }: Definition, keyword: string): string[] =>
    lines.filter((line) => line.keyword === keyword).map(({ value }) => value);
  const keywords = new Set([...wanted.lines, ...applied.lines].map(({ keyword }) => keyword));
  return [...keywords]
    .map((keyword) => ({ keyword, applied: valuesOf(applied, keyword), wanted: valuesOf(wanted, keyword) }))
    .filter((one) => one.applied.join('\n') !== one.wanted.join('\n'));
}

function withMembers(text: string, members: readonly string[]): string {
  const group = readGroup(text);
  if (group === null) return text;
  const others = (whole: string, attributes: string): string => (attributes.includes(` rsc="${group.id}"`) ? '' : whole);
  const lines = locationLines({ packageName: group.id, members, ordered: group.preferred.length > 0 });
  return text
    .replace(/^ *<rsc_location\b([^>]*)(?:\/>|>[\s\S]*?<\/rsc_location>)\n?/gm, others)
    .replace(/^ *<\/constraints>/m, () => `${lines}\n  </constraints>`);
}

function withSet(text: string, set: string, digest: string): string {
  return text
    .replace(/(name="set" value=")[0-9a-f]+"/g, `$1${set}"`)
    .replace(/(name="digest" value=")[0-9a-f]+"/g, `$1${digest}"`);
}
