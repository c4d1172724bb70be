/**
 * What the verbs that set hosts up have in common: look, plan, ask, do it round by round, and
 * remember what waits.
 */

import { type ExitCode, exitCodes, Failure, formatProblem, type Problem } from '../../base/problem.ts';
import { shellWord } from '../../base/shell-word.ts';
import { toolkitVersion } from '../../base/version.ts';
import type { CfengineAdapter } from '../../cfengine/adapter.ts';
import { generateKeyPair, type KeyPair } from '../../cfengine/keys.ts';
import { appliedSet } from '../../cluster/apply/comparison.ts';
import { newSet } from '../../cluster/apply/history.ts';
import { asSent } from '../../cluster/apply/package-write.ts';
import { type ApplyWish, planApply } from '../../cluster/apply/plan.ts';
import { runPlan } from '../../cluster/apply/run.ts';
import { runtimeInUse } from '../../cluster/apply/runtime.ts';
import { configurationOf, fetchApplied, fetchSet, readHistory } from '../../cluster/apply/sets.ts';
import { inParallel } from '../../cluster/remote/observation.ts';
import { hostScript } from '../../cluster/remote/shell-text.ts';
import { type ClientChange, type ClientKeys, withClients } from '../../cluster/setup/client-change.ts';
import { disputedHosts, settleAddresses } from '../../cluster/setup/host-addresses.ts';
import { nextPairNames, publicDigest } from '../../cluster/setup/host-look.ts';
import { agentLimitSeconds, type Materials, type PairChange } from '../../cluster/setup/host-setup.ts';
import { type LookPlace, lookAtSetup, type SetupView, serviceguardVersion, withClientsSeen } from '../../cluster/setup/look.ts';
import {
  excludedBy,
  inOrder,
  type MemberGoal,
  type MembershipPlan,
  type MemberWish,
  memberGoal,
  planMembership,
  projectView,
} from '../../cluster/setup/membership.ts';
import { keyHolder, type Stage, stageTexts } from '../../cluster/setup/plan.ts';
import { addressClaims, rosterFor, withOwnAddresses } from '../../cluster/setup/roster-change.ts';
import { manyHosts, runSetup, saveRoster } from '../../cluster/setup/run.ts';
import { flatSet, type RenderedFile, settingsName } from '../../contract/package-directory.ts';
import { clusterKeys, type NamedKey, nextRoster, type Roster, type Waiting, withWaiting } from '../../contract/roster.ts';
import type { MemberShell } from '../../host/admin/member-shell.ts';
import { loginName } from '../../host/admin/terminal.ts';
import { err, out, progress } from '../../host/output.ts';
import { setOf, setText, withMembers, withRuntime } from '../../render/package.ts';
import { allValues } from '../../serviceguard/package-file.ts';
import { parseSettingsJson, type Settings } from '../../settings/settings.ts';
import { confirm, numbered } from '../common/confirm.ts';
import { afterwards, type Change } from '../common/connections.ts';
import { hostsBar, openMeter } from '../common/meter.ts';
import { renderFrom } from '../common/package-sources.ts';

export interface SetupOptions extends Omit<Change, 'verb'> {
  readonly yes: boolean;
  readonly json: boolean;
}

/** What a verb wants; everything else stays as it is. */
export interface SetupRequest {
  readonly members: MemberWish;
  readonly clients: ClientChange;
  readonly keys: Omit<ClientKeys, 'made'>;
  /** Rosters to be reached one after the other, each only when every host has the one before; without it, the one that follows. */
  readonly rounds?: (roster: Roster, view: SetupView, excluded: ReadonlySet<string>) => Promise<RoundsOfKeys>;
  /** Rounds go on although clients failed in the one before. */
  readonly withoutFailedClients?: boolean;
  /** What to say when nothing is to be done. */
  readonly nothing: string;
}

export interface RoundsOfKeys {
  readonly rosters: readonly Roster[];
  /** Pairs that are new with them, by digest. */
  readonly pairs: ReadonlyMap<string, KeyPair>;
  /** Why there are no more rounds now. */
  readonly waits: readonly { readonly host: string; readonly why: string; readonly remedy: string }[];
}

