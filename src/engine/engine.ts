/**
 * What csync needs from a cluster engine. The engine's commands, words, paths and formats stay behind this interface
 * (test/pure/render/engine.test.ts). Types only: an engine returns commands to run and reads their output.
 */
import type { Checked, Problem } from '../base/problem.ts';
import type { RenderedFile } from '../contract/package-directory.ts';
import type { Settings } from '../settings/settings.ts';

/** A command: program and arguments. */
export type Argv = readonly string[];
/** Commands to run on one member, in this order. Each exits with 0 if it succeeded; after a failure the rest is not run. */
export type Commands = readonly Argv[];

/** The settings that select the engine. */
export type EngineChoice = Pick<Settings, 'engine'>;

export interface Engine {
  /** In csync.yaml. */
  readonly name: Settings['engine'];
  readonly title: string;
  readonly orders: Orders;
  readonly observation: Observation;
  readonly definition: DefinitionFormat;
  readonly host: EngineHost;
  readonly words: EngineWords;
}

/** What an administrator can order. Plans run the commands; remedies print them (typed). */
export interface Orders {
  /** Enables start and failover. A halted package starts now, on the first eligible member. */
  switchOn(packageName: string): Commands;
  switchOff(packageName: string): Commands;
  /** Enables these members for the package, also after a failure there. */
  switchMembersOn(packageName: string, members: readonly string[]): Commands;
  switchMembersOff(packageName: string, members: readonly string[]): Commands;
  /** Starts a halted package there, and exits when the start is complete. Does not change whether it may fail over. */
  run(packageName: string, member: string): Commands;
  halt(packageName: string): Commands;
  /**
   * `on`: the engine ignores every failure of the package until `off`, and does not fail over. Refused if the package cannot have this
   * mode.
   */
  maintenance(packageName: string, mode: 'on' | 'off'): Commands;
  /** Stops the cluster on the member. `packages`: its packages move; without it the order fails if it runs any. */
  haltMember(member: string, packages: 'packages move' | 'no packages'): Commands;
  runMember(member: string): Commands;
  forget(packageName: string): Commands;
  /** Removes the package address from this member after a script left it behind. */
  releaseAddress(address: string, subnet: string): Commands;
}

export interface PackageStatus {
  /** `up`, `down`, or another word of the engine. */
  readonly status: string;
  /** `running`, `starting`, `halting`, `maintenance`, or another word of the engine. */
  readonly state: string;
  /** The active member; null: none. */
  readonly owner: string | null;
  /** The package may start and fail over automatically. */
  readonly autoRun: boolean;
  /** By member: whether the package may start there. */
  readonly switching: ReadonlyMap<string, boolean>;
  /** Failed starts, halts and checks that the engine still remembers. Absent: it reports none. */
  readonly failures?: readonly { readonly member: string; readonly text: string }[];
}

/** While no member answers. */
export const unknownStatus: PackageStatus = {
  status: 'unknown',
  state: 'unknown',
  owner: null,
  autoRun: false,
  switching: new Map(),
};

export interface ClusterView {
  /** null: not in the output. */
  readonly name: string | null;
  /** Status of each member by name, in the engine's order: `up`, or another word of the engine. */
  readonly members: ReadonlyMap<string, string>;
  readonly packages: ReadonlyMap<string, PackageStatus>;
}

/** Queries to any one member and their parsers. A failed command has no answer. */
export interface Observation {
  /** Prints the input of readView. Needs no root, but a role with read access. */
  readonly view: Argv;
  /** Never fails; unreadable text results in a view without members. */
  readView(text: string): ClusterView;
  /** Prints the input of readDefinition. Fails if no such package is defined, or this user may not see it. */
  definition(packageName: string): Argv;
  /** The definition in force; null: the text is none. */
  readDefinition(text: string): Definition | null;
  /** What keeps the cluster from protecting the file system, by the input of readView. */
  hazards(text: string): readonly Problem[];
  /** Those of them for which a package is applied on a test cluster only; without any text: that it is unknown. */
  unprotected(text: string): readonly Problem[];
  readonly version: Argv;
  /** The version; null: not in the text. */
  readVersion(text: string): string | null;
}

