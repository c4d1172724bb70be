import { documents } from './options.ts';
import { verb } from './verb.ts';

const labVerbs = () => import('../verbs/lab/lab.ts');
const rehearseLabVerbs = () => import('../verbs/lab/rehearse-lab.ts');
const simulateVerbs = () => import('../verbs/lab/simulate.ts');

export const labOptions = {
  name: {
    type: 'string',
    describe: 'name of the lab; default: lab, or a name of its own for a verb that takes its lab down again',
  },
  settings: { type: 'string', describe: 'settings file; default: the settings of the lab' },
  ipv6: { type: 'boolean', describe: 'dual stack: hosts with addresses of both families, and an IPv6 package address' },
  style: { choices: ['modular', 'legacy'] as const, describe: 'package style, instead of the one in the settings' },
  json: { type: 'boolean', default: false, describe: 'print the result as JSON' },
} as const;
const options = labOptions;
const engine = {
  choices: ['serviceguard', 'pacemaker'] as const,
  default: 'serviceguard' as const,
  describe: 'cluster software: Serviceguard, imitated; or corosync and Pacemaker of this machine, with fencing',
} as const;
/** For verbs whose --json prints only problems. */
const noDocument = async (): Promise<readonly []> => [];

const member = { type: 'string', demandOption: true, describe: 'lab host' } as const;
const seed = { type: 'number', default: 1, describe: 'seed: the same one repeats the same faults in the same order' } as const;
const needsLab = { cannotRunHere: '' } as const;
const ownLab = (different: string) => ({ ...needsLab, different, unread: '' }) as const;
const inLab = { task: 'Lab', effect: 'lab', options, exits: needsLab, json: noDocument } as const;
const trial = { task: 'Lab', effect: 'lab', options, json: async () => [(await documents()).trialDocument] } as const;

const demo = verb({
  ...trial,
  words: 'lab demo',
  does: 'show a failover in a new lab, then clean up',
  options: { ...options, engine },
  exits: ownLab('a failover failed'),
  examples: [
    ['lab demo', 'a modular package'],
    ['lab demo --style legacy', 'a legacy package'],
    ['lab demo --engine pacemaker', 'a resource group on the real corosync and Pacemaker'],
  ],
  run: async (args) => (await labVerbs()).labDemo(args),
});

const up = verb({
  ...inLab,
  words: 'lab up',
  does: 'start a lab with a running package',
  details: 'The lab stays until `csync lab down`.',
  options: {
    ...options,
    engine,
    spares: { type: 'string', describe: 'machines that can become members: m4,m5' },
    clients: { type: 'number', default: 2, describe: 'number of clients' },
    bare: { type: 'boolean', describe: 'only the programs of cfengine: no keys, no policy, no daemon, no package' },
    quirks: {
      type: 'string',
      describe:
        'what real sites have: all, or a list of banner, bridge, container, links, locale, loopback, names, noexec, shells, ssh, sudo, tree; docs/how-to/lab.md describes them',
    },
    programs: {
      type: 'string',
      describe: 'with --bare: directory with the programs of cfengine for the hosts; required for cfengine 2',
    },
  },
  examples: [
    ['lab up', 'three members and two clients'],
    ['lab up --quirks banner,bridge', 'logins that print, and bridges with one address on all members'],
    ['lab up --bare --spares m4 --clients 5', 'to set everything up by hand, and to add a member'],
  ],
  run: async (args) => (await labVerbs()).labUp(args),
});

const down = verb({
  ...inLab,
  words: 'lab down',
  does: 'stop a lab and free its resources',
  examples: [['lab down', 'the lab of lab up']],
  run: async (args) => (await labVerbs()).labDown(args),
});

const status = verb({
  ...trial,
  words: 'lab status',
  does: 'show machines, mounts and addresses of a lab',
  exits: needsLab,
  examples: [['lab status', 'the lab of lab up']],
  run: async (args) => (await labVerbs()).labStatus(args),
});

const exec = verb({
  ...inLab,
  words: 'lab exec',
  does: 'run a program on a lab host',
  details: 'Exits with the exit status of the program. `cmviewcl`, `cmrunpkg` and the other cm* commands are in the PATH.',
  positionals: { member },
  examples: [['lab exec m1 -- cmviewcl -v', 'the program and its arguments after --']],
  run: async (args, rest) => (await labVerbs()).labExec(args, args.member, rest),
});

