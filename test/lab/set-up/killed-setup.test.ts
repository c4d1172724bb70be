/**
 * Verbs that set hosts up, killed at any of their remote commands, and hosts that lose their shell at any write or rename:
 * the same verb again finishes the work. Hours: `npm run every-step` has it. CSYNC_KILLED_FROM=N goes on at number N.
 */
import { beforeAll, describe, expect } from 'vitest';
import { type Roster, rosterName } from '../../../src/contract/roster.ts';
import { everyStepIt, firstCommand, labSettings } from '../../support.ts';
import { typedIn, useLab, whyNoLab } from '../../use-lab.ts';
import { killAt, sshTrap } from './ssh-trap.ts';

/**
 * Counts, and ends the caller at the wanted call; in the place of a program that scripts call by the system's own path. The count
 * lies in a pipe, from which one caller at a time takes it, and all of it is the shell's own: starting processes is what a
 * run of this costs.
 */
const trap = (name: string): string => `#!/bin/sh
if [ -e /run/trap-at ]; then
  exec 8<> /run/trap-count
  read -r n <&8
  n=$((n + 1))
  echo $n >&8
  read -r at < /run/trap-at
  if [ "$n" = "$at" ]; then kill -9 $PPID; exit 137; fi
  exec 8>&-
fi
exec /usr/bin/${name}.real "$@"
`;

/** What scripts write, rename and remove with. */
const trapped = ['mv', 'sync', 'chmod', 'rm', 'cp', 'mkdir'];

