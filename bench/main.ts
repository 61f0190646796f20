// Runs scenarios, each in a process of its own, prints their tables and keeps a line of JSON of each. Figures are
// ratios inside one run; absolute numbers of different machines cannot be compared.
// Usage: tsx bench/main.ts [--quick] [--minutes=N] [SCENARIO …], or --markdown for what was kept of the last runs
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { keptReportsText } from "./kept-reports.ts";
import { keepReport, type Scenario, showReport, surroundings } from "./report.ts";

interface Entry {
  readonly load: () => Promise<Scenario>;
  /** Takes many minutes: runs only when it is named. */
  readonly isLong?: true;
}

const scenarios: Readonly<Record<string, Entry>> = {
  records: { load: async () => (await import("./records.ts")).records },
  scan: { load: async () => (await import("./scan.ts")).scan },
  match: { load: async () => (await import("./match.ts")).match },
  journal: { load: async () => (await import("./journal.ts")).journal },
  compress: { load: async () => (await import("./compress.ts")).compress },
  pipeline: { load: async () => (await import("./pipeline.ts")).pipeline },
  api: { load: async () => (await import("./api.ts")).api },
  recorder: { load: async () => (await import("./recorder.ts")).recorder },
  history: { load: async () => (await import("./history.ts")).history },
  verify: { load: async () => (await import("./verify.ts")).verifyEvidence },
  profile: { load: async () => (await import("./profile.ts")).profile, isLong: true },
  outage: { load: async () => (await import("./outage.ts")).outage, isLong: true },
  soak: { load: async () => (await import("./soak.ts")).soak, isLong: true },
};

const flags = process.argv.slice(2).filter((word) => word.startsWith("--"));
const wanted = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const minutes = Number(flags.find((flag) => flag.startsWith("--minutes="))?.slice(10) ?? 10);
const options = { isQuick: flags.includes("--quick"), minutes };
const mistakes = [
  ...wanted.filter((name) => !(name in scenarios)),
  ...flags.filter((flag) => !/^--(quick|markdown|minutes=[\d.]+)$/.test(flag)),
];
if (mistakes.length > 0) {
  process.stderr.write(
    `Unknown: ${mistakes.join(", ")}. Scenarios: ${Object.keys(scenarios).join(", ")}; flags: --quick, --minutes=N, --markdown.\n`,
  );
  process.exit(2);
}
const [only, ...more] = wanted;
if (flags.includes("--markdown")) process.stdout.write(keptReportsText());
else if (only !== undefined && more.length === 0) await runHere(only);
else process.exit(runAll(wanted));

async function runHere(name: string): Promise<void> {
  const { commit, node, machine } = surroundings();
  process.stdout.write(`\n${name} (Node ${node}, ${machine.cores} × ${machine.cpu}, commit ${commit})\n`);
  const run = await scenarios[name]?.load();
  const report = await run?.(options);
  if (report === undefined) return;
  showReport(report, options);
  keepReport(name, report, options);
}

/** A fresh process each, so that no scenario runs on a heap and compiled code that another one shaped. */
function runAll(names: readonly string[]): number {
  const chosen = Object.keys(scenarios).filter((name) =>
    names.length > 0 ? names.includes(name) : !scenarios[name]?.isLong,
  );
  const me = [...process.execArgv, fileURLToPath(import.meta.url), ...flags];
  const failed = chosen.filter((name) => {
    return spawnSync(process.execPath, [...me, name], { stdio: "inherit" }).status !== 0;
  });
  if (failed.length > 0) process.stderr.write(`\nFailed: ${failed.join(", ")}.\n`);
  return failed.length > 0 ? 1 : 0;
}
