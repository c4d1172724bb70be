/**
 * Called by cmcheckconf and cmapplyconf on every member: all that would keep this member from running the package, at
 * once. Changes nothing.
 */
import { explain, type Finding } from './failures.ts';
import { deviceOf, judgeMountPoint, judgeName, mountAt } from './judgements.ts';
import { policyProblem } from './policy-check.ts';
import { runScript, type ScriptContext } from './script.ts';
import { digestOf } from './settings-file.ts';

const oldestNode = [20, 19] as const;

async function validate(context: ScriptContext): Promise<number> {
  const { host, settings, log, role } = context;
  // Both external scripts are validated; one of them looks at everything, so that nothing is said twice.
  if (role === 'pre') return 0;
  const findings = [
    ...judgeNode(process.versions.node),
    ...judgeFiles(context),
    ...judgeMountPointNow(context),
    ...judgeFstab(context),
    context.daemon.judgeInstallation(),
    judgeName(settings, await host.resolve(settings.packageDnsName)),
    judgePortNow(context),
    await policyProblem(context),
  ].filter((finding) => finding !== null);
  for (const finding of findings) log.line('validate', 'failed', explain(finding, host.member, settings.packageName));
  return findings.length === 0 ? 0 : 1;
}

function judgeNode(version: string): Finding[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return [];
  return [{ code: 'program-missing', text: `Node.js ${version} is older than ${oldestNode.join('.')}` }];
}

/** The cure for scripts that drift apart: every file is compared with what was rendered. */
function judgeFiles({ host, directory, digest }: ScriptContext): Finding[] {
  const damaged = (text: string): Finding => ({ code: 'settings-damaged', text });
  const text = host.readText(`${directory}/manifest.json`);
  let manifest: { settingsDigest?: unknown; files?: unknown };
  try {
    manifest = JSON.parse(text ?? '') as typeof manifest;
  } catch {
    return [damaged(`${directory}/manifest.json is missing or damaged`)];
  }
  const findings: Finding[] = [];
  if (manifest.settingsDigest !== digest)
    findings.push(damaged(`${directory}/settings.json is not the one that was rendered with the other files`));
  for (const [name, wanted] of Object.entries((manifest.files ?? {}) as Record<string, unknown>)) {
    const content = host.readText(`${directory}/${name}`);
    if (content === null) findings.push(damaged(`${directory}/${name} is missing`));
    // The package file is the administrator's, applied from one member; it is not used from the others' disks.
    else if (digestOf(content) !== wanted && !name.endsWith('.conf'))
      findings.push(damaged(`${directory}/${name} differs from what was rendered`));
  }
  for (const launcher of ['csync.sh', 'csync_pre.sh']) {
    if (!host.canExecute(`${directory}/${launcher}`)) findings.push(damaged(`${directory}/${launcher} cannot be executed`));
  }
  return findings;
}

/** On the member the package runs on, its own mount is right; anywhere else the place must be free and empty. */
function judgeMountPointNow({ host, settings }: ScriptContext): (Finding | null)[] {
  const mounted = mountAt(host.mounts(), settings.mountPoint);
  if (mounted !== undefined && host.ownsAddress(settings.packageAddress)) return [];
  return [judgeMountPoint(settings, host.mounts(), host.list(settings.mountPoint))];
}

function judgeFstab({ host, settings }: ScriptContext): Finding[] {
  const lines = (host.readText('/etc/fstab') ?? '').split('\n').map((line) => line.trim().split(/\s+/));
  const bad = lines.find(([device, target, , options]) => {
    if (device === undefined || device.startsWith('#')) return false;
    return (target === settings.mountPoint || device === deviceOf(settings)) && options?.split(',').includes('noauto') !== true;
  });
  if (bad === undefined) return [];
  return [{ code: 'mount-point-busy', text: `/etc/fstab mounts ${bad[0]} at ${bad[1]} at boot, behind Serviceguard's back` }];
}

function judgePortNow({ daemon }: ScriptContext): Finding | null {
  const owner = daemon.owner();
  return owner.kind === 'foreign' ? { code: 'port-occupied', text: owner.text } : null;
}

void runScript({ name: 'validate', toStandardOutput: true, run: validate, withoutSettings: () => 1 });
