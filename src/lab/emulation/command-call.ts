/** A call of an emulated command: from where, with which streams; and who may do what. */

import type { PackageFile } from '../../serviceguard/package-file.ts';
import type { CommandName, CommandRequest } from '../commands/command-request.ts';

export interface Call {
  readonly member: string;
  /** Working directory of the command. */
  readonly directory: string;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** null without a terminal. */
  readonly ask: (question: string) => Promise<string | null>;
  /** Work for after the answer. */
  readonly later: (work: () => Promise<void>) => void;
}

/** What cmapplyconf gives the package manager. */
export interface Configuration {
  readonly packages: readonly PackageFile[];
  readonly members: readonly string[];
}

/** The monitor role is to view; changes take another role, configurations take root [serviceguard.md 5]. */
export function mayMonitor(request: CommandRequest): boolean {
  const { command } = request;
  return command === 'cmviewcl' || command === 'cmversion' || (command === 'cmmakepkg' && request.outputFile === null);
}

/** What a machine that is in no cluster can be asked. */
export const withoutCluster: readonly CommandName[] = ['cmversion', 'cmmakepkg'];
