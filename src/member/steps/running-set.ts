/** Records the set of a start, which halt and monitor use even after another apply, and the Node.js options of the monitor. */
import { monitorOptions } from '../../base/version.ts';
import { flatSet, nodeOptionsFile, placeOfSet, runningFile, runningText } from '../../contract/package-directory.ts';
import { message } from '../messages.ts';
import type { ScriptContext } from './script.ts';

/** This version halted the package here. */
const nothing = '-';

export function rememberSet(context: ScriptContext): void {
  writeSet(context, placeOfSet(context.directory).set);
  const file = nodeOptionsFile(context.settings.packageName);
  const why = write(context, file, `${monitorOptions(process.version).join(' ')}\n`);
  if (why !== null) context.log.line('warning', message('options-unwritten', { file, why }));
}

export function forgetSet(context: ScriptContext): void {
  writeSet(context, nothing);
}

function writeSet(context: ScriptContext, set: string): void {
  const file = runningFile(placeOfSet(context.directory).packageDirectory);
  const why = write(context, file, runningText({ set, mountPoint: context.settings.mountPoint }));
  if (why !== null) context.log.line('warning', message('set-unwritten', { file, why }));
}

/** Never fails a script: without the record they use the applied set, and more memory. Returns why. */
function write({ host, directory, dryRun }: ScriptContext, file: string, text: string): string | null {
  if (dryRun || placeOfSet(directory).set === flatSet || host.readText(file) === text) return null;
  try {
    host.replace(file, text, 0o600);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
