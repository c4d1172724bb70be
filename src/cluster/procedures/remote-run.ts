/**
 * Runs the agent on other hosts now: cf-runagent or cfrun on a member, many hosts at a time, and judges the output. Neither can
 * run unattended. cfrun always exits with 0, has no time limit, and without a key asks a closed terminal forever [cfengine.md
 * 1.11]. cf-runagent applies its one limit to the connection and to a silent agent (tried with 3.21). Pure.
 */
import { shellWord } from '../../base/shell-word.ts';
import { columns } from '../../base/tables.ts';
import { adapterFor } from '../../cfengine/adapter.ts';
import type { RosterHost } from '../../contract/roster.ts';
import type { Settings } from '../../settings/settings.ts';
import { hostScript } from '../remote/shell-text.ts';

export interface RemoteRunWish {
  /** Hosts at the same time, at most. */
  readonly parallel: number;
  /** Limit for one host, in seconds. */
  readonly timeoutSeconds: number;
  /** Classes that the agents must define. */
  readonly classes: readonly string[];
}

const connectSeconds = 10;
const killSeconds = 5;
/** Bytes kept of a host's output, and how many more may follow before the run is killed: cfrun repeats its question without end. */
const keptBytes = 49_152;
const droppedBytes = 16 * 1024 * 1024;
/** Lines of this much base64 are written to a pipe in one piece, also by many writers. */
const pieceLength = 3000;

/** A name or address that is safe in a script. */
const safe = /^[A-Za-z0-9][A-Za-z0-9.-]*$/;
export const isClassName = (text: string): boolean => /^[A-Za-z_]\w*$/.test(text);

/** The words that run the agent on one host; $address, $name and $port are shell variables of the script. */
function remoteRunWords(settings: Settings, { timeoutSeconds, classes }: RemoteRunWish): string {
  const { generation, programs } = adapterFor(settings);
  const program = shellWord(programs.run);
  if (generation === 3)
    return `${program} -H "$address:${settings.cfenginePort}" -t ${timeoutSeconds}${classes.length === 0 ? '' : ` -D ${classes.join(',')}`}`;
  // The words after -- are for the agent [cfengine.md 1.11]; never -T, which trusts unknown keys.
  return `${program} "$listed"${classes.length === 0 ? '' : ` -- ${classes.map((name) => `-D${name}`).join(' ')}`}`;
}

/** The command for a host, for messages. */
export function remoteRunText(settings: Settings, host: RosterHost, wish: RemoteRunWish): string {
  return remoteRunWords(settings, wish)
    .replace('"$address:', `${host.addresses[0] ?? host.name}:`)
    .replace('"$listed"', host.name)
    .replace('"', '');
}

/** cfrun silently skips names that are not in cfrun.hosts; names without a dot get its domain [cfengine.md 1.11]. */
function generation2Guards(settings: Settings): string[] {
  const { cfengineWorkDirectory: work } = settings;
  const find = [
    '$1 == "domain" { domain = $3 } $2 == "=" || /^[ \\t]*(#|$)/ { next }',
    '{ host = $1; sub(/:[0-9]+$/, "", host); full = host ~ /[.]/ || domain == "" ? host : host "." domain',
    '  if (host == name || full == name || full == name "." domain || host == address) { print full; exit } }',
  ].join('\n');
  return [
    `list=${shellWord(`${work}/inputs/cfrun.hosts`)}`,
    '[ -f "$list" ] || { echo "skip $i no-list"; exit; }',
    `listed=$(awk -v name="$name" -v address="$address" ${shellWord(find)} "$list")`,
    '[ -n "$listed" ] || { echo "skip $i not-listed"; exit; }',
    `[ -f ${shellWord(`${work}/ppkeys`)}/root-"$address".pub ] || { echo "skip $i no-key"; exit; }`,
  ];
}

