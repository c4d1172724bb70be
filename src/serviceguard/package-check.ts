/** Checks without a cluster: keywords, values, modules, groups [serviceguard.md 2.3-2.7]. Pure. */

import type { ProblemCode } from '../base/codes/problem-codes.ts';
import { errorProblem, type Place, type Problem } from '../base/problem.ts';
import { findLegacyAttribute, legacyAttributes } from './legacy.ts';
import { type Attribute, findAttribute, findModule } from './modules.ts';
import { lastValue, type PackageFile, type PackageLine, styleOf } from './package-file.ts';
import { packageRules } from './package-rules.ts';

export function checkPackageFile(file: PackageFile, fileName: string): Problem[] {
  const at = (line: PackageLine): Place => ({ file: fileName, line: line.line });
  if (styleOf(file) === 'legacy')
    return [
      ...lineProblems(file, at, findLegacyAttribute),
      ...missingLegacyProblems(file, fileName),
      ...groupProblems(file, at, findLegacyAttribute, {}),
      ...ruleProblems(file, at),
    ];
  const modular = (keyword: string): Attribute | undefined => findAttribute(keyword)?.attribute;
  return [
    ...lineProblems(file, at, modular),
    ...moduleNameProblems(file, at),
    ...baseProblems(file, fileName),
    ...missingModuleProblems(file, fileName, at),
    ...groupProblems(file, at, modular, needed),
    ...ruleProblems(file, at),
  ];
}

function ruleProblems(file: PackageFile, at: At): Problem[] {
  return packageRules.flatMap(({ rule, source, code = 'package-rule', broken }) =>
    broken(file).map(({ text, line }) => error(code, text, `${rule} [${source}]`, at(line))),
  );
}

/** Control scripts have no default [serviceguard.md 4.1]. */
function missingLegacyProblems(file: PackageFile, fileName: string): Problem[] {
  const missing = legacyAttributes.filter(({ mandatory, keyword }) => mandatory && lastValue(file, keyword) === undefined);
  return missing.map(({ keyword, legal }) => {
    const name = keyword.toUpperCase();
    const text = `The file has no ${name}, and a legacy package has no default for it.`;
    return error('package-attribute-missing', text, `Add a line: ${name} ${legal.words}`, { file: fileName });
  });
}

type Find = (keyword: string) => Attribute | undefined;

type At = (line: PackageLine) => Place;

function error(code: ProblemCode, text: string, remedy: string, place: Place): Problem {
  return errorProblem(code, text, remedy, place);
}

function lineProblems(file: PackageFile, at: At, find: Find): Problem[] {
  const seen = new Map<string, number>();
  return file.lines.flatMap((line) => {
    const attribute = find(line.keyword);
    if (attribute === undefined) return [unknownKeyword(file, line, at(line))];
    const first = seen.get(line.keyword);
    seen.set(line.keyword, first ?? line.line);
    const once = !attribute.repeatable || line.keyword.startsWith('pev_');
    if (first !== undefined && once) {
      const text = `${line.keyword} is set in line ${first} and again.`;
      return [error('package-attribute-twice', text, 'Keep one of the lines.', at(line))];
    }
    if (attribute.legal.accepts(line.value)) return [];
    const text = `${line.keyword} cannot be "${line.value}".`;
    return [error('package-attribute-value', text, `Legal values: ${attribute.legal.words}`, at(line))];
  });
}

function unknownKeyword(file: PackageFile, { keyword }: PackageLine, place: Place): Problem {
  const legacy = styleOf(file) === 'legacy';
  if (legacy && findAttribute(keyword) !== undefined) {
    const text = `${keyword} belongs to a modular package, but this is a legacy file: it names control scripts and no module.`;
    return error('package-modular', text, 'Move it to the control script, or start from cmmakepkg -m sg/failover.', place);
  }
  if (legacy) {
    const text = `${keyword.toUpperCase()} is no parameter of a legacy package.`;
    return error('package-attribute-unknown', text, 'cmmakepkg -p prints the parameters.', place);
  }
  if (findLegacyAttribute(keyword) !== undefined) {
    const text = `${keyword.toUpperCase()} belongs to a legacy package, but this is a modular file.`;
    return error(
      'package-legacy',
      text,
      'Start from cmmakepkg -m sg/failover, or for a legacy package from cmmakepkg -p.',
      place,
    );
  }
  if (keyword.includes('/')) {
    const text = `${keyword} belongs to an unknown toolkit module.`;
    return error('package-module-toolkit', text, 'Remove toolkit modules.', place);
  }
  const text = `${keyword} is not an attribute of any module.`;
  return error('package-attribute-unknown', text, 'cmmakepkg prints the attributes.', place);
}