/** The cluster a verb works on. */
export interface SetupPlace extends LookPlace {
  readonly settings: Settings;
  readonly adapter: CfengineAdapter;
  readonly bootScript: Materials['bootScript'];
  /** The policy for a roster, against what the master has. */
  readonly policyFor: (roster: Roster, view: SetupView) => Parameters<typeof planMembership>[0]['policy'];
  /** Notes and effects where the settings came from a file of the administrator's. */
  readonly onMembers: (members: readonly string[], dryRun: boolean) => readonly string[];
  readonly runRemotely: (shell: MemberShell, member: string, hosts: readonly string[]) => Promise<ReadonlyMap<string, string>>;
}

const quickLimitMs = 20_000;

interface Round {
  readonly roster: Roster;
  readonly plan: MembershipPlan;
  readonly inputs: ReadonlyMap<string, string>;
  readonly view: SetupView;
}

/**
 * Looks, plans, asks and does it; the shell is one with the lock of the cluster. `request` is told what was seen of the cluster, and says what is wanted. Exit status ok:
 * nothing is left; changeFailed: something waits, and is remembered.
 */
export async function changeSetup(
  shell: MemberShell,
  place: SetupPlace,
  verb: string,
  request: (view: SetupView) => SetupRequest | Promise<SetupRequest>,
  options: SetupOptions,
): Promise<ExitCode> {
  const view = await lookAtSetup(shell, place, []);
  const { commandMember } = view.observation;
  if (commandMember !== null) await demandVersion(shell, commandMember, place.settings);
  return changeSeen(shell, place, view, { verb, ...(await request(view)) }, options);
}

/** DSAU came with A.11.17; before it members do not come and go as this needs [dsau-csync.md 1.2]. */
async function demandVersion(shell: MemberShell, member: string, settings: Settings): Promise<void> {
  const version = await serviceguardVersion(shell, member, settings);
  if (version === null || isRecent(version)) return;
  const text = `Serviceguard there is ${version}; the automation of members needs A.11.17 or newer`;
  throw new Failure([{ code: 'cluster-old-serviceguard', severity: 'error', text, remedy: 'update Serviceguard', member }]);
}