/** For hosts of one chunk: prints the input of parseRuns. It takes at most runLimitMs. */
export function runScript(settings: Settings, hosts: readonly RosterHost[], wish: RemoteRunWish): string {
  const { cfenginePort, cfengineGeneration } = settings;
  const runOne = [
    'i=$1 name=$2 address=$3',
    'if [ "$address" = - ]; then',
    '  address=$(timeout 10 getent ahostsv4 "$name" | sed -n "1s/ .*//p")',
    '  [ -n "$address" ] || { echo "skip $i no-address"; exit; }',
    'fi',
    // The programs' own limit is two minutes, or that of the whole run.
    'if command -v bash >/dev/null; then',
    `  said=$(timeout ${connectSeconds} bash -c "exec 9<>/dev/tcp/$address/${cfenginePort}" 2>&1) || case $said in`,
    '    *refused*) echo "skip $i closed"; exit ;;',
    '    *) echo "skip $i silent"; exit ;;',
    '  esac',
    'fi',
    ...(cfengineGeneration === 2 ? generation2Guards(settings) : []),
    'exec 3>&1',
    'began=$(date +%s%3N)',
    'status=$({ {',
    `    timeout -k ${killSeconds} ${wish.timeoutSeconds} ${remoteRunWords(settings, wish)} < /dev/null 2>&1 3>&- 4>&-; echo $? >&4`,
    '  } | {',
    `    head -c ${keptBytes} | base64 -w ${pieceLength} | while read -r piece; do echo "out $i $piece" >&3; done`,
    `    [ "$(head -c ${droppedBytes} | wc -c)" -eq 0 ] || echo "cut $i" >&3`,
    '  }',
    '} 4>&1)',
    'echo "end $i $status $(($(date +%s%3N) - began))"',
  ];
  const lines = hosts.flatMap(({ name, addresses: [address = '-'] }, index) =>
    safe.test(name) && (address === '-' || safe.test(address)) ? [`${index} ${name} ${address}`] : [],
  );
  return hostScript(
    // A pipe keeps the lines of many writers whole; ssh's own standard output may be no pipe.
    `printf '%s\\n' ${lines.map(shellWord).join(' ')} | xargs -P ${wish.parallel} -L 1 sh -c ${shellWord(runOne.join('\n'))} sh | cat`,
    'echo done',
  );
}

/** Time limit of such a script. */
export function runLimitMs(hosts: number, { parallel, timeoutSeconds }: RemoteRunWish): number {
  const one = timeoutSeconds + killSeconds + 3 * connectSeconds;
  return (Math.ceil(hosts / parallel) * one + 60) * 1000;
}

/** Hosts for one script: enough that a slow one does not delay many others, few enough for one answer. */
export function chunksOf<T>(items: readonly T[], parallel: number): T[][] {
  const size = Math.min(128, 4 * parallel);
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}

export type Outcome = 'ran' | 'failed' | 'refused' | 'unreachable' | 'timed out' | 'not run' | 'unclear';

/** Result of one host. */
export interface HostRun {
  readonly host: string;
  readonly outcome: Outcome;
  /** Key of `reasons`. null: the agent ran. */
  readonly reason: Reason | null;
  /** Of the remote command. null: unknown (generation 2 does not report it). */
  readonly exitCode: number | null;
  readonly milliseconds: number | null;
  readonly changes: readonly string[];
  /** Errors that the agent reports, or the output of a failed remote run. */
  readonly errors: readonly string[];
  /** The output was longer than what was kept. */
  readonly cut: boolean;
}

/** Why the agent did not run on a host, and the fix; HOST and MEMBER stand for the two hosts. */
export const reasons = {
  status: ['failed', 'the agent failed', 'on HOST: cf-agent -KI, or cfagent -q -K -I   (prints the error)'],
  failsafe: [
    'failed',
    'its policy does not parse: the agent used its failsafe policy',
    'run cf-promises on HOST, and on the policy',
  ],
  admission: [
    'refused',
    'it denies remote runs from MEMBER: no access to its cfruncommand, no such command, or this user is not allowed',
    'csync sync HOST --from OTHER-MEMBER   (shows whether the address is the reason); then check the access rules and allowusers of HOST',
  ],
  connects: [
    'refused',
    'it closes connections from MEMBER',
    'check allowconnects and allowallconnects of HOST, and its limit of connections',
  ],
  'key-there': [
    'refused',
    'it does not have the key of MEMBER',
    'csync client sync HOST   (installs the key; for a member: csync members sync)',
  ],
  'key-here': [
    'refused',
    'MEMBER does not have its key',
    'csync client sync HOST   (installs the key; for a member: csync members sync)',
  ],
  role: ['refused', 'it does not allow MEMBER to define classes', 'add a role on HOST, or omit --define'],
  class: ['refused', 'it has none of the requested classes', 'omit --define'],
  silent: [
    'unreachable',
    'neither the host nor its port answers',
    'csync check   (tests the port); check that HOST is up, and any firewall',
  ],
  closed: ['unreachable', 'no daemon listens on its port', 'on HOST: /usr/local/sbin/csync-cfservd start, or the init script'],
  'no-address': ['unreachable', 'MEMBER cannot resolve its name', 'on MEMBER: getent hosts HOST'],
  connect: ['unreachable', 'no connection was made', 'csync check; on HOST: check that the daemon runs'],
  time: ['timed out', 'not finished within the time limit; the agent may still run there', 'csync sync HOST --timeout 30m'],
  'no-list': [
    'not run',
    'MEMBER has no cfrun.hosts, and cfrun runs only hosts in that file',
    'run the agent on MEMBER, which fetches the file',
  ],
  'not-listed': [
    'not run',
    'it is not in cfrun.hosts of MEMBER, and cfrun runs only hosts in that file',
    'add it to the master copy of cfrun.hosts',
  ],
  'no-key': [
    'not run',
    'MEMBER does not have its key, and cfrun would ask a terminal forever',
    'csync client sync HOST   (installs root-<address of HOST>.pub; for a member: csync members sync)',
  ],
  name: ['not run', 'it is not a valid host name', 'use letters, digits, dots and dashes'],
  lost: ['unclear', 'MEMBER reported no result', 'csync sync HOST'],
  words: ['unclear', 'csync does not recognise its output', 'csync sync HOST --json   (prints the output)'],
} as const satisfies Readonly<Record<string, readonly [outcome: Outcome, text: string, remedy: string]>>;
export type Reason = keyof typeof reasons;

