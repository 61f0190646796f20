// Every bound of the event history, related by assertions. Bounds, not settings: only tests give others.
import { assert } from "../model/assert.ts";

export interface HistoryLimits {
  /** A segment is sealed when it has so many events … */
  readonly sealRows: number;
  /** … or takes so much memory, packed records and all … */
  readonly sealMemoryBytes: number;
  /** … or its events arrived over so large a part of the retention: where few come, they leave the journal all the same … */
  readonly sealShareMax: number;
  /** … or the journal would have to keep more than this for it (events of other categories count too). */
  readonly coveredBytesMax: number;
  /** … and never more than this part of the journal. */
  readonly coveredShareMax: number;
  /** Records of one block are compressed together: what is read to show one of them. */
  readonly blockBytes: number;
  /** Record bytes taken from the journal in one go, before others have their turn. */
  readonly sliceBytes: number;
  /** So many neighbours of like size become one segment … */
  readonly mergeCount: number;
  /** … while the result has at most so many events, and bytes of records. */
  readonly mergedRowsMax: number;
  readonly mergedBytesMax: number;
  /** … and spans no more than this part of the retention: old days go by whole segments. */
  readonly mergedShareMax: number;
  /** Memory for pages of segment files. */
  readonly pageCacheBytes: number;
  /** Between two looks at the journal, so that a busy one is not read frame by frame. */
  readonly pauseMs: number;
  readonly retryMs: number;
  /** How often segments that are over are looked for. */
  readonly tidyMs: number;
  /** Lookups that read at this moment; others wait for their turn. */
  readonly lookupsMax: number;
  /** Records of one answer: when they are more, the page ends early. */
  readonly pageBytesMax: number;
  /** How long LookupEvents waits for what was journaled before it. */
  readonly catchUpMsMax: number;
  /** History that cannot be written gives up what waits when the journal is fuller than this. */
  readonly journalShareMax: number;
  readonly stopMsMax: number;
}

const mebibyte = 1024 * 1024;

export const defaultLimits: HistoryLimits = {
  // The fewer segments are sealed, the fewer are merged, and to merge cost a quarter of all. It is some 45 MB of memory, and at
  // most `coveredBytesMax` of the journal that are taken again after a restart, in a second.
  sealRows: 128 * 1024,
  sealMemoryBytes: 64 * mebibyte,
  sealShareMax: 1 / 36,
  coveredBytesMax: 256 * mebibyte,
  coveredShareMax: 1 / 8,
  blockBytes: 64 * 1024,
  sliceBytes: 256 * 1024,
  // So many segments as they are sealed fit both bounds of the result, whichever of theirs they reached.
  mergeCount: 8,
  mergedRowsMax: 2 * mebibyte,
  mergedBytesMax: 3_500 * mebibyte,
  mergedShareMax: 1 / 6,
  pageCacheBytes: 64 * mebibyte,
  pauseMs: 10,
  retryMs: 1_000,
  tidyMs: 600_000,
  lookupsMax: 8,
  pageBytesMax: 8 * mebibyte,
  catchUpMsMax: 2_000,
  journalShareMax: 0.75,
  stopMsMax: 2_000,
};

export function checkLimits(limits: HistoryLimits): void {
  assert(limits.blockBytes <= limits.sealMemoryBytes, "a block fits a segment");
  assert(limits.sealShareMax <= limits.mergedShareMax, "a segment spans no more than merged ones may");
  assert(limits.mergeCount >= 2, "a merge makes fewer segments");
  assert(limits.mergedRowsMax <= 4 * mebibyte, "rows fit the numbers that sort them");
  assert(limits.mergedBytesMax < 2 ** 32 - 2 * mebibyte, "places of records are 32-bit numbers");
  assert(limits.coveredShareMax < limits.journalShareMax, "history that works never gives up");
}
