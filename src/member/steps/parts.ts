import type { LogMessage } from '../../base/log-line.ts';
import { message } from '../messages.ts';

/** legacy: the whole package; main, pre: scripts of a modular one; daemon: background part of a halt. */
export type Role = 'main' | 'pre' | 'legacy' | 'daemon';

export type ScriptName = 'start' | 'halt' | 'validate';

interface Part {
  readonly part: string;
  readonly purpose: string;
  readonly next: string;
}

const startPart: Part = {
  part: 'Start, part 2 of 2',
  purpose: 'check storage and address, then make this member the master',
  next: 'Serviceguard starts the monitor',
};
const haltPart: Part = {
  part: 'Halt, part 1 of 2',
  purpose: 'the daemon closes its files of the policy file system',
  next: 'Serviceguard removes the package address, unmounts and deactivates the volume group',
};
const elsewhere = 'the package can start on another member';
const validatePart: Part = {
  part: 'Validation',
  purpose: 'everything that would prevent a start on this member',
  next: 'nothing prevents a start on this member',
};

export const parts: Readonly<Record<ScriptName, Readonly<Record<Role, Part>>>> = {
  start: {
    pre: {
      part: 'Start, part 1 of 2',
      purpose: 'check this member before Serviceguard activates the storage',
      next: 'Serviceguard activates the volume group, mounts the policy file system and adds the package address',
    },
    main: startPart,
    daemon: startPart,
    legacy: { part: 'Start', purpose: 'storage, address, daemon and monitor', next: 'the package runs on this member' },
  },
  halt: {
    main: haltPart,
    pre: {
      part: 'Halt, part 2 of 2',
      purpose: 'check that the policy file system is unmounted; the daemon runs on as a client',
      next: elsewhere,
    },
    legacy: { part: 'Halt', purpose: 'monitor, daemon, address and storage', next: elsewhere },
    daemon: { part: 'After the halt', purpose: 'start the daemon of this member', next: 'the daemon serves this member' },
  },
  validate: { main: validatePart, pre: validatePart, legacy: validatePart, daemon: validatePart },
};

const whatFollows: Readonly<Record<ScriptName, (exit: number) => string>> = {
  start: (exit) => (exit === 2 ? 'Serviceguard tries another member' : 'no other member can start the package either'),
  halt: () => 'this member still holds the policy file system, and the package starts nowhere else',
  validate: () => 'the package cannot start on this member',
};

export function firstLine(script: ScriptName, role: Role): LogMessage {
  const { part, purpose } = parts[script][role];
  return message('script-begin', { part, purpose, role });
}

export function lastLine(
  script: ScriptName,
  role: Role,
  { exit, ms, dryRun }: { readonly exit: number; readonly ms: number; readonly dryRun: boolean },
): LogMessage {
  const { part, next } = parts[script][role];
  const figures = { part, role, exit, ms };
  if (exit !== 0) return message('script-failed', { ...figures, next: whatFollows[script](exit) });
  return dryRun ? message('dry-run-complete', figures) : message('script-complete', { ...figures, next });
}
