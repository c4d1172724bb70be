/**
 * The doors through which csync and the member scripts write files on this host: at every system call of theirs an error (EIO,
 * ENOSPC), and an end of the process (everything behind it fails, a write is torn). render, init, templates export, migrate and the
 * settings are written by writeFilesAtomically, sentinel and monitor state by writeDurably, a working copy of the policy by writeTree,
 * and by nothing else: see the last test.
 * The faults are put into node:fs of this test; what is shipped has no switch for them.
 */
import fs, { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTree, writeTree } from '../../../src/host/admin/file-tree.ts';
import { writeFilesAtomically } from '../../../src/host/admin/own-files.ts';
import { realMemberHost } from '../../../src/host/member/member-host.ts';
import { repository, scratchDirectory } from '../../support.ts';

const scratch = scratchDirectory();
const changing = [
  'openSync',
  'writeSync',
  'writeFileSync',
  'fsyncSync',
  'mkdirSync',
  'chmodSync',
  'linkSync',
  'renameSync',
  'rmSync',
] as const;
type Fault = 'EIO' | 'ENOSPC' | 'killed';

/** Does the work with a fault at its call number `at`; says how many calls there were, and whether it failed. */
function withFault(fault: Fault, at: number, work: () => void): { readonly calls: number; readonly failed: boolean } {
  const real = new Map(changing.map((name) => [name, fs[name] as (...words: unknown[]) => unknown]));
  let [calls, dead] = [0, false];
  const stumble = (name: string, words: unknown[]): never => {
    dead = fault === 'killed';
    // A torn write: half of it is written.
    if (dead && name === 'writeSync' && typeof words[1] === 'string')
      real.get('writeSync')?.(words[0], words[1].slice(0, words[1].length / 2));
    if (dead && name === 'writeSync' && Buffer.isBuffer(words[1]))
      real.get('writeSync')?.(words[0], words[1].subarray(0, words[1].length / 2));
    throw Object.assign(new Error(fault), { code: fault });
  };
  for (const [name, call] of real)
    Object.assign(fs, {
      [name]: (...words: unknown[]): unknown => {
        if (dead) throw new Error('killed');
        calls += 1;
        return calls === at ? stumble(name, words) : call(...words);
      },
    });
  syncBuiltinESMExports();
  try {
    work();
    return { calls, failed: false };
  } catch {
    return { calls, failed: true };
  } finally {
    Object.assign(fs, Object.fromEntries(real));
    syncBuiltinESMExports();
  }
}

const names = ['csync.conf', 'csync.sh', 'settings.json', 'manifest.json'];
const texts = (age: string): string[] => names.map((name) => `${age} ${name}\n`.repeat(50));
const writeAll = (directory: string, age: string): void =>
  writeFilesAtomically(names.map((name, index) => ({ path: join(directory, name), mode: 0o644, text: texts(age)[index] ?? '' })));

function place(kind: 'with an old set' | 'empty'): string {
  const directory = join(mkdtempSync(join(scratch, 'place-')), 'csync');
  mkdirSync(directory);
  if (kind === 'with an old set')
    for (const [index, name] of names.entries()) writeFileSync(join(directory, name), texts('old')[index] ?? '');
  return directory;
}

const read = (directory: string): string[] =>
  names.map((name) => (readdirSync(directory).includes(name) ? readFileSync(join(directory, name), 'utf8') : ''));
/** Of each file: old, new, none or, the one thing that must not be, torn. */
const states = (directory: string): string[] =>
  read(directory).map((text, index) =>
    text === '' ? 'none' : text === texts('new')[index] ? 'new' : text === texts('old')[index] ? 'old' : 'torn',
  );
const callsOf = (kind: 'with an old set' | 'empty'): number => withFault('EIO', 0, () => writeAll(place(kind), 'new')).calls;