export interface Definition {
  readonly name: string;
  /** The members that may run the package, the preferred one first. */
  readonly members: readonly string[];
  /** The set of member scripts that it names; null: no set of ours. */
  readonly set: string | null;
  /** How it names the set: as a value that the launcher reads (modular), or in the path of the launcher (legacy). */
  readonly style: Settings['packageStyle'];
  readonly claims: Claims;
  /** All attributes in order, with the engine's keywords; a keyword may repeat. */
  readonly lines: readonly { readonly keyword: string; readonly value: string }[];
}

export interface DefinitionDifference {
  readonly keyword: string;
  readonly applied: readonly string[];
  readonly wanted: readonly string[];
}

/** Resources of a package that no other package may have. */
export interface Claims {
  readonly mountPoints: readonly string[];
  readonly volumeGroups: readonly string[];
  readonly addresses: readonly string[];
  /** The script with the rest of the definition, which csync does not read; null: none. */
  readonly elsewhere: string | null;
}

/** What the engine would do with a changed definition. */
export interface Forecast {
  /** What stops, moves or restarts of the package, as parts of a sentence. */
  readonly own: readonly string[];
  /** The same of other packages. */
  readonly others: readonly string[];
}

/** An engine that computes beforehand what a change would do. It restarts by itself what changed. */
export interface Simulation {
  /** To run where the rendered file lies, with its companions. Changes nothing. */
  command(file: string): Argv;
  /** null: the text is no output of it. */
  read(text: string, applied: Definition | null, wanted: Definition): Forecast | null;
}

/** Variables of the engine, by name; paths in the settings may begin with them. */
export type EngineVariables = Readonly<Partial<Record<string, string>>>;

/** The format of a package definition: the rendered file and the one in force. */
export interface DefinitionFormat {
  /** Its template, below package-templates. */
  template(style: Settings['packageStyle']): string;
  /** Other files that follow from the rendered file alone, beside it in the package directory. */
  companions(text: string): readonly RenderedFile[];
  /** Companions that every member needs in another place: name -> absolute path. */
  readonly installs: ReadonlyMap<string, string>;
  /** Name of the rendered file in the package directory. */
  fileName(packageName: string): string;
  /** Values for the tokens of its template, which names `set`. Problems: values that need variables which are not known. */
  tokens(
    settings: Settings,
    set: string,
    variables: EngineVariables,
  ): { readonly values: Readonly<Record<string, string>>; readonly problems: readonly Problem[] };
  /** Prints the engine's own template with its comments; null: this host has none. */
  templateCommand(style: Settings['packageStyle'], variables: EngineVariables): Argv | null;
  /** The rendered file `own`, extended by everything of templateCommand's output that it does not define. */
  layOver(base: string, own: string): string;
  /** The file for other members or another set; everything else in it is kept. */
  withMembers(text: string, members: readonly string[]): string;
  withSet(text: string, set: string, settingsDigest: string): string;
  /** Whether another set requires a halt, so that a change of members keeps the present one. */
  keepsSet(style: Settings['packageStyle']): boolean;
  /** Reads the rendered file; `file` is its name in problems, which concern only its form. */
  parse(text: string, file: string): Checked<Definition>;
  /** What the engine would refuse, as far as that can be checked without a cluster. */
  check(text: string, file: string): readonly Problem[];
  /** Empty: the one in force is as wanted. An attribute on one side only is compared with the engine's default. */
  differences(applied: Definition, wanted: Definition): DefinitionDifference[];
  /** Whether the change requires a halt; if not, it can be applied at any time. */
  needsHalt(difference: DefinitionDifference): boolean;
  /**
   * Checks with the engine whether it accepts the file (an absolute path on the member, or a path that the member's shell expands). Changes
   * nothing.
   */
  checkFile(file: string): Commands;
  /** null: none, and needsHalt decides by keyword. */
  readonly simulation: Simulation | null;
  /** Applies the file: on all members at one moment, or not at all. */
  applyFile(file: string): Commands;
  /**
   * Checks to run on each member, as validate of the set that it names; `launcher` is a script of that set there. None: checkFile asks the
   * members.
   */
  memberChecks(definition: Definition, launcher: string): Commands;
  /** A line for /bin/sh: prints the definition in force, fails if there is none. */
  showLine(packageName: string): string;
}

