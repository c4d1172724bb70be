import type { Settings } from '../../settings/settings.ts';
import type { Argv, EngineVariables } from '../engine.ts';

/** The first opens the group [serviceguard.md 2.3]. */
const groups: readonly (readonly string[])[] = [
  ['monitored_subnet', 'monitored_subnet_access'],
  ['ip_subnet', 'ip_subnet_node', 'ip_address'],
  ['fs_name', 'fs_server', 'fs_directory', 'fs_type', 'fs_mount_opt', 'fs_umount_opt', 'fs_fsck_opt'],
  ['service_name', 'service_cmd', 'service_restart', 'service_fail_fast_enabled', 'service_halt_timeout'],
];
/** Lines that cmmakepkg writes and no user edits. */
const basesOwn = new Set(['module_name', 'module_version', 'operation_sequence', 'package_type']);

function groupOf(keyword: string): string {
  return groups.find((group) => group.includes(keyword))?.[0] ?? keyword;
}

/** Active, or commented out (`#keyword value`, no blank after the #); null: another line. */
function keywordOf(line: string): { keyword: string; active: boolean } | null {
  const found = /^(#?)([A-Za-z][A-Za-z0-9_/]*)(\s|$)/.exec(line);
  if (found === null) return null;
  return { keyword: (found[2] ?? '').toLowerCase(), active: found[1] === '' };
}

/** Our package file over cmmakepkg's text `base`: its comments, module_version and operation_sequence stay, our values replace its own. */
export function layOver(base: string, own: string): string {
  const ours = new Map<string, string[]>();
  for (const line of own.split('\n')) {
    const found = keywordOf(line);
    if (found === null || !found.active || basesOwn.has(found.keyword)) continue;
    const group = groupOf(found.keyword);
    const lines = ours.get(group) ?? [];
    lines.push(line);
    ours.set(group, lines);
  }
  const header = own
    .split('\n')
    .filter((line) => line.startsWith('#'))
    .slice(0, 3);
  const placed = new Set<string>();
  const lines: string[] = [...header, ''];
  for (const line of base.split('\n')) {
    const found = keywordOf(line);
    const group = found === null ? null : groupOf(found.keyword);
    const replacement = group === null ? undefined : ours.get(group);
    if (group === null || replacement === undefined) lines.push(line);
    else if (!placed.has(group)) {
      placed.add(group);
      lines.push(...replacement);
    }
  }
  const missing = [...ours].filter(([group]) => !placed.has(group)).flatMap(([, own]) => own);
  while (lines.at(-1) === '') lines.pop();
  return `${[...lines, ...(missing.length > 0 ? ['', ...missing] : [])].join('\n')}\n`;
}

/** Documented modules, for cmmakepkg. */
export const packageModules = [
  'sg/failover',
  'sg/monitor_subnet',
  'sg/package_ip',
  'sg/volume_group',
  'sg/filesystem',
  'sg/service',
  'sg/external_pre',
  'sg/external',
  'sg/pev',
] as const;

/** null: Serviceguard is not installed here. */
export function templateCommand(style: Settings['packageStyle'], { SGSBIN }: EngineVariables): Argv | null {
  if (SGSBIN === undefined) return null;
  return [`${SGSBIN}/cmmakepkg`, ...(style === 'legacy' ? ['-p'] : packageModules.flatMap((module) => ['-m', module]))];
}

/** A modular or legacy package file that names another set. */
export function withSet(text: string, set: string, settingsDigest: string): string {
  const named = /^([ \t]*pev_csync_set(tings)?_digest[ \t]+"?)[0-9a-f]+/i;
  const follow = (_: string, head: string, ofSettings?: string) => `${head}${ofSettings === undefined ? set : settingsDigest}`;
  const lines = text.split('\n').map((line) => line.replace(named, follow));
  return lines.join('\n').replace(/(\/sets\/)[0-9a-f]+(\/csync_control\.sh)/g, `$1${set}$2`);
}

/** A line each in place of the old ones, spelt alike. */
export function withNodeNames(text: string, members: readonly string[]): string {
  const line = /^([ \t]*node_name[ \t]+)"?[^\s"]+"?[ \t]*$/i;
  const lines = text.split('\n');
  const first = lines.findIndex((one) => line.test(one));
  const head = line.exec(lines[first] ?? '')?.[1] ?? '';
  const others = (part: readonly string[]): string[] => part.filter((one) => !line.test(one));
  if (first === -1) return text;
  return [...lines.slice(0, first), ...members.map((member) => `${head}${member}`), ...others(lines.slice(first))].join('\n');
}
