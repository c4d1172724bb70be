import { exitCodes } from '../base/problem.ts';
import { out } from '../host/output.ts';

/** Returns the status of success. */
export const print = async (text: string | Promise<string>): Promise<number> => {
  out(await text);
  return exitCodes.ok;
};

export const settingsOption = { type: 'string', default: 'csync.yaml', describe: 'settings file' } as const;
export const foundSettings = {
  type: 'string',
  describe: 'settings file; default: csync.yaml here, else the applied settings of this member',
} as const;
export const jsonOption = { type: 'boolean', default: false, describe: 'print the result as JSON' } as const;
/** Nagios' statuses replace those of the verb. */
export const nagiosOption = {
  type: 'boolean',
  default: false,
  describe: 'print one line for Nagios or Icinga; exit status 0 OK, 1 warning, 2 critical, 3 unknown',
} as const;
export const templatesOption = { type: 'string', describe: 'directory with your own templates' } as const;
export const baseOption = {
  type: 'string',
  describe:
    'Serviceguard: file with the output of cmmakepkg, over which the package is laid; default: runs cmmakepkg where it is installed',
} as const;
export const waitOption = {
  type: 'number',
  describe: 'seconds to wait until another change of the cluster ends (default 60; 0: do not wait)',
} as const;
export const automaticOption = {
  type: 'boolean',
  default: false,
  describe: 'for timers: waits longer for other changes, and yields to a verb that a person types',
} as const;
export const dryRunOption = { type: 'boolean', default: false, describe: 'print the steps, change nothing' } as const;
export const yesOption = { type: 'boolean', alias: 'y', default: false, describe: 'do not ask for confirmation' } as const;

export const sources = { settings: settingsOption, templates: templatesOption, base: baseOption, json: jsonOption } as const;
/** Without defaults: yargs takes a default for use, and they would be in conflict. */
export const handEdits = {
  rendered: { type: 'boolean', describe: 'overwrite files that were edited by hand' },
  mine: { type: 'boolean', describe: 'keep files that were edited by hand as part of the package' },
} as const;

/** Loaded when needed. */
export const documents = () => import('../verbs/outputs/outputs.ts');
