/**
 * How cfengine's daemons start with a host: unit and init script call one small script. The package manages the daemon itself [cfengine.md
 * 3.2, 3.3]. Pure.
 */

import { demand } from '../../base/problem.ts';
import { shellWord } from '../../base/shell-word.ts';
import { adapterFor } from '../../cfengine/adapter.ts';
import { sha256 } from '../../contract/package-directory.ts';
import { announceFunction } from '../../contract/restart-notice.ts';
import { fillTemplate, type Template } from '../../render/template.ts';
import type { Settings } from '../../settings/settings.ts';
import { type Look, saidIn } from '../remote/answers.ts';
import { hostScript, receiveLines } from '../remote/shell-text.ts';

export interface BootFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

/** DSAU's variables [dsau-csync.md 4.2, 9]; other lines stay. */
export const configuredFile = '/etc/rc.config.d/cfservd';
export const daemonScript = '/usr/local/sbin/csync-cfservd';
export const unitName = 'csync-cfservd.service';
const unitFile = `/etc/systemd/system/${unitName}`;
/** HP-UX: /sbin/init.d/cfservd; the name on Linux was not found [dsau-csync.md 9]. */
export const initScript = '/etc/init.d/cfservd';
/** One a line: only these are unmasked. */
const maskedFile = '/var/lib/csync/masked-units';

/** They would start a second daemon, and restart it whenever the package stops it [cfengine.md 2.1]. */
const foreignUnits: Readonly<Record<Settings['cfengineGeneration'], readonly string[]>> = {
  2: [],
  3: ['cf-serverd.service', 'cf-execd.service'],
};

/** The value may be quoted in parts. */
const setting = /^([ \t]*(?:export[ \t]+)?CSYNC_CONFIGURED=)(?:"[^"\n]*"|'[^'\n]*'|[^ \t#;"'\n])*/gm;

/** Keeps other lines, and the text after the value. */
export function withConfigured(text: string | null, value: '0' | '1'): string {
  if (text === null || text === '') return `CSYNC_CONFIGURED=${value}\n`;
  const changed = text.replace(setting, `$1${value}`);
  if (text.search(setting) !== -1) return changed;
  return `${text}${text.endsWith('\n') ? '' : '\n'}CSYNC_CONFIGURED=${value}\n`;
}

/** As withConfigured; the file is old or new, never partial. */
export function configuredLines(value: '0' | '1'): string[] {
  const file = configuredFile;
  const fresh = `${file}.csync-new`;
  const name = 'CSYNC_CONFIGURED=';
  const pattern = `^([ \\t]*(export[ \\t]+)?${name})("[^"]*"|'[^']*'|[^ \\t#;"'])*`.replaceAll('\\t', '\t');
  return [
    `mkdir -p -m 755 -- ${file.slice(0, file.lastIndexOf('/'))}`,
    `rm -f -- ${fresh}`,
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

/** All depend on systemd except configuredFile. */
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

const onlyWith: Readonly<Record<string, BootManager>> = { [unitFile]: 'systemd', [initScript]: 'init' };

export interface BootTemplates {
  readonly script: Template;
  readonly unit: Template;
  readonly init: Template;
}

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

const managerLine = 'if [ -d /run/systemd/system ]; then manager=systemd; else manager=init; fi';

/**
 * Installs or removes the start of the daemons; starts and stops none (see startScript). Stop them before a removal. A rerun completes a
 * killed run: CSYNC_CONFIGURED is written last by an installation, first by a removal.
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
          // First: a mask without a record would stay.
          `    grep -q -s -x -F "$unit" ${maskedFile} || echo "$unit" >> ${maskedFile}`,
          '    systemctl mask "$unit"',
          '  done',
        ]),
    '  systemctl daemon-reload',
    `  systemctl enable ${unitName}`,
    'elif command -v update-rc.d >/dev/null; then update-rc.d cfservd defaults',
    'elif command -v chkconfig >/dev/null; then chkconfig --add cfservd',
    `else echo "update-rc.d and chkconfig are missing: enter ${initScript} into the runlevels by hand" >&2; exit 1`,
    'fi',
    ...configuredLines('1'),
  );
}

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

/** Starts missing daemons where the start is installed; by systemd if it runs: this session must not own them. Exit 3: they do not run. */
export function startScript(): string {
  return hostScript(
    managerLine,
    'if [ $manager = systemd ]; then',
    // A reload of a started unit starts what is missing.
    `  systemctl reload-or-restart ${unitName} || systemctl --no-pager --lines 10 status ${unitName} >&2`,
    `else ${daemonScript} start`,
    'fi',
    `${daemonScript} status`,
  );
}

export interface BootState {
  readonly manager: BootManager;
  readonly configured: string | null;
  readonly stale: readonly string[];
  readonly enabled: boolean;
  readonly foreign: readonly string[];
}

/** Prints the input of parseBoot; for any user. */
export function bootLook(settings: Settings, templates: BootTemplates): Look<BootState | null> {
  const foreign = words(foreignUnits[settings.cfengineGeneration]);
  const lines = [
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
  return { lines, read: ({ text }) => parseBoot(text, settings, templates) };
}

/** Without systemd, only init's links show whether it is enabled. */
export function startsAtBoot(state: BootState | null): boolean {
  if (state === null || state.configured !== '1' || state.stale.length > 0 || state.foreign.length > 0) return false;
  return state.enabled || state.manager === 'init';
}

/** null: another format. */
export function parseBoot(output: string, settings: Settings, templates: BootTemplates): BootState | null {
  const said = saidIn(output);
  const rests = (word: string): readonly string[] => said.get(word) ?? [];
  const manager = rests('manager').find((one): one is BootManager => one === 'systemd' || one === 'init');
  if (manager === undefined || !said.has('looked')) return null;
  const found = new Map(
    rests('file').map((rest) => {
      const [, mode = '', digest, path] = /^([0-7]+) ([0-9a-f]{64}) (.+)$/.exec(rest) ?? [];
      return [path, `${Number.parseInt(mode, 8)} ${digest}`];
    }),
  );
  const wanted = bootFiles(settings, templates).filter(
    ({ path }) => path !== configuredFile && (onlyWith[path] ?? manager) === manager,
  );
  return {
    manager,
    configured: rests('configured')[0] ?? null,
    stale: wanted.filter(({ path, mode, text }) => found.get(path) !== `${mode} ${sha256(text)}`).map(({ path }) => path),
    enabled: said.has('enabled'),
    foreign: rests('foreign').filter((unit) => /^\S+$/.test(unit)),
  };
}
