/**
 * CFEngine on the lab's hosts, as an administrator sets it up before the package: one key pair for all members [cfengine.md 3.1], one for
 * each client, mutual trust, the same policy, the daemon started at boot.
 */

import { demand } from '../../base/problem.ts';
import { adapterFor } from '../../cfengine/adapter.ts';
import { generateKeyPair, type KeyPair, peerKeyFileName } from '../../cfengine/keys.ts';
import { layoutOf } from '../../cfengine/layout.ts';
import type { CommandResult } from '../../host/host.ts';
import * as files from '../../host/lab/lab-files.ts';
import { renderPolicy } from '../../render/policy.ts';
import type { Template } from '../../render/template.ts';
import type { Settings } from '../../settings/settings.ts';
import { clientsOf, type LabHost, type LabSpec, membersOf } from './lab-spec.ts';
import { quirksInPolicy } from './quirks/quirks.ts';
import { LabFailure, type World } from './world.ts';

const publishLimitMs = 5000;

/** Long enough that a torn copy is detected. */
export function policyText(version: number): string {
  const filler = Array.from({ length: 200 }, (_, line) => `line ${line} of version ${version}`);
  return [`version ${version}`, ...filler, `end of version ${version}`, ''].join('\n');
}

/** null: torn or missing. */
export function policyVersion(text: string | null): number | null {
  const version = Number(/^version (\d+)\n/.exec(text ?? '')?.[1] ?? Number.NaN);
  return Number.isInteger(version) && text === policyText(version) ? version : null;
}

export const policyFileName = 'csync-lab-policy.txt';

export type PolicyTemplates = ReadonlyMap<string, Template>;

/** As the Debian package does, before the hosts boot: programs and empty directories. */
export function installPrograms(world: World): void {
  const { settings, programs, hosts } = world.spec;
  const { cfengineBinDirectory: bin, cfengineWorkDirectory: work } = settings;
  for (const { name } of hosts) {
    const directory = world.cfengineDirectory(name);
    makeWorkDirectory(directory, settings);
    if (programs === null) continue;
    // The work directory hides the host's disk.
    const inside = `${bin}/`.startsWith(`${work}/`);
    files.copyTree(programs, inside ? `${directory}${bin.slice(work.length)}` : `${world.diskOf(name)}${bin}`);
  }
}

const workDirectories: Readonly<Record<Settings['cfengineGeneration'], readonly string[]>> = {
  2: ['ppkeys', 'inputs', 'state', 'outputs', 'modules', 'rpc_in', 'rpc_out'],
  3: ['ppkeys', 'inputs', 'state', 'outputs', 'modules', 'lastseen', 'reports'],
};

function makeWorkDirectory(directory: string, settings: Settings): void {
  for (const part of workDirectories[settings.cfengineGeneration]) files.makeDirectory(`${directory}/${part}`, 0o700);
  if (settings.cfengineGeneration === 3) files.makeLink(settings.cfengineBinDirectory, `${directory}/bin`);
}

/** On each host that the lab sets up, before it boots. */
export async function installCfengine(world: World, templates: PolicyTemplates): Promise<void> {
  const { spec } = world;
  const shared = await generateKeyPair();
  const policy = policyFiles(spec, templates);
  const trusted = new Map([[peerKeyFileName(shared.publicKey), shared.publicKey]]);
  const own = new Map(membersOf(spec).map((member) => [member.name, shared]));
  for (const client of clientsOf(spec)) {
    const pair = await generateKeyPair();
    own.set(client.name, pair);
    trusted.set(peerKeyFileName(pair.publicKey), pair.publicKey);
  }
  for (const { name } of spec.hosts) {
    const pair = own.get(name);
    if (pair !== undefined) writeCfengine(world.cfengineDirectory(name), spec.settings, pair, trusted, policy);
  }
}

