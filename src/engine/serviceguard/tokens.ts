/** What the tokens of a package file stand for, modular or legacy [serviceguard.md 2, 4.1]. Pure. */
import type { Problem } from '../../base/problem.ts';
import { toolkitVersion } from '../../base/version.ts';
import { type Settings, settingsDigest } from '../../settings/settings.ts';
import type { DefinitionFormat, EngineVariables } from '../engine.ts';

const yes = (is: boolean): string => (is ? 'yes' : 'no');

/** What the tokens of a modular package file stand for. */
function modularTokens(settings: Settings, set: string): Record<string, string> {
  const column = 'node_name'.padEnd(28);
  return {
    toolkit_version: toolkitVersion,
    settings_digest: settingsDigest(settings),
    set_digest: set,
    package_name: settings.packageName,
    package_description: settings.packageDescription,
    node_names: settings.members.map((member) => `${column}${member}`).join('\n'),
    auto_run: yes(settings.autoRun),
    node_fail_fast: yes(settings.nodeFailFast),
    run_script_timeout: String(settings.runScriptTimeoutSeconds),
    halt_script_timeout: String(settings.haltScriptTimeoutSeconds),
    script_log_file: settings.scriptLogFile,
    log_level: String(settings.logLevel),
    failover_policy: settings.failoverPolicy,
    failback_policy: settings.failbackPolicy,
    priority: String(settings.packagePriority),
    package_subnet: settings.packageSubnet,
    package_address: settings.packageAddress,
    package_dns_name: settings.packageDnsName,
    volume_group: settings.volumeGroup,
    logical_volume: settings.logicalVolume,
    mount_point: settings.mountPoint,
    file_system_type: settings.fileSystemType,
    mount_options: settings.mountOptions,
    package_directory: settings.packageDirectory,
    service_restart: String(settings.serviceRestart),
    service_fail_fast: yes(settings.serviceFailFast),
    service_halt_timeout: String(settings.serviceHaltTimeoutSeconds),
  };
}

/** Those of a legacy one: words in its spelling, whole paths, and nothing of what its control script does. */
function legacyTokens(settings: Settings, set: string, variables: EngineVariables): Record<string, string> {
  const column = 'NODE_NAME'.padEnd(28);
  const whole = (path: string): string =>
    path.replace(/^\$(SGCONF|SGRUN)\b/, (variable, name: string) => variables[name] ?? variable);
  const {
    log_level: _level,
    priority: _priority,
    volume_group: _group,
    logical_volume: _volume,
    mount_point: _point,
    file_system_type: _type,
    mount_options: _options,
    service_restart: _restart,
    ...shared
  } = modularTokens(settings, set);
  const capitals = ['auto_run', 'node_fail_fast', 'service_fail_fast', 'failover_policy', 'failback_policy'] as const;
  return {
    ...shared,
    ...Object.fromEntries(capitals.map((token) => [token, (shared[token] ?? '').toUpperCase()])),
    node_names: settings.members.map((member) => `${column}${member}`).join('\n'),
    package_directory: whole(settings.packageDirectory),
    script_log_file: whole(settings.scriptLogFile),
  };
}

/** No page shows a variable in a legacy package file, so none is written into one. */
function pathProblems(values: Readonly<Record<string, string>>): Problem[] {
  return ['package_directory', 'script_log_file']
    .filter((token) => values[token]?.startsWith('$'))
    .map((token) => ({
      code: 'settings-legacy-path',
      severity: 'error',
      text: `${token} is ${values[token]}, but a legacy package file wants whole paths, and no cmcluster.conf here says where that is`,
      remedy: `say it in csync.yaml (${token}: ${values[token]?.replace(/^\$SGCONF|^\$SGRUN/, '/usr/local/cmcluster/...')}), or render on a member`,
    }));
}

export const tokens: DefinitionFormat['tokens'] = (settings, set, variables) => {
  if (settings.packageStyle === 'modular') return { values: modularTokens(settings, set), problems: [] };
  const values = legacyTokens(settings, set, variables);
  return { values, problems: pathProblems(values) };
};
