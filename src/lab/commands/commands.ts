/** Reads the argv of an emulated command. Refuses options that the lab does not imitate. Pure. */

import type { LabEvent, MemberName } from '../manager/model.ts';
import { type CommandName, type CommandRequest, rows } from './command-table.ts';
import { readOptions } from './options.ts';

/** Printed to stderr; the command exits with 1. */
export type ParsedCommand =
  | { readonly ok: true; readonly request: CommandRequest }
  | { readonly ok: false; readonly errorLines: readonly string[] };

export const commandNames = Object.keys(rows) as CommandName[];

function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(rows, name);
}

/** argv without the program name. Never throws. */
export function parseCommand(name: string, argv: readonly string[]): ParsedCommand {
  if (!isCommandName(name)) return { ok: false, errorLines: [`${name}: not imitated by the lab`] };
  const row = rows[name];
  const read = readOptions(name, row, argv);
  if ('refusal' in read) return { ok: false, errorLines: read.refusal };
  const request = row.read(read.options);
  if (typeof request !== 'string') return { ok: true, request };
  return { ok: false, errorLines: [`${name}: ${request}`, `Usage: ${name} ${row.usage}`] };
}

type RequestEvent = Extract<LabEvent, { request: string }>;
export type CommandEvent = RequestEvent extends infer E ? (E extends RequestEvent ? Omit<E, 'request'> : never) : never;

/** null: not for the package manager (views, files, services, addresses). `issuedOn`: the default member [MAN]. */
export function eventOf(request: CommandRequest, issuedOn: MemberName): CommandEvent | null {
  switch (request.command) {
    case 'cmruncl':
      return { kind: 'cluster-run', members: request.members };
    case 'cmhaltcl':
      return { kind: 'cluster-halt', force: request.force };
    case 'cmrunnode':
      return { kind: 'member-run', members: orHere(request.members, issuedOn) };
    case 'cmhaltnode':
      return { kind: 'member-halt', members: orHere(request.members, issuedOn), force: request.force };
    case 'cmhaltpkg':
      return { kind: 'package-halt', packages: request.packages, members: request.members, force: request.force };
    case 'cmrunpkg': {
      const { packages, members, anyMember, upToModule, exceptModule } = request;
      const modules = { ...(upToModule === null ? {} : { upToModule }), ...(exceptModule === null ? {} : { exceptModule }) };
      return { kind: 'package-run', packages, members, issuedOn, anyMember, ...modules };
    }
    case 'cmmodpkg': {
      const { packages } = request;
      if (request.change === 'reset-restarts') return { kind: 'service-reset', packages, service: request.service };
      const { change, members } = request;
      if (change === 'enable' || change === 'disable')
        return { kind: 'package-switch', packages, enable: change === 'enable', members };
      return { kind: 'package-maintenance', packages, on: change === 'maintenance-on', members };
    }
    default:
      return null;
  }
}

function orHere(members: readonly MemberName[], issuedOn: MemberName): readonly MemberName[] {
  return members.length === 0 ? [issuedOn] : members;
}
