// The operations that later versions bring: a valid call of each is answered UnsupportedOperationException with 400,
// never a 5xx. The list and the inputs come from the model, so that none is forgotten.
import { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { operationShapes, shapes } from "../../src/model/generated/shapes.ts";
import { type Api, readAnswer, startApi, unsignedScope } from "../harness/api-fixture.ts";

const supported = [
  ...["CreateTrail", "UpdateTrail", "DeleteTrail", "DescribeTrails", "GetTrail", "ListTrails"],
  ...["GetTrailStatus", "StartLogging", "StopLogging", "PutEventSelectors", "GetEventSelectors"],
  ...["PutInsightSelectors", "GetInsightSelectors", "AddTags", "RemoveTags", "ListTags"],
  ...["ListPublicKeys", "LookupEvents"],
];
const unsupported = Object.keys(operationShapes).filter((name) => !supported.includes(name));
const account = "123456789012";
const text = "The operation requested is not supported in the region.";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());

interface AnyShape {
  readonly type: string;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly members?: Readonly<Record<string, string>>;
  readonly required?: readonly string[];
  readonly member?: string;
}

const allShapes: Readonly<Record<string, AnyShape>> = shapes;

/** Texts of many forms: for each string shape the first that its constraints allow. */
const texts = [
  ...["trail-1", "123456789012", "11111111-2222-3333-4444-555555555555", "ec2.amazonaws.com", "RunInstances"],
  ...["06:00", "s3://bucket/prefix", "arn:aws:cloudtrail:us-east-1:123456789012:channel/x", "SELECT 1"],
];

/** The least value of a shape: required members only, lists as short as allowed. */
function leastValue(name: string): unknown {
  const shape = allShapes[name];
  if (!shape) throw new Error(`The model has no shape ${name}.`);
  switch (shape.type) {
    case "structure":
      return Object.fromEntries(
        (shape.required ?? []).map((member) => [member, leastValue(shape.members?.[member] ?? "")]),
      );
    case "list":
      return Array.from({ length: Math.max(1, shape.min ?? 0) }, () => leastValue(shape.member ?? ""));
    case "map":
      return {};
    case "string":
      return leastText(name, shape);
    case "boolean":
      return true;
    case "timestamp":
      return 1_767_225_600;
    default:
      return Math.max(1, shape.min ?? 0);
  }
}

function leastText(name: string, { enum: values, pattern, min = 0, max = Infinity }: AnyShape): string {
  if (values) return values[0] ?? "";
  const form = pattern === undefined ? /^/ : new RegExp(`^(?:${pattern.replace("(?s)", "")})$`);
  const found = texts.find((text) => text.length >= min && text.length <= max && form.test(text));
  if (found === undefined) throw new Error(`No text fits the shape ${name}: add one to the list.`);
  return found;
}

const inputOf = (operation: string) =>
  leastValue(operationShapes[operation as keyof typeof operationShapes].input);

test("42 operations are not there yet", () => {
  expect(unsupported).toHaveLength(42);
});

describe("as bytes on the wire", () => {
  test.each(unsupported)("%s", async (operation) => {
    const answer = await api.raw(operation, inputOf(operation), { account });
    expect(answer).toMatchObject({ status: 400, contentType: "application/x-amz-json-1.1" });
    expect(answer.json).toEqual({ __type: "UnsupportedOperationException", Message: text });
    expect(answer.requestId).not.toBe("");
  });
});

describe("with the SDK", () => {
  test.each(unsupported)("%s", async (operation) => {
    const client = api.as(account);
    const method = (operation.slice(0, 1).toLowerCase() + operation.slice(1)) as "lookupEvents";
    expect(CloudTrail.prototype[method]).toBeTypeOf("function");
    const error = await client[method](forSdk(inputOf(operation)) as object).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      name: "UnsupportedOperationException",
      message: text,
      $metadata: { httpStatusCode: 400 },
    });
  });
});

/** The SDK takes Dates where the wire has seconds. */
function forSdk(value: unknown): unknown {
  if (value === 1_767_225_600) return new Date(value * 1000);
  if (Array.isArray(value)) return value.map(forSdk);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, forSdk(member)]));
}

describe("a broken input is told as such, not as unsupported", () => {
  test.each([
    ["LookupEvents", { MaxResults: 51 }, "InvalidMaxResultsException"],
    ["CreateChannel", {}, "InvalidParameterException"],
    ["LookupEvents", { MaxResults: "many" }, "SerializationException"],
  ])("%s %j", async (operation, input, code) => {
    const answer = await api.raw(operation, input, { account });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ __type: code });
  });
});

test("PutAuditEvents of cloudtrail-data", async () => {
  const channel = encodeURIComponent(
    `arn:aws:cloudtrail:us-east-1:${account}:channel/11111111-2222-3333-4444-555555555555`,
  );
  const response = await fetch(`${api.url}/PutAuditEvents?channelArn=${channel}`, {
    method: "POST",
    headers: {
      authorization: unsignedScope({ account }, "cloudtrail-data"),
      "content-type": "application/json",
    },
    body: JSON.stringify({ auditEvents: [{ id: "one", eventData: "{}" }] }),
  });
  expect(response.headers.get("x-amzn-errortype")).toBe("UnsupportedOperationException");
  const answer = await readAnswer(response);
  expect(answer).toMatchObject({ status: 400, contentType: "application/json" });
  expect(answer.json).toEqual({ message: text });
});
