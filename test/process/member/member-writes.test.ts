/**
 * What csync has hosts write, at each program that writes, renames or removes: it fails as on a full disk, it fails in the middle, or
 * every process is killed at it. The result is old or new, and the same script again finishes.
 * The programs are real; in front of each stands a shell that counts, in the place the scripts find by their PATH.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { adapterFor } from '../../../src/cfengine/adapter.ts';
import { distributeScript } from '../../../src/cluster/apply/package-write.ts';
import { configuredFile, configuredLines, withConfigured } from '../../../src/cluster/hosts/boot-start.ts';
import { type HostStep, noChange, parseOutcomes, setUpScript } from '../../../src/cluster/hosts/host-setup.ts';
import { nextRecord, planCommit } from '../../../src/cluster/policy/commit.ts';
import { policyLookScript, policyPlace, policyStatus, readPolicyState } from '../../../src/cluster/policy/look.ts';
import { becameOf, commitScript, confirmScript, noExchangeText, publishScript } from '../../../src/cluster/policy/scripts.ts';
import { editOf } from '../../../src/cluster/policy/stage.ts';
import { stageScript, takeBackScript } from '../../../src/cluster/policy/stage-scripts.ts';
import { hostScript } from '../../../src/cluster/remote/shell-text.ts';
import { everyStep, isRoot, scratchDirectory, settingsFor } from '../../support.ts';

const scratch = scratchDirectory();
const bin = (): string => join(scratch, 'bin');
const trap = (): string => join(scratch, 'trap');

const programs = ['base64', 'chmod', 'cp', 'mkdir', 'mv', 'perl', 'rm', 'rmdir', 'sed', 'sync'];
const faults = ['full disk', 'half', 'killed'] as const;
type Fault = (typeof faults)[number];

/** perl is the exchange of two directories; only base64 and sed write what is read in the end, and can have written half. */
const shim = (name: string): string => `#!/bin/sh
read -r n < ${trap()}/count
n=$((n + 1))
echo $n > ${trap()}/count
read -r at < ${trap()}/at
if [ "$n" = "$at" ]; then
  read -r fault < ${trap()}/fault
  case "$fault ${name}" in
    killed*) kill -KILL 0 ;;
    'half base64' | 'half sed') said=$(/usr/bin/${name} "$@"); printf %s "$said" | head -c $((\${#said} / 2)) ;;
  esac
  echo "${name}: No space left on device" >&2
  exit ${name === 'perl' ? 2 : 1}
fi
exec /usr/bin/${name} "$@"
`;

beforeAll(() => {
  mkdirSync(bin());
  mkdirSync(trap());
  for (const name of programs) writeFileSync(join(bin(), name), shim(name), { mode: 0o755 });
  writeFileSync(join(scratch, 'cmcluster.conf'), '');
});

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Work {
  /** Of the host, made anew each time. */
  readonly root: string;
  readonly script: () => string;
  /** Throws where something is neither old nor new, or half. `ended`: null at the very end, when all has to be new. */
  readonly judge: (ended: Ended | null) => 'old' | 'new' | 'between';
  /** Directory that has to be a mount for it. */
  readonly mount?: string;
}

/** In a process group of its own, which a kill of group 0 ends as a whole. */
function run(
  { mount, script }: Pick<Work, 'mount' | 'script'>,
  fault: Fault | null = null,
  at = 0,
): Ended & { readonly count: number } {
  const input = script()
    .replaceAll('PATH=/usr/sbin:', `PATH=${bin()}:/usr/sbin:`)
    .replaceAll('/etc/cmcluster.conf', join(scratch, 'cmcluster.conf'));
  expect(input).toContain(bin());
  const inside = `mount --bind ${mount} ${mount} && exec /bin/sh -s`;
  const words = mount === undefined ? ['/bin/sh', '-s'] : ['unshare', '-m', '--propagation', 'private', '/bin/sh', '-c', inside];
  writeFileSync(join(trap(), 'count'), '0\n');
  writeFileSync(join(trap(), 'at'), `${at}\n`);
  writeFileSync(join(trap(), 'fault'), `${fault}\n`);
  const { status, stdout, stderr } = spawnSync('setsid', ['--wait', ...words], { input, encoding: 'utf8' });
  return { status, stdout, stderr, count: Number(readFileSync(join(trap(), 'count'), 'utf8')) };
}

