/**
 * The start of the daemons at boot, installed and called as a host would, in an empty environment: real cf-serverd and
 * cf-execd, and the stand-in of generation 2. Each host has namespaces and a root of its own; process 1 ends with its
 * standard input.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootLook, bootScript, initScript, parseBoot, startScript } from '../../../src/cluster/hosts/boot-start.ts';
import { hostScript } from '../../../src/cluster/remote/shell-text.ts';
import { childrenOf, type RunningProcess, runProcess, startProcess } from '../../../src/host/processes.ts';
import { enterHost, inNewNamespaces, bootScript as machineScript } from '../../../src/lab/machines/boot.ts';
import { bootTemplates, eventually, everyStep, have, isRoot, repository, settingsFor } from '../../support.ts';
import { cfservdConf } from './generation2-member.ts';

const boot = bootTemplates();

const programs = ['unshare', 'nsenter', 'ip', 'perl', 'ss', 'flock', 'setpriv', 'cf-serverd', 'update-rc.d'];
const whyNot = !isRoot
  ? 'namespaces need root'
  : have(...programs)
    ? null
    : `missing: ${programs.filter((one) => !have(one)).join(', ')}`;
if (whyNot !== null) console.warn(`tests of the boot start are skipped: ${whyNot}`);

const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', HOME: '/root' };

const promises = `body common control { bundlesequence => { "main" }; }
body server control { port => "5308"; allowconnects => { "127.0.0.1" }; allowallconnects => { "127.0.0.1" }; trustkeysfrom => { }; }
bundle server access_rules { access: "/csync/" admit_ips => { "127.0.0.1" }; }
bundle agent main { }
`;

const generations = [
  {
    generation: 3,
    settings: settingsFor(),
    daemon: 'cf-serverd',
    pidFile: '/run/cfengine3/cf-serverd.pid',
    all: ['cf-serverd', 'cf-execd'],
    setUp: `cf-key >/dev/null; mkdir -p -m 700 inputs; cat > inputs/promises.cf; chmod 600 inputs/promises.cf; ln -sfn /usr/bin bin`,
    policy: promises,
  },
  {
    generation: 2,
    settings: settingsFor({ cfengine_generation: 2 }),
    daemon: 'cfservd',
    pidFile: '/var/cfengine/cfservd.pid',
    all: ['cfservd'],
    setUp: 'mkdir bin inputs; cp /mnt/cfengine2/* bin/; bin/cfkey >/dev/null; cat > inputs/cfservd.conf',
    policy: cfservdConf(['/csync 127.0.0.1']),
  },
] as const;

/** Half a minute each; with cfengine 2 only the daemon's name and places differ. */
const tried = generations.filter(({ generation }) => everyStep || generation === 3);

