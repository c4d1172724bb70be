import { shellWord } from '../../../base/shell-word.ts';
import type { PackageContent } from '../../../serviceguard/package-content.ts';
import type { PackageFile } from '../../../serviceguard/package-file.ts';
import { expandVariables, sgDirectories } from '../../machines/lab-spec.ts';

export function logFileOf(content: PackageContent): string {
  return expandVariables(content.logFile, { SG_PACKAGE: content.name });
}

/** [serviceguard.md 3.4]; nothing else, not even PATH. */
export function scriptEnvironment(input: { readonly member: string; readonly content: PackageContent }): Record<string, string> {
  const { member, content } = input;
  const environment: Record<string, string> = {
    SG_PACKAGE: content.name,
    SG_PACKAGE_NAME: content.name,
    SG_NODE: member,
    SG_SCRIPT_LOG_FILE: logFileOf(content),
    SG_UTILS: `${sgDirectories.SGCONF}/scripts/mscripts/utils.sh`,
    SG_LOG_LEVEL: String(content.logLevel),
  };
  for (const { name, value } of content.environment) environment[`PEV_${name.toUpperCase()}`] = value;
  return environment;
}

/** [serviceguard.md 3.4]: names with SG_ and the older ones without. */
export function legacyEnvironment(input: { readonly member: string; readonly content: PackageContent }): Record<string, string> {
  const { member, content } = input;
  const names = { SG_PACKAGE: content.name, PACKAGE: content.name, SG_NODE: member, NODE: member };
  return { ...names, SG_SCRIPT_LOG_FILE: logFileOf(content) };
}

/**
 * A package's parameters as shell assignments: SG_<PARAMETER>[i] in the order of the file, PEV_<NAME> [serviceguard.md 3.4]. The real
 * cmgetpkgenv is unknown (serviceguard.md gap 8).
 */
export function packageEnvironment(file: PackageFile): string[] {
  const next = new Map<string, number>();
  return file.lines.map(({ keyword, value }) => {
    // Slashes of a toolkit attribute become underscores (INFERRED in 3.4).
    const name = keyword.toUpperCase().replace(/[^A-Z0-9_]/g, '_');
    if (name.startsWith('PEV_')) return `${name}=${shellWord(value)}`;
    const index = next.get(name) ?? 0;
    next.set(name, index + 1);
    return `SG_${name}[${index}]=${shellWord(value)}`;
  });
}
