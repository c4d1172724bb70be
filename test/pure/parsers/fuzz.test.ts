/**
 * Every parser of foreign text is in the registry, and takes some thousand inputs of each kind. `npm run fuzz` gives each a million.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { extremes, inputOf } from '../../fuzz/inputs.ts';
import { parsers } from '../../fuzz/parsers.ts';
import { Broken, tryInput } from '../../fuzz/trial.ts';
import { repository } from '../../support.ts';

const source = join(repository, 'src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const called = new Set(parsers.flatMap(({ calls }) => calls));

/** Exported functions with the name of a parser that are not fuzzed, and why. */
const notParsers: Readonly<Record<string, string>> = {
  'host/admin/own-files.ts#readTextFile': 'reads a file; its text goes to the parsers',
  'host/admin/own-files.ts#readDirectory': 'reads files; their texts go to the parsers',
  'host/member/file-event.ts#readEvents': 'reads file names of inotify by itself',
  'verbs/common/toolkit-files.ts#readSettings': 'a file for parseSettings, which is fuzzed',
  'verbs/common/toolkit-files.ts#readOrFail': 'reads a file; its text goes to the parsers',
  'verbs/common/toolkit-files.ts#readTemplate': 'reads a file for fillTemplate, which is fuzzed',
  'verbs/common/toolkit-files.ts#readPackageTemplates': 'files for fillTemplate, which is fuzzed',
  'verbs/common/toolkit-files.ts#readPolicyTemplates': 'files for fillTemplate, which is fuzzed',
  'verbs/common/toolkit-files.ts#readMemberScripts': 'our own compiled scripts, which are sent as they are',
  'cluster/apply/sets.ts#readHistory': 'asks members; parseHistory, which is fuzzed, reads',
  'cli/parser.ts#parse': 'the command line, by yargs',
  'verbs/common/toolkit-files.ts#readBootTemplates': 'files for fillTemplate, which is fuzzed',
  'cluster/remote/shell-text.ts#readFileScript': 'makes a script, reads nothing',
  'host/lab/lab-files.ts#readText': 'reads a file of the lab',
  'host/admin/file-tree.ts#readTree': 'reads files; their texts go to the parsers',
  'host/admin/file-tree.ts#readBytes': 'reads a file; its bytes go to the parsers',
  'verbs/policy/working-copy.ts#readWorkingCopy': 'reads files of the administrator, as they are',
  'model-check/world/world.ts#decodeWorld': 'a number of its own search',
  'model-check/world/world.ts#decodeShared': 'a number of its own search',
};