describe.skipIf(whyNot !== null).each(tried)('the boot start of generation $generation', { timeout: 120_000 }, (one) => {
  const { settings, daemon, pidFile, all } = one;
  let directory = '';
  let outer: RunningProcess;
  let init = 0;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'csync-test-'));
    const script = machineScript({
      host: 'm1',
      directory,
      before: [
        `mount -t tmpfs -o mode=755 tmpfs ${directory}; cd ${directory}; mkdir upper work root cfengine; ip link set lo up`,
      ],
      binds: [{ from: join(repository, 'test/fixtures/cfengine2'), to: '/mnt/cfengine2', readOnly: true }],
      node: { from: process.execPath, to: [process.execPath] },
      cfengineWorkDirectory: settings.cfengineWorkDirectory,
      endsWithInput: true,
    });
    const said: string[] = [];
    outer = startProcess([...inNewNamespaces, 'sh', '-c', script], {
      env: environment,
      stdin: 'pipe',
      onLine: (line) => said.push(line),
    });
    await eventually(`the host (${said.join(' ')})`, () => said.includes('READY'), 30_000);
    init = childrenOf(outer.pid ?? 0)[0] ?? 0;
    await demand(`set -e; cd ${settings.cfengineWorkDirectory}; chmod 755 .; ${one.setUp}`, one.policy);
  }, 60_000);
  afterAll(async () => {
    outer?.child.stdin?.end();
    await outer?.ended;
    if (directory !== '') rmSync(directory, { recursive: true, force: true });
  });

  const sh = (script: string, input = '') =>
    runProcess(enterHost(init, ['/bin/sh', '-c', script]), { timeoutMs: 90_000, env: environment, input });
  const demand = async (script: string, input = ''): Promise<string> => {
    const { exitCode, stdout, stderr } = await sh(script, input);
    if (exitCode !== 0) throw new Error(`${script} ends with ${exitCode}: ${stdout}${stderr}`);
    return stdout;
  };
  /** A script as csync sends it. */
  const sent = (script: string, before = '') => sh(`${before}exec sh -s`, script);
  /** As init would: nothing in the environment, some directory, something open. */
  const service = async (word: string, who = '') => {
    const { exitCode, stdout, stderr } = await sh(
      `cd /tmp; exec 7</etc/passwd; exec bash --norc -c 'exec 77</etc/passwd; exec ${who} env -i ${initScript} ${word}'`,
    );
    return { exitCode, said: stdout + stderr };
  };
  /** Daemons of a name: in the minutes of its schedule cf-execd forks, and the child keeps the name while the agent runs. */
  const pids = async (name: string): Promise<string[]> => {
    const { stdout } = await sh('ps -e -o pid=,ppid=,comm=');
    const named = stdout
      .split('\n')
      .map((line) => line.trim().split(/ +/))
      .filter((words) => words[2] === name);
    const all = new Set(named.map(([pid]) => pid));
    return named.flatMap(([pid = '', parent]) => (all.has(parent) ? [] : [pid]));
  };
  const look = async () => parseBoot((await sent(hostScript(...bootLook(settings, boot).lines))).stdout, settings, boot);

  it('is installed with links of init, switched on last, and is the same the second time', async () => {
    expect(await look()).toMatchObject({ manager: 'init', configured: null, enabled: false, foreign: [] });
    await demand('mkdir -p /etc/rc.config.d; echo "MINE=1" > /etc/rc.config.d/cfservd');
    for (const _ of [1, 2]) {
      const installed = await sent(bootScript(settings, boot, 'install'));
      expect([installed.exitCode, installed.stderr]).toEqual([0, '']);
      expect(await look()).toEqual({ manager: 'init', configured: '1', stale: [], enabled: true, foreign: [] });
    }
    expect(await demand('cat /etc/rc.config.d/cfservd; ls /etc/systemd/system/csync* 2>&1 | tail -n 1')).toMatch(
      /^MINE=1\nCSYNC_CONFIGURED=1\n.*No such file/,
    );
    expect(await demand('find /etc /usr/local -name "*.csync-new"')).toBe('');
    await demand(`echo >> ${initScript}; chmod 644 /usr/local/sbin/csync-cfservd`);
    expect((await look())?.stale).toEqual(['/usr/local/sbin/csync-cfservd', initScript]);
    await sent(bootScript(settings, boot, 'install'));
    expect((await look())?.stale).toEqual([]);
  });

  it('starts nothing unless it is configured; a wrong word, and a user who is not root, are refused', async () => {
    await demand('sed -i s/CONFIGURED=1/CONFIGURED=0/ /etc/rc.config.d/cfservd');
    expect(await service('start')).toMatchObject({ exitCode: 6, said: expect.stringContaining('CSYNC_CONFIGURED is not 1') });
    expect(await service('restart')).toMatchObject({ exitCode: 6 });
    await demand('sed -i s/CONFIGURED=0/CONFIGURED=1/ /etc/rc.config.d/cfservd');
    expect(await service('sing')).toMatchObject({ exitCode: 2 });
    expect(await service('start', 'setpriv --reuid=65534 --regid=65534 --clear-groups')).toMatchObject({ exitCode: 4 });
    expect(await service('status')).toEqual({ exitCode: 3, said: `csync-cfservd: ${daemon} is not running\n` });
    expect(await pids(daemon)).toEqual([]);
  });

  it('starts once, with a clean environment, and leaves what runs alone', async () => {
    const first = await service('start');
    expect(first.exitCode, first.said).toBe(0);
    const before = await Promise.all(all.map(pids));
    expect(before.map((found) => found.length)).toEqual(all.map(() => 1));
    expect((await service('start')).said).toContain('is already running');
    expect((await sent(startScript())).exitCode).toBe(0);
    expect(await Promise.all(all.map(pids))).toEqual(before);
    expect((await service('status')).exitCode).toBe(0);
    expect((await service('status', 'setpriv --reuid=65534 --regid=65534 --clear-groups')).exitCode).toBe(0);
    for (const [pid = ''] of before) {
      expect(await demand(`readlink /proc/${pid}/cwd; tr '\\0' '\\n' < /proc/${pid}/environ | grep -v PWD= | sort`)).toBe(
        '/\nLC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n',
      );
      const limits = await demand(`cat /proc/${pid}/limits`);
      expect(limits).toMatch(/Max core file size +0 +0/);
      expect(limits).toMatch(/Max open files +4096 +4096/);
      expect(await demand(`ls -l /proc/${pid}/fd`), 'nothing of the caller').not.toMatch(/passwd|pipe|\.lock$/m);
    }
  });

  it('believes no pid file: a killed daemon does not run, and comes back at once', async () => {
    const [pid = ''] = await pids(daemon);
    await demand(`kill -KILL ${pid}`);
    await eventually('its end', async () => (await pids(daemon)).length === 0);
    expect((await sh(`cat ${pidFile}`)).stdout.trim(), 'the pid file is stale').toBe(pid);
    expect((await service('status')).exitCode).toBe(3);
    // Another process's pid in it by now.
    await demand(`echo 1 > ${pidFile}`);
    expect((await service('status')).exitCode).toBe(3);
    const started = await service('start');
    expect(started.exitCode, started.said).toBe(0);
    expect(await pids(daemon)).not.toContain(pid);
    expect(await pids(daemon)).toHaveLength(1);
  });

  it('stops and restarts, also what takes no TERM', async () => {
    const [pid = ''] = await pids(daemon);
    expect((await service('restart')).exitCode).toBe(0);
    const [fresh = ''] = await pids(daemon);
    expect(fresh).not.toBe(pid);
    await demand(`kill -STOP ${fresh}`);
    expect(await service('stop')).toMatchObject({ exitCode: 0 });
    for (const name of all) expect(await pids(name), name).toEqual([]);
    expect((await service('stop')).exitCode).toBe(0);
    expect((await service('status')).exitCode).toBe(3);
  });

  it('takes no other process for the daemon: a container on this host, a program on its port', async () => {
    await demand(`cp /bin/sleep /tmp/${daemon}`);
    const container = startProcess(
      enterHost(init, ['unshare', '--pid', '--net', '--fork', '--kill-child', `/tmp/${daemon}`, '600']),
      {
        env: environment,
      },
    );
    await eventually('the container', async () => (await pids(daemon)).length === 1);
    expect((await service('status')).exitCode).toBe(3);
    const intruder = startProcess(
      enterHost(init, [
        'perl',
        '-MIO::Socket::INET',
        '-e',
        'my $s = IO::Socket::INET->new(LocalPort => 5308, Listen => 1); sleep 600',
      ]),
      { env: environment },
    );
    await eventually('the intruder', async () => (await sh('ss -Hltn sport = :5308')).stdout !== '');
    expect(await service('start')).toMatchObject({ exitCode: 1, said: expect.stringContaining('another program listens') });
    intruder.kill('SIGKILL');
    await eventually('the port', async () => (await sh('ss -Hltn sport = :5308')).stdout === '');
    expect((await service('start')).exitCode).toBe(0);
    expect((await service('stop')).exitCode).toBe(0);
    expect(await pids(daemon), 'the container goes on').toHaveLength(1);
    container.kill('SIGKILL');
    await eventually('the end of the container', async () => (await pids(daemon)).length === 0);
  });

  it('says so when it does not come up, and two starts at once make one daemon', async () => {
    await demand(`chmod 755 ${settings.cfengineWorkDirectory}/ppkeys`);
    const failed = await service('start');
    expect(failed.exitCode, failed.said).toBe(1);
    expect(failed.said).toContain('did not start within 10 s');
    await demand(`chmod 700 ${settings.cfengineWorkDirectory}/ppkeys`);
    const both = await Promise.all([service('start'), service('start')]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    // Daemons fork and lose their parent while they start; a second one would stay.
    for (const name of all) await eventually(`one ${name}`, async () => (await pids(name)).length === 1);
  });

  it('is taken away again, and leaves what runs', async () => {
    for (const _ of [1, 2]) {
      const removed = await sent(bootScript(settings, boot, 'remove'));
      expect([removed.exitCode, removed.stderr]).toEqual([0, '']);
      expect(await look()).toMatchObject({ configured: '0', enabled: false, stale: expect.arrayContaining([initScript]) });
    }
    expect(await demand('cat /etc/rc.config.d/cfservd; find /etc/rc?.d -name "*cfservd"')).toBe('MINE=1\nCSYNC_CONFIGURED=0\n');
    for (const name of all) expect(await pids(name), name).toHaveLength(1);
  });

  it.skipIf(!have('systemctl'))(
    'has a unit with systemd, and keeps the units of the distribution from starting a second daemon',
    async () => {
      // systemctl works on the files alone: there is no systemd in these namespaces.
      const offline = 'mkdir -p /run/systemd/system; export SYSTEMD_OFFLINE=1; ';
      const state = async () =>
        parseBoot((await sent(hostScript(...bootLook(settings, boot).lines), offline)).stdout, settings, boot);
      const units = one.generation === 3 ? ['cf-serverd.service', 'cf-execd.service'] : [];
      const isEnabled = (unit: string) => sh(`${offline}systemctl is-enabled ${unit}`).then(({ stdout }) => stdout.trim());
      await demand(`${offline}systemctl enable ${units.join(' ') || 'systemd-sysctl'}`);
      expect((await state())?.foreign).toEqual(units);
      for (const _ of [1, 2]) {
        const installed = await sent(bootScript(settings, boot, 'install'), offline);
        expect(installed.exitCode, installed.stderr).toBe(0);
        expect(await state()).toEqual({ manager: 'systemd', configured: '1', stale: [], enabled: true, foreign: [] });
      }
      for (const unit of units) expect(await isEnabled(unit), unit).toBe('masked');
      expect((await sh(`ls ${initScript}`)).exitCode, 'no init script beside the unit').not.toBe(0);
      for (const _ of [1, 2]) {
        const removed = await sent(bootScript(settings, boot, 'remove'), offline);
        expect(removed.exitCode, removed.stderr).toBe(0);
      }
      for (const unit of units) expect(await isEnabled(unit), unit).toBe('enabled');
      expect(await state()).toMatchObject({ configured: '0', enabled: false, foreign: units });
    },
  );
});
