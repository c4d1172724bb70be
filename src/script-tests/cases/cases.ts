/**
 * What scripts must do when Serviceguard calls them. A start exits with 1 if no other member can help, else 2. A halt fails only while the
 * policy file system is held [serviceguard.md 3.3]. Shell texts have the functions of inside.ts and variables of sandbox.ts.
 */
import type { Case, Expectation } from './case-model.ts';
import { halts, validations } from './halt-cases.ts';
import { interruptions, lives, monitors } from './monitor-cases.ts';
import { dry, starts } from './start-cases.ts';

export const cases: readonly Case[] = [...lives, ...starts, ...dry, ...halts, ...validations, ...monitors, ...interruptions];

export function assertionName(one: Case, expectation: Expectation): string {
  return `${one.name}: ${expectation.says}`;
}