/** Files that take text apart, have no fuzzed function, and need none. */
const notForeign: Readonly<Record<string, string>> = {
  'lab/trials/torture-run.ts': 'what hosts of the lab show for people, of a step that failed',
  'cluster/policy/scripts.ts': 'whole lines that its own script prints: durable, swapping',
  'cluster/remote/lease-scripts.ts': 'one line of its own script, for people',
  'cfengine/adapter.ts': 'splits its own constant',
  'cli/parser.ts': 'splits the words of our own verbs',
  'member/judgements.ts': 'splits a setting that its rule accepted',
  'cluster/condition/check-model.ts': 'splits words of our own script at blanks; each check judges them',
  'cluster/condition/storage-checks.ts': 'splits lines of a mount table at blanks; each check judges the words',
  'cluster/setup/change.ts': 'lines of our own script, by one expression',
  'cluster/setup/look.ts': 'base64 words of our own script; the texts in them go to the parsers',
  'cluster/condition/status.ts': 'one field of the sentinel, read in a try; see sentinelEpoch',
  'verbs/hosts/setup.ts': 'steps of its own, in brief',
  'engine/serviceguard/engine.ts': 'a version number, by one expression',
  'engine/serviceguard/words.ts': 'a version number, by one expression',
  'script-tests/judge.ts': 'last words of a script of ours, for people',
  'script-tests/package-assertions.ts': 'package files that were rendered here, in a sandbox',
  'script-tests/sandbox.ts': 'prints of our own script in a sandbox',
  'host/lab/lab-socket.ts': 'the lab speaks to itself over a socket only its user may open',
  'member/address-owner.ts': 'the words of its own helper',
  'host/inherited.ts': 'one number of /proc/self/fdinfo',
  'host/member/process-watch.ts': 'two counters of /proc/PID/status',
  'member/monitor/report/figures.ts': 'what the monitor feeds it, which is itself',
  'host/member/member-log.ts': 'takes its own time zone apart',
  'host/processes.ts': 'numbers of children in /proc',
  'host/admin/ssh-options.ts': 'the release of the ssh of this host, by one expression',
  'host/admin/own-files.ts': 'names of its own temporary files',
  'host/member/service-front.ts': 'the words of the program in front of it, which is its own',
  'host/member/slow-file.ts': 'the words of its own helper',
  'lab/emulation/command-service.ts': 'the lab, from itself',
  'lab/emulation/scripts/control-script.ts': 'the lab, from itself',
  'lab/emulation/observer.ts': 'the lab, from itself',
  'lab/commands/command-table.ts': 'behind parseCommand',
  'lab/daemon.ts': 'the lab, from itself',
  'lab/trials/demo.ts': 'the lab, from itself',
  'lab/trials/package-drills.ts': 'the lab, from itself',
  'lab/handle.ts': 'the lab, from itself',
  'lab/machines/lab-spec.ts': 'settings that were checked',
  'lab/machines/world.ts': 'the lab, from itself',
  'lab/manager/configuration/check.ts': 'values of a package file that was read',
  'lab/manager/messages.ts': 'its own constants',
  'lab/manager/package-policy.ts': 'values of a package file that was read',
  'lab/prober.ts': 'the lab, from itself',
  'host/admin/file-tree.ts': 'its own paths',
  'lab/trials/torture-set.ts': 'the lab, from itself',
  'lab/trials/torture-writer.ts': 'the lab, from itself',
  'rehearsal/cluster-ground.ts': 'last words of a script of ours, for people',
  'rehearsal/lab-ground.ts': 'the lab, from itself',
  'rehearsal/ready.ts': 'words of our own scripts, for people',
  'verbs/policy/policy.ts': 'what a parser of cfengine said, for people',
  'verbs/common/rehearsal-results.ts': 'earlier results of its own, read in a try',
  'verbs/policy/working-copy.ts': 'the base it wrote itself, read in a try',
  'model-check/search-program.ts': 'the run that scripts/proof/model-check.ts asked for',
  'model-check/way-back.ts': 'commands that the package manager of the search names',
  'simulated/commands.ts': 'its own paths and words',
  'member/daemon.ts': 'the first line of an error, for people',
  'lab/machines/thaw.ts': "fields of the kernel's mountinfo of a machine of the lab, of which it takes those of loop devices",
  'member/legacy/legacy-steps.ts': 'tags of vgs and two lines of cmviewcl, by expressions without repetition; control.test.ts',
  'member/steps/finish-waiting.ts': 'one field of the roster, read in a try',
  'member/steps/policy-check.ts': 'words of cf-promises, for people',
  'member/steps/steps.ts': 'addresses of ss',
  'member/programs/validate.ts': 'fields of fstab for fstabMount, which is fuzzed',
  'base/problem.ts': 'its own codes',
  'render/policy.ts': 'settings that were checked',
  'serviceguard/legal-values.ts': 'behind checkPackageFile',
  'verbs/package/apply.ts': 'settings.json of a set whose digest was compared',
  'verbs/package/check.ts': 'one number',
  'verbs/hosts/clients.ts': 'a list of names, each held against a pattern',
  'verbs/lab/lab.ts': 'the lab, from itself',
  'verbs/package/wizard-look.ts': 'lines and fields of getent and blkid, each looked at by offers',
  'verbs/cluster/recover.ts': 'its own words',
  'base/duration.ts': 'a time of the command line, by one expression',
  'verbs/hosts/sync.ts': 'classes of the command line, each held against a pattern',
  'base/version.ts': 'a version number',
  'base/fold.ts': 'texts of csync itself',
  'cli/help.ts': 'words of the command line, held against the verbs',
};

