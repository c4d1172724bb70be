/** State, events and effects of the package manager. Words and values follow serviceguard.md chapters 5 and 6. */
import type { PackageFile } from '../../serviceguard/package-file.ts';

export type MemberName = string;
export type PackageName = string;

type PackageStatus =
  | 'up'
  | 'down'
  | 'start_wait'
  | 'starting'
  | 'halting'
  | 'halt_wait'
  | 'failing'
  | 'relocate_wait'
  | 'partially_down'
  | 'unknown';
type PackageRunState =
  | 'running'
  | 'halted'
  | 'failed'
  | 'starting'
  | 'halting'
  | 'failing'
  | 'relocate_wait'
  | 'halt_aborted'
  | 'maintenance'
  | 'unknown';

/** [L8 p.134]; automatic_halt is INFERRED. */
export type HaltReason = 'failure' | 'user_halt' | 'automatic_halt';

export interface ServiceState {
  readonly name: string;
  readonly status: 'up' | 'down' | 'uninitialized';
  readonly restarts: number;
  /** From cmrunserv. Absent: from the configuration. */
  readonly limit?: number | 'unlimited';
}

export interface MemberState {
  readonly name: MemberName;
  readonly status: 'up' | 'down';
  /**
   * reforming: waits for a cluster to join or form. unknown: lost, and the others have not re-formed, so no package starts. failed: lost,
   * and they have.
   */
  readonly state: 'running' | 'halted' | 'failed' | 'reforming' | 'unknown';
  /** By address, e.g. { '10.9.0.0': 'up' }. */
  readonly subnets: Readonly<Record<string, 'up' | 'down'>>;
  /** Also up for a halted member. */
  readonly machine: 'up' | 'down';
}

export type HaltGoal = 'user' | 'failure' | 'member-halt' | 'cluster-halt' | 'failback';

export type PendingScript =
  | {
      readonly script: 'start';
      /** Except with cmrunpkg -m and -e. */
      readonly withServices: boolean;
      /** Before the start finished; judged after it. */
      readonly died: readonly string[];
      readonly nextHalt: HaltGoal | null;
    }
  | {
      readonly script: 'halt';
      readonly goal: HaltGoal;
      /** cmhaltpkg -f, cmhaltnode -f: an aborted halt counts as halted. */
      readonly force: boolean;
    };

export interface Operation {
  readonly request: string;
  readonly command: 'cmrunpkg' | 'cmhaltpkg' | 'cmhaltnode' | 'cmhaltcl';
  readonly waiting: readonly PackageName[];
  /** cmhaltnode: they leave when nothing is pending. */
  readonly members: readonly MemberName[];
  readonly lines: readonly string[];
  readonly errorLines: readonly string[];
}

export interface PackageState {
  readonly name: PackageName;
  readonly config: PackageFile;
  readonly status: PackageStatus;
  readonly state: PackageRunState;
  readonly owner: MemberName | null;
  readonly autoRun: boolean;
  readonly nodeSwitch: Readonly<Record<MemberName, boolean>>;
  readonly services: readonly ServiceState[];
  /** `partial`: only some modules were started (cmrunpkg -m, -e). */
  readonly maintenance: { readonly on: boolean; readonly member: MemberName | null; readonly partial: boolean };
  readonly lastHaltFailed: boolean;
  readonly pending: PendingScript | null;
  readonly id: number;
}

export interface LabOptions {
  /** serviceguard.md 6.4 CONFLICT: a time-out also disables the member. Default false (newest manual). */
  readonly timeoutDisablesMember: boolean;
  /** serviceguard.md 5.3 INFERRED: AUTO_RUN of a package added online. Default false. */
  readonly onlineAddEnablesAutoRun: boolean;
  /** serviceguard.md 6.2 INFERRED: a member that rejoins gets its switch back. Default true. */
  readonly rejoinEnablesMember: boolean;
}

export interface ClusterState {
  readonly name: string;
  readonly running: boolean;
  readonly memberOrder: readonly MemberName[];
  readonly members: Readonly<Record<MemberName, MemberState>>;
  readonly spares: Readonly<Record<MemberName, MemberState>>;
  readonly packages: Readonly<Record<PackageName, PackageState>>;
  readonly options: LabOptions;
  readonly operations: readonly Operation[];
}

export type ScriptEnd = { readonly kind: 'exit'; readonly code: 0 | 1 | 2 | 3 } | { readonly kind: 'timeout' };

