/**
 * What csync wants of a cluster engine. An engine's commands, words, paths and formats lie behind this interface, and nowhere above it
 * (test/pure/render/engine.test.ts). Types only. Nothing here runs: an engine says what to type and reads what was answered.
 */
import type { Checked, Problem } from '../base/problem.ts';
import type { Settings } from '../settings/settings.ts';

/** A command: program and arguments, each a word. */
export type Argv = readonly string[];
/** Commands to type on one member, in this order. Each exits with 0 if it was done; after one that was not, the rest is not typed. */
export type Commands = readonly Argv[];

/** What of the settings selects the engine. */
export type EngineChoice = Pick<Settings, 'packageName'>;

export interface Engine {
  /** Its name in a sentence. */
  readonly title: string;
  readonly orders: Orders;
  readonly observation: Observation;
  readonly definition: DefinitionFormat;
  readonly host: EngineHost;
  readonly shell: EngineShell;
  readonly words: EngineWords;
}

/** What an administrator wants of the cluster. Plans carry the commands out; remedies print them (typed). */
export interface Orders {
  /** The package may start and fail over. If it is halted it starts now, on the first member that may have it. */
  switchOn(packageName: string): Commands;
  /** It goes on running, and does not fail over. */
  switchOff(packageName: string): Commands;
  /** The package may start on these members, also if it failed there before. */
  switchMembersOn(packageName: string, members: readonly string[]): Commands;
  switchMembersOff(packageName: string, members: readonly string[]): Commands;
  /** Starts a halted package there, and ends when its start has ended. Whether it may fail over stays as it is. */
  run(packageName: string, member: string): Commands;
  /** Halts the package, and switches it off. Ends when its halt has ended. */
  halt(packageName: string): Commands;
  /** `on`: the engine ignores every failure of the package, until `off`, and does not fail over. Refused if the package may not have this mode. */
  maintenance(packageName: string, mode: 'on' | 'off'): Commands;
  /** The member leaves the running cluster. `packages`: those that run there move; without it the order fails if there are any. */
  haltMember(member: string, packages: 'packages move' | 'no packages'): Commands;
  runMember(member: string): Commands;
  /** Removes the definition of a halted package from the cluster. */
  forget(packageName: string): Commands;
  /** Removes the package address from the member on which this is typed, after a script that left it behind. */
  releaseAddress(address: string, subnet: string): Commands;
}

/** What the engine says of a package. */
export interface PackageStatus {
  /** `up`, `down`, or a word of the engine's for what is neither. */
  readonly status: string;
  /** `running`, `starting`, `halting`, `maintenance`, or a word of the engine's. */
  readonly state: string;
  /** The member it runs on; null: on none. */
  readonly owner: string | null;
  /** The package may start, and fail over, by itself. */
  readonly autoRun: boolean;
  /** By member: whether the package may start there. */
  readonly switching: ReadonlyMap<string, boolean>;
}

/** While no member answers. */
export const unknownStatus: PackageStatus = {
  status: 'unknown',
  state: 'unknown',
  owner: null,
  autoRun: false,
  switching: new Map(),
};

/** One look at the whole cluster. */
export interface ClusterView {
  /** null: the engine does not say. */
  readonly name: string | null;
  /** Status of each member in the cluster, by name, in the engine's order: `up`, or a word of the engine's for what is not. */
  readonly members: ReadonlyMap<string, string>;
  /** Those that are defined. */
  readonly packages: ReadonlyMap<string, PackageStatus>;
}

/** Questions to any one member, and what their answers mean. A command that fails has no answer. */
export interface Observation {
  /** Prints what readView reads. Needs no root, but a role that may look. */
  readonly view: Argv;
  /** Never fails; text that is no answer gives a view without members. */
  readView(text: string): ClusterView;
  /** Prints what readDefinition reads. Fails if no such package is defined, and if this user may not see it. */
  definition(packageName: string): Argv;
  /** The definition that is in force; null: this text is none. */
  readDefinition(text: string): Definition | null;
  readonly version: Argv;
  /** The version in the answer; null: it says none. */
  readVersion(text: string): string | null;
}

/** What the engine knows of a package, or is to know. */
export interface Definition {
  readonly name: string;
  /** The members that may run the package, the most wanted first. */
  readonly members: readonly string[];
  /** The set of member scripts that it names; null: none of ours. */
  readonly set: string | null;
  /** Where it names the set: as a value that the launcher reads (modular), or in the path of the launcher (legacy). */
  readonly style: Settings['packageStyle'];
  readonly claims: Claims;
  /** All of it, in order, with keywords of the engine's own; one may come again. */
  readonly lines: readonly { readonly keyword: string; readonly value: string }[];
}

export interface DefinitionDifference {
  readonly keyword: string;
  readonly applied: readonly string[];
  readonly wanted: readonly string[];
}

/** What a package uses that no other one may have. */
export interface Claims {
  readonly mountPoints: readonly string[];
  readonly volumeGroups: readonly string[];
  readonly addresses: readonly string[];
  /** The script that says the rest, which csync does not read; null: this is all of it. */
  readonly elsewhere: string | null;
}

/** Variables of the engine, by name; paths of the settings may begin with them. */
export type EngineVariables = Readonly<Partial<Record<string, string>>>;

