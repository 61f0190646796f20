// Prints findings: in the words of `aws cloudtrail validate-logs` where it has them (formats.md §3.6), or as JSON lines.
import { isoSeconds } from "../../model/timestamp.ts";
import { printable } from "../printable.ts";
import type { ExitCode, Terminal } from "../terminal.ts";
import type { FileFinding, FileKind, Finding, Tally } from "./findings.ts";
import type { Progress } from "./progress.ts";
import type { VerifyOptions } from "./verify-options.ts";

export interface Report {
  begin(): void;
  print(findings: readonly Finding[]): void;
  end(exitCode: ExitCode): void;
}

interface Parts {
  readonly terminal: Terminal;
  readonly progress: Progress;
  readonly tally: Tally;
  readonly options: VerifyOptions;
}

export function createReport(parts: Parts): Report {
  return parts.options.json ? new JsonReport(parts) : new TextReport(parts);
}

class TextReport implements Report {
  private readonly parts: Parts;
  private hasPrinted = false;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  begin(): void {
    const { options, terminal } = this.parts;
    const what = options.trailArn === undefined ? "" : ` for trail ${options.trailArn}`;
    terminal.out(`Validating log files${what} in ${printable(options.place)}${rangeText(options)}\n`);
  }

  print(findings: readonly Finding[]): void {
    const { progress, terminal, options } = this.parts;
    for (const finding of findings) {
      if (!isShown(finding, options.verbose)) continue;
      progress.clear();
      const line = finding.kind === "remark" ? printable(finding.text) : fileLine(finding);
      this.hasPrinted = true;
      if (finding.weight === "good") terminal.out(line);
      else terminal.err(line);
    }
  }

  end(): void {
    const { progress, terminal, tally, options } = this.parts;
    progress.clear();
    if (this.hasPrinted) terminal.out("");
    terminal.out([...foundLines(tally, options), "", ...countLines(tally)].join("\n").trimEnd());
  }
}

class JsonReport implements Report {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  begin(): void {
    // The first line is the first finding's.
  }

  print(findings: readonly Finding[]): void {
    const { progress, terminal } = this.parts;
    for (const finding of findings) {
      progress.clear();
      terminal.out(printable(JSON.stringify(finding)));
    }
  }

  end(exitCode: ExitCode): void {
    const { progress, terminal, tally } = this.parts;
    progress.clear();
    const found = tally.newestEndMs >= tally.oldestStartMs && {
      startTime: isoSeconds(tally.oldestStartMs),
      endTime: isoSeconds(tally.newestEndMs),
    };
    terminal.out(
      JSON.stringify({
        kind: "summary",
        ...found,
        digests: tally.statuses.digest,
        backfillDigests: tally.statuses["backfill-digest"],
        logFiles: tally.statuses["log-file"],
        findings: tally.weights,
        exitCode,
      }),
    );
  }
}

/** Without --verbose: what is wrong, and what the counts alone would not tell. */
function isShown(finding: Finding, isVerbose: boolean): boolean {
  return isVerbose || finding.weight === "bad" || finding.kind === "remark" || isOpenDigest(finding);
}

function isOpenDigest(finding: FileFinding): boolean {
  return finding.kind !== "log-file" && finding.weight === "open";
}

const kindNames: Readonly<Record<FileKind, string>> = {
  digest: "Digest file",
  "backfill-digest": "(backfill) Digest file",
  "log-file": "Log file",
};

function fileLine(finding: FileFinding): string {
  const { kind, bucket, key } = finding;
  const place = bucket === undefined ? key : `s3://${bucket}/${key}`;
  return [kindNames[kind], place, verdictText(finding)].map(printable).join("\t");
}

function verdictText({ status, reason = "" }: FileFinding): string {
  switch (status) {
    case "valid":
      return "valid";
    case "changed":
    case "missing":
    case "moved":
    case "invalid":
      return `INVALID: ${reason}`;
    case "unproven":
      return `NOT FULLY VERIFIABLE: ${reason}`;
    case "in-no-digest":
      return `IN NO DIGEST: ${reason}`;
    case "not-yet-in-a-digest":
      return `not yet in a digest: ${reason}`;
    default:
      return status satisfies never;
  }
}

function rangeText({ startMs, endMs }: VerifyOptions): string {
  const [start, end] = [
    Number.isFinite(startMs) ? isoSeconds(startMs) : "the beginning",
    Number.isFinite(endMs) ? isoSeconds(endMs) : "now",
  ];
  return Number.isFinite(startMs) || Number.isFinite(endMs) ? ` between ${start} and ${end}` : "";
}

function foundLines(tally: Tally, options: VerifyOptions): readonly string[] {
  const range = rangeText(options).replace(/^ between (.*) and (.*)$/, "$1 to $2");
  const requested = range === "" ? [] : [`Results requested for ${range}`];
  if (tally.newestEndMs >= tally.oldestStartMs) {
    const found = `${isoSeconds(tally.oldestStartMs)} to ${isoSeconds(tally.newestEndMs)}`;
    return [...requested, `Results found for ${found}:`];
  }
  const isEmpty = Object.keys(tally.statuses.digest).length === 0;
  return [...requested, isEmpty ? "No digests found" : "No valid digests found in range"];
}

function countLines(tally: Tally): readonly string[] {
  const inNoDigest = tally.count("log-file", "in-no-digest");
  const notYet = tally.count("log-file", "not-yet-in-a-digest");
  const shouldBe = tally.badInNoDigest > 0 ? `, ${String(tally.badInNoDigest)} of them should be in one` : "";
  return [
    ...countLine(tally, "digest", "digest files"),
    ...countLine(tally, "backfill-digest", "backfill digest files"),
    ...countLine(tally, "log-file", "log files"),
    ...(inNoDigest > 0 ? [`${logFiles(inNoDigest)} in no digest${shouldBe}`] : []),
    ...(notYet > 0 ? [`${logFiles(notYet)} not yet in a digest`] : []),
    ...(tally.badInNoDigest > 0 ? [anotherTrail] : []),
  ];
}

function logFiles(count: number): string {
  return count === 1 ? "1 log file" : `${String(count)} log files`;
}

const anotherTrail =
  "(A trail without log file validation that writes to the same place leaves log files in no digest, too.)";

function countLine(tally: Tally, kind: FileKind, name: string): readonly string[] {
  const valid = tally.count(kind, "valid");
  const invalid = tally.count(kind, "changed", "missing", "moved", "invalid");
  const unproven = tally.count(kind, "unproven");
  const all = valid + invalid + unproven;
  if (all === 0) return [];
  const parts = [`${String(valid)}/${String(all)} ${name} valid`];
  if (invalid > 0) parts.push(`${String(invalid)}/${String(all)} ${name} INVALID`);
  if (unproven > 0) parts.push(`${String(unproven)}/${String(all)} ${name} not fully verifiable`);
  return [parts.join(", ")];
}
