/**
 * How cfengine's daemons come up with a host, member or client, and what of it is installed there. The unit of systemd and
 * the init script call one small script, whose words for "start the daemon" are the adapter's; none of them belongs to the
 * package, which starts and ends the daemon itself [cfengine.md 3.2, 3.3]. Pure: text in, text out.
 */

import { shellWord } from '../../base/shell-word.ts';
import { adapterFor } from '../../cfengine/adapter.ts';
import { sha256 } from '../../contract/package-directory.ts';
import { announceFunction } from '../../contract/restart-notice.ts';
import type { Settings } from '../../settings/settings.ts';
import { hostScript, receiveLines } from '../remote/shell-text.ts';

/** A file of a host, outside of the package directory. */
export interface BootFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

/** DSAU's variables for the start [dsau-csync.md 4.2, 9]. Its other variables are not known; what else stands there stays. */
export const configuredFile = '/etc/rc.config.d/cfservd';
/** Ours: both ways to start go through it. */
export const daemonScript = '/usr/local/sbin/csync-cfservd';
export const unitName = 'csync-cfservd.service';
const unitFile = `/etc/systemd/system/${unitName}`;
/** DSAU's on HP-UX is /sbin/init.d/cfservd; its name on Linux was not found [dsau-csync.md 9]. */
export const initScript = '/etc/init.d/cfservd';
/** Units that were masked by us, a line each, so that only these are given back. */
const maskedFile = '/var/lib/csync/masked-units';

/** Units of the distribution that would start a second daemon, and start it again whenever the package ends it [cfengine.md 2.1]. */
const foreignUnits: Readonly<Record<Settings['cfengineGeneration'], readonly string[]>> = {
  2: [],
  3: ['cf-serverd.service', 'cf-execd.service'],
};

/** A word of the shell may be quoted in parts. */
const setting = /^([ \t]*(?:export[ \t]+)?CSYNC_CONFIGURED=)(?:"[^"\n]*"|'[^'\n]*'|[^ \t#;"'\n])*/gm;

/** A text of configuredFile with CSYNC_CONFIGURED set; every other line, and what stands behind the value, is left alone. */
export function withConfigured(text: string | null, value: '0' | '1'): string {
  if (text === null || text === '') return `CSYNC_CONFIGURED=${value}\n`;
  const changed = text.replace(setting, `$1${value}`);
  if (text.search(setting) !== -1) return changed;
  return `${text}${text.endsWith('\n') ? '' : '\n'}CSYNC_CONFIGURED=${value}\n`;
}

/** Lines of a script that do to the host's own file what withConfigured does to a text; the file is old or new, never half. */
export function configuredLines(value: '0' | '1'): string[] {
  const file = configuredFile;
  const fresh = `${file}.csync-new`;
  const name = 'CSYNC_CONFIGURED=';
  const pattern = `^([ \\t]*(export[ \\t]+)?${name})("[^"]*"|'[^']*'|[^ \\t#;"'])*`.replaceAll('\\t', '\t');
  return [
    `mkdir -p -m 755 -- ${file.slice(0, file.lastIndexOf('/'))}`,
    `rm -f -- ${fresh}`,
    // The copy keeps mode and owner.
    `if [ -f ${file} ]; then cp -p -- ${file} ${fresh}; else : > ${fresh}; chmod 644 ${fresh}; fi`,
    `if grep -q -E ${shellWord(`^[ \t]*(export[ \t]+)?${name}`)} ${fresh}; then`,
    `  sed -E ${shellWord(`s/${pattern}/\\1${value}/`)} ${file} > ${fresh}`,
    'else',
    `  [ ! -s ${fresh} ] || [ -z "$(tail -c 1 ${fresh})" ] || echo >> ${fresh}`,
    `  echo ${name}${value} >> ${fresh}`,
    'fi',
    `sync ${fresh}`,
    `mv -f -- ${fresh} ${file}`,
  ];
}

const words = (argv: readonly string[]): string => argv.map(shellWord).join(' ');

/**
 * What a host has for the start of its daemons; which of them, follows from whether systemd runs there. The text of
 * configuredFile is that of a host that has none yet.
 */
