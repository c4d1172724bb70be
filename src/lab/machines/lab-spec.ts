/**
 * What a lab cluster consists of, derived from the settings: names, addresses, directories. Pure. The layout below
 * SGROOT is Red Hat's [serviceguard.md 1.1], since Debian, where the lab runs, is no Serviceguard platform.
 */
import type { Settings } from '../../settings/settings.ts';

export interface LabHost {
  readonly name: string;
  readonly address: string;
  /** What it begins as. A spare has all a member has, but is in no cluster until a cluster file names it. */
  readonly kind: 'member' | 'spare' | 'client';
}

export interface LabSpec {
  readonly name: string;
  /** Directory on the machine that runs the lab; everything of the lab lies below it. */
  readonly home: string;
  readonly settings: Settings;
  readonly hosts: readonly LabHost[];
  readonly prefixLength: number;
  /** MEMBER_TIMEOUT of the lab in milliseconds; shorter than Serviceguard's least, so that people need not wait. */
  readonly memberTimeoutMs: number;
  /**
   * set up: members and clients have keys, trust each other, serve and fetch a policy, as an administrator left them. bare:
   * they have the programs, nothing else. Spares are always bare.
   */
  readonly cfengine: 'set up' | 'bare';
  /** Directory of this machine whose files the hosts get as cfengine's programs; null: they use this machine's own. */
  readonly programs: string | null;
  /**
   * Whether the clients that are set up ask for the master all the time, and fetch policy again and again, so that the lab
   * can tell what they saw; it costs about half a processor.
   */
  readonly watched: boolean;
}

/** argv that tells neighbours of an address here: they would go on sending to the member they know. */
export function announceAddress(address: string): string[] {
  return ['/bin/busybox', 'arping', '-q', '-U', '-c', '1', '-w', '1', '-I', 'eth0', address];
}

/** Of the machine that runs labs: a directory each. */
export const labsDirectory = '/run/csync-lab';

export const sgRoot = '/usr/local/cmcluster';
export const sgDirectories = {
  SGROOT: sgRoot,
  SGCONF: `${sgRoot}/conf`,
  SGSBIN: `${sgRoot}/bin`,
  SGLBIN: `${sgRoot}/bin`,
  SGLIB: `${sgRoot}/lib`,
  SGRUN: `${sgRoot}/run`,
  SGAUTOSTART: `${sgRoot}/conf/cmcluster.rc`,
} as const;

/** Where the toolkit's built files and the lab's shared things appear inside every lab host. */
export const toolkitDirectory = '/opt/csync';
export const sharedDirectory = '/run/csync-lab';

/** Programs here are told of members that come and go; see cluster/dispatcher.ts. */
export const eventsDirectory = '/etc/csync-lab/events.d';
/** DSAU's handler of such news [serviceguard.md 8.3]. */
export const dispatcherPath = '/opt/dsau/bin/csync_dispatcher';

/** Programs of this machine that a lab runs, and the Debian packages they are in. scripts/prepare.sh installs these. */
export const labPrograms: Readonly<Record<string, string>> = {
  'cf-serverd': 'cfengine3',
  'cf-agent': 'cfengine3',
  busybox: 'busybox',
  ip: 'iproute2',
  ss: 'iproute2',
  unshare: 'util-linux',
  losetup: 'mount',
  'mkfs.ext4': 'e2fsprogs',
  fuser: 'psmisc',
  perl: 'perl-base',
  ps: 'procps',
  sshd: 'openssh-server',
  ssh: 'openssh-client',
  ping: 'iputils-ping',
};

/** A name of a lab is part of paths that are removed again. */
export function isLabName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,31}$/.test(name);
}

const prefixLength = 24;

export interface LabChoices {
  readonly clients?: readonly string[];
  readonly spares?: readonly string[];
  readonly cfengine?: LabSpec['cfengine'];
  readonly programs?: string | null;
  readonly watched?: boolean;
}

/** c1, c2...: clients by number. */
export function clientNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `c${index + 1}`);
}

const firstClient = 21;

