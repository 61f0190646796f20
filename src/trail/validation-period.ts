// When a trail's log files are validated: the one rule that keeps a trail's period true (formats.md §3.4). Pure.
// Applied by the registry to everything it writes, so no operation needs to know of it.
import type { ValidationPeriod } from "../bucket/place.ts";
import type { Trail } from "./trail.ts";

/** A trail of which only the period is still to be said. */
type TrailToWrite = Omit<Trail, "validation">;

/** Whether digests are made for a trail of these settings and this logging state. */
export function isValidating({ logging, settings }: Pick<Trail, "logging" | "settings">): boolean {
  return logging.isLogging && settings.logFileValidation;
}

/** `next` with the period that follows from `before`, the period the trail had; nothing else of `next` is changed. */
export function withValidation<Written extends TrailToWrite>(
  next: Written & Pick<Trail, "validation">,
  before: ValidationPeriod | undefined,
  nowMs: number,
): Omit<Written, "validation"> & Pick<Trail, "validation"> {
  const { validation: _given, ...rest } = next;
  const validation = isValidating(next) ? begunPeriod(before, nowMs) : endedPeriod(before, nowMs);
  return { ...rest, ...(validation && { validation }) };
}

/** The period that lasts after `before`: the same one while it lasts, else a new one that begins later than all of it. */
function begunPeriod(before: ValidationPeriod | undefined, nowMs: number): ValidationPeriod {
  if (!before) return { sinceMs: wholeMs(nowMs) };
  if (before.untilMs === undefined) return before;
  // The clock may have been set back since: a period is named by its beginning, so that is never used twice.
  return { sinceMs: Math.max(wholeMs(nowMs), before.untilMs + 1), previousUntilMs: before.untilMs };
}

/** `before`, ended now unless it had ended; undefined when there never was one. */
export function endedPeriod(
  before: ValidationPeriod | undefined,
  nowMs: number,
): ValidationPeriod | undefined {
  if (!before || before.untilMs !== undefined) return before;
  return { ...before, untilMs: Math.max(wholeMs(nowMs), before.sinceMs) };
}

/** A real clock may tell parts of a millisecond. */
function wholeMs(ms: number): number {
  return Math.floor(ms);
}
