/**
 * The agent on other hosts, by cf-runagent or cfrun on a member. cfrun exits with 0, has no limit, and without a key asks a closed terminal
 * for ever [cfengine.md 1.11]. cf-runagent has one limit for connection and silence (3.21). Pure.
 */
import { shellWord } from '../../base/shell-word.ts';
import { columns } from '../../base/tables.ts';
import { adapterFor } from '../../cfengine/adapter.ts';
import type { RosterHost } from '../../contract/roster.ts';
import { cfrunSetting, cfrunWord } from '../../render/policy.ts';
import type { Settings } from '../../settings/settings.ts';
import { hostScript } from '../remote/shell-text.ts';
import { type HostRun, type Outcome, type Reason, readCfrun, readRunagent, reasons } from './run-outputs.ts';

export interface RemoteRunWish {
  readonly parallel: number;
  readonly timeoutSeconds: number;
  readonly classes: readonly string[];
  /** Generation 3: only hosts with one of these classes run it. */
  readonly select?: readonly string[];
}

const connectSeconds = 10;
const killSeconds = 5;
/** Kept bytes of output, and how many more before the run is killed: cfrun repeats its question without end. */
const keptBytes = 49_152;
const droppedBytes = 16 * 1024 * 1024;
/** Bytes of base64: a pipe keeps such lines whole. */
const pieceLength = 3000;
/** Of a longer output the end is kept as well: it has the agent's status. */
const lastBytes = (pieceLength / 4) * 3;

const safe = /^[A-Za-z0-9][A-Za-z0-9.-]*$/;
export const isClassName = (text: string): boolean => /^[A-Za-z_]\w*$/.test(text);

/** Uses $address, $name and $port of the script. */
function remoteRunWords(settings: Settings, { timeoutSeconds, classes, select = [] }: RemoteRunWish): string {
  const { generation, programs } = adapterFor(settings);
  const program = shellWord(programs.run);
  if (generation === 3)
    return [
      `${program} -H "$address:${settings.cfenginePort}" -t ${timeoutSeconds}`,
      ...(classes.length === 0 ? [] : [`-D ${classes.join(',')}`]),
      ...(select.length === 0 ? [] : [`-s ${select.join(',')}`]),
    ].join(' ');
  // Behind --: for the agent [cfengine.md 1.11]; never -T, which trusts unknown keys. Without an option a silent agent looks like a closed
  // connection.
  return `${program} "$listed" -- ${['--inform', ...classes.map((name) => `-D${name}`)].join(' ')}`;
}

export function remoteRunText(settings: Settings, host: RosterHost, wish: RemoteRunWish): string {
  return remoteRunWords(settings, wish)
    .replace('"$address:', `${host.addresses[0] ?? host.name}:`)
    .replace('"$listed"', cfrunWord(host, settings))
    .replace('"', '');
}

/**
 * Takes the word from cfrun's file: cfrun skips one that is not the first of its line, with port and without domain, and lines that begin
 * like its settings [cfengine.md 1.13].
 */
function generation2Guards({ cfengineWorkDirectory: work }: Settings): string[] {
  const find = [
    `{ own = /${cfrunSetting.source}/ }`,
    'own && $2 == "=" { if ($1 == "domain") domain = $3',
    '  file = dir $3; if ($1 == "include" && ARGC < 16 && (getline line < file) >= 0) { close(file); ARGV[ARGC++] = file }; next }',
    '/^[ \\t]*(#|$)/ { next }',
    '{ host = $1; sub(/:[0-9]+$/, "", host); full = host ~ /[.]/ || domain == "" ? host : host "." domain',
    '  if (host != name && full != name && full != name "." domain && host != address) next',
    '  if (own) swallowed = 1; else { print $1; found = 1; exit } }',
    'END { if (swallowed && !found) print "=" }',
  ].join('\n');
  return [
    `list=${shellWord(`${work}/inputs/cfrun.hosts`)}`,
    '[ -f "$list" ] || { echo "skip $i no-list"; exit; }',
    `listed=$(awk -v name="$name" -v address="$address" -v dir="\${list%/*}/" ${shellWord(find)} "$list")`,
    '[ -n "$listed" ] || { echo "skip $i not-listed"; exit; }',
    '[ "$listed" != = ] || { echo "skip $i directive"; exit; }',
    `[ -f ${shellWord(`${work}/ppkeys`)}/root-"$address".pub ] || { echo "skip $i no-key"; exit; }`,
  ];
}

