// `npm test`: sets up, then runs every check of the repository. `npm test -- unit` runs one part; see parts below.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root, setUp } from "./setup.mjs";

const report = join(root, "node_modules", ".cairn-vitest.json");
const bin = (name) => join(root, "node_modules", ".bin", name);
const parts = {
  format: [bin("biome"), "format", "."],
  lint: [bin("oxlint"), "--type-aware", "--quiet"],
  types: [process.execPath, join(root, "node_modules", "typescript", "bin", "tsc"), "-p", "."],
  unused: [bin("knip")],
  vitest: [bin("vitest"), "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
};

setUp();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`Unknown part ${unknown.join(", ")}; there are ${Object.keys(parts).join(", ")}.`);
  process.exit(2);
}
const failed = [];
for (const [name, [command, ...args]] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n— ${name}`);
  const done = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (done.status !== 0) failed.push(name);
}
if (wanted.length === 0 || wanted.includes("vitest")) console.log(`\n${closingLine()}`);
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(", ")}.`);
  process.exit(1);
}
console.log("\nAll parts passed.");

/** Counts of single tests; a suite whose outside program is missing counts its tests as skipped. */
function closingLine() {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
    readFileSync(report, "utf8"),
  );
  return `${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests + numTodoTests} skipped`;
}
