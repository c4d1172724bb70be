import { demand } from '../../src/problem.ts';
import { parseSettings } from '../../src/settings-yaml.ts';
export function settingsFor(changes: Record<string, unknown>) {
  const values: Record<string, unknown> = {
    members: ['m1'],
    package_address: '10.9.0.100',
    package_dns_name: 'csync.lab',
    package_subnet: '10.9.0.0',
    volume_group: 'vg_csync',
    logical_volume: 'lv_csync',
    mount_point: '/csync',
    ...changes,
  };
  return demand(
    parseSettings(
      Object.entries(values)
        .map(([k, v]) => `${k}: ${JSON.stringify(v)}\n`)
        .join(''),
      'csync.yaml',
    ),
  );
}