/** Parses the output of runScript, also if truncated; a host without a result is lost. */
export function parseRuns(output: string, settings: Settings, hosts: readonly RosterHost[]): HostRun[] {
  const pieces = new Map<string, string[]>();
  const rest = new Map<string, readonly string[]>();
  const cut = new Set<string>();
  for (const line of output.split('\n')) {
    const [word = '', index = '', ...words] = line.split(' ');
    if (word === 'out') {
      const said = pieces.get(index) ?? [];
      said.push(words[0] ?? '');
      pieces.set(index, said);
    }
    if (word === 'cut') cut.add(index);
    if (word === 'skip' || word === 'end') rest.set(index, [word, ...words]);
  }
  return hosts.map(({ name, addresses }, number) => {
    const index = String(number);
    const [word, first = '', took] = rest.get(index) ?? [];
    const base = { host: name, exitCode: null, milliseconds: null, changes: [], errors: [], cut: cut.has(index) };
    const without = (reason: Reason): HostRun => ({ ...base, outcome: reasons[reason][0], reason });
    if (!safe.test(name) || !addresses.slice(0, 1).every((address) => safe.test(address))) return without('name');
    if (word === 'skip') return without(Object.hasOwn(reasons, first) ? (first as Reason) : 'lost');
    if (word !== 'end' || !/^\d+$/.test(first)) return without('lost');
    const said = (pieces.get(index) ?? []).map((piece) => Buffer.from(piece, 'base64').toString('utf8')).join('');
    const read = settings.cfengineGeneration === 3 ? readRunagent(said) : readCfrun(said);
    const milliseconds = /^\d+$/.test(took ?? '') ? Number(took) : null;
    const limited = (first === '124' || first === '137') && read.outcome !== 'ran';
    return { ...base, ...read, milliseconds, ...(limited ? { outcome: 'timed out', reason: 'time' } : {}) } as const;
  });
}

type Read = Pick<HostRun, 'outcome' | 'reason' | 'exitCode' | 'changes' | 'errors'>;

function withReason(reason: Reason, errors: readonly string[], more: Partial<Read> = {}): Read {
  return { outcome: reasons[reason][0], reason, exitCode: null, changes: [], errors, ...more };
}

/** Tried with 3.21 (test/recorded/cf-runagent); the first match counts. */
const runagentWords: readonly (readonly [RegExp, Reason])[] = [
  [/TRUST FAILED, server presented untrusted key/, 'key-here'],
  [/hung up during identification/, 'key-there'],
  [/Unspecified server refusal/, 'admission'],
  [/EXEC denied role activation/, 'role'],
  [/EXEC denied due to failed class match/, 'class'],
  [/receive timeout/, 'time'],
  [/Failed to establish TLS connection/, 'connects'],
  [/could not resolve/, 'no-address'],
  [/Failed to connect to host/, 'connect'],
];

