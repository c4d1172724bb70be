/**
 * What cmcheckconf and cmapplyconf look at before a package takes effect [serviceguard.md 2.7]. Pure: what has to be
 * looked up on the members is asked for with `neededObservations` and handed in.
 */
import type { Place, Problem } from '../problem.ts';
import { findAttribute, findModule } from '../serviceguard/modules.ts';
import { allValues, lastValue, type PackageFile, type PackageLine } from '../serviceguard/package-file.ts';
import type { ClusterState, MemberName } from './model.ts';
import { packagePolicy } from './package-policy.ts';

/** Paths are as typed in the package file; variables such as $SGCONF are the observer's business. */
export interface NeededObservations {
  /** Members to look at: those of the package that are members of the cluster. */
  readonly members: readonly MemberName[];
  /** Must be executable files on each. */
  readonly executable: readonly string[];
  /** To be run with `validate` on each [L9 p.219]. */
  readonly validate: readonly string[];
}

export interface MemberObservation {
  readonly reachable: boolean;
  /** Which of the needed paths are executable there. */
  readonly executable: readonly string[];
  /** By path: how the call with `validate` ended (null: killed or not started), and what it said. */
  readonly validated: Readonly<Record<string, { readonly exitCode: number | null; readonly output: string }>>;
}

export interface CheckInput {
  readonly file: PackageFile;
  /** Name of the file, for the place of problems. */
  readonly fileName: string;
  readonly state: ClusterState;
  readonly observations: Readonly<Record<MemberName, MemberObservation>>;
}

export function neededObservations(file: PackageFile, state: ClusterState): NeededObservations {
  const scripts = [...new Set([...allValues(file, 'external_pre_script'), ...allValues(file, 'external_script')])];
  const commands = allValues(file, 'service_cmd').flatMap((command) => command.split(/\s+/).slice(0, 1));
  const members = packagePolicy(file, state.memberOrder).members.filter((member) => state.memberOrder.includes(member));
  return { members, executable: [...new Set([...scripts, ...commands])], validate: scripts };
}

/** All problems at once; an error refuses the package, a warning is only told. */
export function checkPackage(input: CheckInput): Problem[] {
  return [
    ...lineProblems(input),
    ...moduleProblems(input),
    ...groupProblems(input),
    ...clusterProblems(input),
    ...memberProblems(input),
  ];
}

/** Problems between several packages that are applied together, and with those configured: the names of services. */
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

function error(code: string, text: string, remedy: string, place?: Place): Problem {
  return { code, severity: 'error', text, remedy, ...(place === undefined ? {} : { place }) };
}

function warning(code: string, text: string, remedy: string, place: Place): Problem {
  return { code, severity: 'warning', text, remedy, place };
}

function placeOf({ fileName }: CheckInput, { line }: PackageLine): Place {
  return { file: fileName, line };
}

/** Each line by itself: a known keyword, a legal value, not twice where once is meant. */
function lineProblems(input: CheckInput): Problem[] {
  const seen = new Map<string, number>();
  return input.file.lines.flatMap((line) => {
    const place = placeOf(input, line);
    const found = findAttribute(line.keyword);
    if (found === undefined) return [unknownKeyword(line, place)];
    const { attribute } = found;
    const first = seen.get(line.keyword);
    seen.set(line.keyword, first ?? line.line);
    const pevTwice = line.keyword.startsWith('pev_') && first !== undefined;
    if (first !== undefined && (!attribute.repeatable || pevTwice)) {
      return [
        error('package-attribute-twice', `${line.keyword} is given in line ${first} and again.`, 'Keep one of the lines.', place),
      ];
    }
    if (attribute.legal.accepts(line.value)) return [];
    const text = `${line.keyword} cannot be "${line.value}".`;
    return [error('package-attribute-value', text, `Legal values: ${attribute.legal.words}`, place)];
  });
}

const legacyKeywords = new Set(['run_script', 'halt_script', 'subnet', 'storage_group', 'resource_name']);

