import { availableParallelism } from 'node:os';
import { defineConfig, type Plugin } from 'vitest/config';

/** Built programs that wait for nobody: no deadline suffers when they share the machine with each other and with the pure tests. */
const programs = [
  ...['cli', 'output', 'init', 'injection'].map((name) => `test/process/programs/${name}.test.ts`),
  'test/process/member/member-writes.test.ts',
];

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
      // Members and labs share the machine: files one after the other keep deadlines honest.
      {
        plugins: [texts],
        test: {
          ...limits,
          name: 'machine',
          include: ['test/{process,lab}/**/*.test.ts'],
          exclude: programs,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
