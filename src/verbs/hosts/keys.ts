/** `csync keys list | verify | distribute | rotate`. */

import { type ExitCode, exitCodes } from '../../base/problem.ts';
import { columns } from '../../base/tables.ts';
import { generateKeyPair } from '../../cfengine/keys.ts';
import { publicDigest } from '../../cluster/hosts/host-look.ts';
import { handshakes, type Party } from '../../cluster/hosts/key-layout.ts';
import { lookAtSetup, type SetupView, withClientsSeen } from '../../cluster/setup/look.ts';
import { planRotation, rotationText } from '../../cluster/setup/rotation.ts';
import type { SeenHost } from '../../cluster/setup/setup-plan.ts';
import { clusterKeys, type Roster } from '../../contract/roster.ts';
import { out } from '../../host/output.ts';
import type { Settings } from '../../settings/settings.ts';
import { onMembers } from '../common/connections.ts';
import { findSettings } from '../common/toolkit-files.ts';
import { printJson } from '../outputs/json.ts';
import * as shape from '../outputs/outputs.ts';
import { type ChangeOptions, change, nobody, type PlaceOptions } from './membership.ts';
import { setupPlace } from './setup-place.ts';

export const listDocument = shape.document({
  cluster: shape.object({ key: shape.maybe, next: shape.maybe, retired: shape.parts }),
  rotation: shape.maybe,
  hosts: shape.many(
    shape.object({ name: shape.text, kind: shape.text, key: shape.maybe, is: shape.text, trusted: shape.nullable(shape.number) }),
  ),
});

export const verifyDocument = shape.document({
  handshakes: shape.number,
  refused: shape.many(shape.parts),
  unseen: shape.many(shape.object({ name: shape.text, why: shape.text })),
  open: shape.texts,
});

type ReadOptions = PlaceOptions & { readonly json: boolean };

const clientNames = ({ clients }: Roster): string[] => clients.map(({ name }) => name);

function lookAtAll(options: ReadOptions, show: (view: SetupView) => ExitCode): Promise<ExitCode | number> {
  const place = setupPlace(findSettings(options.settings), options.templates);
  return onMembers(place.settings, 'keeping connections', async (shell) => {
    const view = await lookAtSetup(shell, place);
    return show(await withClientsSeen(shell, place, view, clientNames(view.roster)));
  });
}

/** The cluster's keys, and every host's own. */
export function keysList(options: ReadOptions): Promise<ExitCode | number> {
  return lookAtAll(options, ({ roster, hosts }) => {
    const part = (digest: string | null): string => {
      if (digest === null) return 'no usable pair';
      if (digest === roster.key?.digest) return "the cluster's";
      if (digest === roster.nextKey?.digest) return "the cluster's next";
      if (roster.retired.includes(digest)) return "the cluster's previous";
      return 'its own';
    };
    const list = [...hosts.values()].map(({ name, kind, facts, noAnswer }) => ({
      name,
      kind,
      key: facts?.own?.digest ?? null,
      is: facts === null ? `no answer: ${noAnswer?.why}` : part(facts.own?.digest ?? null),
      trusted: facts === null ? null : facts.keys.filter(({ digest }) => digest !== null).length,
    }));
    const cluster = { key: roster.key?.digest ?? null, next: roster.nextKey?.digest ?? null, retired: roster.retired };
    const rotation = rotationText(roster);
    if (options.json) printJson<typeof listDocument>({ cluster, rotation, hosts: list });
    else {
      out(`The cluster's key: ${cluster.key ?? 'none yet (csync members sync makes it)'}\n`);
      if (rotation !== null) out(`Rotation: ${rotation}.\n`);
      const rows = list.map(({ name, kind, key, is, trusted }) => [name, kind, key ?? '-', is, String(trusted ?? '-')]);
      out(`${columns([['host', 'kind', 'own key', 'which is', 'keys it trusts'], ...rows]).join('\n')}\n`);
    }
    return exitCodes.ok;
  });
}

