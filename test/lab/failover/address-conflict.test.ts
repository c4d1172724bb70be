/** Another host takes the package address, while the package runs and while it moves. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually, have, repository } from '../../support.ts';
import { typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const log = '/usr/local/cmcluster/run/log/csync.log';

describe.skipIf(whyNoLab !== null)('an address conflict in the lab', { timeout: 200_000 }, () => {
  const used = useLab('conflict', {
    deployed: true,
    watched: false,
    changes: { monitorOwner: 'every 1 s, limit 1 s, 2 in a row, warn' },
  });
  const { sh, csync } = typedIn(used);
  const logOf = async (member: string) => (await sh(member, `cat ${log}`)).stdout;
  const foreign = (verb: 'add' | 'del') => sh('m3', `ip addr ${verb} 10.9.0.100/24 dev eth0`);

  it('is noticed by the monitor, which warns and stays, and is over when the other host gives it up', async () => {
    expect(await used.drills.waitServed()).toBe('m1');
    const card = (await sh('m3', 'cat /sys/class/net/eth0/address')).stdout.trim();
    await foreign('add');
    await eventually('the warning', async () =>
      (await logOf('m1')).includes(
        `monitor: warning [layer-bad] Layer owner: another host answers for 10.9.0.100 as well (hardware address ${card})`,
      ),
    );
    expect((await csync('status')).stdout).toContain(
      'the monitor on m1 finds owner: 10.9.0.100 is answered for by another host, too',
    );
    expect((await used.drills.view()).owner).toBe('m1');
    await foreign('del');
    await eventually('the end of it', async () =>
      /monitor: ok \[layer-good\] Layer owner: no other host answers/.test(await logOf('m1')),
    );
  });

  it('that leads clients to another member: status, check and a drill report it from any member, until its remedy is typed', async () => {
    const announce = (on: string, times: number) =>
      sh(on, `busybox arping -q -U -c ${times} -w ${times} -I eth0 10.9.0.100 >/dev/null 2>&1 & echo $!`);
    const found = 'clients reach m3 instead (seen from m2)';
    // What hosts have in their tables is what they found last.
    await announce('m1', 1);
    await eventually('m2 finds m1', async () => !(await csync('status', 'm2')).stdout.includes('clients reach'));
    await foreign('add');
    const pid = (await announce('m3', 60)).stdout.trim();
    await eventually('m2 finds m3 at the address', async () =>
      (await sh('m2', 'cat /proc/net/arp')).stdout.includes((await sh('m3', 'cat /sys/class/net/eth0/address')).stdout.trim()),
    );
    for (const member of ['m1', 'm2', 'm3']) {
      const status = await csync('status', member);
      expect([status.exitCode, status.stdout.split('\n')[0]]).toEqual([1, `csync runs on m1, but ${found}`]);
      expect(status.stdout).toContain(
        'remove 10.9.0.100 from m3 (ip -o -4 addr show; ip addr del 10.9.0.100/PREFIX dev INTERFACE)',
      );
    }
    const check = await csync('check');
    expect([check.exitCode, check.stdout]).toEqual([1, expect.stringContaining(`10.9.0.100 belongs to m1, but ${found}`)]);
    const drill = await csync('rehearse --drill switch-off-on --yes');
    expect([drill.exitCode === 0, drill.stderr]).toEqual([false, expect.stringContaining(found)]);
    await sh('m3', `kill ${pid}`);
    await foreign('del');
    await announce('m1', 1);
    await eventually('m2 finds m1 again', async () => (await csync('status', 'm2')).exitCode === 0);
    expect((await used.drills.view()).owner).toBe('m1');
  });

  it('is said by the start before it adds the address, and the master serves all the same', async () => {
    await foreign('add');
    await used.drills.killDaemon('m1');
    expect(await used.drills.waitServed('m1')).toBe('m2');
    const said = (await logOf('m2')).split('\n');
    const warned = said.findIndex((line) =>
      line.includes('start: warning [address-conflict] another host answers for 10.9.0.100 as well'),
    );
    const mounted = said.findIndex((line) => line.includes('start: ok [mounted]'));
    expect(warned).toBeGreaterThan(-1);
    expect(warned).toBeLessThan(mounted);
    await foreign('del');
  });
});

/** The rules of docs/how-to/kernel-limits.md, as they stand there, with the lab's addresses. */
describe.skipIf(whyNoLab !== null || !have('nft'))('limits in the kernel', { timeout: 200_000 }, () => {
  const used = useLab('kernel-limits', { deployed: true });
  const { sh } = typedIn(used);
  const rules = /```\n([\s\S]*?)```/.exec(readFileSync(join(repository, 'docs/how-to/kernel-limits.md'), 'utf8'))?.[1] ?? '';
  /** How many of 20 connections are open after a second, made by a user there. */
  const held = async (host: string, user: number) => {
    const program =
      "const s=[];for(let i=0;i<20;i++){const c=require('net').connect(5308,'10.9.0.100');c.on('error',()=>{});c.on('close',()=>{c.gone=1});c.on('connect',()=>{c.made=1});s.push(c)}setTimeout(()=>{console.log(s.filter(c=>c.made&&!c.gone).length);process.exit()},1000)";
    const node = used.lab.spec.settings.nodePath;
    return Number(
      (await used.lab.exec(host, ['setpriv', `--reuid=${user}`, '--regid=65534', '--clear-groups', node, '-e', program])).stdout,
    );
  };

  it('let no user of a member in but root, and the master serves', async () => {
    expect(await used.drills.waitServed()).toBe('m1');
    expect(await held('m1', 65534)).toBeGreaterThan(10);
    for (const member of ['m1', 'm2', 'm3']) expect((await sh(member, `nft -f - <<'RULES'\n${rules}RULES`)).stderr).toBe('');
    expect(await held('m1', 65534)).toBe(0);
    expect(await held('m1', 0)).toBeGreaterThan(10);
    expect(await held('c1', 65534)).toBeLessThanOrEqual(1);
    await used.drills.waitClients();
    await used.drills.killDaemon('m1');
    expect(await used.drills.waitServed('m1')).toBe('m2');
    await used.drills.waitClients();
  });
});
