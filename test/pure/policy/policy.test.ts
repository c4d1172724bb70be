/** The rendered policy: what it says, what cannot break out of it, and what cfengine 3 itself says to it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { adapterFor } from '../../../src/cfengine/adapter.ts';
import { policyChecks } from '../../../src/cfengine/layout.ts';
import type { RosterHost } from '../../../src/contract/roster.ts';
import { isOurs, type PolicyFile, renderPolicy } from '../../../src/render/policy.ts';
import type { Template } from '../../../src/render/template.ts';
import { have, policyTemplates, repository, scratchDirectory, settingsFor } from '../../support.ts';

const members: readonly RosterHost[] = [
  { name: 'm1', addresses: ['10.9.0.11', '192.168.7.11'] },
  { name: 'm-2', addresses: ['10.9.0.12'] },
  { name: 'M3', addresses: ['10.9.0.13'] },
];
const clients: readonly RosterHost[] = [
  { name: 'c1.example.com', addresses: ['10.9.0.21'] },
  { name: 'c2', addresses: ['10.9.0.22', '10.9.0.23'] },
];
const generations = [2, 3] as const;
type Generation = (typeof generations)[number];

interface Changes {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly members?: readonly RosterHost[];
  readonly clients?: readonly RosterHost[];
  readonly templates?: ReadonlyMap<string, Template>;
}

function render(generation: Generation, changes: Changes = {}) {
  const settings = settingsFor({ cfengine_generation: generation, client_networks: ['10.8.0.0/24'], ...changes.settings });
  return renderPolicy({ templates: policyTemplates(generation), members, clients, ...changes, settings });
}

function filesOf(generation: Generation, changes: Changes = {}): Map<string, PolicyFile> {
  return new Map(demand(render(generation, changes)).map((file) => [file.name, file]));
}

const textOf = (generation: Generation, name: string, changes: Changes = {}) =>
  filesOf(generation, changes).get(name)?.text ?? '';

describe.each(generations)('the policy of generation %s', (generation) => {
  const golden = join(repository, `test/golden/policy-${generation}`);

  it('is the golden one, file by file', async () => {
    const files = [...filesOf(generation).values()];
    for (const { name, text } of files) await expect(text).toMatchFileSnapshot(join(golden, name));
    const there = readdirSync(golden, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const names = there.map((entry) => join(entry.parentPath, entry.name).slice(golden.length + 1));
    expect(names.sort()).toEqual(files.map(({ name }) => name).sort());
  });

  it('is the same twice, private, and says which files are whose', () => {
    const files = demand(render(generation));
    expect(demand(render(generation))).toEqual(files);
    expect(files.map(({ mode }) => mode)).toEqual(files.map(() => 0o600));
    for (const { name, text, owner } of files) expect(isOurs(text), name).toBe(owner === 'toolkit');
    expect(files.filter(({ owner }) => owner === 'administrator')).toHaveLength(1);
    // The parser counts these; a line of a thousand addresses would be too long for any reader.
    for (const { text } of files) expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(256);
  });

  it('prints what is wrong with every template at once, and that a header is missing', () => {
    const templates = new Map(policyTemplates(generation));
    const [first, second, third] = [...templates.keys()] as [string, string, string];
    templates.set(first, { file: 'a', text: '# {{policy_header}}\n{{nonsense}}' });
    templates.set(second, { file: 'b', text: `first\n${templates.get(second)?.text}` });
    templates.delete(third);
    const codes = render(generation, { templates }).problems.map(({ code, place }) => `${code} ${place?.file ?? ''}`);
    expect(new Set(codes)).toEqual(
      new Set(['template-unknown-token a', 'template-unused-token a', 'template-header b', 'template-missing ']),
    );
    expect(new Set(codes).has('template-header b') && codes.filter((code) => code === 'template-header b')).toHaveLength(1);
  });

  it('takes no name and no address that could break out of where it stands', () => {
    const text = fc.oneof(fc.string(), fc.constantFrom('m1"', 'm1 }', 'a\nb', '$(x)', 'm1)', '-f', "it's", 'm1;', '', '{{x}}'));
    fc.assert(
      fc.property(text, text, (name, address) => {
        const host = { name, addresses: [address] };
        const asMember = render(generation, { members: [...members, host] });
        const asClient = render(generation, { clients: [...clients, host] });
        if (!asMember.ok) return asMember.problems.every(({ code }) => code === 'policy-host') && !asClient.ok;
        return /^[\w.-]+$/.test(name) && /^\d+\.\d+\.\d+\.\d+$/.test(address);
      }),
    );
    for (const name of ['-f', 'a b', "it's", 'm1"', '{{x}}', 'm\n1', '$(m1)', ''])
      expect(render(generation, { clients: [{ name, addresses: ['10.9.0.30'] }] }).ok, name).toBe(false);
    for (const address of ['10.9.0.0/24', '10.9.0', '10.9.0.1 10.9.0.2', '0.0.0.0"', 'any'])
      expect(render(generation, { members: [{ name: 'm1', addresses: [address] }] }).ok, address).toBe(false);
    expect(render(generation, { members: [{ name: 'm1', addresses: [] }] }).ok).toBe(false);
    expect(render(generation, { members: [] }).problems.map(({ code }) => code)).toEqual(['policy-members']);
  });

  it('has for any cluster as many lists as for this one: names and addresses are words in them, nothing else', () => {
    const address = fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `10.7.${a}.${b}`);
    const name = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?$/);
    const host = fc.record({ name, addresses: fc.array(address, { minLength: 1, maxLength: 3 }) });
    const skeleton = (files: ReadonlyMap<string, PolicyFile>) =>
      [...files.values()].map(({ text }) => (text.match(/[(){};"']/g) ?? []).filter((mark) => mark !== '"').join('')).join();
    const clusterFree = (files: ReadonlyMap<string, PolicyFile>) => new Map([...files].filter(([file]) => !/members/.test(file)));
    const plain = skeleton(clusterFree(filesOf(generation)));
    fc.assert(
      fc.property(fc.array(host, { minLength: 1 }), fc.array(host), (some, others) => {
        const files = filesOf(generation, { members: some, clients: others });
        for (const { addresses } of [...some, ...others])
          for (const one of addresses) expect([...files.values()].some(({ text }) => text.includes(one))).toBe(true);
        expect(skeleton(clusterFree(files))).toBe(plain);
      }),
      { numRuns: 30 },
    );
  });

  it('counts connections: twice the hosts, with a floor and a ceiling', () => {
    const name = generation === 2 ? 'cfservd.conf' : 'controls/cf_serverd.cf';
    const limit = (changes: Changes) =>
      Number(/max_?connections\s*=>? \(? ?"?(\d+)/i.exec(textOf(generation, name, changes))?.[1] ?? Number.NaN);
    const many = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ name: `c${at}`, addresses: [`10.7.${at >> 8}.${at & 255}`] }));
    expect(limit({ settings: { client_networks: [] } })).toBe(200);
    expect(limit({ clients: many(500), settings: { client_networks: [] } })).toBe(2 * 503);
    expect(limit({ clients: [], settings: { client_networks: ['10.8.0.0/23', '10.1.1.1'] } })).toBe(2 * (512 + 1 + 3));
    expect(limit({ settings: { client_networks: ['10.0.0.0/8'] } })).toBe(2000);
  });
});

describe('what the policy says', () => {
  it('3: the access path ends with a slash, without which a member that loaded it unmounted would deny everything', () => {
    const served = textOf(3, 'controls/cf_serverd.cf');
    expect(served).toContain('"/csync/dsau/"\n');
    expect(served).toContain('admit_ips => { "10.9.0.100", "10.9.0.11", "192.168.7.11", "10.9.0.12", "10.9.0.13" };');
    expect(textOf(3, 'update.cf')).toContain('servers    => { "csync.lab" };');
    expect(textOf(3, 'failsafe.cf')).toBe(textOf(3, 'update.cf'));
  });

  it('2: DSAU’s names, the domain of the policy host, another port in cfrun.hosts', () => {
    expect(textOf(2, 'update.conf')).toContain('master_inputs  = ( /csync/dsau/cfengine_master/inputs )');
    expect(textOf(2, 'cfrun.hosts')).toMatch(/\nm1\nm-2\nM3\nc1\.example\.com\nc2\n$/);
    expect(textOf(2, 'cfrun.hosts', { settings: { cfengine_port: 5309 } })).toContain('\nm1:5309\n');
    expect(textOf(2, 'csync.members')).toContain('csync_member_m_2 = ( m_2 )');
    const nameless = render(2, { settings: { package_dns_name: 'csync' } });
    expect(nameless.problems.map(({ code }) => code)).toEqual(['policy-domain']);
  });

  it('a roster without the network lets in no other host', () => {
    for (const [generation, name] of [
      [2, 'cfservd.conf'],
      [3, 'controls/cf_serverd.cf'],
    ] as const) {
      const addresses = textOf(generation, name, { settings: { client_networks: [] } }).match(/\d+\.\d+\.\d+\.\d+(\/\d+)?/g);
      const known = [...members, ...clients].flatMap((host) => host.addresses);
      const written = (address: string) => (generation === 2 ? `${address}/32` : address);
      expect(new Set(addresses)).toEqual(new Set(['127.0.0.1', '10.9.0.100', ...known].map(written)));
    }
  });

  it('2: every address in a rule has its length, because a plain one would match its longer neighbours', () => {
    const ends = ['1', '12', '123'].map((end) => `10.9.0.${end}`);
    const changes = {
      members: [{ name: 'm1', addresses: ends.slice(0, 1) }],
      clients: [{ name: 'c1', addresses: ends.slice(1) }],
      settings: { client_networks: ['10.8.0.0/24', '10.1.2.3'] },
    };
    const rules = textOf(2, 'cfservd.conf', changes).replace(/^ *#.*/gm, '');
    const networks = rules.match(/\b\d+\.\d+\.\d+\.\d+\S*/g) ?? [];
    expect(networks.filter((one) => !/\/\d+$/.test(one))).toEqual([]);
    expect(new Set(networks)).toEqual(
      new Set([...['127.0.0.1', '10.9.0.100', '10.1.2.3', ...ends].map((one) => `${one}/32`), '10.8.0.0/24']),
    );
    expect(rules).toMatch(/\/cfagent 10\.9\.0\.100\/32 10\.9\.0\.1\/32\s*$/);
  });

  it('2: copies keep no replaced file, what they kept is removed, and old output by the time it was written', () => {
    expect(textOf(2, 'update.conf').match(/dest=\$\(workdir\)[^#]*?failover=master_down backup=false\n/g)).toHaveLength(2);
    const tidied = textOf(2, 'cf.main')
      .split('\n')
      .filter((line) => /pattern=/.test(line));
    expect(tidied.map((line) => line.trim())).toEqual([
      '$(workdir)/outputs pattern=* age=7 type=mtime',
      '$(workdir)/inputs pattern=*.cfsaved r=inf age=0 type=mtime',
      '$(workdir)/ppkeys/cluster pattern=*.cfsaved age=0 type=mtime',
    ]);
    expect(textOf(2, 'cfservd.conf')).toMatch(/LogAllConnections += \( false \)/);
  });

  it('2: a host whose name cfrun would take for a setting is listed by its address', () => {
    const names = ['access1', 'domain-controller', 'hostname2', 'hosta', 'includer', 'maxchild', 'outputdirs', 'm-access'];
    const clients = names.map((name, at) => ({ name, addresses: [`10.9.0.${at + 30}`] }));
    const listed = textOf(2, 'cfrun.hosts', { clients })
      .split('\n')
      .filter((line) => /^\S+$/.test(line) && line !== '#');
    expect(listed.slice(3)).toEqual([
      '10.9.0.30',
      '10.9.0.31',
      '10.9.0.32',
      'hosta',
      '10.9.0.34',
      '10.9.0.35',
      '10.9.0.36',
      'm-access',
    ]);
  });

  it('settings: networks are networks', () => {
    for (const wrong of ['10.9.0.5/24', '0.0.0.0/0', '10.9.0.0/33', '10.9.0/24', '10.9.0.0/24 any', 'any', '10.9.0.0/024'])
      expect(() => settingsFor({ client_networks: [wrong] }), wrong).toThrow('network');
    expect(settingsFor({ client_networks: ['10.9.0.0/24', '10.1.2.3', '10.1.2.3/32'] }).clientNetworks).toHaveLength(3);
  });
});

const directory = scratchDirectory();

function lay(files: Iterable<PolicyFile>): string {
  const root = mkdtempSync(join(directory, 'policy-'));
  for (const { name, text, mode } of files) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode });
    chmodSync(path, mode);
  }
  return root;
}

