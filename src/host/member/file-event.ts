/** A hint that one file appeared, changed or disappeared. */

import { watch } from 'node:fs';
import { attempt } from '../../base/attempt.ts';

export interface FileEvents {
  /** False: the caller must poll. */
  isTold(): boolean;
}

/** Keeps no process running. */
export function watchFile(directory: string, wanted: string, look: () => void): FileEvents {
  let told = false;
  // No inotify watch left, or no directory.
  attempt(() => {
    watch(directory, { persistent: false }, (_, name) => {
      if (name === wanted) look();
    }).on('error', () => {
      told = false;
    });
    told = true;
  });
  return { isTold: () => told };
}
