/** The scripts of `csync toolkit` on a member, run by a real shell, and killed at each of their commands. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  copyScript,
  digestOfBuild,
  removeToolkitScript,
  switchBackScript,
  switchToolkitScript,
  type ToolkitBuild,
  toolkitLook,
  toolkitState,
  versionsDirectory,
} from '../../../src/cluster/apply/toolkit.ts';
import { untimed } from '../../../src/cluster/remote/answers.ts';
import { script } from '../../../src/cluster/remote/shell-text.ts';
import { everyStep, scratchDirectory, settingsFor } from '../../support.ts';

const scratch = scratchDirectory();

/** A host of its own: what would be below /usr/local is below a directory. */
function member() {
  const root = mkdtempSync(join(scratch, 'member-'));
  const program = join(root, 'bin/csync');
  const versions = join(root, 'lib/csync');
  mkdirSync(dirname(program));
  const configuration = join(root, 'cmcluster.conf');
  writeFileSync(configuration, `SGCONF=${root}/conf\nSGSBIN=${root}/bin\n`);
  const place = { ...settingsFor(), toolkitProgram: program, nodePath: process.execPath };
  const run = (text: string) => {
    const { status, stdout, stderr } = spawnSync('/bin/sh', ['-s'], {
      input: text.replaceAll(versionsDirectory, versions).replaceAll('/etc/cmcluster.conf', configuration),
      encoding: 'utf8',
      env: {},
      cwd: '/',
    });
    return { status, stdout, stderr };
  };
  const done = (text: string): void => expect(run(text)).toMatchObject({ status: 0, stderr: '' });
  const look = toolkitLook(place);
  const facts = () => look.read(untimed(run(script(...look.lines)).stdout));
  const install = (one: Build): void => {
    done(copyScript(place, one.build, one.files));
    done(switchToolkitScript(place, one.build));
  };
  return { program, versions, place, run, done, facts, install };
}

interface Build {
  readonly build: ToolkitBuild;
  readonly files: readonly { readonly name: string; readonly mode: number; readonly content: Buffer }[];
}

const inNode = `#!/usr/bin/env node\nimport { said } from './parts/said.mjs';\nconsole.log(said);\n`;
/** Starts faster. */
const inShell = `#!/bin/sh\nsed -n "s/.*'\\(.*\\)'.*/\\1/p" "$(dirname -- "$(readlink -f -- "$0")")/parts/said.mjs"\n`;

/** A csync that prints its version. */
function version(number: string, says = number, text = inShell): Build {
  const files = [
    { name: 'csync.mjs', mode: 0o755, content: Buffer.from(text) },
    { name: 'parts/said.mjs', mode: 0o644, content: Buffer.from(`export const said = '${says}';\n`) },
    { name: 'template with a blank.tpl', mode: 0o644, content: Buffer.from([0, 255, 10, 39]) },
  ];
  return { build: { version: number, digest: digestOfBuild(files) }, files };
}

