/** The control script, services and commands of the lab, really run, with a package the toolkit did not write. */
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

const trace = '/tmp/trace';

/** A package whose external scripts write down when they were called; lines of the second argument are added to its file. */
function probePackage(name: string, more: readonly string[]): string {
  const modules = ['failover', 'package_ip', 'volume_group', 'filesystem', 'external', 'external_pre', 'service', 'pev'];
  return [
    `package_name ${name}`,
    ...modules.flatMap((module) => [`module_name sg/${module}`, 'module_version 1']),
    'package_type failover',
    'node_name m2',
    'node_name m3',
    'auto_run yes',
    ...more,
  ].join('\n');
}

const script = [
  '#!/bin/bash',
  '. "$SG_UTILS"',
  'sg_source_pkg_env',
  `word=$1; echo "$(basename $0 .sh) $word$([ "$word" = stop ] && echo " $SG_HALT_REASON") $(grep -c " /mnt/probe " /proc/mounts) $(ip -4 addr show | grep -c 10.9.0.120)" >> ${trace}`,
  'case $word in',
  '  validate) [ -z "$PEV_PROBE_INVALID" ] || { echo "the probe is invalid on $(hostname)" >&2; exit 1; } ;;',
  '  start) [ -z "$PEV_PROBE_HANG" ] || { sleep 987 & sleep 987; } ;;',
  'esac',
  'exit 0',
].join('\n');

