/** The one helper file of the tests. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { demand } from '../src/problem.ts';
import { parseSettings, type Settings } from '../src/settings.ts';

export const repository = join(import.meta.dirname, '..');

/** A complete settings file of the demo cluster, with changes laid over it (undefined takes a key out). */
export function settingsText(changes: Readonly<Record<string, unknown>> = {}): string {
  const values: Record<string, unknown> = {
    members: ['m1', 'm2', 'm3'],
    package_address: '10.9.0.100',
    package_dns_name: 'csync.lab',
    package_subnet: '10.9.0.0',
    volume_group: 'vg_csync',
    logical_volume: 'lv_csync',
    mount_point: '/csync',
    ...changes,
  };
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('');
}

export function settingsFor(changes: Readonly<Record<string, unknown>> = {}): Settings {
  return demand(parseSettings(settingsText(changes), 'csync.yaml'));
}

/** A directory that is removed when the test file is done. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'csync-test-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export const isRoot = process.getuid?.() === 0;

/** Whether every program is there; the lab tests need them all. */
export function have(...programs: readonly string[]): boolean {
  return programs.every(
    (program) => spawnSync('/bin/sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`]).status === 0,
  );
}

/** Waits for a state with a deadline; the error names what was waited for. */
export async function eventually<T>(what: string, state: () => T | Promise<T>, deadlineMs = 10_000): Promise<NonNullable<T>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await state();
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<T>;
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
