/**
 * Which part of the source may use which. The linter keeps libraries and the system in their places (biome.json); this
 * keeps the direction of the imports.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository } from '../../support.ts';

const ground = ['base/', 'settings/'];
/** Which engine it is, the engine knows. */
const anyEngine = ['engine/engine.ts', 'engine/choice/engine-for.ts'];

/** Longest prefix wins. */
const floors: Readonly<Record<string, readonly string[]>> = {
  'base/': [],
  'settings/': ['base/'],
  // What both ends agree on.
  'contract/': [
    'settings/',
    'base/attempt.ts',
    'base/network.ts',
    'base/shell-word.ts',
    'base/problem.ts',
    'base/version.ts',
    'host/host.ts',
  ],
  'host/': ['base/attempt.ts', 'base/log-line.ts', 'base/network.ts'],
  'serviceguard/': ground,
  'pacemaker/': ground,
  'engine/': [...ground, 'contract/package-directory.ts', 'serviceguard/', 'pacemaker/'],
  'render/': [...ground, ...anyEngine, 'contract/'],
  'cfengine/': ground,
  // Small and on its own: no wizard, no rendering, no lab on a member.
  'member/': [
    'settings/file-systems.ts',
    'settings/mount-options.ts',
    'settings/settings.ts',
    'settings/rules.ts',
    'base/attempt.ts',
    'base/network.ts',
    'base/version.ts',
    'base/shell-word.ts',
    'base/log-line.ts',
    'contract/',
    'host/',
    'cfengine/',
    'engine/serviceguard/status.ts',
    'engine/pacemaker/member-words.ts',
  ],
  // The decisions of the lab: plain data in, plain data out.
  'lab/manager/': [...ground, 'serviceguard/'],
  'lab/commands/': [...ground, 'serviceguard/', 'lab/manager/'],
  // Runs on a client and asks as a member's monitor asks.
  'lab/prober.ts': ['settings/settings.ts', 'host/', 'member/daemon.ts'],
  'lab/machines/': [...ground, 'host/', 'cfengine/', 'render/', 'pacemaker/master.sh'],
  // The real engine: nothing is imitated.
  'lab/pacemaker/': [...ground, 'host/', 'lab/machines/', 'lab/emulation/lab-cluster.ts', 'lab/emulation/journal.ts'],
  'lab/emulation/': [
    ...ground,
    'host/',
    'cfengine/adapter.ts',
    'serviceguard/',
    'lab/manager/',
    'lab/commands/',
    'lab/machines/',
  ],
  'lab/trials/': [
    ...ground,
    'engine/',
    'pacemaker/',
    'serviceguard/',
    'cfengine/adapter.ts',
    'cfengine/layout.ts',
    'lab/machines/',
    // A torture asks the lab's own table where the package has to be.
    'lab/manager/',
    'lab/emulation/journal.ts',
    'lab/handle.ts',
    'lab/protocol.ts',
  ],
  'lab/': [
    ...ground,
    'host/',
    'cfengine/',
    'render/',
    'lab/manager/',
    'lab/commands/',
    'lab/machines/',
    'lab/emulation/',
    'lab/pacemaker/',
    'lab/protocol.ts',
    'engine/pacemaker/status.ts',
  ],
  // Wanted against observed, and the steps between; the shell of a member is all it asks of the system.
  'cluster/': [
    ...ground,
    'contract/',
    'host/host.ts',
    'host/admin/member-shell.ts',
    'host/admin/no-answer.ts',
    ...anyEngine,
    'cfengine/',
    'member/judgements.ts',
    'contract/space.ts',
    'render/',
  ],
  // Questions, offers and judgements: plain data in, plain data out.
  'wizard/': [...ground, 'engine/engine.ts'],
  // Makes one machine the way the lab makes many, and passes a script what the lab passes; it knows no cluster.
  'script-tests/': [
    ...ground,
    'contract/',
    'host/',
    'cfengine/',
    'render/',
    'serviceguard/',
    'lab/machines/',
    'lab/emulation/scripts/package-environment.ts',
  ],
  // The decisions for people: the tables of the member scripts and of the package manager, read.
  // The entries of problem codes, for people.
  'explain/': [...ground, 'member/failures.ts'],
  'decision-tables/': [...ground, 'member/failures.ts', 'member/monitor/judge.ts', 'lab/manager/event-table.ts'],
  // A member over plain data, for the model check and the tests.
  'simulated/': [...ground, 'contract/', 'host/host.ts', 'cfengine/', 'member/steps/steps.ts'],
  // Searches what ships, the scripts of members together with the package manager of the lab; over plain data.
  'model-check/': [
    ...ground,
    'contract/',
    'host/host.ts',
    'host/member/',
    'host/member/service-front.ts',
    'host/output.ts',
    'serviceguard/',
    'cfengine/',
    'member/',
    'simulated/',
    'lab/manager/',
    // The brake reads cmviewcl.
    'lab/commands/view.ts',
  ],
  // What rehearsals are made of, judged by and drawn as; drills are carried out over an interface, of which the lab has one.
  'rehearsal/': [
    ...ground,
    'contract/',
    ...anyEngine,
    // Of the lab, which imitates Serviceguard.
    'engine/serviceguard/status.ts',
    'cfengine/adapter.ts',
    'cfengine/layout.ts',
    'cluster/',
    'host/admin/member-shell.ts',
    'member/judgements.ts',
    'lab/emulation/journal.ts',
    'lab/trials/',
    'lab/machines/lab-spec.ts',
  ],
  'verbs/': [
    ...ground,
    'contract/',
    'decision-tables/',
    'explain/',
    'model-check/',
    'host/',
    ...anyEngine,
    'cfengine/',
    'member/judgements.ts',
    'render/',
    'cluster/',
    'wizard/',
    'lab/',
    'script-tests/',
    'rehearsal/',
  ],
  // In a sandbox, scripts are called as the package file prescribes.
  'verbs/lab/conform.ts': [
    ...ground,
    'contract/',
    'host/',
    'cfengine/adapter.ts',
    'engine/engine.ts',
    'serviceguard/',
    'render/',
    'lab/',
    'script-tests/',
    'verbs/',
  ],
  'cli/': [...ground, 'host/output.ts', 'host/admin/member-way.ts', 'verbs/'],
  'cli.ts': [...ground, 'host/output.ts', 'cli/', 'verbs/common/problems.ts', 'verbs/outputs/'],
};

