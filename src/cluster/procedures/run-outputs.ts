/** Reads the output of a remote run: outcome, reason, fix. Pure. */
import type { Settings } from '../../settings/settings.ts';

export type Outcome = 'ran' | 'failed' | 'refused' | 'unreachable' | 'timed out' | 'not run' | 'unclear';

export interface HostRun {
  readonly host: string;
  readonly outcome: Outcome;
  /** null: the agent ran. */
  readonly reason: Reason | null;
  /** null: unknown (generation 2). */
  readonly exitCode: number | null;
  readonly milliseconds: number | null;
  readonly changes: readonly string[];
  /** The agent's, or the output of a failed run. */
  readonly errors: readonly string[];
  /** Of reports promises; none with generation 2. */
  readonly reports: readonly string[];
  readonly cut: boolean;
}

/** Outcome, reason, fix; HOST and MEMBER stand for the hosts. */
export const reasons = {
  status: ['failed', 'the agent failed', 'on HOST: cf-agent -KI, or cfagent -q -K -I   (prints the error)'],
  failsafe: [
    'failed',
    'its policy does not parse: the agent used its failsafe policy',
    'run cf-promises on HOST, and on the policy',
  ],
  syntax: [
    'failed',
    'its policy does not parse: the agent stopped there',
    'on HOST: cfagent -p   (names the line). With a broken update.conf it fetches nothing: repair that file on HOST by hand',
  ],
  'no-file': [
    'failed',
    'its policy imports a file that it cannot open: the agent stopped there',
    'csync sync HOST --json   (names the file); then publish it, or remove the import',
  ],
  'no-policy': [
    'failed',
    'it has no cfagent.conf, so that its agent had nothing to do',
    'csync client sync HOST   (writes the policy; for a member: csync members sync)',
  ],
  'master-key': [
    'failed',
    'its agent and the master did not accept each other, so that it fetched nothing',
    'csync keys verify   (compares the keys), then csync client sync HOST (for a member: csync members sync)',
  ],
  'master-away': [
    'failed',
    'its agent had no connection to the master, so that it fetched nothing',
    'csync status   (does the master serve?), then check on HOST that the name of the master resolves',
  ],
  'master-busy': [
    'failed',
    'the master had too many connections, so that its agent fetched nothing',
    'csync sync HOST, later; or raise MaxConnections in cfservd.conf',
  ],
  clock: [
    'failed',
    'its clock and that of the master are more than an hour apart: the master serves it nothing',
    'run chronyd or ntpd on both hosts; csync check reports the clocks of the members',
  ],
  'cut-off': [
    'failed',
    'the connection of its agent to the master was closed: the agent stopped there',
    'csync sync HOST   (runs it again)',
  ],
  admission: [
    'refused',
    'it denies remote runs from MEMBER: no access to its cfruncommand, no such command, or this user is not allowed',
    'csync sync HOST --from OTHER-MEMBER   (shows whether the address is the reason); then check the access rules and allowusers of HOST',
  ],
  connects: [
    'refused',
    'it closes connections from MEMBER',
    'csync sync HOST   (cfservd closes the first connection after a change of its rules); else check allowconnects and allowallconnects of HOST, and its limit of connections',
  ],
  busy: ['refused', 'its daemon has too many connections', 'csync sync HOST, later; or raise MaxConnections in its cfservd.conf'],
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
  directive: [
    'not run',
    'cfrun takes its line in cfrun.hosts of MEMBER for a setting of its own, by the beginning of the name',
    'write its address there instead of its name, in the master copy of cfrun.hosts',
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

type Read = Pick<HostRun, 'outcome' | 'reason' | 'exitCode' | 'changes' | 'errors' | 'reports'>;

function withReason(reason: Reason, errors: readonly string[], more: Partial<Read> = {}): Read {
  return { outcome: reasons[reason][0], reason, exitCode: null, changes: [], errors, reports: [], ...more };
}

/** Of 3.21 (test/recorded/cf-runagent); the first match counts. */
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

/** "ADDRESS> -> words of the agent", then "ADDRESS> (exit code: N)" [cfengine.md 2.10]. */
export function readRunagent(text: string): Read {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const agent = lines.flatMap((line) => /^\S+> -> (.*)$/.exec(line)?.[1] ?? []);
  const errors = agent.flatMap((line) => /^\s*error: (.*)$/.exec(line)?.[1] ?? []);
  const reports = agent.flatMap((line) => /^R: (.*)$/.exec(line)?.[1] ?? []);
  // Reported three times: copied, moved, updated.
  const changes = agent
    .flatMap((line) => /^\s*info: (.*)$/.exec(line)?.[1] ?? [])
    .filter(
      (line) =>
        !/\.cfnew'|\/state\/csync_stage'|^(Executing|Completed execution|Using|Last \d+ quoted|Unable to|No server)/.test(line),
    );
  const exit = /^\S+> \(exit code: (\d+)\)$/m.exec(text)?.[1];
  if (exit === undefined) {
    const [, reason = 'words'] = runagentWords.find(([pattern]) => pattern.test(text)) ?? [];
    return withReason(reason, lines, { changes, reports });
  }
  const exitCode = Number(exit);
  const found = { exitCode, changes, reports };
  if (errors.some((line) => line.includes('going to failsafe'))) return withReason('failsafe', errors, found);
  if (exitCode !== 0) return withReason('status', errors, found);
  return { outcome: 'ran', reason: null, errors, ...found };
}

/** Before an agent, or instead [cfengine.md 1.11, 1.13]; the first match counts. */
const cfrunWords: readonly (readonly [RegExp, Reason])[] = [
  [/Please reply yes or no/, 'key-here'],
  [/No response hailing|Couldn't open a socket/, 'connect'],
  [/Unable to lookup/, 'no-address'],
  [/too busy/, 'busy'],
  [/key could not be accepted on trust|keys did not match/, 'key-there'],
  // It cannot decrypt for the key stored here.
  [/(?:Unspecified server refusal|Challenge response)[\s\S]*Key-authentication for \S+ failed/, 'key-here'],
  [/Protocol transaction broken off/, 'connects'],
  [/Key-authentication for \S+ failed/, 'key-there'],
  [/Unspecified server refusal/, 'admission'],
  [/nothing relevant to do here/, 'class'],
  [/^\s*$/, 'not-listed'],
  // Only cfrun's header: the connection was closed.
  [/^cfrun\(\d+\): +\.+ \[ Hailing \S+ \] \.+\s*$/, 'connects'],
];

/** The agent's own status is unknown [cfengine.md 1.9, 1.13]. */
const agentWords: readonly (readonly [RegExp, Reason])[] = [
  [/nothing relevant to do here/, 'class'],
  [/no cfrunCommand defined|^Unable to run /m, 'admission'],
  [/: syntax error *$|Execution terminated after parsing/m, 'syntax'],
  [/Can't open file/, 'no-file'],
  [/actionsequence is empty/, 'no-policy'],
  [/Clocks are too far unsynchronized/, 'clock'],
  [/Received signal /, 'cut-off'],
];

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

/** The agent's output is between two lines of dashes; without the second it did not finish. */
export function readCfrun(text: string, settings: Settings): Read {
  const [head = '', agent, ...behind] = text.split(/^(?:- ){5,}-?\s*$/m);
  if (agent !== undefined)
    return behind.length > 0 ? readAgent2(agent, settings) : withReason('words', [...linesOf(head), ...linesOf(agent)]);
  const [, reason = 'words'] = cfrunWords.find(([pattern]) => pattern.test(head)) ?? [];
  return withReason(reason, [...new Set(linesOf(head))].slice(0, 20));
}

const inEachRun = /^(?:(?:Executing|Finished) script |Tidy directory \S+ cannot be accessed|cfservd Executing )/;
const isError =
  /^(?:BAD:|Warning:|cf:|\(CFINPUTS|Exec request|Hello |\w+: .*(?:denied|No such))|syntax error|terminated after parsing|[Cc]an'?t |[Cc]annot |[Cc]ouldn't |Unable to |failed|Not authorized|Undefined|broken off|Received signal|is empty|have not yet been set up/;

/**
 * The agent's lines begin "cfengine:HOST: "; lines of commands between them report no changes. cfrun drops what follows BAD:, and prints a
 * part of the prefix twice.
 */
function readAgent2(text: string, { packageDnsName, packageAddress }: Settings): Read {
  const own = linesOf(text).filter((line) => !/^cfengine:[^:\s]*:\S.{0,14}: /.test(line));
  const lines = own
    .map((line) => line.replace(/^(?:\S{0,40}: )?cfengine:[^:\s]*: ?/, '').trim())
    .filter((line) => line !== '' && !inEachRun.test(line));
  const errors = [...new Set(lines.filter((line) => isError.test(line)))];
  const changes = lines.filter((line) => !isError.test(line));
  const found = agentWords.find(([pattern]) => pattern.test(own.join('\n')))?.[1] ?? null;
  const reason = found ?? masterReason(errors, [packageDnsName, packageAddress]);
  if (reason !== null) return withReason(reason, errors, { changes });
  return { outcome: 'ran', reason: null, exitCode: null, changes, errors, reports: [] };
}

function masterReason(errors: readonly string[], masters: readonly string[]): Reason | null {
  const of = (pattern: RegExp): boolean => errors.some((line) => masters.includes(pattern.exec(line)?.[1] ?? ''));
  const isRefused = of(/^Authentication dialogue with (\S+) failed/);
  if (isRefused && errors.some((line) => /too busy/.test(line))) return 'master-busy';
  if (isRefused) return 'master-key';
  return of(/^Unable to establish connection with (\S+)/) ? 'master-away' : null;
}
