// Real records of services that speak JSON or Query, turned back into the requests and answers that they tell of, and
// described again: the same members with the same values.
import { describe, expect, test } from "vitest";
import { isObject } from "../../src/model/json.ts";
import { catalogue } from "../../src/recorder/generated/service-catalogue.ts";
import { eventNameOf, eventSourceOf, sourceOf } from "../../src/recorder/service/event-names.ts";
import {
  described,
  type TestAnswer,
  type TestRequest,
} from "../../src/recorder/service/passed-call.test-world.ts";
import {
  type CatalogueRow,
  type Member,
  type Operation,
  type Shape,
  unpackTable,
} from "../../src/recorder/service/service-table.ts";
import { hasRealRecords, type Json, readRecords } from "./read-records.ts";

const isThere = hasRealRecords();

interface Known {
  readonly row: CatalogueRow;
  readonly operation: Operation;
}

const protocols: readonly string[] = ["json", "query"];

async function knownOperations(): Promise<ReadonlyMap<string, Known>> {
  const known = new Map<string, Known>();
  for (const row of catalogue) {
    if (!protocols.includes(row.protocol)) continue;
    const table = unpackTable(row, (await row.load()).packed);
    for (const name of table.operationNames) {
      const operation = table.operation(name);
      const key = operation && `${eventSourceOf(sourceOf(row))} ${eventNameOf(row, operation)}`;
      // RDS before those who took its name over.
      if (operation && key && (!known.has(key) || row.name === row.signingName))
        known.set(key, { row, operation });
    }
  }
  return known;
}

/** As JSON on the wire; times as seconds. */
function wireJson(shape: Shape, value: unknown): unknown {
  if (Array.isArray(value))
    return shape.kind === "list" ? value.map((item) => wireJson(shape.item.shape, item)) : value;
  if (shape.kind === "timestamp" && typeof value === "string") return Date.parse(`${value} UTC`) / 1000;
  if (!isObject(value)) return value;
  if (shape.kind === "map")
    return Object.fromEntries(
      Object.entries(value).map(([key, part]) => [key, wireJson(shape.value.shape, part)]),
    );
  if (shape.kind !== "structure") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => {
      const member = shape.members.find(({ recordName }) => recordName === name);
      return member ? [member.wireName, wireJson(member.shape, part)] : [name, part];
    }),
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function timeText(value: unknown): string {
  const ms = Date.parse(`${textOf(value)} UTC`);
  return Number.isNaN(ms) ? textOf(value) : new Date(ms).toISOString();
}

function parameters(shape: Shape, value: unknown, name: string): [string, string][] {
  if (Array.isArray(value) && shape.kind === "list") {
    const { item } = shape;
    const base = shape.isFlattened ? name : `${name}.${item.hasWireName ? item.wireName : "member"}`;
    if (value.length === 0) return [[name, ""]];
    return value.flatMap((part, index) => parameters(item.shape, part, `${base}.${index + 1}`));
  }
  if (isObject(value) && shape.kind === "structure") {
    return Object.entries(value).flatMap(([part, inside]) => {
      const member = shape.members.find(({ recordName }) => recordName === part);
      const dot = name === "" ? "" : `${name}.`;
      return member ? parameters(member.shape, inside, `${dot}${member.wireName}`) : [];
    });
  }
  return [[name, shape.kind === "timestamp" ? timeText(value) : textOf(value)]];
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("\r", "&#13;");
}

function xml(shape: Shape, value: unknown, name: string): string {
  if (Array.isArray(value) && shape.kind === "list") {
    const { item } = shape;
    const inner = value
      .map((part) => xml(item.shape, part, item.hasWireName ? item.wireName : "member"))
      .join("");
    return shape.isFlattened ? inner : `<${name}>${inner}</${name}>`;
  }
  if (isObject(value) && shape.kind === "structure")
    return `<${name}>${memberXml(shape.members, value)}</${name}>`;
  return `<${name}>${escaped(shape.kind === "timestamp" ? timeText(value) : textOf(value))}</${name}>`;
}

function memberXml(members: readonly Member[], value: Json): string {
  return Object.entries(value)
    .map(([part, inside]) => {
      const member = members.find(({ recordName }) => recordName === part);
      return member ? xml(member.shape, inside, member.wireName) : "";
    })
    .join("");
}