describe('csync toolkit on a member', () => {
  const [one, two, three] = [version('1.0.0'), version('2.0.0', '2.0.0', inNode), version('3.0.0')];

  it('copies, proves and switches; nothing uses a copy before the switch', () => {
    const { place, done, facts, install, program } = member();
    expect(facts()).toMatchObject({ target: null, version: null, isManaged: false });
    install(one);
    expect(facts()).toMatchObject({ version: '1.0.0', digest: one.build.digest, isLink: true, previous: null, package: null });
    done(copyScript(place, two.build, two.files));
    expect(facts()?.version).toBe('1.0.0');
    done(switchToolkitScript(place, two.build));
    expect(toolkitState(facts() ?? expect.fail(), two.build)).toBe('same');
    expect(readdirSync(dirname(program))).toEqual(['csync']);
  });

  it('returns to the version before, and again to the later one', () => {
    const { place, done, facts, install } = member();
    install(one);
    install(two);
    done(switchBackScript(place));
    expect(facts()?.version).toBe('1.0.0');
    done(switchBackScript(place));
    expect(facts()?.version).toBe('2.0.0');
  });

  it('keeps the program and the previous one; older versions go after a day', () => {
    const { versions, install } = member();
    install(one);
    install(two);
    const [first = ''] = readdirSync(versions).filter((name) => name.startsWith('1.'));
    const longAgo = Date.now() / 1000 - 3 * 86_400;
    utimesSync(join(versions, first), longAgo, longAgo);
    install(three);
    expect(
      readdirSync(versions)
        .filter((name) => /^\d/.test(name))
        .map((name) => name[0]),
    ).toEqual(['2', '3']);
  });

  it('a version that cannot be run, or prints another one, is not kept and never switched to', () => {
    const { place, run, facts, install, versions } = member();
    install(one);
    const lying = version('2.0.0', '1.9.9');
    expect(run(copyScript(place, lying.build, lying.files))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('prints another version: 1.9.9'),
    });
    expect(run(switchToolkitScript(place, lying.build)).status).toBe(1);
    expect(facts()?.version).toBe('1.0.0');
    expect(readdirSync(versions).filter((name) => name.includes('arrival'))).toEqual([]);
  });

  it('a damaged copy is not switched to; another copy takes its place', () => {
    const { place, run, done, facts, versions } = member();
    done(copyScript(place, one.build, one.files));
    const [name = ''] = readdirSync(versions).filter((entry) => entry.startsWith('1.'));
    writeFileSync(join(versions, name, 'parts/said.mjs'), "export const said = '1.0.0'; // edited\n");
    expect(run(switchToolkitScript(place, one.build)).status).toBe(1);
    done(copyScript(place, one.build, one.files));
    done(switchToolkitScript(place, one.build));
    expect(toolkitState(facts() ?? expect.fail(), one.build)).toBe('same');
  });

  it('a file of the site at the place of the program stays', () => {
    const { place, run, done, program, facts } = member();
    writeFileSync(program, '#!/bin/sh\necho 0.9.0\n', { mode: 0o755 });
    done(copyScript(place, one.build, one.files));
    expect(run(switchToolkitScript(place, one.build)).status).toBe(1);
    expect(facts()).toMatchObject({ version: '0.9.0', isLink: false, digest: null });
    done(removeToolkitScript(place));
    expect(lstatSync(program).isFile()).toBe(true);
  });

  it.each([
    ['dpkg-query knows no such file, and there is no rpm', 'exit 1', null, { package: null, isPackageKnown: true }],
    ['dpkg-query fails', 'exit 2', null, { package: null, isPackageKnown: false }],
    ['of a deb', "echo 'csync: /usr/share/csync/csync.mjs'", null, { package: 'csync', isPackageKnown: true }],
    ['of an rpm', null, 'echo csync-0.2.0-1.noarch', { package: 'csync-0.2.0-1.noarch', isPackageKnown: true }],
    ['of no rpm', null, "echo 'file x is not owned by any package'; exit 1", { package: null, isPackageKnown: true }],
    ['rpm cannot open its database', null, 'exit 1', { package: null, isPackageKnown: false }],
  ])('the package of the program: %s', (_title, dpkg, rpm, wanted) => {
    const { place, run, install, versions } = member();
    install(one);
    const asked = { 'dpkg-query': dpkg, rpm };
    let text = script(...toolkitLook(place).lines);
    for (const [name, body] of Object.entries(asked)) {
      const fake = join(versions, `fake-${name}`);
      if (body !== null) writeFileSync(fake, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
      text = text.replaceAll(` ${name} `, ` ${fake} `);
    }
    expect(toolkitLook(place).read(untimed(run(text).stdout))).toMatchObject(wanted);
  });

  it('remove takes its own files, and a link that was there before comes back', () => {
    const { place, done, install, program, versions } = member();
    symlinkSync('/opt/csync/csync.mjs', program);
    install(one);
    install(two);
    writeFileSync(join(versions, 'notes-of-the-site'), '');
    done(removeToolkitScript(place));
    expect(readlinkSync(program)).toBe('/opt/csync/csync.mjs');
    expect(readdirSync(versions)).toEqual(['notes-of-the-site']);
    const other = member();
    other.install(one);
    other.done(removeToolkitScript(other.place));
    expect([existsSync(other.program), existsSync(other.versions)]).toEqual([false, false]);
  });

  it('killed at any of its commands, an old or the new version works, and a second run completes it', () => {
    // Each command of a script is a line of its own; the shell is killed in front of the one with that number.
    const killedAt = (text: string, at: number): string => {
      const lines = text.split('\n');
      return [...lines.slice(0, at), 'kill -KILL $$', ...lines.slice(at)].join('\n');
    };
    const places = (text: string): number[] => {
      const lines = text.split('\n');
      // Not inside a document, a loop or a condition.
      let [inside, depth] = [false, 0];
      return lines.flatMap((line, at) => {
        const free = at % (everyStep ? 1 : 4) === 0 && !inside && depth === 0 && at > 2 && at < lines.length - 3;
        if (line.includes("<<'END-OF-FILE'")) inside = true;
        else if (line === 'END-OF-FILE') inside = false;
        else if (!inside && /^\s*(?:for|if|case) (?!.*(?:fi|done|esac)\s*$)/.test(line)) depth += 1;
        else if (!inside && /^\s*(?:done|fi|esac)\s*$/.test(line)) depth -= 1;
        return free ? [at] : [];
      });
    };
    const { place, run, facts, install, done } = member();
    install(one);
    let count = 0;
    for (const text of [copyScript(place, two.build, two.files), switchToolkitScript(place, two.build)])
      for (const at of places(text)) {
        run(killedAt(text, at));
        expect(['1.0.0', '2.0.0'], `killed in front of line ${at}: ${text.split('\n')[at]}`).toContain(facts()?.version);
        count += 1;
      }
    install(two);
    expect(facts()?.version).toBe('2.0.0');
    const text = removeToolkitScript(place);
    for (const at of places(text)) {
      run(killedAt(text, at));
      expect(['2.0.0', null], `killed in front of line ${at}`).toContain(facts()?.version);
      count += 1;
    }
    done(text);
    expect(facts()).toMatchObject({ target: null, isManaged: false });
    expect(count).toBeGreaterThan(everyStep ? 40 : 10);
  });
});
