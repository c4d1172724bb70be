/** What may change while a package runs [serviceguard.md 2.8]. Pure. */
import type { PackageValues } from './package-file.ts';

/** free: any time. halted: needs a halt. live: Serviceguard would unmount, mount, halt or start something at once, or advises against. */
export type OnlineRule = 'free' | 'halted' | 'live';

const rules: Readonly<Record<string, OnlineRule>> = {
  package_type: 'halted',
  // They change the style of the package.
  run_script: 'halted',
  halt_script: 'halted',
  vgchange_cmd: 'halted',
  script_log_file: 'halted',
  vg: 'live',
  fs_name: 'live',
  fs_directory: 'live',
  fs_type: 'live',
  fs_mount_opt: 'live',
  fs_fsck_opt: 'live',
  ip_subnet: 'live',
  ip_address: 'live',
  service_name: 'live',
  service_cmd: 'live',
  external_script: 'live',
  external_pre_script: 'live',
};

/** Default: free. */
export function onlineRule(keyword: string): OnlineRule {
  return Object.hasOwn(rules, keyword) ? (rules[keyword] ?? 'free') : 'free';
}

/** Keywords whose values, or their order, differ. */
export function changedKeywords(before: PackageValues, after: PackageValues): string[] {
  const valuesIn = (file: PackageValues, keyword: string): string =>
    JSON.stringify(file.lines.filter((line) => line.keyword === keyword).map((line) => line.value));
  const keywords = new Set([...before.lines, ...after.lines].map((line) => line.keyword));
  return [...keywords].filter((keyword) => valuesIn(before, keyword) !== valuesIn(after, keyword));
}