export function bootFiles(settings: Settings): BootFile[] {
  return [
    { path: daemonScript, mode: 0o755, text: daemonScriptText(settings) },
    { path: unitFile, mode: 0o644, text: unitText() },
    { path: initScript, mode: 0o755, text: initScriptText() },
    { path: configuredFile, mode: 0o644, text: withConfigured(null, '1') },
  ];
}

/** Unit and script depend on the way a host boots; the rest is everywhere. */
const onlyWith: Readonly<Record<string, BootManager>> = { [unitFile]: 'systemd', [initScript]: 'init' };

function daemonScriptText(settings: Settings): string {
  const { programs, daemonName, startDaemon, scheduler, policyCheck } = adapterFor(settings);
  const { cfenginePort } = settings;
  const port = cfenginePort.toString(16).toUpperCase().padStart(4, '0');
  const names = [daemonName, ...(scheduler === null ? [] : [scheduler.name])];
  return `#!/bin/sh
# The daemons of cfengine on this host, for systemd and init alike: start | stop | restart | status | configured
# Written by the csync toolkit, which writes it again: changes belong into ${configuredFile}.
# On the member that runs the package stop is a failure, and the package leaves: csync maintenance on goes before. restart is
# told to the package's monitor beforehand and is none.
# Exit status as the LSB has it: 0 done, or runs; 1 failed; 2 usage; 3 does not run; 4 cannot tell, or not root; 5 not installed;
# 6 not configured. Neither pid files nor exit statuses of cfengine are believed; processes and the port are.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
cd / || exit 1

configured() {
  [ -r ${configuredFile} ] && ( CSYNC_CONFIGURED=0; . ${configuredFile} && [ "$CSYNC_CONFIGURED" = 1 ] )
}

# Pids of NAME in this host's own namespaces: those of containers are seen from here, too. No zombies, and what others than
# root run may be called what it likes.
processes() {
  for directory in /proc/[0-9]*; do
    { read -r name < "$directory/comm" && read -r line < "$directory/stat"; } 2>/dev/null || continue
    [ "$name" = "$1" ] || continue
    line=\${line##*) }
    case $line in [ZX]*) continue ;; esac
    grep -q '^Uid:[[:space:]]*0[[:space:]]' "$directory/status" 2>/dev/null || continue
    for kind in pid net; do
      there=$(readlink "$directory/ns/$kind")
      [ -z "$there" ] || [ "$there" = "$(readlink /proc/self/ns/$kind)" ] || continue 2
    done
    echo "\${directory#/proc/}"
  done
}

# Somebody listens on port ${cfenginePort}.
listening() {
  grep -q -s -i ':${port} [0-9A-F]*:0000 0A ' /proc/net/tcp /proc/net/tcp6
}

serves() { [ -n "$(processes ${daemonName})" ] && listening; }

# Waits up to 10 s for a state.
await() {
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ $tries -le 100 ] || return 1
    sleep 0.1
  done
}

say() { echo "csync-cfservd: $*"; }
problem() { say "$@" >&2; }

# With nothing of ours but a path, and nothing open: a daemon would keep what its caller left open. Shells close what has one
# digit; bash, where there is one, the rest.
begin() {
  set -- env -i PATH="$PATH" LC_ALL=C "$@"
  if command -v bash > /dev/null; then
    set -- env -i PATH="$PATH" LC_ALL=C bash -c '
      for open in /proc/self/fd/*; do open=\${open##*/}; [ "$open" -le 2 ] || eval "exec $open>&-"; done
      exec "$@"' bash "$@"
  fi
  "$@" < /dev/null > /dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- || :
}

start_daemon() {
  running=$(processes ${daemonName})
  if [ -n "$running" ]; then
    await listening && { say "${daemonName} runs already (pid $(echo $running))"; return 0; }
    problem "${daemonName} runs (pid $(echo $running)) and does not listen on port ${cfenginePort}; $0 restart ends and starts it"
    return 1
  fi
  listening && { problem "another program listens on port ${cfenginePort}: ss -ltnp 'sport = :${cfenginePort}'"; return 1; }
  begin ${words(startDaemon)}
  await serves && { say "${daemonName} runs (pid $(echo $(processes ${daemonName})))"; return 0; }
  problem "${daemonName} did not come up within 10 s; ${words(policyCheck)} says:"
  timeout 30 ${words(policyCheck)} 2>&1 < /dev/null | tail -n 5 >&2
  return 1
}
${
  scheduler === null
    ? ''
    : `
start_scheduler() {
  [ -z "$(processes ${scheduler.name})" ] || return 0
  begin ${words(scheduler.start)}
  runs() { [ -n "$(processes ${scheduler.name})" ]; }
  await runs && { say "${scheduler.name} runs"; return 0; }
  problem "${scheduler.name} did not come up within 10 s: the agent does not run by itself here"
  return 1
}
`
}
start() {
  configured || { problem "CSYNC_CONFIGURED is not 1 in ${configuredFile}: nothing is started"; return 6; }
  [ -x ${shellWord(programs.daemon)} ] || { problem "${programs.daemon} cannot be executed"; return 5; }
  start_daemon${scheduler === null ? '' : ' && start_scheduler'}
}

# TERM, and KILL after 5 s: a signal handler of cfengine may hang.
end() {
  gone() { [ -z "$(processes "$end_of")" ]; }
  end_of=$1
  gone && return 0
  kill -TERM $(processes "$1") 2>/dev/null
  tries=0
  until gone; do
    tries=$((tries + 1))
    [ $tries -ne 50 ] || kill -KILL $(processes "$1") 2>/dev/null
    [ $tries -le 100 ] || { problem "$1 cannot be ended"; return 1; }
    sleep 0.1
  done
  say "$1 ended"
}

${announceFunction(settings.packageName)}

stop() {
${[...names]
  .reverse()
  .map((name) => `  end ${name} || return 1`)
  .join('\n')}
}

status() {
  running=$(processes ${daemonName})
  [ -n "$running" ] || { say "${daemonName} does not run"; return 3; }
  listening || { say "${daemonName} runs (pid $(echo $running)), but nobody listens on port ${cfenginePort}"; return 4; }
${
  scheduler === null
    ? ''
    : `  [ -n "$(processes ${scheduler.name})" ] || { say "${daemonName} runs (pid $(echo $running)), ${scheduler.name} does not"; return 3; }
`
}  say "${names.join(' and ')} run${names.length === 1 ? 's' : ''} (pid $(echo $running))"
}

# One at a time; only root can do it.
alone() {
  [ "$(id -u)" = 0 ] || { problem "$1 needs root"; exit 4; }
  exec 9> /run/csync-cfservd.lock && flock -w 60 9 || { problem 'another start or stop does not end'; exit 1; }
}

main() {
  case \${1-} in
    start) alone start; start ;;
    stop) alone stop; stop ;;
    restart) alone restart; configured || { start; return; }; announce $(processes ${daemonName}); stop && start ;;
    status) status ;;
    configured) configured ;;
    *) echo "usage: $0 start | stop | restart | status | configured" >&2; return 2 ;;
  esac
}
main "$@"
`;
}