/** Members and then spares get .11 upward, clients .21 upward in the package's subnet, which the lab takes to be a /24. */
export function labSpec(settings: Settings, name: string, choices: LabChoices = {}): LabSpec {
  const { clients = clientNames(2), spares = [], cfengine = 'set up', programs = null, watched = true } = choices;
  const network = settings.packageSubnet.split('.').slice(0, 3).join('.');
  const host = (kind: LabHost['kind'], first: number) => (hostName: string, index: number) => ({
    name: hostName,
    address: `${network}.${first + index}`,
    kind,
  });
  // Many clients come to the package's own address, which is left out.
  const own = clients.findIndex((_, index) => `${network}.${firstClient + index}` === settings.packageAddress);
  const client = (name: string, index: number) =>
    host('client', firstClient)(name, own === -1 || index < own ? index : index + 1);
  return {
    name,
    home: `${labsDirectory}/${name}`,
    settings,
    hosts: [
      ...settings.members.map(host('member', 11)),
      ...spares.map(host('spare', 11 + settings.members.length)),
      ...clients.map(client),
    ],
    prefixLength,
    memberTimeoutMs: 2000,
    cfengine,
    programs,
    watched,
  };
}

/** Clients whose view of the master is watched. In a bare lab they know none, and what they do about one is not its business. */
export function watchedClients(spec: LabSpec): readonly LabHost[] {
  return spec.watched && spec.cfengine === 'set up' ? clientsOf(spec) : [];
}

/** Why this cannot be a lab, in a sentence; null when it can. */
export function specProblem({ hosts, settings, cfengine, programs }: LabSpec): string | null {
  const twice = (values: readonly string[]): string | undefined => values.find((value, at) => values.indexOf(value) !== at);
  const odd = hosts.find((host) => !/^[a-z0-9]([a-z0-9-]{0,37}[a-z0-9])?$/.test(host.name));
  if (odd !== undefined) return `${JSON.stringify(odd.name)} is no name of a host`;
  const name = twice(hosts.map((host) => host.name));
  if (name !== undefined) return `two hosts would be named ${name}`;
  const address = twice([...hosts.map((host) => host.address), settings.packageAddress]);
  const last = hosts.find((host) => Number(host.address.split('.')[3]) > 254);
  if (address !== undefined || last !== undefined)
    return `there are too many hosts: ${address ?? last?.address} ${address === undefined ? 'is no address' : 'would be taken twice'}`;
  if (settings.cfengineGeneration === 3) return null;
  if (cfengine !== 'bare') return 'the lab sets up CFEngine 3 only; with cfengine_generation: 2 it has to be a bare one (--bare)';
  return programs === null ? 'no distribution packages cfengine 2 any more; say where its programs are (--programs)' : null;
}

/** Hosts with Serviceguard, whether in the cluster or not. */
export function serviceguardHosts(spec: LabSpec): readonly LabHost[] {
  return spec.hosts.filter((host) => host.kind !== 'client');
}

/** Whether the lab itself puts keys and policy on the host. */
export function isSetUp(spec: LabSpec, host: LabHost): boolean {
  return spec.cfengine === 'set up' && host.kind !== 'spare';
}

export function membersOf(spec: LabSpec): readonly LabHost[] {
  return spec.hosts.filter((host) => host.kind === 'member');
}

export function clientsOf(spec: LabSpec): readonly LabHost[] {
  return spec.hosts.filter((host) => host.kind === 'client');
}

/** /etc/hosts of every lab host: the lab resolves names both ways through it. */
export function hostsFile(spec: LabSpec): string {
  const { packageAddress, packageDnsName } = spec.settings;
  const lines = spec.hosts.map((host) => `${host.address}\t${host.name}.lab ${host.name}`);
  return ['127.0.0.1\tlocalhost', ...lines, `${packageAddress}\t${packageDnsName}`, ''].join('\n');
}

/** /etc/cmcluster.conf [serviceguard.md 1.1]. */
export function cmclusterConf(): string {
  const lines = Object.entries(sgDirectories).map(([variable, value]) => `${variable}=${value}`);
  return ['# Lab: written by csync lab up', ...lines, ''].join('\n');
}

/** Variables such as $SGCONF stand literally in package values and are expanded at use [serviceguard.md 2.9]. */
export function expandVariables(value: string, extra: Readonly<Record<string, string>> = {}): string {
  const variables: Readonly<Record<string, string>> = { ...sgDirectories, ...extra };
  return value.replace(/\$\{?([A-Z_]+)\}?/g, (whole, variable: string) => variables[variable] ?? whole);
}
