// What a digest says of a log file's content: its hash and the times of its oldest and newest record (formats.md §3.2).
// Pure. Must not: know chains.
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { scanBatch } from "../event/scan.ts";
import type { FileEvidence } from "./delivered-file.ts";

/** Keeps the least and the greatest eventTime it is shown. */
export class TimeSpan {
  #oldest: string | undefined;
  #newest: string | undefined;

  /** Times of another form than `YYYY-MM-DDTHH:MM:SSZ` do not count: among that form text order is time order. */
  include(time: string | undefined): void {
    if (time === undefined || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(time)) return;
    if (this.#oldest === undefined || time < this.#oldest) this.#oldest = time;
    if (this.#newest === undefined || time > this.#newest) this.#newest = time;
  }

  includeSpan(other: TimeSpan | undefined): void {
    if (!other) return;
    this.include(other.#oldest);
    this.include(other.#newest);
  }

  get times(): Pick<FileEvidence, "oldestEventTime" | "newestEventTime"> {
    return {
      ...(this.#oldest !== undefined && { oldestEventTime: this.#oldest }),
      ...(this.#newest !== undefined && { newestEventTime: this.#newest }),
    };
  }
}

/** Of a log file as it lies in the bucket; `textBytesMax` bounds what it inflates to. Throws when it is no gzip. */
export function evidenceOfFile(body: Uint8Array, textBytesMax: number): FileEvidence {
  const text = gunzipSync(body, { maxOutputLength: textBytesMax });
  const span = new TimeSpan();
  const scan = scanBatch(text);
  if (scan.kind === "records") {
    for (const record of scan.records) if ("inPlace" in record) span.include(record.inPlace.eventTime);
  }
  return { sha256: createHash("sha256").update(text).digest("hex"), ...span.times };
}
