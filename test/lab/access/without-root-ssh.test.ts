/**
 * A cluster whose sshd lets root in nowhere: set up by README's order through sudo, by an ordinary user; then read by an account that can
 * only read, and by Serviceguard's cmexec. Real sshd, real sudo.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { printSettings } from '../../../src/settings/settings-yaml.ts';
import { everyStep } from '../../every-step.ts';
import { eventually, have, labSettings, repository } from '../../support.ts';
import { reported, story, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const shipped = (name: string) => readFileSync(join(repository, 'package-templates/sudo', name), 'utf8');
const whyNot = whyNoLab ?? (have('sudo', 'visudo') ? null : 'sudo is missing');
if (whyNoLab === null && whyNot !== null) console.warn(`skipped: ${whyNot}`);

describe.skipIf(whyNot !== null)('a cluster without root ssh', { timeout: 300_000 }, () => {
  const used = useLab('no-root', {
    deployed: false,
    bare: true,
    clients: 1,
    watched: false,
    without: { sudo: 'it sets up the same account itself' },
  });
  const { sh, must } = typedIn(used);
  const { chapter, longChapter } = story(150_000);
  const members = ['m1', 'm2', 'm3'];
  const hosts = [...members, 'c1'];
  const rule = '/etc/sudoers.d/csync';
  const helper = '/usr/local/sbin/csync-root';
  const as = (user: string, words: string, host = 'm1') =>
    sh(
      host,
      `cd ~${user} && exec setpriv --reuid ${user} --regid ${user} --init-groups env HOME=$(echo ~${user}) ${user === 'csync' ? '' : 'CSYNC_VIA=reader'} csync ${words}`,
    );
  const json = async <Result = object>(user: string, words: string) => reported<Result>(await as(user, `${words} --json`), words);
  const done = async <Result = object>(user: string, words: string) => {
    const result = await json<Result>(user, words);
    expect(result.exitCode, `${user}: ${words}: ${JSON.stringify(result.problems)}${result.stderr}`).toBe(0);
    return result;
  };
  type Seen = { members: { member: string; seen: object | null; noAnswer: { why: string; remedy: string } | null }[] };
  const settings = printSettings({ ...labSettings(), sshUser: 'csync', become: 'sudo' });
  const file = (path: string, text: string, mode: string) =>
    `cat > ${path} <<'END-OF-TEXT'\n${text}\nEND-OF-TEXT\nchmod ${mode} ${path}`;
  const account = (
    user: string,
  ) => `useradd -m -s /bin/bash -p '*' ${user} && cp -r /root/.ssh ~${user}/ && chown -R ${user}: ~${user}/.ssh
sed -i "s|/root/|$(echo ~${user})/|" ~${user}/.ssh/config`;

  chapter('each host lets two ordinary users in, and root nowhere', async () => {
    const sshd =
      'p=$(cat /run/sshd.pid); kill $p; while kill -0 $p 2>/dev/null; do :; done; /usr/sbin/sshd -f /etc/ssh/lab_sshd_config';
    for (const host of hosts) {
      await must(
        host,
        `${account('csync')}; ${account('csync-reader')}; rm /root/.ssh/authorized_keys; echo '. /etc/notice' > ~csync/.bashrc`,
      );
      await must(host, `echo 'echo "*** Authorised use only ***"; printf "no line end"' > /etc/notice`);
      await must(host, `sed -i 's/^PermitRootLogin .*/PermitRootLogin no/' /etc/ssh/lab_sshd_config; ${sshd}`);
    }
    await must('m1', 'cmruncl -w none');
    for (const place of ['~csync', '~csync-reader', '/root']) await must('m1', file(`${place}/csync.yaml`, settings, '644'));
    await must('m1', 'chown csync ~csync/csync.yaml; chown csync-reader ~csync-reader/csync.yaml');
    expect((await sh('m1', 'ssh -o BatchMode=yes m2 true')).exitCode).toBe(255);
  });

  chapter('what is missing for sudo is named, one reason after the other, and nothing is changed', async () => {
    const why = async () => (await json<Seen>('csync', 'status')).members.find(({ member }) => member === 'm2')?.noAnswer;
    const install = (text: string) =>
      `${file('/tmp/rule', text, '440')}; visudo -c -q -f /tmp/rule && install -m 440 /tmp/rule ${rule}`;
    const cases: readonly (readonly [what: string, script: string, why: RegExp])[] = [
      ['no sudo', 'mv /usr/bin/sudo /usr/bin/sudo.away', /sudo is not installed/],
      ['no setuid', 'mv /usr/bin/sudo.away /usr/bin/sudo; chmod 755 /usr/bin/sudo', /cannot become root there: .*setuid/],
      ['no rule', 'chmod 4755 /usr/bin/sudo', /asks for a password/],
      [
        'no helper',
        `${install(shipped('sudoers'))}; echo 'Defaults requiretty, use_pty, lecture = always' > /etc/sudoers.d/site; chmod 440 /etc/sudoers.d/site`,
        /is not installed there/,
      ],
      [
        'a rule for something else',
        `rm /etc/sudoers.d/site; ${file(helper, shipped('csync-root'), '755')}; ${install('Defaults:csync !authenticate\ncsync ALL = (root) /usr/bin/id')}`,
        /no rule of sudo there allows/,
      ],
      ['a terminal', install('Defaults requiretty\ncsync ALL = (root) NOPASSWD: ALL'), /requires a terminal/],
    ];
    for (const [what, script, reason] of cases) {
      await must('m2', script);
      if (everyStep || ['no rule', 'a terminal'].includes(what)) expect((await why())?.why, what).toMatch(reason);
    }
    const refused = await json('csync', 'members sync --yes');
    expect([refused.exitCode !== 0, (await sh('m3', 'ls /var/lib/cfengine3/ppkeys')).stdout]).toEqual([true, '']);
  });

  chapter('the drop-in is valid, and with it csync is root on each host', async () => {
    for (const host of hosts) {
      await must(host, `${file('/tmp/rule', shipped('sudoers'), '440')}; install -m 440 /tmp/rule ${rule}; visudo -c`);
      await must(host, file(helper, shipped('csync-root'), '755'));
      // What sites set beside.
      await must(
        host,
        `echo 'Defaults requiretty, use_pty, lecture = always' > /etc/sudoers.d/site; chmod 440 /etc/sudoers.d/site`,
      );
    }
    expect((await json('csync', 'check')).problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  longChapter('the README is followed to a package that serves', async () => {
    await done('csync', 'members sync --yes');
    await done('csync', 'apply --yes --run');
    await eventually('the package to run', async () => (await used.drills.view()).state === 'running', 60_000);
    const unchanged = async () => /"outcome": "unchanged"/.test((await as('csync', 'members sync --dry-run --json')).stdout);
    await eventually('everything to be finished', unchanged, 90_000);
    await done('csync', 'client add c1 --yes');
    expect(await done('csync', 'keys verify')).toMatchObject({ refused: [], unseen: [], open: [] });
    expect((await sh('c1', 'stat -c "%U %a" /var/lib/cfengine3/ppkeys/localhost.priv')).stdout).toBe('root 600\n');
  });

  longChapter('the policy is edited, a node is halted in a drill, and the user of csync is the same as root', async () => {
    await must(
      'm1',
      'cd ~csync && setpriv --reuid csync --regid csync --init-groups env HOME=/home/csync csync policy show --copy policy && echo "# an edit" >> policy/site.cf',
    );
    await done('csync', 'policy commit policy');
    await done('csync', 'rehearse --drill haltnode --yes');
    expect((await as('csync', 'status')).stdout).toMatch(/serves from/);
    for (const words of ['status --json', 'diff', 'members list --json'])
      expect((await sh('m1', `cd /root && csync ${words}`)).exitCode, words).toBe(0);
    const left = async () => (await sh('m2', 'pgrep -a -f "[s]udo -n"')).stdout;
    await eventually('all scripts to end', async () => (await left()) === '', 20_000);
  });

  longChapter('an account that can only read gets the status, and no script of its own', async () => {
    const reader = await must('m1', 'cd /root && csync reader');
    const stale = await json<Seen>('csync-reader', 'status');
    expect(stale.members.map(({ noAnswer }) => noAnswer?.why)).toEqual(
      members.map(() => expect.stringMatching(/csync.* is not installed there/)),
    );
    for (const member of members)
      await must(
        member,
        `${file('/tmp/reader', reader, '755')}; sh -n /tmp/reader && install -m 755 /tmp/reader /usr/local/sbin/csync-reader`,
      );
    const [own, root] = await Promise.all([done<Seen>('csync-reader', 'status'), done<Seen>('csync', 'status')]);
    expect(own.members.map(({ seen }) => seen && Object.keys(seen))).toEqual(
      root.members.map(({ seen }) => seen && Object.keys(seen)),
    );
    await done('csync-reader', 'members list');
    expect((await json('csync-reader', 'diff')).exitCode).toBe(0);
    expect((await json('csync-reader', 'check')).exitCode).toBe(0);
    const refused = await json('csync-reader', 'apply --yes');
    expect([refused.exitCode, refused.codes]).toEqual([2, ['usage']]);
    const tried = await sh(
      'm1',
      "setpriv --reuid csync-reader --regid csync-reader --init-groups ssh m2 'sudo -n /usr/local/sbin/csync-root' <<'END'\n2\nid\nEND",
    );
    expect([tried.exitCode === 0, tried.stdout]).toEqual([false, '']);
  });

  longChapter('cmexec reads without ssh, and changes nothing', async () => {
    const root = async (words: string) =>
      reported<Seen>(await sh('m1', `cd /root && CSYNC_VIA=cmexec csync ${words} --json`), words);
    await must('m1', 'mv /usr/bin/ssh /usr/bin/ssh.away');
    const seen = await root('status');
    const refused = await root('apply --yes');
    await must('m1', 'mv /usr/bin/ssh.away /usr/bin/ssh');
    expect(seen.members.map(({ seen: one }) => one === null)).toEqual([false, false, false]);
    expect([refused.exitCode, refused.codes]).toEqual([2, ['usage']]);
  });
});
