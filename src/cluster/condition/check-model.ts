/** Input and findings of csync check. */

import type { CodeBehind } from '../../base/codes/problem-codes.ts';
import type { Problem } from '../../base/problem.ts';
import type { Definition } from '../../engine/engine.ts';
import type { NoAnswer } from '../../host/admin/no-answer.ts';
import type { Settings } from '../../settings/settings.ts';
import type { ToolkitBuild } from '../apply/toolkit.ts';
import type { Clock } from '../remote/answers.ts';
import type { Client, Reach } from './clients.ts';

/** A member's report: the rests of its lines, in order, by their first word. */
export type MemberFacts = ReadonlyMap<string, readonly string[]>;

export interface CheckedMember {
  readonly member: string;
  /** null: cannot be checked. */
  readonly facts: MemberFacts | null;
  readonly noAnswer: NoAnswer;
  readonly clock: Clock;
  readonly reach: readonly Reach[];
  readonly noReach?: string;
}

export interface CheckInput {
  readonly settings: Settings;
  readonly members: readonly CheckedMember[];
  readonly toolkit: ToolkitBuild;
  /** As the cluster prints them; empty: unknown. */
  readonly clusterMembers: readonly string[];
  readonly others: readonly Definition[];
  readonly unreadOthers: readonly string[];
  /** Of the engine, about protection of the file system. */
  readonly hazards?: readonly Problem[];
  /** Mount and address are correct there. */
  readonly owner: string | null;
  /** With a checked path. null: no member knows them. */
  readonly clients: readonly Client[] | null;
  readonly now: Date;
}

export interface Looked extends CheckedMember {
  readonly facts: MemberFacts;
}

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
