/**
 * The policy of members and clients for both generations of cfengine, with the relocatable address as tested in cfengine.md 1.7 and 2.7. An
 * administrator can replace its files one by one. Pure and reproducible to the byte.
 */

import { isIpv4, isIpv6, shortName } from '../base/network.ts';
import { type Checked, errorProblem, type Problem } from '../base/problem.ts';
import { toolkitVersion } from '../base/version.ts';
import { stageDirectory } from '../contract/policy-file-system.ts';
import type { RosterHost } from '../contract/roster.ts';
import type { Settings } from '../settings/settings.ts';
import { frameworkFiles } from './mpf.ts';
import { fillTemplate, type Template } from './template.ts';

export interface PolicyFile {
  /** Relative to the master inputs directory. */
  readonly name: string;
  readonly text: string;
  /** csync rewrites its own files, and creates an administrator's once. */
  readonly owner: 'toolkit' | 'administrator';
  readonly mode: 0o600;
}

export interface PolicyInput {
  readonly settings: Settings;
  /** By name below package-templates; at least policyTemplateNames. */
  readonly templates: ReadonlyMap<string, Template>;
  readonly members: readonly RosterHost[];
  readonly clients: readonly RosterHost[];
  /** csync's part of a tree of the Masterfiles Policy Framework, instead of its own tree. */
  readonly framework?: boolean;
}

type Generation = Settings['cfengineGeneration'];

/** Policy file -> template. A name without .tpl is the administrator's file, copied unchanged. */
const parts: Readonly<Record<Generation, Readonly<Record<string, string>>>> = {
  2: {
    'update.conf': 'cfengine2/update.conf.tpl',
    'cfagent.conf': 'cfengine2/cfagent.conf.tpl',
    'cf.main': 'cfengine2/cf.main.tpl',
    'csync.members': 'cfengine2/csync.members.tpl',
    'cfservd.conf': 'cfengine2/cfservd.conf.tpl',
    'cfrun.hosts': 'cfengine2/cfrun.hosts.tpl',
    'csync_keys.sh': 'cfengine2/csync_keys.sh.tpl',
    'site.main': 'cfengine2/site.main',
  },
  3: {
    'promises.cf': 'cfengine3/promises.cf.tpl',
    'update.cf': 'cfengine3/update.cf.tpl',
    'failsafe.cf': 'cfengine3/update.cf.tpl',
    'controls/cf_serverd.cf': 'cfengine3/controls/cf_serverd.cf.tpl',
    'controls/cf_runagent.cf': 'cfengine3/controls/cf_runagent.cf.tpl',
    'csync_members.cf': 'cfengine3/csync_members.cf.tpl',
    'site.cf': 'cfengine3/site.cf',
  },
};

/** For a tree of the Masterfiles Policy Framework (generation 3). */
const frameworkParts: Readonly<Record<string, string>> = {
  'failsafe.cf': 'cfengine3/update.cf.tpl',
  [frameworkFiles.members]: 'cfengine3/csync_members.cf.tpl',
  [frameworkFiles.server]: 'cfengine3/mpf/csync_server.cf.tpl',
  [frameworkFiles.update]: 'cfengine3/mpf/csync_update.cf.tpl',
};

/** Of one generation. */
export function policyTemplateNames(generation: Generation): string[] {
  return [...new Set([...Object.values(parts[generation]), ...(generation === 3 ? Object.values(frameworkParts) : [])])];
}

const headerStart = 'Written by the csync toolkit ';
const header = `${headerStart}${toolkitVersion}. Do not edit: csync overwrites this file.`;

