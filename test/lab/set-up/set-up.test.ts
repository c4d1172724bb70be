/**
 * A cluster set up from nothing by the verbs alone, a member that comes and one that goes, with real cf-serverd and cf-agent
 * and with what stands in for cfengine 2, on machines that have no more than cfengine's programs at first.
 */
import { describe, expect, it } from 'vitest';
import { adapterFor } from '../../../src/cfengine/adapter.ts';
import type { Settings } from '../../../src/settings/settings.ts';
import { cfengine2Programs, eventually, everyStep, everyStepIt, labSettings } from '../../support.ts';
import { typedIn, useLab, whyNoLab } from '../../use-lab.ts';

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
  /** Lines of the agent that tell of a fetch that failed. */
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
  {
    timeout: 300_000,
  },
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
    const { sh, csync } = typedIn(used);
    const good = async (member: string, script: string) => {
      const ended = await sh(member, script);
      expect(ended.exitCode, `${script}: ${ended.stdout}${ended.stderr}`).toBe(0);
      return ended.stdout;
    };
    const owner = async () => (await used.drills.view()).owner ?? '';
    /** What begins by itself comes to its end; then nobody holds the lock that the next verb wants. */
    const nothingWaits = async (member = 'm1') => {
      const sync = (words: string) => sh(member, `cd / && csync members sync ${words}`);
      const isDone = async () => (await sync('--dry-run')).stdout.includes('nothing waits');
      await eventually('everything to be finished', isDone, 90_000);
      await eventually('the end of the one that did it', async () => (await sync('--yes')).exitCode === 0, 30_000);
    };
    /** What a host's agent says of a fetch that failed. */
    const fetches = async (host: string) =>
      (await sh(host, `${one.update} 2>&1 | grep -E "${one.failure}" ; true`)).stdout.trim();

    it('a Serviceguard that is too old is refused, and nothing is done', async () => {
      await good('m1', 'cmruncl -w none');
      await good(
        'm1',
        `mv ${bin}/cmversion ${bin}/kept; printf '#!/bin/sh\\necho A.11.16.10\\n' > ${bin}/cmversion; chmod 755 ${bin}/cmversion`,
      );
      const refused = await csync('members sync --yes');
      await good('m1', `mv ${bin}/kept ${bin}/cmversion`);
      expect([refused.exitCode, refused.stderr]).toEqual([
        expect.any(Number),
        expect.stringContaining('Serviceguard there is A.11.16.10; adding or removing members requires A.11.17'),
      ]);
      expect(refused.exitCode).not.toBe(0);
      expect((await sh('m1', `ls ${work}/ppkeys`)).stdout).toBe('');
    });

    it('from nothing to a package that serves two clients', async () => {
      const dry = (await csync('members sync --dry-run')).stdout;
      expect(dry).toContain('m3: cfengine starts at boot (CSYNC_CONFIGURED=1)');
      expect((await sh('m1', `ls ${work}/ppkeys`)).stdout, 'a dry run does nothing').toBe('');
      const first = await csync('members sync --yes');
      expect(first.exitCode, first.stderr).toBe(0);
      const applied = await csync('apply --yes --run');
      expect(applied.exitCode, applied.stderr).toBe(0);
      await eventually('the package to run', async () => (await used.drills.view()).state === 'running', 60_000);
      // The start on a new policy file system has the policy published; nobody types anything.
      await nothingWaits();
      const added = await csync('client add c1 --yes');
      expect(added.exitCode, added.stderr).toBe(0);
      await good(
        'c2',
        `echo SGSBIN=${bin} > /etc/cmcluster.conf; mkdir -p ${bin}; printf '#!/bin/sh\\necho name=other\\necho "node:c2|name=c2"\\n' > ${bin}/cmviewcl; chmod 755 ${bin}/cmviewcl`,
      );
      const others = await csync('client add --cluster c2 --yes');
      expect(others.exitCode, others.stderr).toBe(0);
      expect((await csync('client list')).stdout).toMatch(/^c1 +10.9.0.21 +- .*\nc2 +10.9.0.22 +other /m);
      const verified = await csync('keys verify');
      expect(verified.stdout).toBe('27 of 27 handshakes would succeed.\n');
      expect([await fetches('c1'), await fetches('c2')]).toEqual(['', '']);
      expect((await csync('client add c1 --yes')).stdout).toBe('They are already set up as clients.\n');
      await good('m2', `mkdir -m 700 ${work}/ppkeys/.csync-arrival-now; echo secret > ${work}/ppkeys/.csync-arrival-now/0`);
      const swept = await csync('members sync --yes');
      expect([swept.exitCode, swept.stderr]).toEqual([
        0,
        expect.stringContaining('m2: remove leftovers of a killed set-up ... ok'),
      ]);
      expect((await sh('m2', `ls -d ${work}/ppkeys/.csync-arrival* 2>&1; true`)).stdout).toContain('No such file');
      const away = await csync('client add nosuch --yes');
      expect([away.exitCode, away.stdout]).toEqual([5, 'No step can be done now. The work is stored as pending.\n']);
      expect((await csync('client list')).stdout).toMatch(/^nosuch +- .* pending since .*its name does not resolve here/m);
      expect((await csync('client sync --yes')).stderr).toContain('nosuch is pending');
      expect((await csync('client remove nosuch --yes')).exitCode).toBe(0);
      expect((await csync('client list')).stdout).not.toContain('nosuch');
    });

    it('every key lies where it should, private, and in no log', async () => {
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

    it('files of keys and policy are byte for byte what cfengine writes, and what the master has', async () => {
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

    everyStepIt('what the administrator writes is imported, and never written over', async () => {
      const member = await owner();
      await sh(member, `echo "# ours" >> ${tree}/${one.site}; echo "# by hand" >> ${tree}/${one.ours}`);
      await good('m1', 'cd /root && csync members sync --yes');
      expect(await good(member, `tail -n 1 ${tree}/${one.site}`)).toBe('# ours\n');
      expect(await good(member, `grep -c "# by hand" ${tree}/${one.ours}; true`), 'a file of the toolkit').toBe('0\n');
      await sh(member, `cd ${tree}; cp ${one.site} /tmp/site; echo "${one.broken}" > ${one.site}`);
      const refused = await csync('member remove m3 --yes');
      expect(refused.exitCode).toBe(5);
      expect(refused.stderr).toContain("cfengine's parser rejected the policy");
      expect((await csync('members list')).stdout, 'and nothing was done').toMatch(/^m3 .*: nothing was changed/m);
      await sh(member, `cp /tmp/site ${tree}/${one.site}`);
      const again = await csync('member add m3 --yes');
      expect(again.exitCode, again.stderr).toBe(0);
      await nothingWaits();
    });

    it('a member that comes while the package runs becomes the master in a failover, with no hand step', async () => {
      await good('m1', 'cmquerycl -C /tmp/new -c "$(cmviewcl -f line | sed -n "s/^name=//p")" -n m1 -n m2 -n m3 -n m4');
      await good('m1', 'cmapplyconf -f -C /tmp/new');
      await good('m4', 'cmrunnode m4');
      await eventually(
        'm4 to be set up by itself',
        async () => (await sh('m1', 'cmviewcl -v -f line -p csync')).stdout.includes('node:m4'),
        90_000,
      );
      await nothingWaits();
      expect((await csync('members list')).stdout).toMatch(/^m4 +10\.9\.0\.14 +set up +in the cluster$/m);
      // The administrator's file is of before.
      const stale = await csync('apply --yes');
      expect(stale.exitCode).toBe(3);
      expect(stale.stderr).toContain('does not list m4');
      for (const member of ['m1', 'm2', 'm3']) await good(member, `cmhaltnode -f ${member}`);
      await eventually('m4 to be the master', async () => (await owner()) === 'm4', 60_000);
      await eventually('it to serve', async () => (await used.drills.view()).state === 'running', 60_000);
      expect([await fetches('c1'), await fetches('c2')]).toEqual(['', '']);
      const runs = await sh('m4', 'cd / && csync sync c1 c2 --json');
      expect(runs.exitCode, runs.stdout + runs.stderr).toBe(0);
      for (const member of ['m1', 'm2', 'm3']) await good(member, `cmrunnode ${member}`);
    });

    it('the keys rotate from the new member, with no failover, and the old one is trusted nowhere', async () => {
      const before = await good('m4', `cat ${work}/ppkeys/localhost.pub`);
      const rotated = await sh('m4', 'cd / && csync keys rotate --yes');
      expect(rotated.exitCode, rotated.stdout + rotated.stderr).toBe(0);
      expect(await owner()).toBe('m4');
      expect(await used.drills.view()).toMatchObject({ state: 'running' });
      expect(await fetches('c1')).toBe('');
      expect((await sh('m4', 'cd / && csync keys verify')).stdout).toMatch(/^(\d+) of \1 handshakes would succeed/m);
      for (const host of ['m1', 'm2', 'm3', 'm4', 'c1', 'c2']) {
        const held = await good(host, `cd ${work}/ppkeys; cat $(find . -name '*.pub')`);
        expect(held, `${host} has the old key no more`).not.toContain(before);
        expect(await good(host, `pgrep -c -x ${daemonName}`), host).toBe('1\n');
      }
    });

    it('a member that goes is refused, and has the key of the cluster no more', async () => {
      await good('m4', 'cmmodpkg -e csync; cmmodpkg -e -n m1 -n m2 -n m3 csync');
      const gone = await sh('m4', 'cd / && csync member remove m3 --yes');
      expect(gone.exitCode, gone.stderr).toBe(0);
      const key = (host: string) => good(host, `cat ${work}/ppkeys/localhost.pub`);
      expect(await key('m3')).not.toBe(await key('m4'));
      expect((await sh('m4', 'cmviewcl -v -f line -p csync')).stdout).not.toContain('node:m3');
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
      for (const host of ['m4', 'm1', 'c1']) expect(await good('m3', one.connect(host)), host).not.toContain('ACCEPTED');
      expect(await good('m1', one.connect('m4')), 'the others still are').toContain('ACCEPTED');
      expect((await sh('m4', 'cd / && csync keys verify')).stdout).toMatch(/^(\d+) of \1 handshakes would succeed/m);
    });

    everyStepIt('a member that comes while the package is down is remembered, and finished at the next start', async () => {
      await good('m4', 'cmhaltpkg csync');
      const added = await sh('m4', 'csync_dispatcher=/opt/dsau/bin/csync_dispatcher; cd / && $csync_dispatcher MEMBER_ADDED: m3');
      expect(added.exitCode, added.stderr).toBe(5);
      const status = await sh('m4', 'cd / && csync status');
      expect(status.stdout).toContain('m3 is pending since');
      await good('m4', 'cmrunpkg csync; cmmodpkg -e csync');
      await nothingWaits('m4');
      await eventually('its last word in syslog', async () =>
        (await sh('m4', 'grep "csync members sync" /var/log/messages | tail -n 1')).stdout.includes('done'),
      );
      expect((await sh('m4', 'cd / && csync status')).stdout).not.toContain('pending since');
    });
  },
);
