/**
 * Names, addresses and directories of a lab. Pure. Below SGROOT as on Red Hat [serviceguard.md 1.1], because Serviceguard does not support
 * Debian, where the lab runs.
 */
import { isIpv6, prefixOf } from '../../base/network.ts';
import type { Settings } from '../../settings/settings.ts';
import { type QuirkName, quirkSettings } from './quirks/quirks.ts';

export interface LabHost {
  readonly name: string;
  readonly address: string;
  /** IPv4 address in a lab with an IPv6 package, which alone has IPv6. */
  readonly second: string | null;
  /** At first; a spare joins when a cluster file names it. */
  readonly kind: 'member' | 'spare' | 'client';
}

export interface LabSpec {
  readonly name: string;
  /** Of the whole lab, on this machine. */
  readonly home: string;
  /** Serviceguard is imitated; Pacemaker is this machine's. */
  readonly settings: Settings;
  readonly hosts: readonly LabHost[];
  readonly prefixLength: number;
  /** Below Serviceguard's minimum, to save time. */
  readonly memberTimeoutMs: number;
  /** set up: keys, trust, policy. bare: only programs. Spares are always bare. */
  readonly cfengine: 'set up' | 'bare';
  /** null: this machine's. */
  readonly programs: string | null;
  /** Clients probe the master and fetch policy all the time, to measure outages; costs half a processor. */
  readonly watched: boolean;
  readonly quirks: readonly QuirkName[];
}

/** Otherwise neighbours keep sending to the old member. */
export function announceAddress(address: string): string[] {
  if (isIpv6(address)) return ['/usr/bin/perl', `${toolkitDirectory}/member/csync-arp.pl`, '--announce', address];
  return ['/bin/busybox', 'arping', '-q', '-U', '-c', '1', '-w', '1', '-I', 'eth0', address];
}

/**
 * As cmmodnet adds it. IPv6: after duplicate address detection, which takes a second and more [serviceguard.md 2.6] and fails if another
 * host has the address. No advertisement, because no manual names one.
 */
export function addAddress(address: string, { prefixLength }: Pick<LabSpec, 'prefixLength'>): string[] {
  const target = `${address}/${prefixLength}`;
  return isIpv6(address)
    ? ['/bin/sh', '-c', addSix, 'sh', target, address]
    : ['/sbin/ip', 'address', 'add', target, 'dev', 'eth0'];
}

const addSix = [
  '/sbin/ip address add "$1" dev eth0 || exit 1',
  'n=0',
  'while [ $n -lt 100 ]; do',
  '  case $(/sbin/ip -o -6 address show dev eth0 to "$2") in',
  '    *dadfailed*) echo "another host has $2" >&2; /sbin/ip address delete "$1" dev eth0; exit 1 ;;',
  '    *tentative*) n=$((n + 1)); sleep 0.05 ;;',
  '    *) exit 0 ;;',
  '  esac',
  'done',
  'exit 1',
].join('\n');

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

export const toolkitDirectory = '/opt/csync';
export const sharedDirectory = '/run/csync-lab';

export const eventsDirectory = '/etc/csync-lab/events.d';
/** DSAU's handler [serviceguard.md 8.3]. */
export const dispatcherPath = '/opt/dsau/bin/csync_dispatcher';

/** With their Debian packages. scripts/prepare.sh installs them. */
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

/** It is part of paths that are removed. */
export function isLabName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,31}$/.test(name);
}

/** The lab of an IPv6 package also has this IPv4 network. */
const ipv6Lab = { packageAddress: 'fd09::100', packageSubnet: 'fd09::/64' } as const;
const ipv4Network = '10.9.0';

/** For `csync lab up --ipv6`. */
export const withIpv6 = (settings: Settings): Settings => ({ ...settings, ...ipv6Lab });

export const pacemakerPrograms: Readonly<Record<string, string>> = {
  corosync: 'corosync',
  pacemakerd: 'pacemaker',
  crm_mon: 'pacemaker-cli-utils',
  'ocf-tester': 'resource-agents',
  modprobe: 'kmod',
};

export interface LabChoices {
  readonly engine?: Settings['engine'];
  readonly clients?: readonly string[];
  readonly spares?: readonly string[];
  readonly cfengine?: LabSpec['cfengine'];
  readonly programs?: string | null;
  readonly watched?: boolean;
  readonly quirks?: readonly QuirkName[];
}

export function clientNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `c${index + 1}`);
}

const firstClient = 21;