/** Goes through all of them, in `npm test` through some that are spread over it. `wanted`: what it has to be left as somewhere. */
function everywhere(make: (root: string) => Work, fault: Fault, ...wanted: readonly string[]): void {
  const fresh = (): Work => make(mkdtempSync(join(scratch, 'host-')));
  const whole = fresh();
  const { status, stderr, count } = run(whole);
  expect([status, stderr]).toEqual([0, '']);
  expect(whole.judge(null)).toBe('new');
  expect(count).toBeGreaterThan(5);
  const seen = new Set<string>();
  const [first, distance] = everyStep ? [1, 1] : [1 + 2 * faults.indexOf(fault), 8];
  for (let at = first; at <= count; at += distance) {
    const work = fresh();
    const ended = run(work, fault, at);
    const where = `${fault} at ${at} of ${count}: status ${ended.status} ${ended.stdout}${ended.stderr}`;
    expect(ended.count, where).toBeGreaterThanOrEqual(at);
    const left = attempt(where, () => work.judge(ended));
    // Only a kill may leave files that belong together between the two.
    if (fault !== 'killed') expect(left, where).not.toBe('between');
    seen.add(left);
    const again = run(work);
    expect(again.status, `again after ${where}: ${again.stderr}`).toBe(0);
    expect(
      attempt(where, () => work.judge(null)),
      `again after ${where}`,
    ).toBe('new');
    rmSync(work.root, { recursive: true });
  }
  // Otherwise the faults did not come where they do harm.
  if (everyStep) expect([...seen]).toEqual(expect.arrayContaining([...wanted]));
}

function attempt<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new Error(where, { cause });
  }
}

it('an apply that fails leaves links as they were, also one that leads nowhere', () => {
  const root = mkdtempSync(join(scratch, 'host-'));
  write(root, { 'csync/a': 'a', elsewhere: 'theirs' });
  const targets = { linked: '../elsewhere', dangling: '../nowhere' };
  for (const [name, target] of Object.entries(targets)) symlinkSync(target, join(root, 'csync', name));
  const files = ['a', 'linked', 'dangling', 'z'].map((name) => ({ name, mode: 0o644, content: Buffer.from('new') }));
  const script = distributeScript(join(root, 'csync'), files, []);
  const lines = script.split('\n').findIndex((line) => line.startsWith('mv -f') && line.endsWith('/z'));
  expect(lines).toBeGreaterThan(0);
  const failing = script.split('\n').toSpliced(lines, 1, 'false').join('\n');
  expect(run({ script: () => failing })).toMatchObject({ status: 1, stderr: '' });
  for (const [name, target] of Object.entries(targets)) expect(readlinkSync(join(root, 'csync', name))).toBe(target);
  expect(readdirSync(join(root, 'csync')).sort()).toEqual(['.csync-lock', 'a', 'dangling', 'linked']);
  expect(run({ script: () => script })).toMatchObject({ status: 0, stderr: '' });
  expect(readFileSync(join(root, 'csync/linked'), 'utf8')).toBe('new');
  expect(readFileSync(join(root, 'elsewhere'), 'utf8')).toBe('theirs');
});

type Texts = Readonly<Record<string, string | null>>;

