/** What member scripts and monitor log. A failed step has a code of failures.ts. docs/reference/log.md is generated from this table. */
import type { LogMessage } from '../base/log-line.ts';
import { alertLines, logFaults } from '../host/member/member-log.ts';

/** A sentence with {placeholders}, then the keys of the tail. */
type Row = readonly [text: string, ...keys: readonly string[]];

export const messages = {
  'script-begin': ['{part}: {purpose}.', 'role'],
  'script-complete': ['{part} is complete after {ms} ms. Next: {next}.', 'role', 'exit', 'ms'],
  'script-failed': ['{part} failed after {ms} ms: {next}.', 'role', 'exit', 'ms'],
  'dry-run-complete': ['{part}: the dry run is complete and changed nothing.', 'role', 'exit', 'ms'],
  'internal-error': ['Internal error, please report it: {why}'],
  would: ['Would run: {command}. Reason: {why}.'],

  'settings-sound': ['{directory} is as it was rendered.'],
  'mount-point-free': ['{mount_point} is an empty directory, and nothing is mounted there.'],
  sealed: ['{mount_point} is protected against writing while nothing is mounted there.'],
  installed: ['The programs and keys of cfengine are usable.'],
  'group-active': ['{group} is active on this member.'],
  'group-inactive': ['{group} is not active on this member.'],
  'fsck-clean': ['fsck found no error on {device}, or corrected it.'],
  'fsck-unneeded': ['{device} needs no fsck now.'],
  mounted: ['{device} is mounted at {mount_point}.'],
  unmounted: ['{mount_point} is not mounted on this member.'],
  'address-here': ['{address} is on this member.'],
  'address-removed': ['{address} is not on this member.'],
  'daemon-answers': ['{daemon} runs (pid {pid}) and answers.', 'pid'],
  'daemon-background': ['{daemon} starts in the background: the halt does not wait for it.'],
  'policy-here': ['{directory} exists.'],
  promoted: ['This promotion has epoch {epoch}: its mark is on the policy file system.', 'epoch'],
  'role-proved': ['A request through {address} returned the {path} of this member.'],
  'name-resolves': ['{name} resolves to {address}.'],
  master: ['{member} is the cfengine master for {name} ({address}){after}.', 'epoch', 'from', 'outage_ms'],
  released: ['{daemon} has no file open below {mount_point}.'],
  'not-frozen': ['{mount_point} is not frozen.'],
  thawed: ['{mount_point} was frozen (fsfreeze) and is thawed.'],
  'no-holders': ['No other process uses {mount_point}.'],
  'no-copies': ['No other mount namespace has a copy of {mount_point}.'],
  'clients-closed': ['No client is connected to {address}.'],
  'customer-done': ['{program} {word} succeeded.'],
  'customer-none': ['{program} does not exist: nothing to run.'],
  'customer-skipped': ['{program} halt is skipped: an earlier attempt of this halt was stopped at its time limit.'],
  'service-started': ['{service} is started.'],
  'service-halted': ['{service} is halted.'],

  'options-unwritten': [
    '{file} cannot be written: {why}. The monitor runs with the default options of Node.js, and needs 7 MB more.',
  ],
  'set-unwritten': ['{file} cannot be written: {why}. Halt and monitor use the applied set.'],
  'pending-started': ['{count} pending set-ups: {command} runs in the background and reports to syslog.', 'count'],
  'pending-manual': ['{count} set-ups are pending, and {program} is not installed here. Fix: {command}', 'count'],

  watching: ['The monitor watches {daemon}.', 'pid'],
  verdict: ['{sentence}', 'reason', 'since'],
  'restart-announced': ['{daemon} exits for an announced restart: the monitor waits for the next daemon.'],
  restarting: ['Restarting {daemon} in place, before the package would move: {why}.', 'reason'],
  'restart-unrecorded': ['No restart in place: {file} cannot be written ({why}).'],
  'brake-on': ['{sentence}', 'reason'],
  'brake-off': ['The brake is off: no failure for {seconds} s.'],
  'layer-bad': ['Layer {layer}: {why}.', 'layer'],
  'layer-good': ['Layer {layer}: {why}.', 'layer'],
  'probe-remark': ['{why}.', 'layer'],
  'probe-good': ['{why}.', 'layer'],
  'maintenance-on': [
    '{package} toolkit pausing, monitoring, and entering maintenance mode: until {end}, no failure of the daemon moves the package.',
    'until',
  ],
  'maintenance-off': ['Starting {package} toolkit monitoring again after maintenance.'],
  'maintenance-overdue': [
    'The time of maintenance is over, but it cannot end: {why}. Until then no failure moves the package. Fix: csync maintenance off',
  ],
  'serviceguard-maintenance-off': ['Serviceguard maintenance mode is off: its time was over.'],
  'monitor-replaced': ['{why} and was killed; this one takes its place.'],
  'front-stopped': ['csync-front.pl is stopped or does not answer: the monitor polls the daemon every {ms} ms.'],
  'front-back': ['csync-front.pl runs again: the exit of the daemon is an event.'],
  'report-unwritten': ['{what}: {why}.'],

  // Of csync-front.pl and the launchers.
  'monitor-hung': ['The monitor {why}, and so did the one that replaced it: the service exits, and Serviceguard acts.'],
  'script-stopped': [
    'The script was stopped after {seconds} s: step {step} took {step_seconds} s, the last of it at {file}.',
    'role',
  ],
  'script-crashed': ['The script exited with status {status} at step {step}.', 'role'],
  'script-missing': ['{file} is missing on this member.'],
  'configuration-refused': ['{file} is not read: users other than root could change it.'],

  ...alertLines,
  ...logFaults,
} as const satisfies Readonly<Record<string, Row>>;

type MessageCode = keyof typeof messages;
type Placeholders<Text extends string> = Text extends `${string}{${infer Key}}${infer Rest}` ? Key | Placeholders<Rest> : never;
type Values<Of extends Row> = Of extends readonly [infer Text extends string, ...infer Keys extends readonly string[]]
  ? Readonly<Record<Placeholders<Text> | Keys[number], string | number>>
  : never;

/** With its values filled in. */
export function message<Code extends MessageCode>(code: Code, values: Values<(typeof messages)[Code]>): LogMessage {
  const [text, ...keys]: Row = messages[code];
  const named = (key: string): string | number => (values as Readonly<Record<string, string | number>>)[key] ?? '';
  return {
    code,
    text: text.replaceAll(/\{(\w+)\}/g, (_, key: string) => String(named(key))),
    keys: Object.fromEntries(keys.map((key) => [key, named(key)])),
  };
}

/** Adds `step` as the first key. */
export function ofStep(step: string, { code, text, keys }: LogMessage): LogMessage {
  return { code, text, keys: { step, ...keys } };
}

/** With a capital letter. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
