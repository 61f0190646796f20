// The index: scope before selectors, Insights, folders, interning; and the index against the naive rules.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RecordFields } from "../event/record.ts";
import {
  account,
  advanced,
  anyEvent,
  anyPlace,
  anyTrails,
  basic,
  dataEvent,
  event,
  mainAccount,
  members,
  otherAccount,
  region,
  trail,
} from "./arbitraries.test-support.ts";
import type { TrailScope } from "./match-set.ts";
import { eventBusDestination } from "./match-set.ts";
import { naiveGoesToBus, naiveLogs } from "./naive-matcher.test-support.ts";
import { buildSelectorIndex, type IndexOptions } from "./selector-index.ts";

const ireland = region("eu-west-1");
const virginia = region("us-east-1");
const stranger = account("999999999999");
const iam = event({ eventSource: "iam.amazonaws.com" });
const regionalSts = event({ eventSource: "sts.amazonaws.com", awsRegion: "eu-west-1" });
const insight = event({
  eventCategory: "Insight",
  insightType: "ApiCallRateInsight",
  hasUserIdentity: false,
});

interface Case {
  readonly rule: string;
  readonly trail: Partial<TrailScope>;
  readonly event?: RecordFields;
  readonly account?: typeof mainAccount;
  readonly region?: typeof ireland;
  readonly logs: boolean;
}

const single = { isMultiRegion: false };
const cases: readonly Case[] = [
  { rule: "multi-Region trail, any Region", trail: {}, region: ireland, logs: true },
  {
    rule: "single-Region trail, home Region",
    trail: { ...single, homeRegion: ireland },
    region: ireland,
    logs: true,
  },
  { rule: "single-Region trail, other Region", trail: { ...single, homeRegion: ireland }, logs: false },
  { rule: "global event, multi-Region", trail: { homeRegion: ireland }, event: iam, logs: true },
  {
    rule: "global event, multi-Region without the flag",
    trail: { homeRegion: ireland, includeGlobalServiceEvents: false },
    event: iam,
    logs: false,
  },
  { rule: "global event, single-Region at home in us-east-1", trail: single, event: iam, logs: true },
  {
    rule: "global event, single-Region us-east-1 without the flag",
    trail: { ...single, includeGlobalServiceEvents: false },
    event: iam,
    logs: false,
  },
  {
    rule: "other event of us-east-1 without the flag",
    trail: { ...single, includeGlobalServiceEvents: false },
    logs: true,
  },
  {
    rule: "global event, single-Region elsewhere, whatever the flag says",
    trail: { ...single, homeRegion: ireland },
    event: iam,
    logs: false,
  },
  {
    rule: "an STS event of another Region is not global",
    trail: { ...single, homeRegion: ireland, includeGlobalServiceEvents: false },
    event: regionalSts,
    region: ireland,
    logs: true,
  },
  { rule: "another account", trail: {}, account: otherAccount, logs: false },
  {
    rule: "a member account, plain trail",
    trail: { isOrganization: false },
    account: otherAccount,
    logs: false,
  },
  {
    rule: "a member account, organization trail",
    trail: { isOrganization: true },
    account: otherAccount,
    logs: true,
  },
  {
    rule: "an account outside, organization trail",
    trail: { isOrganization: true },
    account: stranger,
    logs: false,
  },
  { rule: "the own account, organization trail", trail: { isOrganization: true }, logs: true },
  {
    rule: "Insight of an enabled type",
    trail: { insightTypes: ["ApiCallRateInsight"] },
    event: insight,
    logs: true,
  },
  {
    rule: "Insight of another type",
    trail: { insightTypes: ["ApiErrorRateInsight"] },
    event: insight,
    logs: false,
  },
  { rule: "Insight without Insights", trail: {}, event: insight, logs: false },
  {
    rule: "Insight of no type goes with any",
    trail: { insightTypes: ["ApiErrorRateInsight"] },
    event: event({ eventCategory: "Insight" }),
    logs: true,
  },
  {
    rule: "Insight of another Region",
    trail: { ...single, insightTypes: ["ApiCallRateInsight"] },
    event: insight,
    region: ireland,
    logs: false,
  },
  {
    rule: "ActivityAuditLog matches no trail",
    trail: { insightTypes: ["ApiCallRateInsight"] },
    event: event({ eventCategory: "ActivityAuditLog" }),
    logs: false,
  },
  {
    rule: "Aggregated matches no trail",
    trail: {},
    event: event({ eventCategory: "Aggregated" }),
    logs: false,
  },
];

