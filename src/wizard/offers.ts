/** The wizard's questions and offers. Pure. */

import { isInPrefix, isIpv6, networkOf } from '../base/network.ts';
import type { Above } from '../settings/row.ts';
import { type Field, settingsFields } from '../settings/settings.ts';
import { defaultOf } from '../settings/settings-yaml.ts';
import { clusterOf, type Findings, sharedSubnets } from './findings.ts';
import { type MemberLook, workDirectories } from './look.ts';

export interface Offer {
  readonly value: unknown;
  readonly from: string;
  /**
   * A fact follows from the cluster and earlier answers, and needs no question. A guess is one of several possible values; only --yes takes
   * it without a question.
   */
  readonly certain: boolean;
}

/** Always asked, in this order: a name implies its address, an address its subnet. */
const important: readonly Field[] = [
  'packageName',
  'members',
  'packageDnsName',
  'packageAddress',
  'packageSubnet',
  'volumeGroup',
  'logicalVolume',
  'fileSystemType',
  'mountPoint',
  'policyDirectory',
  'cfengineGeneration',
  'cfengineBinDirectory',
  'cfengineWorkDirectory',
  'nodePath',
  'toolkitProgram',
];

/** Not offered: it takes a protection away. */
const neverOffered: readonly Field[] = ['testCluster'];
const others = settingsFields.filter((field) => !important.includes(field) && !neverOffered.includes(field));

export const questionOrder = { important, others, all: [...important, ...others, ...neverOffered] };

type OfferOf = (findings: Findings, above: Above) => Offer | null;
const fact = (value: unknown, from: string): Offer => ({ value, from, certain: true });
const guess = (value: unknown, from: string): Offer => ({ value, from, certain: false });
const only = <T>(items: readonly T[]): T | undefined => (items.length === 1 ? items[0] : undefined);
const lookHere = ({ members, here }: Findings): MemberLook | undefined => members.get(here);
const words = (findings: Findings, word: unknown): readonly string[] => findings.answers.get(String(word)) ?? [];

/** Names that may already be registered: the package's in each domain of this member. */
function likelyNames(findings: Findings, above: Above): string[] {
  if (typeof above.packageName !== 'string') return [];
  return (lookHere(findings)?.domains ?? []).map((domain) => `${String(above.packageName).toLowerCase()}.${domain}`);
}

const deviceOf = ({ volumeGroup, logicalVolume }: Above): string | null =>
  volumeGroup === undefined || logicalVolume === undefined ? null : `/dev/${String(volumeGroup)}/${String(logicalVolume)}`;

/** Why a volume group cannot be the package's. null: it can. */
function taken(findings: Findings, group: string, above: Above): string | null {
  const owner = clusterOf(findings)?.packageOfVolumeGroup.get(group);
  if (owner !== undefined && owner !== above.packageName) return `belongs to package ${owner}`;
  const look = lookHere(findings);
  const dashed = group.replaceAll('-', '--');
  const used = look?.devicesInUse.find(
    (device) =>
      device.startsWith(`/dev/${group}/`) ||
      (device.startsWith(`/dev/mapper/${dashed}-`) && !/^-/.test(device.slice(`/dev/mapper/${dashed}-`.length))),
  );
  // The policy file system itself, on the active member.
  return used === undefined || owner !== undefined ? null : `${used} is mounted or in /etc/fstab`;
}

const unknownStorage = (findings: Findings, { packageName }: Above): readonly string[] =>
  clusterOf(findings)?.unknownStorage.filter((name) => name !== packageName) ?? [];

/** Private to this member: it has another identity on other members. */
function isPrivate(findings: Findings, group: string): boolean {
  const seen = [...findings.members.values()].filter(({ volumeGroups }) => volumeGroups !== null);
  const uuids = new Set(seen.map(({ volumeGroups }) => volumeGroups?.find(({ name }) => name === group)?.uuid));
  return uuids.size > 1;
}

function cfengineFor(findings: Findings, above: Above) {
  return lookHere(findings)?.cfengine.filter(({ generation }) => generation === above.cfengineGeneration) ?? [];
}

