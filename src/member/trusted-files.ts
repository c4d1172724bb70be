/**
 * What the member scripts run, or believe, as root: whoever else can change one of these is root here. Told loudly where nothing
 * is at stake (validate refuses, and with it cmcheckconf); a start only warns: a bit of a file mode must not cost a failover.
 */
import { adapterFor } from '../cfengine/adapter.ts';
import type { MemberHost } from '../host/host.ts';
import { strangersTo } from '../host/ownership.ts';
import type { Settings } from '../settings.ts';
import type { Finding } from './failures.ts';
import { customerDefined } from './judgements.ts';

/** Sourced by the launchers. */
const configuration = '/etc/cmcluster.conf';
/** Of the package directory, besides the scripts. */
const believed = ['settings.json', 'manifest.json', 'roster.json', customerDefined, 'runtime/node'] as const;

/** Absolute paths; not all of them are there on every member. */
function trustedFiles(names: readonly string[], directory: string, settings: Settings): string[] {
  const { programs, daemonPolicy } = adapterFor(settings);
  const scripts = names.filter((name) => /\.(sh|cjs|pl)$/.test(name));
  return [
    configuration,
    directory,
    ...[...scripts, ...believed].map((name) => `${directory}/${name}`),
    process.execPath,
    settings.toolkitProgram,
    ...Object.values(programs),
    daemonPolicy,
  ];
}

/** A finding for each place that others than root, or who runs this, could change. */
export function judgeTrust(host: MemberHost, directory: string, settings: Settings): Finding[] {
  const places = trustedFiles(host.list(directory) ?? [], directory, settings).flatMap((path) => strangersTo(path));
  return [...new Set(places)].map((text) => ({ code: 'others-may-change', text }));
}