function partyOf({ name, kind, facts }: SeenHost, roster: Roster): Party | null {
  if (facts === null) return null;
  const known = [...roster.members, ...roster.clients].find((one) => one.name === name);
  const isOpen = (mode: number | null): boolean => mode !== null && (mode & 0o077) !== 0;
  return {
    name,
    kind,
    addresses: known?.addresses ?? facts.addresses,
    own: facts.own?.digest ?? null,
    trusts: new Map(facts.keys.map((key) => [key.name, key.digest])),
    faults: [
      ...(isOpen(facts.keyDirectoryMode) ? ['ppkeys is readable by other users, so cfengine refuses to start'] : []),
      ...(facts.daemons === 0 ? ['no daemon runs there'] : []),
    ],
  };
}

/** The hosts that are set up, and every handshake between the reachable ones. */
export function verifiedHandshakes({ roster, hosts }: SetupView, { cfengineGeneration, packageAddress }: Settings) {
  const seen = [...hosts.values()].filter(
    ({ name, kind }) => kind === 'client' || roster.members.some((one) => one.name === name),
  );
  const parties = seen.flatMap((one) => partyOf(one, roster) ?? []);
  return { seen, all: handshakes(cfengineGeneration, parties, packageAddress) };
}

/** Status 1: a pair of hosts does not accept each other. */
export function keysVerify(options: ReadOptions): Promise<ExitCode | number> {
  const { settings } = findSettings(options.settings);
  return lookAtAll(options, (view) => {
    const { seen, all } = verifiedHandshakes(view, settings);
    const bad = all.filter(({ why }) => why.length > 0);
    const silent = seen.filter(({ facts }) => facts === null).map(({ name, noAnswer }) => ({ name, why: noAnswer?.why ?? '' }));
    const open = seen.flatMap(({ name, facts }) =>
      (facts?.keys ?? [])
        .filter(({ mode }) => (mode & 0o077) !== 0)
        .map((key) => `${name}: ppkeys/${key.name} is readable by other users`),
    );
    if (options.json) printJson<typeof verifyDocument>({ handshakes: all.length, refused: bad, unseen: silent, open });
    else if (seen.length === 0) out('No host is set up, so there are no handshakes to verify: csync members sync\n');
    else {
      for (const { caller, server, purpose, why } of bad)
        out(`${caller} -> ${server} (${purpose}) would fail: ${why.join('; ')}\n`);
      for (const { name, why } of silent) out(`${name} cannot be checked: ${why}\n`);
      for (const line of open) out(`${line}\n`);
      out(`${all.length - bad.length} of ${all.length} handshakes would succeed.\n`);
      if (bad.length > 0) out('Fix: csync keys distribute\n');
    }
    return seen.length > 0 && bad.length + silent.length === 0 ? exitCodes.ok : exitCodes.different;
  });
}

/** Installs missing keys on every host; never replaces accepted ones. */
export function keysDistribute(options: ChangeOptions): Promise<ExitCode | number> {
  return change('keys distribute', options, ({ roster }) => ({
    ...nobody,
    clients: { setUp: clientNames(roster), fetch: false, remove: [] },
    nothing: 'Every host has all keys it needs.',
  }));
}

/** A new pair for the cluster; a rerun continues the rotation. */
export function keysRotate(options: ChangeOptions & { readonly atOnce: boolean }): Promise<ExitCode | number> {
  return change('keys rotate', options, ({ roster }) => ({
    ...nobody,
    clients: { setUp: clientNames(roster), fetch: false, remove: [] },
    nothing: 'There is no key to rotate yet: csync members sync makes it.',
    withoutFailedClients: options.atOnce,
    rounds: async (now, view, excluded) => {
      const pair = await generateKeyPair();
      const next = { digest: publicDigest(pair.publicKey) ?? '', publicKey: pair.publicKey };
      const { rosters, waits } = planRotation(now, view, next, { atOnce: options.atOnce, excluded });
      const wanted = new Set(rosters.flatMap((one) => clusterKeys(one).map(({ digest }) => digest)));
      return { rosters, waits, pairs: new Map(wanted.has(next.digest) ? [[next.digest, pair]] : []) };
    },
  }));
}
