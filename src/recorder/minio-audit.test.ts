// MinIO's audit entries as passed calls: what is read from which member, what is left alone, what is recorded once.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAccountId } from "../model/arn.ts";
import { parseRegion } from "../model/regions.ts";
import type { PassedCall } from "./contract.ts";
import { createMinioAudit } from "./minio-audit.ts";
import { callOfEntry } from "./minio-entry.ts";

const account = parseAccountId("123456789012");
const region = parseRegion("us-east-1");
if (!account || !region) throw new Error("The place of the tests is none.");
const place = { account, region, nowMs: 1_768_036_721_500, requestId: "cairn-request" };

/** Members as of MinIO's releases of 2023 to 2025. */
const put = {
  version: "1",
  deploymentid: "bc0e4d1e-bacc-42eb-91ad-2d7f3eacfa8d",
  time: "2026-01-10T09:18:41.250817748Z",
  event: "",
  trigger: "incoming",
  api: {
    name: "PutObject",
    bucket: "photos",
    object: "2026/a b.jpg",
    status: "OK",
    statusCode: 200,
    rx: 512,
    tx: 0,
    timeToResponse: "16438202ns",
  },
  remotehost: "192.0.2.10",
  requestID: "15BA4A72C0C70AFC",
  userAgent: "MinIO (linux; amd64) minio-go/v7.0.90 mc/RELEASE",
  requestHeader: {
    Authorization:
      "AWS4-HMAC-SHA256 Credential=mary/20260110/eu-west-1/s3/aws4_request,SignedHeaders=host;x-amz-date,Signature=aa11",
    "Content-Type": "image/jpeg",
    "X-Amz-Date": "20260110T091841Z",
  },
  requestQuery: { partNumber: "1", uploadId: "x y" },
  responseHeader: { ETag: "a414c889dc276457bd7175f974332cb0", "X-Amz-Request-Id": "15BA4A72C0C70AFC" },
  accessKey: "mary",
};

