// Runs the scenarios and prints the machine, the commit and one table. Figures are ratios inside one run;
// absolute numbers of different machines cannot be compared.
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { doorToLogFiles } from "./door-to-log-files.ts";
import { getTrail } from "./get-trail.ts";
import { verifyEvidence } from "./verify.ts";

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}

const scenarios: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  "door-to-log-files": doorToLogFiles,
  "get-trail": getTrail,
  verify: verifyEvidence,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in scenarios));
if (unknown.length > 0) {
  process.stderr.write(
    `Unknown scenario ${unknown.join(", ")}; there are ${Object.keys(scenarios).join(", ")}.\n`,
  );
  process.exit(2);
}
process.stdout.write(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}, commit ${commit()}\n`,
);
for (const [name, scenario] of Object.entries(scenarios)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stdout.write(`\n${name}\n`);
  for (const { what, value, unit } of await scenario()) {
    const shown = value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2);
    process.stdout.write(`  ${what.padEnd(66)} ${shown.padStart(10)} ${unit}\n`);
  }
}

function commit(): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}
