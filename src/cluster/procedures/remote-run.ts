/**
 * Agent runs on other hosts, now: cf-runagent or cfrun typed on a member, many at a time, and what their output amounts to.
 * Neither can be left alone: cfrun always ends with 0, has no time limit, and without a key asks a closed terminal for ever
 * [cfengine.md 1.11]; cf-runagent takes its one limit for connecting and for a silent agent alike (tried with 3.21). Pure.
 */
import { shellWord } from '../../base/shell-word.ts';
import { columns } from '../../base/tables.ts';
import { adapterFor } from '../../cfengine/adapter.ts';
import type { RosterHost } from '../../contract/roster.ts';
import type { Settings } from '../../settings/settings.ts';
import { hostScript } from '../remote/shell-text.ts';

export interface RemoteRunWish {
  /** At most so many at a time. */
  readonly parallel: number;
  /** Seconds for one host, all in all. */
  readonly timeoutSeconds: number;
  /** Classes the agents shall have defined. */
  readonly classes: readonly string[];
}

const connectSeconds = 10;
const killSeconds = 5;
/** What is kept of a host's output, and how much more may come before its run is ended: cfrun's question repeats itself without end. */
const keptBytes = 49_152;
const droppedBytes = 16 * 1024 * 1024;
/** Lines of so much base64 are written whole into a pipe, also by many at once. */
const pieceLength = 3000;

/** A name or address that may go into a script. */
const safe = /^[A-Za-z0-9][A-Za-z0-9.-]*$/;
export const isClassName = (text: string): boolean => /^[A-Za-z_]\w*$/.test(text);

/** The words that run the agent of one host; $address, $name and $port are shell variables of the script. */
function remoteRunWords(settings: Settings, { timeoutSeconds, classes }: RemoteRunWish): string {
  const { generation, programs } = adapterFor(settings);
  const program = shellWord(programs.run);
  if (generation === 3)
    return `${program} -H "$address:${settings.cfenginePort}" -t ${timeoutSeconds}${classes.length === 0 ? '' : ` -D ${classes.join(',')}`}`;
  // What stands behind -- is for the agent [cfengine.md 1.11]; never -T: nothing is taken on trust.
  return `${program} "$listed"${classes.length === 0 ? '' : ` -- ${classes.map((name) => `-D${name}`).join(' ')}`}`;
}

/** What is typed for a host, for people. */
export function remoteRunText(settings: Settings, host: RosterHost, wish: RemoteRunWish): string {
  return remoteRunWords(settings, wish)
    .replace('"$address:', `${host.addresses[0] ?? host.name}:`)
    .replace('"$listed"', host.name)
    .replace('"', '');
}

/** cfrun drops names that are not in cfrun.hosts without a word; names without a dot get its domain [cfengine.md 1.11]. */
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

/** For hosts of one chunk: prints lines that parseRuns reads. Takes as long as runLimitMs says at most. */
export function runScript(settings: Settings, hosts: readonly RosterHost[], wish: RemoteRunWish): string {
  const { cfenginePort, cfengineGeneration } = settings;
  const runOne = [
    'i=$1 name=$2 address=$3',
    'if [ "$address" = - ]; then',
    '  address=$(timeout 10 getent ahostsv4 "$name" | sed -n "1s/ .*//p")',
    '  [ -n "$address" ] || { echo "skip $i no-address"; exit; }',
    'fi',
    // The limit of the programs themselves is two minutes, or that of the whole run.
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
    // Into a pipe, where lines of many arrive whole; ssh's own standard output need not be one.
    `printf '%s\\n' ${lines.map(shellWord).join(' ')} | xargs -P ${wish.parallel} -L 1 sh -c ${shellWord(runOne.join('\n'))} sh | cat`,
    'echo done',
  );
}

/** How long such a script may take. */
export function runLimitMs(hosts: number, { parallel, timeoutSeconds }: RemoteRunWish): number {
  const one = timeoutSeconds + killSeconds + 3 * connectSeconds;
  return (Math.ceil(hosts / parallel) * one + 60) * 1000;
}

/** Hosts that one script runs: enough of them that a slow one does not hold up the next many, few enough for one answer. */
export function chunksOf<T>(items: readonly T[], parallel: number): T[][] {
  const size = Math.min(128, 4 * parallel);
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}

export type Outcome = 'ran' | 'failed' | 'refused' | 'unreachable' | 'timed out' | 'not hailed' | 'unclear';

