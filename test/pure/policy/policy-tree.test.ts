/** Taking over an existing policy tree: what is written, what stays, what csync prints. */
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { planPolicyTree, staleMemberMentions } from '../../../src/cluster/policy/tree.ts';
import { type PolicyFile, renderPolicy } from '../../../src/render/policy.ts';
import { policyTemplates, settingsFor } from '../../support.ts';

const members = [
  { name: 'm1', addresses: ['10.9.0.11'] },
  { name: 'm2', addresses: ['10.9.0.12'] },
];
const clients = [{ name: 'c1', addresses: ['10.9.0.21'] }];

function render(generation: 2 | 3, changes: Readonly<Record<string, unknown>> = {}): PolicyFile[] {
  const settings = settingsFor({ cfengine_generation: generation, ...changes });
  return demand(renderPolicy({ settings, templates: policyTemplates(generation), members, clients }));
}
const treeOf = (files: readonly PolicyFile[]) => new Map(files.map(({ name, text }) => [name, text]));
const names = (files: readonly { readonly name: string }[]) => files.map(({ name }) => name);

describe.each([2, 3] as const)('a policy tree of generation %s', (generation) => {
  const rendered = render(generation);
  const yours = generation === 2 ? 'site.main' : 'site.cf';

  it('that is empty gets every file, and is then left alone', () => {
    expect(planPolicyTree(rendered, new Map())).toEqual({ write: rendered, keep: [], remove: [], notes: [] });
    const again = planPolicyTree(rendered, treeOf(rendered));
    expect([again.write, again.remove, again.notes]).toEqual([[], [], []]);
    expect(again.keep).toContainEqual({ name: yours, why: 'yours' });
    expect(names(again.keep)).toEqual(names(rendered));
  });

  it('follows the settings and another version of the toolkit, but never touches what is yours', () => {
    const tree = treeOf(rendered).set(yours, 'edited');
    for (const [name, text] of tree) tree.set(name, text.replace(/toolkit \d+\.\d+\.\d+/, 'toolkit 0.0.1'));
    const plan = planPolicyTree(rendered, tree);
    expect(names(plan.write)).toEqual(names(rendered).filter((name) => name !== yours));
    expect(plan.keep).toEqual([{ name: yours, why: 'yours' }]);
  });

  it('of strangers stays as it is, byte for byte; notes name what it lacks, and nothing once it is in', () => {
    const foreign = new Map(rendered.map(({ name }) => [name, 'nothing of ours\n']));
    const plan = planPolicyTree(rendered, foreign);
    expect([plan.write, plan.remove]).toEqual([[], []]);
    expect(plan.notes).toHaveLength(rendered.length - (generation === 2 ? 2 : 1));
    const withAll = new Map(rendered.map(({ name, text }) => [name, text.replace(/^# Written by.*\n/m, '# Mine\n')]));
    expect(planPolicyTree(rendered, withAll)).toMatchObject({ write: [], remove: [], notes: [] });
    // What is commented out does not count.
    const commented = new Map([...withAll].map(([name, text]) => [name, text.replace(/^(?!#)/gm, '# ')]));
    expect(planPolicyTree(rendered, commented).notes).toHaveLength(plan.notes.length);
  });

  it('loses files of ours that nothing renders any more, and no others', () => {
    const other = render(generation === 2 ? 3 : 2);
    const tree = new Map([...treeOf(other), ['mine.cf', 'bundle agent mine { }'], ['odd~', '']]);
    const plan = planPolicyTree(rendered, tree);
    const ofTheToolkit = other.filter(({ owner }) => owner === 'toolkit');
    expect(plan.remove).toEqual(names(ofTheToolkit).sort());
  });
});

describe('what a file of one’s own lacks', () => {
  const noteOf = (generation: 2 | 3, name: string, text: string) =>
    planPolicyTree(render(generation), new Map([[name, text]])).notes.join('\n');

  it('3: inputs, one by one; two bodies of one kind are reported', () => {
    const text =
      'body common control\n{\n  inputs => { "lib.cf", "controls/cf_serverd.cf" };\n  bundlesequence => { "main", "site" };\n}\nbody server control\n{\n}\n';
    expect(noteOf(3, 'promises.cf', text)).toBe(
      [
        "promises.cf was not made by the toolkit and stays unchanged. For the toolkit's part of the policy it lacks:",
        '  in inputs of body common control',
        '    "controls/cf_runagent.cf"',
        '    "csync_members.cf"',
        '    "site.cf"',
        '  and remove its own "body server control": cfengine accepts only one, and ours is below controls/',
      ].join('\n'),
    );
  });

  it('3: the public keys of a rotation, whole bundle and bodies; an update.cf that fetches them in its own way is fine', () => {
    const note = noteOf(3, 'update.cf', 'bundle agent u { }');
    for (const part of ['"csync_public_keys"', 'bundle agent csync_public_keys', 'body copy_from csync_master(path, purge)'])
      expect(note).toContain(`    ${part}`);
    expect(noteOf(3, 'update.cf', 'bundlesequence => { u };\nbundle agent u { x("/csync/dsau/public_keys"); }')).toBe('');
  });

  it('3: every class that the bundle of the keys requires is defined by the lines that are printed with it', () => {
    const note = noteOf(3, 'update.cf', 'bundle agent u { }');
    const [, required = ''] = /bundle agent csync_public_keys[\s\S]*?([\w.!]+)::/.exec(note) ?? [];
    expect(required).toBe('csync_epoch_recorded.!csync_master_away');
    for (const name of required.split(/[.!]+/)) expect(note).toMatch(new RegExp(`csync_told\\([^)]*"${name}"`));
    // What an earlier csync printed had the keys alone, which were never fetched.
    const [keys = ''] = /bundle agent csync_public_keys[\s\S]*?\n {4}\}/.exec(note) ?? [];
    const more = noteOf(3, 'update.cf', `bundlesequence => { "csync_public_keys" };\n${keys.replace(/^ {4}/gm, '')}\n`);
    expect(more).toContain('    "csync_epoch"\n');
    expect(more).toContain('    bundle agent csync_look\n');
    expect(more).not.toContain('bundle agent csync_public_keys');
  });

  it.each([
    ['as csync writes them', '"site.cf"', '"site"'],
    ['by a directory', '"$(sys.inputdir)/site.cf"', '"site"'],
    ['beside the file, in braces', '"${this.promise_dirname}/site.cf"', '"site"'],
    ['by the path', '"/var/lib/cfengine3/inputs/site.cf"', '"site"'],
    ['a bundle without quotation marks', "'site.cf'", 'main, site, last'],
    ['a bundle without quotation marks, the last one', '"site.cf"', 'main,site'],
  ])('3: an input and a bundle are recognized %s', (_, input, bundle) => {
    const head = '"controls/cf_serverd.cf", "controls/cf_runagent.cf", "csync_members.cf"';
    const text = `body common control\n{\n  inputs => { ${head}, ${input} };\n  bundlesequence => { ${bundle} };\n}\nbundle agent other { }\n`;
    expect(noteOf(3, 'promises.cf', text)).toBe('');
  });

  it('3: a file of that name in another directory and a bundle of a longer name are none', () => {
    const text =
      'body common control\n{\n  inputs => { "lib/site.cf" };\n  bundlesequence => { my_site, sites };\n}\nbundle agent site { }\n';
    const note = noteOf(3, 'promises.cf', text);
    expect(note).toContain('    "site.cf"\n');
    expect(note).toContain('    "site"');
  });

  it('3: who may connect, in the body, and the access rules', () => {
    const note = noteOf(3, 'controls/cf_serverd.cf', 'body server control\n{\n  allowusers => { "root" };\n}\n');
    expect(note).toContain('    allowconnects    => { "127.0.0.1", "10.9.0.100", "10.9.0.11", "10.9.0.12", "10.9.0.21" };\n');
    expect(note).toContain(
      `    cfruncommand     => "/bin/sh -c '/usr/bin/cf-agent -KI -f $(sys.inputdir)/update.cf \\"$@\\" ; /usr/bin/cf-agent -KI \\"$@\\"' cf-agent";\n`,
    );
    expect(note).toContain('    bundle server csync_access_rules\n');
    expect(note).not.toContain('allowusers');
  });

  it('2: imports, and the entries of a rotation with their values', () => {
    const cfagent = 'control:\n   actionsequence = ( copy )\nimport:\n   cf.main\n   own.main\n';
    expect(noteOf(2, 'cfagent.conf', cfagent)).toMatch(/lacks:\n {2}in import:\n {4}csync\.members\n {4}site\.main$/);
    const update = 'control:\n   actionsequence = ( copy shellcommands )\n   AddInstallable = ( master_down )\n';
    expect(noteOf(2, 'update.conf', update)).toBe(
      [
        "update.conf was not made by the toolkit and stays unchanged. For the toolkit's part of the policy it lacks:",
        '  in copy:',
        '    /csync/dsau/public_keys dest=/var/cfengine/ppkeys/cluster r=1 mode=600 type=checksum',
        '    server=csync.lab trustkey=false encrypt=true failover=master_down backup=false',
        '  in shellcommands: below any::, with copy and shellcommands in actionsequence',
        '    "/bin/sh /var/cfengine/inputs/csync_keys.sh members" timeout=60',
        '  in shellcommands: below master_down::, with copy and shellcommands in actionsequence',
        '    "/bin/sh /var/cfengine/inputs/csync_keys.sh other" timeout=60',
      ].join('\n'),
    );
  });

  it('2: a copy of the keys without backup=false will do', () => {
    const ours = treeOf(render(2)).get('update.conf') ?? '';
    expect(noteOf(2, 'update.conf', ours.replace(/^#.*\n/, '').replaceAll(' backup=false', ''))).toBe('');
  });

  it('2: hosts of cfrun.hosts, rules of cfservd.conf', () => {
    expect(noteOf(2, 'cfrun.hosts', 'domain = lab\nm1\nm22\n')).toMatch(/in the file\n {4}m2\n {4}c1$/);
    const note = noteOf(2, 'cfservd.conf', 'control:\n   AllowUsers = ( root )\nadmit:\n   /etc *.lab\n');
    expect(note).toContain(
      '    AllowConnectionsFrom         = ( 127.0.0.1/32 10.9.0.100/32 10.9.0.11/32 10.9.0.12/32 10.9.0.21/32 )\n',
    );
    expect(note).toContain(
      '  in admit:\n    /csync/dsau 127.0.0.1/32 10.9.0.100/32 10.9.0.11/32 10.9.0.12/32 10.9.0.21/32 encrypt=true\n',
    );
    expect(note).not.toContain('AllowUsers');
  });
});

describe('mentions of a member that is gone', () => {
  const mentions = (text: string, member = 'm1') =>
    staleMemberMentions(new Map([['site.cf', text]]), member).map(({ line }) => line);

  it('are found by its name, its domain’s name and its classes, as whole words', () => {
    const text = [
      '"a" or => { "m1", "m2" };',
      'linux.m1::',
      'm1.example.com',
      '!m1|m2::',
      'csync_member_m1::',
      'csync_m1 am1 m1a m1-old m11 _m1',
    ];
    expect(mentions(text.join('\n'))).toEqual([1, 2, 3, 4, 5]);
    expect(mentions('web-1\nweb_1::\nweb-1.lab\nweb-10\nmy-web-1\ncsync_member_web_1', 'web-1.lab')).toEqual([1, 2, 3, 6]);
    expect(mentions('M1 = ( x )')).toEqual([1]);
  });

  it('are named with file, line and text, in the order of the names; files of ours have none', () => {
    const tree = new Map([...treeOf(render(3)), ['z.cf', 'x\n  "m1";\n'], ['a.cf', 'm1::']]);
    expect(staleMemberMentions(tree, 'm1')).toEqual([
      { file: 'a.cf', line: 1, text: 'm1::' },
      { file: 'z.cf', line: 2, text: '"m1";' },
    ]);
  });
});
