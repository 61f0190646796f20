import { defineConfig } from "vitest/config";

// Unit and architecture tests are pure: they share one worker. Suites that start servers, processes or touch
// the disk run isolated, a file per worker.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "test/arch/**/*.test.ts"],
          isolate: false,
          pool: "threads",
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "system",
          include: ["test/{conformance,api,sim,crash,walk,real,door,recorder}/**/*.test.ts"],
          pool: "forks",
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
