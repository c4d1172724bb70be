/** `csync client add | remove | list | sync`: the hosts that fetch their policy from the master. */

import { type ExitCode, errorProblem, exitCodes, Failure, failure, type Problem } from '../../base/problem.ts';
import { columns } from '../../base/tables.ts';
import { commandScript } from '../../cluster/remote/shell-text.ts';
import { isHostName } from '../../contract/roster.ts';
import { engines } from '../../engine/choice/engine-for.ts';
import type { ClusterView } from '../../engine/engine.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { whyNoAnswer } from '../../host/admin/no-answer.ts';
import { readTextFile } from '../../host/admin/own-files.ts';
import { out } from '../../host/output.ts';
import { onMembers, type WaySettings } from '../common/connections.ts';
import { findSettings } from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';
import { type ChangeOptions, change, look, nobody, type PlaceOptions } from './membership.ts';

export const listDocument = shape.document({
  clients: shape.many(
    shape.object({
      name: shape.text,
      addresses: shape.texts,
      cluster: shape.maybe,
      key: shape.maybe,
      trustsCluster: shape.texts,
      waiting: shape.pending,
    }),
  ),
});

const limitMs = 60_000;

export interface ClientAddOptions extends ChangeOptions {
  readonly hosts: readonly string[];
  /** A member of another cluster, whose members all become clients. */
  readonly cluster?: string | undefined;
  /** File of names, one a line. */
  readonly from?: string | undefined;
  readonly acceptNewKey: boolean;
}

/** Keys both ways, first policy, boot start, daemon, remote runs. A rerun completes the remaining steps. */
export async function clientAdd(options: ClientAddOptions): Promise<ExitCode | number> {
  const others =
    options.cluster === undefined ? null : await otherCluster(findSettings(options.settings).settings, options.cluster);
  const hosts = [...new Set([...options.hosts, ...namesIn(options.from), ...(others?.members ?? [])])];
  if (hosts.length === 0) throw new Failure([nobodyNamed]);
  const odd = hosts.filter((host) => !isHostName(host)).map(oddName);
  if (odd.length > 0) throw new Failure(odd);
  return change('client add', options, () => ({
    ...nobody,
    clients: { setUp: hosts, fetch: true, remove: [] },
    keys: { acceptNew: options.acceptNewKey, cluster: others?.name ?? null },
    nothing: 'They are already set up as clients.',
  }));
}

const oddName = (host: string): Problem =>
  errorProblem(
    'usage-host-name',
    `${JSON.stringify(host)} is not a valid host name`,
    'use letters, digits, dots, hyphens and underscores, beginning with a letter or digit; set user and port in ~/.ssh/config',
  );

const nobodyNamed: Problem = errorProblem(
  'usage',
  'no client was named',
  'csync client add HOST ..., --from FILE with one name a line, or --cluster HOST for all members of its cluster',
);

function namesIn(file: string | undefined): string[] {
  if (file === undefined) return [];
  const text = readTextFile(file);
  if (text === null)
    throw failure('file-unreadable', `the list of clients ${file} cannot be read`, 'name a file with one client a line', {
      file,
    });
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

async function otherCluster(settings: WaySettings, host: string): Promise<{ name: string; members: string[] }> {
  if (!isHostName(host)) throw new Failure([oddName(host)]);
  const result = { name: '', members: [] as string[] };
  await onMembers(settings, 'once', async (shell) => {
    const view = await viewFrom(shell, host);
    // From another cluster: stored in the roster, and only used as a name.
    result.name = view.name !== null && isHostName(view.name) ? view.name : host;
    result.members.push(...view.members.keys());
    return exitCodes.ok;
  });
  return result;
}

/** Uses the first engine that answers there. Throws a Failure if none reports a member. */
async function viewFrom(shell: MemberShell, host: string): Promise<ClusterView> {
  const problems: Problem[] = [];
  for (const { observation, words } of engines) {
    const answer = await shell.run(host, commandScript(observation.view, null), limitMs);
    const view = observation.readView(answer.exitCode === 0 ? answer.stdout : '');
    if (view.members.size > 0) return view;
    // Another engine is not installed.
    if (problems.length > 0 && [69, 127].includes(answer.exitCode ?? 0)) continue;
    const { why, remedy } = whyNoAnswer(host, answer, limitMs);
    const text = `cannot list the members of its cluster: ${answer.exitCode === 0 ? `${words.viewer} prints none` : why}`;
    problems.push(errorProblem('cluster-unreachable', text, remedy, host));
  }
  throw new Failure(problems);
}

/** Its key is denied from now on. If it answers, its daemon is stopped and it no longer trusts the cluster. */
export function clientRemove(options: ChangeOptions & { readonly hosts: readonly string[] }): Promise<ExitCode | number> {
  const nothing = 'They are not clients.';
  return change('client remove', options, () => ({
    ...nobody,
    clients: { setUp: [], fetch: false, remove: options.hosts },
    nothing,
  }));
}

/** Checks pending clients, or `hosts`, or all, and completes their set-up. */
export function clientSync(
  options: ChangeOptions & { readonly hosts: readonly string[]; readonly all: boolean },
): Promise<ExitCode | number> {
  return change('client sync', options, ({ roster }) => {
    const waiting = roster.waiting.filter(({ what }) => what === 'client').map(({ host }) => host);
    const names = [...new Set([...roster.clients.map(({ name }) => name), ...waiting])];
    const strangers = options.hosts.filter((name) => !names.includes(name));
    if (strangers.length > 0) {
      const text = `${strangers.join(', ')}: not a client`;
      throw failure('usage-no-client', text, 'csync client list   (lists the clients)');
    }
    const setUp = options.hosts.length > 0 ? options.hosts : options.all ? names : waiting;
    return { ...nobody, clients: { setUp, fetch: true, remove: [] }, nothing: 'Every client is set up, and no work is pending.' };
  });
}

export function clientList(options: PlaceOptions & { readonly json: boolean }): Promise<ExitCode | number> {
  return look(options, ({ roster }) => {
    const keys = [roster.key, roster.nextKey].filter((key) => key !== null);
    const waitingOf = (name: string) =>
      roster.waiting.filter(({ host }) => host === name).map(({ why, since }) => ({ why, since }));
    const known = roster.clients.map(({ name, addresses, key, cluster, holds }) => ({
      name,
      addresses,
      cluster,
      key: key.digest,
      trustsCluster: keys.filter(({ digest }) => holds.includes(digest)).map(({ digest }) => digest),
      waiting: waitingOf(name),
    }));
    const unknown = roster.waiting
      .filter(({ host, what }) => what === 'client' && !roster.clients.some(({ name }) => name === host))
      .map(({ host }) => ({ name: host, addresses: [], cluster: null, key: null, trustsCluster: [], waiting: waitingOf(host) }));
    const clients = [...known, ...unknown];
    if (options.json) printJson<typeof listDocument>({ clients });
    else if (clients.length === 0)
      out(`No client is set up yet: ${roster.key === null ? 'csync members sync, then ' : ''}csync client add HOST\n`);
    else {
      const rows = clients.map(({ name, addresses, cluster, key, waiting }) => [
        name,
        addresses.join(' ') || '-',
        cluster ?? '-',
        key ?? '-',
        waiting.length === 0 ? 'set up' : waiting.map(({ why, since }) => `pending since ${since}: ${why}`).join('; '),
      ]);
      out(`${columns([['client', 'addresses', 'cluster', 'key', 'state'], ...rows]).join('\n')}\n`);
    }
    return exitCodes.ok;
  });
}