/**
 * Why it looks so: DECISIONS, "boot start". Nothing here makes a mount namespace, and nothing binds what agents that are
 * started by remote runs may do.
 */
function unitText(): string {
  return `# Written by the csync toolkit, which writes it again; systemctl edit ${unitName} makes changes that stay.
[Unit]
Description=Daemons of cfengine (csync)
After=network-online.target nss-lookup.target time-sync.target syslog.target
Wants=network-online.target

[Service]
# Started once and then left alone: the package ends and starts the daemon by itself, and its monitor has to see it die.
Type=oneshot
RemainAfterExit=yes
Restart=no
# Agents of remote runs live on here when the daemon ends.
KillMode=process
# One of them that runs out of memory is no reason to end the daemon.
OOMPolicy=continue
IgnoreSIGPIPE=no
ExecCondition=${daemonScript} configured
ExecStart=${daemonScript} start
# What is missing is started, what runs is left alone.
ExecReload=${daemonScript} start
# At a shutdown the daemon goes last, with everything that is left: before that, its end would be a failure of the package.
ExecStop=/bin/sh -c '[ "$$(systemctl is-system-running)" = stopping ] || exec ${daemonScript} stop'
TimeoutStartSec=120
TimeoutStopSec=120
# Keys: nothing readable by others, no core files.
UMask=0077
LimitCORE=0
LimitNOFILE=4096

[Install]
WantedBy=multi-user.target
`;
}

