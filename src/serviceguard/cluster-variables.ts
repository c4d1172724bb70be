/** /etc/cmcluster.conf, which Serviceguard sources [serviceguard.md 1.1]. Pure. */

/** For /bin/sh, with the file as $1: variables refer to others. */
export const variablesScript = 'set -a; . "$1" > /dev/null < /dev/null; exec env -0';

/** Only Serviceguard's own variables. */
export function parseClusterVariables(printed: string): Record<string, string> {
  const pairs = printed.split('\0').flatMap((line): [string, string][] => {
    const equal = line.indexOf('=');
    const name = line.slice(0, Math.max(0, equal));
    return /^SG[A-Z_]+$/.test(name) ? [[name, line.slice(equal + 1)]] : [];
  });
  return Object.fromEntries(pairs);
}