function unknownKeyword({ keyword }: PackageLine, place: Place): Problem {
  if (legacyKeywords.has(keyword)) {
    return error(
      'package-legacy',
      `${keyword} belongs to a legacy package; the lab imitates modular packages only.`,
      'Start from cmmakepkg -m sg/failover.',
      place,
    );
  }
  if (keyword.includes('/')) {
    return error(
      'package-module-toolkit',
      `${keyword} belongs to a toolkit module that the lab does not have.`,
      'Leave toolkit modules out in the lab.',
      place,
    );
  }
  return error(
    'package-attribute-unknown',
    `${keyword} is not an attribute of any module.`,
    'See cmmakepkg for the attributes there are.',
    place,
  );
}

/** Modules must be there, fit together, and be ones the lab imitates; attributes need their module. */
function moduleProblems(input: CheckInput): Problem[] {
  const { file, fileName } = input;
  const lines = file.lines.filter((line) => line.keyword === 'module_name');
  const names = new Set(lines.map((line) => line.value));
  const problems: Problem[] = [];
  for (const line of lines) problems.push(...oneModule(line, placeOf(input, line)));
  const bases = [...names].filter((name) => findModule(name)?.kind === 'base');
  if (bases.length !== 1) {
    const text =
      bases.length === 0 ? 'The file names no base module.' : `The file names several base modules: ${bases.join(', ')}.`;
    problems.push(error('package-module-base', text, 'Start from: cmmakepkg -m sg/failover', { file: fileName }));
  }
  const type = lastValue(file, 'package_type')?.toLowerCase() ?? 'failover';
  if (bases[0] !== undefined && bases[0] !== `sg/${type}`) {
    problems.push(
      error(
        'package-type',
        `package_type ${type} does not fit base module ${bases[0]}.`,
        `Make it: package_type ${bases[0].slice(3)}`,
        { file: fileName },
      ),
    );
  }
  const lacking = new Set<string>();
  for (const line of file.lines) {
    const found = findAttribute(line.keyword);
    if (found === undefined || found.modules.some((module) => names.has(module)) || bases.length !== 1) continue;
    const [module = ''] = found.modules;
    if (lacking.has(module)) continue;
    lacking.add(module);
    const remedy = `Add the module: cmmakepkg -i ${fileName} -m ${module}`;
    problems.push(
      error(
        'package-module-missing',
        `${line.keyword} needs module ${module}, which the file does not name.`,
        remedy,
        placeOf(input, line),
      ),
    );
  }
  return problems;
}

function oneModule(line: PackageLine, place: Place): Problem[] {
  const module = findModule(line.value);
  if (module === undefined) {
    return [
      error(
        'package-module-unknown',
        `Module ${line.value} is not one the lab has.`,
        'List the modules there are with: cmmakepkg -l',
        place,
      ),
    ];
  }
  const { lab } = module;
  if (lab.does === 'imitate') return [];
  const text = `${module.name}: ${lab.because}.`;
  if (lab.does === 'warn') return [warning('lab-module-idle', text, 'Nothing to do; on a real cluster the module works.', place)];
  return [error('lab-module', text, 'Leave the module out in the lab, or rehearse on a real cluster.', place)];
}

/** What belongs together: groups opened by their first keyword and complete; values the lab cannot follow. */
function groupProblems(input: CheckInput): Problem[] {
  const problems: Problem[] = [];
  let open = new Map<string, Set<string>>();
  const needs: Readonly<Record<string, readonly string[]>> = {
    service_name: ['service_cmd'],
    fs_name: ['fs_directory', 'fs_type'],
    ip_subnet: ['ip_address'],
  };
  const closed: { readonly first: PackageLine; readonly keywords: Set<string> }[] = [];
  for (const line of input.file.lines) {
    const group = findAttribute(line.keyword)?.attribute.group ?? null;
    if (group === null) continue;
    if (line.keyword === group) {
      const keywords = new Set<string>();
      open = new Map([...open, [group, keywords]]);
      closed.push({ first: line, keywords });
    } else if (open.has(group)) open.get(group)?.add(line.keyword);
    else
      problems.push(
        error(
          'package-group-order',
          `${line.keyword} stands before any ${group}.`,
          `Put it below the ${group} it belongs to.`,
          placeOf(input, line),
        ),
      );
  }
  for (const { first, keywords } of closed) {
    for (const missing of (needs[first.keyword] ?? []).filter((keyword) => !keywords.has(keyword))) {
      problems.push(
        error(
          'package-group-incomplete',
          `${first.keyword} ${first.value} has no ${missing}.`,
          `Add ${missing} below it.`,
          placeOf(input, first),
        ),
      );
    }
  }
  return [...problems, ...notImitated(input)];
}

