/** Arguments, settings, log, and the only exit of start, halt and validate. */
import { placeOfSet } from '../../contract/package-directory.ts';
import type { MemberHost } from '../../host/host.ts';
import { realMemberHost } from '../../host/member/member-host.ts';
import { type MemberLog, openMemberLog } from '../../host/member/member-log.ts';
import { supervisor } from '../../host/member/supervisor.ts';
import { Daemon } from '../daemon.ts';
import { stepSeconds } from '../deadlines.ts';
import { type Finding, failureMessage } from '../failures.ts';
import { message } from '../messages.ts';
import { expand, logWords, packageNameOf, type ReadSettings, readSettingsFile } from '../settings-file.ts';
import { firstLine, lastLine, type Role, type ScriptName } from './parts.ts';
import type { StepContext } from './steps.ts';

export interface ScriptContext extends StepContext {
  readonly directory: string;
  readonly digest: () => string;
  readonly role: Role;
  readonly logFile: string | null;
  readonly dryRun: boolean;
  readonly hurried: boolean;
  readonly log: MemberLog;
}

export interface Script {
  readonly name: ScriptName;
  readonly toStandardOutput?: boolean;
  run(context: ScriptContext): Promise<number>;
  /** A halt may have to succeed without them. */
  withoutSettings(finding: Finding, host: MemberHost, role: Role): number;
}

/** Arguments: DIRECTORY main|pre|legacy|daemon [--dry-run]. Exits the process. */
export async function runScript(script: Script): Promise<never> {
  const [directory = '.', word = 'main', ...options] = process.argv.slice(2);
  const role: Role = word === 'pre' || word === 'legacy' || word === 'daemon' ? word : 'main';
  const host = realMemberHost();
  const packageName = packageNameOf(host, directory);
  const dryRun = options.includes('--dry-run');
  host.begin('settings', stepSeconds);
  const read: ReadSettings = readSettingsFile(host, directory);
  const standardOutput = script.toStandardOutput === true || dryRun;
  const given =
    host.environment.SG_SCRIPT_LOG_FILE ||
    (read.ok ? expand(host, read.settings.scriptLogFile) : `${placeOfSet(directory).packageDirectory}/${packageName}.log`);
  const logFile = standardOutput ? null : given;
  const log = openMemberLog(logFile, { member: host.member, packageName, script: script.name, ...logWords(host, read) });
  const began = host.elapsed();
  if (script.name !== 'validate' && !dryRun) log.line('ok', firstLine(script.name, role));
  let exit: number;
  try {
    if (read.ok) {
      const { settings, digest } = read;
      const hurried = host.environment.CSYNC_HURRIED === '1';
      const context = { host, settings, digest, directory, role, logFile, dryRun, hurried, log } as const;
      exit = await script.run({ ...context, daemon: new Daemon(host, settings) });
    } else {
      log.line('failed', failureMessage(read.finding, host.member, packageName));
      exit = script.withoutSettings(read.finding, host, role);
    }
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.line('failed', message('internal-error', { why }));
    // Another member may not have this internal error.
    exit = script.name === 'start' ? 2 : 1;
  }
  const ms = Math.round(host.elapsed() - began);
  log.line(exit === 0 ? 'ok' : 'failed', lastLine(script.name, role, { exit, ms, dryRun }));
  await log.flush();
  // The launcher accepts a failed start only after this.
  host.begin('leaving', stepSeconds);
  supervisor().end(exit);
  process.exit(exit);
}