/** The definition of a package: the rendered file, and the one in force. */
export interface DefinitionFormat {
  /** Name of the rendered file in the package directory. */
  fileName(packageName: string): string;
  /** What the tokens of its template stand for; it names `set`. Problems: what it cannot hold as long as no more variables are known. */
  tokens(
    settings: Settings,
    set: string,
    variables: EngineVariables,
  ): { readonly values: Readonly<Record<string, string>>; readonly problems: readonly Problem[] };
  /** Prints a template of the engine's own, with its comments; null: there is none on this host. */
  templateCommand(style: Settings['packageStyle'], variables: EngineVariables): Argv | null;
  /** The rendered file `own` with all that templateCommand printed and it does not say itself. */
  layOver(base: string, own: string): string;
  /** The text of the file for other members; for another set. Whatever else is in it stays. */
  withMembers(text: string, members: readonly string[]): string;
  withSet(text: string, set: string, settingsDigest: string): string;
  /** Reads the rendered file; `file` is its name for problems, which are those of its form only. */
  parse(text: string, file: string): Checked<Definition>;
  /** What the engine would refuse in that text, as far as it can be known without a cluster. */
  check(text: string, file: string): readonly Problem[];
  /** Empty: the one in force is as wanted. What only one says counts as the engine's default in the other. */
  differences(applied: Definition, wanted: Definition): DefinitionDifference[];
  /** Whether a running package has to be halted for it; if not, it may be applied at any time. */
  needsHalt(difference: DefinitionDifference): boolean;
  /** Asks the engine whether it would take the file (an absolute path on the member, or one that the member's shell completes). Changes nothing. */
  checkFile(file: string): Commands;
  /** Makes the file the definition in force, on all members in one moment or not at all. */
  applyFile(file: string): Commands;
  /** Whether checkFile also asks the member scripts (validate), on every member. If not, csync has to. */
  checkAsksScripts(definition: Definition): boolean;
  /** A line for /bin/sh: prints the definition in force, fails if there is none. */
  showLine(packageName: string): string;
}

/** A cluster as csync init finds it. */
export interface FoundCluster {
  readonly name: string;
  /** In the cluster's own order. */
  readonly members: readonly string[];
  /** Subnets the engine knows of a member; none when its output does not say. */
  readonly subnets: ReadonlyMap<string, readonly string[]>;
  readonly packages: readonly string[];
  /** Volume group -> the package that has it. */
  readonly packageOfVolumeGroup: ReadonlyMap<string, string>;
  /** Packages whose volume groups the engine does not show. */
  readonly unknownStorage: readonly string[];
  readonly quorumServer: string | null;
}

/** The engine on the host that csync runs on. Who asks reads the files and runs the commands. */
export interface EngineHost {
  /** Has the engine's variables. */
  readonly variablesFile: string;
  /** Variable of the environment that names another such file. */
  readonly variablesFileIn: string;
  readVariables(text: string): EngineVariables;
  /** Those of a usual installation. */
  readonly usualVariables: EngineVariables;
  /** The directory in which packages have theirs. */
  packagesIn(variables: EngineVariables): string;
  /** PATH with the engine's programs; `own`: the administrator's. */
  searchPath(own: string | undefined, variables: EngineVariables): string;
  /** What is said of the variables that were found, beside the name of their file. null: there is no such file. */
  foundText(variables: EngineVariables | null): string;
  /** Their outputs, in this order, are what readCluster reads. The first one fails where no cluster runs; the others may fail. */
  readonly clusterCommands: Commands;
  /** null: no member is named. */
  readCluster(outputs: readonly string[]): FoundCluster | null;
}

/** What scripts for members begin with. Lines for /bin/sh. */
export interface EngineShell {
  /** Makes the variables known that paths of the settings may begin with. Ends the script with 69 where the engine is not installed, or its file can be changed by others than root. */
  readonly begin: readonly string[];
  /** Puts the engine's programs in front of the path; behind `begin`. */
  readonly path: string;
  /** As `begin`, for a host that may have no engine: never ends the script. */
  readonly tryBegin: string;
  /** In a script that knows $directory, the package directory: $named is the set that a definition there names by the path of a launcher. */
  readonly namedSet: string;
  /** Directories (words) that need room; behind `begin`. */
  readonly directories: readonly string[];
}

/** The engine's words, for sentences and advice. Parts of sentences begin with a small letter and have no full stop. */
export interface EngineWords {
  /** The programs that say how the cluster is, and what is defined. */
  readonly viewer: string;
  readonly definitionReader: string;
  /** The program that writes the engine's own template of a definition. */
  readonly templateMaker: string;
  /** The program that looks at a definition before it is applied. */
  readonly checker: string;
  /** Why `view` fails, as far as can be known. */
  readonly viewFails: string;
  /** The command that shows why, for people; and the fix. */
  readonly look: string;
  readonly lookOrStart: string;
  readonly startCluster: string;
  /** What PackageStatus.autoRun is called. */
  readonly autoRun: string;
  /** It is off. */
  readonly switchedOff: string;
  /** The package may not start on a member. */
  readonly notEligible: string;
  /** Where a package's log is, as a member's shell completes it. */
  readonly packageLog: string;
  /** Behind a sentence on the engine's own maintenance mode: what it is looked up by. */
  readonly maintenanceMode: string;
  /** The fix where a command of a plan failed. */
  afterFailure(command: Argv): string;
  /** How a host becomes a member of the cluster; `members` are those of now. */
  join(host: string, members: readonly string[]): string;
  /** How hosts leave the cluster for good; `members` are those that stay. */
  leave(hosts: readonly string[], members: readonly string[]): string;
  /** How the package leaves a member, by hand. */
  moveAway(member: string): string;
  /** Why a package of this style cannot have the engine's own maintenance mode; null: it can. */
  noMaintenance(style: Settings['packageStyle']): string | null;
  /** Why members cannot come and go with this version; null: they can, or nothing is known against it. */
  tooOld(version: string): string | null;
}
