/** `csync member | members | dispatcher`. */

import { type ExitCode, exitCodes, failure } from '../../base/problem.ts';
import { columns } from '../../base/tables.ts';
import { observe } from '../../cluster/remote/observation.ts';
import type { SetupRequest } from '../../cluster/setup/change-model.ts';
import { lookAtSetup, type SetupView } from '../../cluster/setup/look.ts';
import { rotationText } from '../../cluster/setup/rotation.ts';
import { out } from '../../host/output.ts';
import { changingMembers, onMembers } from '../common/connections.ts';
import { pause } from '../common/interruptible.ts';
import { findSettings } from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';
import { changeSetup, type SetupOptions } from './setup.ts';
import { setupPlace } from './setup-place.ts';

export const listDocument = shape.document({
  members: shape.many(
    shape.object({
      name: shape.text,
      addresses: shape.texts,
      setUp: shape.yesNo,
      inCluster: shape.nullable(shape.yesNo),
      leftOut: shape.yesNo,
      runsPackage: shape.yesNo,
      key: shape.maybe,
      waiting: shape.pending,
    }),
  ),
  rotation: shape.maybe,
});

export interface PlaceOptions {
  readonly settings?: string | undefined;
  readonly templates?: string | undefined;
}

export type ChangeOptions = PlaceOptions & SetupOptions;

export const nobody: Omit<SetupRequest, 'nothing'> = {
  members: { add: [], remove: [] },
  clients: { setUp: [], fetch: false, remove: [] },
  keys: { acceptNew: false, cluster: null },
};

/** Takes the cluster's lock. */
export function change(
  verb: string,
  options: ChangeOptions,
  request: Parameters<typeof changeSetup>[3],
): Promise<ExitCode | number> {
  const place = setupPlace(findSettings(options.settings), options.templates);
  return changingMembers({ verb, ...options }, place.settings, (shell) => changeSetup(shell, place, verb, request, options));
}

/** Reads only. */
export function look(options: PlaceOptions, show: (view: SetupView) => ExitCode): Promise<ExitCode | number> {
  const place = setupPlace(findSettings(options.settings), options.templates);
  return onMembers(place.settings, 'keeping connections', async (shell) => show(await lookAtSetup(shell, place)));
}

/** Applies changes of the cluster's membership, and completes pending work. */
export async function membersSync(options: ChangeOptions & { readonly untilRunning?: number }): Promise<ExitCode | number> {
  const { untilRunning = 0 } = options;
  if (untilRunning > 0) await packageRuns(options, untilRunning);
  return change('members sync', options, ({ roster }) => {
    const setUp = roster.waiting.filter(({ what }) => what === 'client').map(({ host }) => host);
    const nothing = 'Every member is set up, and no work is pending.';
    return { ...nobody, clients: { setUp, fetch: true, remove: [] }, nothing };
  });
}

const lookEveryMs = 1000;

/** Up to a limit; the caller continues either way. */
async function packageRuns(options: PlaceOptions, seconds: number): Promise<void> {
  const { settings } = findSettings(options.settings);
  const end = performance.now() + seconds * 1000;
  await onMembers(settings, 'keeping connections', async (shell, stop) => {
    for (;;) {
      const { status } = await observe(shell, { ...settings, members: [shell.here] });
      if (status?.state === 'running' || performance.now() > end) return exitCodes.ok;
      await pause(lookEveryMs, stop);
    }
  });
}

export function memberAdd(options: ChangeOptions & { readonly host: string }): Promise<ExitCode | number> {
  const { host } = options;
  const nothing = `${host} is already set up as a member.`;
  return change('member add', options, () => ({ ...nobody, members: { add: [host], remove: [] }, nothing }));
}

export function memberRemove(options: ChangeOptions & { readonly host: string }): Promise<ExitCode | number> {
  const { host } = options;
  const nothing = `${host} is not a member.`;
  return change('member remove', options, () => ({ ...nobody, members: { add: [], remove: [host] }, nothing }));
}

/**
 * DSAU's entry point with its arguments: an event, a colon, a blank and the unqualified host name [dsau-csync.md 6.1]. MEMBER_DELETED is
 * ours; HP's name is unknown. Does not remove a host that still belongs to the cluster.
 */
export function dispatcher(
  options: Omit<ChangeOptions, 'yes' | 'automatic'> & { readonly event: string; readonly host: string },
): Promise<ExitCode | number> {
  const { event, host } = options;
  const given = { ...options, yes: true, automatic: true };
  if (event === 'MEMBER_ADDED:') return memberAdd({ ...given, host });
  if (event === 'MEMBER_DELETED:') return membersSync(given);
  const text = `${JSON.stringify(event)} is not a known event`;
  const remedy = 'csync_dispatcher MEMBER_ADDED: HOST   or   csync_dispatcher MEMBER_DELETED: HOST';
  throw failure('usage', text, remedy);
}

/** Set up, in the cluster, pending work. */
export function membersList(options: PlaceOptions & { readonly json: boolean }): Promise<ExitCode | number> {
  return look(options, (view) => {
    const { roster, clusterMembers, owner, hosts } = view;
    const names = [...new Set([...roster.members.map(({ name }) => name), ...(clusterMembers ?? [])])];
    const members = names.map((name) => ({
      name,
      addresses: roster.members.find((one) => one.name === name)?.addresses ?? [],
      setUp: roster.members.some((one) => one.name === name),
      inCluster: clusterMembers === null ? null : clusterMembers.includes(name),
      leftOut: roster.leftOut.includes(name),
      runsPackage: owner === name,
      key: hosts.get(name)?.facts?.own?.digest ?? null,
      waiting: roster.waiting.filter(({ host }) => host === name).map(({ why, since }) => ({ why, since })),
    }));
    const rotation = rotationText(roster);
    if (options.json) printJson<typeof listDocument>({ members, rotation });
    else {
      const rows = members.map(({ name, addresses, setUp, inCluster, leftOut, runsPackage, waiting }) => [
        name,
        addresses.join(' ') || '-',
        setUp ? 'set up' : leftOut ? 'removed' : 'not set up',
        inCluster === null ? 'unknown' : inCluster ? 'in the cluster' : 'not in the cluster',
        runsPackage ? 'runs the package' : '',
        waiting.map(({ why }) => `pending: ${why}`).join('; '),
      ]);
      out(`${columns([['member', 'addresses', 'state', 'cluster', '', ''], ...rows]).join('\n')}\n`);
      if (rotation !== null) out(`Keys: ${rotation}.\n`);
    }
    return exitCodes.ok;
  });
}