/** Lines "ADDRESS> -> words of the agent", at the end "ADDRESS> (exit code: N)" [cfengine.md 2.10]. */
function readRunagent(text: string): Read {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const agent = lines.flatMap((line) => /^\S+> -> (.*)$/.exec(line)?.[1] ?? []);
  const errors = agent.flatMap((line) => /^\s*error: (.*)$/.exec(line)?.[1] ?? []);
  // A copied file is reported three times: copied, moved, updated.
  const changes = agent
    .flatMap((line) => /^\s*info: (.*)$/.exec(line)?.[1] ?? [])
    .filter((line) => !/\.cfnew'|^(Executing|Completed execution|Using|Last \d+ quoted|Unable to|No server)/.test(line));
  const exit = /^\S+> \(exit code: (\d+)\)$/m.exec(text)?.[1];
  if (exit === undefined) {
    const [, reason = 'words'] = runagentWords.find(([pattern]) => pattern.test(text)) ?? [];
    return withReason(reason, lines, { changes });
  }
  const exitCode = Number(exit);
  const found = { exitCode, changes };
  if (errors.some((line) => line.includes('going to failsafe'))) return withReason('failsafe', errors, found);
  if (exitCode !== 0) return withReason('status', errors, found);
  return { outcome: 'ran', reason: null, errors, ...found };
}

/** [cfengine.md 1.11] */
const cfrunWords: readonly (readonly [RegExp, Reason])[] = [
  [/Please reply yes or no/, 'key-here'],
  [/No response hailing/, 'connect'],
  [/key could not be accepted on trust|keys did not match|Key-authentication for \S+ failed/, 'key-there'],
  [/Unspecified server refusal/, 'admission'],
  [/nothing relevant to do here/, 'class'],
];

/** The agent's lines are between two lines of dashes; without the second one it did not finish. */
function readCfrun(text: string): Read {
  const [head = '', agent = '', ...behind] = text.split(/^(?:- ){5,}-?\s*$/m);
  const lines = (part: string): string[] => part.split('\n').filter((line) => line.trim() !== '');
  if (behind.length > 0) return { outcome: 'ran', reason: null, exitCode: null, changes: lines(agent), errors: [] };
  const [, reason] = cfrunWords.find(([pattern]) => pattern.test(head)) ?? [];
  if (reason !== undefined) return withReason(reason, [...new Set(lines(head))].slice(0, 20));
  return withReason(/Hailing/.test(head) ? 'words' : 'not-listed', [...lines(head), ...lines(agent)]);
}

const mostNames = 10;

/** Counts, changes by host, and for each kind of failure the hosts, the reason and the fix. */
export function runsText(runs: readonly HostRun[], member: string): string {
  const count = (outcome: Outcome): number => runs.filter((run) => run.outcome === outcome).length;
  const outcomes = [...new Set(Object.values(reasons).map(([outcome]) => outcome))];
  const names = (of: readonly HostRun[]): string => {
    const shown = of.slice(0, mostNames).map(({ host }) => host);
    return of.length > mostNames ? `${shown.join(' ')} and ${of.length - mostNames} more` : shown.join(' ');
  };
  const ran = runs.filter((run) => run.outcome === 'ran');
  const changed = ran.filter(({ changes }) => changes.length > 0);
  const complained = ran.filter(({ errors }) => errors.length > 0);
  const ranText = `${ran.length} of ${runs.length}${changed.length === 0 ? '' : `, ${changed.length} with changes`}${complained.length === 0 ? '' : `, ${complained.length} with errors`}`;
  const counts = outcomes.map((outcome) => [outcome, count(outcome)] as const).filter(([, number]) => number > 0);
  const table = columns([['ran', ranText], ...counts]);
  const listed = (title: string, of: readonly HostRun[], what: (run: HostRun) => readonly string[]): string[] =>
    of.length === 0
      ? []
      : [
          title,
          ...of.slice(0, mostNames).map((run) => {
            const all = what(run);
            return `  ${run.host}: ${all[0]}${all.length > 1 ? ` (and ${all.length - 1} more)` : ''}`;
          }),
          ...(of.length > mostNames ? [`  and ${of.length - mostNames} more hosts: --json has all`] : []),
        ];
  const failures = (Object.keys(reasons) as Reason[]).flatMap((reason) => {
    const of = runs.filter((run) => run.reason === reason);
    if (of.length === 0) return [];
    const [outcome, text, remedy] = reasons[reason];
    const fill = (words: string): string => words.replaceAll('HOST', of[0]?.host ?? '').replaceAll('MEMBER', member);
    return [`${outcome}: ${names(of)}`, `  ${fill(text)}`, `  Fix: ${fill(remedy)}`];
  });
  const parts = [
    table,
    listed('changes:', changed, ({ changes }) => changes),
    listed('errors:', complained, ({ errors }) => errors),
    failures,
  ];
  return parts
    .filter((part) => part.length > 0)
    .map((part) => `${part.join('\n')}\n`)
    .join('\n');
}
