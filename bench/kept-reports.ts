// Prints what was kept of the last run of each scenario as Markdown: the tables of docs/performance.md are made of it.
import { readFileSync } from "node:fs";
import { type Figure, isReached, type Report, resultsFile, shown, type Table } from "./report.ts";

interface KeptReport extends Report {
  readonly scenario: string;
  readonly at: string;
  readonly commit: string;
  readonly isQuick: boolean;
}

/** Smoke runs are left out. */
export function keptReportsText(): string {
  const lines = readFileSync(resultsFile, "utf8").trim().split("\n");
  const kept = lines.map((line) => JSON.parse(line) as KeptReport).filter(({ isQuick }) => !isQuick);
  const last = new Map(kept.map((report) => [report.scenario, report]));
  const goals = [...last.values()].flatMap(({ figures }) => figures.filter(({ goal }) => goal !== undefined));
  const parts = [...last.values()].map(reportText);
  return [
    ...parts,
    "## Goals\n",
    "| figure | goal | measured | |\n|---|---|---|---|",
    ...goals.map(goalRow),
    "",
  ].join("\n");
}

function reportText({ scenario, at, commit, tables, figures }: KeptReport): string {
  const plain = figures.filter(({ goal }) => goal === undefined).map(figureText);
  return [`## ${scenario} (${commit}, ${at})\n`, ...tables.map(tableText), ...plain, ""].join("\n");
}

function tableText({ title, rows }: Table): string {
  const columns = Object.keys(rows[0] ?? {});
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const body = rows.map((row) => line(columns.map((column) => shown(row[column] ?? ""))));
  return [`${title}\n`, line(columns), line(columns.map(() => "---")), ...body, ""].join("\n");
}

function figureText({ what, value, unit }: Figure): string {
  return `- ${what}: ${shown(value)} ${unit}`;
}

function goalRow(figure: Figure): string {
  const { what, value, unit, goal } = figure;
  const promise = goal && ("least" in goal ? `≥ ${shown(goal.least)}` : `≤ ${shown(goal.most)}`);
  return `| ${what} | ${promise ?? ""} | ${shown(value)} ${unit} | ${isReached(figure) ? "reached" : "missed"} |`;
}
