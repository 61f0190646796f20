// The wire of AWS JSON 1.1 (api.md §1.2-1.5): targets, content types, bodies that are no input, wrong types, and the
// form of answers and errors. What the SDK would never send.
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Api,
  bucket,
  makeTrail,
  type RawAnswer,
  readAnswer,
  startApi,
  unsignedScope,
} from "../harness/api-fixture.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const jsonType = "application/x-amz-json-1.1";
const prefixes = ["com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.", "CloudTrail_20131101."];
const account = "123456789012";

async function post(change: {
  headers?: Record<string, string | undefined>;
  body?: string;
  path?: string;
}): Promise<RawAnswer> {
  const headers: Record<string, string | undefined> = {
    authorization: unsignedScope({ account }, "cloudtrail"),
    "content-type": jsonType,
    "x-amz-target": "CloudTrail_20131101.DescribeTrails",
    ...change.headers,
  };
  const given = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
  // A body of bytes: fetch adds a content type of its own to texts.
  const body = new TextEncoder().encode(change.body ?? "{}");
  return readAnswer(await fetch(`${api.url}${change.path ?? "/"}`, { method: "POST", headers: given, body }));
}

describe("a request", () => {
  test.each(prefixes)("with the target %s… is answered", async (prefix) => {
    const answer = await post({ headers: { "x-amz-target": `${prefix}DescribeTrails` } });
    expect(answer).toMatchObject({ status: 200, contentType: jsonType, text: '{"trailList":[]}' });
    expect(answer.requestId).toMatch(uuid);
  });

  test("may have a query and parameters of the content type", async () => {
    const answer = await post({
      path: "/?some=query",
      headers: { "content-type": `${jsonType}; charset=utf-8` },
    });
    expect(answer.status).toBe(200);
  });

  test("may have spaces around its body and a byte order of members of its own", async () => {
    const body = ' \n{ "includeShadowTrails" : false , "trailNameList" : [ ] }\n ';
    expect(await post({ body })).toMatchObject({ status: 200 });
  });

  test("has an id of its own", async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => post({})));
    expect(new Set(answers.map((answer) => answer.requestId)).size).toBe(5);
  });

  test("is dated, for clients correct their clock by it", async () => {
    const response = await fetch(api.url, { method: "POST", body: "{}" });
    expect(Date.parse(response.headers.get("date") ?? "")).toBeGreaterThan(Date.now() - 60_000);
  });
});

describe("an unknown operation has no text", () => {
  test.each([
    ["a name that is none", "CloudTrail_20131101.DescribeTrail"],
    ["another case", "CloudTrail_20131101.describeTrails"],
    ["no prefix", "DescribeTrails"],
    ["another case of the prefix", "cloudtrail_20131101.DescribeTrails"],
    ["another version", "CloudTrail_20991231.DescribeTrails"],
    ["a property every object has", "CloudTrail_20131101.constructor"],
    ["nothing behind the prefix", "CloudTrail_20131101."],
    ["no target", undefined],
  ])("%s", async (_what, target) => {
    const answer = await post({ headers: { "x-amz-target": target } });
    expect(answer).toMatchObject({
      status: 400,
      contentType: jsonType,
      text: '{"__type":"UnknownOperationException"}',
    });
    expect(answer.requestId).toMatch(uuid);
  });

  test.each([undefined, "application/x-amz-json-1.0"])("content type %s", async (type) => {
    const answer = await post({ headers: { "content-type": type } });
    expect(answer.status).toBe(404);
    expect(answer.text).toContain("<UnknownOperationException/>");
  });

  test("the path of the CBOR protocol", async () => {
    const path = "/service/CloudTrail_20131101/operation/DescribeTrails";
    const answer = await post({
      path,
      headers: { "content-type": "application/cbor", "x-amz-target": undefined },
    });
    expect(answer.status).toBe(404);
    expect(answer.text).toContain("UnknownOperationException");
  });
});

