import { shellWord } from '../base/shell-word.ts';
import type { CfengineAdapter } from '../cfengine/adapter.ts';
import { layoutOf } from '../cfengine/layout.ts';
import { daemonFunction } from '../cluster/remote/daemon-lines.ts';
import { maintenanceFileName } from '../contract/maintenance-file.ts';
import type { Settings } from '../settings/settings.ts';

/** Words of drill scripts. `directory`: the package's, with the engine's variables. */
export function drillWords(settings: Settings, adapter: CfengineAdapter): Readonly<Record<string, string>> {
  const { mountPoint, packageAddress, packageDirectory, cfenginePort } = settings;
  return {
    mount: shellWord(mountPoint),
    address: packageAddress,
    directory: packageDirectory,
    port: String(cfenginePort),
    daemon: adapter.daemonName,
    daemonPids: daemonFunction(adapter, settings.cfengineWorkDirectory),
    monitor: 'the monitor',
    pause: maintenanceFileName,
    front: 'csync-front.pl',
    startScript: 'the start script',
    haltScript: 'the halt script',
    keys: shellWord(layoutOf(settings).keys),
    start: adapter.startDaemon.map(shellWord).join(' '),
  };
}
