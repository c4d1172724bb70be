/** csync-reader lets an account read the cluster's state as root, nothing else: it contains its scripts, takes only their names. Pure. */
import { framedCall, framedFunction } from './frame.ts';
import { scriptName } from './member-way.ts';

export interface ReaderScript {
  readonly purpose: string;
  readonly script: string;
}

/** The program's text. `origin`: version and settings of its scripts. */
export function readerProgram(scripts: readonly ReaderScript[], origin: string): string {
  const byName = new Map(scripts.map((one) => [scriptName(one.script), one]));
  return [
    '#!/bin/sh',
    `# csync-reader of ${origin}: reads the state of the cluster as root, for csync with CSYNC_VIA=reader.`,
    '# Install it on every member: install -o root -g root -m 755 csync-reader /usr/local/sbin/csync-reader',
    '# It takes one line: a mark for its output, and the SHA-256 of one of the scripts below. It runs no other text.',
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
    'export PATH',
    'cd /',
    '[ "$(id -u)" = 0 ] || { echo "csync-reader: runs as user $(id -un), not root; the rule of sudo needs (root)" >&2; exit 77; }',
    '[ $# -eq 0 ] || { echo "csync-reader: takes no arguments" >&2; exit 64; }',
    'read -r csync_mark csync_word || exit 64',
    'case $csync_mark in \'\' | *[!A-Za-z0-9_-]*) echo "csync-reader: the first word is not a mark" >&2; exit 64 ;; esac',
    'exec < /dev/null',
    'case $csync_word in',
    ...[...byName].flatMap(([name, { purpose, script }]) => [`# ${purpose}`, `${name})`, framedFunction(script), ';;']),
    '*) echo "csync-reader: this program has no such script" >&2; exit 78 ;;',
    'esac',
    framedCall,
  ].join('\n');
}