/** `request` identifies the waiting command. */
export type LabEvent =
  | { readonly kind: 'cluster-run'; readonly request: string; readonly members: readonly MemberName[] }
  | { readonly kind: 'cluster-halt'; readonly request: string; readonly force: boolean }
  | { readonly kind: 'member-run'; readonly request: string; readonly members: readonly MemberName[] }
  | { readonly kind: 'member-halt'; readonly request: string; readonly members: readonly MemberName[]; readonly force: boolean }
  | {
      readonly kind: 'package-run';
      readonly request: string;
      readonly packages: readonly PackageName[];
      /** Empty: the issuing member. */
      readonly members: readonly MemberName[];
      readonly issuedOn: MemberName;
      /** -a: the policy chooses. */
      readonly anyMember: boolean;
      /** -m: up to this module; -e: all except. Only in maintenance mode. */
      readonly upToModule?: string;
      readonly exceptModule?: string;
    }
  | {
      readonly kind: 'package-halt';
      readonly request: string;
      readonly packages: readonly PackageName[];
      readonly members: readonly MemberName[];
      readonly force: boolean;
    }
  | {
      readonly kind: 'package-switch';
      readonly request: string;
      readonly packages: readonly PackageName[];
      readonly enable: boolean;
      readonly members: readonly MemberName[];
    }
  | {
      readonly kind: 'package-maintenance';
      readonly request: string;
      readonly packages: readonly PackageName[];
      readonly on: boolean;
      readonly members: readonly MemberName[];
    }
  | {
      readonly kind: 'service-reset';
      readonly request: string;
      readonly packages: readonly PackageName[];
      readonly service: string;
    }
  | {
      readonly kind: 'configuration-applied';
      readonly request: string;
      readonly packages: readonly PackageFile[];
      readonly members?: readonly MemberName[];
    }
  | { readonly kind: 'package-deleted'; readonly request: string; readonly package: PackageName }
  | { readonly kind: 'start-ended'; readonly package: PackageName; readonly member: MemberName; readonly end: ScriptEnd }
  | { readonly kind: 'halt-ended'; readonly package: PackageName; readonly member: MemberName; readonly end: ScriptEnd }
  /** cmrunserv: a legacy package sets its restarts there. */
  | {
      readonly kind: 'service-run';
      readonly package: PackageName;
      readonly member: MemberName;
      readonly service: string;
      readonly restarts: number | 'unlimited';
    }
  | { readonly kind: 'service-died'; readonly package: PackageName; readonly member: MemberName; readonly service: string }
  | { readonly kind: 'member-crashed'; readonly member: MemberName }
  /** MEMBER_TIMEOUT after a crash: lost packages may start. */
  | { readonly kind: 'cluster-reformed'; readonly lost: readonly MemberName[] }
  /** AUTOSTART decides whether it joins. */
  | { readonly kind: 'member-booted'; readonly member: MemberName; readonly join: boolean }
  | { readonly kind: 'subnet-changed'; readonly member: MemberName; readonly subnet: string; readonly status: 'up' | 'down' };

export type Effect =
  | {
      readonly kind: 'run-start';
      readonly package: PackageName;
      readonly member: MemberName;
      readonly timeoutSeconds: number | null;
      readonly upToModule?: string;
      readonly exceptModule?: string;
    }
  | {
      readonly kind: 'run-halt';
      readonly package: PackageName;
      readonly member: MemberName;
      readonly reason: HaltReason;
      readonly timeoutSeconds: number | null;
    }
  | {
      readonly kind: 'restart-service';
      readonly package: PackageName;
      readonly member: MemberName;
      readonly service: string;
      readonly restarts: number;
    }
  /** After a time-out: also its script. */
  | { readonly kind: 'kill-services'; readonly package: PackageName; readonly member: MemberName }
  /** Fail fast: resets the machine. */
  | { readonly kind: 'reset-member'; readonly member: MemberName; readonly why: string }
  | {
      readonly kind: 'reply';
      readonly request: string;
      readonly exitCode: 0 | 1;
      readonly lines: readonly string[];
      readonly errorLines: readonly string[];
    }
  | { readonly kind: 'log'; readonly member: MemberName | null; readonly package: PackageName | null; readonly text: string };

export interface Transition {
  readonly state: ClusterState;
  readonly effects: readonly Effect[];
}
