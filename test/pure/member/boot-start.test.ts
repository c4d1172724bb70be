/** What starts the daemons at boot, as text. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bootFiles,
  bootLook,
  bootScript,
  configuredFile,
  configuredLines,
  daemonScript,
  initScript,
  parseBoot,
  startScript,
  withConfigured,
} from '../../../src/cluster/hosts/boot-start.ts';
import { hostScript } from '../../../src/cluster/remote/shell-text.ts';
import { sha256 } from '../../../src/contract/package-directory.ts';
import { bootTemplates, have, scratchDirectory, settingsFor } from '../../support.ts';

const boot = bootTemplates();

const generations = [settingsFor(), settingsFor({ cfengine_generation: 2 })] as const;
const scratch = scratchDirectory();
const text = (path: string, settings = generations[0]): string =>
  bootFiles(settings, boot).find((file) => file.path === path)?.text ?? '';

describe('CSYNC_CONFIGURED', () => {
  it.each<[string | null, '0' | '1', string]>([
    [null, '1', 'CSYNC_CONFIGURED=1\n'],
    ['', '0', 'CSYNC_CONFIGURED=0\n'],
    ['CSYNC_CONFIGURED=0\n', '1', 'CSYNC_CONFIGURED=1\n'],
    ['# mine\nCSYNC_CONFIGURED="0"  # by hand\nOTHER="a b"\n', '1', '# mine\nCSYNC_CONFIGURED=1  # by hand\nOTHER="a b"\n'],
    ["\texport CSYNC_CONFIGURED='1'; OTHER=1\n", '0', '\texport CSYNC_CONFIGURED=0; OTHER=1\n'],
    ['CSYNC_CONFIGURED=1\nCSYNC_CONFIGURED=1', '0', 'CSYNC_CONFIGURED=0\nCSYNC_CONFIGURED=0'],
    ['OTHER=1', '1', 'OTHER=1\nCSYNC_CONFIGURED=1\n'],
    ['#CSYNC_CONFIGURED=0\nMY_CSYNC_CONFIGURED=0\n', '1', '#CSYNC_CONFIGURED=0\nMY_CSYNC_CONFIGURED=0\nCSYNC_CONFIGURED=1\n'],
  ])('in %j becomes %s', (before, value, after) => {
    expect(withConfigured(before, value)).toBe(after);
  });

  it('is set on a host by a script that makes the same of its file, and keeps its mode', () => {
    const directory = join(scratch, 'rc.config.d');
    mkdirSync(directory);
    const file = join(directory, 'cfservd');
    const set = (value: '0' | '1') =>
      execFileSync('/bin/sh', ['-c', `set -eu\n${configuredLines(value).join('\n')}`.replaceAll(configuredFile, file)]);
    set('1');
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual([withConfigured(null, '1'), 0o644]);
    const line = fc.oneof(
      fc.constantFrom(
        'CSYNC_CONFIGURED=0',
        ' export  CSYNC_CONFIGURED="1" # x',
        "CSYNC_CONFIGURED='a b';y=1",
        'CSYNC_CONFIGURED=',
      ),
      fc.constantFrom('# CSYNC_CONFIGURED=1', 'OTHER=$(x)\\1&', '', 'CSYNC_CONFIGURED_TOO=1'),
    );
    fc.assert(
      fc.property(fc.array(line), fc.boolean(), fc.constantFrom<('0' | '1')[]>('0', '1'), (lines, ended, value) => {
        const before = lines.join('\n') + (ended && lines.length > 0 ? '\n' : '');
        writeFileSync(file, before, { mode: 0o640 });
        set(value);
        expect(readFileSync(file, 'utf8'), JSON.stringify(before)).toBe(withConfigured(before, value));
        const read = spawnSync('/bin/sh', ['-c', `. ${file} >/dev/null 2>&1; echo "$CSYNC_CONFIGURED"`], { encoding: 'utf8' });
        expect(read.stdout.trim()).toBe(value);
      }),
      { numRuns: 25 },
    );
  });
});

describe('the files of the boot start', () => {
  it.each(generations)('of generation $cfengineGeneration are sound for a POSIX shell', (settings) => {
    const scripts = [
      text(daemonScript, settings),
      text(initScript, settings),
      bootScript(settings, boot, 'install'),
      bootScript(settings, boot, 'remove'),
      hostScript(...bootLook(settings, boot).lines),
      startScript(),
    ];
    for (const script of scripts) {
      const checked = spawnSync('/bin/sh', ['-n'], { input: script, encoding: 'utf8' });
      expect([checked.status, checked.stderr], script).toEqual([0, '']);
    }
  });

  it('start the daemon with the words of the adapter, and cf-execd where there is one', () => {
    expect(text(daemonScript)).toContain(`exit "$status"' sh /usr/bin/cf-serverd -K\n`);
    expect(text(daemonScript)).toContain('sh /usr/bin/cf-execd -K\n');
    expect(text(daemonScript, generations[1])).toContain(' sh /var/cfengine/bin/cfservd\n');
    expect(text(daemonScript, generations[1])).not.toContain('execd');
  });

  it('have a unit that never fights the package over the daemon, and binds no agent', () => {
    const unit = text('/etc/systemd/system/csync-cfservd.service');
    for (const line of ['Type=oneshot', 'RemainAfterExit=yes', 'Restart=no', 'KillMode=process', 'UMask=0077', 'LimitCORE=0'])
      expect(unit.split('\n')).toContain(line);
    expect(unit).not.toMatch(
      /^(Private|Protect|ReadOnly|ReadWrite|Inaccessible|Bind|Root|Temporary|NoNewPriv|Restrict|System|Dynamic)/m,
    );
  });

  it.skipIf(!have('systemd-analyze'))('have a unit that systemd takes', () => {
    const file = join(scratch, 'csync-cfservd.service');
    // Its programs are verified, too: a script that is not installed here would be missed.
    writeFileSync(file, text('/etc/systemd/system/csync-cfservd.service').replaceAll(daemonScript, '/bin/true'));
    const checked = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
    expect(checked.stderr.split('\n').filter((line) => line.includes('csync-cfservd'))).toEqual([]);
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n[Service]\nKillMod=none\n`);
    expect(spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' }).stderr).toContain('KillMod');
  });
});

describe('what is installed', () => {
  const [settings] = generations;
  const facts = (path: string, mode: string, content = text(path)): string => `file ${mode} ${sha256(content)} ${path}`;
  const unit = '/etc/systemd/system/csync-cfservd.service';
  it.each([
    [
      'all of it, with systemd',
      ['manager systemd', 'configured 1', facts(unit, '644'), facts(daemonScript, '755'), 'enabled', 'looked'],
      { manager: 'systemd', configured: '1', stale: [], enabled: true, foreign: [] },
    ],
    [
      'an edited unit, a script without its mode, the units of the distribution',
      [
        'manager systemd',
        'configured 0',
        facts(unit, '644', 'mine'),
        facts(daemonScript, '644'),
        'foreign cf-serverd.service',
        'foreign cf-execd.service',
        'looked',
      ],
      {
        manager: 'systemd',
        configured: '0',
        stale: [daemonScript, unit],
        enabled: false,
        foreign: ['cf-serverd.service', 'cf-execd.service'],
      },
    ],
    [
      'nothing, without systemd',
      ['manager init', 'looked'],
      { manager: 'init', configured: null, stale: [daemonScript, initScript], enabled: false, foreign: [] },
    ],
    ['an answer that was cut short', ['manager init', 'configured 1'], null],
    ['something else', ['hello', 'looked'], null],
  ])('%s', (_title, lines, expected) => {
    expect(parseBoot(`${lines.join('\n')}\n`, settings, boot)).toEqual(expected);
  });

  it('with any content, is read or refused', () => {
    fc.assert(fc.property(fc.string(), (said) => parseBoot(said, settings, boot) === null || said.includes('looked')));
  });
});