const moduleNames = (file: PackageFile): Set<string> =>
  new Set(file.lines.filter((line) => line.keyword === 'module_name').map((line) => line.value));

const basesOf = (file: PackageFile): string[] => [...moduleNames(file)].filter((name) => findModule(name)?.kind === 'base');

function moduleNameProblems(file: PackageFile, at: At): Problem[] {
  const unknown = file.lines.filter((line) => line.keyword === 'module_name' && findModule(line.value) === undefined);
  const remedy = 'List the modules with: cmmakepkg -l';
  return unknown.map((line) => error('package-module-unknown', `There is no module ${line.value}.`, remedy, at(line)));
}

/** One base module, the same as package_type [L9 p.192]. */
function baseProblems(file: PackageFile, fileName: string): Problem[] {
  const [base, second] = basesOf(file);
  const place = { file: fileName };
  if (base === undefined) {
    return [error('package-module-base', 'The file names no base module.', 'Start from: cmmakepkg -m sg/failover', place)];
  }
  if (second !== undefined) {
    const text = `The file names several base modules: ${basesOf(file).join(', ')}.`;
    return [error('package-module-base', text, 'Keep one of them.', place)];
  }
  const type = lastValue(file, 'package_type')?.toLowerCase() ?? 'failover';
  if (base === `sg/${type}`) return [];
  const remedy = `Write: package_type ${base.slice('sg/'.length)}`;
  return [error('package-type', `package_type ${type} does not fit base module ${base}.`, remedy, place)];
}

function missingModuleProblems(file: PackageFile, fileName: string, at: At): Problem[] {
  if (basesOf(file).length !== 1) return [];
  const names = moduleNames(file);
  const told = new Set<string>();
  return file.lines.flatMap((line) => {
    const bringing = findAttribute(line.keyword)?.modules ?? [];
    const [module] = bringing;
    if (module === undefined || told.has(module) || bringing.some((one) => names.has(one))) return [];
    told.add(module);
    const text = `${line.keyword} requires module ${module}, which the file does not name.`;
    return [error('package-module-missing', text, `Add the module: cmmakepkg -i ${fileName} -m ${module}`, at(line))];
  });
}

/** Besides the first attribute. */
const needed: Readonly<Record<string, readonly string[]>> = {
  service_name: ['service_cmd'],
  fs_name: ['fs_directory', 'fs_type'],
  ip_subnet: ['ip_address'],
};

/** After their first, and complete [L9 p.202-210]. */
function groupProblems(file: PackageFile, at: At, find: Find, complete: Readonly<Record<string, readonly string[]>>): Problem[] {
  const problems: Problem[] = [];
  const instances: { readonly group: string; readonly first: PackageLine; readonly keywords: Set<string> }[] = [];
  for (const line of file.lines) {
    const group = find(line.keyword)?.group ?? null;
    if (group === null) continue;
    if (line.keyword === group) instances.push({ group, first: line, keywords: new Set() });
    const open = instances.findLast((one) => one.group === group);
    open?.keywords.add(line.keyword);
    if (open !== undefined) continue;
    const text = `${line.keyword} comes before any ${group}.`;
    problems.push(error('package-group-order', text, `Put it below the ${group} it belongs to.`, at(line)));
  }
  for (const { first, keywords } of instances) {
    for (const missing of (complete[first.keyword] ?? []).filter((keyword) => !keywords.has(keyword))) {
      const text = `${first.keyword} ${first.value} has no ${missing}.`;
      problems.push(error('package-group-incomplete', text, `Add ${missing} below it.`, at(first)));
    }
  }
  return problems;
}