/** Such as A.11.16.00 or A.12.00.00; only what is known to be older is refused. */
function isRecent(version: string): boolean {
  const [major, minor] = (/(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
  return major === undefined || minor === undefined || major > 11 || (major === 11 && minor >= 17);
}

async function changeSeen(
  shell: MemberShell,
  place: SetupPlace,
  members: SetupView,
  request: SetupRequest & { readonly verb: string },
  options: SetupOptions,
): Promise<ExitCode> {
  const { settings } = place;
  const asked = [...request.clients.setUp, ...request.clients.remove];
  const view = await withClientsSeen(shell, place, members, asked, lookMeter(asked.length));
  const goal = demandAll(memberGoal(view, settings, request.members));
  const now = new Date().toISOString();
  const pairs = new Map<string, KeyPair>();
  const key = await chooseKey(view, goal, pairs);
  const made = await makeClientPairs(view, request.clients, pairs);
  const { base, answers } = await settledRoster(shell, view, rosterFor(view, goal, key, now), request, made, now);
  const rotation = request.rounds === undefined ? null : await request.rounds(base, view, excludedBy(answers));
  for (const [digest, pair] of rotation?.pairs ?? []) pairs.set(digest, pair);
  const packagePart = await packageFor(shell, place, view, goal);
  const rounds = planRounds(place, request, goal, view, rotation?.rosters ?? [base], packagePart, answers);
  const waits = [...(rotation?.waits ?? []), ...rounds.flatMap(({ plan }) => plan.waits)];
  const problems = [...new Set(rounds.flatMap(({ plan }) => plan.problems))];
  const own = place.onMembers(inOrder(goal.members, settings), true);
  const texts = [...rounds.flatMap(({ plan }) => plan.stages.flatMap(stageTexts)), ...own];
  const notes = [...new Set(rounds.flatMap(({ plan }) => plan.notes))];
  const report = (outcome: string, said: readonly Problem[]): ExitCode => {
    if (options.json) {
      const waiting = waits.map(({ host, why, remedy }) => ({ host, why, remedy }));
      out(`${JSON.stringify({ outcome, steps: texts, notes, waiting, problems: said }, null, 2)}\n`);
    } else if (outcome === 'would be done') out(planText(texts, notes));
    else if (outcome === 'incomplete') out('Not all of it is done, as told below; the same command does what is left.\n');
    else if (texts.length === 0 && waits.length > 0) out('Nothing of it can be done now; it is remembered.\n');
    else out(outcome === 'unchanged' ? `${request.nothing}\n` : `Done: ${texts.length} steps.\n`);
    if (!options.json && outcome !== 'incomplete') out(stillInCluster(view, request.members.remove));
    for (const one of said) err(`${formatProblem(one)}\n`);
    for (const { host, why, remedy } of waits) progress(`${host} waits: ${why}\n  what helps: ${remedy}`);
    return said.some(({ severity }) => severity === 'error') || waits.length > 0 ? exitCodes.changeFailed : exitCodes.ok;
  };
  const last = rounds.at(-1)?.roster ?? base;
  const remembered = remember(last, rounds, problems, waits, new Map(), now);
  const changesRoster = nextRoster(view.roster, remembered, now, '') !== null;
  if (options.dryRun) return report(texts.length === 0 ? 'unchanged' : 'would be done', problems);
  if (texts.length === 0 && !changesRoster && !isOutdated(view)) return report('unchanged', problems);
  if (texts.length > 0) {
    err(planText(inBrief(texts), notes));
    if (!options.yes) await confirm(request.verb, shell.stop);
  }
  const { withoutFailedClients = false } = request;
  const carrying = { goal, view, rounds, pairs, now, problems, waits, withoutFailedClients };
  const { failed, said } = await carryOut(shell, place, carrying);
  place.onMembers(inOrder(goal.members, settings), false);
  const all = [...problems, ...said, ...failed.values()];
  await tellSyslog(shell, view, settings, request.verb, texts.length, all);
  return report(all.some(({ severity }) => severity === 'error') ? 'incomplete' : 'done', all);
}

/** What is left to be typed by the administrator, since no verb of ours changes the Serviceguard cluster. */
function stillInCluster({ clusterMembers }: SetupView, removed: readonly string[]): string {
  const there = removed.filter((name) => clusterMembers?.includes(name) === true);
  if (there.length === 0) return '';
  const others = (clusterMembers ?? []).filter((name) => !there.includes(name)).map((name) => `-n ${name}`);
  return `The package no longer needs ${there.join(', ')}, which still belongs to the Serviceguard cluster. To take it out: cmhaltnode -f ${there.join(' ')}; cmquerycl -C FILE -c CLUSTER ${others.join(' ')}; cmapplyconf -C FILE\n`;
}

/** More steps than anybody reads: the same step of many hosts becomes one line. The dry run still lists each. */
const manySteps = 100;

function inBrief(steps: readonly string[]): readonly string[] {
  if (steps.length <= manySteps) return steps;
  const hostsOf = new Map<string, string[]>();
  for (const step of steps) {
    const [, host = '', what = step] = /^(\S+): (.*)$/s.exec(step) ?? [];
    hostsOf.set(what, [...(hostsOf.get(what) ?? []), host]);
  }
  return [...hostsOf].map(([what, hosts]) => {
    const [first = '', second = '', ...others] = hosts;
    if (first === '') return what;
    return others.length === 0
      ? `${[first, second].filter((name) => name !== '').join(', ')}: ${what}`
      : `${first}, ${second} and ${others.length} more: ${what}`;
  });
}

function planText(steps: readonly string[], notes: readonly string[]): string {
  return numbered(steps) + notes.map((note) => `Note: ${note}\n`).join('');
}

/** The roster as it shall be, once each host's answer was judged by itself; what is wrong with answers names its host. */
async function settledRoster(
  shell: MemberShell,
  view: SetupView,
  roster: Roster,
  { clients, keys }: SetupRequest,
  made: ReadonlyMap<string, NamedKey>,
  now: string,
): Promise<{ base: Roster; answers: readonly Problem[] }> {
  const checked = withClients(roster, view, clients, { ...keys, made }, now);
  const withAll = demandAll(checked);
  const claims = addressClaims(withAll, view.roster);
  const settled = settleAddresses(claims, await resolvedHere(shell, disputedHosts(claims)));
  return { base: withOwnAddresses(withAll, view.roster, settled), answers: [...checked.problems, ...settled.problems] };
}

/** What the resolver of this host says of names; asked only where two hosts say they have the same address. */
async function resolvedHere(shell: MemberShell, names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  if (names.length === 0) return new Map();
  const lines = names.map((name) => `timeout 5 getent ahostsv4 ${shellWord(name)} | sed 's/^/name ${name} /'`);
  const { stdout } = await shell.run(shell.here, hostScript(...lines, ':'), quickLimitMs);
  const found = [...stdout.matchAll(/^name (\S+) (\S+)/gm)];
  return new Map(names.map((name) => [name, found.flatMap(([, of, address = '']) => (of === name ? [address] : []))]));
}

/** A Failure with the problems of what cannot even be planned. */
function demandAll<T>(checked: { ok: true; value: T } | { ok: false; problems: readonly Problem[] }): T {
  if (checked.ok) return checked.value;
  throw new Failure(checked.problems);
}

/** Some member has not the roster that rules. */
function isOutdated({ hosts, roster }: SetupView): boolean {
  return [...hosts.values()].some(
    ({ kind, facts }) => kind === 'member' && facts !== null && !(facts.roster ?? '').includes(`"serial": ${roster.serial},`),
  );
}

/** Each round as it follows from the one before, as if that had been carried out. */
function planRounds(
  place: SetupPlace,
  request: SetupRequest,
  goal: MemberGoal,
  view: SetupView,
  rosters: readonly Roster[],
  packagePart: PackagePart,
  answers: readonly Problem[],
): Round[] {
  const rounds: Round[] = [];
  let seen = view;
  for (const [index, roster] of rosters.entries()) {
    const policy = place.policyFor(roster, seen);
    const plan = planMembership({
      view: seen,
      goal: index === 0 ? goal : { ...goal, added: [], removed: [] },
      roster,
      settings: place.settings,
      adapter: place.adapter,
      policy,
      package: index === 0 ? packagePart.change : null,
      packageProblems: index === 0 ? packagePart.problems : [],
      answers,
      clients: request.clients,
    });
    rounds.push({ roster, plan, inputs: policy.inputs, view: seen });
    seen = projectView(seen, plan, { roster, inputs: policy.inputs });
  }
  return rounds;
}

interface Carrying {
  readonly goal: MemberGoal;
  readonly view: SetupView;
  readonly rounds: readonly Round[];
  readonly pairs: ReadonlyMap<string, KeyPair>;
  readonly now: string;
  readonly problems: readonly Problem[];
  readonly waits: MembershipPlan['waits'];
  readonly withoutFailedClients: boolean;
}

async function carryOut(
  shell: MemberShell,
  place: SetupPlace,
  { goal, view, rounds, pairs, now, problems, waits, withoutFailedClients }: Carrying,
): Promise<{ failed: ReadonlyMap<string, Problem>; said: readonly Problem[] }> {
  const { settings } = place;
  const holders = goal.members.filter((name) => view.hosts.get(name)?.facts != null);
  const by = `${loginName()}@${shell.here}`;
  let before = view.roster;
  const save = async (roster: Roster): Promise<void> => {
    const next = nextRoster(before, roster, new Date().toISOString(), by) ?? before;
    await saveRoster(shell, holders, settings.packageDirectory, next);
    before = next;
  };
  const failed = new Map<string, Problem>();
  const said: Problem[] = [];
  const meter = openMeter();
  for (const round of rounds) {
    const hosts = round.plan.stages.flatMap((stage) => (stage.stage === 'hosts' ? [...stage.chains.keys()] : []));
    // Before anything is done: whatever ends it, the next run knows of it.
    const underWay = new Map(hosts.map((host) => [host, `begun ${now} by ${by}, and not finished yet`]));
    await save(remember(round.roster, [round], problems, waits, underWay, now));
    const given = await pairsFor(shell, settings, round, pairs);
    const materials: Materials = {
      settings,
      adapter: place.adapter,
      bootScript: place.bootScript,
      agentSeconds: agentLimitSeconds,
      inputs: round.inputs,
      pairFor: (host) => given.get(host) ?? null,
    };
    const result = await runSetup(round.plan.stages, {
      shell,
      materials,
      say: meter.line,
      onHosts: (done, all, not) => meter.show(hostsBar(done, all, not)),
      runPackage: (stage) => runPackage(shell, stage),
      runRemotely: (member, some) => place.runRemotely(shell, member, some),
      finish: (host) => (goal.members.includes(host) ? 'csync members sync' : `csync client sync ${host}`),
    });
    for (const [host, why] of result.failed) failed.set(host, why);
    said.push(...result.problems);
    meter.end();
    const refused = result.problems.find(({ code }) => code === 'change-policy');
    const left = new Map([
      ...(refused === undefined ? [] : hosts.map((host) => [host, refused.text] as const)),
      ...[...result.failed].map(([host, { text }]) => [host, text] as const),
    ]);
    await save(remember(round.roster, [round], problems, waits, left, now));
    // What the next round takes away has to be there everywhere before.
    const isMember = (host: string): boolean => goal.members.includes(host);
    const stops = withoutFailedClients ? [...failed.keys()].some(isMember) : failed.size > 0;
    if (stops || said.some(({ severity }) => severity === 'error')) break;
  }
  return { failed, said };
}

/** The roster with what waits, and with the keys that each client was seen to have, or was given. */
function remember(
  roster: Roster,
  rounds: readonly Round[],
  problems: readonly Problem[],
  waits: MembershipPlan['waits'],
  left: ReadonlyMap<string, string>,
  now: string,
): Roster {
  const clients = new Set([
    ...roster.clients.map(({ name }) => name),
    // Those that could not even be looked at are nobody's client yet, and shall be.
    ...rounds.flatMap(({ view }) => [...view.hosts.values()].flatMap(({ name, kind }) => (kind === 'client' ? [name] : []))),
  ]);
  const touched = new Set(rounds.flatMap(({ view }) => [...view.hosts.keys()]));
  const why = new Map<string, string>([
    ...waits.map(({ host, why: text }) => [host, text] as const),
    ...problems.flatMap(({ member, severity, text }) =>
      member === undefined || severity === 'warning' ? [] : [[member, text] as const],
    ),
    ...left,
  ]);
  let next = roster;
  for (const host of new Set([...touched, ...why.keys()])) {
    const what: Waiting['what'] = clients.has(host) ? 'client' : 'member';
    next = withWaiting(next, { host, what }, why.get(host) ?? null, now);
  }
  const round = rounds.at(-1);
  if (round === undefined) return next;
  const after = projectView(round.view, round.plan, round);
  const ours = new Set(clusterKeys(roster).map(({ digest }) => digest));
  return {
    ...next,
    clients: next.clients.map((client) => {
      const facts = left.has(client.name) ? round.view.hosts.get(client.name)?.facts : after.hosts.get(client.name)?.facts;
      if (facts == null) return client;
      const digests = facts.keys.flatMap(({ digest }) => (digest === null ? [] : [digest]));
      return { ...client, holds: [...new Set(digests)].filter((digest) => ours.has(digest)) };
    }),
  };
}

/** The pair the members share: the roster's, else one that a member has, else a new one. */
async function chooseKey(view: SetupView, goal: MemberGoal, pairs: Map<string, KeyPair>): Promise<NamedKey> {
  const members = goal.members.flatMap((name) => view.hosts.get(name) ?? []);
  const { key } = view.roster;
  const isHeld = (digest: string): boolean =>
    [...view.hosts.values()].some(({ facts }) => facts?.own?.digest === digest || facts?.next === digest);
  if (key !== null && isHeld(key.digest)) return key;
  const silent = members.filter(({ facts }) => facts === null);
  if (key !== null && silent.length > 0)
    throw new Failure([
      {
        code: 'cluster-key-unreachable',
        severity: 'error',
        text: `the cluster's key ${key.digest} is on no member that answers; ${silent.map(({ name }) => name).join(', ')} may have it`,
        remedy: `bring ${silent[0]?.name} up, then do this again`,
      },
    ]);
  const holder = keyHolder(members, view.owner)?.facts?.own;
  if (holder != null) return holder;
  const pair = await generateKeyPair();
  const named = { digest: publicDigest(pair.publicKey) ?? '', publicKey: pair.publicKey };
  pairs.set(named.digest, pair);
  return named;
}

async function makeClientPairs(
  view: SetupView,
  { setUp }: ClientChange,
  pairs: Map<string, KeyPair>,
): Promise<ReadonlyMap<string, NamedKey>> {
  const without = setUp.filter((name) => {
    const facts = view.hosts.get(name)?.facts;
    return facts != null && facts.own === null;
  });
  const made = await inParallel(without, generateKeyPair);
  return new Map(
    without.map((name, index) => {
      const pair = made[index] as KeyPair;
      const digest = publicDigest(pair.publicKey) ?? '';
      pairs.set(digest, pair);
      return [name, { digest, publicKey: pair.publicKey }];
    }),
  );
}

/** Private parts that this round wants somewhere, by host: those made here, or read from a member that has them. */
async function pairsFor(
  shell: MemberShell,
  settings: Settings,
  { roster, plan, view }: Round,
  made: ReadonlyMap<string, KeyPair>,
): Promise<ReadonlyMap<string, KeyPair>> {
  const read = new Map<string, KeyPair>();
  const pairOf = async (key: NamedKey | null): Promise<KeyPair> => {
    const known = key === null ? undefined : (made.get(key.digest) ?? read.get(key.digest));
    if (known !== undefined) return known;
    const pair = key === null ? null : await readPair(shell, settings, key, view);
    if (pair === null || key === null) {
      const text = `the private part of ${key?.digest ?? 'the key'} could not be read from a member`;
      throw new Failure([{ code: 'change-keys', severity: 'error', text, remedy: 'csync keys list   shows who has which' }]);
    }
    read.set(key.digest, pair);
    return pair;
  };
  const wanted = plan.stages
    .flatMap((stage) => (stage.stage === 'hosts' ? [...stage.chains.values()].flat() : []))
    .flatMap((step): [string, PairChange][] => (step.do === 'keys' && step.own !== null ? [[step.host, step.own]] : []));
  const given = new Map<string, KeyPair>();
  for (const [host, { pair }] of wanted) {
    if (pair === 'switch') continue;
    const client = roster.clients.find(({ name }) => name === host)?.key;
    if (pair === 'revoked') given.set(host, await generateKeyPair());
    else given.set(host, await pairOf(pair === 'next' ? roster.nextKey : (client ?? roster.key)));
  }
  return given;
}

async function readPair(shell: MemberShell, settings: Settings, key: NamedKey, view: SetupView): Promise<KeyPair | null> {
  for (const { name, facts } of view.hosts.values()) {
    if (facts === null || (facts.own?.digest !== key.digest && facts.next !== key.digest)) continue;
    const file = facts.own?.digest === key.digest ? 'localhost.priv' : nextPairNames.privateKey;
    const path = `${settings.cfengineWorkDirectory}/ppkeys/${file}`;
    const answer = await shell.run(name, hostScript(`base64 -w 0 ${shellWord(path)}`), quickLimitMs);
    const privateKey = Buffer.from(answer.stdout, 'base64').toString('utf8');
    if (answer.exitCode === 0 && privateKey.includes('PRIVATE KEY')) return { privateKey, publicKey: key.publicKey };
  }
  return null;
}

interface PackagePart {
  readonly change: Extract<Stage, { stage: 'package' }> | null;
  readonly problems: readonly Problem[];
}

/** The package with these members in its list, and its files on all of them; null where nothing of that is to be done. */
async function packageFor(shell: MemberShell, { settings }: SetupPlace, view: SetupView, goal: MemberGoal): Promise<PackagePart> {
  const none: PackagePart = { change: null, problems: [] };
  const { observation } = view;
  if (observation.applied === null) return none;
  const sets = await readHistory(shell, observation, settings);
  const about = sets.at(-1);
  const listed = allValues(observation.applied, 'node_name');
  const kept =
    about === undefined ? await fetchApplied(shell, observation, settings) : await fetchSet(shell, observation, settings, about);
  const before = kept === null ? '' : parseSettingsJson(setText(kept, settingsName) ?? '');
  const isListed = [...goal.members].sort().join() === [...listed].sort().join();
  if (kept === null || typeof before === 'string')
    return isListed ? none : { ...none, problems: [unlisted(settings, goal.members, listed)] };
  const members = inOrder(goal.members, before);
  const same = members.join() === listed.join();
  if ((setOf(kept) ?? flatSet) !== appliedSet(observation.applied))
    return same ? none : { ...none, problems: [unfinished(before)] };
  // Version 0.1.0 had no sets, and is not changed behind an administrator's back; for other members its package becomes one of this version.
  if (same && setOf(kept) === null) return none;
  const files = setOf(kept) === null ? await renderFrom(before, {}) : kept;
  const lacks = observation.members.some(
    (one) =>
      one.reached && members.includes(one.member) && files.some(({ name }) => !one.files.some((file) => file.name === name)),
  );
  if (same && !lacks) return none;
  const place: Settings = { ...before, members };
  const runtime = runtimeInUse(observation);
  const wanted: readonly RenderedFile[] = withRuntime(same ? files : withMembers(files, members), runtime);
  const note = same ? '' : `members ${listed.join(' ')} -> ${members.join(' ')}`;
  const at = { at: new Date().toISOString(), by: `${loginName()}@${shell.here}`, toolkitVersion, note };
  const wish: ApplyWish = {
    place,
    files: wanted.map(asSent),
    configuration: configurationOf(wanted, place),
    run: false,
    halt: false,
    takeRendered: false,
    runtime,
    carry: null,
    set: newSet(at, wanted, sets),
  };
  const some = { ...observation, members: observation.members.filter(({ member }) => members.includes(member)) };
  const plan = planApply(wish, some);
  if (!plan.ok) return { change: null, problems: plan.problems };
  return { change: plan.value.steps.length === 0 ? null : { stage: 'package', plan: plan.value, wish }, problems: [] };
}

/** Nothing there tells what the package was made from, so another list of members would be a guess at all the rest. */
function unlisted({ packageName }: Settings, members: readonly string[], listed: readonly string[]): Problem {
  const text = `pending: the applied package ${packageName} lists ${listed.join(' ')}, and not ${members.join(' ')}; the set that it names is whole on no member that answers`;
  const remedy = `csync apply   completes it, with a csync.yaml that has members: [${members.join(', ')}]`;
  return { code: 'change-pending', severity: 'error', text, remedy };
}

/** What is applied was not remembered yet; whoever took the set before it would take the package back. */
function unfinished({ packageName }: Settings): Problem {
  const text = `the newest set of the history is not the one that is applied: an apply of ${packageName} did not come to its end`;
  return { code: 'change-pending', severity: 'error', text, remedy: 'csync apply   finishes it; then this again' };
}

function runPackage(shell: MemberShell, { plan, wish }: Extract<Stage, { stage: 'package' }>): Promise<void> {
  return runPlan(plan, { shell, wish, say: progress, onCarried: () => {}, afterwards });
}

/** Errors of the automation are looked for in the syslog of the master [dsau-csync.md 6.3]. */
async function tellSyslog(
  shell: MemberShell,
  { owner, observation }: SetupView,
  { packageName }: Settings,
  verb: string,
  steps: number,
  problems: readonly Problem[],
): Promise<void> {
  const member = owner ?? observation.commandMember;
  if (member === null) return;
  const lines = problems.map(({ severity, member: of, text, remedy }) => {
    const priority = severity === 'error' ? 'daemon.err' : 'daemon.warning';
    return [priority, `csync ${verb}: ${of === undefined ? '' : `${of}: `}${text}; what helps: ${remedy}`] as const;
  });
  const ended = lines.length === 0 ? [['daemon.notice', `csync ${verb}: done, ${steps} steps`] as const] : lines;
  const commands = ended.map(
    ([priority, line]) => `logger -t ${shellWord(packageName)} -p ${priority} -- ${shellWord(line.replaceAll('\n', ' '))}`,
  );
  // A syslog that takes nothing holds the verb up no longer than this.
  await shell.run(member, hostScript(`timeout 2 sh -c ${shellWord(commands.join('\n'))} || :`), quickLimitMs);
}

/** Says how many of many hosts were looked at. */
function lookMeter(total: number): () => void {
  const meter = openMeter();
  let looked = 0;
  return () => {
    looked += 1;
    if (total > manyHosts) meter.show(`${hostsBar(looked, total, 0)} looked at`);
    if (looked === total) meter.end();
  };
}