function requestOf({ row, operation }: Known, given: unknown): TestRequest {
  const value = isObject(given) ? given : {};
  const input: Shape = operation.input ?? { kind: "string", isSensitive: false };
  if (row.protocol === "json") {
    const headers = { "x-amz-target": `${row.targetPrefix ?? ""}.${operation.name}` };
    return { service: row.signingName, headers, body: JSON.stringify(wireJson(input, value)) };
  }
  const pairs: [string, string][] = [
    ["Action", operation.name],
    ["Version", row.apiVersion],
    ...parameters(input, value, ""),
  ];
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return { service: row.signingName, headers, body: new URLSearchParams(pairs).toString() };
}

function answerOf({ row, operation }: Known, record: Json): TestAnswer {
  const headers = { "x-amzn-requestid": textOf(record["requestID"]) };
  const code = record["errorCode"];
  if (code !== undefined) {
    const said = { __type: code, message: record["errorMessage"] };
    return { status: 400, headers, body: JSON.stringify(said) };
  }
  const { output } = operation;
  const elements = record["responseElements"];
  if (!isObject(elements) || !output) return { headers };
  if (row.protocol === "json") return { headers, body: JSON.stringify(wireJson(output, elements)) };
  const [only, ...others] = output.members;
  const isUnwrapped = row.name === "rds" && only !== undefined && others.length === 0;
  const inner = isUnwrapped ? xml(only.shape, elements, only.wireName) : memberXml(output.members, elements);
  return { headers, body: `<R><${output.wrapper ?? "Result"}>${inner}</${output.wrapper ?? "Result"}></R>` };
}

/** Dates as older records and this recorder write them differ in a comma. */
function plain(value: unknown): unknown {
  const text = JSON.stringify(value ?? null).replace(
    /"([A-Z][a-z]{2} \d{1,2}, \d{4}),? (\d{1,2}:\d\d:\d\d [AP]M)"/g,
    '"$1 $2"',
  );
  return JSON.parse(text.replaceAll("****", "HIDDEN_DUE_TO_SECURITY_REASONS"));
}

function compared(record: Json): Json {
  return {
    errorCode: record["errorCode"],
    errorMessage: record["errorMessage"],
    requestParameters: plain(record["requestParameters"]),
    responseElements: plain(record["responseElements"]),
  };
}

/** Why these differ: see each. */
const knownDifferences: ReadonlySet<string> = new Set([
  // Reads whose answers were recorded all the same (2017, 2021); the two versions share their names here.
  ...["ecr:DescribeImageScanFindings", "elasticloadbalancingv2:DescribeTargetGroups"],
  ...["elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:AddTags"],
  // Members that no model has.
  ...["monitoring:DescribeAlarms", "rds:CreateDBInstance", "rds:DeleteDBInstance", "rds:ModifyDBInstance"],
  // The record has the ARN alone, under a name of its own, so that no answer can be made of it again.
  ...["secretsmanager:CreateSecret", "secretsmanager:PutSecretValue"],
  // Session tokens are secrets here.
  "sts:AssumeRole",
]);

describe.skipIf(!isThere)("real records of JSON and Query services", () => {
  test("come out as they were", async () => {
    const known = await knownOperations();
    const differing = new Map<string, string>();
    let seen = 0;
    for (const record of isThere ? readRecords("real") : []) {
      const found = known.get(`${textOf(record["eventSource"])} ${textOf(record["eventName"])}`);
      if (!found || record["eventType"] !== "AwsApiCall") continue;
      seen++;
      const again = await described(requestOf(found, record["requestParameters"]), answerOf(found, record));
      const [now, then] = [compared(again as unknown as Json), compared(record)];
      if (JSON.stringify(sorted(now)) === JSON.stringify(sorted(then))) continue;
      differing.set(
        `${found.row.name}:${found.operation.name}`,
        `${JSON.stringify(sorted(then))}\n${JSON.stringify(sorted(now))}`,
      );
    }
    const others = [...differing].filter(([what]) => !knownDifferences.has(what));
    expect(others).toEqual([]);
    expect(seen).toBeGreaterThan(3000);
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, part]) => [name, sorted(part)]),
  );
}