/** Whether any version of csync wrote it: its header is the first line, in a script the second. */
export function isOurs(text: string): boolean {
  return text.replace(/^#!.*\n/, '').startsWith(`# ${headerStart}`);
}

/** cfengine replaces every character that a class cannot have. */
export function className(name: string): string {
  return name.replace(/[^A-Za-z0-9_]/g, '_');
}

/** In the generated class file. */
export function memberClass(name: string): string {
  return `csync_member_${className(name)}`;
}

/** All files, or every problem of the hosts, the templates and their tokens. */
export function renderPolicy({ settings, templates, members, clients, framework = false }: PolicyInput): Checked<PolicyFile[]> {
  const generation = settings.cfengineGeneration;
  const problems = [
    ...[...members, ...clients].flatMap(hostProblems),
    ...(members.length === 0 ? [noMembers] : []),
    ...(generation === 2 && domainOf(settings) === '' ? [noDomain(settings)] : []),
  ];
  // An invalid name or address could break out of its string.
  if (problems.length > 0) return { ok: false, problems };
  const ownValues = generation === 2 ? values2(settings, members, clients) : values3(settings, members, clients);
  const joining = framework ? frameworkValues(ownValues, templates) : { values: {}, problems: [] };
  const values = { ...ownValues, ...joining.values };
  problems.push(...joining.problems);
  const files: PolicyFile[] = [];
  const told = new Set<string>();
  for (const [name, templateName] of Object.entries(framework ? frameworkParts : parts[generation])) {
    const filled = partText(templateName, templates.get(templateName), values[templateName] ?? {});
    if (!told.has(templateName)) problems.push(...filled.problems);
    told.add(templateName);
    const owner = isTemplate(templateName) ? 'toolkit' : 'administrator';
    if (filled.ok) files.push({ name, text: filled.value, owner, mode: 0o600 });
  }
  return problems.length === 0 ? { ok: true, value: files, problems } : { ok: false, problems };
}

/** Complete bodies and bundles of generation 3, by name. */
export function blocks(text: string, ...names: readonly string[]): string[] {
  const all = [...upTo('\n}', text).matchAll(/^(?:body|bundle) \S+ (\w+)[^\n]*\n\{\n[\s\S]*?\n\}$/gm)];
  return all.filter((found) => names.includes(found[1] ?? '')).map((found) => found[0]);
}

/** Up to the last occurrence of a sign, so that no search starts after it. */
export const upTo = (sign: string, text: string): string => text.slice(0, text.lastIndexOf(sign) + sign.length);

/** csync's part of the framework takes texts from the templates of its own tree. */
function frameworkValues(own: Values, templates: PolicyInput['templates']): { values: Values; problems: readonly Problem[] } {
  const names = {
    update: 'cfengine3/update.cf.tpl',
    server: 'cfengine3/controls/cf_serverd.cf.tpl',
    promises: 'cfengine3/promises.cf.tpl',
  };
  const filled = (name: string) => partText(name, templates.get(name), own[name] ?? {});
  const [update, server, promises] = [filled(names.update), filled(names.server), filled(names.promises)];
  if (!update.ok || !server.ok || !promises.ok) return { values: {}, problems: [...server.problems, ...promises.problems] };
  const [control = ''] = blocks(update.value, 'control');
  const parts = {
    update_bundles: control === '' ? '' : update.value.slice(update.value.indexOf(control) + control.length).trim(),
    access_rules: blocks(server.value, 'csync_access_rules').join('\n'),
    reference_file_body: blocks(promises.value, 'csync_reference_file').join('\n'),
  };
  const ofServer = own[names.server] ?? {};
  return {
    values: {
      'cfengine3/mpf/csync_server.cf.tpl': {
        policy_header: header,
        allowed_addresses: ofServer.allowed_addresses ?? '',
        max_connections: ofServer.max_connections ?? '',
        access_rules: parts.access_rules,
        reference_file_body: parts.reference_file_body,
      },
      'cfengine3/mpf/csync_update.cf.tpl': { policy_header: header, update_bundles: parts.update_bundles },
    },
    problems: [
      ...(parts.update_bundles === '' ? [noBlock('body common control', names.update, templates)] : []),
      ...(parts.access_rules === '' ? [noBlock('bundle server csync_access_rules', names.server, templates)] : []),
    ],
  };
}

function noBlock(block: string, name: string, templates: PolicyInput['templates']): Problem {
  return errorProblem(
    'template-malformed',
    `"${block}" is missing, or its braces do not stand alone in their lines; csync's part of the Masterfiles Policy Framework needs it`,
    'csync templates diff DIR shows the shipped template; restore that block',
    { file: templates.get(name)?.file ?? name },
  );
}

const isTemplate = (name: string): boolean => name.endsWith('.tpl');

function partText(name: string, template: Template | undefined, values: Readonly<Record<string, string>>): Checked<string> {
  if (template === undefined) {
    const text = `the template ${name} is missing`;
    const problem: Problem = errorProblem('template-missing', text, 'build or install the toolkit again');
    return { ok: false, problems: [problem] };
  }
  if (!isTemplate(name)) return { ok: true, value: template.text, problems: [] };
  const filled = fillTemplate(template, values);
  if (!filled.ok || isOurs(filled.value)) return filled;
  const problem: Problem = errorProblem(
    'template-header',
    'the line "# {{policy_header}}" is missing at its place, so csync would take its own file for yours and never update it',
    'make it the first line; in a script the second, behind #!',
    { file: template.file, line: 1 },
  );
  return { ok: false, problems: [problem] };
}

function hostProblems({ name, addresses }: RosterHost): Problem[] {
  const isName = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?$/.test(name);
  const wrong = addresses.filter((address) => !isIpv4(address) && !isIpv6(address));
  const problem = (text: string): Problem =>
    errorProblem('policy-host', text, 'correct it where the host is registered; policy accepts only names and addresses');
  return [
    ...(isName ? [] : [problem(`${JSON.stringify(name)} is not a host name`)]),
    ...(addresses.length > 0 ? [] : [problem(`${JSON.stringify(name)} has no address`)]),
    ...wrong.map((address) => problem(`${JSON.stringify(name)} has the address ${JSON.stringify(address)}, which is invalid`)),
  ];
}

const noMembers: Problem = errorProblem(
  'policy-members',
  'the policy would have no member: no host could start a remote run, and cfengine refuses an empty class',
  'register the members of the cluster first',
);

function noDomain({ packageDnsName }: Settings): Problem {
  return errorProblem(
    'policy-domain',
    `package_dns_name ${packageDnsName} has no domain, and cfagent of generation 2 cannot identify itself without one`,
    'set the full name, such as csync.example.com',
  );
}

function domainOf({ packageDnsName }: Settings): string {
  return /\.(.*)$/.exec(packageDnsName)?.[1] ?? '';
}

/** Wraps lists: a line with a thousand clients is unreadable, and too long for some readers. */
const itemsInALine = 8;
function list(items: readonly string[], separator: string, indent: number): string {
  const lines: string[] = [];
  for (let at = 0; at < items.length; at += itemsInALine) lines.push(items.slice(at, at + itemsInALine).join(separator));
  return lines.join(`${separator.trimEnd()}\n${' '.repeat(indent)}`);
}

const quoted = (items: readonly string[]): string[] => items.map((item) => `"${item}"`);

interface Addresses {
  /** Of this host itself. */
  readonly loopbacks: readonly string[];
  readonly allowed: readonly string[];
  /** The package's first, then every member's. */
  readonly cluster: readonly string[];
  readonly maxConnections: number;
}

/** In generation 2 a plain address in a list also matches longer text: 10.9.0.1 also 10.9.0.12 [cfengine.md 1.13]. */
const exactly = (addresses: readonly string[]): string[] =>
  addresses.map((address) => (address.includes('/') ? address : `${address}/32`));

/** Beginnings of lines that cfrun takes for a setting, even in a host's name [cfengine.md 1.13]. */
export const cfrunSetting = /^(domain|hostna|maxchild|outputdir|outputlevel|include|access|bindtointerface)/;

/**
 * A host's word in cfrun.hosts: its name, because cfrun appends the domain to names without a dot [cfengine.md 1.7], or its address if
 * cfrun would take the name for a setting.
 */
export function cfrunWord({ name, addresses: [address = name] }: RosterHost, { cfenginePort }: Settings): string {
  return `${cfrunSetting.test(name) ? address : name}${cfenginePort === 5308 ? '' : `:${cfenginePort}`}`;
}

function addressesOf(settings: Settings, members: readonly RosterHost[], clients: readonly RosterHost[]): Addresses {
  const { packageAddress, clientNetworks } = settings;
  const cluster = [...new Set([packageAddress, ...members.flatMap(({ addresses }) => addresses)])];
  const loopbacks = ['127.0.0.1', ...(isIpv4(packageAddress) ? [] : ['::1'])];
  const allowed = new Set([...loopbacks, ...cluster, ...clients.flatMap(({ addresses }) => addresses), ...clientNetworks]);
  const inNetworks = clientNetworks.map((network) => {
    const bits = network.includes(':') ? 128 : 32;
    return 2 ** (bits - Number(network.split('/')[1] ?? bits));
  });
  const hosts = inNetworks.reduce((sum, size) => sum + size, members.length + clients.length);
  // Twice the hosts [cfengine.md 1.7]: clients have one connection each, so half remains for the members. The daemon starts with 4096
  // descriptors, and a connection may need two.
  return { loopbacks, allowed: [...allowed], cluster, maxConnections: Math.min(2000, Math.max(200, 2 * hosts)) };
}

type Values = Readonly<Record<string, Readonly<Record<string, string>>>>;

function values3(settings: Settings, members: readonly RosterHost[], clients: readonly RosterHost[]): Values {
  const { loopbacks, allowed, cluster, maxConnections } = addressesOf(settings, members, clients);
  const master = {
    policy_header: header,
    package_dns_name: settings.packageDnsName,
    policy_directory: settings.policyDirectory,
    cfengine_port: String(settings.cfenginePort),
  };
  const inList = (items: readonly string[]): string => list(quoted(items), ', ', 8);
  return {
    'cfengine3/promises.cf.tpl': master,
    'cfengine3/update.cf.tpl': { ...master, stage_directory: stageDirectory(settings) },
    'cfengine3/controls/cf_serverd.cf.tpl': {
      policy_header: header,
      stage_directory: stageDirectory(settings),
      policy_directory: settings.policyDirectory,
      cfengine_port: String(settings.cfenginePort),
      cfengine_bin_directory: settings.cfengineBinDirectory,
      allowed_addresses: inList(allowed),
      several_connections: inList([...loopbacks, ...cluster]),
      member_addresses: inList(cluster),
      max_connections: String(maxConnections),
    },
    'cfengine3/controls/cf_runagent.cf.tpl': {
      policy_header: header,
      cfengine_port: String(settings.cfenginePort),
      // Addresses, because the resolver may not have a client's ssh name.
      remote_hosts: inList(standingFor([...members, ...clients])),
    },
    'cfengine3/csync_members.cf.tpl': {
      policy_header: header,
      member_host_classes: inList(hostClasses(members)),
      member_class_lines: classLines(members, (one, hosts) => `    "${one}"\n      or => { ${inList(hosts)} };`),
    },
  };
}

function values2(settings: Settings, members: readonly RosterHost[], clients: readonly RosterHost[]): Values {
  const { allowed, cluster, maxConnections } = addressesOf(settings, members, clients);
  const work = { cfengine_work_directory: settings.cfengineWorkDirectory };
  const site = { policy_header: header, domain: domainOf(settings), package_dns_name: settings.packageDnsName };
  const { policyDirectory: policy_directory } = settings;
  const inList = (items: readonly string[]): string => list(items, ' ', 10);
  return {
    'cfengine2/update.conf.tpl': { ...site, ...work, policy_directory },
    'cfengine2/cfagent.conf.tpl': { ...site, ...work },
    'cfengine2/cf.main.tpl': { policy_header: header, policy_directory },
    'cfengine2/csync.members.tpl': {
      policy_header: header,
      member_host_classes: inList(hostClasses(members)),
      member_class_lines: classLines(members, (one, hosts) => `   ${one} = ( ${inList(hosts)} )`),
    },
    'cfengine2/cfservd.conf.tpl': {
      policy_header: header,
      domain: site.domain,
      policy_directory,
      cfengine_bin_directory: settings.cfengineBinDirectory,
      allowed_addresses: inList(exactly(allowed)),
      // cfagent may not survive a refused connection [cfengine.md 1.7].
      several_connections: inList(exactly(allowed)),
      member_addresses: inList(exactly(cluster)),
      max_connections: String(maxConnections),
    },
    'cfengine2/cfrun.hosts.tpl': {
      policy_header: header,
      domain: site.domain,
      remote_hosts: [...new Set([...members, ...clients].map((host) => cfrunWord(host, settings)))].join('\n'),
    },
    'cfengine2/csync_keys.sh.tpl': {
      package_address: settings.packageAddress,
      policy_header: header,
      ...work,
      cluster_addresses: cluster.join(' '),
      cluster_addresses_last_first: [...cluster].reverse().join(' '),
    },
  };
}

function standingFor(hosts: readonly RosterHost[]): string[] {
  return [...new Set(hosts.flatMap(({ addresses: [first] }) => first ?? []))];
}

/** Hard classes of members: without domain; cfengine 3 writes them in lower case. */
function hostClasses(members: readonly RosterHost[]): string[] {
  return [...new Set(members.flatMap(({ name }) => [className(shortName(name)), className(shortName(name).toLowerCase())]))];
}

/** Members with the same name for cfengine share a class. */
function classLines(members: readonly RosterHost[], line: (name: string, hosts: readonly string[]) => string): string {
  const lines = members.map((member) => line(memberClass(shortName(member.name)), hostClasses([member])));
  return [...new Set(lines)].join('\n');
}