const refusedValues: readonly {
  readonly keyword: string;
  readonly when: (value: string) => boolean;
  readonly because: string;
}[] = [
  { keyword: 'failover_policy', when: (value) => value.startsWith('site_'), because: 'the lab has no sites' },
  { keyword: 'ip_subnet_node', when: () => true, because: 'all members of the lab are on the same subnet' },
  { keyword: 'fs_server', when: () => true, because: 'the lab mounts block devices only' },
  { keyword: 'fs_type', when: (value) => value === 'nfs', because: 'the lab mounts block devices only' },
  {
    keyword: 'kill_processes_accessing_raw_devices',
    when: (value) => value === 'yes',
    because: 'the lab does not look at raw devices',
  },
];

function notImitated(input: CheckInput): Problem[] {
  return input.file.lines.flatMap((line) => {
    const rule = refusedValues.find((one) => one.keyword === line.keyword && one.when(line.value.toLowerCase()));
    if (rule === undefined) return [];
    const text = `${line.keyword} ${line.value}: ${rule.because}.`;
    return [error('lab-value', text, 'Leave it out in the lab, or rehearse on a real cluster.', placeOf(input, line))];
  });
}

/** Against the cluster: members, subnets, volume groups of file systems, addresses inside their subnet's group. */
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
    if (line.keyword === 'monitored_subnet' || line.keyword === 'ip_subnet') problems.push(...subnetProblems(input, line));
    if (line.keyword === 'fs_name') problems.push(...volumeGroupProblems(input, line));
  }
  const timeouts = ['run_script_timeout', 'halt_script_timeout'].filter(
    (one) => (lastValue(file, one) ?? 'no_timeout') === 'no_timeout',
  );
  for (const keyword of timeouts) {
    const text = `${keyword} is no_timeout: a script that hangs blocks the package for ever.`;
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

/** /dev/VG/LV and /dev/mapper/VG-LV name their volume group; other devices are taken as they are. */
function volumeGroupProblems(input: CheckInput, line: PackageLine): Problem[] {
  const mapped = /^\/dev\/mapper\/(.+?)(?<!-)-(?!-)/.exec(line.value)?.[1]?.replaceAll('--', '-');
  const group = mapped ?? /^\/dev\/([^/]+)\/[^/]+$/.exec(line.value)?.[1];
  if (group === undefined || allValues(input.file, 'vg').includes(group)) return [];
  return [
    error(
      'package-vg-missing',
      `fs_name ${line.value} is on volume group ${group}, which is not listed.`,
      `Add: vg ${group}`,
      placeOf(input, line),
    ),
  ];
}

/** What was seen on the members. */
function memberProblems(input: CheckInput): Problem[] {
  const needed = neededObservations(input.file, input.state);
  return needed.members.flatMap((member) => {
    const seen = input.observations[member];
    if (seen?.reachable !== true) {
      return [
        {
          ...error(
            'package-member-unreachable',
            `${member} cannot be reached.`,
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
    result === undefined
      ? 'was not called'
      : result.exitCode === null
        ? 'did not end by itself'
        : `ended with ${result.exitCode}`;
  const said = result?.output.trim() ?? '';
  const text = `${path} validate ${how} on ${member}${said === '' ? '.' : `:\n${said}`}`;
  return [{ ...error('package-validate-failed', text, 'Repair what the script complains about on that node.'), member }];
}
