// Chooses which neighbours are merged: so many of like size, within the bounds. Pure.
import type { HistoryLimits } from "./limits.ts";
import type { About } from "./segment-format.ts";

type Size = Pick<About, "rows" | "rawBytes" | "firstArrivedMs" | "lastArrivedMs">;

/** Takes the segments, oldest first; the range to merge, or undefined when there is nothing to do. */
export function chooseMerge(
  segments: readonly Size[],
  limits: HistoryLimits,
  retentionMs: number,
): { readonly from: number; readonly to: number } | undefined {
  const levels = segments.map(({ rows }) => levelOf(rows, limits));
  for (const level of new Set(levels.toSorted((a, b) => a - b))) {
    for (let from = 0; from + limits.mergeCount <= segments.length; from += 1) {
      const to = from + limits.mergeCount;
      const chosen = levels.slice(from, to);
      const isLevel =
        chosen.every((one) => one <= level) &&
        // A large one is not written anew for the sake of a few small ones.
        chosen.filter((one) => one === level).length * 2 >= limits.mergeCount;
      if (isLevel && fits(segments.slice(from, to), limits, retentionMs)) return { from, to };
    }
  }
  return undefined;
}

/** 0: smaller than a sealed segment is as a rule; then by powers of the number that is merged. */
function levelOf(rows: number, { sealRows, mergeCount }: HistoryLimits): number {
  let level = 0;
  for (let size = sealRows / mergeCount; size <= rows; size *= mergeCount) level += 1;
  return level;
}

function fits(segments: readonly Size[], limits: HistoryLimits, retentionMs: number): boolean {
  const rows = segments.reduce((sum, one) => sum + one.rows, 0);
  const rawBytes = segments.reduce((sum, one) => sum + one.rawBytes, 0);
  const spanMs = (segments.at(-1)?.lastArrivedMs ?? 0) - (segments[0]?.firstArrivedMs ?? 0);
  return (
    rows <= limits.mergedRowsMax &&
    rawBytes <= limits.mergedBytesMax &&
    spanMs <= retentionMs * limits.mergedShareMax
  );
}
