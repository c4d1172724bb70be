/**
 * Hostile values: what settings accept stands in launchers, package files, scripts and policy as what it is, and never becomes
 * shell, another line, an option of ssh or another statement; what could, is refused.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { shellWord } from '../../../src/base/shell-word.ts';
import { runScript } from '../../../src/cluster/procedures/remote-run.ts';
import { commandScript, readFileScript } from '../../../src/cluster/remote/shell-text.ts';
import { emptyRoster, isHostName, parseRoster, rosterText } from '../../../src/contract/roster.ts';
import { openSshShell } from '../../../src/host/admin/member-shell.ts';
import { renderPackage, setOf } from '../../../src/render/package.ts';
import { renderPolicy } from '../../../src/render/policy.ts';
import { lastValue, parsePackageFile } from '../../../src/serviceguard/package-file.ts';
import { settingsFields } from '../../../src/settings/settings.ts';
import { parseSettings } from '../../../src/settings/settings-yaml.ts';
import { settingsTable } from '../../../src/settings/table.ts';
import { memberScripts, packageTemplates, policyTemplates, repository, scratchDirectory, settingsText } from '../../support.ts';

const scratch = scratchDirectory();
const marker = (): string => join(mkdtempSync(join(scratch, 'marker-')), 'ran');
const hostileParts = [
  '"',
  "'",
  '`',
  '$(touch MARK)',
  '`touch MARK`',
  '; touch MARK;',
  '| touch MARK',
  '&& touch MARK',
  '\n',
  '\r',
  '\0',
  '\\',
  '${IFS}',
  '*',
  '#',
  '{{node_path}}',
  '-oProxyCommand=touch MARK',
  '--',
  '..',
  '/',
  'é',
  '\u2028',
  '\u202e',
  ' ',
  '\t',
  '<',
  '>',
  '(',
  ')',
  '%h',
  '~',
  '!',
  'run_script /tmp/x',
  '};',
];
const hostile = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .array(fc.oneof(fc.constantFrom(...hostileParts), fc.string({ maxLength: 4 })), { minLength: 1, maxLength: 5 })
      .map((all) => all.join('')),
  },
  { weight: 1, arbitrary: fc.constantFrom(...hostileParts, 'a'.repeat(5000), '-'.repeat(300)) },
);
const keys = settingsFields.map((field) => settingsTable[field].key);

/** Settings with one hostile value, where they are accepted. */
function accepted(key: string, value: string) {
  const given = key === 'members' || key === 'client_networks' ? [value] : value;
  const parsed = parseSettings(settingsText({ [key]: given }), 'csync.yaml');
  return parsed.ok ? parsed.value : null;
}

describe('a hostile value of a setting', () => {
  it('that is accepted leaves the package file with the same keywords, and itself as one value', () => {
    const keywords = (text: string) => demand(parsePackageFile(text, 'x')).lines.map(({ keyword }) => keyword);
    const rendered = (text: string) =>
      demand(
        renderPackage({
          settings: demand(parseSettings(text, 'x')),
          templates: packageTemplates(),
          bundles: memberScripts(() => ''),
        }),
      );
    const plain = keywords(rendered(settingsText()).find(({ name }) => name === 'csync.conf')?.text ?? '');
    const several = new Set(['node_name']);
    fc.assert(
      fc.property(fc.constantFrom(...keys), hostile, (key, value) => {
        const settings = accepted(key, value);
        // Values that no parser accepts show nothing, and about one in seventy is accepted: these are drawn until there are enough.
        fc.pre(settings !== null && settings.packageStyle === 'modular');
        const files = demand(renderPackage({ settings, templates: packageTemplates(), bundles: memberScripts(() => '') }));
        const text = files.find(({ name }) => name.endsWith('.conf'))?.text ?? '';
        const of = (all: readonly string[]) => all.filter((keyword) => !several.has(keyword));
        expect(of(keywords(text))).toEqual(of(plain));
        if (key === 'package_description')
          expect(lastValue(demand(parsePackageFile(text, 'x')), 'package_description')).toBe(value);
        for (const { name, text: script } of files.filter((file) => /^sets\/.*\.sh$/.test(file.name))) {
          // Only what stands in a launcher without quotes: paths and digests.
          const assigned = [...script.matchAll(/^(?:node|mount_point|role)=(.*)$/gm)].map((found) => found[1] ?? '');
          for (const word of assigned) expect(word, name).toMatch(/^(\$SGCONF\/|\$SGRUN\/|\$directory\/|\/)?[A-Za-z0-9._+@/-]+$/);
        }
      }),
      { numRuns: 25, maxSkipsPerRun: 1000 },
    );
  });

  it.each(keys)('%s: what a shell, a package file or a policy could take for more is refused', (key) => {
    // Text for people may hold almost anything; it stands in double quotes, which it may not hold.
    const people = key === 'package_description';
    for (const value of [
      'a"b',
      'a\nb',
      'a\u2028b',
      '\u2029',
      'a{{node_path}}b',
      ...(people ? [] : ['$(id)', '`id`', 'a;b', "a'b", 'a|b', '-a\n', '/x y;z']),
    ])
      expect(accepted(key, value), `${key}: ${JSON.stringify(value)}`).toBeNull();
  });

  it('that is accepted runs nothing when the launcher is run by sh', () => {
    const mark = marker();
    const paths = ['/opt/@+._-/node', '/-n', '/--', '/a.b-c_d@e+f', `/${'x'.repeat(200)}`];
    for (const path of paths) {
      const settings = accepted('node_path', path);
      expect(settings, path).not.toBeNull();
      if (settings === null) continue;
      const directory = mkdtempSync(join(scratch, 'launcher-'));
      const files = demand(
        renderPackage({
          settings: { ...settings, mountPoint: '/-rf', packageDirectory: '$SGCONF/-e' },
          templates: packageTemplates(),
          bundles: memberScripts(() => ''),
        }),
      );
      for (const { name, text, mode } of files) {
        mkdirSync(dirname(join(directory, name)), { recursive: true });
        writeFileSync(join(directory, name), text, { mode });
      }
      const set = { PEV_CSYNC_SET_DIGEST: setOf(files) ?? '' };
      const ended = spawnSync('/bin/sh', [join(directory, 'csync.sh'), 'start'], {
        env: { ...set, SGCONFFILE: '/nonexistent', SG_PACKAGE: `$(touch ${mark})`, SG_NODE: `\`touch ${mark}\`` },
        encoding: 'utf8',
      });
      expect(ended.status, ended.stderr).toBe(2);
      expect(ended.stderr).not.toContain('not found');
      expect(ended.stderr, 'by way of the launcher of the set').toContain(`${path} or `);
    }
    expect(existsSync(mark)).toBe(false);
  });
});

