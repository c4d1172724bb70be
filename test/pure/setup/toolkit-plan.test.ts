/** Which members `csync toolkit` changes, which it leaves alone, and in which order. */
import { describe, expect, it } from 'vitest';
import {
  digestOfBuild,
  type ToolkitFacts,
  toolkitFrom,
  toolkitOrigin,
  toolkitState,
  versionsDirectory,
} from '../../../src/cluster/apply/toolkit.ts';
import {
  planBack,
  planInstall,
  planRemove,
  type SeenToolkit,
  type ToolkitPlan,
} from '../../../src/cluster/apply/toolkit-plan.ts';
import { saidIn } from '../../../src/cluster/remote/answers.ts';
import { settingsFor } from '../../support.ts';

const place = settingsFor();
const files = [{ name: 'csync.mjs', mode: 0o755, content: Buffer.from('x') }];
const build = { version: '0.2.0', digest: digestOfBuild(files) };
const none: ToolkitFacts = {
  target: null,
  isLink: false,
  package: null,
  isPackageKnown: true,
  digest: null,
  version: null,
  previous: null,
  isManaged: false,
};
const same: ToolkitFacts = {
  ...none,
  target: `${versionsDirectory}/0.2.0-x/csync.mjs`,
  isLink: true,
  digest: build.digest,
  version: '0.2.0',
  isManaged: true,
};
const older: ToolkitFacts = {
  ...same,
  target: `${versionsDirectory}/0.1.0-x/csync.mjs`,
  digest: 'b'.repeat(64),
  version: '0.1.0',
};
const packaged: ToolkitFacts = {
  ...none,
  target: '/usr/share/csync/csync.mjs',
  isLink: true,
  package: 'csync',
  version: '0.1.0',
  digest: 'c'.repeat(64),
};
const unasked: ToolkitFacts = { ...packaged, package: null, isPackageKnown: false };
const ownFile: ToolkitFacts = { ...none, target: place.toolkitProgram, version: '0.1.0' };
const silent: SeenToolkit = { member: 'm3', facts: null, noAnswer: { why: 'no route', remedy: 'ping m3' } };
const seen = (member: string, facts: ToolkitFacts): SeenToolkit => ({ member, facts, noAnswer: { why: '', remedy: '' } });
const brief = ({ phases, problems }: ToolkitPlan) => ({
  steps: phases.map((phase) => phase.map(({ member, text }) => `${member} ${text.split(' ')[0]}`)),
  problems: problems.map(({ code, member }) => `${code} ${member}`),
});

describe('csync toolkit install', () => {
  it.each<[string, ToolkitFacts, string]>([
    ['the same build', same, 'same'],
    ['an older one', older, 'different'],
    ['another build of the same version', { ...same, digest: 'd'.repeat(64) }, 'different'],
    ['nothing', none, 'missing'],
    ['one without Node.js', { ...same, version: null }, 'broken'],
    ['a script of the site that starts this version', { ...ownFile, version: '0.2.0' }, 'same'],
  ])('%s', (_title, facts, state) => expect(toolkitState(facts, build)).toBe(state));

  it('copies to every member that needs it before it switches one', () => {
    const plan = planInstall([seen('m1', same), seen('m2', older), seen('m3', none)], place, build, files);
    expect(brief(plan)).toEqual({
      steps: [
        ['m2 copy', 'm3 copy'],
        ['m2 switch', 'm3 switch'],
      ],
      problems: [],
    });
    expect([plan.isDone(same), plan.isDone(older)]).toEqual([true, false]);
  });

  it('does nothing where all have it', () => {
    expect(brief(planInstall([seen('m1', same), seen('m2', same)], place, build, files))).toEqual({
      steps: [[], []],
      problems: [],
    });
  });

  it('excludes members that do not answer, have a package, or a file of the site, and no other', () => {
    const plan = planInstall(
      [seen('m1', packaged), seen('m2', ownFile), silent, seen('m4', none), seen('m5', unasked)],
      place,
      build,
      files,
    );
    expect(brief(plan)).toEqual({
      steps: [['m4 copy'], ['m4 switch']],
      problems: ['change-toolkit m1', 'change-toolkit m2', 'cluster-unreachable m3', 'change-toolkit m5'],
    });
    expect(plan.problems[0]?.text).toMatch(/0\.1\.0 of the package csync, so it is left alone/);
  });

  it('a package of this version is no problem', () => {
    const plan = planInstall([seen('m1', { ...packaged, digest: build.digest, version: '0.2.0' })], place, build, files);
    expect(brief(plan)).toEqual({ steps: [[], []], problems: [] });
  });

  it('--previous returns to what each member had', () => {
    const before = { ...same, previous: '/opt/csync/csync.mjs' };
    const plan = planBack([seen('m1', before), seen('m2', none), seen('m3', { ...same, previous: same.target })], place);
    expect(brief(plan)).toEqual({ steps: [['m1 switch']], problems: [] });
    expect(plan.phases[0]?.[0]?.text).toBe(`switch ${place.toolkitProgram} back to /opt/csync/csync.mjs`);
  });
});

it('csync toolkit remove takes away only what csync toolkit put there', () => {
  const plan = planRemove([seen('m1', same), seen('m2', packaged), silent], place);
  expect(brief(plan)).toEqual({ steps: [['m1 remove']], problems: ['cluster-unreachable m3'] });
});

it('the answer of a member is read, and an incomplete one is none', () => {
  const text = `toolkit-link /usr/share/csync/csync.mjs\ntoolkit-target /usr/share/csync/csync.mjs\ntoolkit-package csync\ntoolkit-digest ${'c'.repeat(64)}\ntoolkit-version 0.1.0\n`;
  expect(toolkitFrom(saidIn(text))).toBeNull();
  const facts = toolkitFrom(saidIn(`${text}toolkit-looked\n`));
  expect(facts).toEqual(packaged);
  expect([packaged, same, ownFile, none, { ...packaged, package: null }, unasked].map(toolkitOrigin)).toEqual([
    'package csync',
    'csync toolkit',
    'a file of its own',
    '-',
    'by hand',
    'unknown',
  ]);
});
