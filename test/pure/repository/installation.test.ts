import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { labPrograms } from '../../../src/lab/machines/lab-spec.ts';

interface LockedPackage {
  version?: string;
  optionalDependencies?: Record<string, string>;
}

const packages = (JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, LockedPackage> }).packages;

describe('package-lock.json', () => {
  // npm drops the binary packages of other platforms that a registry mirror does not offer, and then refuses the lock
  // file it wrote itself (npm ci: "Missing: ... from lock file"). The file has to name them all the same.
  test('names every optional package of every platform with its version', () => {
    const absent = Object.entries(packages).flatMap(([path, locked]) =>
      Object.keys(locked.optionalDependencies ?? {}).filter(
        (name) =>
          packages[`node_modules/${name}`]?.version === undefined &&
          packages[`${path}/node_modules/${name}`]?.version === undefined,
      ),
    );
    expect(absent).toEqual([]);
  });

  test('names no registry', () => {
    expect(readFileSync('package-lock.json', 'utf8')).not.toMatch(/"resolved"|https?:\/\/registry/);
  });
});

describe('scripts/prepare.sh', () => {
  test('installs exactly what a lab runs', () => {
    const listed = /^lab_programs="([^"]*)"/m.exec(readFileSync('scripts/prepare.sh', 'utf8'))?.[1]?.split(' ') ?? [];
    expect(listed.sort()).toEqual(
      Object.entries(labPrograms)
        .map(([program, debian]) => `${program}:${debian}`)
        .sort(),
    );
  });
});