describe.skipIf(whyNoLab !== null)('a set-up that is killed', { timeout: 3_600_000 }, () => {
  // As small as a cluster can be that a member joins: each further member only repeats what is done to these.
  const members = ['m1', 'm2'];
  const used = useLab('killed', { deployed: true, settings: labSettings({ members }), spares: ['m3'], watched: false });
  const { sh } = typedIn(used);
  const remote = sshTrap('c2', sh);
  const { csync } = remote;
  const all = (script: string) => Promise.all([...members, 'c1'].map((host) => sh(host, script)));
  const must = async (host: string, script: string): Promise<void> => {
    const ended = await sh(host, script);
    expect(ended.exitCode, `${script}: ${ended.stdout}${ended.stderr}`).toBe(0);
  };

  beforeAll(async () => {
    await remote.lay((await sh('m1', 'cat /root/csync.yaml')).stdout);
    for (const name of trapped) {
      const script = `cp -a /usr/bin/${name} /usr/bin/${name}.real; rm -f /usr/bin/${name}; cat > /usr/bin/.new <<'END'\n${trap(name)}END\nchmod.real 755 /usr/bin/.new 2>/dev/null || chmod 755 /usr/bin/.new; mv.real /usr/bin/.new /usr/bin/${name} 2>/dev/null || mv /usr/bin/.new /usr/bin/${name}`;
      await Promise.all([all(script), sh('m3', script)]);
    }
    // In the cluster, and not set up: what sets it up by itself is away.
    for (const host of [...members, 'm3']) await must(host, 'rm.real /etc/csync-lab/events.d/csync_dispatcher');
    await must(
      'm1',
      `cmquerycl -C /root/cluster.ascii -c ${used.lab.spec.name} -n m1 -n m2 -n m3 && cmapplyconf -f -C /root/cluster.ascii && cmrunnode m3`,
    );
    const first = await csync('members sync --yes');
    expect(first.exitCode, first.stderr).toBe(0);
  });

  /** As it lies on the members, the same on all of them. */
  async function roster(): Promise<Roster> {
    const read = (member: string) => sh(member, `cat /usr/local/cmcluster/conf/csync/${rosterName}`);
    const [one, other] = await Promise.all(['m1', 'm2'].map(read));
    expect(one?.stdout).toBe(other?.stdout);
    return JSON.parse(one?.stdout ?? '') as Roster;
  }

  /** Everything is as if no process had ever been killed. */
  async function sound(): Promise<void> {
    const verified = await csync('keys verify --json');
    expect(verified.exitCode, verified.stdout).toBe(0);
    const { clients, waiting, nextKey, formerKeys } = await roster();
    expect([waiting, nextKey, formerKeys]).toEqual([[], null, []]);
    const hosts = clients.length > 0 ? [...members, 'c1'] : members;
    await Promise.all(
      hosts.map(async (host) => {
        const { stdout: found } = await sh(
          host,
          'cd /var/lib/cfengine3; ls -d .csync-arrival* ppkeys/.csync-arrival* ppkeys/csync-next* 2>/dev/null; find ppkeys -type f -perm /077; cd /tmp; ls -A; pgrep -c -x cf-serverd',
        );
        expect(found.trim(), host).toBe('1');
      }),
    );
    expect((await used.drills.view()).state).toBe('running');
  }

  /** Sets the counter of a host to 0, and to kill the process that makes call number `at`; 0: to kill none. */
  const setTrap = (host: string, at: number) =>
    sh(
      host,
      `[ -p /run/trap-count ] || mkfifo /run/trap-count
      exec 8<> /run/trap-count
      # What is in a pipe stays in it as long as a process has it open.
      if [ -e /run/trap-made ]; then read -r n <&8; else : > /run/trap-made; setsid sleep 100000 > /dev/null 2>&1 < /dev/null & fi
      echo 0 >&8; echo ${at} > /run/trap-at`,
    );
  /** How many there were; no process counts from now on. */
  async function takeTrap(host: string): Promise<number> {
    const { stdout } = await sh(host, 'rm.real -f /run/trap-at; exec 8<> /run/trap-count; read -r n <&8; echo $n >&8; echo $n');
    return Number(stdout);
  }

  /** An hour without a word would be long. */
  const tell = (text: string): void => void process.stderr.write(`${new Date().toISOString()} ${text}\n`);

  const again = async (words: string): Promise<void> => {
    const ended = await csync(words);
    expect(ended.exitCode, `${words}: ${ended.stdout}${ended.stderr}`).toBe(0);
  };
  const isMember = async () => (await roster()).members.some(({ name }) => name === 'm3');
  const isClient = async () => (await roster()).clients.length > 0;

  interface Verb {
    readonly words: string;
    /** Whose writes are counted. */
    readonly hosts: readonly string[];
    /** What the verb wants to find, where the previous one has not left that anyway. */
    readonly prepare?: () => Promise<unknown>;
  }
  const forget = () => sh('c1', 'rm -rf /var/lib/cfengine3/ppkeys/* /var/lib/cfengine3/inputs/* /etc/rc.config.d');
  const remoteCommands = 'remote commands';
  const writes = 'writes, renames and removals on a host';
  /** Each undoes what the previous one did, so that each can be killed in turn. */
  const rounds: readonly {
    readonly what: string;
    readonly atFirst: () => Promise<unknown>;
    readonly verbs: readonly Verb[];
  }[] = [
    {
      what: 'member add and remove',
      atFirst: async () => (await isMember()) && again('member remove m3 --yes'),
      verbs: [
        { words: 'member add m3 --yes', hosts: ['m2', 'm3'] },
        { words: 'member remove m3 --yes', hosts: ['m2', 'm3'] },
      ],
    },
    {
      what: 'client add and remove',
      atFirst: async () => (await isClient()) && again('client remove c1 --yes'),
      verbs: [
        { words: 'client add c1 --yes', hosts: ['m2', 'c1'], prepare: forget },
        { words: 'client remove c1 --yes', hosts: ['m2', 'c1'] },
      ],
    },
    {
      what: 'keys rotate',
      atFirst: async () => (await isClient()) || again('client add c1 --yes'),
      verbs: [{ words: 'keys rotate --yes', hosts: ['m2', 'c1'] }],
    },
  ];

  async function killedAtWrite({ words, hosts }: Verb, at: number): Promise<void> {
    await Promise.all(hosts.map((host) => setTrap(host, at)));
    await csync(words);
    const counts = await Promise.all(hosts.map(takeTrap));
    expect(Math.max(...counts), `${words}: no process was killed`).toBeGreaterThanOrEqual(at);
    await again(words);
  }

  const kinds = [
    {
      at: remoteCommands,
      count: ({ words }: Verb) => remote.count(words),
      killed: ({ words }: Verb, at: number) => remote.harmed(words, at, killAt(at)),
    },
    {
      at: writes,
      count: async ({ words, hosts }: Verb) => {
        await Promise.all(hosts.map((host) => setTrap(host, 0)));
        await again(words);
        return Math.max(...(await Promise.all(hosts.map(takeTrap))));
      },
      killed: killedAtWrite,
    },
  ];

  for (const { what, atFirst, verbs } of rounds)
    for (const { at: where, count, killed } of kinds)
      everyStepIt(`csync ${what}: at the ${where}`, async () => {
        await atFirst();
        const wanted: number[] = [];
        for (const verb of verbs) {
          await verb.prepare?.();
          const found = await count(verb);
          expect(found, verb.words).toBeGreaterThan(8);
          console.log(`${verb.words}: ${found} ${where}`);
          wanted.push(found);
        }
        for (let at = firstCommand; at <= Math.max(...wanted); at += 1)
          for (const [index, verb] of verbs.entries()) {
            await verb.prepare?.();
            // It has been killed everywhere, and only does what the next one needs.
            if (at > (wanted[index] ?? 0)) await again(verb.words);
            else {
              tell(`${verb.words}: ${at} of ${wanted[index]} ${where}`);
              await killed(verb, at);
              await sound();
            }
          }
      });
});
