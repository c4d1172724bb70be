/**
 * A killed daemon and an orderly move, by csync and by what does less: on the lab's Serviceguard a package without a script of ours (mount,
 * address, a small watcher), on the real Pacemaker a plain agent whose monitor looks every second. The same lab and clients, in turns.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../src/lab/handle.ts';
import { membersOf, sgDirectories } from '../../src/lab/machines/lab-spec.ts';
import type { FaultKind, PackageDrills } from '../../src/lab/trials/package-drills.ts';
import type { Failover } from '../../src/lab/trials/timeline.ts';
import type { Settings } from '../../src/settings/settings.ts';
import { repository } from '../../test/support.ts';
import type { Bench } from './bench.ts';
import { figure, spread, type Table } from './figures.ts';
import { inBenchLab, partMedians, partTitles } from './outages.ts';

const kinds = ['kill', 'haltnode'] as const satisfies readonly FaultKind[];
/** Each rival has its turn this often. */
const turns = 2;

/** What does less than csync, in its place. */
interface Rival {
  readonly engine: Settings['engine'];
  readonly name: string;
  readonly take: (drills: PackageDrills) => Promise<void>;
  readonly giveBack: (drills: PackageDrills) => Promise<void>;
}

const comparison = (name: string): string => readFileSync(join(repository, 'scripts/bench/comparison', name), 'utf8');

/**
 * What does less than csync starts no daemon again, and leaves connections of clients half open, for which a daemon that becomes the master
 * refuses these clients. So it gets fresh daemons. One that was killed may repair a database and exit behind its start, hence the second look.
 */
const freshDaemon =
  'pkill -KILL -x cf-serverd; exec > /dev/null 2>&1; for look in 1 2 3; do pgrep -x cf-serverd || cf-serverd -K; sleep 1; done; pgrep -x cf-serverd';

async function onAll(drills: PackageDrills, script: string, input = ''): Promise<void> {
  for (const { name } of membersOf(drills.lab.spec))
    await drills.type(name, ['sh', '-c', script, 'sh', input], { label: script });
}

/** Typed on m1; afterwards the package serves. */
async function ordered(drills: PackageDrills, ...commands: readonly string[]): Promise<void> {
  for (const command of commands) await drills.type('m1', ['sh', '-c', command], { label: command });
  await drills.waitServed();
  await drills.waitClients();
}

const conf = `${sgDirectories.SGCONF}/csync/csync.conf`;

const floor: Rival = {
  engine: 'serviceguard',
  name: 'no script of csync',
  take: async (drills) => {
    await onAll(drills, 'printf %s "$1" > /root/floor-watch.pl', comparison('floor-watch.pl'));
    const without = `sed -e '/^external/d; /^pev_/d; /^module_name *sg\\/\\(external\\|external_pre\\|pev\\)$/,+1d' -e 's|^service_cmd .*|service_cmd "/usr/bin/perl /root/floor-watch.pl cf-serverd"|' ${conf} > /root/floor.conf`;
    await drills.type('m1', ['cmhaltpkg', 'csync']);
    await onAll(drills, freshDaemon);
    await ordered(drills, without, 'cmapplyconf -f -P /root/floor.conf', 'cmmodpkg -e csync');
  },
  giveBack: (drills) => ordered(drills, 'cmhaltpkg csync', `cmapplyconf -f -P ${conf}`, 'cmmodpkg -e csync'),
};

const own = '/root/own.xml';
const settled = 'crm_resource --wait --timeout=60s';
const stopped = 'crm_resource --meta --resource csync --set-parameter target-role --parameter-value Stopped';
const started = 'crm_resource --meta --resource csync --delete-parameter target-role';

const plain: Rival = {
  engine: 'pacemaker',
  name: 'a plain agent, monitor every 1 s',
  take: async (drills) => {
    const file = '/usr/lib/ocf/resource.d/csync/plain';
    await onAll(drills, `printf %s "$1" > ${file} && chmod 755 ${file}`, comparison('plain-agent.sh'));
    const main =
      '<primitive id="csync_main" class="ocf" provider="csync" type="plain"><operations><op id="csync_main-monitor" name="monitor" interval="1s" timeout="20s"/></operations></primitive>';
    const stop = `cibadmin --query --scope resources > ${own} && ${stopped} && ${settled}`;
    await drills.type('m1', ['sh', '-c', stop], { label: stop });
    await onAll(drills, freshDaemon);
    await ordered(
      drills,
      `perl -0pe 's{<primitive id="csync_pre".*?</primitive>}{}s; s{<primitive id="csync_main".*?</primitive>}{${main}}s' ${own} > /root/plain.xml`,
      'cibadmin --replace --scope resources --xml-file /root/plain.xml',
      settled,
    );
  },
  giveBack: (drills) =>
    ordered(
      drills,
      `${stopped} && ${settled}`,
      `cibadmin --replace --scope resources --xml-file ${own}`,
      `${started} || true`,
      settled,
    ),
};

