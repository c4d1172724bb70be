/**
 * A package's parameters as shell assignments: arrays SG_<PARAMETER>[i] in the order of the file, PEV_<NAME>
 * [serviceguard.md 3.4]. What the real cmgetpkgenv prints is not known (gap 8); this form is the lab's own. Pure.
 */
import type { PackageFile } from '../../serviceguard/package-file.ts';

const quoted = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;

export function packageEnvironment(file: PackageFile): string[] {
  const next = new Map<string, number>();
  return file.lines.map(({ keyword, value }) => {
    // Names come out as shell variables: a toolkit attribute's slashes become underscores (INFERRED in 3.4).
    const name = keyword.toUpperCase().replace(/[^A-Z0-9_]/g, '_');
    if (name.startsWith('PEV_')) return `${name}=${quoted(value)}`;
    const index = next.get(name) ?? 0;
    next.set(name, index + 1);
    return `SG_${name}[${index}]=${quoted(value)}`;
  });
}