/** Prints the input of parseRuns, within runLimitMs. */
export function runScript(settings: Settings, hosts: readonly RosterHost[], wish: RemoteRunWish): string {
  const { cfenginePort, cfengineGeneration } = settings;
  const runOne = [
    'i=$1 name=$2 address=$3',
    'if [ "$address" = - ]; then',
    // A host may resolve its own name to 127.0.1.1, from which no daemon admits a run.
    '  address=$(timeout 10 getent ahostsv4 "$name" | sed -n "/^127[.]/d; s/ .*//p; q")',
    '  [ -n "$address" ] || { echo "skip $i no-address"; exit; }',
    'fi',
    // Otherwise the programs wait two minutes, or the run's limit. It also takes the connection that cfservd refuses when it rereads
    // cfservd.conf [cfengine.md 1.13].
    'if command -v bash >/dev/null; then',
    `  said=$(timeout ${connectSeconds} bash --norc -c "exec 9<>/dev/tcp/$address/${cfenginePort}" 2>&1) || case $said in`,
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
    `    last=$(head -c ${droppedBytes} | tail -c ${lastBytes} | base64 -w 0)`,
    '    [ -z "$last" ] || echo "cut $i $last" >&3',
    '  }',
    '} 4>&1)',
    'echo "end $i $status $(($(date +%s%3N) - began))"',
  ];
  const lines = hosts.flatMap(({ name, addresses: [address = '-'] }, index) =>
    safe.test(name) && (address === '-' || safe.test(address)) ? [`${index} ${name} ${address}`] : [],
  );
  return hostScript(
    // The pipe keeps the lines of many writers whole.
    `printf '%s\\n' ${lines.map(shellWord).join(' ')} | xargs -P ${wish.parallel} -L 1 sh -c ${shellWord(runOne.join('\n'))} sh | cat`,
    'echo done',
  );
}

export function runLimitMs(hosts: number, { parallel, timeoutSeconds }: RemoteRunWish): number {
  const one = timeoutSeconds + killSeconds + 3 * connectSeconds;
  return (Math.ceil(hosts / parallel) * one + 60) * 1000;
}

/** So small that a slow host delays few others. */
export function chunksOf<T>(items: readonly T[], parallel: number): T[][] {
  const size = Math.min(128, 4 * parallel);
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}

/** The output may be truncated; a host without a result is lost. */
export function parseRuns(output: string, settings: Settings, hosts: readonly RosterHost[]): HostRun[] {
  const pieces = new Map<string, string[]>();
  const rest = new Map<string, readonly string[]>();
  const cut = new Map<string, string>();
  const decoded = (text: string): string => Buffer.from(text, 'base64').toString('utf8');
  /** A whole part begins within a line, with others missing before it. */
  const ending = (text: string): string => (text.length < pieceLength ? decoded(text) : decoded(text).replace(/^.*/, ''));
  for (const line of output.split('\n')) {
    const [word = '', index = '', ...words] = line.split(' ');
    if (word === 'out') {
      const said = pieces.get(index) ?? [];
      said.push(words[0] ?? '');
      pieces.set(index, said);
    }
    if (word === 'cut') cut.set(index, words[0] ?? '');
    if (word === 'skip' || word === 'end') rest.set(index, [word, ...words]);
  }
  return hosts.map(({ name, addresses }, number) => {
    const index = String(number);
    const [word, first = '', took] = rest.get(index) ?? [];
    const base = { host: name, exitCode: null, milliseconds: null, changes: [], errors: [], reports: [], cut: cut.has(index) };
    const without = (reason: Reason): HostRun => ({ ...base, outcome: reasons[reason][0], reason });
    if (!safe.test(name) || !addresses.slice(0, 1).every((address) => safe.test(address))) return without('name');
    if (word === 'skip') return without(Object.hasOwn(reasons, first) ? (first as Reason) : 'lost');
    if (word !== 'end' || !/^\d+$/.test(first)) return without('lost');
    const said = (pieces.get(index) ?? []).map(decoded).join('') + ending(cut.get(index) ?? '');
    const read = settings.cfengineGeneration === 3 ? readRunagent(said) : readCfrun(said, settings);
    const milliseconds = /^\d+$/.test(took ?? '') ? Number(took) : null;
    const limited = (first === '124' || first === '137') && read.outcome !== 'ran';
    return { ...base, ...read, milliseconds, ...(limited ? { outcome: 'timed out', reason: 'time' } : {}) } as const;
  });
}

const mostNames = 10;

/** Counts, changes by host, hosts, reason and fix by kind of failure. */
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
