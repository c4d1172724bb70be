/** csync policy commit --stage with the real cf-serverd, cf-agent and cf-runagent: who gets which policy, and when. */
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

interface Committed {
  readonly outcome: string;
  readonly record: { readonly commit: number; readonly digest: string; readonly stage?: string[] } | null;
  readonly stage?: { readonly hosts: string[]; readonly commands: string[] };
}
interface Shown {
  readonly digest: string;
  readonly staged: { readonly record: { readonly commit: number }; readonly hosts: { readonly name: string }[] } | null;
  readonly leaving: { readonly hosts: string[] } | null;
}
interface Logged {
  readonly commits: { readonly commit: number }[];
  readonly takenBack: { readonly record: { readonly commit: number }; readonly why: string }[];
}

const inputs = '/var/lib/cfengine3/inputs';
const gate = '/root/gate';
const update = `/usr/bin/cf-agent -KI -f ${inputs}/update.cf`;

describe.skipIf(whyNoLab !== null)('a staged rollout', { timeout: 300_000 }, () => {
  const used = useLab('staged', { deployed: true, watched: false, clients: 3 });
  const { sh, must, csync, json, done } = typedIn(used);
  beforeAll(async () => {
    await done('members sync --yes');
    await done('client add c1 c2 c3 --yes');
  });

  const shown = () => done<Shown>('policy show');
  /** A new working copy, whose site.cf ends with these lines. */
  const edit = (name: string, ...lines: readonly string[]): Promise<string> =>
    must(
      'm1',
      `cd /root && rm -rf ${name} && csync policy show --copy ${name} >/dev/null && cat >> ${name}/site.cf <<'END'\n# ${name}\n${lines.join('\n')}\nEND`,
    );
  const has = async (client: string, name: string): Promise<boolean> =>
    (await sh(client, `grep -qx '# ${name}' ${inputs}/site.cf`)).exitCode === 0;
  const served = async (name: string): Promise<boolean> =>
    (await sh(await used.drills.waitServed(), `grep -qx '# ${name}' /csync/dsau/masterfiles/site.cf`)).exitCode === 0;
  /** A bundle whose command waits on that host until the gate opens. */
  const waits = (bundle: string, client: string): string =>
    `bundle agent ${bundle}\n{\n  commands:\n    ${client}::\n    "/bin/sh -c 'touch ${gate}.at; while [ ! -e ${gate} ]; do sleep 0.1; done'";\n}\n`;
  /** Makes site call a bundle that its file ends with. */
  const calling = (name: string, bundle: string): string =>
    `cd /root && awk '{ print } /^bundle agent site$/ { getline; print "{\\n  methods:\\n    \\"${bundle}\\";" }' ${name}/site.cf > x && mv x ${name}/site.cf`;
  /** With the gate closed on `client`; runs csync in the background on m1, which writes its result to a file. */
  const gated = async (name: string, client: string, words: string): Promise<void> => {
    await must(client, `rm -f ${gate} ${gate}.at`);
    onTestFinished(async () => void (await sh(client, `touch ${gate}`)));
    await edit(name, waits(`gate_${name}`, client));
    await must('m1', calling(name, `gate_${name}`));
    await must(
      'm1',
      `cd /root && rm -f ${name}.out && { setsid sh -c 'csync ${words} --json > ${name}.out 2> ${name}.err; echo $? > ${name}.rc' < /dev/null > /dev/null 2>&1 & echo $! > ${name}.pid; }`,
    );
    await eventually('the agent at the gate', async () => (await sh(client, `ls ${gate}.at`)).exitCode === 0, 60_000);
  };
  const ended = async (name: string) => {
    await eventually('csync to end', async () => (await sh('m1', `cat /root/${name}.rc`)).exitCode === 0, 120_000);
    const [rc, out] = [await must('m1', `cat /root/${name}.rc`), await must('m1', `cat /root/${name}.out`)];
    return { exitCode: Number(rc), ...(JSON.parse(out) as Committed & { problems?: { code: string; text: string }[] }) };
  };

  it('success: its hosts have it, no other host can fetch a byte of it, then all get it', async () => {
    await serving(used);
    await gated('first', 'c1', 'policy commit first --stage c1 -m first');
    expect([await has('c1', 'first'), await served('first')]).toEqual([true, false]);
    // Its own scheduled run keeps it; that of another host finds nothing.
    expect(await must('c1', update)).toContain('csync stage ');
    expect(await must('c2', update)).not.toContain('csync stage');
    expect([await has('c1', 'first'), await has('c2', 'first')]).toEqual([true, false]);
    const { staged } = await shown();
    expect(staged).toMatchObject({ record: { commit: 1 }, hosts: [{ name: 'c1', key: expect.stringMatching(/^MD5=/) }] });
    const key = (await must('m1', 'ls /csync/.csync-stage')).split('\n').find((name) => name.startsWith('MD5=')) ?? '';
    const asked = `body copy_from of { servers => { "csync.lab" }; source => "/csync/.csync-stage/${key}/masterfiles/site.cf"; trustkey => "false"; }\nbundle agent main { files: "/root/stolen" copy_from => of; }`;
    await must(
      'c2',
      `printf '%s\\n' '${asked}' > /root/steal.cf && chmod 600 /root/steal.cf && cf-agent -KI -f /root/steal.cf; test ! -e /root/stolen`,
    );
    const status = await json<{ advice: { text: string; remedy: string }[] }>('status');
    expect(status.advice).toEqual([
      expect.objectContaining({
        text: expect.stringContaining('staged for c1'),
        remedy: expect.stringContaining('csync policy take-back'),
      }),
    ]);
    await edit('other');
    expect((await json('policy commit other')).codes).toEqual(['change-policy-staged']);
    await must('c1', `touch ${gate}`);
    expect(await ended('first')).toMatchObject({ exitCode: 0, outcome: 'acknowledged', record: { commit: 1, stage: ['c1'] } });
    await must('m1', 'test ! -e /csync/.csync-stage');
    await done('sync c2');
    expect([await has('c1', 'first'), await has('c2', 'first'), (await json<{ advice: object[] }>('status')).advice]).toEqual([
      true,
      true,
      [],
    ]);
  });

  it('a failing host: taken back, its hosts have the served policy again, and the number is not used again', async () => {
    await serving(used);
    const before = await shown();
    await edit('fails', 'bundle agent site_fails\n{\n  commands:\n    c1::\n    "/bin/false";\n}');
    await must('m1', calling('fails', 'site_fails'));
    const failed = await json('policy commit fails --stage c1,c2');
    expect([failed.exitCode, failed.codes, failed.problems[0]?.text]).toEqual([
      5,
      ['change-policy-taken-back'],
      expect.stringContaining('c1: '),
    ]);
    expect(failed.problems[0]?.text).not.toContain('c2');
    expect([await has('c1', 'fails'), await has('c2', 'fails')]).toEqual([false, false]);
    const after = await shown();
    expect([after.digest, after.staged, after.leaving]).toEqual([before.digest, null, null]);
    const { takenBack } = await done<Logged>('policy log');
    const last = takenBack.at(-1);
    expect(last?.why).toContain('c1: ');
    await edit('next');
    expect((await done<Committed>('policy commit next')).record?.commit).toBe((last?.record.commit ?? 0) + 1);
  });

  it('an unreachable host: taken back after three runs; status lists it until take-back finds it with the served policy', async () => {
    await serving(used);
    await must('c2', 'pkill -x cf-serverd; while pgrep -x cf-serverd > /dev/null; do :; done');
    onTestFinished(async () => void (await sh('c2', 'pgrep -x cf-serverd || /usr/local/sbin/csync-cfservd start')));
    await edit('unreachable');
    const failed = await json('policy commit unreachable --stage c1,c2');
    expect([failed.exitCode, failed.codes]).toEqual([5, ['change-policy-taken-back']]);
    expect(failed.problems[0]?.text).toMatch(/c2: no daemon listens[^.]*\. These may have it until their next agent run: c2$/);
    expect([await has('c1', 'unreachable'), (await shown()).leaving?.hosts]).toEqual([false, ['c2']]);
    const advice = async () => (await json<{ advice: { text: string }[] }>('status')).advice.map(({ text }) => text);
    expect(await advice()).toEqual([expect.stringMatching(/^commit \d+ was taken back, and c2 may still have it/)]);
    await must('c2', '/usr/local/sbin/csync-cfservd start');
    expect(await done('policy take-back')).toMatchObject({ outcome: 'taken back', hosts: ['c2'] });
    expect([await advice(), (await done<{ outcome: string }>('policy take-back')).outcome]).toEqual([[], 'unchanged']);
  });

  /** A run that ends by that signal while its agent is at the gate. */
  const cut = async (name: string, signal: 'INT' | 'KILL'): Promise<void> => {
    await gated(name, 'c1', `policy commit ${name} --stage c1`);
    await must('m1', `kill -${signal} $(pgrep -f '[c]sync.mjs policy commit ${name}')`);
    if (signal === 'INT') expect(await ended(name)).toMatchObject({ exitCode: 130, problems: [{ code: 'interrupted-stage' }] });
    await must('c1', `touch ${gate}`);
    expect([(await shown()).staged?.hosts.map((host) => host.name), await served(name)]).toEqual([['c1'], false]);
  };

  it('interrupted by SIGINT, then the same command again', async () => {
    await serving(used);
    await cut('stopped', 'INT');
    const again = await done<Committed>('policy commit stopped --stage c1');
    expect([again.outcome, await served('stopped'), (await shown()).staged]).toEqual(['acknowledged', true, null]);
  });

  it('take-back ends what another administrator began: then the refused commit passes', async () => {
    await serving(used);
    await edit('mine');
    await cut('killed', 'KILL');
    expect((await json('policy commit mine')).codes).toEqual(['change-policy-staged']);
    const dry = await done<{ outcome: string; steps: string[] }>('policy take-back --dry-run');
    expect([dry.outcome, dry.steps]).toEqual([
      'would be taken back',
      [expect.stringContaining('remove /csync/.csync-stage'), expect.stringContaining('cf-runagent -H')],
    ]);
    expect(await done('policy take-back')).toMatchObject({ outcome: 'taken back', hosts: ['c1'] });
    expect([await has('c1', 'killed'), await served('killed')]).toEqual([false, false]);
    expect((await done<Committed>('policy commit mine')).outcome).toBe('acknowledged');
  });

  it('without the rules in the policy it is refused, and members sync writes them', async () => {
    await serving(used);
    await edit('rules');
    await must('m1', "cd /csync/dsau/masterfiles && sed -i 's/[.]csync-stage/.other/' update.cf controls/cf_serverd.cf");
    expect((await json('policy commit rules --stage c1')).codes).toEqual(['policy-stage-rules m1']);
    await done('members sync --yes');
    expect((await done<Committed>('policy commit rules --stage c1')).outcome).toBe('acknowledged');
  });

  it('a failover in the middle: the same run goes on from the next member', async () => {
    await serving(used);
    await gated('moved', 'c1', 'policy commit moved --stage c1');
    await must('m1', 'pkill -KILL -x cf-serverd');
    await eventually('another member to serve', async () => !['m1', null].includes((await used.drills.view()).owner), 20_000);
    await used.drills.waitServed();
    await must('c1', `touch ${gate}`);
    expect(await ended('moved')).toMatchObject({ exitCode: 0, outcome: 'acknowledged', record: { stage: ['c1'] } });
    expect([await served('moved'), (await shown()).staged]).toEqual([true, null]);
  });

  it('the policy of the master changes in the middle: it is staged again on it', async () => {
    await serving(used);
    await gated('rebased', 'c1', 'policy commit rebased --stage c1');
    await done('client remove c3 --yes');
    onTestFinished(async () => void (await done('client add c3 --yes')));
    await must('c1', `touch ${gate}`);
    expect(await ended('rebased')).toMatchObject({ exitCode: 0, outcome: 'acknowledged' });
    expect([await served('rebased'), (await shown()).staged]).toEqual([true, null]);
  });

  it('chooses hosts by a share and by a class, and a dry run changes nothing', async () => {
    await serving(used);
    await edit('class', 'bundle common site_classes\n{\n  classes:\n    "web" expression => "c2";\n}');
    await done('policy commit class');
    await done('sync');
    await edit('share');
    const dry = await done<Committed>('policy commit share --stage 34% --dry-run');
    expect([dry.outcome, dry.stage?.hosts.length, dry.stage?.commands]).toEqual([
      'would be committed',
      2,
      [expect.stringContaining('cf-runagent -H'), expect.any(String)],
    ]);
    expect((await shown()).staged).toBeNull();
    const all = await done<Committed>('policy commit share --stage class:web');
    expect(all.record?.stage).toEqual(['c2']);
    await edit('unchosen');
    expect((await json('policy commit unchosen --stage m1,c9')).codes).toEqual(['policy-stage-hosts', 'policy-stage-hosts']);
    expect((await json('policy commit unchosen --stage class:none')).codes).toEqual(['policy-stage-hosts']);
    expect((await csync('policy commit unchosen --stage 0%')).exitCode).toBe(2);
  });
});
