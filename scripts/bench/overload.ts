/** What hostile clients can do to the master in the lab: connections held, whether the daemon lives, what other clients see. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LabHandle, startLab } from '../../src/lab/handle.ts';
import { labSpec } from '../../src/lab/machines/lab-spec.ts';
import { PackageDrills } from '../../src/lab/trials/package-drills.ts';
import { labSettings, repository } from '../../test/support.ts';
import type { Bench } from './bench.ts';
import { figure, type Table } from './figures.ts';

const program = readFileSync(join(import.meta.dirname, 'comparison/hostile-client.cjs'), 'utf8');

interface Attack {
  readonly kind: string;
  readonly from: readonly string[];
  /** Of each host. */
  readonly count: number;
}

const everyClient = ['c1', 'c2'];
const attacks: readonly Attack[] = [
  { kind: 'idle', from: ['c1'], count: 250 },
  { kind: 'idle', from: ['c1'], count: 600 },
  { kind: 'idle', from: everyClient, count: 600 },
  { kind: 'byte', from: ['c1'], count: 250 },
  { kind: 'half', from: ['c1'], count: 250 },
  { kind: 'hello', from: everyClient, count: 250 },
  { kind: 'slow', from: ['c1'], count: 250 },
  { kind: 'flood', from: ['c1'], count: 250 },
  { kind: 'flood', from: everyClient, count: 250 },
];

/** Silent connections are held longest; the other kinds need less time to differ. */
const othersFor = 6;

/** Threads of the daemon, the longest time the bystander was without a master, and what the cluster looks like afterwards. */
async function attacked(
  lab: LabHandle,
  drills: PackageDrills,
  { kind, from, count }: Attack,
  seconds: number,
): Promise<string[]> {
  const { nodePath, packageAddress, cfenginePort } = lab.spec.settings;
  const onMaster = async (script: string): Promise<string> => (await lab.exec('m1', ['sh', '-c', script])).stdout.trim();
  const daemon = await onMaster('pgrep -o -x cf-serverd');
  const mark = drills.entries.length;
  const words = [packageAddress, String(cfenginePort), String(count), String(seconds), kind];
  const user = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', nodePath, '-e', program, '--', ...words];
  let isOver = false;
  const ended = Promise.all(from.map((host) => lab.exec(host, user, { timeoutMs: (seconds + 60) * 1000 }))).finally(() => {
    isOver = true;
  });
  const counts: number[] = [];
  while (!isOver) counts.push(Number(await onMaster(`sed -n 's/^Threads:\\s*//p' /proc/${daemon}/status`)));
  const made = (await ended).map(({ stdout }) => (JSON.parse(stdout) as { made: number }).made);
  await drills.waitClients();
  const seen = drills.entries.slice(mark).filter((entry) => entry.kind === 'seen' && entry.member === 'c3');
  const losses = seen.flatMap(({ what, at, sinceMs = 0 }, index) => {
    const back = seen.slice(index).find((entry) => entry.what === 'client-served');
    return what === 'client-lost' ? [(back?.at ?? Number.POSITIVE_INFINITY) - at + sinceMs] : [];
  });
  const view = await drills.view();
  const off = [...view.switching.values()].filter((isOn) => !isOn).length;
  const isSame = (await onMaster('pgrep -o -x cf-serverd')) === daemon;
  return [
    kind,
    from.join(' '),
    String(seconds),
    String(count),
    String(made.reduce((sum, one) => sum + one, 0)),
    String(Math.max(...counts)),
    isSame ? 'the same' : 'another',
    `${losses.length}, ${figure(Math.max(0, ...losses))}`,
    `${view.owner}, ${off}`,
  ];
}

export async function measureOverload({ progress }: Bench, seconds: number): Promise<Table[]> {
  const spec = labSpec(labSettings(), 'bench', { clients: ['c1', 'c2', 'c3'], spares: [], cfengine: 'set up', programs: null });
  const lab = await startLab({ spec, dist: join(repository, 'dist'), attached: true, progress: () => {} });
  const rows: string[][] = [];
  try {
    const drills = new PackageDrills(lab);
    await drills.attach();
    await drills.deploy();
    await drills.waitClients();
    for (const attack of attacks) {
      rows.push(await attacked(lab, drills, attack, attack.kind === 'idle' ? seconds : Math.ceil(seconds / othersFor)));
      progress(`  ${rows.at(-1)?.join('  ')}`);
    }
    drills.detach();
  } finally {
    await lab.down();
  }
  return [
    {
      title: 'What hostile clients can do',
      head: [
        'kind',
        'from',
        's',
        'requested, each',
        'opened in total',
        'threads of the daemon',
        'daemon',
        'losses of c3: n, longest ms',
        'owner, members off',
      ],
      rows,
      notes: [
        `An ordinary user of each host holds that many connections to the package address, and opens a new one for each that is closed (scripts/bench/comparison/hostile-client.cjs). idle: no data; byte: one byte; half: the sending side is closed; hello: a TLS hello; slow: a byte of a hello each second; flood: a hello, then the next connection at once. Threads: the maximum, one for each connection that the daemon counts. c3 connects to the master every 100 ms with a limit of 300 ms.`,
      ],
    },
  ];
}
