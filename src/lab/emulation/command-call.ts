/** A call of an emulated command: its member, its streams, and the roles it requires. */

import type { PackageFile } from '../../serviceguard/package-file.ts';
import type { CommandName, CommandRequest } from '../commands/command-table.ts';

export interface Call {
  readonly member: string;
  /** Working directory of the command. */
  readonly directory: string;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** null without a terminal. */
  readonly ask: (question: string) => Promise<string | null>;
  /** Work after the answer. */
  readonly later: (work: () => Promise<void>) => void;
}

/** Input of cmapplyconf for the package manager. */
export interface Configuration {
  readonly packages: readonly PackageFile[];
  readonly members: readonly string[];
}

/** The monitor role may view. Changes require another role, configurations require root [serviceguard.md 5]. */
export function mayMonitor(request: CommandRequest): boolean {
  const { command } = request;
  return command === 'cmviewcl' || command === 'cmversion' || (command === 'cmmakepkg' && request.outputFile === null);
}

/** Commands that work on a machine outside the cluster. */
export const withoutCluster: readonly CommandName[] = ['cmversion', 'cmmakepkg'];
