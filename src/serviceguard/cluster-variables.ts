/** The variables of /etc/cmcluster.conf, which Serviceguard's commands and scripts source. */

/** Assignments of cmcluster.conf, a shell fragment with optional trailing comments [serviceguard.md 1.1]. */
export function parseClusterVariables(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/^[ \t]*(?:export[ \t]+)?([A-Z_]+)=["']?([^"'\s#;]*)/gm)].map(([, name = '', value = '']) => [
    name,
    value,
  ]);
  return Object.fromEntries(pairs) as Record<string, string>;
}
