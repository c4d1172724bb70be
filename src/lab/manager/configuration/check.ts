/** Checks of cmcheckconf and cmapplyconf [serviceguard.md 2.7]. Pure: `neededObservations` lists the facts to collect. */

import type { ProblemCode } from '../../../base/codes/problem-codes.ts';
import { errorProblem, type Place, type Problem } from '../../../base/problem.ts';
import { findModule } from '../../../serviceguard/modules.ts';
import { checkPackageFile } from '../../../serviceguard/package-check.ts';
import { allValues, lastValue, type PackageFile, type PackageLine, styleOf } from '../../../serviceguard/package-file.ts';
import type { ClusterState, MemberName } from '../model.ts';
import { packagePolicy } from '../package-policy.ts';

/** Paths are unexpanded, as in the package file. */
export interface NeededObservations {
  readonly members: readonly MemberName[];
  readonly executable: readonly string[];
  /** Scripts that are called with `validate` [L9 p.219]. */
  readonly validate: readonly string[];
}

export interface MemberObservation {
  readonly reachable: boolean;
  readonly executable: readonly string[];
  /** null: killed or not started. */
  readonly validated: Readonly<Record<string, { readonly exitCode: number | null; readonly output: string }>>;
}

export interface CheckInput {
  readonly file: PackageFile;
  readonly fileName: string;
  readonly state: ClusterState;
  readonly observations: Readonly<Record<MemberName, MemberObservation>>;
}

export function neededObservations(file: PackageFile, state: ClusterState): NeededObservations {
  const scripts = [...new Set([...allValues(file, 'external_pre_script'), ...allValues(file, 'external_script')])];
  const commands = allValues(file, 'service_cmd').flatMap((command) => command.split(/\s+/).slice(0, 1));
  // Checked, but never called [serviceguard.md 2.7].
  const legacy = styleOf(file) === 'legacy';
  const control = legacy ? [...new Set([...allValues(file, 'run_script'), ...allValues(file, 'halt_script')])] : [];
  const members = packagePolicy(file, state.memberOrder).members.filter((member) => state.memberOrder.includes(member));
  return { members, executable: [...new Set([...scripts, ...commands, ...control])], validate: scripts };
}

/** All problems at once; only an error refuses the package. */
export function checkPackage(input: CheckInput): Problem[] {
  return [
    ...checkPackageFile(input.file, input.fileName),
    ...moduleProblems(input),
    ...valueProblems(input),
    ...clusterProblems(input),
    ...memberProblems(input),
  ];
}

/** Names of services in more than one package. */
export function checkTogether(files: readonly PackageFile[], state: ClusterState): Problem[] {
  const given = new Set(files.map((file) => file.name));
  const others = Object.values(state.packages).filter((pkg) => !given.has(pkg.name));
  const all = [...files, ...others.map((pkg) => pkg.config)];
  const owners = new Map<string, string>();
  const problems: Problem[] = [];
  for (const file of all) {
    for (const name of new Set(allValues(file, 'service_name'))) {
      const owner = owners.get(name);
      if (owner === undefined) owners.set(name, file.name);
      else
        problems.push(
          error(
            'package-service-taken',
            `Service ${name} of ${file.name} exists in package ${owner} too.`,
            'Service names are unique in the cluster; rename one.',
          ),
        );
    }
  }
  const twice = files.map((file) => file.name).filter((name, index, names) => names.indexOf(name) !== index);
  return [
    ...problems,
    ...twice.map((name) => error('package-twice', `Package ${name} is given in two files.`, 'Name one file for each package.')),
  ];
}

function error(code: ProblemCode, text: string, remedy: string, place?: Place): Problem {
  return errorProblem(code, text, remedy, place);
}

function warning(code: ProblemCode, text: string, remedy: string, place: Place): Problem {
  return { code, severity: 'warning', text, remedy, place };
}

function placeOf({ fileName }: CheckInput, { line }: PackageLine): Place {
  return { file: fileName, line };
}

/** Refuses modules that the lab does not imitate; reports harmless ones. */
function moduleProblems(input: CheckInput): Problem[] {
  return input.file.lines.flatMap((line) => {
    const lab = line.keyword === 'module_name' ? findModule(line.value)?.lab : undefined;
    if (lab === undefined || lab.does === 'imitate') return [];
    const text = `${line.value}: ${lab.because}.`;
    const place = placeOf(input, line);
    if (lab.does === 'warn')
      return [warning('lab-module-idle', text, 'No action needed; on a real cluster the module works.', place)];
    return [error('lab-module', text, 'Remove the module in the lab, or rehearse on a real cluster.', place)];
  });
}

interface RefusedValue {
  readonly keyword: string;
  readonly when: (value: string) => boolean;
  readonly because: string;
}

