// `npm start`: the quick start. Sets up, then runs the server without authentication on loopback, log files
// every 5 seconds, data under ./data. Further arguments go to `cairn serve`: npm start -- --port 5000
import { spawn } from "node:child_process";
import { join } from "node:path";
import { nodeFlags } from "./node-flags.mjs";
import { root, setUp } from "./setup.mjs";

setUp();
const quickStart = { CAIRN_AUTH: "off", CAIRN_DELIVERY_INTERVAL: "5s", CAIRN_DATA_DIR: join(root, "data") };
const main = join(root, "dist", "main.js");
const server = spawn(process.execPath, [...nodeFlags, main, "serve", ...process.argv.slice(2)], {
  stdio: "inherit",
  env: { ...quickStart, ...process.env },
});
// A terminal signals the whole process group, npm its own child alone: package.json's `exec` makes that this process
// and not a shell. Either way the server must hear them.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => server.kill(signal));
server.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
