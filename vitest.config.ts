import { availableParallelism } from 'node:os';
import { defineConfig, type Plugin } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Built programs that wait for nobody: no deadline suffers when they share the machine with each other and with the pure tests. */
const programs = [
  ...['cli', 'output', 'init', 'injection'].map((name) => `test/process/programs/${name}.test.ts`),
  'test/process/member/member-writes.test.ts',
];

/** One member that takes all of the machine for a moment. */
const noisy = ['test/process/member/host-faults.test.ts'];

/** Labs whose tests measure nothing, and have no deadline of a few seconds. The longest first. */
const patient = [
  ...[
    'sites/pages',
    'verbs/apply',
    'failover/alerts',
    'verbs/legacy',
    'set-up/set-up',
    'policy/staged',
    'failover/public-reports',
  ],
  ...['set-up/transport', 'sites/readme', 'failover/ipv6', 'sites/runtime', 'set-up/upgrade', 'sites/guide', 'verbs/maintenance'],
  ...[
    'sites/package-name',
    'sites/one-host',
    'set-up/problems',
    'sites/package-down',
    'verbs/status',
    'verbs/sync',
    'verbs/check',
  ],
  ...['sites/commands', 'verbs/recover', 'verbs/membership', 'verbs/policy-from-git', 'verbs/init', 'sites/cfengine'],
  ...['sites/package', 'sites/bare', 'sites/generation2', 'access/without-root-ssh', 'tools/quirks'],
].map((name) => `test/lab/${name}.test.ts`);

/** Begins with what takes longest, so that no long file is left alone at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = patient.findIndex((name) => moduleId.endsWith(name));
      return index < 0 ? patient.length : index;
    };
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}

/** An import of a program of another language is its text, as in a bundle. */
const texts: Plugin = {
  name: 'texts',
  enforce: 'pre',
  transform: (code, id) => (/\.(pl|sh)$/.test(id) ? `export default ${JSON.stringify(code)}` : null),
};

const limits = { testTimeout: 60_000, hookTimeout: 120_000 } as const;

export default defineConfig({
  test: {
    reporters: ['default'],
    sequence: { sequencer: LongestFirst },
    projects: [
      // Nothing but computing: as many at once as there are processors.
      {
        plugins: [texts],
        test: {
          ...limits,
          name: 'pure',
          // They share nothing that changes; loading the source once for each file would cost a third of the time.
          isolate: false,
          include: ['test/pure/**/*.test.ts'],
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 0 },
        },
      },
      // They plant bugs in modules: each file has modules of its own.
      {
        plugins: [texts],
        test: {
          ...limits,
          name: 'proof',
          include: ['test/proof/**/*.test.ts'],
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 0 },
        },
      },
      {
        plugins: [texts],
        test: {
          ...limits,
          name: 'programs',
          include: programs,
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 0 },
        },
      },
      // Two files at a time, since each waits most of the time: one member, or a patient lab.
      {
        plugins: [texts],
        test: {
          testTimeout: 120_000,
          hookTimeout: 120_000,
          name: 'pairs',
          include: ['test/process/**/*.test.ts', ...patient],
          exclude: [...programs, ...noisy],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      // Labs that measure or have deadlines: files one after the other keep these honest.
      {
        plugins: [texts],
        test: {
          ...limits,
          name: 'machine',
          include: ['test/lab/**/*.test.ts', ...noisy],
          exclude: patient,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
