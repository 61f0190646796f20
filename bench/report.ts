// What a scenario measured, how it is shown, and the line of JSON that is kept of each run.
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { cpus, platform, totalmem } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** What a scenario is told. */
export interface BenchOptions {
  /** A smoke run: everything is exercised, nothing is measured well. */
  readonly isQuick: boolean;
  /** Length of `outage` and `soak`. */
  readonly minutes: number;
}

export interface Table {
  readonly title: string;
  /** Rows have the same members; their names are the columns. */
  readonly rows: readonly Readonly<Record<string, string | number>>[];
}

/** A figure that something is promised or expected of. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: { readonly least: number } | { readonly most: number };
}

export interface Report {
  readonly tables: readonly Table[];
  readonly figures: readonly Figure[];
  /** What was skipped and why, or what a reader must know. */
  readonly notes?: readonly string[];
}

export type Scenario = (options: BenchOptions) => Promise<Report>;

export const resultsFile = fileURLToPath(new URL("results/results.jsonl", import.meta.url));

/** Goals of a smoke run are not judged. */
export function showReport({ tables, figures, notes = [] }: Report, { isQuick }: BenchOptions): void {
  const parts = [
    ...tables.map(tableText),
    figuresText(figures, isQuick),
    ...notes.map((note) => `  ${note}\n`),
  ];
  process.stdout.write(parts.filter((part) => part !== "").join("\n"));
}

/** Appends the run to bench/results/results.jsonl, which git ignores: figures of other machines prove nothing here. */
export function keepReport(scenario: string, report: Report, options: BenchOptions): void {
  const line = { scenario, at: new Date().toISOString(), ...surroundings(), ...options, ...report };
  mkdirSync(dirname(resultsFile), { recursive: true });
  appendFileSync(resultsFile, `${JSON.stringify(line)}\n`);
}

/** Commit, Node and machine. */
export function surroundings() {
  const machine = {
    cpu: cpus()[0]?.model ?? "?",
    cores: cpus().length,
    memoryBytes: totalmem(),
    os: platform(),
  };
  return { commit: commit(), node: process.version, machine };
}

function commit(): string {
  try {
    const asked = ["describe", "--always", "--dirty"];
    return execFileSync("git", asked, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown";
  }
}

function tableText({ title, rows }: Table): string {
  const columns = Object.keys(rows[0] ?? {});
  const cells = [columns, ...rows.map((row) => columns.map((column) => shown(row[column] ?? "")))];
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  const lines = cells.map((row) =>
    row.map((cell, at) =>
      isText(rows, columns[at]) ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
    ),
  );
  return [`  ${title}`, ...lines.map((line) => `    ${line.join("  ")}`.trimEnd()), ""].join("\n");
}

function isText(rows: Table["rows"], column: string | undefined): boolean {
  return typeof rows[0]?.[column ?? ""] === "string";
}

function figuresText(figures: readonly Figure[], isQuick: boolean): string {
  const width = Math.max(0, ...figures.map(({ what }) => what.length));
  const lines = figures.map((figure) => {
    const { what, value, unit, goal } = figure;
    const promise = goal && ("least" in goal ? `goal ≥ ${shown(goal.least)}` : `goal ≤ ${shown(goal.most)}`);
    const verdict = promise && !isQuick ? `  ${promise}: ${isReached(figure) ? "reached" : "MISSED"}` : "";
    return `  ${what.padEnd(width)}  ${shown(value).padStart(9)} ${unit}${verdict}\n`;
  });
  return lines.join("");
}

export function isReached({ value, goal }: Figure): boolean {
  if (goal === undefined) return true;
  return "least" in goal ? value >= goal.least : value <= goal.most;
}

/** Three digits that matter; whole numbers from 100 on. */
export function shown(value: string | number): string {
  if (typeof value === "string") return value;
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}
