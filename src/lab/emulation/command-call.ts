import type { PackageFile } from '../../serviceguard/package-file.ts';
import type { CommandName, CommandRequest } from '../commands/command-table.ts';

export interface Call {
  readonly member: string;
  readonly directory: string;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** null: no terminal. */
  readonly ask: (question: string) => Promise<string | null>;
  readonly later: (work: () => Promise<void>) => void;
}

export interface Configuration {
  readonly packages: readonly PackageFile[];
  readonly members: readonly string[];
}

/** The monitor role views. Other roles change, root configures [serviceguard.md 5]. */
export function mayMonitor(request: CommandRequest): boolean {
  const { command } = request;
  return command === 'cmviewcl' || command === 'cmversion' || (command === 'cmmakepkg' && request.outputFile === null);
}

export const withoutCluster: readonly CommandName[] = ['cmversion', 'cmmakepkg'];