interface BusCase {
  readonly rule: string;
  readonly trails: readonly Partial<TrailScope>[];
  readonly event: RecordFields;
  readonly region?: typeof ireland;
  readonly account?: typeof mainAccount;
  /** Which settings send it. */
  readonly write: boolean;
  readonly all: boolean;
}

const readOnlyTrail = { selectors: basic({ readWriteType: "ReadOnly" }) };
const onlyObjects = {
  selectors: advanced([
    { field: "eventCategory", Equals: ["Data"] },
    { field: "resources.type", Equals: ["AWS::S3::Object"] },
  ]),
};
const onlyNetwork = {
  selectors: advanced([
    { field: "eventCategory", Equals: ["NetworkActivity"] },
    { field: "eventSource", Equals: ["ec2.amazonaws.com"] },
  ]),
};
const objectRead = dataEvent([{ type: "AWS::S3::Object", arn: "arn:aws:s3:::b/k" }], { readOnly: true });
const network = event({ eventCategory: "NetworkActivity", eventType: "AwsVpceEvent", readOnly: true });
const busCases: readonly BusCase[] = [
  { rule: "no trail logs", trails: [], event: event(), write: false, all: false },
  { rule: "a write", trails: [{}], event: event(), write: true, all: true },
  { rule: "a read", trails: [{}], event: event({ readOnly: true }), write: false, all: true },
  {
    rule: "a write that no selector wants",
    trails: [readOnlyTrail, onlyObjects],
    event: event(),
    write: true,
    all: true,
  },
  {
    rule: "a read that no selector wants",
    trails: [onlyObjects],
    event: event({ readOnly: true }),
    write: false,
    all: true,
  },
  {
    rule: "a trail of another Region only",
    trails: [{ ...single, homeRegion: ireland }],
    event: event(),
    write: false,
    all: false,
  },
  {
    rule: "a trail of another account only",
    trails: [{}],
    event: event(),
    account: otherAccount,
    write: false,
    all: false,
  },
  {
    rule: "a member account of an organization trail",
    trails: [{ isOrganization: true }],
    event: event(),
    account: otherAccount,
    write: true,
    all: true,
  },
  {
    rule: "a global event, a trail elsewhere that leaves them out",
    trails: [{ ...single, homeRegion: ireland }],
    event: iam,
    write: false,
    all: false,
  },
  { rule: "a data read that a trail logs", trails: [onlyObjects], event: objectRead, write: true, all: true },
  { rule: "a data event that no trail logs", trails: [{}], event: objectRead, write: false, all: false },
  { rule: "a network event", trails: [onlyNetwork], event: network, write: true, all: true },
  { rule: "a network event that no trail logs", trails: [{}], event: network, write: false, all: false },
  {
    rule: "an Insight of an enabled type",
    trails: [{ insightTypes: ["ApiCallRateInsight"] }],
    event: insight,
    write: true,
    all: true,
  },
  { rule: "an Insight that no trail has", trails: [{}], event: insight, write: false, all: false },
  {
    rule: "a category that trails do not know",
    trails: [{}],
    event: event({ eventCategory: "Aggregated" }),
    write: false,
    all: false,
  },
];

const index = (scopes: readonly TrailScope[], options: Partial<IndexOptions> = {}) =>
  buildSelectorIndex(scopes, { version: 7, organizationMembers: members, ...options });

