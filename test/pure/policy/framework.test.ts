/** The Masterfiles Policy Framework: how a tree of it is recognized, and what csync adds to its def.json. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { planCommit } from '../../../src/cluster/policy/commit.ts';
import { augmentsLines, frameworkOf, joinAugments, planAugments } from '../../../src/render/mpf.ts';
import { renderPolicy } from '../../../src/render/policy.ts';
import { policyTemplates, settingsFor } from '../../support.ts';

/** The hooks of 3.21, as its files have them. */
const tree = new Map([
  ['promises.cf', 'bundlesequence => { def, cfe_internal_management };'],
  ['controls/def_inputs.cf', 'inputs => { @(def.augments_inputs) };'],
  [
    'controls/cf_serverd.cf',
    '@(def.acl) @(def.trustkeysfrom) @(def.control_server_allowusers) $(def.control_server_maxconnections)',
  ],
  ['controls/update_def.cf', '@(def.update_inputs) def.control_common_update_bundlesequence_end'],
  [
    'cfe_internal/update/update_policy.cf',
    'def.mpf_update_policy_bundle bundle agent modules_presence bundle agent cfe_internal_setup_python_symlink',
  ],
  ['cfe_internal/core/main.cf', 'mpf_auto_am_policy_hub_state_disabled'],
]);

describe('a tree of the framework', () => {
  it('is recognized by what csync joins, and is no tree of csync or of the site', () => {
    expect(frameworkOf(tree, 5308)).toEqual({ lacks: [] });
    const own = demand(
      renderPolicy({
        settings: settingsFor(),
        templates: policyTemplates(3),
        members: [{ name: 'm1', addresses: ['10.9.0.11'] }],
        clients: [],
      }),
    );
    expect(frameworkOf(new Map(own.map(({ name, text }) => [name, text])), 5308)).toBeNull();
    expect(frameworkOf(new Map([['promises.cf', 'bundle agent main { }']]), 5308)).toBeNull();
    expect(frameworkOf(new Map(), 5308)).toBeNull();
  });

  it.each([...tree].slice(1))('without what %s has is joined by hand, and what it lacks is named', (name, text) => {
    const without = new Map(tree);
    without.delete(name);
    const lacks = frameworkOf(without, 5308)?.lacks ?? [];
    expect(lacks.length).toBeGreaterThan(0);
    for (const one of lacks) expect(one).toMatch(new RegExp(` in ${name}$`));
    for (const word of text.match(/[@$]\(def\.\w+\)/g) ?? []) expect(lacks.join()).toContain(word);
  });

  it('on another port is joined by hand: no variable of it sets the port of the daemon', () => {
    expect(frameworkOf(tree, 5309)?.lacks).toEqual(['a variable for the port, which is 5309 in csync.yaml']);
  });
});

