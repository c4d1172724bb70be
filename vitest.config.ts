import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Two cores, and the lab tests share the machine: files one after the other keep deadlines honest.
    fileParallelism: false,
    reporters: ['default'],
  },
});
