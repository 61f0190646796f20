// Log files that no digest names: which of them should be in one. Pure.
import { isoSeconds } from "../../model/timestamp.ts";
import type { TimeSpan } from "./chain.ts";
import type { FileFinding, Finding } from "./findings.ts";
import { deliveryLabelMs } from "./log-file-name.ts";

/** What the digests of a place cover. */
export interface Coverage {
  /** Times whose log files should be in a digest. */
  readonly covers: readonly TimeSpan[];
  /** Times, among those, whose digest is missing or INVALID. */
  readonly holes: readonly TimeSpan[];
  /** Of the newest digest; undefined when there is none. */
  readonly newest: TimeSpan | undefined;
}

/** How far the minute in a name may be from the delivery (formats.md §2.1). */
const labelSlackMs = 10 * 60_000;
/** Digests come late; only after this time is one missed. */
const lateMsMax = 3_600_000;

/** One finding per key, and a remark when the newest digests seem to be gone. `keys` are of one place. */
export function unnamedFindings(
  bucket: string | undefined,
  keys: Iterable<string>,
  coverage: Coverage,
): readonly Finding[] {
  const covers = merged(coverage.covers);
  const findings: Finding[] = [];
  let latestMs = -Infinity;
  for (const key of keys) {
    const labelMs = deliveryLabelMs(key);
    latestMs = Math.max(latestMs, labelMs ?? -Infinity);
    findings.push({ kind: "log-file", bucket, key, ...judge(labelMs, covers, coverage) });
  }
  return [...findings, ...endRemark(latestMs, coverage)];
}

function judge(
  labelMs: number | undefined,
  covers: readonly TimeSpan[],
  { holes, newest }: Coverage,
): Pick<FileFinding, "status" | "weight" | "reason"> {
  if (labelMs === undefined) return unnamed("open", "its name is not that of a log file");
  if (!newest) return unnamed("open", "there is no digest file of its account and Region");
  const span = { startMs: labelMs - labelSlackMs, endMs: labelMs + labelSlackMs };
  if (holes.some((hole) => overlaps(hole, span))) {
    return unnamed("bad", "the digest file of its time is missing or INVALID");
  }
  if (covers.some((cover) => cover.startMs <= span.startMs && span.endMs <= cover.endMs)) {
    return unnamed("bad", "no digest file of its time names it");
  }
  if (span.endMs >= newest.endMs) {
    const reason = "newer than the newest digest file";
    return { status: "not-yet-in-a-digest", weight: "good", reason };
  }
  return unnamed("open", "no digest file covers its time");
}

function unnamed(weight: "open" | "bad", reason: string): Pick<FileFinding, "status" | "weight" | "reason"> {
  return { status: "in-no-digest", weight, reason };
}

/** Digests removed from the end of a chain leave no trace in it, but log files that go on. */
function endRemark(latestMs: number, { newest }: Coverage): readonly Finding[] {
  if (!newest) return [];
  const dueMs = newest.endMs + (newest.endMs - newest.startMs) + lateMsMax;
  if (latestMs <= dueMs) return [];
  const [end, latest] = [isoSeconds(newest.endMs), isoSeconds(latestMs)];
  const text = `The newest digest file ends at ${end}, but log files go on until ${latest}: the validation was turned off, or the last digest files were removed.`;
  return [{ kind: "remark", weight: "open", text }];
}

function overlaps(left: TimeSpan, right: TimeSpan): boolean {
  return left.startMs < right.endMs && right.startMs < left.endMs;
}

/** Spans that touch become one. */
function merged(spans: readonly TimeSpan[]): readonly TimeSpan[] {
  const sorted = [...spans].sort((left, right) => left.startMs - right.startMs);
  const whole: TimeSpan[] = [];
  for (const span of sorted) {
    const last = whole.at(-1);
    if (!last || span.startMs > last.endMs) whole.push(span);
    else whole[whole.length - 1] = { startMs: last.startMs, endMs: Math.max(last.endMs, span.endMs) };
  }
  return whole;
}