const shell = verb({
  ...inLab,
  words: 'lab shell',
  does: 'open a shell on a lab host',
  positionals: { member },
  examples: [['lab shell m1', 'exit ends it']],
  run: async (args) =>
    (await labVerbs()).labExec(args, args.member, ['/bin/sh', '-c', "cd && PS1='\\h# ' exec /bin/bash --norc"]),
});

const machine = (name: 'crash' | 'boot' | 'cut' | 'heal', does: string) =>
  verb({
    ...inLab,
    words: `lab ${name}`,
    does,
    positionals: { member },
    examples: [[`lab ${name} m1`, 'a member of a running lab']],
    run: async (args) => (await labVerbs()).labMachine(args, name, args.member),
  });

const failovers = verb({
  ...trial,
  words: 'lab failovers',
  does: 'run many failovers; check the invariants',
  options: { ...options, engine, count: { type: 'number', default: 50, describe: 'number of failovers' }, seed },
  exits: ownLab('a failover failed'),
  examples: [['lab failovers --count 200 --seed 7', 'the same 200 faults each time']],
  run: async (args) => (await labVerbs()).labFailovers(args, args.count, args.seed),
});

const rehearse = verb({
  words: 'lab rehearse',
  task: 'Lab',
  does: 'run drills in a new lab; write a page',
  details:
    'Includes the drills that cut power and network cables. The drills: [drills.md](drills.md); a page: [rehearsal.html](../proof/rehearsal.html).',
  effect: 'lab',
  options: {
    ...options,
    drill: {
      type: 'string',
      array: true,
      default: ['kill-daemon'],
      describe: 'names, or all; docs/reference/drills.md lists them',
    },
    results: { type: 'string', describe: 'directory of results, for comparison with the previous one (default rehearsals)' },
    html: { type: 'string', describe: 'file for an HTML page of the results' },
  },
  exits: ownLab('a drill failed'),
  examples: [['lab rehearse --drill crash,haltnode --html page.html', 'two drills and a page']],
  json: async () => [(await documents()).rehearseDocument],
  run: async (args) => (await rehearseLabVerbs()).labRehearse(args),
});

const simulate = verb({
  ...trial,
  words: 'lab simulate',
  does: 'simulate many clusters in virtual time',
  details:
    'Runs the shipped scripts with faults at any moment, without a lab or root. Each life must end with a served package. csync prints how many failed, and what that number proves.',
  options: {
    ...options,
    seeds: { type: 'number', default: 1000, describe: 'number of lives' },
    seed: { type: 'number', default: 1, describe: 'seed of the first life; the same seed repeats the same life' },
  },
  exits: { different: 'a life failed' },
  examples: [
    ['lab simulate --seeds 10000', 'ten thousand lives'],
    ['lab simulate --seeds 1 --seed 4711', 'one life again, with its log if it fails'],
  ],
  run: async ({ settings, seeds, seed: first, json }) =>
    (await simulateVerbs()).labSimulate({ settings, seeds, seed: first, json }),
});

const torture = verb({
  ...trial,
  words: 'lab torture',
  does: 'inject random faults while policy is edited',
  details:
    'No acknowledged edit may be lost. The faults: kills, hangs, crashes, cut cables, full disks, halts, switches, maintenance, applies, and members that are added and removed. After each step the package must run where the table of the lab expects it ([torture.md](../proof/torture.md)).',
  options: { ...options, iterations: { type: 'number', default: 50, describe: 'number of steps' }, seed },
  exits: ownLab('an invariant is broken'),
  examples: [['lab torture --iterations 200 --seed 7', 'the same 200 steps each time']],
  run: async (args) => (await labVerbs()).labTorture(args, args.iterations, args.seed),
});

export const labVerbRows = [
  demo,
  up,
  down,
  status,
  exec,
  shell,
  machine('crash', 'cut the power of a lab member'),
  machine('boot', 'power on a lab member'),
  machine('cut', 'unplug the network cable of a lab member'),
  machine('heal', 'plug the network cable in again'),
  failovers,
  rehearse,
  simulate,
  torture,
];
