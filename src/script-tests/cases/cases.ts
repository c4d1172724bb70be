/**
 * What the scripts of a package must do when Serviceguard calls them, as a table: state of the member, changes, call, expectations. A start
 * exits with 1 if no other member can correct the cause, and with 2 if one can. A halt fails only while the policy file system is held
 * [serviceguard.md 3.3]. Data only; shell texts run in the sandbox, with the functions of inside.ts and the variables of sandbox.ts.
 */
import type { Case, Expectation } from './case-model.ts';
import { halts, validations } from './halt-cases.ts';
import { interruptions, lives, monitors } from './monitor-cases.ts';
import { dry, starts } from './start-cases.ts';

export const cases: readonly Case[] = [...lives, ...starts, ...dry, ...halts, ...validations, ...monitors, ...interruptions];

/** The name of an expectation in reports and patterns. */
export function assertionName(one: Case, expectation: Expectation): string {
  return `${one.name}: ${expectation.says}`;
}
