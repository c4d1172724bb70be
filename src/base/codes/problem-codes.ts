/**
 * Every code of a problem. Programs match on a code, so none changes its meaning. The findings of the member scripts have a table of their own
 * (member/failures.ts).
 */
import { changeCodes } from './change-codes.ts';
import { checkCodes } from './check-codes.ts';
import { clusterCodes } from './cluster-codes.ts';
import { hereCodes } from './here-codes.ts';
import { packageCodes } from './package-codes.ts';
import { settingsCodes } from './settings-codes.ts';
import { templateCodes } from './template-codes.ts';

export const problemCodes = {
  ...settingsCodes,
  ...templateCodes,
  ...packageCodes,
  ...hereCodes,
  ...clusterCodes,
  ...changeCodes,
  ...checkCodes,
};

export type ProblemCode = keyof typeof problemCodes;

export const isProblemCode = (text: string): text is ProblemCode => Object.hasOwn(problemCodes, text);

/** What stands behind a common beginning: `CodeBehind<'check-'>` are the names of the checks. */
export type CodeBehind<Beginning extends string> = ProblemCode extends infer Code
  ? Code extends `${Beginning}${infer Rest}`
    ? Rest
    : never
  : never;
