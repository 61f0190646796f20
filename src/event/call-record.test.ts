// The text of a call's record against the object it stands for, member by member, over random calls.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseAccountId } from "../model/arn.ts";
import type { Caller } from "../model/call.ts";
import { parseRegion } from "../model/regions.ts";
import { type CallAttempt, callRecordText, type RecordStamp } from "./call-record.ts";

const accountId = parseAccountId("123456789012");
const region = parseRegion("us-east-1");
if (!accountId || !region) throw new Error("The account and Region of the test are well-formed.");

const person = { accountId, arn: `arn:aws:iam::${accountId}:user/mary`, principalId: "AIDAMARY" };
const callers: readonly (readonly [Caller, Record<string, unknown>])[] = [
  [
    { ...person, kind: "user", userName: 'm"a\\ry\n', accessKeyId: "AKIAMARY", session: { issuedMs: 1_000 } },
    {
      ...{ type: "IAMUser", principalId: "AIDAMARY", arn: person.arn, accountId, accessKeyId: "AKIAMARY" },
      userName: 'm"a\\ry\n',
      sessionContext: { attributes: { creationDate: "1970-01-01T00:00:01Z", mfaAuthenticated: "false" } },
    },
  ],
  [
    { ...person, kind: "root", session: {} },
    {
      ...{ type: "Root", principalId: "AIDAMARY", arn: person.arn, accountId },
      sessionContext: { attributes: { mfaAuthenticated: "false" } },
    },
  ],
  [
    { ...person, kind: "unverified", accessKeyId: "x" },
    { type: "Unknown", principalId: accountId, accountId, accessKeyId: "x" },
  ],
];

const stamp: RecordStamp = { eventId: "2f2d0d9a-3d6e-4b86-9d2c-08f5d5f0a1c7", finishedMs: 1_768_036_721_999 };

/** Members in the order of real records; what JSON.stringify leaves out is absent. */
function plainRecord(attempt: CallAttempt, identity: Record<string, unknown>): Record<string, unknown> {
  const { call, operation, error } = attempt;
  const isRead = operation.startsWith("Get");
  return {
    eventVersion: "1.11",
    userIdentity: identity,
    eventTime: "2026-01-10T09:18:41Z",
    eventSource: "cloudtrail.amazonaws.com",
    eventName: operation,
    awsRegion: "us-east-1",
    sourceIPAddress: call.sourceIp,
    userAgent: call.userAgent.toWellFormed(),
    errorCode: error?.code === "AccessDeniedException" ? "AccessDenied" : error?.code,
    errorMessage: error?.message.toWellFormed(),
    requestParameters: lowered(attempt.input),
    responseElements: isRead || error ? null : lowered(attempt.output),
    additionalEventData:
      call.caller.kind === "unverified"
        ? { identityVerified: false, reason: "Authentication is off." }
        : undefined,
    requestID: call.requestId,
    eventID: stamp.eventId,
    readOnly: isRead,
    eventType: "AwsApiCall",
    managementEvent: true,
    recipientAccountId: accountId,
    eventCategory: "Management",
    tlsDetails: call.tls,
  };
}

function lowered(value: unknown): unknown {
  if (value === undefined || JSON.stringify(value) === "{}") return null;
  const text = JSON.stringify(value);
  return JSON.parse(text.replace(/"Name":/g, '"name":').replace(/"Tags":/g, '"tags":')) as unknown;
}

const text = fc.string({ unit: "binary", maxLength: 40 });
const members = fc.oneof(
  fc.constantFrom(undefined, {}),
  fc.record(
    { Name: text, Tags: fc.array(fc.record({ Name: text }), { maxLength: 2 }) },
    { requiredKeys: [] },
  ),
);
const attempts = fc.record({
  caller: fc.constantFrom(...callers),
  operation: fc.constantFrom("GetTrail", "CreateTrail"),
  texts: fc.tuple(text, text, text),
  input: members,
  output: members,
  error: fc.option(fc.record({ code: fc.constantFrom("AccessDeniedException", "X"), message: text })),
  tls: fc.option(fc.record({ tlsVersion: text, cipherSuite: text, clientProvidedHostHeader: text })),
});

test("the text is the JSON of the record", () => {
  fc.assert(
    fc.property(attempts, ({ caller: [caller, identity], texts, tls, error, ...more }) => {
      const [sourceIp, userAgent, requestId] = texts;
      const call = { caller, region, requestId, sourceIp, userAgent, ...(tls && { tls }) };
      const attempt = { call, ...more, ...(error && { error }) } as CallAttempt;
      expect(callRecordText(attempt, stamp)).toBe(JSON.stringify(plainRecord(attempt, identity)));
    }),
    { seed: 81_016, numRuns: 1000 },
  );
});
