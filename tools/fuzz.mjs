// `npm run fuzz`: sets up, then fuzzes the scanner (test/fuzz/scanner.ts). Takes the number of records and a seed.
import { join } from "node:path";
import { root, run, setUp } from "./setup.mjs";

setUp();
const tsx = join(root, "node_modules", "tsx", "dist", "cli.mjs");
run(process.execPath, [tsx, join("test", "fuzz", "scanner.ts"), ...process.argv.slice(2)]);