describe.skipIf(whyNoLab !== null)('the control script and the commands', () => {
  const used = useLab('commands', {
    deployed: true,
    watched: false,
    without: { names: 'the output of hostname is compared' },
  });
  const { sh: on, must } = typedIn(used);
  const cm = (text: string) => on('m1', text);

  beforeAll(async () => {
    for (const member of ['m1', 'm2', 'm3'])
      await on(
        member,
        `mkdir -p $SGCONF/probe; cat > $SGCONF/probe/first.sh <<'END'\n${script}\nEND\nchmod 755 $SGCONF/probe/first.sh; cp $SGCONF/probe/first.sh $SGCONF/probe/second.sh; cp $SGCONF/probe/first.sh $SGCONF/probe/pre.sh`,
      );
  });

  async function apply(name: string, more: readonly string[]): Promise<void> {
    await cm(`cat > /tmp/${name}.conf <<'END'\n${probePackage(name, more)}\nEND`);
    const applied = await cm(`cmapplyconf -f -P /tmp/${name}.conf`);
    expect(applied.exitCode, applied.stdout + applied.stderr).toBe(0);
    for (const member of ['m2', 'm3']) await on(member, `rm -f ${trace}`);
  }

  async function remove(name: string): Promise<void> {
    await cm(`cmhaltpkg ${name}`);
    const removed = await cm(`cmdeleteconf -f -p ${name}`);
    expect(removed.exitCode, removed.stderr).toBe(0);
  }

  const view = async (name: string) => (await cm(`cmviewcl -v -f line -p ${name}`)).stdout;
  const becomes = (name: string, ...lines: readonly string[]) =>
    expect
      .poll(
        async () => {
          const now = (await view(name)).split('\n');
          return lines.filter((line) => !now.includes(line));
        },
        { timeout: 20_000 },
      )
      .toEqual([]);
  /** Waits for the service's line of cmviewcl -v: up or down, restarts so far. */
  const serviceIs = (status: string, restarts: number) =>
    expect
      .poll(async () => / Service +(\w+) +\S+ +(\d+) /.exec((await cm('cmviewcl -v -p probe')).stdout)?.slice(1), {
        timeout: 20_000,
      })
      .toEqual([status, String(restarts)]);
  const service = ['service_name probe_service', 'service_cmd "/bin/sleep 986"', 'service_halt_timeout 2'];
  /** Up is a service whose start began; its program may come a moment later. */
  const kill = (member: string) =>
    eventually('the service to be killed', async () => (await on(member, 'pkill -KILL -x -f "/bin/sleep 986"')).exitCode === 0);

  it('starts in the order of the modules and halts in the opposite one, with the reason', async () => {
    await apply('probe', [
      ...service,
      'external_pre_script $SGCONF/probe/pre.sh',
      'external_script $SGCONF/probe/first.sh',
      'external_script $SGCONF/probe/second.sh',
      'ip_subnet 10.9.0.0',
      'ip_address 10.9.0.120',
    ]);
    expect((await cm('cmrunpkg -n m3 probe')).exitCode).toBe(0);
    expect((await cm('cmhaltpkg probe')).exitCode).toBe(0);
    expect((await on('m3', `cat ${trace}`)).stdout.trim().split('\n')).toEqual([
      'pre start 0 0',
      'first start 0 1',
      'second start 0 1',
      'second stop user_halt 0 1',
      'first stop user_halt 0 1',
      'pre stop user_halt 0 0',
    ]);
    expect((await on('m2', `cat ${trace}`)).exitCode, 'nothing ran anywhere else').not.toBe(0);
    await remove('probe');
  });

  it('cmcheckconf calls validate of every script on every member of the package', async () => {
    await cm(
      `cat > /tmp/invalid.conf <<'END'\n${probePackage('invalid', ['pev_probe_invalid yes', 'external_script $SGCONF/probe/first.sh'])}\nEND`,
    );
    const checked = await cm('cmcheckconf -P /tmp/invalid.conf');
    expect(checked.exitCode).toBe(1);
    const said = checked.stdout + checked.stderr;
    for (const member of ['m2', 'm3']) expect(said.includes(`the probe is invalid on ${member}`), member).toBe(true);
    expect((await cm('cmapplyconf -f -P /tmp/invalid.conf')).exitCode).toBe(1);
    expect((await cm('cmviewcl -p invalid')).exitCode).not.toBe(0);
  });

  it('a start that outlives its time-out is killed with all it started, and switching is disabled', async () => {
    await apply('probe', ['run_script_timeout 3', 'pev_probe_hang yes', 'external_script $SGCONF/probe/first.sh']);
    const run = await used.lab.exec('m1', ['cmrunpkg', '-n', 'm2', 'probe'], { timeoutMs: 30_000 });
    expect(run.exitCode).toBe(1);
    await becomes('probe', 'status=down', 'autorun=disabled');
    expect((await on('m2', 'pgrep -x sleep -a | grep 987')).stdout, 'what the script had started').toBe('');
    expect((await on('m3', `cat ${trace}`)).exitCode, 'it is not tried elsewhere').not.toBe(0);
    await remove('probe');
  });

  it('a service is restarted in place as often as configured, counted, and only then the package moves', async () => {
    await apply('probe', [...service, 'service_restart 1', 'external_script $SGCONF/probe/first.sh']);
    await cm('cmmodpkg -e probe');
    await becomes('probe', 'status=up', 'state=running', 'owner=m2');
    await kill('m2');
    await serviceIs('up', 1);
    await becomes('probe', 'owner=m2');
    expect((await cm('cmmodpkg -R -s probe_service probe')).exitCode).toBe(0);
    await serviceIs('up', 0);
    await kill('m2');
    await serviceIs('up', 1);
    await becomes('probe', 'owner=m2');
    await kill('m2');
    await becomes('probe', 'owner=m3', 'status=up', 'state=running', 'node:m2|switching=disabled');
    await must('m2', `grep -q '^first stop failure ' ${trace}`);
    await remove('probe');
    expect((await on('m3', 'pgrep -x -f "/bin/sleep 986"')).stdout, 'the service ends with its package').toBe('');
  });

  it('a service that ignores SIGTERM is killed after its halt time-out, and its package halts only then', async () => {
    await apply('probe', [
      'service_name probe_service',
      `service_cmd "/usr/bin/perl -e '$SIG{TERM}=q(IGNORE); mkdir q(/tmp/ignores); sleep 1 while 1'"`,
      'service_halt_timeout 2',
      'external_script $SGCONF/probe/first.sh',
    ]);
    await cm('cmrunpkg -n m2 probe');
    await eventually('the service to ignore SIGTERM', async () => (await on('m2', 'ls /tmp/ignores')).exitCode === 0);
    const before = performance.now();
    expect((await cm('cmhaltpkg probe')).exitCode).toBe(0);
    expect(performance.now() - before).toBeGreaterThan(2000);
    expect((await on('m2', 'pgrep -f "[q].IGNORE"')).stdout).toBe('');
    await remove('probe');
  });

  it('in maintenance a dead service moves nothing, and the way out needs it healthy', async () => {
    await apply('probe', [...service, 'external_script $SGCONF/probe/first.sh']);
    await cm('cmmodpkg -e probe');
    await becomes('probe', 'owner=m2', 'state=running');
    expect((await cm('cmmodpkg -m on probe')).exitCode, 'switching has to be off first').toBe(1);
    await cm('cmmodpkg -d probe');
    expect((await cm('cmmodpkg -m on probe')).exitCode).toBe(0);
    await kill('m2');
    await serviceIs('down', 0);
    await becomes('probe', 'owner=m2', 'state=maintenance');
    const refused = await cm('cmmodpkg -m off probe');
    expect(refused.exitCode, refused.stdout).toBe(1);
    expect((await cm('cmhaltpkg probe')).exitCode).toBe(0);
    expect((await cm('cmmodpkg -m off probe')).exitCode).toBe(0);
    await remove('probe');
  });

  it('reports the parameters of a package and takes services and addresses from its scripts', async () => {
    await serving(used);
    const owner = 'm1';
    const environment = (await cm('cmgetpkgenv csync')).stdout;
    expect(environment).toMatch(/SG_SERVICE_NAME\[0\]=csync_monitor$/m);
    expect(environment).toMatch(/PEV_CSYNC_SETTINGS_DIGEST=[0-9a-f]{64}$/m);
    const added = async () => (await must(owner, 'ip -o -4 addr show dev eth0')).includes(' 10.9.0.130/');
    await must(owner, 'cmmodnet -a -i 10.9.0.130 10.9.0.0');
    expect(await added()).toBe(true);
    await must(owner, 'cmmodnet -r -i 10.9.0.130 10.9.0.0');
    expect(await added()).toBe(false);
    expect((await on(owner, 'cmmodnet -a -i 192.0.2.1 192.0.2.0')).exitCode, 'a subnet that does not exist').not.toBe(0);
    const foreign = await on(owner, 'cmrunserv stranger "sleep 1"; echo $?');
    expect(foreign.stdout).toBe('1\n');
    expect((await on('m1', 'cmexec m3 hostname')).stdout).toBe('m3\n');
  });

  it('a volume group is activated only where its tag names the member', async () => {
    await serving(used);
    const other = 'm2';
    const activated = await on(other, 'vgchange -a y vg_csync');
    expect(activated.exitCode).toBe(5);
    const tagged = await on(other, `vgchange --addtag ${other} vg_csync`);
    expect([tagged.exitCode, tagged.stderr]).toEqual([5, expect.stringMatching(/\bm1\b/)]);
    expect((await on(other, 'mount /dev/vg_csync/lv_csync /mnt')).exitCode, 'no device, no mount').not.toBe(0);
    expect(await used.drills.invariants()).toEqual([]);
  });

  it('a configuration that was read back can be applied again as it is', async () => {
    await serving(used);
    expect((await cm('cmgetconf -p csync > /tmp/back.conf')).exitCode).toBe(0);
    const checked = await cm('cmcheckconf -P /tmp/back.conf');
    expect(checked.exitCode, checked.stdout + checked.stderr).toBe(0);
    expect((await cm('cmapplyconf -f -P /tmp/back.conf')).exitCode).toBe(0);
    expect((await cm('cmgetconf -p csync | cmp - /tmp/back.conf')).exitCode).toBe(0);
    expect(await used.drills.invariants()).toEqual([]);
  });

  it('what cmmakepkg makes is a base the toolkit renders into, and cmcheckconf takes the result', async () => {
    const made = await cm(
      'cd /tmp && cmmakepkg -m sg/failover -m sg/monitor_subnet -m sg/package_ip -m sg/service -m sg/volume_group -m sg/filesystem -m sg/pev -m sg/external_pre -m sg/external > base.conf && node /opt/csync/csync.mjs render --settings /root/csync.yaml --output based --base base.conf && grep -c "^# Legal values" based/csync.conf && cmcheckconf -P based/csync.conf',
    );
    expect(made.exitCode, made.stdout + made.stderr).toBe(0);
    expect(made.stdout).toMatch(/^\d{2,}$/m);
  });

  it('asks a member about the cluster and refuses what does not exist', async () => {
    expect((await cm('cmquerycl -n m1 -n m2')).stdout).toMatch(/NODE_NAME m1[\s\S]*NODE_NAME m2/);
    for (const refused of ['cmrunpkg nothere', 'cmhaltpkg nothere', 'cmmodpkg -e nothere', 'cmviewcl -p nothere', 'cmrunnode m9'])
      expect((await cm(refused)).exitCode, refused).toBe(1);
    expect((await cm('cmrunpkg -Q csync')).exitCode, 'an option that does not exist').toBe(1);
    expect((await on('c1', 'cmviewcl')).exitCode, 'a client is no member').not.toBe(0);
  });
});
