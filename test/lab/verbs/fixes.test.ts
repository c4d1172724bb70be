/** Fixes, typed as the messages print them: a state of the lab, its message, the commands behind "Fix:", and the same check passes. */
import { beforeAll, describe, expect } from 'vitest';
import { verbIn } from '../../../src/cli/help.ts';
import { verbs } from '../../../src/cli/verbs.ts';
import type { MemberStatus, StatusVerdict } from '../../../src/cluster/condition/status.ts';
import { checkRows, type FixRow, haltedRows, type StartRow, startRows, verbRows } from '../../fixes.ts';
import { eventually, everyStepIt } from '../../support.ts';
import { codesIn, serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('fixes that are typed as printed', { timeout: 300_000 }, () => {
  const used = useLab('fixes', { deployed: true, clients: 1, watched: false });
  const { sh, must, json, broken } = typedIn(used);

  /** A terminal would answer the confirmation. */
  const confirmed = (command: string): string => {
    const [program = '', ...words] = command.split(' ');
    const verb = program === 'csync' ? verbs.find((one) => one.words === verbIn(words)) : undefined;
    return verb !== undefined && Object.hasOwn(verb.options, 'yes') ? `${command} --yes` : command;
  };
  const type = (host: string, command: string) => must(host, `. /etc/cmcluster.conf; cd /root; ${confirmed(command)}`);
  const runAll = async (scripts: readonly (readonly [host: string, script: string])[]): Promise<void> => {
    for (const [host, script] of scripts) await must(host, script);
  };

  /** All states at once, one run of the verb, all fixes, one run of the verb. */
  const follow = async (rows: readonly FixRow[]): Promise<void> => {
    const verb = rows[0]?.verb ?? '';
    const of = ({ problems }: Awaited<ReturnType<typeof json>>, row: FixRow) =>
      problems.filter(({ code, member }) => code === row.code && member === row.member);
    const before = await json(verb);
    for (const row of rows.filter(({ breaks }) => breaks.length > 0)) expect(of(before, row), row.code).toEqual([]);
    await runAll(rows.flatMap(({ breaks }) => breaks));
    const seen = await json(verb);
    for (const row of rows) {
      const remedies = of(seen, row)
        .map(({ remedy }) => remedy)
        .join('\n');
      for (const [, command] of row.fix) expect(remedies, `${row.code} ${row.member}`).toContain(command);
    }
    for (const [host, command] of rows.flatMap(({ fix }) => fix)) await type(host, command);
    const after = await json(verb);
    for (const row of rows) expect(of(after, row), row.code).toEqual([]);
    await runAll(rows.flatMap(({ afterwards = [] }) => afterwards));
  };

  type Report = StatusVerdict & { readonly members: readonly MemberStatus[] };
  const remedies = async (): Promise<readonly string[]> => (await json<Report>('status')).advice.map(({ remedy }) => remedy);
  /** States that one status prints together, with the commands of their fixes. */
  const followStatus = async (states: readonly (readonly [on: string, breaks: string, types: string, command: string])[]) => {
    expect(await remedies()).toEqual([]);
    for (const [host, breaks] of states) await must(host, breaks);
    const said = (await remedies()).join('\n');
    for (const [, , , command] of states) expect(said).toContain(command);
    for (const [, , host, command] of states) await type(host, command);
    await eventually('a status without problems', async () => (await remedies()).length === 0, 20_000);
  };

  beforeAll(async () => {
    for (const command of ['csync members sync --yes', 'csync client add c1 --yes']) await must('m1', `cd /root; ${command}`);
  }, 120_000);

  everyStepIt('csync check', async () => {
    await serving(used);
    await follow(checkRows);
  });

  everyStepIt('csync status', async () => {
    await serving(used);
    const gone = 'pkill -x cf-serverd; while pgrep -x cf-serverd > /dev/null; do :; done';
    await followStatus([
      ['m3', gone, 'm3', '/usr/local/sbin/csync-cfservd start'],
      ['m1', 'cmmodpkg -d csync', 'm1', 'cmmodpkg -e csync'],
      ['m1', 'cmmodpkg -d -n m2 csync', 'm1', 'cmmodpkg -e -n m2 csync'],
    ]);
    await followStatus([['m1', 'cd /root; csync maintenance on --yes', 'm1', 'csync maintenance off']]);
  });

  everyStepIt('csync status: a member that is halted in the cluster', async () => {
    await serving(used);
    await followStatus([['m1', 'cmhaltnode -f m3', 'm1', 'cmrunnode m3']]);
  });

  everyStepIt('a halted package', async () => {
    await serving(used);
    await must('m1', 'cmhaltpkg csync');
    await follow(haltedRows);
    const [start = ''] = (await remedies()).flatMap((remedy) => /^cmmodpkg -e csync/.exec(remedy) ?? []);
    await type('m1', start);
    await used.drills.waitServed();
    expect(await remedies()).toEqual([]);
  });

  for (const row of verbRows) {
    const followed = async (): Promise<void> => {
      await serving(used);
      await follow([row]);
    };
    everyStepIt(row.code, followed);
  }

  const failingStart = async ({ code, breaks, repair }: StartRow): Promise<void> => {
    await serving(used);
    const repaired = await broken('m2', breaks, repair);
    await must('m1', 'cmhaltpkg csync');
    const start = () => sh('m1', 'cmrunpkg -n m2 csync; cmviewcl -v -p csync');
    await start();
    const log = await must('m2', 'tail -n 40 /usr/local/cmcluster/run/log/csync.log');
    const line = log.split('\n').findLast((one) => /: failed \[/.test(one) && codesIn(one).includes(code)) ?? '';
    const [command = ''] = /cmmodpkg -e(?: -n m2)? csync/.exec(line.slice(line.indexOf('Fix: '))) ?? [];
    await repaired();
    await type('m1', command);
    await must('m1', 'cmrunpkg -n m2 csync');
    expect(await used.drills.view()).toMatchObject({ owner: 'm2', state: 'running' });
  };
  for (const row of startRows) everyStepIt(`a start that fails: ${row.code}`, () => failingStart(row));
});
