/** The variables of /etc/cmcluster.conf, which Serviceguard's commands and scripts source [serviceguard.md 1.1]. Pure. */

/** For /bin/sh, with the file as $1: the shell expands variables that refer to others. */
export const variablesScript = 'set -a; . "$1" > /dev/null < /dev/null; exec env -0';

/** Reads what variablesScript printed: variables as Serviceguard names them, and nothing else of the environment. */
export function parseClusterVariables(printed: string): Record<string, string> {
  const pairs = printed.split('\0').flatMap((line): [string, string][] => {
    const equal = line.indexOf('=');
    const name = line.slice(0, Math.max(0, equal));
    return /^SG[A-Z_]+$/.test(name) ? [[name, line.slice(equal + 1)]] : [];
  });
  return Object.fromEntries(pairs);
}
