// Admits one scanned record: its required members, Region and account are checked, absent members are spliced in,
// and the selectors decide. The answer is what will be journaled, or why not. Pure but for the ids it draws.
import type { RecordFields } from "../event/record.ts";
import { missingMember } from "../event/required.ts";
import { compactRecord, type ScannedRecord } from "../event/scan.ts";
import { spliceMissing } from "../event/splice.ts";
import type { FrameRecord } from "../journal/contract.ts";
import type { AccountId } from "../model/arn.ts";
import type { SelectorIndex } from "../selector/selector-index.ts";
import type { Places, Refusal } from "./places.ts";

export interface Admission {
  readonly index: SelectorIndex;
  readonly places: Places;
  /** Fills an absent recipientAccountId. */
  readonly callerAccount: AccountId;
  readonly newEventId: () => string;
}

/** `batch` is the whole body; `scanned` a byte range of it. Records that lack nothing keep their bytes. */
export function admitRecord(
  batch: Uint8Array,
  scanned: ScannedRecord,
  admission: Admission,
): FrameRecord | Refusal {
  if ("problem" in scanned) return { code: "InvalidData", message: scanned.problem };
  const own = batch.subarray(scanned.start, scanned.end);
  const bytes = scanned.mayHaveLineBreak ? compactRecord(own) : own;
  // The common case: nothing to say against the record, nothing to add.
  if (scanned.isComplete) return decided(bytes, scanned.inPlace, admission);
  const spliced = spliceMissing(bytes, scanned.fields, {
    eventID: admission.newEventId,
    recipientAccountId: admission.callerAccount,
  });
  const missing = scanned.isValid ? undefined : missingMember(spliced.fields);
  if (missing !== undefined) {
    return {
      code: "FieldNotFound",
      message: `The member ${missing} is missing or has a value that is not valid.`,
    };
  }
  return decided(spliced.bytes, spliced.fields, admission);
}

/** `fields` are those of a record without a missing member. */
function decided(bytes: Uint8Array, fields: RecordFields, admission: Admission): FrameRecord | Refusal {
  const place = admission.places.of(fields.awsRegion ?? "", fields.recipientAccountId ?? "");
  return "code" in place ? place : { bytes, matchSet: admission.index.match(fields, place) };
}
