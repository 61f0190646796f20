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
  event,
  mainAccount,
  members,
  otherAccount,
  region,
  trail,
} from "./arbitraries.test-support.ts";
import type { TrailScope } from "./match-set.ts";
import { naiveLogs } from "./naive-matcher.test-support.ts";
import { buildSelectorIndex } from "./selector-index.ts";

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

const index = (scopes: readonly TrailScope[]) =>
  buildSelectorIndex(scopes, { version: 7, organizationMembers: members });

describe("the index", () => {
  test.each(cases)("$rule → $logs", ({ trail: changes, event: fields = event(), logs, ...where }) => {
    const place = { account: where.account ?? mainAccount, region: where.region ?? virginia };
    const set = index([trail(changes)]).match(fields, place);
    expect(set.destinations).toEqual(logs ? [{ kind: "trail", incarnation: "t1" }] : []);
    expect(set).toMatchObject(place);
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
  });

  test("decides as the naive rules do", () => {
    let logged = 0;
    fc.assert(
      fc.property(
        anyTrails,
        fc.array(anyEvent, { minLength: 3, maxLength: 6 }),
        anyPlace,
        (trails, events, place) => {
          const built = index(trails);
          for (const fields of events) {
            const expected = trails
              .filter((one) => naiveLogs(one, fields, { ...place, organizationMembers: members }))
              .map(({ destination }) => destination.incarnation)
              .sort();
            const set = built.match(fields, place);
            expect(set.destinations.map(({ incarnation }) => incarnation)).toEqual(expected);
            expect(built.match(fields, place)).toBe(set);
            logged += expected.length;
          }
        },
      ),
      { seed: 20_260_110, numRuns: 5000 },
    );
    expect(logged).toBeGreaterThan(2000);
  });
});
