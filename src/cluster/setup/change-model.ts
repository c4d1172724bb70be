import { Failure, type Problem } from '../../base/problem.ts';
import type { CfengineAdapter } from '../../cfengine/adapter.ts';
import type { KeyPair } from '../../cfengine/keys.ts';
import type { RenderedFile } from '../../contract/package-directory.ts';
import type { Roster } from '../../contract/roster.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import type { Settings } from '../../settings/settings.ts';
import type { PolicyContent } from '../hosts/host-look.ts';
import type { Materials } from '../hosts/host-setup.ts';
import type { ClientChange, ClientKeys } from './client-change.ts';
import type { LookPlace, SetupView } from './look.ts';
import type { MembershipPlan, MemberWish, planMembership } from './membership.ts';

/** Everything that the request does not name stays. */
export interface SetupRequest {
  readonly members: MemberWish;
  readonly clients: ClientChange;
  readonly keys: Omit<ClientKeys, 'made'>;
  /** One after the other, each only when every host has the previous one. Absent: one roster. */
  readonly rounds?: (roster: Roster, view: SetupView, excluded: ReadonlySet<string>) => Promise<RoundsOfKeys>;
  /** Also if clients failed in the previous one. */
  readonly withoutFailedClients?: boolean;
  /** If there is nothing to do. */
  readonly nothing: string;
}

export interface RoundsOfKeys {
  readonly rosters: readonly Roster[];
  readonly pairs: ReadonlyMap<string, KeyPair>;
  /** Why no further round is possible now. */
  readonly waits: readonly { readonly host: string; readonly why: string; readonly remedy: string }[];
}

export interface SetupPlace extends LookPlace {
  readonly settings: Settings;
  readonly adapter: CfengineAdapter;
  readonly bootScript: Materials['bootScript'];
  /** The policy for a roster, compared with the master's. */
  readonly policyFor: (roster: Roster, view: SetupView) => Parameters<typeof planMembership>[0]['policy'];
  /** For settings from a file of the administrator. */
  readonly onMembers: (members: readonly string[], dryRun: boolean) => readonly string[];
  readonly runRemotely: (shell: MemberShell, member: string, hosts: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** From the shipped templates. */
  readonly renderHere: (settings: Settings) => Promise<readonly RenderedFile[]>;
  readonly user: string;
  /** On its own connections, also after an interruption. */
  readonly afterwards: (work: (shell: MemberShell) => Promise<void>) => Promise<void>;
}

export const quickLimitMs = 20_000;

export interface Round {
  readonly roster: Roster;
  readonly plan: MembershipPlan;
  readonly inputs: ReadonlyMap<string, PolicyContent>;
  readonly view: SetupView;
}

export function demandAll<T>(checked: { ok: true; value: T } | { ok: false; problems: readonly Problem[] }): T {
  if (checked.ok) return checked.value;
  throw new Failure(checked.problems);
}
