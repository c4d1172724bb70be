/**
 * Reports what would prevent a start on this member; changes nothing. cmcheckconf and cmapplyconf run it on every member for a modular
 * package, csync apply and csync check for a legacy one.
 */

import { isNodeNewEnough, oldestNode } from '../../base/version.ts';
import {
  entryNames,
  isKnownBeside,
  launcherNames,
  placeOfSet,
  runtimeName,
  setsName,
  sha256,
} from '../../contract/package-directory.ts';
import { fstabMount } from '../../contract/policy-file-system.ts';
import { untilTheEnd } from '../deadlines.ts';
import { type Finding, failureMessage } from '../failures.ts';
import { judgeMountPoint, judgeName, mountAt } from '../judgements.ts';
import { judgeManifest, manifestIn } from '../settings-file.ts';
import { policyProblem } from '../steps/policy-check.ts';
import { runScript, type ScriptContext } from '../steps/script.ts';
import { judgeTrust } from '../trusted-files.ts';

async function validate(context: ScriptContext): Promise<number> {
  const { host, settings, log, role } = context;
  // Serviceguard validates both scripts; one reports.
  if (role === 'pre') return 0;
  host.begin('validate', untilTheEnd);
  const findings = [
    ...judgeNode(process.versions.node),
    ...judgeFiles(context),
    ...judgeRuntime(context),
    ...judgeTrust(host, context.directory, settings),
    ...judgeMountPointNow(context),
    ...judgeFstab(context),
    context.daemon.judgeInstallation(),
    judgeName(settings, await host.resolve(settings.packageDnsName)),
    judgePortNow(context),
    await policyProblem(context),
  ].filter((finding) => finding !== null);
  for (const finding of findings) log.line('failed', failureMessage(finding, host.member, settings.packageName));
  return findings.length === 0 ? 0 : 1;
}

function judgeNode(version: string): Finding[] {
  if (isNodeNewEnough(version)) return [];
  return [{ code: 'program-missing', text: `Node.js ${version} is older than ${oldestNode}` }];
}

function judgeFiles({ host, directory, digest, settings }: ScriptContext): Finding[] {
  const damaged = (text: string): Finding => ({ code: 'settings-damaged', text });
  const whole = judgeManifest(host, directory, digest());
  const findings: Finding[] = whole === null ? [] : [whole];
  for (const [name, wanted] of Object.entries(manifestIn(host, directory).files)) {
    const content = host.readText(`${directory}/${name}`);
    if (content === null) findings.push(damaged(`${directory}/${name} is missing`));
    else if (sha256(content) !== wanted) findings.push(damaged(`${directory}/${name} differs from what was rendered`));
  }
  const { packageDirectory } = placeOfSet(directory);
  const inside = launcherNames(settings.packageStyle).map((name) => `${directory}/${name}`);
  const beside = entryNames(settings.packageStyle).map((name) => `${packageDirectory}/${name}`);
  for (const launcher of new Set([...inside, ...beside]))
    if (!host.canExecute(launcher)) findings.push(damaged(`${launcher} cannot be executed`));
  // It may be of a newer set that is not applied yet.
  const sets = (host.list(`${packageDirectory}/${setsName}`) ?? []).map((set) => `${packageDirectory}/${setsName}/${set}`);
  const manifests = [directory, ...sets].map((place) => manifestIn(host, place));
  for (const name of entryNames(settings.packageStyle))
    if (!isKnownBeside(name, sha256(host.readText(`${packageDirectory}/${name}`) ?? ''), manifests))
      findings.push(damaged(`${packageDirectory}/${name} differs from what was rendered`));
  return findings;
}

function judgeRuntime({ host, directory }: ScriptContext): Finding[] {
  const file = `${placeOfSet(directory).packageDirectory}/${runtimeName}`;
  const wanted = manifestIn(host, directory).runtime?.digest;
  if (wanted === undefined || (host.digest(file) === wanted && host.canExecute(file))) return [];
  const text = `${file} is not the distributed Node.js, or cannot be executed. Repair: csync apply --with-runtime`;
  return [{ code: 'settings-damaged', text }];
}

/** The active member's own mount is right. */
function judgeMountPointNow({ host, settings }: ScriptContext): (Finding | null)[] {
  const mounted = mountAt(host.mounts(), settings.mountPoint);
  if (mounted !== undefined && host.ownsAddress(settings.packageAddress)) return [];
  return [judgeMountPoint(settings, host.mounts(), host.list(settings.mountPoint))];
}

const fstab = '/etc/fstab';

function judgeFstab({ host, settings }: ScriptContext): Finding[] {
  const text = host.readText(fstab);
  if (text === null && host.facts(fstab) !== null)
    return [{ code: 'mount-point-busy', text: `${fstab} cannot be read: whether it mounts ${settings.mountPoint} is unknown` }];
  const lines = (text ?? '').split('\n').map((line) => line.trim().split(/\s+/));
  return lines.flatMap(([source = '#', target = '', ...rest]): Finding[] => {
    const when = source.startsWith('#') ? null : fstabMount(settings, [source, target, ...rest]);
    if (when === null) return [];
    return [{ code: 'mount-point-busy', text: `${fstab} mounts ${source} at ${target} ${when}, without Serviceguard` }];
  });
}

function judgePortNow({ daemon }: ScriptContext): Finding | null {
  const owner = daemon.owner();
  return owner.kind === 'foreign' ? { code: 'port-occupied', text: owner.text } : null;
}

void runScript({ name: 'validate', toStandardOutput: true, run: validate, withoutSettings: () => 1 });
