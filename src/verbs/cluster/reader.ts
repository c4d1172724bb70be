/** `csync reader`: prints the program that a read-only account runs by sudo. */
import { toolkitVersion } from '../../base/version.ts';
import { adapterFor } from '../../cfengine/adapter.ts';
import { checkLook } from '../../cluster/condition/checks.ts';
import { lookScript } from '../../cluster/remote/package-look.ts';
import { commandScript, script } from '../../cluster/remote/shell-text.ts';
import { lookScripts } from '../../cluster/setup/look.ts';
import { engineFor } from '../../engine/choice/engine-for.ts';
import { type ReaderScript, readerProgram } from '../../host/admin/reader-program.ts';
import { settingsDigest } from '../../settings/settings.ts';
import { findSettings, type SettingsSource } from '../common/toolkit-files.ts';
import { setupPlace } from '../hosts/setup-place.ts';
import { statusLooks } from './status.ts';

export function printReader(named: string | undefined): string {
  const source = findSettings(named);
  return readerProgram(
    readerScripts(source),
    `csync ${toolkitVersion}, settings ${settingsDigest(source.settings).slice(0, 12)}`,
  );
}

/** All that status, check, diff and the lists run on a member. As root, check reads more about other packages and the network. */
function readerScripts(source: SettingsSource): ReaderScript[] {
  const { settings } = source;
  const { packageDirectory, nodePath, packageName } = settings;
  const { observation } = engineFor(settings);
  const { programs, lastSeenList } = adapterFor(settings);
  const looks = statusLooks(settings);
  const look = (purpose: string, lines: readonly string[]): ReaderScript => ({
    purpose,
    script: lookScript(packageDirectory, nodePath, lines),
  });
  const hosts = lookScripts(setupPlace(source, undefined));
  return [
    look('package directory and condition of the member', looks.lines),
    { purpose: 'condition of the active member, once more', script: script(...looks.condition.lines) },
    { purpose: 'the view of the cluster', script: commandScript(observation.view, packageDirectory) },
    { purpose: 'the applied package', script: commandScript(observation.definition(packageName), packageDirectory) },
    look('package directory', []),
    look('facts for the checks', checkLook(settings, programs.daemon, lastSeenList).lines),
    { purpose: 'cfengine and its public keys on the member', script: hosts.member },
    { purpose: 'policy and roster on the active member', script: hosts.masterFiles },
  ];
}
