/** A change of the hosts that are set up: what is wanted, what it needs from its verb, and the rounds it is made of. */

import { Failure, type Problem } from '../../base/problem.ts';
import type { CfengineAdapter } from '../../cfengine/adapter.ts';
import type { KeyPair } from '../../cfengine/keys.ts';
import type { RenderedFile } from '../../contract/package-directory.ts';
import type { Roster } from '../../contract/roster.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Materials } from '../hosts/host-setup.ts';
import type { ClientChange, ClientKeys } from './client-change.ts';
import type { LookPlace, SetupView } from './look.ts';
import type { MembershipPlan, MemberWish, planMembership } from './membership.ts';

/** What a verb wants; everything else stays as it is. */
export interface SetupRequest {
  readonly members: MemberWish;
  readonly clients: ClientChange;
  readonly keys: Omit<ClientKeys, 'made'>;
  /** Rosters to be reached one after the other, each only when every host has the one before; without it, the one that follows. */
  readonly rounds?: (roster: Roster, view: SetupView, excluded: ReadonlySet<string>) => Promise<RoundsOfKeys>;
  /** Rounds go on although clients failed in the one before. */
  readonly withoutFailedClients?: boolean;
  /** What to say when nothing is to be done. */
  readonly nothing: string;
}

export interface RoundsOfKeys {
  readonly rosters: readonly Roster[];
  /** Pairs that are new with them, by digest. */
  readonly pairs: ReadonlyMap<string, KeyPair>;
  /** Why there are no more rounds now. */
  readonly waits: readonly { readonly host: string; readonly why: string; readonly remedy: string }[];
}

/** The cluster a verb works on. */
export interface SetupPlace extends LookPlace {
  readonly settings: Settings;
  readonly adapter: CfengineAdapter;
  readonly bootScript: Materials['bootScript'];
  /** The policy for a roster, against what the master has. */
  readonly policyFor: (roster: Roster, view: SetupView) => Parameters<typeof planMembership>[0]['policy'];
  /** Notes and effects where the settings came from a file of the administrator's. */
  readonly onMembers: (members: readonly string[], dryRun: boolean) => readonly string[];
  readonly runRemotely: (shell: MemberShell, member: string, hosts: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** The package as it is rendered here from settings and the shipped templates. */
  readonly renderHere: (settings: Settings) => Promise<readonly RenderedFile[]>;
  /** Who changes it, for the roster and the history. */
  readonly user: string;
  /** Runs what must be done also when the work was interrupted, with connections of its own. */
  readonly afterwards: (work: (shell: MemberShell) => Promise<void>) => Promise<void>;
}

export const quickLimitMs = 20_000;

export interface Round {
  readonly roster: Roster;
  readonly plan: MembershipPlan;
  readonly inputs: ReadonlyMap<string, string>;
  readonly view: SetupView;
}

/** A Failure with the problems of what cannot even be planned. */
export function demandAll<T>(checked: { ok: true; value: T } | { ok: false; problems: readonly Problem[] }): T {
  if (checked.ok) return checked.value;
  throw new Failure(checked.problems);
}
