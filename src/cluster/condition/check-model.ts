/** What csync check knows of a member, and what a check may find. */

import type { Problem } from '../../base/problem.ts';
import type { CodeBehind } from '../../base/problem-codes.ts';
import type { Definition } from '../../engine/engine.ts';
import type { NoAnswer } from '../../host/admin/member-shell.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Clock } from '../remote/answers.ts';
import type { Client, Reach } from './clients.ts';

/** What a member said of itself: for each word the rests of its lines, in order. */
export type MemberFacts = ReadonlyMap<string, readonly string[]>;

export interface CheckedMember {
  readonly member: string;
  /** null: cannot be looked at. */
  readonly facts: MemberFacts | null;
  /** What to say where it cannot be looked at. */
  readonly noAnswer: NoAnswer;
  readonly clock: Clock;
  /** How other members and the clients are reached from there. */
  readonly reach: readonly Reach[];
}

export interface CheckInput {
  readonly settings: Settings;
  readonly members: readonly CheckedMember[];
  /** The other packages of the cluster. */
  readonly others: readonly Definition[];
  /** Why others are not known; empty: all of them are. */
  readonly unreadOthers: readonly string[];
  /** The member the package runs on: mount and address are right there. */
  readonly owner: string | null;
  /** Those whose way was looked at; null: no member can tell who they are. */
  readonly clients: readonly Client[] | null;
}

export interface Looked extends CheckedMember {
  readonly facts: MemberFacts;
}

/** Why something could not be looked at on a member. */
interface LeftOut {
  readonly leftOut: string;
}

export type Findings = readonly (Problem | LeftOut)[];

export const first = (facts: MemberFacts, word: string): string | undefined => facts.get(word)?.[0];

export const words = (text: string | undefined): string[] => (text ?? '').split(/\s+/).filter((word) => word !== '');

export function problem(
  severity: Problem['severity'],
  name: CodeBehind<'check-'>,
  member: string,
  text: string,
  remedy: string,
): Problem {
  return { code: `check-${name}`, severity, text, remedy, member };
}
