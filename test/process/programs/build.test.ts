/** Builds beside each other and beside programs that run from what they replace. */
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bundlePrograms } from '../../../scripts/bench/member.ts';
import { repository, scratchDirectory } from '../../support.ts';

describe('the benchmarks', () => {
  it('bundle their programs as the toolkit bundles its own', async () => {
    const directory = scratchDirectory();
    await bundlePrograms(directory);
    expect(readdirSync(directory).sort()).toEqual(['event-listener.cjs', 'many-monitors.cjs']);
  });
});

describe('a build', { timeout: 120_000 }, () => {
  const clone = join(scratchDirectory(), 'clone');
  beforeAll(() => {
    mkdirSync(clone);
    for (const name of ['src', 'scripts', 'package-templates', 'package.json', 'package-lock.json', 'tsconfig.json'])
      cpSync(join(repository, name), join(clone, name), { recursive: true });
    symlinkSync(join(repository, 'node_modules'), join(clone, 'node_modules'));
  });
  const argv = [process.execPath, '--import', './scripts/typescript.mjs', 'scripts/build.ts'] as const;
  const building = () =>
    new Promise<number | null>((resolve) => {
      const child = spawn(argv[0], argv.slice(1), { cwd: clone, stdio: 'inherit' });
      child.once('exit', resolve);
    });
  const works = () => spawnSync(process.execPath, ['dist/csync.mjs', '--version'], { cwd: clone, encoding: 'utf8' }).status;
  const identity = () => statSync(join(clone, 'dist')).ino;

  it('of which three begin at once is made once, and whole', async () => {
    expect(await Promise.all([building(), building(), building()])).toEqual([0, 0, 0]);
    expect(works()).toBe(0);
    expect(readdirSync(clone).filter((name) => name.startsWith('dist'))).toEqual(['dist']);
  });

  it('of unchanged files leaves dist as it is', async () => {
    const before = [identity(), statSync(join(clone, 'dist/csync.mjs')).mtimeMs];
    expect(await building()).toBe(0);
    expect([identity(), statSync(join(clone, 'dist/csync.mjs')).mtimeMs]).toEqual(before);
  });

  it('of changed files takes the place of the old one, whose parts stay for programs that run', async () => {
    const before = identity();
    const parts = readdirSync(join(clone, 'dist')).filter((name) => name.startsWith('parts-'));
    appendFileSync(join(clone, 'src/base/version.ts'), '\nexport const another = 1;\n');
    appendFileSync(join(clone, 'src/base/shell-word.ts'), '\nconsole.error("");\n');
    // Another process is always just starting a program from it.
    const missing: unknown[] = [];
    let over = false;
    const looking = (async () => {
      while (!over) {
        if (!existsSync(join(clone, 'dist/csync.mjs'))) missing.push(Date.now());
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    expect(await building()).toBe(0);
    over = true;
    await looking;
    expect(missing).toEqual([]);
    expect(identity()).not.toBe(before);
    expect(readdirSync(join(clone, 'dist'))).toEqual(expect.arrayContaining(parts));
    expect(works()).toBe(0);
  });

  it('that fails leaves the old one', async () => {
    writeFileSync(join(clone, 'src/cli.ts'), 'import "./nowhere.ts";\n');
    expect(await building()).not.toBe(0);
    expect(works()).toBe(0);
  });
});
