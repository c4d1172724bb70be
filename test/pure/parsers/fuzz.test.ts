/**
 * Every parser of foreign text is in the registry, and takes some thousand inputs of each kind. `npm run fuzz` feeds each a million.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { extremes, inputOf } from '../../fuzz/inputs.ts';
import { parsers } from '../../fuzz/parsers.ts';
import { Broken, tryInput } from '../../fuzz/trial.ts';
import { repository } from '../../support.ts';

/** What is not fuzzed, by reason: exported functions with the name of a parser, and all else that takes text apart. */
const notFuzzed: Readonly<Record<string, string>> = {
  'its own words, paths and constants': 'words baseName started withVerbs addVerb verbIn folded inBrief namedCommands eventOf',
  'its own files and helpers': 'sweepLeftOver foreignOwner openSlowFile openServiceFront runFigures readTree',
  'its own records, read in a try': 'chosenDrills earlierOnes makeWorkingCopy readBase sentinelTime waitingIn',
  'the lab and the search, from themselves':
    'daemon attachedDisks sweepDead bringUp findLab main labGround CommandService Observer World hardwareAddress haltAndBringBack daemonPid PackageDrills problemCodes numbersIn SetTest readRecord entryOf scheduleOf reportLeftovers connection thawCommands search-program decodeWorld decodeShared',
  'words of our own scripts, by one expression': 'becameOf lostTo resolvedHere Sandbox readFileScript readMemberScripts',
  'the command line and version numbers, by one expression':
    'parse secondsOf readWish readStaging namesIn serviceguard pacemaker isRecent releaseOf findRevision quirksOf',
  'for people': 'Daemon openClusterGround endOf judgeDaemon find wordsOf failedLines evidence policyProblem runHook',
  'numbers of /proc': 'closeInherited childrenOf watchProcess',
  'values that were checked when they were read': 'labSpec specProblem neededObservations namedScripts checks',
  'fields at blanks, each of which is judged':
    'isInSubnet judgeMountPoint judgeOtherMounts judgeNoexec whyUnsupported judgeFstab clientsDisconnected Looker reason tagsOf clearTagsOfLostMembers',
  'behind a function that is fuzzed':
    'isUpCriteria dependencies parseMonitorState readJson readOptions readHistory readSettings readTemplate contextType labelsOf fileLabels judgeFips printedFiles',
  'reads files, whose texts go to the parsers':
    'readTextFile readOrFail readDirectory readBytes readWorkingCopy readPackageTemplates readPolicyTemplates readBootTemplates readMemberScript',
};
const excused = Object.values(notFuzzed).flatMap((names) => names.split(' '));

const takesTextApart = /JSON\.parse\(|\.split\(|\.matchAll\(|\.exec\(|\.match\(/;
const declares = /^(?:export )?(?:abstract )?(?:async )?(?:function\*?|const|let|class) (\w+)/;
const isParser = /^export (?:async )?function (?:parse|read|decode)(?![a-z])/;

/** Functions and constants of src that the fuzzed parsers import, and the files that they are in. */
const fuzzed = { names: new Set<string>(), files: new Set<string>() };
for (const file of readdirSync(join(repository, 'test/fuzz/parsers'))) {
  const text = readFileSync(join(repository, 'test/fuzz/parsers', file), 'utf8');
  for (const [, names = '', from = ''] of text.matchAll(/import \{([^}]*)\} from '[./]+\/src\/([^']+)'/g))
    for (const name of names.split(',').map((one) => one.trim()))
      if (name !== '' && !name.startsWith('type ')) {
        fuzzed.names.add(name);
        fuzzed.files.add(from);
      }
}

/** What has to be fuzzed or excused in a file, by the name of its declaration; code outside of any has the name of its file. */
function suspectsOf(file: string): string[] {
  let name = basename(file, '.ts');
  const found = new Set<string>();
  for (const line of readFileSync(join(repository, 'src', file), 'utf8').split('\n')) {
    name = declares.exec(line)?.[1] ?? name;
    if (isParser.test(line) ? !fuzzed.names.has(name) : takesTextApart.test(line) && !fuzzed.files.has(file)) found.add(name);
  }
  return [...found];
}

describe('the registry of parsers', () => {
  const files = readdirSync(join(repository, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const suspects = files.flatMap(suspectsOf);

  it('has every parser, and knows every function that takes text apart', () => {
    expect(suspects.filter((name) => !excused.includes(name))).toEqual([]);
  });

  it('excuses what exists, and no two declarations by one name', () => {
    expect(excused.filter((name) => suspects.filter((one) => one === name).length !== 1)).toEqual([]);
  });
});

/** Of each parser; the release run has all extremes, these are every so manieth. */
const [inputs, extremesOfEach, seed] = [1000, 20, 20_261_128];

describe.each(parsers.map((parser) => [parser.name, parser] as const))('%s', (name, parser) => {
  it('takes any input, and quickly', () => {
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
  const parser = (parse: (text: string) => unknown) => ({ name: 'planted', of: 'test', samples: ['a'], parse });
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
