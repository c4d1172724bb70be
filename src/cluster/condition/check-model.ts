/** Input and findings of csync check. */

import type { CodeBehind } from '../../base/codes/problem-codes.ts';
import type { Problem } from '../../base/problem.ts';
import type { Definition } from '../../engine/engine.ts';
import type { NoAnswer } from '../../host/admin/no-answer.ts';
import type { Settings } from '../../settings/settings.ts';
import type { ToolkitBuild } from '../apply/toolkit.ts';
import type { Clock } from '../remote/answers.ts';
import type { Client, Reach } from './clients.ts';

/** A member's report: for each word the rest of its lines, in order. */
export type MemberFacts = ReadonlyMap<string, readonly string[]>;

export interface CheckedMember {
  readonly member: string;
  /** null: the member cannot be checked. */
  readonly facts: MemberFacts | null;
  /** The message for a member that cannot be checked. */
  readonly noAnswer: NoAnswer;
  readonly clock: Clock;
  /** How this member reaches other members and the clients. */
  readonly reach: readonly Reach[];
  /** Why that could not be tried. */
  readonly noReach?: string;
}

export interface CheckInput {
  readonly settings: Settings;
  readonly members: readonly CheckedMember[];
  /** The csync that checks. */
  readonly toolkit: ToolkitBuild;
  /** Names as the cluster shows them. Empty: unknown. */
  readonly clusterMembers: readonly string[];
  /** The other packages of the cluster. */
  readonly others: readonly Definition[];
  /** Why some definitions are unknown; empty: all are known. */
  readonly unreadOthers: readonly string[];
  /** What the engine says about the protection of the file system. */
  readonly hazards?: readonly Problem[];
  /** The active member: mount and address are correct there. */
  readonly owner: string | null;
  /** Clients whose path was checked. null: no member knows the clients. */
  readonly clients: readonly Client[] | null;
  readonly now: Date;
}

export interface Looked extends CheckedMember {
  readonly facts: MemberFacts;
}

/** Why a check was skipped on a member. */
interface LeftOut {
  readonly leftOut: string;
}

export type Findings = readonly (Problem | LeftOut)[];

export const first = (facts: MemberFacts, word: string): string | undefined => facts.get(word)?.[0];

export function problem(
  severity: Problem['severity'],
  name: CodeBehind<'check-'>,
  member: string,
  text: string,
  remedy: string,
): Problem {
  return { code: `check-${name}`, severity, text, remedy, member };
}
