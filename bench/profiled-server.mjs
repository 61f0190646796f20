// Loaded into the server by the profile bench: SIGUSR2 starts the profiler of the main thread, the end of the process
// writes what it saw to the file BENCH_PROFILE names. (NODE_OPTIONS does not take --cpu-prof.)
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { isMainThread } from "node:worker_threads";

const file = process.env.BENCH_PROFILE;
if (isMainThread && file !== undefined) {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  process.on("SIGUSR2", () => session.post("Profiler.start"));
  process.on("exit", () => {
    session.post("Profiler.stop", (error, result) =>
      writeFileSync(file, JSON.stringify(result?.profile ?? String(error))),
    );
  });
}