describe("the index", () => {
  test.each(cases)("$rule → $logs", ({ trail: changes, event: fields = event(), logs, ...where }) => {
    const place = { account: where.account ?? mainAccount, region: where.region ?? virginia };
    const set = index([trail(changes)]).match(fields, place);
    expect(set.destinations).toEqual(logs ? [{ kind: "trail", incarnation: "t1" }] : []);
    expect(set).toMatchObject(place);
  });

  test.each(busCases)("the bus: $rule → $write, all: $all", (row) => {
    const place = { account: row.account ?? mainAccount, region: row.region ?? virginia };
    const goes = (eventBus: "off" | "write" | "all") =>
      index(row.trails.map(trail), { eventBus })
        .match(row.event, place)
        .destinations.includes(eventBusDestination);
    expect([goes("off"), goes("write"), goes("all")]).toEqual([false, row.write, row.all]);
  });

  test.each([
    ["Management", "CloudTrail"],
    ["Data", "CloudTrail"],
    ["ActivityAuditLog", "CloudTrail"],
    ["NetworkActivity", "CloudTrail-NetworkActivity"],
    ["Insight", "CloudTrail-Insight"],
    ["Aggregated", "CloudTrail-Aggregated"],
  ])("files %s events in %s", (eventCategory, folder) => {
    const set = index([]).match(event({ eventCategory }), { account: mainAccount, region: virginia });
    expect(set).toEqual({ account: mainAccount, region: virginia, folder, destinations: [] });
  });

  test("carries its version", () => {
    expect(index([]).version).toBe(7);
  });

  const named = (incarnation: string, changes: Partial<TrailScope> = {}) =>
    trail({ destination: { kind: "trail", incarnation }, ...changes });
  const onlyReads = basic({ readWriteType: "ReadOnly" });
  const onlyWrites = advanced([
    { field: "eventCategory", Equals: ["Management"] },
    { field: "readOnly", Equals: ["false"] },
  ]);

  test("sorts destinations by incarnation and interns equal sets", () => {
    const built = index([
      named("t3"),
      named("t1", { selectors: onlyWrites }),
      named("t9", { selectors: onlyReads }),
      named("t10", { selectors: onlyWrites }),
    ]);
    const place = { account: mainAccount, region: virginia };
    const writes = built.match(event(), place);
    expect(writes.destinations.map(({ incarnation }) => incarnation)).toEqual(["t1", "t10", "t3"]);
    expect(built.match(event({ eventName: "CreateVpc" }), { ...place })).toBe(writes);
    const reads = built.match(event({ readOnly: true }), place);
    expect(reads.destinations.map(({ incarnation }) => incarnation)).toEqual(["t3", "t9"]);
    expect(built.match(event(), { ...place, region: ireland })).not.toBe(writes);
    expect(built.match(event(), { ...place, account: otherAccount }).destinations).toEqual([]);
  });

  test("stays bounded when accounts are invented: sets stay right, only identity is lost", () => {
    const built = index([named("t1")]);
    const first = built.match(event(), { account: mainAccount, region: virginia });
    for (let number = 0; number < 66_000; number += 1) {
      const invented = account(String(100_000_000_000 + number));
      built.match(event(), { account: invented, region: virginia });
    }
    const again = built.match(event(), { account: mainAccount, region: virginia });
    expect(again).toEqual(first);
    expect(again).not.toBe(first);
  }, 60_000);

  test("an index without the option knows no bus", () => {
    const place = { account: mainAccount, region: virginia };
    expect(index([named("t1")]).match(event(), place).destinations).toHaveLength(1);
  });

  test("the bus stands at its sorted place, and its sets are interned apart from those without it", () => {
    const built = index([named("f"), named("d", { selectors: onlyWrites })], { eventBus: "write" });
    const place = { account: mainAccount, region: virginia };
    const writes = built.match(event(), place);
    expect(writes.destinations).toEqual([
      { kind: "trail", incarnation: "d" },
      eventBusDestination,
      { kind: "trail", incarnation: "f" },
    ]);
    expect(built.match(event({ eventName: "CreateVpc" }), place)).toBe(writes);
    const both = index([named("f", { selectors: basic({ readWriteType: "All" }) })], { eventBus: "write" });
    const write = both.match(event(), place);
    const read = both.match(event({ readOnly: true }), place);
    expect(write.destinations).toHaveLength(2);
    expect(read.destinations).toEqual([{ kind: "trail", incarnation: "f" }]);
    expect(both.match(event(), place)).toBe(write);
  });

  test("decides as the naive rules do", () => {
    let logged = 0;
    const bused = { off: 0, write: 0, all: 0 };
    fc.assert(
      fc.property(
        anyTrails,
        fc.array(anyEvent, { minLength: 3, maxLength: 6 }),
        anyPlace,
        fc.constantFrom("off" as const, "write" as const, "all" as const),
        (trails, events, where, eventBus) => {
          const built = index(trails, { eventBus });
          const place = { ...where, organizationMembers: members };
          for (const fields of events) {
            const logging = trails
              .filter((one) => naiveLogs(one, fields, place))
              .map(({ destination }) => destination.incarnation);
            const toBus = naiveGoesToBus(trails, fields, { place, eventBus });
            const expected = [...logging, ...(toBus ? ["event-bus"] : [])].sort();
            const set = built.match(fields, where);
            expect(set.destinations.map(({ incarnation }) => incarnation)).toEqual(expected);
            expect(built.match(fields, where)).toBe(set);
            logged += logging.length;
            if (toBus) bused[eventBus] += 1;
          }
        },
      ),
      { seed: 20_260_110, numRuns: 5000 },
    );
    expect(logged).toBeGreaterThan(2000);
    expect(Math.min(bused.write, bused.all)).toBeGreaterThan(1000);
    expect(bused.off).toBe(0);
  }, 60_000);
});
