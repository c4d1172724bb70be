/** Records at the start which set runs on this member, so that its halt and its monitor use that set, also after another set was applied. */
import { flatSet, placeOfSet, runningFile, runningText } from '../../contract/package-directory.ts';
import { message } from '../messages.ts';
import type { ScriptContext } from './script.ts';

/** In place of a set: halted here by this version. */
const nothing = '-';

export function rememberSet(context: ScriptContext): void {
  write(context, placeOfSet(context.directory).set);
}

export function forgetSet(context: ScriptContext): void {
  write(context, nothing);
}

/** Without the record halt and monitor use the applied set: never fail for it. */
function write({ host, directory, settings, log, dryRun }: ScriptContext, runs: string): void {
  const { set, packageDirectory } = placeOfSet(directory);
  const [file, text] = [runningFile(packageDirectory), runningText({ set: runs, mountPoint: settings.mountPoint })];
  if (dryRun || set === flatSet || host.readText(file) === text) return;
  try {
    host.replace(file, text, 0o600);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log.line('warning', message('set-unwritten', { file, why }));
  }
}
