/** The emulated cluster. */
import type { LabOptions, LabUpOptions } from '../verbs/lab/lab.ts';
import type { LabRehearseOptions } from '../verbs/lab/rehearse-lab.ts';
import { type Choose, jsonOption, type Parser } from './options.ts';

const labVerbs = () => import('../verbs/lab/lab.ts');
const rehearseLabVerbs = () => import('../verbs/lab/rehearse-lab.ts');
const simulateVerbs = () => import('../verbs/lab/simulate.ts');

const labOptions = {
  name: { type: 'string', describe: 'name of the lab (lab; one of its own for what takes its lab down again)' },
  settings: { type: 'string', describe: "settings file; without it the lab's own" },
  style: { choices: ['modular', 'legacy'] as const, describe: 'package style, instead of what the settings say' },
  json: jsonOption,
} as const;

export function addLabVerbs(builder: Parser, choose: Choose, rest: readonly string[]) {
  const withMember = (inner: typeof builder, name: string, behind = '') =>
    inner
      .positional('member', { type: 'string', demandOption: true, describe: 'lab host' })
      .example(`$0 lab ${name} m1${behind}`, '');
  type Simple = (options: LabOptions) => Promise<number>;
  const simple: readonly [string, string, Simple][] = [
    ['down', 'end it and free everything', async (options) => (await labVerbs()).labDown(options)],
    ['status', 'machines, mounts and addresses of a running lab', async (options) => (await labVerbs()).labStatus(options)],
    ['demo', 'show the package fail over, then clean up', async (options) => (await labVerbs()).labDemo(options)],
  ];
  const machine = [
    ['crash', 'cut the power of a member'],
    ['boot', 'switch it on again'],
    ['cut', "pull a member's network cable"],
    ['heal', 'plug it in again'],
  ] as const;
  builder.options(labOptions).demandCommand(1, 'name what to do with the lab');
  for (const [name, text, run] of simple)
    builder.command(
      name,
      text,
      (inner) => inner.example(`$0 lab ${name}`, text),
      (args) => choose(() => run(args as unknown as LabOptions)),
    );
  addUp(builder, choose);
  addSimulate(builder, choose);
  builder.command(
    'failovers',
    'many failovers in a row, invariants checked after each',
    (inner) =>
      inner
        .options({
          count: { type: 'number', default: 50, describe: 'how many' },
          seed: { type: 'number', default: 1, describe: 'same seed, same faults in the same order' },
        })
        .example('$0 lab failovers --count 200 --seed 7', ''),
    (args) => choose(async () => (await labVerbs()).labFailovers(args as unknown as LabOptions, args.count, args.seed)),
  );
  addRehearse(builder, choose);
  addTorture(builder, choose);
  for (const [name, text] of machine) {
    builder.command(
      `${name} <member>`,
      text,
      (inner) => withMember(inner, name),
      (args) => choose(async () => (await labVerbs()).labMachine(args as unknown as LabOptions, name, String(args.member))),
    );
  }
  builder.command(
    'exec <member>',
    'run a program on a lab host',
    (inner) => withMember(inner, 'exec', ' -- cmviewcl -v'),
    (args) => choose(async () => (await labVerbs()).labExec(args as unknown as LabOptions, String(args.member), rest)),
  );
  builder.command(
    'shell <member>',
    'a shell on a lab host',
    (inner) => withMember(inner, 'shell'),
    (args) =>
      choose(async () => (await labVerbs()).labExec(args as unknown as LabOptions, String(args.member), ['/bin/bash', '--norc'])),
  );
  return builder;
}

function addUp(builder: Parser, choose: Choose): void {
  builder.command(
    'up',
    'start a lab that stays, with the package running',
    (inner) =>
      inner
        .options({
          spares: { type: 'string', describe: 'machines that can become members: m4,m5' },
          clients: { type: 'number', default: 2, describe: 'how many clients' },
          bare: { type: 'boolean', describe: "cfengine's programs only: no keys, no policy, no daemon, no package" },
          programs: {
            type: 'string',
            describe: "with --bare: a directory with cfengine's programs for the hosts (cfengine 2: nobody packages them)",
          },
        })
        .example('$0 lab up', 'three members and two clients')
        .example('$0 lab up --bare --spares m4 --clients 5', 'to set everything up by hand, and to add a member'),
    (args) => choose(async () => (await labVerbs()).labUp(args as unknown as LabUpOptions)),
  );
}

function addSimulate(builder: Parser, choose: Choose): void {
  builder.command(
    'simulate',
    'many lives of a cluster in virtual time, without a lab: the scripts that ship, faults at any moment',
    (inner) =>
      inner
        .options({
          seeds: { type: 'number', default: 1000, describe: 'how many lives' },
          seed: { type: 'number', default: 1, describe: 'of the first one; the same seed gives the same life' },
        })
        .example('$0 lab simulate --seeds 10000', '')
        .example('$0 lab simulate --seeds 1 --seed 4711', 'one life again, with its story if it fails'),
    (args) =>
      choose(async () =>
        (await simulateVerbs()).labSimulate({
          settings: args.settings as string | undefined,
          seeds: args.seeds,
          seed: args.seed,
          json: args.json === true,
        }),
      ),
  );
}

function addRehearse(builder: Parser, choose: Choose): void {
  builder.command(
    'rehearse',
    'drills in a lab of its own, with a page of what happened; status 1 when one fails',
    (inner) =>
      inner
        .options({
          drill: { type: 'string', array: true, default: ['kill-daemon'], describe: 'names, or all; docs/drills.md has them' },
          results: { type: 'string', describe: 'directory of the results, for comparison (rehearsals)' },
          html: { type: 'string', describe: 'file for the page' },
        })
        .example('$0 lab rehearse --drill crash,haltnode --html page.html', 'two drills and a page'),
    (args) => choose(async () => (await rehearseLabVerbs()).labRehearse(args as unknown as LabRehearseOptions)),
  );
}

function addTorture(builder: Parser, choose: Choose): void {
  builder.command(
    'torture',
    'random harm, step by step, while edits of the policy are committed: nothing acknowledged may be lost',
    (inner) =>
      inner
        .options({
          iterations: { type: 'number', default: 50, describe: 'how many steps' },
          seed: { type: 'number', default: 1, describe: 'same seed, same steps' },
        })
        .example('$0 lab torture --iterations 200 --seed 7', ''),
    (args) => choose(async () => (await labVerbs()).labTorture(args as unknown as LabOptions, args.iterations, args.seed)),
  );
}
