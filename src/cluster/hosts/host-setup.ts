/**
 * The set-up of a host as one shell script: one connection; each step reports its result. Key material passes through standard input into
 * its file, never through arguments or temporary files. Pure.
 */

import { shellWord } from '../../base/shell-word.ts';
import type { CfengineAdapter } from '../../cfengine/adapter.ts';
import type { KeyPair } from '../../cfengine/keys.ts';
import { announceFunction } from '../../contract/restart-notice.ts';
import type { Settings } from '../../settings/settings.ts';
import { daemonFunction } from '../remote/daemon-lines.ts';
import { busyStatus, hostScript, wholeOrNothing } from '../remote/shell-text.ts';
import { startScript } from './boot-start.ts';
import { arrivalPrefix, nextPairNames, owedFileName, type PolicyContent } from './host-look.ts';
import type { KeyChange } from './key-layout.ts';

export type PairChange =
  /** The cluster's pair, or a client's first. Keeps the previous one under its digest. */
  | { readonly pair: 'given'; readonly keep: string | null }
  /** Beside the current one. */
  | { readonly pair: 'next' }
  | { readonly pair: 'switch' }
  /** A new pair replaces the cluster's, which is deleted. */
  | { readonly pair: 'revoked' };

export type HostStep =
  | { readonly do: 'sweep'; readonly host: string }
  | { readonly do: 'configure'; readonly host: string; readonly configured: boolean }
  | { readonly do: 'keys'; readonly host: string; readonly own: PairChange | null; readonly change: KeyChange }
  | { readonly do: 'inputs'; readonly host: string; readonly names: readonly string[] }
  | {
      readonly do: 'daemon';
      readonly host: string;
      /** reload: for a daemon that needs a signal to read its policy. */
      readonly how: 'start' | 'restart' | 'reload' | 'stop';
    }
  | { readonly do: 'agent'; readonly host: string };

export const noChange: KeyChange = { write: [], remove: [], modes: [], others: [] };

export function isKeyChange({ write, remove, modes }: KeyChange): boolean {
  return write.length + remove.length + modes.length > 0;
}

export function hostStepText(step: HostStep): string {
  const { host } = step;
  switch (step.do) {
    case 'sweep':
      return `${host}: remove leftovers of a killed set-up`;
    case 'configure':
      return step.configured
        ? `${host}: cfengine starts at boot (CSYNC_CONFIGURED=1)`
        : `${host}: cfengine no longer starts at boot (CSYNC_CONFIGURED=0)`;
    case 'keys': {
      const { write, remove, modes } = step.change;
      const parts = [
        ...(step.own === null ? [] : [pairTexts[step.own.pair](step.own)]),
        ...(write.length > 0 ? [`trust ${counted([...new Set(write.map(({ of }) => of))])}`] : []),
        ...remove.map(({ name, why }) => `deny ${name}: ${why}`),
        ...(modes.length > 0 ? [`make private: ${counted(modes)}`] : []),
      ];
      return `${host}: keys: ${parts.join('; ') || 'unchanged'}`;
    }
    case 'inputs':
      return `${host}: write policy to inputs: ${counted(step.names)}`;
    case 'daemon':
      return `${host}: ${daemonTexts[step.how]}`;
    case 'agent':
      return `${host}: run the agent`;
  }
}

const pairTexts: Readonly<Record<PairChange['pair'], (own: PairChange) => string>> = {
  given: (own) =>
    `install its key pair${own.pair === 'given' && own.keep !== null ? ` (the previous one stays as ${keptName(own.keep)}.priv)` : ''}`,
  next: () => 'install the next key pair beside the current one',
  switch: () => 'switch to the next key pair',
  revoked: () => "replace the cluster's key pair with a pair of its own",
};

const daemonTexts = {
  start: 'start the daemon',
  restart: 'restart the daemon, which loads its new key pair; the monitor is notified first',
  reload: 'reload the policy in the daemon',
  stop: 'stop the daemon',
} as const;

