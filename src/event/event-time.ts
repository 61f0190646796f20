// Reads a record that stands by itself: by the scanner, and where that cannot affirm it, plainly. Pure.
import { readRecord, type RecordReading } from "./scan-record.ts";
import { scanOne } from "./scan-span.ts";

/** Takes the bytes of one record without white space around it. The fields are read in place: they keep the bytes alive. */
export function readOne(record: Uint8Array): RecordReading {
  const span = { bytes: record, start: 0, end: record.length };
  const affirmed = scanOne(span);
  return affirmed ? { kind: "fields", fields: affirmed.inPlace } : readRecord(span);
}

/** The eventTime of a record, or undefined when it has none or is no record. */
export function eventTimeOf(record: Uint8Array): string | undefined {
  const reading = readOne(record);
  return reading.kind === "fields" ? reading.fields.eventTime : undefined;
}
