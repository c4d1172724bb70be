/** Who reads what the toolkit prints: a reader that goes away, a full disk, and the terminal of root. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { harmless } from '../../../src/host/output.ts';
import { have, repository, scratchDirectory, settingsText } from '../../support.ts';

const dist = join(repository, 'dist');
const scratch = scratchDirectory();

function project(): string {
  const directory = mkdtempSync(join(scratch, 'project-'));
  writeFileSync(join(directory, 'csync.yaml'), settingsText());
  return directory;
}

/** With a standard output (and error) that no process reads, from the first byte on. */
function unread(directory: string, argv: readonly string[], both = false) {
  const words = [process.execPath, ...argv].map((word) => `'${word}'`).join(' ');
  const pipe = join(mkdtempSync(join(scratch, 'pipe-')), 'p');
  const script = `mkfifo ${pipe}; exec 3<>${pipe} 4>${pipe} 3<&-; exec ${words} >&4 ${both ? '2>&4' : ''}`;
  return spawnSync('/bin/sh', ['-c', script], { cwd: directory, encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } });
}

const read = (directory: string, argv: readonly string[], environment: Record<string, string> = {}) =>
  spawnSync(process.execPath, argv, {
    cwd: directory,
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

describe('a reader that goes away', () => {
  const verbs = [
    'csync.mjs --help',
    'csync.mjs decisions',
    'csync.mjs settings check',
    'csync.mjs settings example',
    'csync.mjs templates list',
    'csync.mjs templates check',
    'csync.mjs render --dry-run',
    'csync.mjs render --dry-run --json',
    'csync.mjs conform --list',
    'csync.mjs status',
    'csync.mjs check --json',
    'csync.mjs no-such-verb',
    'csync_wizard.mjs --help',
    'csync_dispatcher.mjs --help',
    'csync.mjs lab simulate --seeds 2 --years 0.01',
    'member/csync-validate.cjs csync main',
    'member/csync-start.cjs csync main --dry-run',
  ];

  it.each(verbs)('%s: ends as it would have, without a word about it', (line) => {
    const [program = '', ...words] = line.split(' ');
    const argv = [join(dist, program), ...words];
    const directory = project();
    const told = read(directory, argv);
    const ended = unread(directory, argv);
    expect(ended.stderr).not.toMatch(/EPIPE|node:|Unhandled/);
    expect([ended.status, ended.signal]).toEqual([told.status, null]);
    expect([unread(directory, argv, true).status]).toEqual([told.status]);
  });

  it('does not stop what is written: all files of a render exist', () => {
    const directory = project();
    expect(unread(directory, [join(dist, 'csync.mjs'), 'render'], true).status).toBe(0);
    const other = project();
    read(other, [join(dist, 'csync.mjs'), 'render']);
    expect(readdirSync(join(directory, 'csync')).sort()).toEqual(readdirSync(join(other, 'csync')).sort());
  });
});

describe('an output that cannot be written', () => {
  it('is reported, and no success', () => {
    const argv = `${process.execPath} ${join(dist, 'csync.mjs')} settings example`;
    const ended = spawnSync('/bin/sh', ['-c', `exec ${argv} > /dev/full`], { encoding: 'utf8' });
    expect(ended.status).toBe(4);
    expect(ended.stderr).toMatch(/here-output.*\n.*ENOSPC/);
  });
});

describe.skipIf(!have('bash'))('text of other hosts', { timeout: 120_000 }, () => {
  const hostile = 'Permission \u001b]0;owned\u0007denied \u009b2J\u202e\r\u001b[1A evil\u007f';
  /** Every host prints it at its login, and answers every script with it, between the marks of that script (host/admin/frame.ts). */
  const answering = (said: string): string => `while IFS= read -r line; do
  case $line in
    csync_mark=*) mark=\${line#csync_mark=}; continue ;;
    # A script that stays.
    *csync-connected*) exit 0 ;;
    'exit "$csync_status"') ;;
    *) continue ;;
  esac
  printf '\\n%s=begin=%s\\n' "$mark" "$mark"
  printf '\\n%s=begin=%s\\n' "$mark" "$mark" >&2
  while IFS= read -r text; do printf '%s:%s:%s\\n' "$mark" "$text" "$mark"; done < ${said}
  printf '\\n%s=end=%s\\n' "$mark" "$mark" >&2; printf '\\n%s=0=%s\\n' "$mark" "$mark"
  exit 0
done
`;
  const withSsh = (status: number): string => {
    const directory = mkdtempSync(join(scratch, 'ssh-'));
    const said = join(directory, 'said');
    mkdirSync(join(directory, 'bin'));
    const answer = `csync-connected\n${hostile}\nout 0 ${Buffer.from(hostile).toString('base64')}\nend 0 1 5\n${hostile}\n`;
    writeFileSync(said, answer);
    const script = `#!/bin/sh\ncat ${said}; cat ${said} >&2\n[ ${status} -eq 0 ] || exit ${status}\n# A connection that stays.\ncase "$*" in *csync-connected*) exit 0 ;; esac\n${answering(said)}`;
    writeFileSync(join(directory, 'bin', 'ssh'), script, { mode: 0o755 });
    return join(directory, 'bin');
  };
  const verbs = [
    'status',
    'status --json',
    'check',
    'check --json',
    'diff',
    'history',
    'apply --dry-run',
    'apply --yes',
    'rollback --yes',
    'recover --dry-run',
    'remove --dry-run',
    'maintenance on --dry-run',
    'migrate legacy-to-modular --dry-run',
    'rehearse',
    'members list',
    'members sync --dry-run',
    'member add m3 --dry-run',
    'client list',
    'client add c1 --dry-run',
    'client sync --all --dry-run',
    'keys list',
    'keys verify',
    'keys rotate --dry-run',
    'sync c1 --from m1',
    'policy show',
    'policy log',
    'init --yes --dry-run',
  ];

  it.each(verbs)('csync %s: steers no terminal', (line) => {
    for (const status of [0, 255]) {
      const directory = project();
      const ended = read(directory, [join(dist, 'csync.mjs'), ...line.split(' ')], { PATH: `${withSsh(status)}:/usr/bin:/bin` });
      const said = ended.stdout + ended.stderr;
      expect(said, `${line} ${status}`).toBe(harmless(said));
      expect(ended.status, `${line} ${status}: ${ended.stderr}`).not.toBe(70);
    }
  });
});
