/** The variables of cmcluster.conf [serviceguard.md 1.1]. */
import type { EngineShell } from '../engine.ts';

export const shell: EngineShell = {
  begin: [
    'configuration=/etc/cmcluster.conf',
    '[ -r "$configuration" ] || { echo "$configuration cannot be read: Serviceguard is not installed here" >&2; exit 69; }',
    // Runs as root: any writer is root.
    'open=$(find -H "$configuration" -maxdepth 0 \\( ! -uid 0 -o -perm -002 -o -perm -020 ! -gid 0 \\)) || exit 69',
    '[ -z "$open" ] || [ "$(id -u)" != 0 ] || { echo "$configuration is not read: users other than root could change it. Fix: chown root and chmod go-w" >&2; exit 69; }',
    '. "$configuration"',
  ],
  path: 'PATH="$SGSBIN:$PATH"; export PATH',
  tryBegin: '. /etc/cmcluster.conf 2>/dev/null',
  namedSet: 'named=$(sed -n "s,^RUN_SCRIPT .*/sets/\\([0-9a-f]*\\)/.*,\\1,p" "$directory"/*.conf 2>/dev/null)',
  installed: [],
  directories: ['"$SGCONF"', '"$SGRUN"'],
};
