import { defineConfig } from "vitest/config";

/** One PostgreSQL serves the whole run (test/cluster.ts); each test file clones a database of it. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/cluster.ts"],
    pool: "forks",
    maxWorkers: 2,
    // Two processes for all files, not one for each: loading the same modules anew 140 times was a
    // fifth of the whole.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 60_000,
  },
});
