import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/**
 * One project per layer, by folder; the lowest that can catch a bug has its test.
 * `npx vitest run --project unit` runs one of them.
 */
const layers: Record<
  string,
  {
    testTimeout?: number;
    hookTimeout?: number;
    fileParallelism?: boolean;
    isolate?: boolean;
    globalSetup?: string;
  }
> = {
  unit: {},
  adapters: {},
  simulation: { testTimeout: 120_000 },
  // One engine for all files: on a slow machine what takes 8 s as a rule took over 20.
  table: { testTimeout: 60_000, globalSetup: './test/support/dynamodb-global-setup.ts' },
  // Loading the CDK takes most of the time: the files share one copy.
  stacks: { testTimeout: 180_000, hookTimeout: 180_000, isolate: false, fileParallelism: false },
  local: { testTimeout: 120_000, hookTimeout: 120_000 },
  // Each file would start the whole system: one after the other, or the machine is measured, not the code.
  system: {
    testTimeout: 120_000,
    hookTimeout: 180_000,
    fileParallelism: false,
    ...(existsSync('./test/system/global-setup.ts') && { globalSetup: './test/system/global-setup.ts' }),
  },
};

export default defineConfig({
  test: {
    projects: Object.entries(layers).map(([name, options]) => ({
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        environment: 'node',
        testTimeout: 20_000,
        hookTimeout: 60_000,
        ...options,
      },
    })),
  },
});