describe.each(['with an old set', 'empty'] as const)('files written together, %s', (kind) => {
  const before = kind === 'empty' ? 'none' : 'old';

  it.each(['EIO', 'ENOSPC'] as const)('at %s anywhere are all as before or all new, as the result reports', (fault) => {
    const calls = callsOf(kind);
    expect(calls).toBeGreaterThan(4 * names.length);
    for (let at = 1; at <= calls; at += 1) {
      const directory = place(kind);
      const { failed } = withFault(fault, at, () => writeAll(directory, 'new'));
      expect(new Set(states(directory)), `${fault} at call ${at} of ${calls}`).toEqual(new Set([failed ? before : 'new']));
      writeAll(directory, 'new');
      expect(new Set(states(directory)), `again after ${fault} at call ${at}`).toEqual(new Set(['new']));
    }
  });

  it('killed anywhere are whole, the first ones new, the manifest last; and the same again finishes', () => {
    const calls = callsOf(kind);
    const seen = new Set<string>();
    for (let at = 1; at <= calls; at += 1) {
      const directory = place(kind);
      withFault('killed', at, () => writeAll(directory, 'new'));
      const found = states(directory);
      const done = found.filter((state) => state === 'new').length;
      expect(found, `killed at call ${at} of ${calls}`).toEqual(names.map((_, index) => (index < done ? 'new' : before)));
      seen.add(String(done));
      writeAll(directory, 'new');
      expect(new Set(states(directory)), `again after a kill at call ${at}`).toEqual(new Set(['new']));
    }
    // Otherwise nothing was killed in the middle, and this showed nothing.
    expect([...seen].sort()).toEqual(['0', '1', '2', '3', '4']);
  });
});

describe('a file a member script writes durably', () => {
  it.each(['EIO', 'ENOSPC', 'killed'] as const)('at %s anywhere is old or new, and the next write is done', (fault) => {
    const host = realMemberHost();
    const write = (file: string, text: string): void => host.writeDurably(file, text, 0o644);
    const fresh = (): string => {
      const file = join(mkdtempSync(join(scratch, 'durable-')), 'csync.sentinel');
      writeFileSync(file, 'old');
      return file;
    };
    const { calls } = withFault(fault, 0, () => write(fresh(), 'new'));
    expect(calls).toBeGreaterThan(3);
    for (let at = 1; at <= calls; at += 1) {
      const file = fresh();
      const { failed } = withFault(fault, at, () => write(file, 'new'));
      expect(failed ? ['old', 'new'] : ['new'], `${fault} at call ${at}`).toContain(readFileSync(file, 'utf8'));
      write(file, 'next');
      expect(readFileSync(file, 'utf8')).toBe('next');
    }
  });
});

describe('a tree that is handed out', () => {
  const files = new Map(names.map((name) => [join('deep', name), Buffer.from(`of ${name}\n`)]));
  const write = (directory: string): void => writeTree(directory, files);
  const inside = (directory: string): string[] => readTree(directory).map(({ name, content }) => `${name} ${content}`);

  it.each(['EIO', 'ENOSPC', 'killed'] as const)('at %s anywhere is whole or not there, and the next try is done', (fault) => {
    const fresh = (): string => join(mkdtempSync(join(scratch, 'tree-')), 'policy');
    const { calls } = withFault(fault, 0, () => write(fresh()));
    expect(calls).toBeGreaterThan(2 * files.size);
    for (let at = 1; at <= calls; at += 1) {
      const directory = fresh();
      const { failed } = withFault(fault, at, () => write(directory));
      expect(failed ? [false] : [true], `${fault} at call ${at}`).toContain(existsSync(directory));
      if (!existsSync(directory)) write(directory);
      expect(inside(directory)).toEqual([...files].map(([name, content]) => `${name} ${content}`).sort());
      expect(readdirSync(dirname(directory))).toEqual(['policy']);
    }
    expect(() => write(join(scratch, '..'))).toThrow('is not empty');
  });
});

describe('the doors', () => {
  it('are the only ones: no other part writes files, apart from logs and the lab', () => {
    const source = join(repository, 'src');
    const writes = /\b(writeFileSync|writeFile|appendFileSync|createWriteStream|renameSync|copyFileSync|cpSync|truncateSync)\(/;
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    expect(files.filter((name) => writes.test(readFileSync(join(source, name), 'utf8'))).sort()).toEqual([
      'host/admin/file-tree.ts',
      'host/admin/own-files.ts',
      'host/lab/lab-files.ts',
      'host/safe-file.ts',
    ]);
  });

  it('have no switch for faults in what is shipped', () => {
    const source = join(repository, 'src/host');
    const names = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const texts = names.map((name) => readFileSync(join(source, name), 'utf8'));
    expect(texts.filter((text) => /inject|process\.env\.\w*(FAULT|CRASH|FAIL)/i.test(text))).toEqual([]);
  });
});
