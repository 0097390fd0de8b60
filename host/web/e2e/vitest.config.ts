import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: resolve(import.meta.dirname, '..'),
  resolve: { alias: { '~': resolve(import.meta.dirname, '../src') } },
  test: {
    include: ['e2e/**/*.test.ts'],
    globalSetup: ['e2e/server.ts'],
    // One browser at a time: the machine that runs this may have two cores.
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 180_000,
    // What the page shows is asked for until it holds: a click is answered before the page has followed it.
    expect: { poll: { timeout: 15_000 } },
  },
});
