// S3's real records, turned back into the requests and answers that they tell of, and described again: the same members.
import { describe, expect, test } from "vitest";
import { isObject } from "../../src/model/json.ts";
import { catalogue } from "../../src/recorder/generated/service-catalogue.ts";
import { eventNameOf } from "../../src/recorder/service/event-names.ts";
import {
  described,
  type TestAnswer,
  type TestRequest,
} from "../../src/recorder/service/passed-call.test-world.ts";
import { type Operation, unpackTable } from "../../src/recorder/service/service-table.ts";
import { hasRealRecords, type Json, readRecords } from "./read-records.ts";

const isThere = hasRealRecords();

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function s3Records(): Json[] {
  return readRecords("real").filter(
    (record) => record["eventSource"] === "s3.amazonaws.com" && record["eventType"] === "AwsApiCall",
  );
}

async function operationsByName(): Promise<ReadonlyMap<string, Operation>> {
  const row = catalogue.find(({ name }) => name === "s3");
  if (!row) throw new Error("S3 has no table.");
  const table = unpackTable(row, (await row.load()).packed);
  return new Map(
    table.operationNames.flatMap((name) => {
      const operation = table.operation(name);
      return operation ? [[eventNameOf(row, operation), operation]] : [];
    }),
  );
}

function xmlOf(name: string, value: unknown): string {
  if (Array.isArray(value)) return value.map((part) => xmlOf(name, part)).join("");
  if (!isObject(value)) return `<${name}>${String(value)}</${name}>`;
  const isAttribute = (key: string) => key.startsWith("xmlns") || key.startsWith("xsi:");
  const attributes = Object.entries(value).filter(([key]) => isAttribute(key));
  const inner = Object.entries(value).filter(([key]) => !isAttribute(key));
  const head = attributes.map(([key, text]) => ` ${key}="${String(text)}"`).join("");
  return `<${name}${head}>${inner.map(([key, part]) => xmlOf(key, part)).join("")}</${name}>`;
}

function requestOf(record: Json, operation: Operation): TestRequest {
  const headers: Record<string, string> = {};
  const query = new URLSearchParams();
  let body = "";
  const {
    bucketName = "",
    key = "",
    Host,
    ...others
  } = record["requestParameters"] as Record<string, unknown>;
  if (Host !== undefined) headers["host"] = textOf(Host);
  for (const [name, value] of Object.entries(others)) {
    if (name === "accessControlList")
      for (const [grant, text] of Object.entries(value as Json)) headers[grant] = String(text);
    else if (name === "bucketPolicy") body = JSON.stringify(value);
    else if (isObject(value)) body = xmlOf(name, value);
    else if (name.startsWith("x-amz-")) headers[name] = String(value);
    else query.append(name, String(value));
  }
  const path = String(key).split("/").map(encodeURIComponent).join("/");
  return {
    service: "s3",
    method: operation.method,
    path: `/${String(bucketName)}/${path}`,
    query: query.toString(),
    headers,
    body,
  };
}

function answerOf(record: Json): TestAnswer {
  const headers: Record<string, string> = {
    "x-amz-request-id": String(record["requestID"]),
    ...(record["responseElements"] as Record<string, string> | null),
  };
  if (record["errorCode"] === undefined) return { headers };
  const body = `<Error><Code>${textOf(record["errorCode"])}</Code><Message>${textOf(record["errorMessage"])}</Message></Error>`;
  return { status: 403, headers, body };
}

/** What this recorder has of a record's members. */
function compared(record: Json): Json {
  const resources = (record["resources"] ?? []) as Json[];
  return {
    eventName: record["eventName"],
    readOnly: record["readOnly"],
    eventCategory: record["eventCategory"],
    errorCode: record["errorCode"],
    errorMessage: record["errorMessage"],
    requestID: record["requestID"],
    requestParameters: record["requestParameters"],
    responseElements: record["responseElements"],
    resources: resources.map(({ type, ARN, ARNPrefix }) => ({ type, ARN, ARNPrefix })),
  };
}

describe.skipIf(!isThere)("real records of S3", () => {
  test("come out as they were", async () => {
    const operations = await operationsByName();
    let seen = 0;
    for (const record of isThere ? s3Records() : []) {
      const operation = operations.get(String(record["eventName"]));
      const parameters = record["requestParameters"];
      // S3 Control, older versions of the record, and what is about no one bucket are others' matter.
      if (
        !operation ||
        !isObject(parameters) ||
        parameters["bucketName"] === undefined ||
        record["eventCategory"] === undefined
      )
        continue;
      seen++;
      const again = await described(requestOf(record, operation), answerOf(record));
      expect(compared(again as unknown as Json)).toEqual(compared(record));
    }
    expect(seen).toBeGreaterThan(1900);
  });
});
