/**
 * The rendered policy of generation 2 on two hosts, a master and a client, with the stand-in programs: the parsers take it, it brings
 * policy and keys, and both sides of a change of the cluster's key find each other again.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { demand } from '../../../src/base/problem.ts';
import { generateKeyPair, type KeyPair } from '../../../src/cfengine/keys.ts';
import { layoutOf, policyChecks } from '../../../src/cfengine/layout.ts';
import { type PolicyFile, renderPolicy } from '../../../src/render/policy.ts';
import { eventually, everyStep, policyTemplates } from '../../support.ts';
import { clientAddress, type Member, ownAddress, packageAddress, useMember, whyNoMember } from './generation2-member.ts';

const refused = [
  'cfengine:c1: BAD: Unspecified server refusal (see verbose server output)',
  'cfengine:c1: Authentication dialogue with csync.lab failed',
  '',
].join('\n');
/** A failed contact is reported once for each copy of update.conf. */
const refusedTwice = `${refused}${refused}`;

describe.skipIf(whyNoMember !== null)('the policy of generation 2', () => {
  const fresh = useMember();
  let first: KeyPair;
  let second: KeyPair;
  let own: KeyPair;
  beforeAll(async () => {
    [first, second, own] = await Promise.all([generateKeyPair(), generateKeyPair(), generateKeyPair()]);
  });

  function filesFor(member: Member): PolicyFile[] {
    return demand(
      renderPolicy({
        settings: member.settings,
        templates: policyTemplates(2),
        members: [
          { name: 'm1', addresses: [ownAddress] },
          { name: 'm2', addresses: ['10.9.0.12'] },
        ],
        clients: [{ name: 'c1', addresses: [clientAddress] }],
      }),
    );
  }

  const keyFile = (host: Member, address: string) => `${host.work}/ppkeys/root-${address}.pub`;

  async function pairOn(host: Member, { privateKey, publicKey }: KeyPair): Promise<void> {
    host.write(`${host.work}/ppkeys/localhost.priv`, privateKey, 0o600);
    host.write(`${host.work}/ppkeys/localhost.pub`, publicKey, 0o600);
  }

  /** The master with its policy tree mounted and its daemon running; a client with the policy it was registered with. */
  async function cluster(): Promise<{ master: Member; client: Member }> {
    const master = await fresh('m1');
    const client = await fresh('c1');
    await master.connect(client);
    await master.mount();
    const { masterInputs, publicKeys } = layoutOf(master.settings);
    for (const { name, text, mode } of filesFor(master)) {
      master.write(`${masterInputs}/${name}`, text, mode);
      master.write(`${master.work}/inputs/${name}`, text, mode);
    }
    for (const { name, text, mode } of filesFor(master).filter(({ name }) => /update|cfservd|keys/.test(name)))
      client.write(`${client.work}/inputs/${name}`, text, mode);
    master.write(`${publicKeys}/current.pub`, first.publicKey, 0o600);
    await pairOn(master, first);
    await pairOn(client, own);
    for (const host of [master, client]) {
      for (const address of [packageAddress, ownAddress]) host.write(keyFile(host, address), first.publicKey, 0o600);
      host.write(keyFile(host, clientAddress), own.publicKey, 0o600);
      await host.startDaemon();
    }
    return { master, client };
  }

  /** The daemon reads its pair at its start only. */
  async function changeKey(master: Member, pair: KeyPair): Promise<void> {
    await master.demand(`kill -TERM ${(await master.daemons()).join(' ')}`);
    await eventually('the daemon to end', async () => (await master.daemons()).length === 0);
    await pairOn(master, pair);
    for (const address of [packageAddress, ownAddress]) master.write(keyFile(master, address), pair.publicKey, 0o600);
    await master.startDaemon();
  }

  const agent = async (host: Member): Promise<string> => {
    const { exitCode, stdout, stderr } = await host.sh(`${host.work}/bin/cfagent -q -K`);
    // A client has no cfagent.conf before it first reached the master.
    expect([exitCode, stderr.replace(/^.*: Warning: (actionsequence|perhaps) .*\n/gm, '')]).toEqual([0, '']);
    return stdout;
  };
  const held = (host: Member, address: string) => host.demand(`cat ${keyFile(host, address)}`);
  const publish = (master: Member, text: string) =>
    master.write(`${layoutOf(master.settings).masterInputs}/published`, `${text}\n`, 0o600);
  const fetched = async (client: Member) => (await client.sh(`cat ${client.work}/inputs/published`)).stdout;

  it('is taken by the parsers, which refuse what is broken, empty or missing', async () => {
    const master = await fresh();
    const directory = `${master.directory}/rendered`;
    const files = filesFor(master);
    for (const { name, text, mode } of files) master.write(`${directory}/${name}`, text, mode);
    const judged = async (file: string) => {
      const [check] = policyChecks(master.settings, directory).filter((one) => one.file === file);
      const words = (check?.argv ?? ['false']).map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
      const { exitCode, stdout, stderr } = await master.sh(words.join(' '));
      return [exitCode, `${stdout}${stderr}`] as const;
    };
    const parsed = ['update.conf', 'cfagent.conf', 'cfservd.conf'];
    for (const file of parsed) expect(await judged(file), file).toEqual([0, '']);
    // An imported file counts; so does one that says nothing.
    const damages: readonly (readonly [string, string, string])[] = [
      ['update.conf', 'update.conf', 'copy:\n   /x dest=/y nonsense=1\n'],
      ['cfagent.conf', 'cfagent.conf', 'admit:\n   /x *.lab\n'],
      ['cfagent.conf', 'csync.members', 'groups:\n   csync_members = ( )\n'],
      ['cfagent.conf', 'site.main', '# nothing but words\n'],
      ['cfagent.conf', 'cf.main', 'control:\n   x = ( y\n'],
      ['cfservd.conf', 'cfservd.conf', 'shellcommands:\n   "/bin/true"\n'],
      ['cfservd.conf', 'cfservd.conf', 'control:\n   cfrunCommand = ( "/does/not/exist" )\n'],
    ];
    for (const [file, damaged, text] of damages) {
      const sound = files.find(({ name }) => name === damaged)?.text ?? '';
      master.write(`${directory}/${damaged}`, text);
      expect((await judged(file))[0], `${damaged}: ${text}`).toBe(1);
      master.write(`${directory}/${damaged}`, sound);
      expect(await judged(file)).toEqual([0, '']);
    }
    await master.demand(`: > ${directory}/cfagent.conf; rm ${directory}/cfservd.conf`);
    expect(await judged('cfagent.conf')).toEqual([1, `${directory}/cfagent.conf is missing or empty\n`]);
    expect(await judged('cfservd.conf')).toEqual([1, `${directory}/cfservd.conf is missing or empty\n`]);
  });

  it('brings policy and public keys, runs what is the administrator’s last, and knows members from clients', async () => {
    const { master, client } = await cluster();
    const { masterInputs } = layoutOf(master.settings);
    const site = [
      'shellcommands:',
      '   csync_members::',
      '      "/bin/echo a member"',
      '   csync_member_m1::',
      '      "/bin/echo m1"',
      '   !csync_members::',
      '      "/bin/echo a client of $(policyhost)"',
      '',
    ];
    master.write(`${masterInputs}/site.main`, site.join('\n'), 0o600);
    expect(await agent(client)).toBe('cfengine:c1:/bin/echo a c: a client of csync.lab\n');
    const names = filesFor(master).map(({ name }) => name);
    for (const name of names)
      expect(await client.demand(`stat -c %a ${client.work}/inputs/${name}; cat ${client.work}/inputs/${name}`)).toBe(
        `600\n${await master.demand(`cat ${masterInputs}/${name}`)}`,
      );
    expect(await client.demand(`cat ${client.work}/ppkeys/cluster/current.pub`)).toBe(first.publicKey);
    expect(await client.demand(`stat -c %a ${client.work}/ppkeys/cluster/current.pub`)).toBe('600\n');
    await master.demand(`cp ${masterInputs}/site.main ${master.work}/inputs/`);
    expect(await agent(master)).toBe('cfengine:m1:/bin/echo a m: a member\ncfengine:m1:/bin/echo m1: m1\n');
  });

  it('lets remote runs be started from the master and not from a client', async () => {
    const { master, client } = await cluster();
    await agent(client);
    const run = async (from: Member, host: string) => (await from.sh(`${from.work}/bin/cfrun ${host} </dev/null`)).stdout;
    expect(await run(master, 'c1')).toMatch(/\[ Hailing c1\.lab \] \.{10}\n\n(- )+-\n\n(cfengine:c1: .*\n)+/);
    await client.demand(`echo '${ownAddress} m1.lab' >> /etc/hosts`);
    expect(await run(client, 'm1')).toContain('Unspecified server refusal (see verbose server output)');
  });

  it('admits no host whose address begins or ends with that of another', async () => {
    const master = await fresh('m1');
    const [own, ...others] = ['10.9.0.1', '10.9.0.12', '10.9.0.123', '110.9.0.1'];
    const files = demand(
      renderPolicy({
        settings: master.settings,
        templates: policyTemplates(2),
        members: [{ name: 'm1', addresses: [own ?? ''] }],
        clients: [],
      }),
    );
    master.writeConf(files.find(({ name }) => name === 'cfservd.conf')?.text ?? '');
    await master.mount();
    await master.demand(`echo x > ${master.policyDirectory}/file`);
    await master.demand([own, ...others].map((address) => `ip address add ${address}/32 dev lo`).join('; '));
    await master.startDaemon();
    const frames = [`CAUTH 10.9.0.1 m1.lab root 0`, `SYNCH ${Math.floor(Date.now() / 1000)} STAT ${master.policyDirectory}/file`];
    const client = [
      'use IO::Socket::INET; $SIG{PIPE} = q(IGNORE); alarm 8;',
      'my $s = IO::Socket::INET->new(PeerAddr => q(10.9.0.1), PeerPort => 5308, LocalAddr => shift) or die;',
      'syswrite $s, pack(q(a8), q(t ) . length) . $_ for @ARGV; shutdown $s, 1; print while sysread $s, $_, 4096;',
    ].join(' ');
    const answer = async (from: string | undefined) =>
      (await master.sh(`perl -e '${client}' ${[from, ...frames].map((word) => `'${word}'`).join(' ')}`)).stdout;
    expect(await answer(own)).toContain('OK: 0 ');
    for (const other of others) expect(await answer(other), other).toBe('');
  });

  it('keeps no copy of a replaced file, and removes those of an earlier policy', async () => {
    const { master, client } = await cluster();
    const inputs = `${client.work}/inputs`;
    publish(master, 'one');
    await agent(client);
    await client.demand(`cd ${inputs}; mkdir -p sub; touch old.cfsaved sub/old.cfsaved`);
    publish(master, 'two');
    await agent(client);
    expect(await fetched(client)).toBe('two\n');
    expect(await client.demand(`find ${client.work} -name '*.cfsaved'`)).toBe('');
  });

  it('finds the master again when its key is changed to the next one, and back, with one run that fails each time', async () => {
    const { master, client } = await cluster();
    const { publicKeys } = layoutOf(master.settings);
    const stranger = keyFile(client, '10.9.0.77');
    client.write(stranger, first.publicKey, 0o600);
    master.write(`${publicKeys}/next.pub`, second.publicKey, 0o600);
    publish(master, 'one');
    expect(await agent(client)).toBe('');
    for (const [pair, text] of [
      [second, 'two'],
      [first, 'three'],
      [second, 'four'],
    ] as const) {
      const before = await fetched(client);
      await changeKey(master, pair);
      publish(master, text);
      expect(await agent(client)).toBe(refusedTwice);
      expect(await fetched(client), 'a run that fails changes no policy').toBe(before);
      expect(await agent(client)).toBe('');
      expect(await fetched(client)).toBe(`${text}\n`);
      for (const address of [packageAddress, ownAddress]) expect(await held(client, address)).toBe(pair.publicKey);
      expect(await client.demand(`cat ${stranger}`), 'not an address of the cluster').toBe(first.publicKey);
      expect(await client.demand(`stat -c %a ${keyFile(client, packageAddress)}`)).toBe('600\n');
    }
    // The end of the rotation: one key is left, and nothing is swapped any more.
    master.write(`${publicKeys}/current.pub`, second.publicKey, 0o600);
    await master.demand(`rm ${publicKeys}/next.pub`);
    expect(await agent(client)).toBe('');
    await master.demand(`kill -TERM ${(await master.daemons()).join(' ')}`);
    await eventually('the daemon to end', async () => (await master.daemons()).length === 0);
    for (const _ of [1, 2]) {
      await agent(client);
      expect(await held(client, packageAddress)).toBe(second.publicKey);
    }
  });

  it('trusts a member that came later, as soon as the policy names it, and no other address', async () => {
    const { master, client } = await cluster();
    const late = keyFile(client, '10.9.0.12');
    expect((await client.sh(`cat ${late}`)).exitCode).toBe(1);
    expect(await agent(client)).toBe('');
    expect(await client.demand(`stat -c %a ${late}; cat ${late}`)).toBe(`600\n${first.publicKey}`);
    expect(await client.demand(`ls ${client.work}/ppkeys | grep -c ^root-`)).toBe('4\n');
    // A file of another user stays; and what is held for the package address has to be the cluster's.
    client.write(late, own.publicKey, 0o600);
    expect(await agent(client)).toBe('');
    expect(await held(client, '10.9.0.12')).toBe(own.publicKey);
    await client.demand(`rm ${late}`);
    client.write(keyFile(client, packageAddress), own.publicKey, 0o600);
    expect(await agent(client)).toBe(refusedTwice);
    expect((await client.sh(`cat ${late}`)).exitCode).toBe(1);
    // A member changes its pair and what it trusts together; it never swaps on its own.
    await master.demand(`mkdir -p ${master.work}/ppkeys/cluster`);
    master.write(`${master.work}/ppkeys/cluster/current.pub`, first.publicKey, 0o600);
    master.write(`${master.work}/ppkeys/cluster/next.pub`, second.publicKey, 0o600);
    await master.demand(`/bin/sh ${master.work}/inputs/csync_keys.sh other`);
    expect(await held(master, packageAddress)).toBe(first.publicKey);
  });

  it('leaves a key alone that is neither, and takes none that is not at hand', async () => {
    const { master, client } = await cluster();
    await agent(client);
    await changeKey(master, second);
    for (const _ of [1, 2]) expect(await agent(client)).toBe(refusedTwice);
    expect(await held(client, packageAddress)).toBe(first.publicKey);
    // Both are at hand now, but a user put another key under the package address.
    const cluster2 = `${client.work}/ppkeys/cluster`;
    client.write(`${cluster2}/next.pub`, second.publicKey, 0o600);
    client.write(keyFile(client, packageAddress), own.publicKey, 0o600);
    await agent(client);
    expect([await held(client, packageAddress), await held(client, ownAddress)]).toEqual([own.publicKey, second.publicKey]);
  });

  it('a swap that is killed anywhere leaves whole keys, and the next run finishes it', async () => {
    const host = await fresh('c1');
    const script = filesFor(host).find(({ name }) => name === 'csync_keys.sh')?.text ?? '';
    const bin = `${host.directory}/shims`;
    // Counts the writing steps of a run, and kills it before, or in the middle of, the one that is named.
    const shim = (program: string, torn: string) =>
      [
        '#!/bin/sh',
        `step=$(($(cat ${bin}/step) + 1)); echo $step > ${bin}/step`,
        `if [ $step -eq "$(cat ${bin}/deadly)" ]; then ${torn} kill -KILL $PPID; exit 1; fi`,
        `exec /usr/bin/env PATH=/usr/bin:/bin ${program} "$@"`,
        '',
      ].join('\n');
    host.write(`${bin}/cp`, shim('cp', 'printf torn > "$2";'), 0o755);
    host.write(`${bin}/chmod`, shim('chmod', ''), 0o755);
    host.write(`${bin}/mv`, shim('mv', ''), 0o755);
    host.write(`${host.work}/swap`, script.replace('PATH=', `PATH=${bin}:`));
    host.write(`${host.work}/ppkeys/cluster/current.pub`, first.publicKey);
    host.write(`${host.work}/ppkeys/cluster/next.pub`, second.publicKey);
    const addresses = [packageAddress, ownAddress, '10.9.0.12'];
    // bash would become its last command: that ends with a signal in place of a status.
    const run = (deadly: number, word = 'other') =>
      host.sh(`echo 0 > ${bin}/step; echo ${deadly} > ${bin}/deadly; /bin/sh ${host.work}/swap ${word}; exit $?`);
    const all = async () => Promise.all(addresses.map((address) => held(host, address)));
    const steps = 3 * addresses.length;
    for (let deadly = 1; deadly <= steps; deadly += everyStep ? 1 : 4) {
      for (const address of addresses) host.write(keyFile(host, address), first.publicKey);
      expect((await run(deadly)).exitCode, `step ${deadly}`).toBe(137);
      // Each key takes three steps, the last of which puts it in its place.
      const swapped = Math.floor((deadly - 1) / 3);
      expect((await all()).filter((key) => key === second.publicKey)).toHaveLength(swapped);
      expect((await all()).filter((key) => key === first.publicKey)).toHaveLength(addresses.length - swapped);
      expect((await run(0)).exitCode).toBe(0);
      expect(await all(), `killed at step ${deadly}`).toEqual(addresses.map(() => second.publicKey));
      expect(await host.demand(`ls ${host.work}/ppkeys | grep -c csync- || true`), 'nothing is left over').toBe('0\n');
    }
    expect((await run(0)).exitCode, 'another failed contact').toBe(0);
    expect(await all()).toEqual(addresses.map(() => first.publicKey));
  });

  it.each([
    ['has none', 'rm', 'cfengine:c1: BAD: key could not be accepted on trust'],
    ['has another', 'cp WORK/ppkeys/localhost.pub', 'cfengine:c1: BAD: keys did not match'],
  ])('a client whose key the master %s is refused', async (_, damage, said) => {
    const { master, client } = await cluster();
    publish(master, 'secret');
    await master.demand(`${damage.replace('WORK', master.work)} ${keyFile(master, clientAddress)}`);
    expect(await agent(client)).toContain(`${said}\ncfengine:c1: Authentication dialogue with csync.lab failed\n`);
    expect(await fetched(client)).toBe('');
  });

  it('a master whose key the client has not is not believed', async () => {
    const { master, client } = await cluster();
    publish(master, 'secret');
    await client.demand(`rm ${keyFile(client, packageAddress)}`);
    expect(await agent(client)).toContain("Not authorized to trust the server=csync.lab's public key (trustkey=false)");
    expect([await fetched(client), (await client.sh(`ls ${keyFile(client, packageAddress)}`)).exitCode]).toEqual(['', 2]);
  });
});