/** `trusted` and `policy`: by file name. */
export function writeCfengine(
  directory: string,
  settings: Settings,
  pair: KeyPair,
  trusted: ReadonlyMap<string, string>,
  policy: ReadonlyMap<string, string>,
): void {
  makeWorkDirectory(directory, settings);
  files.writeText(`${directory}/ppkeys/localhost.priv`, pair.privateKey, 0o600);
  files.writeText(`${directory}/ppkeys/localhost.pub`, pair.publicKey, 0o600);
  for (const [name, key] of trusted) files.writeText(`${directory}/ppkeys/${name}`, key, 0o600);
  for (const [name, text] of policy) files.writeText(`${directory}/inputs/${name}`, text, 0o600);
}

/** For daemon and agent of every host. */
export function policyFiles(spec: LabSpec, templates: PolicyTemplates): ReadonlyMap<string, string> {
  const asRegistered = ({ name, address }: LabHost) => ({ name, addresses: [address] });
  const [members, clients] = [membersOf(spec).map(asRegistered), clientsOf(spec).map(asRegistered)];
  const files = demand(renderPolicy({ settings: spec.settings, templates, members, clients }));
  return new Map(files.map(({ name, text }) => [name, text]));
}

export async function bootCfengine(world: World, name: string): Promise<void> {
  const { startDaemon } = adapterFor(world.spec.settings);
  await world.must(name, ['sh', '-c', 'exec "$@" </dev/null >/dev/null 2>&1', 'sh', ...startDaemon]);
}

/** Without systemd. null: no init script, or disabled. */
export async function runInitScript(world: World, name: string): Promise<CommandResult | null> {
  const configured = `[ -x ${initScript} ] && [ -r ${initConfiguration} ] && . ${initConfiguration} && [ "$CSYNC_CONFIGURED" = 1 ]`;
  const options = { env: initEnvironment, bare: true };
  if ((await world.run(name, ['sh', '-c', configured], options)).exitCode !== 0) return null;
  return world.run(name, [initScript, 'start'], options);
}

/** DSAU's [dsau-csync.md]. */
const initScript = '/etc/init.d/cfservd';
const initConfiguration = '/etc/rc.config.d/cfservd';
const initEnvironment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

/** Once, from one member: writes the first policy. */
export async function preparePolicyFileSystem(world: World, member: string): Promise<void> {
  const { spec } = world;
  const { volumeGroup, logicalVolume, mountPoint, fileSystemType } = spec.settings;
  const { masterInputs, referenceFiles, publicKeys, inputs, keys } = layoutOf(spec.settings);
  const lvm = (...words: readonly string[]) => world.must(member, ['vgchange', ...words, volumeGroup]);
  await lvm('--addtag', member);
  await lvm('-a', 'y');
  await world.must(member, ['mount', '-t', fileSystemType, `/dev/${volumeGroup}/${logicalVolume}`, mountPoint]);
  await world.must(member, ['mkdir', '-p', referenceFiles, publicKeys]);
  await world.must(member, ['cp', '-r', inputs, masterInputs]);
  const clusterKey = files.readText(world.pathOn(member, `${keys}/localhost.pub`)) ?? '';
  files.writeText(world.pathOn(member, `${publicKeys}/${peerKeyFileName(clusterKey)}`), clusterKey, 0o600);
  await publish(world, member, 1);
  await world.must(member, ['sh', '-c', quirksInPolicy(spec.quirks), 'sh', masterInputs]);
  await world.must(member, ['umount', mountPoint]);
  await lvm('-a', 'n');
  await lvm('--deltag', member);
}

/** Throws LabFailure if the file system hangs. */
export async function publish(world: World, member: string, version: number): Promise<void> {
  const written = await files.writeTextWithin(
    publishLimitMs,
    `${world.pathOn(member, layoutOf(world.spec.settings).masterInputs)}/${policyFileName}`,
    policyText(version),
    0o600,
  );
  if (!written)
    throw new LabFailure(`policy version ${version} could not be written on ${member} within ${publishLimitMs / 1000} s`);
}

/** null: torn or missing. */
export function versionAt(world: World, client: string): number | null {
  return policyVersion(files.readText(`${world.pathOn(client, layoutOf(world.spec.settings).inputs)}/${policyFileName}`));
}
