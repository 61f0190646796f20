// ListPublicKeys over the API: a Region that has signed nothing, the range, the wire.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, startApi } from "../harness/api-fixture.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());

const account = "123456789012";

describe("ListPublicKeys", () => {
  test.each<[string, object]>([
    ["without input", {}],
    ["of the past", { StartTime: 1_700_000_000, EndTime: 1_700_003_600 }],
    ["with a token, which is not looked at", { NextToken: "any" }],
  ])("%s is an empty list where nothing was signed", async (_what, input) => {
    const answer = await api.raw("ListPublicKeys", input, { account });
    expect(answer).toMatchObject({ status: 200, contentType: "application/x-amz-json-1.1" });
    expect(answer.json).toEqual({ PublicKeyList: [] });
  });

  test.each<[string, object]>([
    ["a start after the end", { StartTime: 1_700_003_600, EndTime: 1_700_000_000 }],
    ["a start after now", { StartTime: 32_503_680_000 }],
    ["an end before now without a start", { EndTime: 1_700_000_000 }],
  ])("refuses %s", async (_what, input) => {
    const answer = await api.raw("ListPublicKeys", input, { account });
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({
      __type: "InvalidTimeRangeException",
      Message: "The start time must be before the end time.",
    });
  });

  test("is understood by the SDK", async () => {
    const answer = await api.as(account).listPublicKeys({ StartTime: new Date(0) });
    expect(answer.PublicKeyList).toEqual([]);
    await expect(api.as(account).listPublicKeys({ EndTime: new Date(0) })).rejects.toMatchObject({
      name: "InvalidTimeRangeException",
    });
  });
});
