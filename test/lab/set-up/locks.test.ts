/** One change at a time, even if a host vanishes: two verbs at once, a holder that is stopped, cut off or crashed, and the README's own order. */
import { describe, expect, it } from 'vitest';
import { leaseSeconds } from '../../../src/cluster/remote/lease-scripts.ts';
import { eventually, everyStep, everyStepIt } from '../../support.ts';
import { reported, serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

/** A command of Serviceguard's that blocks until the gate opens: its verb has the lock meanwhile. */
const bin = '/usr/local/cmcluster/bin';
const closed = [
  `mv ${bin}/cmgetconf ${bin}/kept`,
  `printf '%s\\n' '#!/bin/sh' 'touch /root/at-the-gate' 'until [ -e /root/open ]; do sleep 0.1; done' 'exec ${bin}/kept "$@"' > ${bin}/cmgetconf`,
  `chmod 755 ${bin}/cmgetconf; rm -f /root/open /root/at-the-gate`,
].join('\n');
const opened = `touch /root/open; mv -f ${bin}/kept ${bin}/cmgetconf`;

describe.skipIf(whyNoLab !== null)('one change at a time', { timeout: 300_000 }, () => {
  const used = useLab('locks', { deployed: true, clients: 0, without: { names: 'the name of the host is compared' } });
  const { sh, must, csync, json, done } = typedIn(used);
  type Applied = { outcome: string; set: number };
  const grace = (member: string, seconds: number) =>
    must(member, `sed -i '/^halt_grace_seconds/d' /root/csync.yaml; echo 'halt_grace_seconds: ${seconds}' >> /root/csync.yaml`);
  const settingsOf = async (): Promise<string[]> => {
    const sums = ['m1', 'm2', 'm3'].map((member) =>
      must(member, '. /etc/cmcluster.conf; cd $SGCONF/csync && read -r set _ < applied && sha256sum < sets/$set/settings.json'),
    );
    return [...new Set(await Promise.all(sums))];
  };
  /** A verb at the gate of m2, in the background there; what it said and how it ended lies in /root/held. */
  const heldOnM2 = async (words: string): Promise<void> => {
    await must('m2', closed);
    await must(
      'm2',
      `cd /root; rm -f held ended; setsid sh -c 'node /opt/csync/csync.mjs ${words} --json > held 2>/dev/null; echo $? > ended' > /dev/null 2>&1 < /dev/null &`,
    );
    await eventually('it to have the lock', async () => (await sh('m2', 'test -e /root/at-the-gate')).exitCode === 0, 30_000);
  };
  const endOfHeld = async () => {
    await eventually('it to end', async () => (await sh('m2', 'test -s /root/ended')).exitCode === 0, 60_000);
    const [exitCode, stdout] = [Number(await must('m2', 'cat /root/ended')), await must('m2', 'cat /root/held')];
    return reported({ exitCode, stdout, stderr: '' }, 'what m2 held');
  };
  /** Refused for the verb of m2 that has the lock, which is named with its process. */
  const isRefused = async (words: string, holder: string): Promise<void> => {
    const refused = await json(`${words} --yes --wait 0`);
    expect([refused.exitCode, refused.codes, refused.problems[0]?.text], words).toEqual([
      5,
      ['change-busy m1'],
      expect.stringMatching(`csync ${holder}\\b.* root@m2 \\(process \\d+\\)`),
    ]);
  };

  it('two applies of other settings, at once: one waits, both are done, and the members have one and the same', async () => {
    await serving(used);
    for (let round = 0; round < (everyStep ? 10 : 1); round += 1) {
      await Promise.all([grace('m1', 10 + round), grace('m2', 30 + round)]);
      const [one, other] = await Promise.all([done<Applied>('apply --yes', 'm1'), done<Applied>('apply --yes', 'm2')]);
      // One behind the other, each with a set of its own.
      expect([one.outcome, other.outcome, Math.abs(one.set - other.set)]).toEqual(['applied', 'applied', 1]);
      expect(await settingsOf()).toHaveLength(1);
      const [last, first] = one.set > other.set ? ['m1', 'm2'] : ['m2', 'm1'];
      expect([(await csync('diff', last)).exitCode, (await csync('diff', first)).exitCode]).toEqual([0, 1]);
    }
    await Promise.all([grace('m1', 10), grace('m2', 10)]);
    await done('apply --yes');
  });

  it('without patience it says who has the lock, and changes nothing', async () => {
    await serving(used);
    await heldOnM2('members sync --yes');
    const before = await settingsOf();
    await isRefused('apply', 'members sync');
    expect(await settingsOf()).toEqual(before);
    await must('m2', opened);
    expect((await endOfHeld()).exitCode).toBe(0);
  });

  it('a drill and a changing verb exclude each other, and each says who has the lock', async () => {
    await serving(used);
    await heldOnM2('rehearse --drill kill-daemon --yes');
    await isRefused('apply', 'rehearse --drill');
    await must('m2', `pkill -KILL -f '^node /opt/csync/csync.mjs rehearse'; ${opened}`);
    await heldOnM2('members sync --yes');
    const daemon = await must('m1', 'pgrep -x cf-serverd');
    await isRefused('rehearse --drill kill-daemon', 'members sync');
    expect(await must('m1', 'pgrep -x cf-serverd')).toBe(daemon);
    await must('m2', opened);
    expect((await endOfHeld()).exitCode).toBe(0);
  });

  everyStepIt('a holder that is stopped loses the lock, and changes nothing any more when it goes on', async () => {
    await serving(used);
    await grace('m2', 40);
    await heldOnM2('apply --yes');
    const before = await settingsOf();
    const pid = (await must('m2', 'pgrep -f "^node /opt/csync/csync.mjs apply"')).trim();
    await must('m2', `kill -STOP ${pid}; ${opened}`);
    const began = performance.now();
    await done('members sync --yes');
    expect((performance.now() - began) / 1000).toBeLessThan(leaseSeconds + 20);
    await must('m2', `kill -CONT ${pid}`);
    expect(await endOfHeld()).toMatchObject({ exitCode: 5, codes: expect.arrayContaining(['change-lock-lost']) });
    expect(await settingsOf()).toEqual(before);
  });

  everyStepIt('a holder that was cut off loses the lock, and changes nothing any more when it is back', async () => {
    await serving(used);
    await grace('m2', 50);
    await heldOnM2('apply --yes');
    const before = await settingsOf();
    await used.lab.ask({ verb: 'cut', member: 'm2' });
    await done('maintenance on --yes');
    await used.lab.ask({ verb: 'heal', member: 'm2' });
    await must('m2', opened);
    expect(await endOfHeld()).toMatchObject({ exitCode: 5, codes: expect.arrayContaining(['change-lock-lost']) });
    expect(await settingsOf()).toEqual(before);
    await done('maintenance off --yes');
  });

  everyStepIt('a holder that crashed keeps others from the lock no longer than a lease lasts', async () => {
    await serving(used);
    await heldOnM2('members sync --yes');
    await used.lab.ask({ verb: 'crash', member: 'm2' });
    const began = performance.now();
    await done('maintenance on --yes');
    expect((performance.now() - began) / 1000).toBeLessThan(leaseSeconds + 20);
    await done('maintenance off --yes');
    await used.lab.ask({ verb: 'boot', member: 'm2' });
    await must('m2', opened);
  });
});