function initScriptText(): string {
  // No stop at a shutdown: see the unit.
  return `#!/bin/sh
# Written by the csync toolkit, which writes it again.
# chkconfig: 2345 90 10
# description: daemons of cfengine (csync)
### BEGIN INIT INFO
# Provides:          cfservd
# Required-Start:    $local_fs $remote_fs $network $named $syslog $time
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:
# Short-Description: daemons of cfengine (csync)
# Description:       Starts the daemons of cfengine where CSYNC_CONFIGURED is 1 in ${configuredFile}.
### END INIT INFO
exec ${daemonScript} "$@"
`;
}

type BootManager = 'systemd' | 'init';

/** Sets $manager. */
const managerLine = 'if [ -d /run/systemd/system ]; then manager=systemd; else manager=init; fi';

/**
 * Installs the start of the daemons on a host, or takes it away. Nothing is started or ended by either: see
 * startScript; who wants the daemons ended calls the init script or the unit before a removal. Can be run again after it
 * was killed anywhere. CSYNC_CONFIGURED is the last word of an installation, and the first of a removal.
 */
export function bootScript(settings: Settings, wish: 'install' | 'remove'): string {
  const foreign = words(foreignUnits[settings.cfengineGeneration]);
  const head = ['set -eu', 'umask 022', managerLine, 'exec 9> /run/csync-boot.lock', 'flock -w 60 9'];
  if (wish === 'remove')
    return hostScript(
      ...head,
      `if [ -f ${configuredFile} ]; then`,
      ...configuredLines('0'),
      'fi',
      `if [ $manager = systemd ] && [ -f ${unitFile} ]; then systemctl disable ${unitName}; fi`,
      `if [ -f ${initScript} ]; then`,
      '  if command -v chkconfig >/dev/null; then chkconfig --del cfservd; fi',
      'fi',
      `rm -f -- ${unitFile} ${initScript} ${daemonScript}`,
      'if command -v update-rc.d >/dev/null; then update-rc.d cfservd remove; fi',
      'if [ $manager = systemd ]; then',
      `  if [ -f ${maskedFile} ]; then`,
      `    while read -r unit; do systemctl unmask "$unit"; done < ${maskedFile}`,
      `    rm -f -- ${maskedFile}`,
      '  fi',
      '  systemctl daemon-reload',
      'fi',
    );
  const files = bootFiles(settings).filter(({ path }) => path !== configuredFile);
  return hostScript(
    ...head,
    ...files.flatMap(writeLines),
    'if [ $manager = systemd ]; then',
    ...(foreign === ''
      ? []
      : [
          `  for unit in ${foreign}; do`,
          '    state=$(systemctl is-enabled "$unit" 2>/dev/null) || :',
          "    case $state in '' | not-found | masked*) continue ;; esac",
          `    mkdir -p -m 755 ${maskedFile.slice(0, maskedFile.lastIndexOf('/'))}`,
          // Told before it is done: a unit that is masked and not told of would stay so.
          `    grep -q -s -x -F "$unit" ${maskedFile} || echo "$unit" >> ${maskedFile}`,
          '    systemctl mask "$unit"',
          '  done',
        ]),
    '  systemctl daemon-reload',
    `  systemctl enable ${unitName}`,
    'elif command -v update-rc.d >/dev/null; then update-rc.d cfservd defaults',
    'elif command -v chkconfig >/dev/null; then chkconfig --add cfservd',
    `else echo "neither update-rc.d nor chkconfig is here: enter ${initScript} into the runlevels by hand" >&2; exit 1`,
    'fi',
    ...configuredLines('1'),
  );
}

/** Old or new, never half; only where it belongs to the way the host boots. */
function writeLines({ path, mode, text }: BootFile): string[] {
  const fresh = `${path}.csync-new`;
  const manager = onlyWith[path];
  const lines = [
    `mkdir -p -m 755 -- ${path.slice(0, path.lastIndexOf('/'))}`,
    `rm -f -- ${fresh}`,
    ...receiveLines(fresh, Buffer.from(text)),
    `echo ${sha256(text)}  ${fresh} | sha256sum -c --quiet - >&2`,
    `chmod ${mode.toString(8)} ${fresh}`,
    `sync ${fresh}`,
    `mv -f -- ${fresh} ${path}`,
  ];
  return manager === undefined ? lines : [`if [ $manager = ${manager} ]; then`, ...lines, 'fi'];
}

