/** cmmakepkg: attributes with comments, values of an existing file kept [serviceguard.md 2.2, 2.3]. Order and comments are ours. Pure. */
import { type Checked, errorProblem, type Problem } from '../base/problem.ts';
import { type Attribute, expandModule, findAttribute, type Module, modules, startOrder } from './modules.ts';
import { allValues, type PackageFile, printValue } from './package-file.ts';

export interface TemplateRequest {
  /** -m; default: all, or those of an existing file. */
  readonly modules: readonly string[];
  readonly name: string | null;
  /** The file of -i. */
  readonly existing: PackageFile | null;
}

/** Problems: unknown modules, no or two base modules. */
export function makePackageTemplate({ modules: wanted, name, existing }: TemplateRequest): Checked<string> {
  const kept = existing === null ? [] : allValues(existing, 'module_name');
  const asked = wanted.length === 0 && kept.length === 0 ? ['sg/all'] : [...kept, ...wanted];
  const problems = asked.filter((one) => expandModule(one).length === 0).map((one) => unknownModule(one));
  const names = new Set(asked.flatMap((one) => expandModule(one)));
  const chosen = modules.filter((module) => names.has(module.name));
  const bases = chosen.filter((module) => module.kind === 'base');
  if (problems.length === 0 && bases.length !== 1) problems.push(baseProblem(bases));
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: `${header}${chosen.map((one) => section(one, chosen, name, existing)).join('')}${strangers(existing)}`,
    problems: [],
  };
}

function unknownModule(module: string): Problem {
  const remedy = 'List the modules with: cmmakepkg -l';
  return errorProblem('package-module-unknown', `There is no module ${module}.`, remedy);
}

function baseProblem(bases: readonly Module[]): Problem {
  const text =
    bases.length === 0 ? 'No base module is named.' : `Two base modules are named: ${bases.map((one) => one.name).join(', ')}.`;
  return errorProblem('package-module-base', text, 'Name exactly one of sg/failover, sg/multi_node and sg/system_multi_node.');
}

const header = '# Package configuration. Edit it, then: cmcheckconf -P <file>; cmapplyconf -P <file>\n';

function section(module: Module, chosen: readonly Module[], name: string | null, existing: PackageFile | null): string {
  const lines = ['', `# ${'-'.repeat(70)}`, `# ${module.name}: ${module.comment}`, ''];
  const done = new Set<string>();
  for (const attribute of module.attributes) {
    if (attribute.keyword === 'package_name' && name !== null)
      lines.push(...commented(attribute), line('package_name', name), '');
    else if (attribute.keyword === 'module_name') lines.push(...identification(chosen));
    else if (attribute.keyword === 'operation_sequence') lines.push(...sequence(chosen));
    else if (attribute.keyword === 'module_version') continue;
    else if (attribute.group === null) lines.push(...commented(attribute), ...single(attribute, existing), '');
    else if (!done.has(attribute.group)) {
      done.add(attribute.group);
      lines.push(...wholeGroup(module.attributes, attribute.group, existing));
    }
  }
  return lines
    .filter((one, index) => one !== '' || lines[index - 1] !== '')
    .join('\n')
    .concat('\n');
}

function commented({ keyword, comment, legal }: Attribute): string[] {
  return [`# ${keyword}: ${comment}`, `# Legal values for ${keyword}: ${legal.words}`];
}

function line(keyword: string, value: string): string {
  return `${keyword.padEnd(39)} ${printValue(value)}`;
}

function single(attribute: Attribute, existing: PackageFile | null): string[] {
  const { keyword, fallback } = attribute;
  const kept = (existing?.lines ?? []).filter((one) =>
    keyword === 'pev_' ? one.keyword.startsWith('pev_') : one.keyword === keyword,
  );
  if (kept.length > 0) return kept.map((one) => line(one.keyword, one.value));
  if (attribute.mandatory) return [keyword];
  return fallback === null || keyword === 'pev_' ? [`#${keyword}`] : [line(keyword, fallback)];
}

function identification(chosen: readonly Module[]): string[] {
  return chosen.flatMap((module) => [line('module_name', module.name), line('module_version', '1')]).concat('');
}

/** Real script names are not published (serviceguard.md gap 1). */
function sequence(chosen: readonly Module[]): string[] {
  const taking = startOrder.filter((name) => chosen.some((module) => module.name === name));
  return taking.map((name) => line('operation_sequence', `$SGCONF/scripts/${name}.sh`)).concat('');
}

/** Comments, then the existing instances, or the keywords commented out. */
function wholeGroup(attributes: readonly Attribute[], first: string, existing: PackageFile | null): string[] {
  const group = attributes.filter((one) => one.group === first);
  const keywords = group.map((one) => one.keyword);
  const kept = (existing?.lines ?? []).filter((one) => keywords.includes(one.keyword));
  const values = kept.length > 0 ? kept.map((one) => line(one.keyword, one.value)) : keywords.map((keyword) => `#${keyword}`);
  return [...group.flatMap((one) => commented(one)), ...values, ''];
}

function strangers(existing: PackageFile | null): string {
  const unknown = (existing?.lines ?? []).filter((one) => findAttribute(one.keyword) === undefined);
  if (unknown.length === 0) return '';
  return ['', '# Kept from the existing file', ...unknown.map((one) => line(one.keyword, one.value)), ''].join('\n');
}

export function listModules(): string[] {
  return modules.map((module) => module.name.padEnd(24).concat(module.comment));
}
