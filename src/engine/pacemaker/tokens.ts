/** Values for the tokens of pacemaker/group.xml.tpl. Pure. */
import { toolkitVersion } from '../../base/version.ts';
import { escaped } from '../../pacemaker/xml.ts';
import { parseMountOptions } from '../../settings/mount-options.ts';
import { type Settings, settingsDigest } from '../../settings/settings.ts';

export function tokens(settings: Settings, set: string): Record<string, string> {
  const { packageName, members, serviceRestart, failbackPolicy, failoverPolicy, autoRun } = settings;
  const values = {
    toolkit_version: toolkitVersion,
    settings_digest: settingsDigest(settings),
    set_digest: set,
    package_name: packageName,
    package_directory: settings.packageDirectory,
    package_address: settings.packageAddress,
    volume_group: settings.volumeGroup,
    logical_volume: settings.logicalVolume,
    mount_point: settings.mountPoint,
    file_system_type: settings.fileSystemType,
    mount_options: parseMountOptions(settings.mountOptions)?.options.join(',') ?? '',
    run_script_timeout: String(settings.runScriptTimeoutSeconds),
    halt_script_timeout: String(settings.haltScriptTimeoutSeconds),
    migration_threshold: String(typeof serviceRestart === 'number' ? serviceRestart + 1 : serviceRestart === 'none' ? 1 : 0),
    resource_stickiness: failbackPolicy === 'automatic' ? '0' : 'INFINITY',
    target_role: autoRun ? 'Started' : 'Stopped',
  };
  const escapedValues = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, escaped(value)]));
  const ordered = failoverPolicy !== 'min_package_node';
  return { ...escapedValues, locations: locationLines({ packageName, members, ordered }) };
}

/** Which member is next, if they have an order, and that no other may run the group. */
export function locationLines({
  packageName: name,
  members,
  ordered,
}: Pick<Settings, 'packageName' | 'members'> & { readonly ordered: boolean }): string {
  const preferred = members.map(
    (member, at) =>
      `    <rsc_location id="${name}-on-${member}" rsc="${name}" node="${member}" score="${100 * (members.length - at)}"/>`,
  );
  const others = members.map(
    (member) => `        <expression id="${name}-not-${member}" attribute="#uname" operation="ne" value="${member}"/>`,
  );
  return [
    ...(ordered ? preferred : []),
    `    <rsc_location id="${name}-others" rsc="${name}">`,
    `      <rule id="${name}-others-rule" score="-INFINITY" boolean-op="and">`,
    ...others,
    '      </rule>',
    '    </rsc_location>',
  ].join('\n');
}
