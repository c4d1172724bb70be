import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const limits = { testTimeout: 60_000, hookTimeout: 120_000 } as const;

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
      // Programs, members and labs share the machine: files one after the other keep deadlines honest.
      {
        test: {
          ...limits,
          name: 'machine',
          include: ['test/{process,lab}/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