const source = join(repository, 'src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

function floorOf(file: string): string {
  const [floor] = Object.keys(floors)
    .filter((prefix) => file.startsWith(prefix))
    .sort((a, b) => b.length - a.length);
  if (floor === undefined) throw new Error(`src/${file} belongs to no floor`);
  return floor;
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8');
  return [...text.matchAll(/(?:from|import\(?) ?'(\.[^']+)'/g)].map((match) => normalize(join(dirname(file), match[1] ?? '')));
}

describe('the floors of src', () => {
  it('import only what stands below them', () => {
    const wrong = files.flatMap((file) => {
      const floor = floorOf(file);
      return importsOf(file)
        .filter((target) => floorOf(target) !== floor && !floors[floor]?.some((allowed) => target.startsWith(allowed)))
        .map((target) => `${file} -> ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  const circlesOf = (targetsOf: (from: string) => readonly string[], all: readonly string[]): string[] => {
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (one: string, path: readonly string[]): void => {
      if (path.includes(one)) circles.push([...path.slice(path.indexOf(one)), one].join(' -> '));
      if (done.has(one) || path.includes(one)) return;
      for (const target of targetsOf(one)) visit(target, [...path, one]);
      done.add(one);
    };
    for (const one of all) visit(one, []);
    return circles;
  };

  it('have no circles of files', () => {
    expect(circlesOf(importsOf, files)).toEqual([]);
  });

  it('have no circles of folders: no import goes up', () => {
    const folders = [...new Set(files.map((file) => dirname(file)))];
    const targetsOf = (folder: string): string[] => [
      ...new Set(
        files
          .filter((file) => dirname(file) === folder)
          .flatMap((file) => importsOf(file).map((target) => dirname(target)))
          .filter((target) => target !== folder),
      ),
    ];
    expect(circlesOf(targetsOf, folders)).toEqual([]);
  });

  it('have at most 12 files in a folder, and at most 400 lines in a file', () => {
    const all = readdirSync(source, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const count = new Map<string, number>();
    for (const { parentPath } of all) count.set(parentPath, (count.get(parentPath) ?? 0) + 1);
    expect([...count].filter(([, number]) => number > 12)).toEqual([]);
    const lines = (file: string): number => readFileSync(join(source, file), 'utf8').split('\n').length - 1;
    expect(files.filter((file) => lines(file) > 400)).toEqual([]);
  });

  it('have at most 12 files in a folder of tests, pages or scripts', () => {
    const count = new Map<string, number>();
    for (const folder of ['test', 'docs', 'scripts', 'examples', 'package-templates'])
      for (const entry of readdirSync(join(repository, folder), { recursive: true, withFileTypes: true }))
        if (entry.isFile() && !/\/test\/(golden|recorded)\b/.test(entry.parentPath))
          count.set(entry.parentPath, (count.get(entry.parentPath) ?? 0) + 1);
    expect([...count].filter(([, number]) => number > 12)).toEqual([]);
  });
});
