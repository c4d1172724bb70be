/** An event when one file appears, changes or disappears. Only a hint to check. */

import { watch } from 'node:fs';
import { attempt } from '../../base/attempt.ts';

export interface FileEvents {
  /** Whether events arrive; if not, poll. */
  isTold(): boolean;
}

/** `look` is called when a file of that name appears in the directory, changes or disappears. Keeps no process running. */
export function watchFile(directory: string, wanted: string, look: () => void): FileEvents {
  let told = false;
  // No watches left, or no such directory.
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
