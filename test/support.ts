/** What the tests have in common. It starts nothing: labs are in use-lab.ts. */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { demand } from '../src/base/problem.ts';
import { type BootTemplates, bootTemplateNames } from '../src/cluster/hosts/boot-start.ts';
import { arpProbeName, entryName } from '../src/contract/package-directory.ts';
import { engineFor } from '../src/engine/choice/engine-for.ts';
import { type PackageStatus, unknownStatus } from '../src/engine/engine.ts';
import type { PackageTemplates } from '../src/render/package.ts';
import { policyTemplateNames } from '../src/render/policy.ts';
import type { Template } from '../src/render/template.ts';
import type { Settings } from '../src/settings/settings.ts';
import { parseSettings } from '../src/settings/settings-yaml.ts';
import { everyStep, longMark } from './every-step.ts';

export { everyStep };

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

export function runningOn(owner: string): PackageStatus {
  return { ...unknownStatus, status: 'up', state: 'running', owner, autoRun: true };
}

/** A directory that is made before the tests of the file and removed after them; not at all when all of them are skipped. */
export function scratchDirectory(): string {
  const directory = join(tmpdir(), `csync-test-${randomUUID()}`);
  beforeAll(() => void mkdirSync(directory, { mode: 0o700 }));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/**
 * A test that shows at length what others have shown already: only `npm run every-step` has it. Tests behind it in the file must do
 * without what it leaves.
 */
export function everyStepIt(name: string, test: () => void | Promise<void>, timeoutMs?: number): void {
  it.skipIf(!everyStep)(`${name}${longMark}`, test, timeoutMs);
}

/** Where a test that harms a verb at each of its remote commands begins: CSYNC_KILLED_FROM goes on with a run that was ended. */
export const firstCommand = Number(process.env.CSYNC_KILLED_FROM ?? 1);

export const isRoot = process.getuid?.() === 0;

/** Whether every program exists, where root finds it too. */
export function have(...programs: readonly string[]): boolean {
  const script = 'PATH=$PATH:/usr/sbin:/sbin; for program; do command -v "$program" > /dev/null || exit 1; done';
  return spawnSync('/bin/sh', ['-c', script, 'sh', ...programs]).status === 0;
}

/** Waits for a state; the error names what was waited for. The deadline ends a test that fails: a bound that is claimed is measured. */
export async function eventually<T>(what: string, state: () => T | Promise<T>, deadlineMs = 30_000): Promise<NonNullable<T>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await state();
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<T>;
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms for ${what}; it did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A shipped template by its name below package-templates. */
export function shippedTemplate(name: string): Template {
  const file = join(repository, 'package-templates', name);
  return { file, text: readFileSync(file, 'utf8') };
}

/** What renderPackage wants of them. */
export function packageTemplates(
  style: Settings['packageStyle'] = 'modular',
  engine: Settings['engine'] = 'serviceguard',
): PackageTemplates {
  const { definition } = engineFor({ engine });
  return { packageFile: shippedTemplate(definition.template(style)), launcher: shippedTemplate('modular/launcher.sh.tpl') };
}

/** The shipped templates of the boot start. */
export function bootTemplates(): BootTemplates {
  const { script, unit, init } = bootTemplateNames;
  return { script: shippedTemplate(script), unit: shippedTemplate(unit), init: shippedTemplate(init) };
}

/** What renderPolicy wants of them. */
export function policyTemplates(generation: Settings['cfengineGeneration']): ReadonlyMap<string, Template> {
  return new Map(policyTemplateNames(generation).map((name) => [name, shippedTemplate(name)]));
}

export const serviceFrontName = 'csync-front.pl';

/** Package files name their member scripts; these stand for them where only the rest is checked. */
export function memberScripts(text: (name: string) => string): ReadonlyMap<string, string> {
  const compiled = ['start', 'halt', 'validate', 'monitor', 'certificate'].map(
    (name) => [`csync-${name}.cjs`, text(name)] as const,
  );
  const entry = readFileSync(join(repository, 'src/member/programs', entryName), 'utf8');
  return new Map([...compiled, [serviceFrontName, text('front')], [arpProbeName, text('arp')], [entryName, entry]]);
}

/** The lab's own settings, as the shipped file has them; `changes` are keys of the file with other values. */
export function labSettings(changes: Readonly<Record<string, unknown>> = {}): Settings {
  const shipped = readFileSync(join(repository, 'package-templates/lab/csync.yaml'), 'utf8').split('\n');
  const kept = shipped.filter((line) => !Object.hasOwn(changes, line.split(':')[0] ?? ''));
  const changed = Object.entries(changes).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return demand(parseSettings([...kept, ...changed, ''].join('\n'), 'csync.yaml'));
}

/** The programs that stand in for cfengine 2. */
export const cfengine2Programs = join(repository, 'test/fixtures/cfengine2');

/** Names that only Serviceguard has: no text for Pacemaker contains one. */
export const serviceguardWords = /Serviceguard|\bcm[a-z]{3,}\b|AUTO_RUN|\bSG(CONF|RUN|SBIN)\b/;
