/** The coming and going of one file as an event. A hint to look, never more. */
import { watch } from 'node:fs';

export interface FileEvents {
  /** Whether its coming and going is told; where not, somebody has to look. */
  isTold(): boolean;
}

/** `look` is called when a file of that name comes to the directory, changes or goes. Keeps no process running. */
export function watchFile(directory: string, wanted: string, look: () => void): FileEvents {
  let told = false;
  try {
    watch(directory, { persistent: false }, (_, name) => {
      if (name === wanted) look();
    }).on('error', () => {
      told = false;
    });
    told = true;
  } catch {
    // Out of watches, or there is no such directory.
  }
  return { isTold: () => told };
}
