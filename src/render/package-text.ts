/**
 * Lays our package file over the output of a real cmmakepkg, where there is one: its comments, module_version and
 * operation_sequence lines survive, our values replace its own or its commented-out ones. Pure.
 */

/** Keywords whose lines belong together; the first opens the group [serviceguard.md 2.3]. */
const groups: readonly (readonly string[])[] = [
  ['monitored_subnet', 'monitored_subnet_access'],
  ['ip_subnet', 'ip_subnet_node', 'ip_address'],
  ['fs_name', 'fs_server', 'fs_directory', 'fs_type', 'fs_mount_opt', 'fs_umount_opt', 'fs_fsck_opt'],
  ['service_name', 'service_cmd', 'service_restart', 'service_fail_fast_enabled', 'service_halt_timeout'],
];
/** Set by cmmakepkg and never edited. */
const basesOwn = new Set(['module_name', 'module_version', 'operation_sequence', 'package_type']);

function groupOf(keyword: string): string {
  return groups.find((group) => group.includes(keyword))?.[0] ?? keyword;
}

/** The keyword of a line, active or commented out (`#keyword value`, no blank behind the #); null for other lines. */
function keywordOf(line: string): { keyword: string; active: boolean } | null {
  const found = /^(#?)([A-Za-z][A-Za-z0-9_/]*)(\s|$)/.exec(line);
  if (found === null) return null;
  return { keyword: (found[2] ?? '').toLowerCase(), active: found[1] === '' };
}

/** `base` is cmmakepkg's text, `own` our rendered package file. */
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
