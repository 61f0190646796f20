// Admits one scanned record: its required members, Region and account are checked, absent members are spliced in,
// and the selectors decide. The answer is what will be journaled, or why not. Pure but for the ids it draws.
import { compactRecord, type ScannedRecord } from "../event/scan.ts";
import type { RecordFields } from "../event/record.ts";
import { missingMember } from "../event/required.ts";
import { spliceMissing } from "../event/splice.ts";
import type { FrameRecord } from "../journal/contract.ts";
import { type AccountId, parseAccountId } from "../model/arn.ts";
import { parseRegion, type Region } from "../model/regions.ts";
import type { SelectorIndex } from "../selector/selector-index.ts";

/** Codes are those PutAuditEvents uses for its entries (api.md §1.8), plus AccessDenied and InvalidRegion. */
export interface Refusal {
  readonly code:
    | "InvalidData"
    | "FieldTooLong"
    | "FieldNotFound"
    | "InvalidRegion"
    | "InvalidRecipient"
    | "AccessDenied"
    | "Throttling";
  readonly message: string;
}

export interface Admission {
  readonly index: SelectorIndex;
  readonly regions: ReadonlySet<Region>;
  /** Fills an absent recipientAccountId. */
  readonly callerAccount: AccountId;
  readonly mayPut: (account: AccountId) => boolean;
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
  const { bytes, fields } = spliceMissing(compactRecord(own), scanned.fields, {
    eventID: admission.newEventId,
    recipientAccountId: admission.callerAccount,
  });
  const where = placeOf(fields, admission);
  return "code" in where ? where : { bytes, matchSet: admission.index.match(fields, where) };
}

interface Where {
  readonly account: AccountId;
  readonly region: Region;
}

function placeOf(fields: RecordFields, admission: Admission): Where | Refusal {
  const missing = missingMember(fields);
  if (missing !== undefined) {
    return {
      code: "FieldNotFound",
      message: `The member ${missing} is missing or has a value that is not valid.`,
    };
  }
  const region = parseRegion(fields.awsRegion ?? "");
  if (region === undefined || !admission.regions.has(region)) {
    const value = JSON.stringify(fields.awsRegion ?? "");
    return {
      code: "InvalidRegion",
      message: `The member awsRegion is ${value}, which is not a configured Region.`,
    };
  }
  const account = parseAccountId(fields.recipientAccountId ?? "");
  if (account === undefined) {
    return {
      code: "InvalidRecipient",
      message: "The member recipientAccountId is not a 12-digit account id.",
    };
  }
  if (!admission.mayPut(account)) {
    return {
      code: "AccessDenied",
      message: `The caller is not allowed to put events of account ${account} (cairn:PutEvents).`,
    };
  }
  return { account, region };
}