/** A modular file has them only with a refused module. */
const refusedOfLegacy: readonly RefusedValue[] = [
  { keyword: 'dependency_name', when: () => true, because: 'the lab does not imitate dependencies between packages' },
  { keyword: 'package_type', when: (value) => value !== 'failover', because: 'the lab runs failover packages only' },
];

const refusedValues: readonly RefusedValue[] = [
  { keyword: 'failover_policy', when: (value) => value.startsWith('site_'), because: 'the lab has no sites' },
  { keyword: 'ip_subnet_node', when: () => true, because: 'all members of the lab are on the same subnet' },
  { keyword: 'storage_group', when: () => true, because: 'it is for HP-UX only' },
  { keyword: 'resource_name', when: () => true, because: 'it is for HP-UX only' },
  { keyword: 'local_lan_failover_allowed', when: () => true, because: 'it is for HP-UX only' },
  { keyword: 'fs_server', when: () => true, because: 'the lab mounts block devices only' },
  { keyword: 'fs_type', when: (value) => value === 'nfs', because: 'the lab mounts block devices only' },
  {
    keyword: 'kill_processes_accessing_raw_devices',
    when: (value) => value === 'yes',
    because: 'the lab does not check raw devices',
  },
];

function valueProblems(input: CheckInput): Problem[] {
  return input.file.lines.flatMap((line) => {
    const rules = styleOf(input.file) === 'legacy' ? [...refusedValues, ...refusedOfLegacy] : refusedValues;
    const rule = rules.find((one) => one.keyword === line.keyword && one.when(line.value.toLowerCase()));
    if (rule === undefined) return [];
    const text = `${line.keyword} ${line.value}: ${rule.because}.`;
    return [error('lab-value', text, 'Remove it in the lab, or rehearse on a real cluster.', placeOf(input, line))];
  });
}

function clusterProblems(input: CheckInput): Problem[] {
  const { file, fileName, state } = input;
  const problems: Problem[] = [];
  for (const line of file.lines) {
    const place = placeOf(input, line);
    if (line.keyword === 'node_name' && line.value !== '*' && !state.memberOrder.includes(line.value)) {
      problems.push(
        error(
          'package-member-unknown',
          `${line.value} is not a member of cluster ${state.name}.`,
          `Members are: ${state.memberOrder.join(', ')}`,
          place,
        ),
      );
    }
    if (line.keyword === 'subnet' || line.keyword === 'monitored_subnet' || line.keyword === 'ip_subnet')
      problems.push(...subnetProblems(input, line));
  }
  const timeouts = ['run_script_timeout', 'halt_script_timeout'].filter(
    (one) => (lastValue(file, one) ?? 'no_timeout') === 'no_timeout',
  );
  for (const keyword of timeouts) {
    const text = `${keyword} is no_timeout: a script that hangs blocks the package forever.`;
    problems.push(warning('package-no-timeout', text, `Set ${keyword} [L10 p.150].`, { file: fileName }));
  }
  return problems;
}

function subnetProblems(input: CheckInput, line: PackageLine): Problem[] {
  const { state } = input;
  const without = neededObservations(input.file, state).members.filter(
    (member) => state.members[member]?.subnets[line.value] === undefined,
  );
  if (without.length === 0) return [];
  const text = `${line.keyword} ${line.value} is not configured on ${without.join(', ')}.`;
  const subnets = [...new Set(state.memberOrder.flatMap((member) => Object.keys(state.members[member]?.subnets ?? {})))];
  return [error('package-subnet-unknown', text, `Subnets of the cluster: ${subnets.join(', ')}`, placeOf(input, line))];
}

function memberProblems(input: CheckInput): Problem[] {
  const needed = neededObservations(input.file, input.state);
  return needed.members.flatMap((member) => {
    const seen = input.observations[member];
    if (seen?.reachable !== true) {
      return [
        {
          ...error(
            'package-member-unreachable',
            `${member} is unreachable.`,
            'All nodes of the package must be up for a change of its configuration.',
          ),
          member,
        },
      ];
    }
    const missing = needed.executable.filter((path) => !seen.executable.includes(path));
    return [
      ...missing.map((path) => ({
        ...error(
          'package-not-executable',
          `${path} is not an executable file on ${member}.`,
          'Copy it to every node of the package and set its mode to 755.',
        ),
        member,
      })),
      ...needed.validate.filter((path) => !missing.includes(path)).flatMap((path) => validationProblem(member, path, seen)),
    ];
  });
}

function validationProblem(member: MemberName, path: string, seen: MemberObservation): Problem[] {
  const result = seen.validated[path];
  if (result?.exitCode === 0) return [];
  const how =
    result === undefined ? 'was not called' : result.exitCode === null ? 'was killed' : `exited with ${result.exitCode}`;
  const said = result?.output.trim() ?? '';
  const text = `${path} validate ${how} on ${member}${said === '' ? '.' : `:\n${said}`}`;
  return [{ ...error('package-validate-failed', text, 'Correct on that node what the script reports.'), member }];
}
