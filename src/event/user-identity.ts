// The record's userIdentity of a caller whom the door knows (formats.md §1.4). Pure.
import type { Caller } from "../model/call.ts";
import type { JsonObject } from "../model/json.ts";
import { isoSeconds } from "../model/timestamp.ts";

/** Unverified callers claim no more than an account. */
export function userIdentity(caller: Caller): JsonObject {
  const { accountId, accessKeyId } = caller;
  if (caller.kind === "unverified") return unknownIdentity(accountId, accessKeyId);
  return {
    type: caller.kind === "root" ? "Root" : "IAMUser",
    principalId: caller.principalId,
    arn: caller.arn,
    accountId,
    ...(accessKeyId ? { accessKeyId } : {}),
    ...(caller.userName ? { userName: caller.userName } : {}),
    ...(caller.session ? { sessionContext: { attributes: sessionAttributes(caller.session.issuedMs) } } : {}),
  };
}

/** Of somebody of whom no more than the account and the key are known. */
export function unknownIdentity(accountId: string, accessKeyId: string | undefined): JsonObject {
  return { type: "Unknown", principalId: accountId, accountId, ...(accessKeyId ? { accessKeyId } : {}) };
}

/** `sessionContext.attributes` of temporary credentials. */
export function sessionAttributes(issuedMs: number | undefined, mfaAuthenticated = false): JsonObject {
  return {
    ...(issuedMs === undefined ? {} : { creationDate: isoSeconds(issuedMs) }),
    mfaAuthenticated: String(mfaAuthenticated),
  };
}