function write(directory: string, texts: Texts): void {
  for (const [name, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    if (text !== null) writeFileSync(join(directory, name), text, { mode: 0o600 });
  }
}

const read = (file: string): string | null => (existsSync(file) ? readFileSync(file, 'utf8') : null);

/** Of each file that changes, in their order. Throws where one is neither. */
function states(directory: string, old: Texts, fresh: Texts): ('old' | 'new')[] {
  return Object.keys(fresh).flatMap((name) => {
    const found = read(join(directory, name));
    if (found !== fresh[name]) expect(found, name).toBe(old[name]);
    return old[name] === fresh[name] ? [] : [found === fresh[name] ? 'new' : 'old'];
  });
}

const summary = (all: readonly ('old' | 'new')[]): 'old' | 'new' | 'between' => {
  const [first, ...others] = new Set(all);
  return others.length > 0 || first === undefined ? 'between' : first;
};

const long = (text: string): string => `${text}\n`.repeat(40);
const leftovers = (directory: string): string[] => readdirSync(directory).filter((name) => /arriv|csync-new|next/.test(name));

describe.each(faults)('at each program that writes: %s', { timeout: 600_000 }, (fault) => {
  it('the files of the package directory', () => {
    const old = { 'a.conf': long('old a'), 'b.sh': long('old b'), 'history/0002.json': null, 'manifest.json': '{"old":1}' };
    const fresh = { 'a.conf': long('new a'), 'b.sh': long('new b'), 'history/0002.json': '{}', 'manifest.json': '{"new":1}' };
    const wanted = fault === 'killed' ? ['old', 'between', 'new'] : ['old', 'new'];
    everywhere(
      (root) => {
        const directory = join(root, 'csync');
        write(directory, { ...old, 'history/0001.json': '{}' });
        const files = Object.entries(fresh).map(([name, text]) => ({ name, mode: 0o644, content: Buffer.from(text) }));
        return {
          root,
          script: () => distributeScript(directory, files, ['history/0001.json']),
          judge: (ended) => {
            const found = states(directory, old, fresh);
            // The first ones are new, the manifest last.
            expect(found.toSorted((one, other) => Number(one === 'old') - Number(other === 'old'))).toEqual(found);
            const of = [...found, ...states(directory, { 'history/0001.json': '{}' }, { 'history/0001.json': null })];
            // It stays when its removal fails; the next one removes it.
            const swept = fault !== 'killed' && !ended?.stderr.includes('rm: ');
            if (ended === null || swept) expect(leftovers(directory)).toEqual([]);
            if (ended?.status === 0) expect(summary(of)).toBe('new');
            return summary(of);
          },
        };
      },
      fault,
      ...wanted,
    );
  });

  it('a line in a file that is not ours', () => {
    const text = (value: '0' | '1'): string =>
      withConfigured(`# ours\nCSYNC_CONFIGURED=0 # see the manual\nOTHER="${long('x')}"\n`, value);
    everywhere((root) => {
      const file = join(root, configuredFile);
      write(root, { [configuredFile]: text('0') });
      return {
        root,
        script: () => hostScript('set -eu', ...configuredLines('1')).replaceAll(dirname(configuredFile), dirname(file)),
        judge: (ended) => {
          if (ended === null) expect(leftovers(dirname(file))).toEqual([]);
          return summary(states(root, { [configuredFile]: text('0') }, { [configuredFile]: text('1') }));
        },
      };
    }, fault);
  });

  it('the keys of a host', () => {
    const pair = (age: string) => ({ privateKey: long(`${age} private`), publicKey: long(`${age} public`), digest: age });
    const of = ({ privateKey, publicKey }: ReturnType<typeof pair>) => ({
      'localhost.priv': privateKey,
      'localhost.pub': publicKey,
    });
    const trusted = { 'root-SHA=1.pub': long('one'), 'root-SHA=2.pub': long('two') };
    everywhere((root) => {
      const settings = settingsFor({ cfengine_work_directory: join(root, 'cfengine') });
      const keys = join(root, 'cfengine/ppkeys');
      write(keys, { ...of(pair('old')), 'root-SHA=0.pub': long('gone') });
      const step = (): HostStep => ({
        do: 'keys',
        host: 'm3',
        // As a probe reads it: half of a pair is no pair to be kept.
        own: { pair: 'given', keep: read(join(keys, 'localhost.pub')) === pair('old').publicKey ? 'old' : null },
        change: {
          ...noChange,
          write: Object.entries(trusted).map(([name, publicKey]) => ({ name, of: name, key: { digest: name, publicKey } })),
          remove: [{ name: 'root-SHA=0.pub', why: 'it left' }],
        },
      });
      const materials = {
        settings,
        adapter: adapterFor(settings),
        pairFor: () => pair('new'),
        inputs: new Map(),
        bootScript: () => '',
        agentSeconds: 60,
      };
      return {
        root,
        script: () => setUpScript([step()], materials),
        judge: (ended) => {
          const found = [
            ...states(keys, { 'root-SHA=1.pub': null, 'root-SHA=2.pub': null }, trusted),
            ...states(keys, { 'root-SHA=0.pub': long('gone') }, { 'root-SHA=0.pub': null }),
          ];
          const publicKey = read(join(keys, 'localhost.pub'));
          const own = publicKey === null ? 'none' : summary(states(keys, of(pair('old')), of(pair('new'))));
          // A pair of two halves would be believed.
          expect(own).not.toBe('between');
          for (const name of readdirSync(keys).filter((one) => !one.startsWith('.')))
            expect(statSync(join(keys, name)).mode & 0o077, name).toBe(0);
          if (ended !== null && own === 'new') expect(read(join(root, 'cfengine/.csync-daemon-owes'))).toBe('restart\n');
          const isDone = own === 'new' && found.every((state) => state === 'new');
          if (ended === null)
            expect([leftovers(keys), read(join(keys, 'replaced-old.priv'))]).toEqual([[], pair('old').privateKey]);
          // It says that it is done only when it is.
          if (ended !== null && parseOutcomes(ended.stdout)[0] === null) expect(isDone).toBe(true);
          // Each key is of use by itself.
          return isDone ? 'new' : 'old';
        },
      };
    }, fault);
  });

  it('the policy a host begins with', () => {
    const [old, fresh] = ['old', 'new'].map((age) =>
      Object.fromEntries(['promises.cf', 'update.cf', 'controls/def.cf'].map((name) => [name, long(`# ${age} ${name}`)])),
    ) as [Record<string, string>, Record<string, string>];
    everywhere((root) => {
      const settings = settingsFor({ cfengine_work_directory: join(root, 'cfengine') });
      const inputs = join(root, 'cfengine/inputs');
      write(inputs, old);
      const materials = {
        settings,
        adapter: adapterFor(settings),
        pairFor: () => null,
        inputs: new Map(Object.entries(fresh)),
        bootScript: () => '',
        agentSeconds: 60,
      };
      return {
        root,
        script: () => setUpScript([{ do: 'inputs', host: 'c1', names: Object.keys(fresh) }], materials),
        judge: (ended) => {
          const found = summary(states(inputs, old, fresh));
          if (ended === null)
            for (const [name, text] of Object.entries(old))
              expect(read(join(root, 'cfengine/inputs-before-csync', name)), name).toBe(text);
          if (ended !== null && parseOutcomes(ended.stdout)[0] === null) expect(found).toBe('new');
          // A host's own agent copies file by file, too.
          return found === 'between' ? 'old' : found;
        },
      };
    }, fault);
  });

  const site = 'bundle agent site\n{\n}\n';
  const oldTree = {
    'promises.cf': long('# old'),
    'site.cf': site,
    'controls/members.cf': long('# old members'),
    'gone.cf': '# old',
  };
  const newTree = { ...oldTree, 'promises.cf': long('# new'), 'controls/members.cf': long('# new members'), 'gone.cf': null };

  /** The parser is skipped: it writes nothing. */
  function policyOn(root: string) {
    const place = { ...policyPlace(settingsFor({ mount_point: join(root, 'csync') })), checks: [] };
    write(place.tree, oldTree);
    write(place.base, { 'public_keys/old.pub': 'old key', 'csync.sentinel': '{"epoch":3,"member":"m1","at":""}' });
    return place;
  }

  it.skipIf(!isRoot).each(['in one piece', 'file by file'] as const)("the toolkit's part of the policy, %s", (how) => {
    everywhere(
      (root) => {
        const place = policyOn(root);
        const below = (name: string): string => `${place.tree.slice(place.base.length + 1)}/${name}`;
        const order = {
          directories: ['public_keys', 'master_files'],
          write: [
            ...['promises.cf', 'controls/members.cf'].map((name) => ({
              name: below(name),
              text: newTree[name as 'promises.cf'] ?? '',
            })),
            { name: 'public_keys/new.pub', text: 'new key' },
          ],
          remove: [below('gone.cf'), 'public_keys/old.pub'],
        };
        const script = publishScript(place, order);
        return {
          root,
          mount: place.mountPoint,
          // Without a program that exchanges directories.
          script: () => (how === 'in one piece' ? script : script.replace('perl -e', 'false').replaceAll('--exchange', '--none')),
          judge: (ended) => {
            const tree = summary(states(place.tree, oldTree, newTree));
            const keys = states(place.base, { 'public_keys/new.pub': null }, { 'public_keys/new.pub': 'new key' });
            const gone = states(place.base, { 'public_keys/old.pub': 'old key' }, { 'public_keys/old.pub': null });
            // A new key arrives before the policy, and an old one is deleted after it.
            if (tree !== 'old') expect(keys).toEqual(['new']);
            if (gone[0] === 'new') expect(tree).toBe('new');
            if (ended === null) expect(leftovers(place.keep)).toEqual([]);
            if (ended === null && how === 'in one piece') expect(read(join(place.keep, 'before/promises.cf'))).not.toBeNull();
            if (ended?.status === 0) expect([tree, ...keys, ...gone]).toEqual(['new', 'new', 'new']);
            if (ended?.status === 0) expect(ended.stdout.includes(noExchangeText)).toBe(how === 'file by file');
            return how === 'file by file' && tree === 'between' ? 'old' : tree;
          },
        };
      },
      fault,
      'old',
      'new',
    );
  });

  it.skipIf(!isRoot)('a commit of policy', () => {
    const mine = { 'site.cf': `# mine\n${site}`, 'lib/more.cf': long('# more'), 'gone.cf': null };
    everywhere((root) => {
      const place = policyOn(root);
      const look = () => {
        const said = run({ mount: place.mountPoint, script: () => policyLookScript(place, false) });
        const looked = readPolicyState(said.stdout);
        if (looked === null) throw new Error(`the policy cannot be read: ${said.stdout}${said.stderr}`);
        return looked.state;
      };
      return {
        root,
        mount: place.mountPoint,
        script: () => {
          const state = look();
          const local = Object.entries(mine).map(([name, text]) => ({ name, content: text === null ? null : Buffer.from(text) }));
          const plan = demand(planCommit(state, local, state.digest));
          // It exists, and a commit of nothing is none.
          if (plan.write.length + plan.remove.length === 0) return hostScript('exit 0');
          const record = nextRecord(state, plan, { at: 'now', by: 'root@m1', member: 'm1', message: 'why' });
          return commitScript(place, { state, record, write: plan.write, remove: plan.remove, dryRun: false, stage: null });
        },
        judge: (ended) => {
          const tree = summary(states(place.tree, { ...oldTree, 'lib/more.cf': null }, { ...oldTree, ...mine }));
          const { current, digest } = look();
          expect(current === null ? null : current.digest).toBe(tree === 'old' ? null : digest);
          const became = ended === null ? 'durable' : becameOf({ ...ended, exitCode: ended.status, timedOut: false });
          if (became === 'durable') expect(tree).toBe('new');
          if (became === 'not there') expect(tree).toBe('old');
          return tree;
        },
      };
    }, fault);
  });

  it.skipIf(!isRoot).each(['begins', 'is taken back', 'is committed'] as const)('a staged rollout that %s', (what) => {
    const host = { name: 'c1', key: `MD5=${'1'.repeat(32)}` };
    const edit = { 'site.cf': `# mine\n${site}`, 'gone.cf': null };
    everywhere((root) => {
      const place = policyOn(root);
      const rules = `# ${place.stage}/$(sys.key_digest)/ ${place.stage}/$(connection.key)/\n`;
      write(place.tree, { 'update.cf': rules });
      const look = () => {
        const said = run({ mount: place.mountPoint, script: () => policyLookScript(place, false) });
        return readPolicyState(said.stdout) ?? expect.fail(`the policy cannot be read: ${said.stdout}${said.stderr}`);
      };
      const planned = () => {
        const { state, stages } = look();
        const local = Object.entries(edit).map(([name, text]) => ({ name, content: text === null ? null : Buffer.from(text) }));
        const plan = demand(planCommit(state, local, state.digest));
        const words = { at: 'now', by: 'root@m1', member: 'm1', message: 'why', stage: [host.name] };
        const record = stages.open?.record ?? nextRecord(state, plan, words);
        const stage = stages.open ?? { record, base: state.digest, edit: editOf(plan), hosts: [host] };
        return { state, open: stages.open, plan, stage };
      };
      const begin = (): string => {
        const { state, open, plan, stage } = planned();
        return open === null ? stageScript(place, { ...plan, stage, instead: null, state }) : hostScript('exit 0');
      };
      const end = (): string => {
        const { state, open, plan, stage } = planned();
        const leaving = { record: stage.record, hosts: [host.name], at: 'now', why: 'c1: no' };
        if (what === 'is taken back') return open === null ? hostScript('exit 0') : takeBackScript(place, stage, leaving);
        if (plan.write.length > 0) return commitScript(place, { ...plan, state, record: stage.record, dryRun: false, stage });
        return open === null ? hostScript('exit 0') : confirmScript(place, state, open);
      };
      if (what !== 'begins') expect(run({ mount: place.mountPoint, script: begin }).status).toBe(0);
      return {
        root,
        mount: place.mountPoint,
        script: what === 'begins' ? begin : end,
        judge: (ended) => {
          const served = summary(states(place.tree, oldTree, { ...oldTree, ...edit }));
          const { stages } = look();
          const ofHost = join(place.stage, host.key);
          // A host finds all of it or nothing, and nothing that is not in the file that names its hosts.
          expect(existsSync(ofHost)).toBe(stages.open !== null);
          if (stages.open !== null) {
            expect(summary(states(join(ofHost, 'masterfiles'), oldTree, { ...oldTree, ...edit }))).toBe('new');
            expect(read(join(ofHost, 'csync.stage'))).toBe(`${stages.open.record.commit} ${stages.open.record.digest}\n`);
          }
          if (ended === null && what === 'is taken back')
            expect([stages.leaving?.hosts, stages.takenBack.length]).toEqual([[host.name], 1]);
          if (what === 'is committed') return ended === null && stages.open !== null ? 'between' : served;
          expect(served).toBe('old');
          return (stages.open !== null) === (what === 'begins') ? 'new' : 'old';
        },
      };
    }, fault);
  });
});

it.skipIf(!isRoot)("what another user writes while the toolkit's part is prepared is not published over", () => {
  const root = mkdtempSync(join(scratch, 'host-'));
  const place = { ...policyPlace(settingsFor({ mount_point: join(root, 'csync') })), checks: [] };
  write(place.tree, { 'site.cf': 'old', 'promises.cf': 'old' });
  const name = `${place.tree.slice(place.base.length + 1)}/promises.cf`;
  const script = publishScript(place, { directories: [], write: [{ name, text: 'new' }], remove: [] });
  const meanwhile = script.replace(/^trap .*EXIT.*$/m, `$&\necho mine > ${place.tree}/site.cf`);
  const ended = run({ mount: place.mountPoint, script: () => meanwhile });
  expect([ended.status, ended.stdout]).toEqual([
    policyStatus.moved,
    'another process wrote to the policy of the master meanwhile\n',
  ]);
  expect(readFileSync(join(place.tree, 'promises.cf'), 'utf8')).toBe('old');
  expect(run({ mount: place.mountPoint, script: () => script }).status).toBe(0);
  expect(readdirSync(place.tree).map((file) => readFileSync(join(place.tree, file), 'utf8'))).toEqual(['new', 'mine\n']);
});