describe.skipIf(!have('cf-promises'))('the real parser of generation 3', () => {
  const settings = settingsFor();
  const run = (root: string) =>
    policyChecks(settings, root).map(({ file, argv: [program, ...words] }) => {
      const { status, stdout, stderr } = spawnSync(program ?? '', words, { encoding: 'utf8' });
      return [file, status, `${stdout}${stderr}`] as const;
    });
  const good = [
    ['promises.cf', 0, ''],
    ['update.cf', 0, ''],
    ['failsafe.cf', 0, ''],
  ] as const;

  it('takes every rendered file without a word, for many hosts as well', () => {
    expect(run(lay(filesOf(3).values()))).toEqual(good);
    const many = Array.from({ length: 1000 }, (_, at) => ({ name: `c${at}`, addresses: [`10.7.${at >> 8}.${at & 255}`] }));
    expect(run(lay(filesOf(3, { clients: many }).values()))).toEqual(good);
  });

  it('takes a site.cf of the administrator that uses what exists, and refuses a broken or missing one', () => {
    const site =
      'bundle agent site\n{\n files:\n  csync_members::\n   "/tmp/none" copy_from => csync_reference_file("etc/motd");\n reports:\n  csync_member_m1::\n   "m1";\n}\n';
    const root = lay(filesOf(3).values());
    writeFileSync(join(root, 'site.cf'), site);
    expect(run(root)).toEqual(good);
    writeFileSync(join(root, 'site.cf'), `${site}nonsense`);
    expect(run(root).map(([, status]) => status)).toEqual([1, 0, 0]);
    rmSync(join(root, 'site.cf'));
    rmSync(join(root, 'failsafe.cf'));
    expect(run(root).map(([, status]) => status)).toEqual([1, 0, 1]);
  });

  it('is at the paths of the adapter', () => {
    expect(adapterFor(settings).policyCheck[0]).toBe(policyChecks(settings, '/x')[0]?.argv[6]);
  });
});
