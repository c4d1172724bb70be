/**
 * A cluster set up from nothing by the verbs alone, a member that joins and one that is removed, with real cf-serverd and cf-agent
 * and with what stands in for cfengine 2, on machines that have no more than cfengine's programs at first.
 */
import { describe, expect } from 'vitest';
import { adapterFor } from '../../../src/cfengine/adapter.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { cfengine2Programs, eventually, everyStep, labSettings } from '../../support.ts';
import { reported, story, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

interface Generation {
  readonly generation: 2 | 3;
  readonly settings: Settings;
  readonly programs?: string;
  /** Where the master's policy lies. */
  readonly tree: string;
  /** The administrator's file in it, one of the toolkit's, and what no parser takes. */
  readonly site: string;
  readonly ours: string;
  readonly broken: string;
  readonly update: string;
  /** Lines of the agent about a fetch that failed. */
  readonly failure: string;
  /** Prints ACCEPTED where the daemon of a host speaks to this one. */
  readonly connect: (host: string) => string;
}

const settings2 = labSettings({ cfengine_generation: 2 });
const generations: readonly Generation[] = [
  {
    generation: 3,
    settings: labSettings(),
    tree: '/csync/dsau/masterfiles',
    site: 'site.cf',
    ours: 'promises.cf',
    broken: 'bundle agent broken {',
    update: 'cf-agent -KI -f update.cf',
    failure: 'error:|TRUST',
    connect: (host) => `timeout 20 cf-net -H ${host} connect 2>&1 | sed 's/.*Connected & authenticated.*/ACCEPTED/'`,
  },
  {
    generation: 2,
    settings: settings2,
    programs: cfengine2Programs,
    tree: '/csync/dsau/cfengine_master/inputs',
    site: 'site.main',
    ours: 'cfservd.conf',
    broken: 'control: {',
    update: `${settings2.cfengineBinDirectory}/cfagent -q -K -I -B`,
    failure: 'Authentication|refus|BAD|error',
    connect: (host) => `timeout 20 ${settings2.cfengineBinDirectory}/cfrun -T ${host} | grep -q '^- - -' && echo ACCEPTED; true`,
  },
];

/** Of Serviceguard's commands. */
const bin = '/usr/local/cmcluster/bin';

/** With the stand-ins of cfengine 2 it is the same again but for what the generation's own tests have: four minutes of npm run every-step. */
const tried = generations.filter(({ generation }) => everyStep || generation === 3);

describe.skipIf(whyNoLab !== null).each(tried)(
  'members and clients of cfengine $generation, set up by the verbs alone',
  (one) => {
    const { generation, settings, programs, tree } = one;
    const work = settings.cfengineWorkDirectory;
    const { daemonName } = adapterFor(settings);
    const used = useLab(`set-up-${generation}`, {
      deployed: false,
      bare: true,
      spares: ['m4'],
      clients: 2,
      settings,
      ...(programs === undefined ? {} : { programs }),
    });
    const { sh, must: good, json, done } = typedIn(used);
    const { chapter, longChapter } = story(150_000);
    /** The settings that are applied, where the administrator's file lists other members. */
    const onM4 = async <Result>(words: string) => reported<Result>(await sh('m4', `cd / && csync ${words} --json`), words);
    type Keys = { handshakes: number; refused: object[]; unseen: object[]; open: string[] };
    const sound = { exitCode: 0, refused: [], unseen: [], open: [] };
    /** Each member asks each host to run, and each host asks each member for the policy, itself among them. */
    const handshakesOf = (members: number, clients: number) => members * (2 * (members + clients) - 1);
    type Clients = { clients: { name: string; addresses: string[]; cluster: string | null; waiting: object[] }[] };
    const client = async (name: string) => (await done<Clients>('client list')).clients.find((known) => known.name === name);
    type Members = { members: { name: string; addresses: string[]; setUp: boolean; inCluster: boolean; waiting: object[] }[] };
    const member = async (name: string) => (await done<Members>('members list')).members.find((known) => known.name === name);
    const owner = async () => (await used.drills.view()).owner ?? '';
    /** What begins by itself comes to its end; then no process has the lock that the next verb wants. */
    const nothingWaits = async (member = 'm1') => {
      const sync = (words: string) => sh(member, `cd / && csync members sync ${words} --json`);
      const isDone = async () => /"outcome": "unchanged"/.test((await sync('--dry-run')).stdout);
      await eventually('everything to be finished', isDone, 90_000);
      await eventually('the end of the one that did it', async () => (await sync('--yes')).exitCode === 0, 30_000);
    };
    /** What a host's agent says of a fetch that failed. */
    const fetches = async (host: string) =>
      (await sh(host, `${one.update} 2>&1 | grep -E "${one.failure}" ; true`)).stdout.trim();

    chapter('a Serviceguard that is too old is refused, and nothing is done', async () => {
      await good('m1', 'cmruncl -w none');
      await good(
        'm1',
        `mv ${bin}/cmversion ${bin}/kept; printf '#!/bin/sh\\necho A.11.16.10\\n' > ${bin}/cmversion; chmod 755 ${bin}/cmversion`,
      );
      const refused = await json('members sync --yes');
      await good('m1', `mv ${bin}/kept ${bin}/cmversion`);
      expect([refused.exitCode, refused.codes]).toEqual([4, ['cluster-old-serviceguard m1']]);
      expect(refused.problems[0]?.text).toMatch(/\bA\.11\.16\.10\b.*\bA\.11\.17\b/);
      expect((await sh('m1', `ls ${work}/ppkeys`)).stdout).toBe('');
    });

    chapter('from nothing to a package that serves two clients', async () => {
      const dry = await done<{ outcome: string; steps: string[] }>('members sync --dry-run');
      expect([dry.outcome, dry.steps]).toEqual([
        'would be done',
        expect.arrayContaining([expect.stringMatching(/^m3: .*\bCSYNC_CONFIGURED=1\b/)]),
      ]);
      expect((await sh('m1', `ls ${work}/ppkeys`)).stdout, 'a dry run does nothing').toBe('');
      await done('members sync --yes');
      await done('apply --yes --run');
      await eventually('the package to run', async () => (await used.drills.view()).state === 'running', 60_000);
      // The start on a new policy file system has the policy published; no user types anything.
      await nothingWaits();
      await done('client add c1 --yes');
      await good(
        'c2',
        `echo SGSBIN=${bin} > /etc/cmcluster.conf; mkdir -p ${bin}; printf '#!/bin/sh\\necho name=other\\necho "node:c2|name=c2"\\n' > ${bin}/cmviewcl; chmod 755 ${bin}/cmviewcl`,
      );
      await done('client add --cluster c2 --yes');
      expect(await client('c1')).toMatchObject({ addresses: ['10.9.0.21'], cluster: null, waiting: [] });
      expect(await client('c2')).toMatchObject({ addresses: ['10.9.0.22'], cluster: 'other', waiting: [] });
      expect(await json<Keys>('keys verify')).toMatchObject({ ...sound, handshakes: handshakesOf(3, 2) });
      expect([await fetches('c1'), await fetches('c2')]).toEqual(['', '']);
      expect(await done('client add c1 --yes')).toMatchObject({ outcome: 'unchanged' });
      const arrival = `${work}/ppkeys/.csync-arrival-now`;
      await good('m2', `mkdir -m 700 ${arrival}; echo secret > ${arrival}/0`);
      await done('members sync --yes');
      expect((await sh('m2', `ls -d ${work}/ppkeys/.csync-arrival*`)).stdout).toBe('');
      const away = await json<{ waiting: { host: string }[] }>('client add nosuch --yes');
      expect([away.exitCode, away.waiting.map(({ host }) => host)]).toEqual([5, ['nosuch']]);
      expect(await client('nosuch')).toMatchObject({ addresses: [], waiting: [expect.anything()] });
      const again = await json<{ waiting: { host: string }[] }>('client sync --yes');
      expect(again.waiting.map(({ host }) => host)).toEqual(['nosuch']);
      await done('client remove nosuch --yes');
      expect(await client('nosuch')).toBeUndefined();
    });

    chapter('every key lies where it should, private, and in no log', async () => {
      for (const host of ['m1', 'm2', 'm3', 'c1', 'c2']) {
        const found = await sh(
          host,
          `stat -c %a ${work}/ppkeys; find ${work}/ppkeys -type f -perm /077; grep -rlsE --exclude=cfengine2.pl "BEGIN (RSA )?PRIVATE KEY" ${work} /usr/local/cmcluster /tmp /run /var/log /csync 2>/dev/null; ps -eo args | grep -c "MII[A-Za-z0-9+/]"`,
        );
        expect(found.stdout, host).toBe(`700\n${work}/ppkeys/localhost.priv\n0\n`);
      }
      const pairs = await Promise.all(['m1', 'm2', 'm3'].map((host) => sh(host, `cat ${work}/ppkeys/localhost.*`)));
      expect(new Set(pairs.map(({ stdout }) => stdout)).size, 'one pair for all members').toBe(1);
    });

    chapter('files of keys and policy are byte for byte what cfengine writes, and what the master has', async () => {
      const roster = JSON.parse(await good('m1', '. /etc/cmcluster.conf; cat $SGCONF/csync/roster.json')) as {
        clients: { name: string; key: { publicKey: string } }[];
      };
      for (const host of ['m1', 'm3', 'c1']) {
        // OpenSSL writes each file again, from what it read in it.
        await good(
          host,
          `cd ${work}/ppkeys; for key in $(find . -name '*.pub'); do openssl rsa -RSAPublicKey_in -in $key -RSAPublicKey_out 2>/dev/null | cmp - $key || exit 1; done; openssl rsa -traditional -passin 'pass:Cfengine passphrase' -in localhost.priv -RSAPublicKey_out 2>/dev/null | cmp - localhost.pub`,
        );
        expect(await good(host, `head -n 3 ${work}/ppkeys/localhost.priv`)).toMatch(
          /^-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,[0-9A-F]{16}\n$/,
        );
        const sums = `find . -type f ! -path './.*' ! -name cf_promises_* | LC_ALL=C sort | xargs sha256sum`;
        expect(await good(host, `cd ${work}/inputs; ${sums}`), host).toBe(await good(await owner(), `cd ${tree}; ${sums}`));
      }
      for (const { name, key } of roster.clients)
        expect(await good(name, `cat ${work}/ppkeys/localhost.pub`)).toBe(key.publicKey);
    });

    longChapter('what the administrator writes is imported, and never written over', async () => {
      const master = await owner();
      await good(master, `echo "# ours" >> ${tree}/${one.site}; echo "# by hand" >> ${tree}/${one.ours}`);
      await good('m1', 'cd /root && csync members sync --yes');
      expect(await good(master, `tail -n 1 ${tree}/${one.site}`)).toBe('# ours\n');
      expect(await good(master, `grep -c "# by hand" ${tree}/${one.ours}; true`), 'a file of the toolkit').toBe('0\n');
      await good(master, `cd ${tree}; cp ${one.site} /tmp/site; echo "${one.broken}" > ${one.site}`);
      const refused = await json('member remove m3 --yes');
      expect([refused.exitCode, refused.codes]).toEqual([5, [expect.stringMatching(/^change-policy\b/)]]);
      expect(await member('m3'), 'and nothing was done').toMatchObject({
        waiting: [{ why: expect.stringContaining('nothing was changed') }],
      });
      await good(master, `cp /tmp/site ${tree}/${one.site}`);
      await done('member add m3 --yes');
      await nothingWaits();
    });

    chapter('a member added while the package runs becomes the master in a failover, with no hand step', async () => {
      await good('m1', 'cmquerycl -C /tmp/new -c "$(cmviewcl -f line | sed -n "s/^name=//p")" -n m1 -n m2 -n m3 -n m4');
      await good('m1', 'cmapplyconf -f -C /tmp/new');
      await good('m4', 'cmrunnode m4');
      const isListed = async () => (await used.drills.view()).switching.has('m4');
      await eventually('m4 to be set up by itself', isListed, 90_000);
      await nothingWaits();
      expect(await member('m4')).toMatchObject({ addresses: ['10.9.0.14'], setUp: true, inCluster: true, waiting: [] });
      // The administrator's file has its previous content.
      const stale = await json('apply --yes');
      expect([stale.exitCode, stale.codes, stale.problems[0]?.text]).toEqual([
        3,
        ['settings-members'],
        expect.stringMatching(/\bm4\b/),
      ]);
      for (const other of ['m1', 'm2', 'm3']) await good(other, `cmhaltnode -f ${other}`);
      await eventually('m4 to be the master', async () => (await owner()) === 'm4', 60_000);
      await eventually('it to serve', async () => (await used.drills.view()).state === 'running', 60_000);
      expect([await fetches('c1'), await fetches('c2')]).toEqual(['', '']);
      expect((await onM4('sync c1 c2')).exitCode).toBe(0);
      for (const other of ['m1', 'm2', 'm3']) await good(other, `cmrunnode ${other}`);
    });

    chapter('the keys rotate from the new member, with no failover, and the old one is trusted nowhere', async () => {
      const before = await good('m4', `cat ${work}/ppkeys/localhost.pub`);
      expect(await onM4('keys rotate --yes')).toMatchObject({ exitCode: 0, outcome: 'done' });
      expect(await owner()).toBe('m4');
      expect(await used.drills.view()).toMatchObject({ state: 'running' });
      expect(await fetches('c1')).toBe('');
      expect(await onM4('keys verify')).toMatchObject({ ...sound, handshakes: handshakesOf(4, 2) });
      for (const host of ['m1', 'm2', 'm3', 'm4', 'c1', 'c2']) {
        const held = await good(host, `cd ${work}/ppkeys; cat $(find . -name '*.pub')`);
        expect(held.includes(before), `${host} has the old key no more`).toBe(false);
        expect(await good(host, `pgrep -c -x ${daemonName}`), host).toBe('1\n');
      }
    });

    chapter('a removed member is refused, and has the key of the cluster no more', async () => {
      await good('m4', 'cmmodpkg -e csync; cmmodpkg -e -n m1 -n m2 -n m3 csync');
      expect(await onM4('member remove m3 --yes')).toMatchObject({ exitCode: 0, outcome: 'done' });
      const key = (host: string) => good(host, `cat ${work}/ppkeys/localhost.pub`);
      expect(await key('m3')).not.toBe(await key('m4'));
      expect((await used.drills.view()).switching.has('m3')).toBe(false);
      // Refused on every host, by address and by key.
      const published = 'csync_published.txt';
      await good('m4', `echo new > ${tree}/${published}; chmod 600 ${tree}/${published}`);
      for (const [host, gets] of [
        ['m3', false],
        ['c1', true],
      ] as const) {
        await sh(host, one.update);
        expect((await sh(host, `cat ${work}/inputs/${published}`)).stdout, host).toBe(gets ? 'new\n' : '');
      }
      for (const host of ['m4', 'm1', 'c1']) expect(await good('m3', one.connect(host)), host).not.toMatch(/ACCEPTED/);
      expect(await good('m1', one.connect('m4')), 'the others still are').toMatch(/ACCEPTED/);
      expect(await onM4('keys verify')).toMatchObject({ ...sound, handshakes: handshakesOf(3, 2) });
    });

    longChapter('a member added while the package is down is recorded, and completed at the next start', async () => {
      await good('m4', 'cmhaltpkg csync');
      const added = await sh('m4', 'csync_dispatcher=/opt/dsau/bin/csync_dispatcher; cd / && $csync_dispatcher MEMBER_ADDED: m3');
      expect(added.exitCode, added.stderr).toBe(5);
      const waiting = async () => (await onM4<{ waiting: { host: string }[] }>('status')).waiting.map(({ host }) => host);
      expect(await waiting()).toEqual(['m3']);
      await good('m4', 'cmrunpkg csync; cmmodpkg -e csync');
      await nothingWaits('m4');
      await eventually('its last word in syslog', async () =>
        /csync members sync: done/.test((await sh('m4', 'grep "csync members sync" /var/log/messages | tail -n 1')).stdout),
      );
      expect(await waiting()).toEqual([]);
    });
  },
);
