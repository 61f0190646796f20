// Checks of many log files when the store fails: the first failure is the last wait.
import { expect, test } from "vitest";
import type { Evidence } from "./evidence.ts";
import { checksInThread } from "./log-file-checks.ts";
import { createSlots } from "./slots.ts";

test.each([1, 8])("after a read that failed no further file is read (%i at once)", async (count) => {
  let reads = 0;
  const evidence: Evidence = {
    ...{ bucket: "b", learnBucket: () => undefined, close: () => undefined },
    ...{ folders: () => Promise.resolve([]), keys: () => nothing() },
    get() {
      reads += 1;
      return new Promise((_resolve, reject) => setImmediate(() => reject(new Error("The store is gone."))));
    },
  };
  const checks = checksInThread(evidence, createSlots(count));
  const logFiles = Array.from({ length: 1000 }, (_, index) => ({
    ...{ s3Bucket: "b", s3Object: `key-${index}`, hashValue: "00" },
    ...{ hashAlgorithm: "SHA-256" as const, oldestEventTime: "", newestEventTime: "" },
  }));
  const { done } = await checks.begin({ logFiles, trust: "signed" });
  await expect(done).rejects.toThrow("The store is gone.");
  expect(reads).toBeLessThanOrEqual(2 * count + 1);
});

// oxlint-disable-next-line require-yield -- a listing without pages
async function* nothing(): AsyncGenerator<readonly string[]> {}
