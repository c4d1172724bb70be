/** Values for tokens of package files [serviceguard.md 2, 4.1]. Pure. */
import { errorProblem, type Problem } from '../../base/problem.ts';
import { toolkitVersion } from '../../base/version.ts';
import { type Settings, settingsDigest } from '../../settings/settings.ts';
import type { DefinitionFormat, EngineVariables } from '../engine.ts';

const nodeNames = (keyword: string, members: readonly string[]): string =>
  members.map((member) => `${keyword.padEnd(28)}${member}`).join('\n');

/** For both styles; `is` prints a switch. */
function sharedTokens(settings: Settings, set: string, is: (on: boolean) => string): Record<string, string> {
  return {
    toolkit_version: toolkitVersion,
    settings_digest: settingsDigest(settings),
    set_digest: set,
    package_name: settings.packageName,
    package_description: settings.packageDescription,
    auto_run: is(settings.autoRun),
    node_fail_fast: is(settings.nodeFailFast),
    run_script_timeout: String(settings.runScriptTimeoutSeconds),
    halt_script_timeout: String(settings.haltScriptTimeoutSeconds),
    package_subnet: settings.packageSubnet,
    package_address: settings.packageAddress,
    package_dns_name: settings.packageDnsName,
    service_fail_fast: is(settings.serviceFailFast),
    service_halt_timeout: String(settings.serviceHaltTimeoutSeconds),
  };
}

function modularTokens(settings: Settings, set: string): Record<string, string> {
  return {
    ...sharedTokens(settings, set, (on) => (on ? 'yes' : 'no')),
    node_names: nodeNames('node_name', settings.members),
    script_log_file: settings.scriptLogFile,
    log_level: String(settings.logLevel),
    failover_policy: settings.failoverPolicy,
    failback_policy: settings.failbackPolicy,
    priority: String(settings.packagePriority),
    volume_group: settings.volumeGroup,
    logical_volume: settings.logicalVolume,
    mount_point: settings.mountPoint,
    file_system_type: settings.fileSystemType,
    mount_options: settings.mountOptions,
    package_directory: settings.packageDirectory,
    service_restart: String(settings.serviceRestart),
  };
}

/** In legacy spelling, without the control script's values. */
function legacyTokens(settings: Settings, set: string, variables: EngineVariables): Record<string, string> {
  const whole = (path: string): string =>
    path.replace(/^\$(SGCONF|SGRUN)\b/, (variable, name: string) => variables[name] ?? variable);
  return {
    ...sharedTokens(settings, set, (on) => (on ? 'YES' : 'NO')),
    node_names: nodeNames('NODE_NAME', settings.members),
    script_log_file: whole(settings.scriptLogFile),
    failover_policy: settings.failoverPolicy.toUpperCase(),
    failback_policy: settings.failbackPolicy.toUpperCase(),
    package_directory: whole(settings.packageDirectory),
  };
}

/** No page shows a variable in a legacy file. */
function pathProblems(values: Readonly<Record<string, string>>): Problem[] {
  return ['package_directory', 'script_log_file']
    .filter((token) => values[token]?.startsWith('$'))
    .map((token) =>
      errorProblem(
        'settings-legacy-path',
        `${token} is ${values[token]}, but a legacy package file requires absolute paths, and this host has no cmcluster.conf that defines the variable`,
        `set it in csync.yaml (${token}: ${values[token]?.replace(/^\$SGCONF|^\$SGRUN/, '/usr/local/cmcluster/...')}), or render on a member`,
      ),
    );
}

export const tokens: DefinitionFormat['tokens'] = (settings, set, variables) => {
  if (settings.packageStyle === 'modular') return { values: modularTokens(settings, set), problems: [] };
  const values = legacyTokens(settings, set, variables);
  return { values, problems: pathProblems(values) };
};
