/** What a member prints about SELinux, FIPS mode and its edition of cfengine: stand-ins answer as the programs of such a host do. */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateKeyPair } from '../../../src/cfengine/keys.ts';
import { hardenedLines } from '../../../src/cluster/condition/hardened-checks.ts';
import { saidIn } from '../../../src/cluster/remote/answers.ts';
import { isRoot, scratchDirectory, settingsFor } from '../../support.ts';

const scratch = scratchDirectory();
const at = (...names: string[]): string => join(scratch, ...names);
const settings = settingsFor({
  mount_point: at('csync'),
  policy_directory: at('csync/dsau'),
  cfengine_bin_directory: at('cfengine'),
  cfengine_work_directory: at('work'),
  node_path: at('node'),
});

const daemonDomain = 'system_u:system_r:cfengine_serverd_t:s0';
const labels = { csync: 'default_t', 'csync/dsau': 'cfengine_var_lib_t', 'csync/dsau/b': 'user_home_t' };
const contextOf = (path: string): string => {
  const type = Object.entries(labels).find(([name]) => at(name) === path)?.[1] ?? 'cfengine_var_lib_t';
  return `system_u:object_r:${type}:s0`;
};

/** A program of a host with SELinux, in a directory of that name; the others of the host are as they are here. */
function program(directory: string, name: string, text: string): void {
  mkdirSync(at(directory), { recursive: true });
  writeFileSync(at(directory, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

beforeAll(async () => {
  for (const name of ['csync/dsau', 'csync/lost+found', 'conf/csync/sets', 'work/ppkeys', 'cfengine', 'crypto', 'selinux'])
    mkdirSync(at(name), { recursive: true });
  for (const name of ['csync/dsau/a', 'csync/dsau/b', 'conf/csync/moved', 'conf/csync/sets/right']) writeFileSync(at(name), '');
  const pair = await generateKeyPair();
  writeFileSync(at('work/ppkeys/localhost.priv'), pair.privateKey, { mode: 0o600 });
  writeFileSync(at('work/ppkeys/localhost.pub'), pair.publicKey, { mode: 0o600 });
  copyFileSync('/bin/sleep', at('cfengine/cf-serverd'));
  program('cfengine', 'cf-key', '[ "$1" = -p ] && [ -s "$2" ] || exit 1; echo MD5=00');
  program('.', 'node', `exec ${process.execPath} "$@"`);
  writeFileSync(at('mounts'), `/dev/x ${at('csync')} ext4 rw 0 0\n`);
  program('tools', 'getenforce', `cat ${at('mode')}`);
  // libselinux prints this for a path, and nothing else; a path that the policy does not know has <<none>>.
  program(
    'tools',
    'matchpathcon',
    [
      'shift',
      'for path; do case $path in',
      '*/moved) echo "$path has context u:object_r:user_home_t:s0, should be system_u:object_r:usr_t:s0" ;;',
      '*/sets) echo "$path has context u:object_r:user_home_t:s0, should be <<none>>" ;;',
      '*) echo "$path verified." ;;',
      'esac; done',
    ].join('\n'),
  );
  const known = Object.keys(labels).map((name) => `${at(name)}) echo "${contextOf(at(name))} $path" ;;`);
  program(
    'tools',
    'stat',
    `[ "$2" = '%C %n' ] || exec /usr/bin/stat "$@"; shift 2; for path; do case $path in\n${known.join('\n')}\n*) echo "${contextOf('')} $path" ;;\nesac; done`,
  );
  program('tools', 'ps', `[ "$*" = "-o label= -p $4" ] && echo ${daemonDomain}`);
  program('asked', 'selinux_check_access', `echo "$*" >> ${at('requests')}; [ "\${2%user_home_t:s0}" = "$2" ]`);
});

/** The lines as they run on a host where these directories come first. */
function said(directories: readonly string[], change: (text: string) => string = (text) => text) {
  const text = hardenedLines(settings)
    .join('\n')
    .replaceAll('/proc/self/mounts', at('mounts'))
    .replaceAll('/proc/sys/crypto', at('crypto'))
    .replaceAll('/sys/fs/selinux', at('selinux'));
  const PATH = [...directories.map((name) => at(name)), '/usr/bin', '/bin'].join(':');
  const { stdout, stderr, status } = spawnSync('/bin/sh', ['-s'], {
    input: `${change(text)}\necho end\n`,
    encoding: 'utf8',
    env: { PATH, LC_ALL: 'C', SGCONF: at('conf') },
  });
  expect([status, stderr]).toEqual([0, '']);
  const found = saidIn(stdout);
  expect(found.has('end'), 'the script runs to its end').toBe(true);
  return (word: string): readonly string[] | null => found.get(word) ?? null;
}

describe('a member', () => {
  it('without SELinux and FIPS mode prints that, and nothing of labels', () => {
    const found = said([]);
    expect(found('selinux')).toEqual(['Disabled']);
    expect(found('key-name')).toEqual(['MD5=00']);
    for (const word of ['domain', 'contexts', 'context', 'label', 'fips']) expect(found(word), word).toBeNull();
  });

  it.each([
    ['1', 'Enforcing'],
    ['0', 'Permissive'],
  ])('without getenforce is asked through the kernel: %s', (value, mode) => {
    writeFileSync(at('selinux/enforce'), value);
    expect(said([])('selinux')).toEqual([mode]);
    expect(said([])('contexts'), 'matchpathcon is missing').toBeNull();
  });

  describe.skipIf(!isRoot)('with SELinux', () => {
    let daemon: ReturnType<typeof spawn>;
    beforeAll(async () => {
      daemon = spawn(at('cfengine/cf-serverd'), ['1000'], { stdio: 'ignore' });
      await new Promise((resolve) => daemon.once('spawn', resolve));
    });
    afterAll(() => void daemon.kill('SIGKILL'));

    it('prints the domain of its daemon, labels that differ, and one file for each label of the policy', () => {
      writeFileSync(at('mode'), 'Enforcing\n');
      const found = said(['tools']);
      expect(found('selinux')).toEqual(['Enforcing']);
      expect(found('domain')).toEqual([daemonDomain]);
      expect(found('contexts')).toEqual(['read']);
      expect(found('context')).toEqual([
        `${at('conf/csync/moved')} has context u:object_r:user_home_t:s0, should be system_u:object_r:usr_t:s0`,
      ]);
      expect([...(found('label') ?? [])].sort()).toEqual([
        `unknown ${contextOf('')} ${at('csync/dsau')}`,
        `unknown ${contextOf(at('csync'))} ${at('csync')}`,
        `unknown ${contextOf(at('csync/dsau/b'))} ${at('csync/dsau/b')}`,
      ]);
    });

    it('has the kernel decide where the program for that is installed, by kind of file', () => {
      writeFileSync(at('mode'), 'Enforcing\n');
      writeFileSync(at('requests'), '');
      const found = said(['asked', 'tools']);
      expect((found('label') ?? []).map((line) => line.replace(/ \S+ /, ' ')).sort()).toEqual([
        `granted ${at('csync')}`,
        `granted ${at('csync/dsau')}`,
        `refused ${at('csync/dsau/b')}`,
      ]);
      expect(
        spawnSync('sort', [at('requests')], { encoding: 'utf8' })
          .stdout.split('\n')
          .slice(0, 3),
      ).toEqual([
        `${daemonDomain} ${contextOf('')} dir read`,
        `${daemonDomain} ${contextOf(at('csync'))} dir read`,
        `${daemonDomain} ${contextOf(at('csync/dsau/b'))} file read`,
      ]);
    });

    it('that is permissive has the kernel decide nothing: it grants everything then', () => {
      writeFileSync(at('mode'), 'Permissive\n');
      expect(said(['asked', 'tools'])('label')?.every((line) => line.startsWith('unknown '))).toBe(true);
    });

    it('without the policy mounted prints no label of it', () => {
      writeFileSync(at('mode'), 'Enforcing\n');
      const elsewhere = said(['tools'], (text) => text.replaceAll(at('mounts'), '/dev/null'));
      expect([elsewhere('domain'), elsewhere('label')]).toEqual([[daemonDomain], null]);
    });
  });

  it('in FIPS mode reads the cluster’s key with the Node.js of the member scripts', () => {
    writeFileSync(at('crypto/fips_enabled'), '1\n');
    expect(said([])('fips')).toEqual(['accepted']);
    program('.', 'node', 'exit 127');
    expect(said([])('fips'), 'nothing is known').toEqual(['']);
    const without = 'require("node:crypto").createHash = () => { throw new Error("error:0308010C: unsupported") };';
    writeFileSync(at('no-md5.cjs'), without);
    program('.', 'node', `exec ${process.execPath} --require ${at('no-md5.cjs')} "$@"`);
    expect(said([])('fips')).toEqual(['refused error:0308010C: unsupported']);
    mkdirSync(at('conf/csync/runtime'));
    program('conf/csync/runtime', 'node', `exec ${process.execPath} "$@"`);
    expect(said([])('fips'), 'the carried one comes first').toEqual(['accepted']);
    writeFileSync(at('work/ppkeys/localhost.priv'), 'damaged');
    expect(said([])('fips')).toEqual([expect.stringMatching(/^refused error:\S+/)]);
  });

  it('prints a name of its key that is empty where cf-key cannot make one, and the version without a key', () => {
    program('cfengine', 'cf-key', '[ "$1" != -p ] || exit 1; printf "CFEngine Core 3.21.0\\nCFEngine Enterprise 3.21.0\\n"');
    expect(said([])('key-name')).toEqual(['']);
    writeFileSync(at('work/ppkeys/localhost.pub'), '');
    expect(said([])('key-version')).toEqual(['CFEngine Core 3.21.0 CFEngine Enterprise 3.21.0 ']);
  });
});
