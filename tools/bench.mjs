// `npm run bench`: sets up, then runs every scenario in bench/, or those named: npm run bench -- get-trail
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root, setUp } from "./setup.mjs";

setUp();
const done = spawnSync(
  join(root, "node_modules", ".bin", "tsx"),
  [join("bench", "main.ts"), ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: "inherit",
  },
);
process.exit(done.status ?? 1);