describe("a body that is no input", () => {
  test.each([
    ["is empty", ""],
    ["is cut off", '{"Name":"my-trail"'],
    ["has a trailing comma", '{"Name":"my-trail",}'],
    ["is null", "null"],
    ["is a text", '"my-trail"'],
    ["is no JSON", "Name=my-trail"],
    ["goes on behind its end", "{} {}"],
  ])("%s", async (_what, body) => {
    const answer = await post({ headers: { "x-amz-target": "CloudTrail_20131101.GetTrail" }, body });
    expect(answer).toMatchObject({
      status: 400,
      contentType: jsonType,
      text: '{"__type":"SerializationException"}',
    });
  });

  test("is no UTF-8", async () => {
    const headers = {
      authorization: unsignedScope({ account }, "cloudtrail"),
      "content-type": jsonType,
      "x-amz-target": "CloudTrail_20131101.GetTrail",
    };
    const body = new Uint8Array([...new TextEncoder().encode('{"Name":"abc'), 0xff, 0xfe, 0x22, 0x7d]);
    const answer = await readAnswer(await fetch(api.url, { method: "POST", headers, body }));
    expect(answer.status).toBe(400);
  });

  test("is nested very deeply", async () => {
    const body = `{"Name":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
    const answer = await post({ headers: { "x-amz-target": "CloudTrail_20131101.GetTrail" }, body });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ __type: "SerializationException" });
  });
});

describe("a member of a wrong type", () => {
  test.each<[operation: string, body: unknown, text: string]>([
    ["GetTrail", [], "Start of list found where not expected"],
    ["GetTrail", { Name: 5 }, "NUMBER_VALUE can not be converted to a String"],
    ["GetTrail", { Name: true }, "TRUE_VALUE can not be converted to a String"],
    ["GetTrail", { Name: false }, "FALSE_VALUE can not be converted to a String"],
    ["GetTrail", { Name: [] }, "Start of list found where not expected"],
    ["GetTrail", { Name: {} }, "Start of structure or map found where not expected."],
    ["DescribeTrails", { trailNameList: "my-trail" }, "Expected list or null"],
    ["PutEventSelectors", { TrailName: "abc", EventSelectors: ["x"] }, "Expected null"],
    ["LookupEvents", { MaxResults: "5" }, "STRING_VALUE can not be converted to an Integer"],
    ["LookupEvents", { MaxResults: true }, "TRUE_VALUE can not be converted to an Integer"],
    ["CreateTrail", { Name: 5 }, "NUMBER_VALUE can not be converted to a String"],
    ["AddTags", { ResourceId: "x", TagsList: [{ Key: 1 }] }, "NUMBER_VALUE can not be converted to a String"],
  ])("%s %j", async (operation, body, Message) => {
    const answer = await api.raw(operation, body, { account });
    expect(answer).toMatchObject({ status: 400, contentType: jsonType });
    expect(answer.json).toEqual({ __type: "SerializationException", Message });
  });

  test("is no fraction where an integer is expected: it is cut", async () => {
    // 50.9 is within the limit of 50 once it is cut.
    const answer = await api.raw("LookupEvents", { MaxResults: 50.9 }, { account });
    expect(answer.status).toBe(200);
    const one = await api.raw("LookupEvents", { MaxResults: 1.9 }, { account });
    expect((one.json as { Events: unknown[] }).Events).toHaveLength(1);
  });

  test("is told before a missing one", async () => {
    const answer = await api.raw("AddTags", { TagsList: "x" }, { account });
    expect(answer.json).toMatchObject({ __type: "SerializationException" });
  });
});

describe("an error", () => {
  test("is the bare code and a text with a capital M", async () => {
    const answer = await api.raw("GetTrail", { Name: "no-such-trail" }, { account });
    expect(answer).toMatchObject({ status: 400, contentType: jsonType });
    expect(answer.requestId).toMatch(uuid);
    expect(answer.json).toEqual({
      __type: "TrailNotFoundException",
      Message: `Unknown trail: no-such-trail for the user: ${account}`,
    });
  });

  test("of a member's access has a small one", async () => {
    const management = api.as("111111111111");
    const arn = await makeTrail(management, "org-trail", { IsOrganizationTrail: true });
    const answer = await api.raw("DeleteTrail", { Name: arn }, { account: "333333333333" });
    expect(answer.json).toEqual({
      __type: "AccessDeniedException",
      message: "Access Denied: You do not have permission to operate on this resource",
    });
    await management.deleteTrail({ Name: arn });
  });

  test("of a Region that is none", async () => {
    const answer = await api.raw("DescribeTrails", {}, { account, region: "nowhere-1" });
    expect(answer.json).toEqual({
      __type: "InvalidSignatureException",
      message: "Credential should be scoped to a valid region.",
    });
  });

  test("of a body beyond the limit is 413, and the server goes on", async () => {
    const Name = "x".repeat(2 * 1024 * 1024);
    const answer = await post({
      headers: { "x-amz-target": "CloudTrail_20131101.GetTrail" },
      body: JSON.stringify({ Name }),
    });
    expect(answer.status).toBe(413);
    expect(answer.json).toMatchObject({ __type: "RequestEntityTooLargeException" });
    expect((await post({})).status).toBe(200);
  });
});

test("without signature the call is the default account's", async () => {
  const answer = await post({
    headers: { authorization: undefined, "x-amz-target": "CloudTrail_20131101.CreateTrail" },
    body: JSON.stringify({ Name: "default-trail", S3BucketName: bucket }),
  });
  expect(answer.json).toMatchObject({
    TrailARN: "arn:aws:cloudtrail:us-east-1:123456789012:trail/default-trail",
  });
});

test("an access key that is no account is the default account's", async () => {
  const answer = await api.raw("GetTrail", { Name: "default-trail" }, { account: "AKIAIOSFODNN7EXAMPLE" });
  expect(answer.json).toMatchObject({ Trail: { Name: "default-trail" } });
});

describe("what a browser could be made to send", () => {
  /** fetch does not let one choose the host. */
  const statusWith = (headers: Record<string, string>) =>
    new Promise<number | undefined>((resolve, reject) => {
      const all = {
        authorization: unsignedScope({ account }, "cloudtrail"),
        "content-type": jsonType,
        "x-amz-target": "CloudTrail_20131101.DescribeTrails",
        ...headers,
      };
      const sent = request(api.url, { method: "POST", headers: all }, (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode));
      });
      sent.on("error", reject).end("{}");
    });

  test.each<[what: string, headers: Record<string, string>]>([
    ["a host that is not this server's", { host: "evil.example" }],
    ["a host that only begins like it", { host: "127.0.0.1.evil.example" }],
    ["the origin of another site", { origin: "https://evil.example" }],
    ["the origin of a document without one", { origin: "null" }],
  ])("%s is refused", async (_what, headers) => {
    const status = (await statusWith(headers)) ?? 0;
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  test("its own host names are answered", async () => {
    const { port } = new URL(api.url);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      expect(await statusWith({ host })).toBe(200);
    }
  });
});
