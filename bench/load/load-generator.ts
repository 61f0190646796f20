// Starts the load generator's process and gives it orders.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { LoadResult, Order, Preparation, Reply, Run } from "./load-plan.ts";

export interface LoadGenerator {
  /** Makes the records that runs send. */
  prepare(records: Omit<Preparation, "kind">): Promise<void>;
  /** Throws when a connection breaks; answers other than 200 are in the result. */
  run(plan: Omit<Run, "kind">): Promise<LoadResult>;
  stop(): void;
}

export function startLoadGenerator(): LoadGenerator {
  const file = fileURLToPath(new URL("load-process.ts", import.meta.url));
  const child = fork(file, {
    execArgv: ["--import", "tsx", "--max-old-space-size=4096"],
    serialization: "advanced",
  });
  let replied: ((reply: Reply) => void) | undefined;
  child.on("message", (reply: Reply) => replied?.(reply));
  child.on("exit", (code) => replied?.({ kind: "failed", message: `It exited with ${String(code)}.` }));
  const ask = async (order: Order): Promise<Reply> => {
    const reply = await new Promise<Reply>((resolve) => {
      replied = resolve;
      child.send(order);
    });
    if (reply.kind === "failed") throw new Error(`The load generator failed: ${reply.message}`);
    return reply;
  };
  return {
    async prepare(records) {
      await ask({ kind: "prepare", ...records });
    },
    async run(plan) {
      const reply = await ask({ kind: "run", ...plan });
      if (reply.kind !== "done") throw new Error(`The load generator answered ${reply.kind} to a run.`);
      return reply.result;
    },
    stop: () => void child.kill(),
  };
}
