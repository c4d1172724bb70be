/**
 * What a lab cluster consists of, derived from the settings: names, addresses, directories. Pure. The layout below
 * SGROOT is Red Hat's [serviceguard.md 1.1], since Debian, where the lab runs, is no Serviceguard platform.
 */
import type { Settings } from '../../settings.ts';

export interface LabHost {
  readonly name: string;
  readonly address: string;
  readonly kind: 'member' | 'client';
}

export interface LabPlan {
  readonly name: string;
  /** Directory on the machine that runs the lab; everything of the lab lies below it. */
  readonly home: string;
  readonly settings: Settings;
  readonly hosts: readonly LabHost[];
  readonly prefixLength: number;
  /** MEMBER_TIMEOUT of the lab in milliseconds; shorter than Serviceguard's least, so that people need not wait. */
  readonly memberTimeoutMs: number;
}

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
};

/** A name of a lab is part of paths that are removed again. */
export function isLabName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,31}$/.test(name);
}

const prefixLength = 24;

/** Members get .11 upward, clients .21 upward in the package's subnet, which the lab takes to be a /24. */
export function planLab(settings: Settings, name: string, clients: readonly string[] = ['c1', 'c2']): LabPlan {
  const network = settings.packageSubnet.split('.').slice(0, 3).join('.');
  const host = (kind: LabHost['kind'], first: number) => (hostName: string, index: number) => ({
    name: hostName,
    address: `${network}.${first + index}`,
    kind,
  });
  return {
    name,
    home: `/run/csync-lab/${name}`,
    settings,
    hosts: [...settings.members.map(host('member', 11)), ...clients.map(host('client', 21))],
    prefixLength,
    memberTimeoutMs: 2000,
  };
}

export function membersOf(plan: LabPlan): readonly LabHost[] {
  return plan.hosts.filter((host) => host.kind === 'member');
}

export function clientsOf(plan: LabPlan): readonly LabHost[] {
  return plan.hosts.filter((host) => host.kind === 'client');
}

/** /etc/hosts of every lab host: the lab resolves names both ways through it. */
export function hostsFile(plan: LabPlan): string {
  const { packageAddress, packageDnsName } = plan.settings;
  const lines = plan.hosts.map((host) => `${host.address}\t${host.name}.lab ${host.name}`);
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
