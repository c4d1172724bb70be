/** Programs match on codes, so none changes its meaning. Findings of member scripts: member/failures.ts. */
import { alertCodes } from './alert-codes.ts';
import { changeCodes } from './change-codes.ts';
import { checkCodes } from './check-codes.ts';
import { clusterCodes } from './cluster-codes.ts';
import { hereCodes } from './here-codes.ts';
import { packageCodes } from './package-codes.ts';
import { settingsCodes } from './settings-codes.ts';
import { stageCodes } from './stage-codes.ts';
import { templateCodes } from './template-codes.ts';

export const problemCodes = {
  ...settingsCodes,
  ...templateCodes,
  ...packageCodes,
  ...hereCodes,
  ...clusterCodes,
  ...changeCodes,
  ...stageCodes,
  ...checkCodes,
  ...alertCodes,
};

export type ProblemCode = keyof typeof problemCodes;

export const isProblemCode = (text: string): text is ProblemCode => Object.hasOwn(problemCodes, text);

/** `CodeBehind<'check-'>`: the names of the checks. */
export type CodeBehind<Beginning extends string> = ProblemCode extends infer Code
  ? Code extends `${Beginning}${infer Rest}`
    ? Rest
    : never
  : never;
