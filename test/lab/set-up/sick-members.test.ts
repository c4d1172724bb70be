/**
 * What hangs, is full, or pretends, on the way of a failover: a member that cannot serve says so in time, and the next one does.
 * The bounds are stated with each fault.
 */
import { describe, expect, it } from 'vitest';
import { parseMonitorState } from '../../../src/contract/monitor-state.ts';
import { eventually, everyStep } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const log = '/usr/local/cmcluster/run/log/csync.log';
const conf = '/usr/local/cmcluster/conf/csync';
const work = '/var/lib/cfengine3';
const sentinel = '/csync/dsau/csync.sentinel';

describe.skipIf(whyNoLab !== null)('a failover', () => {
  const used = useLab('sick-members', { deployed: true, watched: false });
  const { sh, must, json } = typedIn(used);
  const demand = async (member: string, script: string): Promise<string> => (await must(member, script)).trim();
  type Report = {
    members: { member: string; seen: { daemons: number; room: 'enough' | 'unknown' | { short: string } | null } }[];
    advice: { remedy: string }[];
  };

  /** The package serves from m1, with a monitor that watches. */
  async function atHome(): Promise<void> {
    await serving(used);
    await eventually('an armed monitor', async () => {
      const [state, daemon] = [await sh('m1', 'cat /run/csync-monitor-csync.json'), await sh('m1', 'pgrep -x cf-serverd')];
      return parseMonitorState(state.stdout)?.watching?.includes(`(pid ${daemon.stdout.trim()})`) === true;
    });
  }

  /** The member that serves after the daemon of m1 was killed, and after how many seconds. */
  async function afterTheKill(within: number): Promise<string> {
    const began = performance.now();
    await demand('m1', 'pkill -KILL -x cf-serverd');
    const owner = await used.drills.waitServed('m1');
    expect((performance.now() - began) / 1000).toBeLessThan(within);
    return owner;
  }
  const epoch = async (member: string): Promise<number> =>
    (JSON.parse(await demand(member, `cat ${sentinel}`)) as { epoch: number }).epoch;
  const setOf = async (member: string): Promise<string> => `${conf}/sets/${await demand(member, `ls ${conf}/sets`)}`;

  it('passes over a standby whose read hangs: a FIFO in the place of its key, 10 s', async () => {
    await atHome();
    await demand('m2', `cd ${work}/ppkeys && mv localhost.pub kept && mkfifo localhost.pub`);
    expect(await afterTheKill(10)).toBe('m3');
    // m2 was not the master, though it had the policy file system and released it.
    expect(JSON.parse(await demand('m3', 'cat /run/csync-promotion-csync.json'))).toMatchObject({ failover: { from: 'm1' } });
    expect(await demand('m2', `grep -F '[keys-unusable]' ${log} | tail -1`)).toMatch(/\blocalhost\.pub\b/);
    await demand('m2', `cd ${work}/ppkeys && rm localhost.pub && mv kept localhost.pub`);
  });

  it('passes over a standby whose start stands still, 30 s', async () => {
    await atHome();
    // The last that a start reads before its storage is touched is held for ever, as a process that hangs in the kernel is.
    await demand(
      'm2',
      `setsid sh -c 'until pid=$(pgrep -f [c]sync-start.cjs); do :; done; kill -STOP $pid' > /dev/null 2>&1 < /dev/null &`,
    );
    expect(await afterTheKill(30)).toBe('m3');
    await must('m2', `grep -qF 'start: failed [script-stopped]' ${log}`);
    expect((await sh('m2', 'pgrep -f [c]sync-start.cjs')).stdout).toBe('');
  });

  it('needs no room on the policy file system: full of blocks, 10 s, and the epoch rises', async () => {
    await atHome();
    const before = await epoch('m1');
    // Block by block at the end: a big write fails before the last ones are taken.
    await sh(
      'm1',
      'cat /dev/zero > /csync/filler 2>/dev/null; n=0; while head -c 512 /dev/zero > /csync/filler$n; do sync -f /csync; n=$((n + 1)); done 2>/dev/null',
    );
    expect((await sh('m1', 'cp /etc/passwd /csync/dsau/another')).exitCode).not.toBe(0);
    const { members, advice } = await json<Report>('status');
    expect(members[0]?.seen.room).toEqual({ short: expect.stringMatching(/\b0 MB\b/) });
    expect(advice[0]?.remedy).toMatch(/\bm1: stat -f \/csync\b/);
    expect((await json('check')).codes).toContain('check-space m1');
    expect(await afterTheKill(10)).toBe('m2');
    expect(await epoch('m2')).toBe(before + 1);
    await demand('m2', 'rm -f /csync/filler* /csync/dsau/another');
  });

  it('passes over a standby where another program has the place of the daemon, 15 s', async () => {
    await atHome();
    const impostor =
      'use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 5308, Listen => 9, ReuseAddr => 1) or die; while (my $c = $s->accept) { close $c }';
    await demand(
      'm2',
      `cp /usr/bin/perl /var/tmp/cf-serverd && chmod 755 /var/tmp/cf-serverd && pkill -KILL -x cf-serverd; while pgrep -x cf-serverd >/dev/null; do :; done; ` +
        `setsid setpriv --reuid 65534 --regid 65534 --clear-groups /var/tmp/cf-serverd -e '${impostor}' > /dev/null 2>&1 < /dev/null & ` +
        'n=0; until [ -n "$(pgrep -U 65534 -x cf-serverd)" ]; do n=$((n + 1)); [ $n -lt 100 ] || exit 1; sleep 0.05; done',
    );
    expect(await afterTheKill(15)).toBe('m3');
    expect(await demand('m2', `grep 'port-occupied' ${log} | tail -1`)).toMatch(/\bcf-serverd\b.*\b65534\b/);
    expect((await json<Report>('status', 'm3')).members[1]).toMatchObject({ member: 'm2', seen: { daemons: 0 } });
    await demand('m2', 'pkill -KILL -U 65534 -x cf-serverd; rm /var/tmp/cf-serverd; cf-serverd -K');
  });

  it('has each of ten starts at once that succeed: none stands in the way of another', async () => {
    await atHome();
    const ended = await demand(
      'm1',
      `rm -f /run/csync-probe-*; for i in 0 1 2 3 4 5 6 7 8 9; do ( ${conf}/csync.sh start > /dev/null 2>&1; echo "$?" ) & done; wait`,
    );
    expect(ended.split('\n')).toEqual(Array.from({ length: 10 }, () => '0'));
    expect(
      (await sh('m1', `ls -A /csync/dsau /usr/local/cmcluster/run | grep -e '\\.new$' -e 'csync-[0-9a-f]\\{16\\}$'`)).stdout,
    ).toBe('');
  });

  describe('where a file is a FIFO', () => {
    /** What a start, a validation or a halt reads on a standby, and what each makes of it; a halt is asked where it reads the file. */
    const files = (set: string): readonly (readonly [file: string, start: number, validate: number, stop?: number])[] => [
      // The launcher decides the outer parts without settings and keys; part 2 of a start reads them, as in the failover above.
      [`${set}/settings.json`, 0, 1, 0],
      // A modular start gets from Serviceguard what its files are to be.
      [`${set}/manifest.json`, 0, 1],
      [`${set}/csync-start.cjs`, 2, 1],
      [`${set}/csync-validate.cjs`, 0, 1],
      // Nothing is held there.
      [`${set}/csync-halt.cjs`, 0, 1, 0],
      [`${conf}/applied`, 0, 0, 0],
      [`${conf}/roster.json`, 0, 0],
      [`${work}/ppkeys/localhost.priv`, 0, 1],
      [`${work}/ppkeys/localhost.pub`, 0, 1],
      // The daemon of a standby runs with what it read.
      [`${work}/inputs/promises.cf`, 0, 1],
      ['/etc/fstab', 0, 1],
      // The documented directories are those of the lab.
      ['/etc/cmcluster.conf', 0, 0, 0],
      [log, 0, 0, 0],
    ];

    it('a start, a validation and a halt of a standby end by themselves, each within 35 s', { timeout: 600_000 }, async () => {
      await atHome();
      const rows: string[] = [];
      const tried = async (member: string, [file, start, validate, stop]: ReturnType<typeof files>[number]): Promise<void> => {
        await sh(member, `[ ! -e ${file} ] || mv ${file} ${file}.kept; mkfifo ${file}`);
        for (const [word, status] of [
          ['start', start],
          ['validate', validate],
          ['stop', stop],
        ] as const) {
          if (status === undefined) continue;
          // A validation that meets a key waits for half a minute: npm run every-step.
          if (!everyStep && word === 'validate' && file.includes('/ppkeys/')) continue;
          const began = performance.now();
          const { exitCode } = await sh(
            member,
            `SG_PACKAGE=csync timeout 60 ${conf}/${word === 'validate' ? 'csync.sh' : 'csync_pre.sh'} ${word}`,
          );
          const seconds = (performance.now() - began) / 1000;
          const row = `${file.replace(/.*\/(csync\/sets\/[^/]*\/)?/, '')} ${word}: ${exitCode} after ${seconds.toFixed(1)} s`;
          rows.push(row);
          expect(exitCode, row).toBe(status);
          expect(seconds, row).toBeLessThan(35);
        }
        await sh(member, `rm -f ${file}; [ ! -e ${file}.kept ] || mv ${file}.kept ${file}`);
      };
      // Each half has a standby of its own.
      const all = files(await setOf('m2'));
      const half = async (member: string, rest: number): Promise<void> => {
        for (const [at, one] of all.entries()) if (at % 2 === rest) await tried(member, one);
      };
      await Promise.all([half('m2', 0), half('m3', 1)]);
      console.info(rows.join('\n'));
      expect(await afterTheKill(10), 'it is sound again').toBe('m2');
    });
  });
});