const gaps = '/tmp/gaps';

/** A member may have any number of connections; this one is the last that the package moves to. */
const asker = 'm3';

/** ms without a connection, of each moment since the last question. */
async function newGaps(drills: PackageDrills): Promise<number[]> {
  const { stdout } = await drills.lab.exec(asker, ['sh', '-c', `cat ${gaps}; : > ${gaps}`]);
  return stdout.split('\n').filter(Boolean).map(Number);
}

interface Round {
  readonly failover: Failover;
  /** ms. */
  readonly outage: number;
}

/** A monitor that took over asks each second which members are enabled; a fault within that second waits for the answer. */
const settledMs = 3000;

async function failOvers(drills: PackageDrills, kind: FaultKind, count: number, isOurs: boolean): Promise<Round[]> {
  const done: Round[] = [];
  for (let round = 0; round < count; round += 1) {
    await newGaps(drills);
    const failover = await drills.failOver(kind);
    const seen = await newGaps(drills);
    if (seen.length === 0) throw new Error(`${kind}: not measured, since ${asker} noticed nothing`);
    if (failover.from !== null) {
      if (!isOurs) await drills.type(failover.from, ['sh', '-c', freshDaemon]);
      await drills.repair(kind, failover.from);
      await pause(settledMs);
    }
    done.push({ failover, outage: Math.max(...seen) });
  }
  return done;
}

type Done = Record<(typeof kinds)[number], Round[]>;

async function sideBySide(
  rival: Rival,
  rounds: number,
  progress: Bench['progress'],
): Promise<readonly [csync: Done, less: Done]> {
  const all: readonly [Done, Done] = [
    { kill: [], haltnode: [] },
    { kill: [], haltnode: [] },
  ];
  await inBenchLab(rival.engine, async (drills) => {
    const { lab } = drills;
    const { packageAddress, cfenginePort } = lab.spec.settings;
    const asks = `exec perl -e "$1" ${packageAddress} ${cfenginePort} >> ${gaps}`;
    const asking = lab.exec(asker, ['sh', '-c', asks, 'sh', comparison('connects.pl')], { timeoutMs: 3_600_000 });
    await until(async () => (await newGaps(drills)).includes(0), 10_000, `${asker} to reach the master`);
    for (let turn = 0; turn < turns; turn += 1)
      for (const [which, done] of all.entries()) {
        if (which === 1) await rival.take(drills);
        for (const kind of kinds) done[kind].push(...(await failOvers(drills, kind, Math.ceil(rounds / turns), which === 0)));
        if (which === 1) await rival.giveBack(drills);
        progress(`  ${rival.engine}: ${which === 0 ? 'csync' : rival.name}, turn ${turn + 1} of ${turns}`);
      }
    await lab.exec(asker, ['pkill', '-x', 'perl']);
    await asking;
  });
  return all;
}

/** The table of all rivals: outages with their parts, and csync's ratio to each. */
export async function measureFloors({ progress }: Bench, rounds: number): Promise<Table[]> {
  const rows: string[][] = [];
  for (const rival of [floor, plain]) {
    const [csync, less] = await sideBySide(rival, rounds, progress);
    for (const kind of kinds) {
      const outages = [csync, less].map((done) => spread(done[kind].map(({ outage }) => outage)));
      const [ours, theirs] = outages.map(({ p50 }) => p50);
      for (const [at, name] of ['csync', rival.name].entries()) {
        const { n = 0, p50 = Number.NaN, most = Number.NaN } = outages[at] ?? {};
        const ratio = at === 0 ? `${((ours ?? Number.NaN) / (theirs ?? Number.NaN)).toFixed(2)} x` : '1';
        const parts = partMedians(([csync, less][at]?.[kind] ?? []).map(({ failover }) => failover)).map(figure);
        rows.push([rival.engine, kind, name, String(n), figure(p50), figure(most), ratio, ...parts]);
      }
    }
  }
  return [
    {
      title: 'csync beside what does less',
      head: ['engine', 'fault', 'package', 'n', 'outage p50 ms', 'outage most ms', 'ratio', ...partTitles],
      rows,
      notes: [
        `Serviceguard: the lab's, with a package of file system, address and a watcher of the process; it checks nothing, and nothing keeps it from a second mount. Pacemaker: the real one, with Filesystem, IPaddr2 and an agent whose monitor looks for the process. Each has ${turns} turns beside csync, in one lab. Outage: a host begins a TCP connection every 20 ms; from the last good one to the next. Parts as in "What clients see in the lab".`,
      ],
    },
  ];
}
