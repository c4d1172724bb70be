/** Another host takes the package address, while the package runs and while it moves. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MonitorState } from '../../../src/contract/monitor-state.ts';
import { eventually, have, repository } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const log = '/usr/local/cmcluster/run/log/csync.log';

describe.skipIf(whyNoLab !== null)('an address conflict in the lab', { timeout: 200_000 }, () => {
  const used = useLab('conflict', {
    deployed: true,
    watched: false,
    changes: { monitorOwner: 'every 1 s, limit 1 s, 2 in a row, warn' },
  });
  const { sh, must, json, broken } = typedIn(used);
  type Report = {
    condition: string;
    sentence: string;
    members: { member: string; seen: { monitor: MonitorState } }[];
    advice: { text: string; remedy: string }[];
  };
  const status = (member = 'm1') => json<Report>('status', member);
  /** m3 has the package address as well; what it returns takes it away. */
  const foreign = () => broken('m3', 'ip addr add 10.9.0.100/24 dev eth0', 'ip addr del 10.9.0.100/24 dev eth0');
  const cardOf = async (member: string) => (await must(member, 'cat /sys/class/net/eth0/address')).trim();

  it('is noticed by the monitor, which warns and stays, and is over when the other host drops it', async () => {
    await serving(used);
    const found = async () => (await status()).members[0]?.seen.monitor.layers.owner;
    const card = await cardOf('m3');
    const gone = await foreign();
    await eventually('the warning', async () => {
      const owner = await found();
      return owner?.result === 'bad' && owner.detail.includes(card);
    });
    expect((await status()).advice[0]?.text).toContain(card);
    expect((await used.drills.view()).owner).toBe('m1');
    await gone();
    await eventually('the end of it', async () => (await found())?.result === 'good');
  });

  it('that leads clients to another member: status, check and a drill report it from any member, until its remedy is typed', async () => {
    await serving(used);
    const announce = (on: string, times: number) =>
      must(on, `busybox arping -q -U -c ${times} -w ${times} -I eth0 10.9.0.100 >/dev/null 2>&1 & echo $!`);
    const seenFromM2 = async () => (await must('m2', 'cat /proc/net/arp')).match(/^10\.9\.0\.100 .* ((?:\w\w:){5}\w\w) /m)?.[1];
    // What hosts have in their tables is what they found last.
    await announce('m1', 1);
    await eventually('m2 finds m1', async () => (await status('m2')).exitCode === 0);
    const gone = await foreign();
    const pid = (await announce('m3', 60)).trim();
    const card = await cardOf('m3');
    await eventually('m2 finds m3 at the address', async () => (await seenFromM2()) === card);
    for (const member of ['m1', 'm2', 'm3']) {
      const { exitCode, condition, sentence, advice } = await status(member);
      expect([exitCode, condition, sentence], member).toEqual([1, 'failed', expect.stringMatching(/\bm1\b.*\bm3\b.*\bm2\b/)]);
      expect(advice.map(({ remedy }) => remedy).join('\n'), member).toMatch(/\bm3 \(.*ip addr del 10\.9\.0\.100\b/);
    }
    const check = await json('check');
    expect([check.exitCode, check.codes]).toEqual([1, ['check-address m1']]);
    const drill = await json('rehearse --drill switch-off-on --yes');
    expect([drill.exitCode, drill.codes]).toEqual([5, ['change-unready']]);
    await must('m3', `kill ${pid}`);
    await gone();
    await announce('m1', 1);
    await eventually('m2 finds m1 again', async () => (await status('m2')).exitCode === 0);
    expect((await used.drills.view()).owner).toBe('m1');
  });

  it('is said by the start before it adds the address, and the master serves all the same', async () => {
    await serving(used);
    const gone = await foreign();
    const logged = Number((await sh('m2', `wc -l < ${log}`)).stdout);
    await used.drills.killDaemon('m1');
    expect(await used.drills.waitServed('m1')).toBe('m2');
    const said = (await must('m2', `tail -n +${logged + 1} ${log}`)).split('\n');
    const warned = said.findIndex((line) => line.includes(' start: warning [address-conflict] '));
    const mounted = said.findIndex((line) => line.includes('[mounted]'));
    expect(warned).toBeGreaterThan(-1);
    expect(warned).toBeLessThan(mounted);
    await gone();
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
    await serving(used);
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
