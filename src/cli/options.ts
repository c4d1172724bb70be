/** What the groups of verbs have in common: options, and how a verb is chosen. */

import type yargs from 'yargs';
import { type ExitCode, exitCodes } from '../base/problem.ts';
import { out } from '../host/output.ts';

/**
 * Runs outside of yargs, once the arguments are parsed. What carries it out is loaded then: reading all of the toolkit takes longer than most verbs.
 */
export type Verb = () => Promise<number>;
export type Choose = (verb: Verb) => void;
export type Parser = ReturnType<typeof yargs>;

export const print = async (text: string | Promise<string>): Promise<ExitCode> => {
  out(await text);
  return exitCodes.ok;
};

export const settingsOption = { type: 'string', default: 'csync.yaml', describe: 'settings file' } as const;
export const jsonOption = { type: 'boolean', default: false, describe: 'machine-readable result' } as const;
export const templatesOption = { type: 'string', describe: "directory with the administrator's own templates" } as const;

export const baseOption = { type: 'string', describe: "a file with cmmakepkg's output to lay the package over" } as const;
export const waitOption = {
  type: 'number',
  describe: 'seconds to wait for another change of the cluster to end (default 60; 0: do not wait)',
} as const;
export const automaticOption = {
  type: 'boolean',
  default: false,
  describe: 'for timers: waits longer for others, and is waited for by what a person types',
} as const;
export const dryRunOption = { type: 'boolean', default: false, describe: 'print the steps, do none' } as const;

export const sources = { settings: settingsOption, templates: templatesOption, base: baseOption, json: jsonOption } as const;
