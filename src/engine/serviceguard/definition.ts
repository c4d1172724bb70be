/** The package file of both styles, and the applied package [serviceguard.md 2.5 to 2.8, 4.1]. Pure. */
import { shellWord } from '../../base/shell-word.ts';
import { setKeyword, setNamedBy } from '../../contract/package-directory.ts';
import { findLegacyAttribute, legacySpellings } from '../../serviceguard/legacy.ts';
import { findAttribute } from '../../serviceguard/modules.ts';
import { changedKeywords, onlineRule } from '../../serviceguard/online-rules.ts';
import { checkPackageFile } from '../../serviceguard/package-check.ts';
import { packageContent } from '../../serviceguard/package-content.ts';
import { allValues, type PackageFile, parsePackageFile, styleOf } from '../../serviceguard/package-file.ts';
import { plainPath, volumeGroupName, volumeGroupOfDevice } from '../../serviceguard/storage-names.ts';

import type { Definition, DefinitionDifference, DefinitionFormat } from '../engine.ts';
import { layOver, templateCommand, withNodeNames, withSet } from './package-text.ts';
import { unsupportedContent } from './supported-content.ts';
import { tokens } from './tokens.ts';

export const definition: DefinitionFormat = {
  parse: (text, file) => {
    const parsed = parsePackageFile(text, file);
    return parsed.ok ? { ...parsed, value: definitionOf(parsed.value) } : parsed;
  },
  check: (text, file) => {
    const parsed = parsePackageFile(text, file);
    return parsed.ok ? [...checkPackageFile(parsed.value, file), ...unsupportedContent(parsed.value, file)] : parsed.problems;
  },
  differences,
  template: (style) => `${style}/package.conf.tpl`,
  companions: () => [],
  installs: new Map(),
  fileName: (packageName) => `${packageName}.conf`,
  tokens,
  templateCommand,
  layOver,
  withMembers: withNodeNames,
  withSet,
  keepsSet: (style) => style === 'legacy',
  needsHalt: ({ keyword }) => onlineRule(keyword) !== 'free',
  simulation: null,
  checkFile: (file) => [['cmcheckconf', '-v', '-P', file]],
  applyFile: (file) => [['cmapplyconf', '-f', '-P', file]],
  // Not of a legacy package [serviceguard.md 2.7].
  memberChecks: ({ style }, launcher) => (style === 'modular' ? [] : [[launcher, 'validate']]),
  showLine: (packageName) => `PATH="$SGSBIN:$PATH" cmgetconf -p ${shellWord(packageName)} 2>/dev/null`,
};

export function definitionOf(file: PackageFile): Definition {
  const last = (keyword: string): string | undefined => allValues(file, keyword).at(-1);
  const { fileSystems, volumeGroups, addresses, legacy } = packageContent(file);
  const groups = [
    ...volumeGroups.map(volumeGroupName),
    ...fileSystems.flatMap(({ device }) => volumeGroupOfDevice(device) ?? []),
  ];
  return {
    name: file.name,
    members: allValues(file, 'node_name'),
    set: setNamedBy(last(setKeyword), last('pev_csync_settings_digest'), last('run_script')),
    style: styleOf(file),
    claims: {
      mountPoints: fileSystems.map(({ directory }) => plainPath(directory)),
      volumeGroups: [...new Set(groups)],
      addresses: addresses.map(({ address }) => address),
      // Variables of the script [serviceguard.md 4.1].
      elsewhere: legacy === null ? null : legacy.runScript,
    },
    lines:
      legacy === null
        ? file.lines
        : file.lines.map((line) => ({ ...line, keyword: legacySpellings[line.keyword] ?? line.keyword })),
  };
}

/** Of cmgetconf, with extra lines [serviceguard.md 5.4]; null: no package file. Before the package name only known attributes count. */
export function readApplied(text: string): Definition | null {
  const lines = text.split('\n').filter((line) => !/^(Number of configured|Permission denied|Warning)/.test(line));
  const first = lines.findIndex((line) => /^\s*package_name\s/i.test(line));
  const isOwn = (line: string): boolean => {
    const keyword = /^\s*([A-Za-z_]+)\s/.exec(line)?.[1]?.toLowerCase() ?? '';
    return (findAttribute(keyword) ?? findLegacyAttribute(keyword)) !== undefined;
  };
  const own = lines.filter((line, index) => index >= first || isOwn(line));
  const parsed = parsePackageFile(own.join('\n'), 'cmgetconf');
  return parsed.ok ? definitionOf(parsed.value) : null;
}

/** An attribute on one side is compared with its default: cmgetconf may print more [serviceguard.md 2.5, 2.6]. */
function differences(applied: Definition, wanted: Definition): DefinitionDifference[] {
  // From cmmakepkg; a real cluster adds its own.
  const legacy = wanted.style === 'legacy';
  const ignored = new Set(['module_name', 'module_version', 'operation_sequence']);
  return changedKeywords(applied, wanted)
    .filter((keyword) => !ignored.has(keyword))
    .map((keyword) => ({ keyword, applied: allValues(applied, keyword), wanted: allValues(wanted, keyword) }))
    .filter(({ keyword, applied: one, wanted: other }) => {
      const fallback = (legacy ? findLegacyAttribute(keyword) : findAttribute(keyword)?.attribute)?.fallback;
      // Equal in either case; cmgetconf's is unknown.
      const spelt = (value: string): string =>
        legacy && fallback?.toLowerCase() !== fallback?.toUpperCase() ? value.toLowerCase() : value;
      const orDefault = (values: readonly string[]): string =>
        JSON.stringify((values.length === 0 && typeof fallback === 'string' ? [fallback] : values).map(spelt));
      return orDefault(one) !== orDefault(other);
    });
}
