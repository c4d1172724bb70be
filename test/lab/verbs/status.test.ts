/** csync status against a cluster that is well, and against what breaks. */
import { describe, expect, it } from 'vitest';
import { everyStepIt } from '../../support.ts';
import { typedIn, useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('csync status in the lab', { timeout: 300_000 }, () => {
  const used = useLab('status', { deployed: true });
  const { sh, csync } = typedIn(used);
  const status = async (words = '', member = 'm1') => {
    const { exitCode, stdout } = await csync(`status ${words}`, member);
    return { exitCode, stdout };
  };

  it('a package that serves: since when, which policy, a table; the same from any member, and as JSON', async () => {
    await used.drills.waitServed();
    const here = await status();
    expect(here.exitCode, here.stdout).toBe(0);
    expect(here.stdout).toMatch(
      /^csync serves from m1 since \S+Z, policy [0-9a-f]{12}\n\nmember .*\nm1 +up +running +enabled +runs +yes +yes +same/,
    );
    expect(here.stdout).toMatch(/\nclient +name +last seen +served by\n10\.9\.0\.2[12] /);
    const there = JSON.parse((await status('--json', 'm3')).stdout) as {
      condition: string;
      advice: unknown[];
      clients: unknown[];
    };
    expect(there).toMatchObject({ condition: 'serving', advice: [] });
    expect(there.clients).toHaveLength(2);
  });

  it('a failover switches the member off, and status says how it comes back', async () => {
    await used.drills.failOver('kill');
    const after = await status();
    expect(after.stdout).toMatch(/^csync serves from m2 /);
    expect(after.stdout).toContain('m1 is not eligible');
    expect(after.stdout).toContain('cmmodpkg -e -n m1 csync');
    await used.drills.repair('kill', 'm1');
    expect((await status('--json')).stdout).toContain('"advice":[]');
  });

  it('a user with the monitor role sees the package; what it may not see is not known, and it changes nothing', async () => {
    const user = 'cp /root/csync.yaml /tmp; cd /tmp; setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent';
    const seen = await sh('m1', `${user} node /opt/csync/csync.mjs status`);
    expect(seen.exitCode, seen.stdout).toBe(4);
    expect(seen.stdout).toMatch(/^csync runs on m2, which cannot be checked\n.*does not know its host key/);
    expect(seen.stdout).toMatch(/\nm1 +up +- +enabled +runs +- +- +same/);
    expect(seen.stdout).toContain('clients: unknown');
    const here = await sh('m2', `${user} node /opt/csync/csync.mjs status`);
    expect(here.exitCode, here.stdout).toBe(0);
    expect(here.stdout).toMatch(/^csync serves from m2 since [^,]*\n/);
    for (const command of ['cmhaltpkg csync', 'cmgetconf -p csync', 'cmmodpkg -d csync', 'cmmakepkg /tmp/x.conf'])
      expect((await sh('m1', `${user} ${command}`)).stderr, command).toContain('Permission denied');
  });

  it('files that drift, a daemon that is gone, a member that is out of reach', async () => {
    await sh('m3', 'echo "# mine" >> /usr/local/cmcluster/conf/csync/csync.sh; pkill -x cf-serverd');
    const drifted = await status();
    expect(drifted.exitCode).toBe(0);
    expect(drifted.stdout).toContain('m3: csync.sh differs from the rendered package');
    expect(drifted.stdout).toContain('no cfengine daemon runs on m3');
    await used.lab.ask({ verb: 'crash', member: 'm3' });
    const gone = await status();
    expect(gone.exitCode).toBe(0);
    expect(gone.stdout).toContain('m3 cannot be checked');
  });

  everyStepIt('halted, and what brings it back', async () => {
    await used.lab.exec('m1', ['cmhaltpkg', 'csync']);
    const halted = await status();
    expect([halted.exitCode, halted.stdout]).toEqual([
      3,
      expect.stringMatching(/^csync is halted[\s\S]*AUTO_RUN disabled[\s\S]*cmmodpkg -e csync/),
    ]);
    await used.lab.exec('m1', ['cmdeleteconf', '-f', '-p', 'csync']);
    expect((await status()).stdout).toMatch(/^csync is not configured/);
  });
});
