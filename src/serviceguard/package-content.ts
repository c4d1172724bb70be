/** A package file as a typed view. Pure. */
import { type PackageFile, styleOf } from './package-file.ts';

export interface FileSystemEntry {
  readonly device: string;
  readonly directory: string;
  readonly type: string;
  readonly mountOptions: string;
  readonly umountOptions: string;
  readonly fsckOptions: string;
}

export interface ServiceEntry {
  readonly name: string;
  /** Legacy: empty, in the script (cmrunserv). */
  readonly command: string;
  readonly restart: number | 'unlimited';
  readonly failFast: boolean;
  readonly haltTimeoutSeconds: number;
}

export interface PackageContent {
  readonly name: string;
  readonly logFile: string;
  /** null: modular. The scripts do everything below. */
  readonly legacy: { readonly runScript: string; readonly haltScript: string } | null;
  readonly logLevel: number;
  readonly preScripts: readonly string[];
  readonly scripts: readonly string[];
  readonly vgchangeCommand: string;
  readonly volumeGroups: readonly string[];
  readonly deactivationRetries: number;
  readonly fileSystems: readonly FileSystemEntry[];
  readonly mountRetries: number;
  readonly umountRetries: number;
  readonly addresses: readonly { readonly subnet: string; readonly address: string }[];
  readonly services: readonly ServiceEntry[];
  /** Without pev_. */
  readonly environment: readonly { readonly name: string; readonly value: string }[];
}

function entries(file: PackageFile, first: string, members: readonly string[]): Map<string, string>[] {
  const found: Map<string, string>[] = [];
  for (const line of file.lines) {
    if (line.keyword === first) found.push(new Map());
    if (line.keyword === first || members.includes(line.keyword)) found.at(-1)?.set(line.keyword, line.value);
  }
  return found;
}

/** With the defaults of serviceguard.md 2.5 and 2.6. Values unexpanded. */
export function packageContent(file: PackageFile): PackageContent {
  const all = (keyword: string): string[] => file.lines.filter((line) => line.keyword === keyword).map((line) => line.value);
  const one = (keyword: string, fallback: string): string => all(keyword).at(-1) ?? fallback;
  const fileSystems = entries(file, 'fs_name', ['fs_directory', 'fs_type', 'fs_mount_opt', 'fs_umount_opt', 'fs_fsck_opt']);
  const services = entries(file, 'service_name', [
    'service_cmd',
    'service_restart',
    'service_fail_fast_enabled',
    'service_halt_timeout',
  ]);
  const legacy =
    styleOf(file) === 'legacy'
      ? { runScript: one('run_script', ''), haltScript: one('halt_script', one('run_script', '')) }
      : null;
  return {
    name: file.name,
    // Legacy: beside the script [serviceguard.md 4.1].
    logFile: one('script_log_file', legacy === null ? `$SGRUN/log/${file.name}.log` : `${legacy.runScript}.log`),
    legacy,
    logLevel: Number(one('log_level', '0')),
    preScripts: all('external_pre_script'),
    scripts: all('external_script'),
    vgchangeCommand: one('vgchange_cmd', 'vgchange -a y'),
    volumeGroups: all('vg'),
    deactivationRetries: Number(one('deactivation_retry_count', '2')),
    fileSystems: fileSystems.map((entry) => ({
      device: entry.get('fs_name') ?? '',
      directory: entry.get('fs_directory') ?? '',
      type: entry.get('fs_type') ?? '',
      mountOptions: entry.get('fs_mount_opt') ?? '',
      umountOptions: entry.get('fs_umount_opt') ?? '',
      fsckOptions: entry.get('fs_fsck_opt') ?? '',
    })),
    mountRetries: Number(one('fs_mount_retry_count', '0')),
    umountRetries: Number(one('fs_umount_retry_count', '1')),
    addresses: addressesOf(file),
    services: services.map((entry) => ({
      name: entry.get('service_name') ?? '',
      command: entry.get('service_cmd') ?? '',
      restart: restartOf(entry.get('service_restart')),
      failFast: entry.get('service_fail_fast_enabled')?.toLowerCase() === 'yes',
      haltTimeoutSeconds: Number(entry.get('service_halt_timeout') ?? '0'),
    })),
    environment: file.lines
      .filter((line) => line.keyword.startsWith('pev_'))
      .map((line) => ({ name: line.keyword.slice('pev_'.length), value: line.value })),
  };
}

function restartOf(value: string | undefined): number | 'unlimited' {
  if (value === undefined || value.toLowerCase() === 'none') return 0;
  return value.toLowerCase() === 'unlimited' ? 'unlimited' : Number(value);
}

/** An ip_address belongs to the ip_subnet above it. */
function addressesOf(file: PackageFile): { subnet: string; address: string }[] {
  const found: { subnet: string; address: string }[] = [];
  let subnet = '';
  for (const line of file.lines) {
    if (line.keyword === 'ip_subnet') subnet = line.value;
    if (line.keyword === 'ip_address') found.push({ subnet, address: line.value });
  }
  return found;
}
