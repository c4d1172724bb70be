/** One change at a time, whoever vanishes: two verbs at once, a holder that is stopped, cut off or crashed, and the README's own order. */
import { describe, expect, it } from 'vitest';
import { leaseSeconds } from '../../../src/cluster/remote/lease-scripts.ts';
import { eventually, everyStep, everyStepIt } from '../../support.ts';
import { typedIn, useLab, whyNoLab } from '../../use-lab.ts';

/** A command of Serviceguard's that waits there until the gate opens: its verb has the lock meanwhile. */
const bin = '/usr/local/cmcluster/bin';
const closed = [
  `mv ${bin}/cmgetconf ${bin}/kept`,
  `printf '%s\\n' '#!/bin/sh' 'touch /root/at-the-gate' 'until [ -e /root/open ]; do sleep 0.1; done' 'exec ${bin}/kept "$@"' > ${bin}/cmgetconf`,
  `chmod 755 ${bin}/cmgetconf; rm -f /root/open /root/at-the-gate`,
].join('\n');
const opened = `touch /root/open; mv -f ${bin}/kept ${bin}/cmgetconf`;

describe.skipIf(whyNoLab !== null)('one change at a time', { timeout: 300_000 }, () => {
  const used = useLab('locks', { deployed: true, clients: 0 });
  const { sh, csync } = typedIn(used);
  const must = async (member: string, script: string): Promise<string> => {
    const done = await sh(member, script);
    expect(done.exitCode, `${script}\n${done.stdout}${done.stderr}`).toBe(0);
    return done.stdout;
  };
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
      `cd /root; rm -f held ended; setsid sh -c 'node /opt/csync/csync.mjs ${words} > held 2>&1; echo $? > ended' > /dev/null 2>&1 < /dev/null &`,
    );
    await eventually('it to have the lock', async () => (await sh('m2', 'test -e /root/at-the-gate')).exitCode === 0, 30_000);
  };
  const endOfHeld = async (): Promise<readonly [status: string, said: string]> => {
    await eventually('it to end', async () => (await sh('m2', 'test -s /root/ended')).exitCode === 0, 60_000);
    return [(await must('m2', 'cat /root/ended')).trim(), await must('m2', 'cat /root/held')];
  };

  it('two applies of other settings, at once: one waits, both are done, and the members have one and the same', async () => {
    for (let round = 0; round < (everyStep ? 10 : 1); round += 1) {
      await Promise.all([grace('m1', 10 + round), grace('m2', 30 + round)]);
      const ended = await Promise.all([csync('apply --yes', 'm1'), csync('apply --yes', 'm2')]);
      for (const { exitCode, stderr } of ended) expect(exitCode, stderr).toBe(0);
      expect(ended.filter(({ stderr }) => stderr.includes('waiting up to 60 s for the lock')).length).toBe(1);
      expect(await settingsOf()).toHaveLength(1);
      expect((await Promise.all([csync('diff', 'm1'), csync('diff', 'm2')])).map(({ exitCode }) => exitCode).sort()).toEqual([
        0, 1,
      ]);
    }
    await Promise.all([grace('m1', 10), grace('m2', 10)]);
    expect((await csync('apply --yes')).exitCode).toBe(0);
  });

  it('without patience it says who has the lock, and changes nothing', async () => {
    await heldOnM2('members sync --yes');
    const refused = await csync('apply --yes --wait 0');
    expect([refused.exitCode, refused.stdout]).toEqual([5, '']);
    expect(refused.stderr).toMatch(
      /^error \[change-busy\] member m1\n {2}nothing was changed: another change is running, csync members sync of root@m2 \(process \d+\) since \S+; waited 0 s for it\n/,
    );
    await must('m2', opened);
    expect((await endOfHeld())[0]).toBe('0');
  });

  it('a drill and a changing verb exclude each other, and each says who has the lock', async () => {
    await heldOnM2('rehearse --drill kill-daemon --yes');
    const refused = await csync('apply --yes --wait 0');
    expect([refused.exitCode, refused.stderr]).toEqual([
      5,
      expect.stringMatching(/another change is running, csync rehearse --drill of root@m2 \(process \d+\) since /),
    ]);
    await must('m2', `pkill -KILL -f '^node /opt/csync/csync.mjs rehearse'; ${opened}`);
    await heldOnM2('members sync --yes');
    const daemon = await must('m1', 'pgrep -x cf-serverd');
    const drill = await csync('rehearse --drill kill-daemon --yes --wait 0');
    expect([drill.exitCode, drill.stderr]).toEqual([5, expect.stringContaining('csync members sync of root@m2')]);
    expect(await must('m1', 'pgrep -x cf-serverd')).toBe(daemon);
    await must('m2', opened);
    expect((await endOfHeld())[0]).toBe('0');
  });

  it('a holder that is stopped loses the lock, and changes nothing any more when it goes on', async () => {
    await grace('m2', 40);
    await heldOnM2('apply --yes');
    const before = await settingsOf();
    const pid = (await must('m2', 'pgrep -f "^node /opt/csync/csync.mjs apply"')).trim();
    await must('m2', `kill -STOP ${pid}; ${opened}`);
    const began = performance.now();
    const next = await csync('members sync --yes');
    expect(next.exitCode, next.stderr).toBe(0);
    expect((performance.now() - began) / 1000).toBeLessThan(leaseSeconds + 20);
    await must('m2', `kill -CONT ${pid}`);
    const [status, said] = await endOfHeld();
    expect([status, said]).toEqual(['5', expect.stringContaining('error [change-lock-lost]')]);
    expect(await settingsOf()).toEqual(before);
  });

  everyStepIt('a holder that was cut off loses the lock, and changes nothing any more when it is back', async () => {
    await heldOnM2('apply --yes');
    const before = await settingsOf();
    await used.lab.ask({ verb: 'cut', member: 'm2' });
    const next = await csync('maintenance on --yes');
    expect(next.exitCode, next.stderr).toBe(0);
    await used.lab.ask({ verb: 'heal', member: 'm2' });
    await must('m2', opened);
    expect(await endOfHeld()).toEqual(['5', expect.stringContaining('error [change-lock-lost]')]);
    expect(await settingsOf()).toEqual(before);
    expect((await csync('maintenance off --yes')).exitCode).toBe(0);
  });

  everyStepIt('a holder that crashed keeps others from the lock no longer than a lease lasts', async () => {
    await heldOnM2('members sync --yes');
    await used.lab.ask({ verb: 'crash', member: 'm2' });
    const began = performance.now();
    const next = await csync('maintenance on --yes');
    expect(next.exitCode, next.stderr).toBe(0);
    expect((performance.now() - began) / 1000).toBeLessThan(leaseSeconds + 20);
    expect((await csync('maintenance off --yes')).exitCode).toBe(0);
  });
});
