// The life of threads: jobs are answered, the process stays while there are some and no longer, and what ended is replaced.
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { JobThreads, type JobThreadsOptions } from "./job-threads.ts";

/** Answers what it gets after so many milliseconds; below zero it ends by an error. */
const code = Buffer.from(`
  import { parentPort } from "node:worker_threads";
  parentPort.on("message", ({ id, job }) => {
    if (job < 0) throw new Error("no such luck");
    setTimeout(() => parentPort.postMessage({ id, answer: job }), job);
  });
`).toString("base64");

const options: JobThreadsOptions = {
  ...{ name: "A thread of the test", code, resourceLimits: { maxOldGenerationSizeMb: 16 } },
  ...{ threadsMax: 2, jobsPerThreadMax: 2, jobsForAnother: 1 },
};

describe("job threads", () => {
  test("answer each job with its own answer, and have room for so many", async () => {
    const threads = new JobThreads<number, number>(options);
    expect(threads.haveRoom).toBe(true);
    const jobs = [30, 5, 20, 1];
    const answers = jobs.map((job) => threads.run(job));
    expect(threads.haveRoom).toBe(false);
    // One more than there is room for waits in a thread.
    expect(await Promise.all([...answers, threads.run(2)])).toEqual([...jobs, 2]);
    expect(threads.haveRoom).toBe(true);
    await threads.close();
  });

  test("that end by themselves fail what they had; others take their place, but not for ever", async () => {
    const threads = new JobThreads<number, number>({ ...options, threadsMax: 1 });
    for (let crash = 1; crash <= 3; crash += 1) {
      const ended = await Promise.allSettled([threads.run(0), threads.run(-1), threads.run(1_000)]);
      expect(ended.slice(1)).toMatchObject([{ status: "rejected" }, { status: "rejected" }]);
      expect(threads.areUsable).toBe(crash < 3);
      expect(threads.lastFailure).toMatchObject({ message: "no such luck" });
    }
    await threads.close();
  });

  test("that are closed reject what they had, which is no failure of theirs", async () => {
    const threads = new JobThreads<number, number>(options);
    const job = threads.run(60_000).catch((error: unknown) => error);
    await threads.close();
    expect(await job).toMatchObject({ message: "A thread of the test ended." });
    expect(threads.areUsable).toBe(false);
    expect(threads.lastFailure).toBeUndefined();
  });

  test("keep the process while they have work, and no longer", () => {
    const script = `
      const { JobThreads } = await import(${JSON.stringify(new URL("job-threads.ts", import.meta.url).href)});
      const threads = new JobThreads(${JSON.stringify(options)});
      void threads.run(300).then((answer) => console.log("answered", answer));
    `;
    const args = ["--import", "tsx", "--input-type=module", "-e", script];
    const { stdout, status } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
    expect({ stdout, status }).toEqual({ stdout: "answered 300\n", status: 0 });
  }, 30_000);
});