/** What became of one host. */
export interface HostRun {
  readonly host: string;
  readonly outcome: Outcome;
  /** Key of `reasons`; null where it ran. */
  readonly reason: Reason | null;
  /** Of the command over there; null where it is not known (generation 2 does not tell). */
  readonly exitCode: number | null;
  readonly milliseconds: number | null;
  /** What the agent says it changed. */
  readonly changes: readonly string[];
  /** What the agent complains of, or what the command printed instead of running it. */
  readonly errors: readonly string[];
  /** More came than was kept. */
  readonly cut: boolean;
}

/** Why a host did not run, in a sentence, and the fix; HOST and MEMBER stand for the hosts at both ends. */
export const reasons = {
  status: ['failed', 'the agent ended with an error', 'on HOST: cf-agent -KI, or cfagent -q -K -I, says why'],
  failsafe: [
    'failed',
    'its policy does not parse: the agent went to its failsafe policy',
    'cf-promises on HOST, and on the policy',
  ],
  admission: [
    'refused',
    'it does not admit remote runs from MEMBER: no access to its cfruncommand, no such command, or not this user',
    'csync sync HOST --from another member tells whether it is the address; then the access rules and allowusers of HOST',
  ],
  connects: [
    'refused',
    'it closes connections from MEMBER',
    'allowconnects and allowallconnects of HOST, and its limit of connections',
  ],
  'key-there': ['refused', 'it does not know the key of MEMBER', "the public key of MEMBER belongs into HOST's ppkeys"],
  'key-here': ['refused', 'MEMBER does not know its key', "the public key of HOST belongs into MEMBER's ppkeys"],
  role: ['refused', 'it does not let MEMBER define classes', 'roles of HOST, or no --define'],
  class: ['refused', 'it has none of the classes that were asked for', 'no --define'],
  silent: ['unreachable', 'neither it nor its port answers', 'is HOST up, is a firewall between? csync check'],
  closed: ['unreachable', 'nobody listens on its port', 'on HOST: /usr/local/sbin/csync-cfservd start, or the init script'],
  'no-address': ['unreachable', 'MEMBER does not know its name', 'getent hosts HOST   on MEMBER'],
  connect: ['unreachable', 'no connection came about', 'csync check; on HOST: is the daemon up?'],
  time: ['timed out', 'no end within the time limit; the agent may still run there', 'csync sync HOST --timeout 30m'],
  'no-list': ['not hailed', 'MEMBER has no cfrun.hosts, and cfrun hails nobody else', 'an agent run on MEMBER fetches it'],
  'not-listed': [
    'not hailed',
    'it is not in cfrun.hosts of MEMBER, and cfrun hails nobody else',
    'enter it in the master copy of cfrun.hosts',
  ],
  'no-key': [
    'not hailed',
    'MEMBER has no key of it, and cfrun would ask a terminal for ever',
    "root-<address of HOST>.pub belongs into MEMBER's ppkeys",
  ],
  name: ['not hailed', 'that is no name of a host', 'letters, digits, dots and dashes'],
  lost: ['unclear', 'MEMBER did not tell what became of it', 'csync sync HOST'],
  words: ['unclear', 'what it said is not known here', 'csync sync HOST --json has its words'],
} as const satisfies Readonly<Record<string, readonly [outcome: Outcome, text: string, remedy: string]>>;
export type Reason = keyof typeof reasons;

/** Reads what runScript printed, also where it was cut short; a host it does not tell of is lost. */
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

/** Tried with 3.21 (test/recorded/cf-runagent); the first that is found counts. */
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

/** Lines as "ADDRESS> -> words of the agent", at the end "ADDRESS> (exit code: N)" [cfengine.md 2.10]. */
function readRunagent(text: string): Read {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const agent = lines.flatMap((line) => /^\S+> -> (.*)$/.exec(line)?.[1] ?? []);
  const errors = agent.flatMap((line) => /^\s*error: (.*)$/.exec(line)?.[1] ?? []);
  // One that is copied is told of three times: copied, moved, updated.
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

/** The agent's lines stand between two lines of dashes; without the second one it did not come to its end. */
function readCfrun(text: string): Read {
  const [head = '', agent = '', ...behind] = text.split(/^(?:- ){5,}-?\s*$/m);
  const lines = (part: string): string[] => part.split('\n').filter((line) => line.trim() !== '');
  if (behind.length > 0) return { outcome: 'ran', reason: null, exitCode: null, changes: lines(agent), errors: [] };
  const [, reason] = cfrunWords.find(([pattern]) => pattern.test(head)) ?? [];
  if (reason !== undefined) return withReason(reason, [...new Set(lines(head))].slice(0, 20));
  return withReason(/Hailing/.test(head) ? 'words' : 'not-listed', [...lines(head), ...lines(agent)]);
}

const mostNames = 10;

/** Counts, who changed what, and for each kind of failure who, why and the fix. */
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
