/**
 * What the scripts of a package have to do when Serviceguard calls them, as a table: where a member is, what was done to it,
 * which call comes, what has to be true behind it. Exit statuses by consequence: a start ends with 1 when no other member can
 * cure it and with 2 when one can; a halt fails only while the policy file system is held [serviceguard.md 3.3]. Data only;
 * shell texts run in the sandbox, with the words of inside.ts and the variables of sandbox.ts.
 */
import type { Case, Expectation } from './case-model.ts';
import { halts, validations } from './halt-cases.ts';
import { interruptions, lives, monitors } from './monitor-cases.ts';
import { dry, starts } from './start-cases.ts';

export const cases: readonly Case[] = [...lives, ...starts, ...dry, ...halts, ...validations, ...monitors, ...interruptions];

/** The name under which an expectation is reported and chosen. */
export function assertionName(one: Case, expectation: Expectation): string {
  return `${one.name}: ${expectation.says}`;
}