/**
 * Starts what does not run of the daemons on a host where the start is installed, and leaves what runs alone. Through
 * systemd where that is, so that they do not belong to the session this came in by. Status 3: they do not run.
 */
export function startScript(): string {
  return hostScript(
    managerLine,
    'if [ $manager = systemd ]; then',
    // Started already, it is a reload, which starts what is missing.
    `  systemctl reload-or-restart ${unitName} || systemctl --no-pager --lines 10 status ${unitName} >&2`,
    `else ${daemonScript} start`,
    'fi',
    `${daemonScript} status`,
  );
}

export interface BootState {
  readonly manager: BootManager;
  /** Value of CSYNC_CONFIGURED as a shell reads it; null: not there. */
  readonly configured: string | null;
  /** Of the files that belong to this host's way to boot, those that are missing or other than wanted. */
  readonly stale: readonly string[];
  /** systemd or init starts it. */
  readonly enabled: boolean;
  /** Units of the distribution that would start a second daemon. */
  readonly foreign: readonly string[];
}

/** Lines of a script that print what parseBoot reads; for any user. */
export function bootLookLines(settings: Settings): string[] {
  const foreign = words(foreignUnits[settings.cfengineGeneration]);
  return [
    managerLine,
    'echo "manager $manager"',
    `[ -r ${configuredFile} ] && ( CSYNC_CONFIGURED=; . ${configuredFile} && echo "configured $CSYNC_CONFIGURED" )`,
    `for file in ${words(Object.keys(onlyWith))} ${daemonScript}; do`,
    '  [ -f "$file" ] && echo "file $(stat -c %a -- "$file") $(sha256sum < "$file" | cut -c 1-64) $file"',
    'done',
    'if [ $manager = systemd ]; then',
    `  [ "$(systemctl is-enabled ${unitName} 2>/dev/null)" = enabled ] && echo enabled`,
    ...(foreign === ''
      ? []
      : [
          `  for unit in ${foreign}; do`,
          '    case $(systemctl is-enabled "$unit" 2>/dev/null) in "" | not-found | masked* | disabled*) ;; *) echo "foreign $unit" ;; esac',
          '  done',
        ]),
    'else',
    '  for link in /etc/rc[2345].d/S*cfservd /etc/rc.d/rc[2345].d/S*cfservd; do [ -e "$link" ] && echo enabled && break; done',
    'fi',
    'echo looked',
  ];
}

/** Whether the daemons start with the host as the toolkit has it. Without systemd nothing but the links of init tells it. */
export function startsAtBoot(state: BootState | null): boolean {
  if (state === null || state.configured !== '1' || state.stale.length > 0 || state.foreign.length > 0) return false;
  return state.enabled || state.manager === 'init';
}

/** Reads what bootLookLines printed; null when it is not that. */
export function parseBoot(output: string, settings: Settings): BootState | null {
  const lines = output.split('\n');
  const [, manager] = /^manager (systemd|init)$/m.exec(output) ?? [];
  if (manager === undefined || !lines.includes('looked')) return null;
  const found = new Map(
    [...output.matchAll(/^file ([0-7]+) ([0-9a-f]{64}) (.+)$/gm)].map(([, mode = '', digest, path]) => [
      path,
      `${Number.parseInt(mode, 8)} ${digest}`,
    ]),
  );
  const wanted = bootFiles(settings).filter(({ path }) => path !== configuredFile && (onlyWith[path] ?? manager) === manager);
  return {
    manager: manager as BootManager,
    configured: /^configured (.*)$/m.exec(output)?.[1] ?? null,
    stale: wanted.filter(({ path, mode, text }) => found.get(path) !== `${mode} ${sha256(text)}`).map(({ path }) => path),
    enabled: lines.includes('enabled'),
    foreign: lines.flatMap((line) => /^foreign (\S+)$/.exec(line)?.[1] ?? []),
  };
}
