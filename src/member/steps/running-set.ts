/** Which set runs on this member, written down by its start: its halt and its monitor are of that set, whatever is applied meanwhile. */
import { flatSet, placeOfSet, runningFile, runningText } from '../../contract/package-directory.ts';
import { message } from '../messages.ts';
import type { ScriptContext } from './script.ts';

/** Instead of a set: the package was halted here, and by this version. */
const nothing = '-';

export function rememberSet(context: ScriptContext): void {
  write(context, placeOfSet(context.directory).set);
}

export function forgetSet(context: ScriptContext): void {
  write(context, nothing);
}

/** Fails no start and no halt: without it they take the applied set. */
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
