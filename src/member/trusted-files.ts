/**
 * Files that member scripts run, read or write as root: a user who can change one is root. validate refuses them; a start only warns,
 * because a file mode must not prevent a failover.
 */
import { adapterFor } from '../cfengine/adapter.ts';
import {
  appliedName,
  manifestName,
  nodeOptionsFile,
  placeOfSet,
  runningFile,
  runtimeName,
  settingsName,
} from '../contract/package-directory.ts';
import { customerDefined } from '../contract/policy-file-system.ts';
import type { MemberHost } from '../host/host.ts';
import { ourselves, strangersTo, strangersToWriting } from '../host/ownership.ts';
import type { Settings } from '../settings/settings.ts';
import type { Finding } from './failures.ts';
import { expand } from './settings-file.ts';

/** Sourced by the launchers unless the environment names another file. */
const configuration = '/etc/cmcluster.conf';
/** In a set, and in the package directory. */
const believed = [settingsName, manifestName] as const;
const believedBeside = ['roster.json', appliedName, customerDefined, runtimeName] as const;

function trustedFiles(host: MemberHost, directory: string, settings: Settings): string[] {
  const { programs, daemonPolicy } = adapterFor(settings);
  const { packageDirectory } = placeOfSet(directory);
  const scripts = (place: string): string[] => (host.list(place) ?? []).filter((name) => /\.(sh|cjs|pl)$/.test(name));
  return [
    host.environment.SGCONFFILE || configuration,
    directory,
    packageDirectory,
    ...[...scripts(directory), ...believed].map((name) => `${directory}/${name}`),
    ...[...scripts(packageDirectory), ...believedBeside].map((name) => `${packageDirectory}/${name}`),
    runningFile(packageDirectory),
    nodeOptionsFile(settings.packageName),
    process.execPath,
    settings.toolkitProgram,
    ...Object.values(programs),
    daemonPolicy,
  ];
}

/** At paths that the administrator chose: a link could overwrite any file. */
function writtenFiles({ scriptLogFile, monitorMetricsFile }: Settings, host: MemberHost): string[] {
  return [expand(host, scriptLogFile), ...(monitorMetricsFile === 'off' ? [] : [monitorMetricsFile])];
}

/** One finding for each path that a user other than root or this one could change. */
export function judgeTrust(host: MemberHost, directory: string, settings: Settings): Finding[] {
  const [trusted, stats] = [ourselves(), new Map()];
  const places = [
    ...trustedFiles(host, directory, settings).flatMap((path) => strangersTo(path, trusted, stats)),
    ...writtenFiles(settings, host).flatMap((path) => strangersToWriting(path, stats)),
  ];
  return [...new Set(places)].map((text) => ({ code: 'others-may-change', text }));
}