describe("an entry", () => {
  test("becomes the call that MinIO answered", () => {
    const call = callOfEntry(put, place);
    expect(call).toMatchObject({
      head: {
        service: "s3",
        region: "eu-west-1",
        method: "PUT",
        path: "/photos/2026/a%20b.jpg",
        query: "partNumber=1&uploadId=x%20y",
      },
      bytesIn: 512,
      bytesOut: 0,
      startedMs: 1_768_036_721_234,
      finishedMs: 1_768_036_721_250,
      requestId: "15BA4A72C0C70AFC",
      caller: {
        accessKeyId: "mary",
        verified: { kind: "user", arn: "arn:aws:iam::123456789012:user/mary", userName: "mary" },
        signature: { version: "SigV4", method: "AuthHeader" },
        sourceIp: "192.0.2.10",
      },
      answer: { status: 200 },
    });
    expect(call?.head.headers.get("content-type")).toEqual(["image/jpeg"]);
    expect(call?.eventId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(callOfEntry(put, place)?.eventId).toBe(call?.eventId);
  });

  test("of a service account names the user behind it", () => {
    const call = callOfEntry({ ...put, accessKey: "SVCKEY", parentUser: "mary" }, place);
    expect(call?.caller.verified).toMatchObject({ userName: "mary", accessKeyId: "SVCKEY", session: {} });
  });

  test("whose signature MinIO did not believe claims nobody", () => {
    const { accessKey: _, ...refused } = { ...put, api: { ...put.api, statusCode: 403 } };
    expect(callOfEntry(refused, place)?.caller).toMatchObject({
      accessKeyId: "mary",
      verified: { kind: "unverified", accountId: "123456789012" },
    });
  });

  test("without a signature is anonymous", () => {
    const { accessKey: _, requestHeader: __, ...anonymous } = put;
    const call = callOfEntry(anonymous, place);
    expect(call?.caller).toMatchObject({ signature: { version: "none" } });
    expect(call?.caller.accessKeyId).toBeUndefined();
    expect(call?.head.region).toBe("us-east-1");
  });

  test("has the error that MinIO says in headers", () => {
    const responseHeader = { "X-Minio-Error-Code": "NoSuchKey", "X-Minio-Error-Desc": '"Not there."' };
    const call = callOfEntry(
      { ...put, api: { ...put.api, name: "HeadObject", statusCode: 404 }, responseHeader },
      place,
    );
    expect(new TextDecoder().decode(call?.answer.body.bytes)).toBe(
      '{"code":"NoSuchKey","message":"Not there."}',
    );
  });

  test.each([
    ["a probe", {}],
    ["no object", 7],
    ["administration", { ...put, api: { name: "ServerInfo", statusCode: 200 } }],
    ["administration of a bucket", { ...put, requestPath: "/minio/admin/v3/set-bucket-quota" }],
    ["expiry", { ...put, trigger: "ilm:expiry" }],
    ["an entry without its call", { ...put, api: null }],
  ])("that is %s is no call to S3", (_what, entry) => {
    expect(callOfEntry(entry, place)).toBeUndefined();
  });

  test("of any JSON is read or left alone, and nothing is thrown", () => {
    const part = fc.oneof(fc.jsonValue(), fc.string({ unit: "binary" }));
    const names = ["api", "time", "requestHeader", "requestQuery", "accessKey", "remotehost", "requestID"];
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...names), part),
        fc.dictionary(fc.string(), part),
        (own, api) => {
          const entry = { ...put, ...own, ...("api" in own ? {} : { api: { ...put.api, ...api } }) };
          const call = callOfEntry(entry, place);
          if (call) expect(Number.isFinite(call.finishedMs)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("with members of any other type is read as far as it goes", () => {
    const odd = {
      ...put,
      api: { name: "GetObject", bucket: 1, rx: "x", statusCode: "200" },
      time: [],
      remotehost: {},
    };
    expect(callOfEntry({ ...odd, requestHeader: [], requestQuery: 1, requestID: 5 }, place)).toMatchObject({
      head: { path: "/", method: "GET" },
      finishedMs: place.nowMs,
      requestId: "cairn-request",
    });
  });
});

describe("a post", () => {
  const audit = (options: { full?: boolean; own?: boolean } = {}) => {
    const calls: PassedCall[] = [];
    const state = { full: options.full ?? false };
    const book = createMinioAudit({
      services: {
        understand: async () => ({
          capture: { requestBytes: 0, answerBytes: 0, errorBytes: 0 },
          describe: () => {
            throw new Error("not asked here");
          },
          deedOf: () => ({ action: "", resource: "" }),
          errorAnswer: ({ status }) => ({ status, headers: {}, body: "" }),
        }),
      },
      calls: {
        reserve: () => undefined,
        async record(call) {
          if (state.full) return false;
          calls.push(call);
          return true;
        },
      },
      place: () => ({ account, region }),
      isOwnDelivery: () => options.own ?? false,
      clock: { nowMs: () => place.nowMs },
      random: { uuid: () => "drawn" },
    });
    return { book, calls, state };
  };

  test("is recorded once, however often it comes", async () => {
    const { book, calls } = audit();
    expect(await book.accept([put, put])).toEqual({ recorded: 1, ignored: 1, refused: 0 });
    expect(await book.accept([put])).toEqual({ recorded: 0, ignored: 1, refused: 0 });
    expect(calls).toHaveLength(1);
  });

  test("that the journal refused is recorded when it comes again", async () => {
    const { book, calls, state } = audit({ full: true });
    expect(await book.accept([put])).toEqual({ recorded: 0, ignored: 0, refused: 1 });
    state.full = false;
    expect(await book.accept([put])).toEqual({ recorded: 1, ignored: 0, refused: 0 });
    expect(calls).toHaveLength(1);
  });

  test("of Cairn's own delivery is left alone", async () => {
    const { book, calls } = audit({ own: true });
    expect(await book.accept([put])).toEqual({ recorded: 0, ignored: 1, refused: 0 });
    expect(calls).toEqual([]);
  });
});
