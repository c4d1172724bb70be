/**
 * How cfengine's daemons come up with a host, member or client, and what of it is installed there. The unit of systemd and
 * the init script call one small script, whose words for "start the daemon" are the adapter's; none of them belongs to the
 * package, which starts and ends the daemon itself [cfengine.md 3.2, 3.3]. Pure: text in, text out.
 */

import { demand } from '../../base/problem.ts';
import { shellWord } from '../../base/shell-word.ts';
import { adapterFor } from '../../cfengine/adapter.ts';
import { sha256 } from '../../contract/package-directory.ts';
import { announceFunction } from '../../contract/restart-notice.ts';
import { fillTemplate, type Template } from '../../render/template.ts';
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
export function bootFiles(settings: Settings, { script, unit, init }: BootTemplates): BootFile[] {
  const filled = (template: Template, values: Record<string, string>): string => demand(fillTemplate(template, values));
  const called = { daemon_script: daemonScript };
  return [
    { path: daemonScript, mode: 0o755, text: filled(script, daemonScriptValues(settings)) },
    { path: unitFile, mode: 0o644, text: filled(unit, { ...called, unit_name: unitName }) },
    { path: initScript, mode: 0o755, text: filled(init, { ...called, configured_file: configuredFile }) },
    { path: configuredFile, mode: 0o644, text: withConfigured(null, '1') },
  ];
}

/** Unit and script depend on the way a host boots; the rest is everywhere. */
const onlyWith: Readonly<Record<string, BootManager>> = { [unitFile]: 'systemd', [initScript]: 'init' };

/** The files of a host's boot start, as templates: the daemons' script, the unit of systemd, the init script. */
export interface BootTemplates {
  readonly script: Template;
  readonly unit: Template;
  readonly init: Template;
}

/** Where they lie among the templates of the toolkit. */
export const bootTemplateNames = {
  script: 'boot/csync-cfservd.sh.tpl',
  unit: 'boot/csync-cfservd.service.tpl',
  init: 'boot/cfservd.init.tpl',
} as const;

function daemonScriptValues(settings: Settings): Record<string, string> {
  const { programs, daemonName, startDaemon, scheduler, policyCheck } = adapterFor(settings);
  return {
    configured_file: configuredFile,
    daemon_name: daemonName,
    daemon_program: shellWord(programs.daemon),
    scheduler_name: scheduler?.name ?? '',
    cfengine_port: String(settings.cfenginePort),
    cfengine_port_hex: settings.cfenginePort.toString(16).toUpperCase().padStart(4, '0'),
    start_daemon: words(startDaemon),
    start_scheduler: words(scheduler?.start ?? ['true']),
    policy_check: words(policyCheck),
    announce_function: announceFunction(settings.packageName),
  };
}

type BootManager = 'systemd' | 'init';

/** Sets $manager. */
const managerLine = 'if [ -d /run/systemd/system ]; then manager=systemd; else manager=init; fi';

/**
 * Installs the start of the daemons on a host, or takes it away. Nothing is started or ended by either: see
 * startScript; who wants the daemons ended calls the init script or the unit before a removal. Can be run again after it
 * was killed anywhere. CSYNC_CONFIGURED is the last word of an installation, and the first of a removal.
 */
export function bootScript(settings: Settings, templates: BootTemplates, wish: 'install' | 'remove'): string {
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
  const files = bootFiles(settings, templates).filter(({ path }) => path !== configuredFile);
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
export function parseBoot(output: string, settings: Settings, templates: BootTemplates): BootState | null {
  const lines = output.split('\n');
  const [, manager] = /^manager (systemd|init)$/m.exec(output) ?? [];
  if (manager === undefined || !lines.includes('looked')) return null;
  const found = new Map(
    [...output.matchAll(/^file ([0-7]+) ([0-9a-f]{64}) (.+)$/gm)].map(([, mode = '', digest, path]) => [
      path,
      `${Number.parseInt(mode, 8)} ${digest}`,
    ]),
  );
  const wanted = bootFiles(settings, templates).filter(
    ({ path }) => path !== configuredFile && (onlyWith[path] ?? manager) === manager,
  );
  return {
    manager: manager as BootManager,
    configured: /^configured (.*)$/m.exec(output)?.[1] ?? null,
    stale: wanted.filter(({ path, mode, text }) => found.get(path) !== `${mode} ${sha256(text)}`).map(({ path }) => path),
    enabled: lines.includes('enabled'),
    foreign: lines.flatMap((line) => /^foreign (\S+)$/.exec(line)?.[1] ?? []),
  };
}
