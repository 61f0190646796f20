// A record found in a body: where it lies, and its fields or why it is none. Pure.
import type { RecordFields } from "./record.ts";
import { byte, type Span } from "./scan-bytes.ts";
import type { RecordReading } from "./scan-record.ts";

/** `start` and `end` (exclusive) are byte offsets in the body; `index` counts records from 0. */
export type ScannedRecord = {
  readonly index: number;
  readonly start: number;
  readonly end: number;
} & (ReadableRecord | { readonly problem: string });

export interface ReadableRecord {
  /** A plain object, for whoever keeps it. */
  readonly fields: RecordFields;
  /** The same, read from the body's bytes when asked: nothing is made of what nobody asks. Keeps the body alive. */
  readonly inPlace: RecordFields;
  /** True when required.ts has nothing to object to. False says nothing: look. */
  readonly isValid: boolean;
  /** True when it is valid, and no member is absent that splice.ts could add. False says nothing. */
  readonly isComplete: boolean;
  /** False when the record certainly stands on one line. */
  readonly mayHaveLineBreak: boolean;
}

export type BatchScan =
  | { readonly kind: "records"; readonly records: readonly ScannedRecord[] }
  /** The body as a whole is none of the forms. */
  | { readonly kind: "malformed"; readonly message: string };

export const batchRecordsMax = 200_000;

/** A record as scan-record.ts read it. */
export function plainRecord(
  { start, end }: Span,
  result: { readonly index: number; readonly reading: RecordReading },
): ScannedRecord {
  const { index, reading } = result;
  if (reading.kind !== "fields") return { index, start, end, problem: reading.problem };
  const { fields } = reading;
  return {
    index,
    start,
    end,
    fields,
    inPlace: fields,
    isValid: false,
    isComplete: false,
    mayHaveLineBreak: true,
  };
}

/** Inside JSON a raw line break can stand only between tokens. */
export function hasLineBreak({ bytes, start, end }: Span): boolean {
  const own = bytes.subarray(start, end);
  return own.includes(byte.lineFeed) || own.includes(byte.carriageReturn);
}
