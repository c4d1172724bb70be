import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const limits = { testTimeout: 60_000, hookTimeout: 120_000 } as const;
/** Their subject is time: how soon a verdict comes, and whether two clocks tell the same. Nothing may run beside them. */
const timed = ['test/lab/{monitor,rehearse}.test.ts', 'test/process/{service-front,rehearsal-watch}.test.ts'];

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      // Nothing but computing: as many at once as there are processors.
      {
        test: {
          ...limits,
          name: 'pure',
          include: ['test/{pure,proof}/**/*.test.ts'],
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 0 },
        },
      },
      // Programs, members and labs, each in namespaces and directories of its own. They wait as much as they compute, so two fit;
      // with more their deadlines would measure one another.
      {
        test: {
          ...limits,
          name: 'machine',
          include: ['test/{process,lab}/**/*.test.ts'],
          exclude: timed,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { ...limits, name: 'timed', include: timed, fileParallelism: false, sequence: { groupOrder: 2 } } },
    ],
  },
});
