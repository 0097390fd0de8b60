import { defineConfig } from 'vitest/config';
import tests from './vitest.config';

/** What is measured is no test: `cargo xtask bench workbench` prints it. */
export default defineConfig({
  ...tests,
  test: { ...tests.test, include: ['e2e/**/*.figures.ts'], testTimeout: 1_200_000, reporters: ['dot'] },
});