describe('def.json', () => {
  const joinedWith = (site: unknown) => {
    const joined = joinAugments(JSON.stringify(site));
    if (!joined.ok) throw new Error(joined.why);
    return JSON.parse(joined.text);
  };

  it('of a site keeps every key and value, gets what is missing, and is then left alone byte for byte', () => {
    const site = {
      inputs: ['services/ours.cf'],
      vars: { acl: ['10.1.0.0/16'], mailto: 'root@lab', trustkeysfrom: ['10.1.0.1'], control_server_maxconnections: '700' },
      classes: { services_autorun: ['any'], mpf_auto_am_policy_hub_state_disabled: ['linux'] },
      augments: ['$(sys.workdir)/more.json'],
    };
    const joined = joinedWith(site);
    expect(joined).toEqual({
      ...site,
      inputs: ['services/ours.cf', 'csync_server.cf', 'csync_members.cf'],
      vars: {
        ...site.vars,
        acl: ['10.1.0.0/16', '@(csync_hosts.allowed)'],
        control_server_allowusers: ['root'],
        update_inputs: ['csync_update.cf'],
        control_common_update_bundlesequence_end: ['csync_mpf_keys'],
        mpf_update_policy_bundle: 'default:csync_mpf_update',
      },
    });
    const text = `${JSON.stringify(joined, null, 4)}\n`;
    expect(joinAugments(text)).toEqual({ ok: true, text });
  });

  it('any other value of a site survives, too', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), fc.jsonValue()), (vars) => {
        const joined = joinAugments(JSON.stringify({ vars }));
        if (!joined.ok) return;
        const kept = JSON.parse(joined.text).vars;
        for (const [name, value] of Object.entries(JSON.parse(JSON.stringify(vars)))) {
          if (Array.isArray(value)) expect(kept[name].slice(0, value.length)).toEqual(value);
          else expect(kept[name]).toEqual(value);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('may set a variable with its scope, and its inputs as a variable', () => {
    const joined = joinedWith({
      variables: { 'default:def.acl': { value: ['10.1.0.0/16'] } },
      vars: { augments_inputs: ['a.cf'] },
    });
    expect(joined.variables['default:def.acl'].value).toEqual(['10.1.0.0/16', '@(csync_hosts.allowed)']);
    expect(joined.vars.acl).toBeUndefined();
    expect(joined.vars.augments_inputs).toEqual(['a.cf', 'csync_server.cf', 'csync_members.cf']);
    expect(joined.inputs).toBeUndefined();
  });

  it.each([
    ['no JSON', '{ "vars": { }, }', /not JSON/],
    ['no object', '[]', /not a JSON object/],
    ['a variable that is no list', '{ "vars": { "acl": "10.1.0.0/16" } }', /"acl" is not a list/],
    ['variables that are no object', '{ "vars": [] }', /"vars" is not an object/],
  ])('with %s stays, and the note has the lines to add', (_, text, why) => {
    const { write, notes } = planAugments(new Map([['def.json', text]]));
    expect(write).toEqual([]);
    expect(notes.join()).toMatch(why);
    expect(notes.join()).toContain(augmentsLines());
  });

  it('is made where there is none; def_preferred.json is joined, too, where CFEngine reads it instead', () => {
    expect(planAugments(new Map())).toEqual({ write: [{ name: 'def.json', text: `${augmentsLines()}\n` }], notes: [] });
    const names = (files: readonly string[]) =>
      planAugments(new Map(files.map((name) => [name, '{}']))).write.map(({ name }) => name);
    expect(names(['def.json', 'def_preferred.json'])).toEqual(['def.json', 'def_preferred.json']);
    expect(names(['def_preferred.json'])).toEqual(['def_preferred.json']);
  });
});

describe('a commit to a tree that csync joined', () => {
  const joined = { digest: '', ours: true };
  const state = (...names: readonly string[]) => ({
    files: new Map([['csync_update.cf', joined], ...names.map((name) => [name, { digest: 'old', ours: false }] as const)]),
    digest: '',
    epoch: 1,
    sentinelDigest: '',
    current: null,
    log: [],
  });
  const codesOf = (names: readonly string[], edits: Readonly<Record<string, string | null>>) =>
    planCommit(
      state(...names),
      Object.entries(edits).map(([name, text]) => ({
        name,
        content: text === null ? null : Buffer.from(text),
        base: ['old', null],
      })),
      null,
    ).problems.map(({ code }) => code);

  it('is refused when def.json would lose the lines of csync, and accepted when it keeps them', () => {
    expect(codesOf(['def.json'], { 'def.json': '{ "vars": { } }' })).toEqual(['policy-toolkit-file']);
    expect(codesOf(['def.json'], { 'def.json': null })).toEqual(['policy-toolkit-file']);
    expect(codesOf(['def.json'], { 'def_preferred.json': '{}' })).toEqual(['policy-toolkit-file']);
    expect(codesOf(['def.json'], { 'def.json': `${augmentsLines()}\n` })).toEqual([]);
    expect(codesOf(['def.json', 'def_preferred.json'], { 'def_preferred.json': null })).toEqual([]);
    expect(codesOf(['def.json', 'def_preferred.json'], { 'def.json': null, 'def_preferred.json': null })).toHaveLength(2);
  });
});
