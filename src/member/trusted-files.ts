/**
 * What the member scripts run, believe or write as root: whoever else can change one of these is root here. Told loudly where nothing
 * is at stake (validate refuses, and with it cmcheckconf); a start only warns: a bit of a file mode must not cost a failover.
 */
import { adapterFor } from '../cfengine/adapter.ts';
import { appliedName, manifestName, placeOfSet, runningFile, runtimeName, settingsName } from '../contract/package-directory.ts';
import { customerDefined } from '../contract/policy-file-system.ts';
import type { MemberHost } from '../host/host.ts';
import { strangersTo, strangersToWriting } from '../host/ownership.ts';
import type { Settings } from '../settings/settings.ts';
import type { Finding } from './failures.ts';
import { expand } from './settings-file.ts';

/** Sourced by the launchers, where the environment names no other. */
const configuration = '/etc/cmcluster.conf';
/** Of a set, besides the scripts, and of the package directory. */
const believed = [settingsName, manifestName] as const;
const believedBeside = ['roster.json', appliedName, customerDefined, runtimeName] as const;

/** Absolute paths; not all of them are there on every member. */
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
    process.execPath,
    settings.toolkitProgram,
    ...Object.values(programs),
    daemonPolicy,
  ];
}

/** Written as root, in places that the administrator names: who can put a link in the way has anything overwritten. */
function writtenFiles({ scriptLogFile, monitorMetricsFile }: Settings, host: MemberHost): string[] {
  return [expand(host, scriptLogFile), ...(monitorMetricsFile === 'off' ? [] : [monitorMetricsFile])];
}

/** A finding for each place that others than root, or who runs this, could change. */
export function judgeTrust(host: MemberHost, directory: string, settings: Settings): Finding[] {
  const places = [
    ...trustedFiles(host, directory, settings).flatMap((path) => strangersTo(path)),
    ...writtenFiles(settings, host).flatMap((path) => strangersToWriting(path)),
  ];
  return [...new Set(places)].map((text) => ({ code: 'others-may-change', text }));
}