const offers: Partial<Record<Field, OfferOf>> = {
  engine: ({ engine }) => fact(engine.name, 'the installed programs'),
  members: (findings) => {
    const cluster = clusterOf(findings);
    return cluster === null ? null : fact(cluster.members, findings.engine.words.viewer);
  },
  packageDnsName: (findings, above) => {
    if (above.packageAddress !== undefined) {
      const [name] = words(findings, above.packageAddress);
      return name === undefined ? null : fact(name, 'the resolver');
    }
    const name = likelyNames(findings, above).find((one) => words(findings, one).length > 0);
    return name === undefined ? null : guess(name, 'the resolver');
  },
  packageAddress: (findings, above) => {
    const address = only(words(findings, above.packageDnsName));
    return address === undefined ? null : fact(address, 'the resolver');
  },
  packageSubnet: (findings, { packageAddress }) => {
    if (typeof packageAddress !== 'string') return null;
    // A host route has no subnet.
    const isIn = (subnet: string, prefixLength: number): boolean =>
      isIpv6(packageAddress) ? isInPrefix(packageAddress, subnet) : networkOf(packageAddress, prefixLength) === subnet;
    const subnet = lookHere(findings)
      ?.addresses?.filter(({ address, prefixLength }) => prefixLength < (isIpv6(address) ? 128 : 32))
      .find((one) => one.subnet !== null && isIn(one.subnet, one.prefixLength))?.subnet;
    return subnet === undefined || subnet === null ? null : fact(subnet, 'ip addr');
  },
  volumeGroup: (findings, above) => {
    const free = lookHere(findings)?.volumeGroups?.filter(
      ({ name }) => !taken(findings, name, above) && !isPrivate(findings, name),
    );
    // One of them may be a legacy package's.
    const group = unknownStorage(findings, above).length === 0 ? only(free ?? []) : undefined;
    return group === undefined ? null : guess(group.name, 'vgs');
  },
  logicalVolume: (findings, above) => {
    const volume = only(lookHere(findings)?.logicalVolumes?.filter((one) => one.volumeGroup === above.volumeGroup) ?? []);
    return volume === undefined ? null : guess(volume.name, 'lvs');
  },
  fileSystemType: (findings, above) => {
    const type = only(words(findings, deviceOf(above)));
    return type === undefined ? null : fact(type, 'blkid');
  },
  cfengineGeneration: (findings) => {
    const { cfengine = [], running = [] } = lookHere(findings) ?? {};
    const generations = [...new Set(cfengine.map(({ generation }) => generation))];
    const one = only(generations) ?? only(generations.filter((generation) => running.includes(generation)));
    if (one !== undefined) return fact(one, 'the installed programs');
    return generations.length === 0 ? null : guess(3, 'the installed programs');
  },
  cfengineBinDirectory: (findings, above) => {
    const [first, second] = cfengineFor(findings, above);
    if (first === undefined) return null;
    return second === undefined
      ? fact(first.binDirectory, 'the installed programs')
      : guess(first.binDirectory, 'the installed programs');
  },
  cfengineWorkDirectory: (findings, above) => {
    const bin = String(above.cfengineBinDirectory);
    const found =
      lookHere(findings)?.workDirectories.filter(
        (work) => (above.cfengineGeneration === 3) === !/cfengine2|dsau/.test(work) || work === '/var/cfengine',
      ) ?? [];
    // Upstream's packages have programs and work in one directory.
    const isInstalled = cfengineFor(findings, above).some(({ binDirectory }) => binDirectory === bin);
    const beside = (isInstalled ? workDirectories : found).find((work) => bin === `${work}/bin`);
    if (beside !== undefined) return fact(beside, 'the installed programs');
    const one = only(found);
    if (one !== undefined) return fact(one, 'its keys');
    return found[0] === undefined ? null : guess(found[0], 'its keys');
  },
  nodePath: (findings) => {
    const [first] = lookHere(findings)?.nodePaths ?? [];
    return first === undefined ? null : fact(first, 'this member');
  },
  toolkitProgram: (findings) => {
    const [first] = lookHere(findings)?.toolkitPaths ?? [];
    return first === undefined ? null : fact(first, 'this member');
  },
};

/** A finding, else the default. null: nothing is known. */
export function offerFor(field: Field, findings: Findings, above: Above): Offer | null {
  const found = offers[field]?.(findings, above) ?? null;
  if (found !== null) return found;
  const value = defaultOf(field, above);
  return value === undefined ? null : fact(value, 'default');
}

/** For offerFor. */
export function lookupsFor(field: Field, findings: Findings, above: Above): string[] {
  const known = (word: unknown): word is string => typeof word === 'string' && word !== '';
  switch (field) {
    case 'packageDnsName':
      return known(above.packageAddress) ? [above.packageAddress] : likelyNames(findings, above);
    case 'packageAddress':
      return [above.packageDnsName].filter(known);
    case 'fileSystemType':
      return [deviceOf(above)].filter(known);
    default:
      return [];
  }
}

/** Possible values. */
export function remarksFor(field: Field, findings: Findings, above: Above): string[] {
  const look = lookHere(findings);
  switch (field) {
    case 'packageSubnet':
      return sharedSubnets(findings).map((subnet) => `Every known member is in ${subnet}.`);
    case 'volumeGroup':
      return (look?.volumeGroups ?? []).map(({ name }) => {
        const unknown = unknownStorage(findings, above);
        const free =
          unknown.length === 0 ? 'free' : `free, unless ${unknown.join(' or ')} uses it (the cluster does not show its storage)`;
        const why = taken(findings, name, above) ?? (isPrivate(findings, name) ? 'not the same on every member' : free);
        return `Volume group ${name}: ${why}.`;
      });
    case 'logicalVolume':
      return (look?.logicalVolumes ?? [])
        .filter(({ volumeGroup }) => volumeGroup === above.volumeGroup)
        .map(({ name, size }) => `Logical volume ${name}: ${size}.`);
    default:
      return [];
  }
}
