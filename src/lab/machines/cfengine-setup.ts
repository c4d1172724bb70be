/**
 * CFEngine on the lab's hosts, as an administrator would have set it up before the package exists: one key pair for all
 * members [cfengine.md 3.1], a pair for each client, mutual trust, the same policy everywhere, the daemon started at
 * boot. Nothing of it belongs to the package.
 */
import { generateKeyPair, type KeyPair, peerKeyFileName } from '../../cfengine/keys.ts';
import * as files from '../../host/lab-files.ts';
import { demand } from '../../problem.ts';
import { renderPolicy } from '../../render/policy.ts';
import type { Template } from '../../render/template.ts';
import { clientsOf, type LabPlan, membersOf } from './plan.ts';
import type { World } from './world.ts';

/** A policy that tells which version it is, long enough that half of it would show. */
export function policyText(version: number): string {
  const filler = Array.from({ length: 200 }, (_, line) => `line ${line} of version ${version}`);
  return [`version ${version}`, ...filler, `end of version ${version}`, ''].join('\n');
}

/** The version of a policy file that is whole; null when it is torn or missing. */
export function policyVersion(text: string | null): number | null {
  const version = Number(/^version (\d+)\n/.exec(text ?? '')?.[1] ?? Number.NaN);
  return Number.isInteger(version) && text === policyText(version) ? version : null;
}

/** Name of that file in the served policy and in a client's inputs. */
export const policyFileName = 'csync-lab-policy.txt';

export interface CfenginePaths {
  readonly masterfiles: string;
  readonly inputs: string;
}

export function pathsOf(plan: LabPlan): CfenginePaths {
  const { policyDirectory, cfengineWorkDirectory } = plan.settings;
  return { masterfiles: `${policyDirectory}/masterfiles`, inputs: `${cfengineWorkDirectory}/inputs` };
}

export interface PolicyTemplates {
  readonly promises: Template;
  readonly update: Template;
}

/** Keys and policy into every host's work directory, before the hosts boot. */
export async function installCfengine(world: World, templates: PolicyTemplates): Promise<void> {
  const { plan } = world;
  const shared = await generateKeyPair();
  const policy = policyFiles(plan, templates);
  const trusted = new Map([[peerKeyFileName(shared.publicKey), shared.publicKey]]);
  const own = new Map(membersOf(plan).map((member) => [member.name, shared]));
  for (const client of clientsOf(plan)) {
    const pair = await generateKeyPair();
    own.set(client.name, pair);
    trusted.set(peerKeyFileName(pair.publicKey), pair.publicKey);
  }
  for (const host of plan.hosts) {
    const directory = world.cfengineDirectory(host.name);
    const pair = own.get(host.name) ?? shared;
    writeCfengine(directory, pair, trusted, policy);
  }
}

/** A work directory of cfengine: its key pair, the public keys it trusts by file name, its policy by file name. */
export function writeCfengine(
  directory: string,
  pair: KeyPair,
  trusted: ReadonlyMap<string, string>,
  policy: ReadonlyMap<string, string>,
): void {
  for (const part of ['ppkeys', 'inputs', 'state', 'outputs', 'modules', 'lastseen', 'reports']) {
    files.makeDirectory(`${directory}/${part}`, 0o700);
  }
  files.writeText(`${directory}/ppkeys/localhost.priv`, pair.privateKey, 0o600);
  files.writeText(`${directory}/ppkeys/localhost.pub`, pair.publicKey, 0o600);
  for (const [name, key] of trusted) files.writeText(`${directory}/ppkeys/${name}`, key, 0o600);
  for (const [name, text] of policy) files.writeText(`${directory}/inputs/${name}`, text, 0o600);
  files.makeLink('/usr/bin', `${directory}/bin`);
}

/** The policy of every host of the plan, for its daemon and its agent. */
export function policyFiles(plan: LabPlan, templates: PolicyTemplates): ReadonlyMap<string, string> {
  const { settings } = plan;
  const memberAddresses = [...membersOf(plan).map((member) => member.address), settings.packageAddress];
  const networks = [`${settings.packageSubnet}/${plan.prefixLength}`];
  return demand(renderPolicy({ settings, ...templates, networks, memberAddresses }));
}

/** What the system's start-up does on a member or client: the daemon, -K because a crash leaves a lock [cfengine.md 2.4]. */
export async function bootCfengine(world: World, name: string): Promise<void> {
  await world.must(name, ['sh', '-c', 'cd /; ulimit -n 4096; exec /usr/bin/cf-serverd -K </dev/null >/dev/null 2>&1']);
}

/** Puts the first policy on the shared file system, as an administrator prepares it once, from one member. */
export async function preparePolicyFileSystem(world: World, member: string): Promise<void> {
  const { plan } = world;
  const { volumeGroup, logicalVolume, mountPoint, fileSystemType } = plan.settings;
  const { masterfiles, inputs } = pathsOf(plan);
  await world.must(member, ['vgchange', '--addtag', member, volumeGroup]);
  await world.must(member, ['vgchange', '-a', 'y', volumeGroup]);
  await world.must(member, ['mount', '-t', fileSystemType, `/dev/${volumeGroup}/${logicalVolume}`, mountPoint]);
  await world.must(member, ['mkdir', '-p', masterfiles]);
  for (const name of files.listDirectory(world.pathOn(member, inputs))) {
    await world.must(member, ['cp', `${inputs}/${name}`, masterfiles]);
  }
  publish(world, member, 1);
  await world.must(member, ['umount', mountPoint]);
  await world.must(member, ['vgchange', '-a', 'n', volumeGroup]);
  await world.must(member, ['vgchange', '--deltag', member, volumeGroup]);
}

/** Writes a policy version where the master serves it. */
export function publish(world: World, member: string, version: number): void {
  files.writeText(`${world.pathOn(member, pathsOf(world.plan).masterfiles)}/${policyFileName}`, policyText(version), 0o600);
}

/** The policy version a client has now; null when it is torn or missing. */
export function versionAt(world: World, client: string): number | null {
  return policyVersion(files.readText(`${world.pathOn(client, pathsOf(world.plan).inputs)}/${policyFileName}`));
}