/** Members, then spares, from .11 and clients from .21 of the package's subnet, a /24; IPv6: from ::11 and ::21. */
export function labSpec(given: Settings, name: string, choices: LabChoices = {}): LabSpec {
  const {
    engine = given.engine,
    clients = clientNames(2),
    spares = [],
    cfengine = 'set up',
    programs = null,
    watched = true,
    quirks = [],
  } = choices;
  const ofEngine = engine === given.engine ? given : { ...withoutVariables(given), engine };
  const settings = { ...ofEngine, ...quirkSettings(quirks) };
  const six = prefixOf(settings.packageSubnet);
  const network = settings.packageSubnet.split('.').slice(0, 3).join('.');
  const addressOf = (number: number): string => (six === null ? `${network}.${number}` : `${six.base}${number}`);
  const host = (kind: LabHost['kind'], first: number) => (hostName: string, index: number) => ({
    name: hostName,
    address: addressOf(first + index),
    second: six === null ? null : `${ipv4Network}.${first + index}`,
    kind,
  });
  // The clients' range may contain the package's own address.
  const own = clients.findIndex((_, index) => addressOf(firstClient + index) === settings.packageAddress);
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
    prefixLength: six?.length ?? 24,
    memberTimeoutMs: 2000,
    cfengine,
    programs,
    watched,
    quirks,
  };
}

/** $SGCONF and $SGRUN are defined by Serviceguard only. */
function withoutVariables(settings: Settings): Settings {
  const whole = (path: string): string => path.replace(/^\$SGCONF\//, '/etc/').replace(/^\$SGRUN\/log\//, '/var/log/');
  return {
    ...settings,
    packageDirectory: whole(settings.packageDirectory),
    scriptLogFile: whole(settings.scriptLogFile),
  };
}

/** None in a bare lab. */
export function watchedClients(spec: LabSpec): readonly LabHost[] {
  return spec.watched && spec.cfengine === 'set up' ? clientsOf(spec) : [];
}

/** Why the lab is impossible; null: it is possible. */
export function specProblem({ hosts, settings, cfengine, programs, quirks }: LabSpec): string | null {
  const { engine } = settings;
  if (engine === 'pacemaker' && hosts.some((host) => host.kind === 'spare')) return 'a lab with Pacemaker has no spares';
  if (engine === 'pacemaker' && quirks.length > 0) return 'a lab with Pacemaker has no site quirks';
  if (engine === 'pacemaker' && isIpv6(settings.packageAddress)) return 'a lab with Pacemaker has IPv4 addresses only';
  if (engine === 'pacemaker' && settings.packageStyle === 'legacy') return 'Pacemaker runs modular packages only';
  const twice = (values: readonly string[]): string | undefined => values.find((value, at) => values.indexOf(value) !== at);
  const odd = hosts.find((host) => !/^[a-z0-9]([a-z0-9-]{0,37}[a-z0-9])?$/.test(host.name));
  if (odd !== undefined) return `${JSON.stringify(odd.name)} is not a valid host name`;
  const name = twice(hosts.map((host) => host.name));
  if (name !== undefined) return `two hosts would be named ${name}`;
  const address = twice([...hosts.map((host) => host.address), settings.packageAddress]);
  const last = hosts.find(({ address: one, second }) => Number((second ?? one).split('.')[3]) > 254);
  if (address !== undefined || last !== undefined)
    return `there are too many hosts: ${address ?? last?.address} ${address === undefined ? 'is no address' : 'would be taken twice'}`;
  if (settings.cfengineGeneration === 3) return null;
  if (cfengine !== 'bare') return 'the lab sets up CFEngine 3 only; cfengine_generation: 2 requires a bare lab (--bare)';
  return programs === null ? 'no distribution has cfengine 2 any more; name the directory of its programs (--programs)' : null;
}

/** Hosts with Serviceguard, in or outside the cluster. */
export function serviceguardHosts(spec: LabSpec): readonly LabHost[] {
  return spec.hosts.filter((host) => host.kind !== 'client');
}

/** The lab sets the host up. */
export function isSetUp(spec: LabSpec, host: LabHost): boolean {
  return spec.cfengine === 'set up' && host.kind !== 'spare';
}

export function membersOf(spec: LabSpec): readonly LabHost[] {
  return spec.hosts.filter((host) => host.kind === 'member');
}

export function clientsOf(spec: LabSpec): readonly LabHost[] {
  return spec.hosts.filter((host) => host.kind === 'client');
}

export function hostsFile(spec: LabSpec): string {
  const { packageAddress, packageDnsName } = spec.settings;
  const lines = spec.hosts.flatMap(({ name, address, second }) =>
    [address, ...(second === null ? [] : [second])].map((one) => `${one}\t${name}.lab ${name}`),
  );
  const loopbacks = ['127.0.0.1\tlocalhost', ...(isIpv6(packageAddress) ? ['::1\tlocalhost'] : [])];
  return [...loopbacks, ...lines, `${packageAddress}\t${packageDnsName}`, ''].join('\n');
}

/** [serviceguard.md 1.1] */
export function cmclusterConf(): string {
  const lines = Object.entries(sgDirectories).map(([variable, value]) => `${variable}=${value}`);
  return ['# Lab: written by csync lab up', ...lines, ''].join('\n');
}

/** Package values have variables unexpanded [serviceguard.md 2.9]. */
export function expandVariables(value: string, extra: Readonly<Record<string, string>> = {}): string {
  const variables: Readonly<Record<string, string>> = { ...sgDirectories, ...extra };
  return value.replace(/\$\{?([A-Z_]+)\}?/g, (whole, variable: string) => variables[variable] ?? whole);
}
