// What the recorder's tables say of an operation, held against every real record of it in the shared collection: its name,
// source, category, whether it only reads, and that each member of the record is one that the recorder would write so.
import { describe, expect, test } from "vitest";
import { isObject } from "../../src/model/json.ts";
import { catalogue } from "../../src/recorder/generated/service-catalogue.ts";
import { isDataEvent } from "../../src/recorder/service/data-events.ts";
import {
  apiVersionOf,
  eventNameOf,
  eventSourceOf,
  sourceOf,
} from "../../src/recorder/service/event-names.ts";
import { isReadOnly } from "../../src/recorder/service/read-only.ts";
import {
  type CatalogueRow,
  type Operation,
  type Shape,
  unpackTable,
} from "../../src/recorder/service/service-table.ts";
import { hasRealRecords, type Json, readRecords } from "./read-records.ts";

const isThere = hasRealRecords();

/** Of AWS's own accounts and guides; what others made up for tests is not asked. */
function realRecords(): Json[] {
  return readRecords("real", "docs-examples");
}

interface Known {
  readonly row: CatalogueRow;
  readonly operation: Operation;
}

/** Every operation by source and recorded name. */
async function knownOperations(): Promise<Map<string, Known[]>> {
  const known = new Map<string, Known[]>();
  for (const row of catalogue) {
    const table = unpackTable(row, (await row.load()).packed);
    for (const name of table.operationNames) {
      const operation = table.operation(name);
      if (!operation) continue;
      const key = `${eventSourceOf(sourceOf(row))} ${eventNameOf(row, operation)}`;
      known.set(key, [...(known.get(key) ?? []), { row, operation }]);
    }
  }
  return known;
}

/** Names in the record that the shape has not, with their path. */
function strangers(value: unknown, shape: Shape | undefined, path: string): string[] {
  if (!shape || shape.kind === "document") return [];
  if (Array.isArray(value))
    return shape.kind === "list"
      ? value.flatMap((item) => strangers(item, shape.item.shape, `${path}[]`))
      : [`${path}: a list`];
  if (!isObject(value)) return [];
  if (shape.kind === "map")
    return Object.values(value).flatMap((part) => strangers(part, shape.value.shape, `${path}.*`));
  if (shape.kind !== "structure") return [`${path}: an object`];
  return Object.entries(value).flatMap(([name, part]) => {
    const member = shape.members.find(({ recordName }) => recordName === name);
    return member ? strangers(part, member.shape, `${path}.${name}`) : [`${path}.${name}`];
  });
}

/** RDS answers one structure, whose members the record has at the top. */
function answered(row: CatalogueRow, { input, output }: Operation): { input?: Shape; output?: Shape } {
  const only = row.name === "rds" && output?.members.length === 1 ? output.members[0]?.shape : output;
  return { ...(input && { input }), ...(only && { output: only }) };
}

/** Calls of consoles and agents that no model has, what services add of their own, and what the guides' examples miswrite. */
const knownDifferences = new RegExp(
  [
    ...[
      "(bedrock|kms|notifications|rds|route53domains|ssm|lambda|s3):\\w+: unknown",
      "apigateway:",
      "dynamodb:",
    ],
    ...[
      "cloudfront:.*(oacSigningBehavior|location)$",
      "dax:",
      "ec2-instance-connect:",
      "guardduty:",
      "kms:.*(clusterId|AWSAccountId)",
    ],
    ...[
      "lambda:.*(fullyQualifiedArn|uncompressedCodeSize)",
      "monitoring:.*excludeManagedAlarms",
      "rds:.*(dbInstancePort|httpEndpointEnabled)",
    ],
    ...[
      "secretsmanager:(Create|Put)\\w+: responseElements.arn",
      "ssm:SendCommand: ",
      "route53resolver:.*originSequenceNumber",
    ],
  ].join("|"),
);

describe.skipIf(!isThere)("real records", () => {
  test("are what the tables say", async () => {
    const known = await knownOperations();
    const problems = new Map<string, number>();
    let seen = 0;
    const say = (problem: string) => problems.set(problem, (problems.get(problem) ?? 0) + 1);
    for (const record of isThere ? realRecords() : []) {
      const [source, name] = [String(record["eventSource"]), String(record["eventName"])];
      if (record["eventType"] !== "AwsApiCall") continue;
      const what = `${source.replace(".amazonaws.com", "")}:${name}`;
      const found = known.get(`${source} ${name}`);
      if (!found) {
        say(`${what}: unknown`);
        continue;
      }
      seen++;
      const short = source.replace(".amazonaws.com", "");
      const [first] = found;
      if (!first) continue;
      if (record["readOnly"] !== undefined && record["readOnly"] !== isReadOnly(short, first.operation.name))
        say(`${what}: readOnly`);
      if (
        record["eventCategory"] !== undefined &&
        (record["eventCategory"] === "Data") !== isDataEvent(short, name)
      )
        say(`${what}: category`);
      const version = found.map(({ row }) => apiVersionOf(row));
      if (record["apiVersion"] !== undefined && !version.includes(record["apiVersion"] as string))
        say(`${what}: apiVersion`);
      if (short === "s3" || short === "ec2") continue;
      const of = (side: "input" | "output", member: string) =>
        found
          .map(({ row, operation }) => strangers(record[member], answered(row, operation)[side], member))
          .sort((a, b) => a.length - b.length)[0] ?? [];
      for (const path of new Set([...of("input", "requestParameters"), ...of("output", "responseElements")]))
        say(`${what}: ${path}`);
    }
    const others = [...problems.keys()].filter((problem) => !knownDifferences.test(problem)).sort();
    expect(others).toEqual([]);
    expect(seen).toBeGreaterThan(6000);
  });
});
