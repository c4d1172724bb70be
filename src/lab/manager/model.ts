/**
 * The lab's package manager as data: its state, its events, and the effects it requests. The reducer in package-manager.ts is a pure
 * function of these; the daemon delivers events and carries out effects in the members' namespaces. Words and values follow serviceguard.md
 * chapters 5 and 6.
 */
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

/** SG_HALT_REASON [L8 p.134]; assignment of automatic_halt is INFERRED. */
export type HaltReason = 'failure' | 'user_halt' | 'automatic_halt';

export interface ServiceState {
  readonly name: string;
  readonly status: 'up' | 'down' | 'uninitialized';
  readonly restarts: number;
  /** Allowed restarts, from cmrunserv. Absent: from the configuration, or the service was not started by cmrunserv. */
  readonly limit?: number | 'unlimited';
}

export interface MemberState {
  readonly name: MemberName;
  readonly status: 'up' | 'down';
  /**
   * reforming: its Serviceguard started and waits for a cluster to join or form. unknown: lost, and the others have not re-formed yet;
   * meanwhile no package is started anywhere. failed: lost, and the others have re-formed.
   */
  readonly state: 'running' | 'halted' | 'failed' | 'reforming' | 'unknown';
  /** By subnet address, e.g. { '10.9.0.0': 'up' }. */
  readonly subnets: Readonly<Record<string, 'up' | 'down'>>;
  /** Whether the machine itself is up (also true for a halted member; false for a crashed one). */
  readonly machine: 'up' | 'down';
}

/** Why a package is being halted; decides what follows the halt script. */
export type HaltGoal = 'user' | 'failure' | 'member-halt' | 'cluster-halt' | 'failback';

/** The control script that runs for a package now, and what follows it. */
export type PendingScript =
  | {
      readonly script: 'start';
      /** Whether sg/service is among the started modules (always, except for cmrunpkg -m and -e). */
      readonly withServices: boolean;
      /** Services that exited before the start script finished; judged after it. */
      readonly died: readonly string[];
      /** A halt that was requested meanwhile. */
      readonly nextHalt: HaltGoal | null;
    }
  | {
      readonly script: 'halt';
      readonly goal: HaltGoal;
      /** An aborted halt (exit 3) counts as halted this time: cmhaltpkg -f, cmhaltnode -f. */
      readonly force: boolean;
    };

/** A command with a pending reply: its control scripts are still running. */
export interface Operation {
  readonly request: string;
  readonly command: 'cmrunpkg' | 'cmhaltpkg' | 'cmhaltnode' | 'cmhaltcl';
  /** Packages whose script is still running. */
  readonly waiting: readonly PackageName[];
  /** cmhaltnode: members that leave the cluster when nothing is pending. */
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
  /** Global switching, shown as AUTO_RUN. */
  readonly autoRun: boolean;
  readonly nodeSwitch: Readonly<Record<MemberName, boolean>>;
  readonly services: readonly ServiceState[];
  /** Maintenance mode on this member; `partial`: not all modules were started (cmrunpkg -m, -e). */
  readonly maintenance: { readonly on: boolean; readonly member: MemberName | null; readonly partial: boolean };
  readonly lastHaltFailed: boolean;
  /** null: no control script runs. */
  readonly pending: PendingScript | null;
  /** Configuration order number, for stable listing. */
  readonly id: number;
}

export interface LabOptions {
  /** serviceguard.md 6.4 CONFLICT: does a script timeout also disable the member? Default false (newest manual's table). */
  readonly timeoutDisablesMember: boolean;
  /** serviceguard.md 5.3 INFERRED: AUTO_RUN of a package added while the cluster runs. Default false (disabled). */
  readonly onlineAddEnablesAutoRun: boolean;
  /** serviceguard.md 6.2 INFERRED: a member that rejoins after a reset gets its switch back. Default true. */
  readonly rejoinEnablesMember: boolean;
}

export interface ClusterState {
  readonly name: string;
  readonly running: boolean;
  readonly memberOrder: readonly MemberName[];
  readonly members: Readonly<Record<MemberName, MemberState>>;
  /** Machines with Serviceguard outside the cluster; their state is kept, so that they can be added. */
  readonly spares: Readonly<Record<MemberName, MemberState>>;
  readonly packages: Readonly<Record<PackageName, PackageState>>;
  readonly options: LabOptions;
  readonly operations: readonly Operation[];
}

/** Result of a control script (the emulated master control script with everything it calls). */
export type ScriptEnd = { readonly kind: 'exit'; readonly code: 0 | 1 | 2 | 3 } | { readonly kind: 'timeout' };

/** `request` identifies the waiting command; effects of kind 'reply' carry it back. */
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
      /** -m: run modules up to and including this one; -e: all except. Only in maintenance mode. */
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
  /** A checked configuration takes effect; the daemon has done the part of cmcheckconf before. */
  | {
      readonly kind: 'configuration-applied';
      readonly request: string;
      readonly packages: readonly PackageFile[];
      /** All members from now on; absent: unchanged. */
      readonly members?: readonly MemberName[];
    }
  | { readonly kind: 'package-deleted'; readonly request: string; readonly package: PackageName }
  // Results of effects.
  | { readonly kind: 'start-ended'; readonly package: PackageName; readonly member: MemberName; readonly end: ScriptEnd }
  | { readonly kind: 'halt-ended'; readonly package: PackageName; readonly member: MemberName; readonly end: ScriptEnd }
  /** A control script started a service (cmrunserv): a legacy package sets its restarts there, not in the configuration. */
  | {
      readonly kind: 'service-run';
      readonly package: PackageName;
      readonly member: MemberName;
      readonly service: string;
      readonly restarts: number | 'unlimited';
    }
  | { readonly kind: 'service-died'; readonly package: PackageName; readonly member: MemberName; readonly service: string }
  | { readonly kind: 'member-crashed'; readonly member: MemberName }
  /** MEMBER_TIMEOUT after a crash: the others have re-formed and may start the lost packages. */
  | { readonly kind: 'cluster-reformed'; readonly lost: readonly MemberName[] }
  /** The machine is up again; AUTOSTART decides whether its Serviceguard joins (default: yes in the lab). */
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
  /** Restarts one service in place; the rest of the package stays unchanged. */
  | {
      readonly kind: 'restart-service';
      readonly package: PackageName;
      readonly member: MemberName;
      readonly service: string;
      readonly restarts: number;
    }
  /** Kills the running control script and services of the package on the member (after a timeout). */
  | { readonly kind: 'kill-services'; readonly package: PackageName; readonly member: MemberName }
  /** Fail fast: resets the member's machine. */
  | { readonly kind: 'reset-member'; readonly member: MemberName; readonly why: string }
  | {
      readonly kind: 'reply';
      readonly request: string;
      readonly exitCode: 0 | 1;
      readonly lines: readonly string[];
      readonly errorLines: readonly string[];
    }
  /** A line for the cluster's syslog and the timeline. */
  | { readonly kind: 'log'; readonly member: MemberName | null; readonly package: PackageName | null; readonly text: string };

export interface Transition {
  readonly state: ClusterState;
  readonly effects: readonly Effect[];
}