/** A cluster as csync init finds it. */
export interface FoundCluster {
  readonly name: string;
  /** In the cluster's own order. */
  readonly members: readonly string[];
  /** Subnets of a member; none if the output has none. */
  readonly subnets: ReadonlyMap<string, readonly string[]>;
  readonly packages: readonly string[];
  /** Volume group -> the package that uses it. */
  readonly packageOfVolumeGroup: ReadonlyMap<string, string>;
  /** Packages whose volume groups the engine does not show. */
  readonly unknownStorage: readonly string[];
  readonly quorumServer: string | null;
}

/** The engine on the host that csync runs on. The caller reads the files and runs the commands. */
export interface EngineHost {
  /** File with the engine's variables. */
  readonly variablesFile: string;
  /** Environment variable that names another such file. */
  readonly variablesFileIn: string;
  /** For /bin/sh, with that file as $1: prints what readVariables reads. null: there are none, and the file shows only that a cluster is set up. */
  readonly variablesScript: string | null;
  readVariables(text: string): EngineVariables;
  /** Values of a standard installation. */
  readonly usualVariables: EngineVariables;
  /** Parent of the package directories. */
  packagesIn(variables: EngineVariables): string;
  /** PATH with the engine's programs; `own`: the administrator's. */
  searchPath(own: string | undefined, variables: EngineVariables): string;
  /** A program that runs a command on a member without ssh; the name of the member and one command line follow its words. null: none. */
  remoteCommand(variables: EngineVariables): { readonly name: string; readonly argv: readonly string[] } | null;
  /** The remark on the variables that were found, besides the name of their file. null: no such file. */
  foundText(variables: EngineVariables | null): string;
  /** Their outputs, in this order, are the input of readCluster. The first fails where no cluster runs; the others may fail. */
  readonly clusterCommands: Commands;
  /** null: the output names no member. */
  readCluster(outputs: readonly string[]): FoundCluster | null;
}

/** First lines of scripts for members, for /bin/sh. */
export interface EngineShell {
  /**
   * Defines the variables that paths in the settings may begin with. Exits the script with 69 if the engine is not installed, or a user
   * other than root can change its file.
   */
  readonly begin: readonly string[];
  /** Puts the engine's programs first in the path; after `begin`. */
  readonly path: string;
  /** As `begin`, for a host that may have no engine: never exits the script. */
  readonly tryBegin: string;
  /** In a script that knows $directory, the package directory: sets $named to the set in the launcher path of a definition there. */
  readonly namedSet: string;
  /** Absolute paths that DefinitionFormat.installs has. */
  readonly installed: readonly string[];
  /** Directories (words) that need free space; after `begin`. */
  readonly directories: readonly string[];
}

/** The engine's words for sentences and advice. Parts of sentences begin with a lower-case letter and have no full stop. */
export interface EngineWords {
  /** The programs that print the state of the cluster and its definitions. */
  readonly viewer: string;
  readonly definitionReader: string;
  /** The program that writes the engine's own template of a definition. */
  readonly templateMaker: string;
  /** The program that checks a definition before it is applied. */
  readonly checker: string;
  /** Likely reasons why `view` fails. */
  readonly viewFails: string;
  /** The command that shows the reason, and the fix. */
  readonly look: string;
  readonly lookOrStart: string;
  readonly startCluster: string;
  /** The engine's name for PackageStatus.autoRun. */
  readonly autoRun: string;
  /** That autoRun is off. */
  readonly switchedOff: string;
  /** That the package may not start on a member. */
  readonly notEligible: string;
  /** Path of the package log, which a member's shell expands. */
  readonly packageLog: string;
  /** Reference after a sentence on the engine's own maintenance mode. */
  readonly maintenanceMode: string;
  /** The fix if a command of a plan fails. */
  afterFailure(command: Argv): string;
  /** How to add a host to the cluster; `members` are the current ones. */
  join(host: string, members: readonly string[]): string;
  /** How to remove hosts from the cluster; `members` are those that stay. */
  leave(hosts: readonly string[], members: readonly string[]): string;
  /** How to move the package off a member by hand. */
  moveAway(member: string, packageName: string, other: string): string;
  /** Why a package of this style cannot have the engine's own maintenance mode; null: it can. */
  noMaintenance(style: Settings['packageStyle']): string | null;
  /** A text of `csync explain CODE`, which is written in Serviceguard's words. A code that only Serviceguard has keeps its text. */
  explained(code: string, text: string): string;
  /** Why this version cannot add or remove members; null: it can, or the version is unknown. */
  tooOld(version: string): string | null;
}