const takesTextApart = /JSON\.parse\(|\.split\(|\.matchAll\(|\/[gimsuy]*\.exec\(|\.exec\(|\.match\(/;
const fuzzedFiles = new Set([...called].map((call) => call.split('#')[0]));

describe('the registry of parsers', () => {
  it('has every exported function that is called a parser, or says why not', () => {
    const missing = files.flatMap((file) => {
      const text = readFileSync(join(source, file), 'utf8');
      const exported = [...text.matchAll(/^export (?:async )?function ((?:parse|read|decode)[A-Z]?\w*)/gm)].map(
        (found) => `${file}#${found[1]}`,
      );
      return exported.filter((name) => !called.has(name) && !Object.hasOwn(notParsers, name));
    });
    expect(missing).toEqual([]);
  });

  it('knows every file that takes text apart', () => {
    const unknown = files.filter(
      (file) =>
        takesTextApart.test(readFileSync(join(source, file), 'utf8')) &&
        !fuzzedFiles.has(file) &&
        !Object.hasOwn(notForeign, file),
    );
    expect(unknown).toEqual([]);
  });

  it('names functions that are there', () => {
    const gone = [...called].filter((call) => {
      const [file = '', name = ''] = call.split('#');
      return (
        !files.includes(file) ||
        !new RegExp(`^export (async )?(function|const) ${name}\\b`, 'm').test(readFileSync(join(source, file), 'utf8'))
      );
    });
    expect(gone).toEqual([]);
  });
});

/** Of each parser; the release run has all extremes, these are every so manieth. */
const [inputs, extremesOfEach, seed] = [1000, 20, 20_261_128];

describe.each(parsers.map((parser) => [parser.name, parser] as const))('%s', (name, parser) => {
  it('takes whatever comes, and quickly', () => {
    const failures: string[] = [];
    for (let index = 0; index < inputs && failures.length < 3; index += 1) {
      const { failure } = tryInput(parser, inputOf(parser, name, seed, index));
      if (failure !== null)
        failures.push(`npm run fuzz -- --parser ${JSON.stringify(name)} --seed ${seed} --index ${index}: ${failure}`);
    }
    const all = [...extremes(parser)];
    const step = Math.max(1, Math.floor(all.length / extremesOfEach));
    for (let index = seed % step; index < all.length && failures.length < 3; index += step) {
      const { failure } = tryInput(parser, all[index] ?? '');
      if (failure !== null) failures.push(`extreme ${index}: ${failure}`);
    }
    expect(failures).toEqual([]);
  });
});

/** Longer than one input may take. */
function busy(): void {
  const begun = process.cpuUsage();
  for (let used = begun; used.user - begun.user + used.system - begun.system < 1.2e6; ) used = process.cpuUsage();
}

describe('a trial', () => {
  const parser = (parse: (text: string) => unknown) => ({ name: 'planted', of: 'test', calls: [], samples: ['a'], parse });
  it.each<[string, (text: string) => unknown, RegExp]>([
    ['a crash', () => (null as unknown as string).length, /TypeError/],
    [
      'a broken property',
      () => {
        throw new Broken('x = y');
      },
      /Broken: x = y/,
    ],
    [
      'a number that is none, deep inside',
      () => ({ a: [new Map([['b', { c: Number.NaN }]])] }),
      /number that is none: result\.a\.0\.b\.c/,
    ],
    ['what takes too long', busy, /took \d+ ms/],
  ])('finds %s', (_what, parse, said) => {
    expect(tryInput(parser(parse), 'x').failure).toMatch(said);
  });

  it('lets through what is documented to be thrown, and what is well', () => {
    const thrower = {
      ...parser(() => {
        throw new RangeError('documented');
      }),
      throws: (error: unknown) => error instanceof RangeError,
    };
    expect(tryInput(thrower, 'x').failure).toBeNull();
    expect(
      tryInput(
        parser((text) => [text, 1]),
        'x',
      ).failure,
    ).toBeNull();
  });
});

describe('the inputs', () => {
  it('are the same for the same seed, parser and index, and others for others', () => {
    const corpus = parsers[0] ?? { samples: ['a'] };
    const of = (name: string, seedOf: number) => Array.from({ length: 200 }, (_, index) => inputOf(corpus, name, seedOf, index));
    expect(of('one', 1)).toEqual(of('one', 1));
    expect(of('one', 1)).not.toEqual(of('one', 2));
    expect(of('one', 1)).not.toEqual(of('other', 1));
    expect(new Set(of('one', 1)).size).toBeGreaterThan(150);
  });
});
