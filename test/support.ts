/** What the tests have in common. */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { demand } from '../src/base/problem.ts';
import { entryName } from '../src/contract/package-directory.ts';
import { type LabHandle, ownLabName, startLab } from '../src/lab/handle.ts';
import { clientNames, labPrograms, planLab, planProblem } from '../src/lab/machines/plan.ts';
import { PackageDrills } from '../src/lab/trials/package-drills.ts';
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

/** A directory that is made before the tests of the file and removed after them; not at all when all of them are left out. */
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
export function everyStepIt(name: string, test: () => Promise<void>): void {
  it.skipIf(!everyStep)(`${name}${longMark}`, test);
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

/** Why the lab tests cannot run here; null when they can. Said once by each file that is left out. */
export const whyNoLab: string | null = !isRoot
  ? 'the lab needs root'
  : have(...Object.keys(labPrograms))
    ? null
    : `the lab needs ${Object.keys(labPrograms)
        .filter((program) => !have(program))
        .join(', ')}`;

if (whyNoLab !== null) console.warn(`lab tests are left out: ${whyNoLab}`);

/** A shipped template by its name below package-templates. */
export function shippedTemplate(name: string): Template {
  const file = join(repository, 'package-templates', name);
  return { file, text: readFileSync(file, 'utf8') };
}

/** What renderPackage wants of them. */
export function packageTemplates(style: Settings['packageStyle'] = 'modular'): PackageTemplates {
  return { packageFile: shippedTemplate(`${style}/package.conf.tpl`), launcher: shippedTemplate('modular/launcher.sh.tpl') };
}

/** What renderPolicy wants of them. */
export function policyTemplates(generation: Settings['cfengineGeneration']): ReadonlyMap<string, Template> {
  return new Map(policyTemplateNames(generation).map((name) => [name, shippedTemplate(name)]));
}

export const serviceFrontName = 'csync-front.pl';

/** Package files name their member scripts; these stand for them where only the rest is looked at. */
export function memberScripts(text: (name: string) => string): ReadonlyMap<string, string> {
  const compiled = ['start', 'halt', 'validate', 'monitor', 'certificate'].map(
    (name) => [`csync-${name}.cjs`, text(name)] as const,
  );
  const entry = readFileSync(join(repository, 'src/member/programs', entryName), 'utf8');
  return new Map([...compiled, [serviceFrontName, text('front')], [entryName, entry]]);
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

interface LabUse {
  /** The package is rendered, applied and run; not in a bare lab. */
  readonly deployed: boolean;
  readonly changes?: Partial<Settings>;
  /** Instead of the lab's own. */
  readonly settings?: Settings;
  /** cfengine's programs on every host and nothing more. */
  readonly bare?: boolean;
  /** Machines with Serviceguard that are in no cluster. */
  readonly spares?: readonly string[];
  /** Their names, or how many. */
  readonly clients?: number | readonly string[];
  /** Directory with cfengine's programs for the hosts; else they have this machine's. */
  readonly programs?: string;
  /** Whether clients ask for the master all the time; a test that does not look at that does without, and is faster. */
  readonly watched?: boolean;
}

/**
 * A lab for one test file: up before its tests, down after them, and down as well when the test process is killed, since
 * the lab's daemon ends with whoever holds its standard input.
 */
export function useLab(
  name: string,
  { deployed, changes = {}, settings = labSettings(), bare = false, spares = [], clients = 2, programs, watched = true }: LabUse,
): { readonly lab: LabHandle; readonly drills: PackageDrills } {
  const held: { lab: LabHandle | null; drills: PackageDrills | null } = { lab: null, drills: null };
  beforeAll(async () => {
    const plan = planLab({ ...settings, ...changes }, ownLabName(`test-${name}`), {
      clients: typeof clients === 'number' ? clientNames(clients) : clients,
      spares,
      watched,
      cfengine: bare ? 'bare' : 'set up',
      ...(programs === undefined ? {} : { programs }),
    });
    const problem = planProblem(plan);
    if (problem !== null) throw new Error(problem);
    held.lab = await startLab({ plan, dist: join(repository, 'dist'), attached: true, progress: () => {} });
    held.drills = new PackageDrills(held.lab);
    await held.drills.attach();
    if (deployed) await held.drills.deploy({ checked: false });
  });
  afterAll(async () => {
    held.drills?.detach();
    await held.lab?.down();
  });
  return {
    get lab() {
      if (held.lab === null) throw new Error('the lab is not up');
      return held.lab;
    },
    get drills() {
      if (held.drills === null) throw new Error('the lab is not up');
      return held.drills;
    },
  };
}

/** Shell scripts and csync as an administrator types them on a host of a lab. */
export function typedIn(used: { readonly lab: LabHandle }) {
  const sh = (member: string, script: string) => used.lab.exec(member, ['sh', '-c', script], { timeoutMs: 120_000 });
  const csync = (words: string, member = 'm1') => sh(member, `cd /root && exec node /opt/csync/csync.mjs ${words}`);
  return { sh, csync };
}