describe('a word of a shell', () => {
  it('is that word, with any content', () => {
    const mark = marker();
    const texts = fc.sample(
      hostile.map((text) => text.replaceAll('MARK', mark).replaceAll('\0', '')),
      { numRuns: 400, seed: 7 },
    );
    const script = texts.map((text) => `printf '%s\\0' ${text === '' ? "''" : shellWord(text)}`).join('\n');
    const { stdout } = spawnSync('/bin/sh', ['-s'], { input: script, maxBuffer: 1 << 26 });
    expect(stdout.toString('utf8').split('\0').slice(0, -1)).toEqual(texts.map((text) => Buffer.from(text).toString('utf8')));
    expect(existsSync(mark)).toBe(false);
  });

  it('is in no script anything else: commands and file names', () => {
    for (const bad of ["x'; touch /MARK; '", '$(touch /MARK)', 'a\nb', '-x'])
      for (const script of [commandScript(['cmviewcl', '-p', bad], '$SGCONF/csync'), readFileScript('$SGCONF/csync', bad)])
        expect(script, bad).toContain(shellWord(bad));
  });
});

describe('a name of a host', () => {
  const bad = [
    '-oProxyCommand=touch x',
    'a b',
    'a;b',
    '$(id)',
    'root@m1',
    'ssh://m1',
    'm1:22',
    'a\nb',
    '',
    '.',
    "a'b",
    'é',
    `a${'b'.repeat(300)}`,
  ];
  it.each(bad)('that is none never reaches ssh: %j', async (name) => {
    expect(isHostName(name)).toBe(false);
    const shell = openSshShell(new AbortController().signal, false);
    const ended = await shell.run(name, 'touch /nowhere', 5000);
    await shell.close();
    expect(ended).toMatchObject({ exitCode: 255, stdout: '' });
    expect(ended.stderr).toContain('is not a host name: ssh was not run');
  });

  it('that is none would make a roster no program can read, so none is written with it (setup-run.ts, saveRoster)', () => {
    for (const host of bad) {
      const text = rosterText({ ...emptyRoster, waiting: [{ host, what: 'client', why: '', since: '' }] });
      expect(parseRoster(text), host).toBeNull();
    }
  });

  it('that is none is in no script of remote runs and in no policy', () => {
    const settings = demand(parseSettings(settingsText(), 'x'));
    const settings2 = demand(parseSettings(settingsText({ cfengine_generation: 2 }), 'x'));
    const wish = { parallel: 1, timeoutSeconds: 5, classes: [] };
    for (const name of bad.filter((text) => text !== '' && !/^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(text))) {
      const host = { name, addresses: ['10.9.0.21'] };
      for (const of of [settings, settings2]) {
        expect(runScript(of, [host], wish), name).toBe(runScript(of, [], wish));
        const policy = renderPolicy({
          settings: of,
          templates: policyTemplates(of.cfengineGeneration),
          members: [{ name: 'm1', addresses: ['10.9.0.11'] }],
          clients: [host],
        });
        expect(policy.ok, name).toBe(false);
      }
    }
  });
});

describe('what listens', () => {
  const source = join(repository, 'src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

  it('is a socket in the file system, and the figures where an administrator wants them: nothing else', () => {
    const text = (name: string): string => readFileSync(join(source, name), 'utf8');
    expect(
      files.filter((name) => /createServer|\bcreateSocket\b|node:(http|https|http2|dgram|inspector)'/.test(text(name))),
    ).toEqual(['host/lab/lab-socket.ts', 'host/member/http-endpoint.ts']);
    const ofFigures = files.filter((name) => /from '[^']*http-endpoint\.ts'/.test(text(name)));
    expect(ofFigures).toEqual(['member/monitor/report/figures.ts']);
    expect(demand(parseSettings(settingsText(), 'x')).monitorMetricsListen, 'unless it is asked for').toBe('off');
    expect(text('host/lab/lab-socket.ts')).toContain('server.listen(path,');
    // Of the lab alone.
    const users = files.filter((name) => /import \{[^}]*\blisten\b[^}]*\} from '[^']*lab-socket\.ts'/.test(text(name)));
    expect(
      users.every((name) => name.startsWith('lab/')),
      users.join(' '),
    ).toBe(true);
  });

  it('arguments of programs are lists: no shell is given a text that was put together by node', () => {
    const found = files.filter((name) =>
      /\bexec(Sync)?\(\s*[`'"]|shell: *true|\bexecaCommand\b|\bexecSync\b/.test(readFileSync(join(source, name), 'utf8')),
    );
    expect(found).toEqual([]);
  });
});
