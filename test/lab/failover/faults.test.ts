/** Faults that need a whole cluster and belong to no other file: verbs beside a failover, beside each other, and without a resolver. */
import { describe, expect, it } from 'vitest';
import { eventually, everyStep, everyStepIt } from '../../support.ts';
import { serving, typedIn, useLab, whyNoLab } from '../../use-lab.ts';

describe.skipIf(whyNoLab !== null)('verbs under faults', { timeout: 300_000 }, () => {
  const members = ['m1', 'm2', 'm3'];
  const used = useLab('faults', { deployed: true, clients: 1, watched: false });
  const { sh, must, json, done, broken } = typedIn(used);

  /** How PEM of a private key begins behind its first line, or that line in base64; then what is in the word. */
  const beginning = 'MII[EJ]|LS0tLS1CRUdJTiBSU0EgUFJJVk|LS0tLS1CRUdJTiBQUklW';
  const material = '[A-Za-z0-9+/]{20}';
  /** Reads arguments and environment of every process of a member again and again, until it is to report. */
  const sampler = [
    'my ($reads, %found); until (-e "/tmp/enough") {',
    'for my $file (glob "/proc/[0-9]*/cmdline /proc/[0-9]*/environ") { open my $read, "<", $file or next; local $/; my $text = <$read> // ""; $reads++; ',
    `$found{$1}++ while $text =~ m{(?:${beginning})(${material})}g }`,
    'select undef, undef, undef, 0.02 } print "$reads reads: @{[sort keys %found]}\\n"',
  ].join(' ');
  const sampled = async (member: string): Promise<string> => {
    await must(member, 'touch /tmp/enough');
    await eventually('the report', async () => (await sh(member, 'test -s /tmp/sampled')).exitCode === 0);
    return must(member, 'cat /tmp/sampled');
  };

  it('a rotation shows no key in arguments or environment, and a client that is added during it waits for its end', async () => {
    await serving(used);
    await done('members sync --yes');
    // The control of a second is to be found, and nothing else.
    for (const member of members)
      await must(
        member,
        `rm -f /tmp/enough; setsid perl -e '${sampler}' > /tmp/sampled 2>&1 < /dev/null & KEY=MIIEcontrolcontrolcontrol sleep 1`,
      );
    const isRotating = async () =>
      (await sh('m1', 'grep -q "^[0-9a-f].*keys rotate" /run/csync-change-csync/lease')).exitCode === 0;
    const ended: string[] = [];
    const rotating = json('keys rotate --yes').finally(() => ended.push('rotate'));
    await eventually('the rotation to have the lock', isRotating, 30_000);
    const added = await done('client add c1 --yes --wait 110').finally(() => ended.push('add'));
    expect([(await rotating).exitCode, added, ended]).toMatchObject([0, { outcome: 'done' }, ['rotate', 'add']]);
    for (const member of members) expect(await sampled(member), member).toMatch(/^\d{3,} reads: controlcontrolcontro\n$/);
  });

  const inBackground = (member: string, script: string): Promise<string> =>
    must(member, `cd /root; setsid sh -c '${script}' > /dev/null 2>&1 < /dev/null &`);

  /** Commits numbers 1 to `last` one by one, each until it is acknowledged, and keeps a list of those that were. */
  const writer = (member: string, last: number): string =>
    [
      `csync="node /opt/csync/csync.mjs policy"; n=1; : > acknowledged`,
      `while [ $n -le ${last} ]; do rm -rf work; $csync show --copy work || continue`,
      `echo $n >> work/set-${member}.txt; $csync commit work -m "edit $n" && echo $n >> acknowledged && n=$((n + 1)); done`,
    ].join('; ');
  const acknowledged = async (member: string): Promise<number> => Number(await must(member, 'wc -l < /root/acknowledged'));

  it('commits from two members across a failover are all kept', async () => {
    const each = everyStep ? 8 : 2;
    const writers = ['m2', 'm3'];
    await serving(used);
    const from = 'm1';
    for (const member of writers) await inBackground(member, writer(member, each));
    await eventually('the first commit', async () => (await sh('m2', 'test -s /root/acknowledged')).exitCode === 0, 60_000);
    await used.drills.killDaemon(from);
    const to = await used.drills.waitServed(from);
    for (const member of writers)
      await eventually(`the commits of ${member}`, async () => (await acknowledged(member)) === each, 200_000);
    for (const member of writers) {
      const kept = (await must(to, `cat $(find /csync/dsau -name set-${member}.txt)`)).split('\n');
      expect(kept).toEqual(expect.arrayContaining((await must(member, 'cat /root/acknowledged')).trim().split('\n')));
    }
  });

  everyStepIt('a rollback beside an apply: one waits for the other, and both are done', async () => {
    const failures = (count: number) =>
      must('m2', `sed -i '/^monitor_failures/d' /root/csync.yaml; echo 'monitor_failures: ${count}' >> /root/csync.yaml`);
    await serving(used);
    type Applied = { outcome: string; set: number };
    const numbers: number[] = [];
    for (const count of [4, 5]) {
      await failures(count);
      numbers.push((await done<Applied>('apply --yes', 'm2')).set);
    }
    await failures(6);
    const ended = await Promise.all([
      done<Applied>('apply --yes --wait 110', 'm2'),
      done<Applied>('rollback --yes --wait 110', 'm1'),
    ]);
    // One behind the other, each with a set of its own.
    const last = numbers.at(-1) ?? 0;
    expect(ended.map(({ set }) => set).sort((one, other) => one - other)).toEqual([last + 1, last + 2]);
  });

  /** Where these cannot be reached, status says so and goes on with the others within 20 s, and a change is refused within 60 s. */
  async function slowly(...unreachable: readonly string[]): Promise<void> {
    const timed = async <Result>(words: string) => {
      const began = performance.now();
      const result = await json<Result>(words);
      return { ...result, seconds: (performance.now() - began) / 1000 };
    };
    const status = await timed<{ condition: string; members: { member: string; seen: object | null }[] }>('status');
    expect([status.condition, status.members.flatMap(({ member, seen }) => (seen === null ? [member] : []))]).toEqual([
      'serving',
      unreachable,
    ]);
    expect(status.seconds).toBeLessThan(20);
    const apply = await timed('apply --yes');
    expect([apply.exitCode, apply.codes]).toEqual([4, unreachable.map((member) => `cluster-unreachable ${member}`)]);
    expect(apply.seconds).toBeLessThan(60);
  }

  everyStepIt(
    'an sshd that is stopped: status within 20 s, a change is refused within 60 s, a failover does not need it',
    async () => {
      await serving(used);
      const repaired = await broken('m2', 'pkill -STOP -x sshd', 'pkill -CONT -x sshd');
      await slowly('m2');
      await used.drills.killDaemon('m1');
      expect(await used.drills.waitServed('m1')).toBe('m2');
      await repaired();
    },
  );

  everyStepIt(
    'a resolver that never answers: status reports what it cannot reach within 20 s, a change is refused within 60 s',
    async () => {
      await serving(used);
      const deaf =
        'use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => q(127.0.0.9), LocalPort => 53, Proto => q(udp)) or die; sleep 1000';
      const files = "cp /etc/nsswitch.conf /etc/nsswitch.away; echo 'hosts: dns' > /etc/nsswitch.conf";
      const repaired = await broken(
        'm1',
        `${files}; echo 'nameserver 127.0.0.9' > /etc/resolv.conf; perl -e '${deaf}' >/dev/null 2>&1 </dev/null &`,
        'mv /etc/nsswitch.away /etc/nsswitch.conf; : > /etc/resolv.conf; pkill -f "^perl -e use IO"',
      );
      await slowly('m2', 'm3');
      await repaired();
    },
  );
});
