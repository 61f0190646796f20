// `npm run bench`: sets up, then runs every scenario in bench/ but the long ones, or those named:
// npm run bench -- scan match, npm run bench -- soak --minutes=3, npm run bench -- --quick
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { nodeFlags } from "./node-flags.mjs";
import { root, setUp } from "./setup.mjs";

setUp();
const done = spawnSync(
  process.execPath,
  // What is measured in this process runs as it does in a server.
  [...nodeFlags, "--import", "tsx", join("bench", "main.ts"), ...process.argv.slice(2)],
  // The AWS SDK's word about the end of Node 20 would stand between the tables.
  { cwd: root, stdio: "inherit", env: { ...process.env, NODE_NO_WARNINGS: "1" } },
);
process.exit(done.status ?? 1);
