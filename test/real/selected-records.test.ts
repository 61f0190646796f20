// The selector index over every record of the shared collection of real ones, when it is there: hundreds of trails whose
// selectors are made of values that the records have, and each decision equal to that of the plain engine.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RecordFields } from "../../src/event/record.ts";
import { scanBatch } from "../../src/event/scan.ts";
import { parseAccountId } from "../../src/model/arn.ts";
import { parseRegion } from "../../src/model/regions.ts";
import type { TrailScope } from "../../src/selector/match-set.ts";
import { plainIndex } from "../../src/selector/plain-index.test-support.ts";
import type { EventPlace } from "../../src/selector/scope.ts";
import { buildSelectorIndex } from "../../src/selector/selector-index.ts";
import { type FieldSelector, selectorOperators, type TrailSelectors } from "../../src/selector/selectors.ts";

const folder = fileURLToPath(new URL("../../../shared/data/events/", import.meta.url));
const isThere = existsSync(folder);
if (!isThere) process.stdout.write("skipped: needs ../shared/data/events\n");

interface PlacedRecord {
  readonly fields: RecordFields;
  readonly place: EventPlace;
}

function placedRecords(): PlacedRecord[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".gz"))
    .toSorted()
    .flatMap((name) => {
      const scan = scanBatch(new Uint8Array(gunzipSync(readFileSync(`${folder}${name}`))));
      if (scan.kind === "malformed") throw new Error(`${name}: ${scan.message}`);
      return scan.records.flatMap((record) => ("fields" in record ? placed(record.fields) : []));
    });
}

function placed(fields: RecordFields): PlacedRecord[] {
  const account = parseAccountId(fields.recipientAccountId ?? "");
  const region = parseRegion(fields.awsRegion ?? "");
  return account && region ? [{ fields, place: { account, region } }] : [];
}

/** All values that the records have, by the selectors' names of the fields. */
function valuesOf(records: readonly PlacedRecord[]): Record<string, string[]> {
  const texts = (read: (fields: RecordFields) => readonly (string | undefined)[]) => [
    ...new Set(records.flatMap(({ fields }) => read(fields)).filter((text) => text !== undefined)),
  ];
  return {
    eventSource: texts(({ eventSource }) => [eventSource]),
    eventName: texts(({ eventName }) => [eventName]),
    eventType: texts(({ eventType }) => [eventType]),
    errorCode: texts(({ errorCode }) => [errorCode]),
    vpcEndpointId: texts(({ vpcEndpointId }) => [vpcEndpointId]),
    "userIdentity.arn": texts(({ userIdentityArn }) => [userIdentityArn]),
    "resources.type": texts(({ resources }) => resources.map(({ type }) => type)),
    "resources.ARN": texts(({ resources }) => resources.map(({ arn }) => arn)),
    readOnly: ["true", "false"],
  };
}

/** Whole values, their beginnings and their ends. */
function anyFieldSelector(values: Record<string, string[]>): fc.Arbitrary<FieldSelector> {
  const pieces = (field: string) =>
    fc
      .tuple(fc.constantFrom(...(values[field] ?? [])), fc.nat(), fc.constantFrom("whole", "start", "end"))
      .map(([text, at, piece]) => {
        if (piece === "whole" || text.length < 2) return text;
        const cut = 1 + (at % (text.length - 1));
        return piece === "start" ? text.slice(0, cut) : text.slice(cut);
      });
  return fc
    .tuple(fc.constantFrom(...Object.keys(values)), fc.constantFrom(...selectorOperators))
    .chain(([field, operator]) =>
      fc
        .array(pieces(field), { minLength: 1, maxLength: 8 })
        .map((texts): FieldSelector => ({ field, [operator]: texts })),
    );
}

function anySelectors(values: Record<string, string[]>): fc.Arbitrary<TrailSelectors> {
  const buckets = (values["resources.ARN"] ?? []).filter((arn) => arn.startsWith("arn:aws:s3:::"));
  const basic = fc.record({
    readWriteType: fc.constantFrom("All" as const, "ReadOnly" as const, "WriteOnly" as const),
    includeManagementEvents: fc.boolean(),
    excludeManagementEventSources: fc.subarray(["kms.amazonaws.com", "s3.amazonaws.com"]),
    dataResources: fc.array(
      fc.record({
        type: fc.constantFrom("AWS::S3::Object", "AWS::DynamoDB::Table"),
        values: fc.array(
          fc
            .tuple(fc.constantFrom(...buckets), fc.nat({ max: 90 }))
            .map(([arn, length]) => arn.slice(0, length)),
          { maxLength: 4 },
        ),
      }),
      { maxLength: 2 },
    ),
  });
  const advanced = fc
    .tuple(
      fc.constantFrom("Management", "Data", "Data", "NetworkActivity"),
      fc.array(anyFieldSelector(values), { maxLength: 3 }),
    )
    .map(([category, fields]) => ({
      fieldSelectors: [{ field: "eventCategory", Equals: [category] }, ...fields],
    }));
  return fc.oneof(
    fc
      .array(basic, { minLength: 1, maxLength: 3 })
      .map((selectors): TrailSelectors => ({ kind: "basic", selectors })),
    fc
      .array(advanced, { minLength: 1, maxLength: 4 })
      .map((selectors): TrailSelectors => ({ kind: "advanced", selectors })),
  );
}

function anyTrails(records: readonly PlacedRecord[], count: number): fc.Arbitrary<TrailScope[]> {
  const accounts = [...new Set(records.map(({ place }) => place.account))];
  const regions = [...new Set(records.map(({ place }) => place.region))];
  const anyTrail = fc.record({
    account: fc.constantFrom(...accounts),
    homeRegion: fc.constantFrom(...regions),
    isMultiRegion: fc.boolean(),
    includeGlobalServiceEvents: fc.boolean(),
    isOrganization: fc.boolean(),
    selectors: anySelectors(valuesOf(records)),
    insightTypes: fc.subarray(["ApiCallRateInsight", "ApiErrorRateInsight"]),
  });
  return fc.array(anyTrail, { minLength: count, maxLength: count }).map((trails) =>
    trails.map((one, index) => ({
      ...one,
      destination: { kind: "trail" as const, incarnation: `t${index}` },
    })),
  );
}

describe.skipIf(!isThere)("the real records", () => {
  test("are selected by the index as by the plain engine", () => {
    const records = isThere ? placedRecords() : [];
    expect(records.length).toBeGreaterThan(6500);
    const organizationMembers = new Set(records.map(({ place }) => place.account));
    for (const [number, eventBus] of (["off", "write", "all"] as const).entries()) {
      const [trails = []] = fc.sample(anyTrails(records, 100), { seed: 20_261_121 + number, numRuns: 1 });
      const options = { organizationMembers, eventBus };
      const plain = plainIndex(trails, options);
      const index = buildSelectorIndex(trails, { version: 1, ...options });
      let logged = 0;
      for (const { fields, place } of records) {
        const { folder, destinations } = index.match(fields, place);
        const decided = { folder, destinations: destinations.map(({ incarnation }) => incarnation) };
        expect(decided).toEqual(plain(fields, place));
        logged += destinations.length;
      }
      expect(logged).toBeGreaterThan(5 * records.length);
    }
  });
});