function counted(names: readonly string[]): string {
  const most = 4;
  return names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

const keptName = (digest: string): string => `replaced-${digest}`;

export interface Materials {
  readonly settings: Settings;
  readonly adapter: CfengineAdapter;
  /** null: not needed. Called once a host. */
  readonly pairFor: (host: string) => KeyPair | null;
  readonly inputs: ReadonlyMap<string, PolicyContent>;
  readonly bootScript: (configured: boolean) => string;
  readonly agentSeconds: number;
}

/** For fetch and policy together; the verb holds the cluster's lock meanwhile. */
export const agentLimitSeconds = 120;

/** One shell for each step; the first failure ends it. Prints the input of parseOutcomes. */
export function setUpScript(steps: readonly HostStep[], materials: Materials): string {
  return hostScript(
    'fragment() {',
    // Encoded, so that it cannot imitate the frame. Two commands: a pipe reports only its last status, and a shell without input succeeds.
    '  if text=$(printf %s "$code" | base64 -d 2>&1); then',
    '    said=$(printf \'%s\\n\' "$text" | /bin/sh -s 2>&1); status=$?',
    '  else',
    '    said=$text; status=1',
    '  fi',
    '  code=; text=',
    '  printf \'ended %s %s\\n\' "$status" "$(printf %s "$said" | tail -c 4000 | base64 | tr -d \'\\n\')"',
    '  [ "$status" = 0 ] || exit 0',
    '}',
    ...steps.map((step) => `code='${Buffer.from(wholeOrNothing(fragmentOf(step, materials))).toString('base64')}'; fragment`),
  );
}

/** For each step that started: null for success, else its output. */
export function parseOutcomes(output: string): (string | null)[] {
  return [...output.matchAll(/^ended (\d+) (\S*)$/gm)].map(([, status = '', said = '']) => {
    if (status === '0') return null;
    return Buffer.from(said, 'base64').toString('utf8').trim() || `exit status ${status}`;
  });
}

function fragmentOf(step: HostStep, materials: Materials): string {
  switch (step.do) {
    case 'sweep':
      return sweepScript(materials);
    case 'configure':
      return materials.bootScript(step.configured);
    case 'keys':
      return keysScript(step, materials);
    case 'inputs':
      return inputsScript(step, materials);
    case 'daemon':
      return daemonScript(step, materials);
    case 'agent':
      return agentScript(materials);
  }
}

/** printf is built into the shell, so no process has the content as an argument, and a text needs no process at all. */
const receive = (file: string, content: PolicyContent): string =>
  typeof content === 'string' && !content.includes('\0')
    ? `printf %s ${shellWord(content)} > ${shellWord(file)}`
    : `printf %s '${Buffer.from(content).toString('base64')}' | base64 -d > ${shellWord(file)}`;

/**
 * Writes files to an arrival directory; `put` renames each to its place, one by one: for several, mv checks each old file first, which the
 * host's agent may remove at that moment. `beside`: its parent, on the same file system; not inputs, where the agent removes unknown files.
 */
function arriving(
  files: readonly { readonly name: string; readonly text: PolicyContent }[],
  beside = '',
): {
  readonly lines: readonly string[];
  readonly put: (name: string) => string;
} {
  const arrivals = `${beside}${arrivalPrefix}`;
  const now = `${arrivals}now`;
  const at = new Map(files.map(({ name }, index) => [name, `${now}/${index}`]));
  const [lock, directory] = [shellWord(`${beside}.csync-lock`), shellWord(now)];
  const written = `find ${directory} -type f -exec`;
  return {
    lines: [
      `exec 9> ${lock}; flock -n 9 || { echo "another csync is writing here" >&2; exit ${busyStatus}; }`,
      // We have the lock, so it is a killed set-up's.
      `rm -rf -- ${shellWord(arrivals)}*`,
      ...(files.length === 0 ? [] : [`mkdir -m 700 -- ${directory}`]),
      `trap ${shellWord(`rm -rf -- ${directory}`)} EXIT; trap 'exit 143' HUP INT TERM`,
      ...files.map(({ name, text }) => receive(at.get(name) ?? '', text)),
      ...(files.length === 0 ? [] : [`${written} chmod 600 {} +; ${written} sync {} +`]),
    ],
    put: (name) => `mv -f -- ${shellWord(at.get(name) ?? '')} ${shellWord(name)}`,
  };
}

/** Skips what another process is writing. */
function sweepScript({ settings }: Materials): string {
  const work = shellWord(settings.cfengineWorkDirectory);
  const sweep = `exec 9> .csync-lock; flock -n 9 || exit 0; rm -rf -- ${arrivalPrefix}*; sync .`;
  return `umask 077; for place in . ppkeys; do ( cd ${work}/$place 2>/dev/null || exit 0; ${sweep} ) || exit 1; done`;
}

/**
 * ppkeys 0700, its files 0600. The public part of an own pair is removed first and written last: a host without it has no pair, and the
 * next run repairs it.
 */
function keysScript({ host, own, change }: Extract<HostStep, { do: 'keys' }>, { settings, pairFor, adapter }: Materials): string {
  const pair = own === null || own.pair === 'switch' ? null : pairFor(host);
  const names = own?.pair === 'next' ? nextPairNames : { privateKey: 'localhost.priv', publicKey: 'localhost.pub' };
  const { lines, put } = arriving([
    ...(pair === null
      ? []
      : [
          { name: names.privateKey, text: pair.privateKey },
          { name: names.publicKey, text: pair.publicKey },
        ]),
    ...change.write.map(({ name, key }) => ({ name, text: key.publicKey })),
  ]);
  const keep = own?.pair === 'given' ? own.keep : null;
  const { privateKey: next, publicKey: nextPublic } = nextPairNames;
  return [
    'set -eu; umask 077',
    `mkdir -p -- ${shellWord(settings.cfengineWorkDirectory)}`,
    ...adapter.privateDirectories.map(
      (directory) => `mkdir -p -m 700 -- ${shellWord(directory)}; chmod 700 ${shellWord(directory)}`,
    ),
    `cd ${shellWord(`${settings.cfengineWorkDirectory}/ppkeys`)}`,
    ...lines,
    ...(own === null || own.pair === 'next' ? [] : [`echo restart > ../${owedFileName}`]),
    ...(keep === null ? [] : [`cp -p localhost.priv ${keptName(keep)}.priv; cp -p localhost.pub ${keptName(keep)}.pub`]),
    ...(own?.pair === 'switch'
      ? [
          // Copies, so that the next or the new pair is complete after a kill.
          `[ -f ${next} ] && [ -f ${nextPublic} ] || { echo "the next key pair is missing" >&2; exit 1; }`,
          `mkdir -m 700 -p -- ${arrivalPrefix}now; cp -p ${next} ${arrivalPrefix}now/a; cp -p ${nextPublic} ${arrivalPrefix}now/b; sync ${arrivalPrefix}now/*`,
          `rm -f localhost.pub; mv -f ${arrivalPrefix}now/a localhost.priv; mv -f ${arrivalPrefix}now/b localhost.pub; sync .; rm -f ${next} ${nextPublic}`,
        ]
      : []),
    ...(pair === null ? [] : [`rm -f -- ${names.publicKey}`, put(names.privateKey), put(names.publicKey)]),
    ...(own?.pair === 'revoked' ? [`rm -f -- ${next} ${nextPublic}`] : []),
    ...(change.write.some(({ name }) => name.startsWith('cluster/')) ? ['mkdir -p -m 700 cluster'] : []),
    ...change.write.map(({ name }) => put(name)),
    ...change.remove.map(({ name }) => `rm -f -- ${shellWord(name)}`),
    ...change.modes.map((name) => `chmod 600 -- ${shellWord(name)}`),
    'sync .',
  ].join('\n');
}

/** Keeps a policy of other origin, once. */
function inputsScript({ names }: Extract<HostStep, { do: 'inputs' }>, { settings, inputs, adapter }: Materials): string {
  const files = names.map((name) => ({ name, text: inputs.get(name) ?? '' }));
  const work = shellWord(settings.cfengineWorkDirectory);
  const { lines, put } = arriving(files, `${settings.cfengineWorkDirectory}/`);
  const above = [...new Set(names.flatMap((name) => (name.includes('/') ? [name.slice(0, name.lastIndexOf('/'))] : [])))];
  return [
    'set -eu; umask 077',
    `mkdir -p -m 700 -- ${work}/inputs; cd ${work}/inputs`,
    ...lines,
    `kept=${work}/inputs-before-csync; if [ ! -e "$kept" ] && [ ! -e .csync ] && [ -n "$(ls)" ]; then cp -a . "$kept.new"; mv "$kept.new" "$kept"; fi`,
    ': > .csync',
    ...(adapter.reloadSignal === null ? [] : [`[ -s ${work}/${owedFileName} ] || echo reload > ${work}/${owedFileName}`]),
    ...(above.length === 0 ? [] : [`mkdir -p -m 700 -- ${above.map(shellWord).join(' ')}`]),
    ...names.map((name) => put(name)),
    'sync .',
  ].join('\n');
}

/** Process and port must exist: exit status and pid file of cfengine prove nothing [cfengine.md 1.4, 2.4]. */
function daemonScript({ how }: Extract<HostStep, { do: 'daemon' }>, { settings, adapter }: Materials): string {
  const owed = shellWord(`${settings.cfengineWorkDirectory}/${owedFileName}`);
  const port = settings.cfenginePort.toString(16).toUpperCase().padStart(4, '0');
  return [
    'set -u',
    `listens() { grep -q ':${port} [0-9A-F]*:0000 0A' /proc/net/tcp /proc/net/tcp6 2>/dev/null; }`,
    'within() { n=0; until "$@"; do n=$((n + 1)); [ "$n" -lt 100 ] || return 1; sleep 0.1; done; }',
    daemonFunction(adapter, settings.cfengineWorkDirectory),
    'gone() { [ -z "$(daemon_pids)" ]; }',
    'runs() { ! gone && listens; }',
    'signal() { for pid in $(daemon_pids); do kill -"$1" "$pid" 2>/dev/null || :; done; }',
    ...(how === 'reload' && adapter.reloadSignal !== null ? [`signal ${adapter.reloadSignal.slice(3)}`] : []),
    // The package may move here at this moment.
    ...(how === 'restart' ? [announceFunction(settings.packageName), 'announce $(daemon_pids) || exit 1'] : []),
    ...(how === 'restart' || how === 'stop' ? ['signal TERM; within gone || { signal KILL; within gone; }'] : []),
    ...(how === 'stop' ? [`rm -f -- ${owed}; exit 0`] : []),
    `runs || /bin/sh -c ${shellWord(startScript())} < /dev/null > /dev/null 2>&1`,
    `within runs || { echo ${shellWord(`${adapter.daemonName} does not listen on port ${settings.cfenginePort} after its start; syslog has the reason`)}; exit 1; }`,
    `rm -f -- ${owed}`,
  ].join('\n');
}

/** Only the agent's output about the fetch proves it [cfengine.md 0.6, 1.9, 2.8]. */
function agentScript({ adapter, agentSeconds }: Materials): string {
  const late = `it did not finish within ${agentSeconds} s, and was killed`;
  const limited = (argv: readonly string[]): string => `limited ${argv.map(shellWord).join(' ')}`;
  return [
    'cd /; n=0',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's own
    'seconds() { read -r since rest < /proc/uptime; echo "${since%.*}"; }',
    `end=$(($(seconds) + ${agentSeconds}))`,
    'limited() { left=$((end - $(seconds))); [ "$left" -gt 0 ] || return 124; timeout -k 5 "$left" "$@" < /dev/null 2>&1; }',
    // 124: timeout; 137: it had to kill.
    `ended() { case $1 in 124 | 137) echo ${shellWord(late)}; exit 1 ;; esac; return "$1"; }`,
    // The scheduler's run may change the same files; without locks both corrupt the copies.
    `until said=$(${limited(adapter.fetchPolicy)}); ended $? && ! printf '%s\\n' "$said" | grep -q -E ${shellWord(adapter.fetchFailure)}; do`,
    `  n=$((n + 1)); [ "$n" -lt ${fetchTries} ] || { printf '%s\\n' "$said"; exit 1; }`,
    '  sleep 2',
    'done',
    `said=$(${limited(adapter.carryOutPolicy)}); ended $? || { status=$?; printf '%s\\n' "$said"; exit $status; }`,
  ].join('\n');
}

const fetchTries = 3;
