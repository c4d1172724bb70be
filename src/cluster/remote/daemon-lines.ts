/**
 * Which processes of a host are its cfengine daemon (a daemon in a container, or of another installation, has the same name), and which
 * edition of cfengine it is.
 */
import { shellWord } from '../../base/shell-word.ts';
import type { CfengineAdapter } from '../../cfengine/adapter.ts';

/**
 * Shell function `daemon_pids`: prints the daemon's process ids, one a line. The daemon is root's, has the name and this host's pid
 * namespace, and runs the configured program or its copy in cfengine's work directory, which cfengine's own policy starts. A script runs in
 * its interpreter, so only its name counts. What another user may not read excludes no process.
 */
export function daemonFunction({ daemonName, programs }: Pick<CfengineAdapter, 'daemonName' | 'programs'>, work: string): string {
  const program = shellWord(programs.daemon);
  const copy = shellWord(`${work}/bin/${daemonName}`);
  return [
    'daemon_pids() {',
    `  daemon_file=$(readlink -f -- ${program}) || :; daemon_copy=$(readlink -f -- ${copy}) || :; [ "$(head -c 2 -- ${program} 2>/dev/null)" != '#!' ] || daemon_file=`,
    `  for daemon_pid in $(pgrep -U 0 -x ${shellWord(daemonName)}); do`,
    '    daemon_space=$(readlink "/proc/$daemon_pid/ns/pid") || daemon_space=',
    '    if [ -n "$daemon_space" ]; then [ "$daemon_space" = "$(readlink /proc/self/ns/pid)" ] || continue; fi',
    '    daemon_runs=$(readlink "/proc/$daemon_pid/exe") || daemon_runs=',
    // Root cannot read a zombie's.
    '    [ -n "$daemon_runs" ] || [ "$(id -u)" != 0 ] || continue',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's own
    '    [ -z "$daemon_file" ] || [ -z "$daemon_runs" ] || [ "${daemon_runs% (deleted)}" = "$daemon_file" ] || [ "${daemon_runs% (deleted)}" = "$daemon_copy" ] || continue',
    '    echo "$daemon_pid"',
    '  done',
    '}',
  ].join('\n');
}

/**
 * Prints generation 3's name of the host's own key, without a key its version. Community's cfengine names keys by MD5, CFEngine Enterprise
 * by SHA-256 [cfengine.md 2.2].
 */
export function keyNameLines({ generation, programs, publicKey }: CfengineAdapter): string[] {
  if (generation === 2) return [];
  const [key, own] = [shellWord(programs.key), shellWord(publicKey)];
  return [
    `if [ -s ${own} ]; then echo "key-name $(timeout 10 ${key} -p ${own} 2>/dev/null)"; else echo "key-version $(timeout 10 ${key} --version 2>/dev/null | tr '\\n' ' ')"; fi`,
  ];
}

/** Reads what keyNameLines printed. */
export function isEnterprise(said: ReadonlyMap<string, readonly string[]>): boolean {
  return /^SHA=/.test(said.get('key-name')?.[0] ?? '') || /Enterprise/.test(said.get('key-version')?.[0] ?? '');
}
