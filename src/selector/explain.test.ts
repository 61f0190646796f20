// explain: the sentences, and that it never says other than what the index decides.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RecordFields } from "../event/record.ts";
import {
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
import { explain } from "./explain.ts";
import type { TrailScope } from "./match-set.ts";
import { buildSelectorIndex } from "./selector-index.ts";
import type { TrailSelectors } from "./selectors.ts";

const data = { field: "eventCategory", Equals: ["Data"] };
const objects = { field: "resources.type", Equals: ["AWS::S3::Object"] };
const named: TrailSelectors = {
  kind: "advanced",
  selectors: [{ name: "puts", fieldSelectors: [data, objects, { field: "eventName", StartsWith: ["Put"] }] }],
};
const put = dataEvent([{ type: "AWS::S3::Object", arn: "arn:aws:s3:::bucket/key" }]);

const cases: readonly (readonly [Partial<TrailScope>, RecordFields, boolean, readonly string[]])[] = [
  [{}, event(), true, ["Selector 1 matches."]],
  [{ selectors: named }, put, true, ['Selector 1 ("puts") matches.']],
  [
    { selectors: named },
    { ...put, eventName: "GetObject" },
    false,
    [
      'Selector 1 ("puts") does not match. The event has eventName "GetObject", which does not satisfy eventName StartsWith ["Put"].',
    ],
  ],
  [
    { selectors: advanced([data, objects, { field: "userIdentity.arn", EndsWith: ["/mary"] }]) },
    put,
    false,
    [
      'Selector 1 does not match. The event has no userIdentity.arn, which does not satisfy userIdentity.arn EndsWith ["/mary"].',
    ],
  ],
  [
    { selectors: advanced([data, objects, { field: "resources.ARN", StartsWith: ["arn:aws:s3:::b/"] }]) },
    put,
    false,
    [
      'Selector 1 does not match. No resource of the event satisfies resources.type Equals ["AWS::S3::Object"] and resources.ARN StartsWith ["arn:aws:s3:::b/"].',
    ],
  ],
  [
    {
      selectors: basic(
        { readWriteType: "ReadOnly" },
        { includeManagementEvents: false, dataResources: [{ type: "AWS::S3::Object", values: [] }] },
        { excludeManagementEventSources: ["kms.amazonaws.com"] },
      ),
    },
    event({ eventSource: "kms.amazonaws.com" }),
    false,
    [
      "Selector 1 does not match. The event is a write and ReadWriteType is ReadOnly.",
      "Selector 2 does not match. It is a management event and IncludeManagementEvents is false.",
      "Selector 3 does not match. ExcludeManagementEventSources names kms.amazonaws.com.",
    ],
  ],
  [
    { selectors: basic({ dataResources: [{ type: "AWS::S3::Object", values: ["arn:aws:s3:::b/"] }] }) },
    put,
    false,
    [
      "Selector 1 does not match. It is a data event and no entry of DataResources matches any of its resources.",
    ],
  ],
  [
    {},
    event({ eventCategory: "NetworkActivity" }),
    false,
    ["Selector 1 does not match. Basic selectors never match events of category NetworkActivity."],
  ],
  [{}, event({ eventCategory: "Aggregated" }), false, ["Trails do not log events of category Aggregated."]],
  [
    {},
    event({ eventCategory: "Insight", insightType: "ApiCallRateInsight" }),
    false,
    ["Insights events of ApiCallRateInsight are not enabled on the trail."],
  ],
  [
    { insightTypes: ["ApiCallRateInsight"] },
    event({ eventCategory: "Insight" }),
    true,
    ["Insights events of any type are enabled on the trail."],
  ],
  [
    { account: otherAccount },
    event(),
    false,
    ["The event belongs to account 123456789012, the trail to 210987654321."],
  ],
  [
    { isMultiRegion: false, homeRegion: region("eu-west-1") },
    event(),
    false,
    ["The event is of Region us-east-1; the trail logs its home Region eu-west-1 only."],
  ],
  [
    { includeGlobalServiceEvents: false },
    event({ eventSource: "iam.amazonaws.com" }),
    false,
    ["It is a global service event of us-east-1 and IncludeGlobalServiceEvents is false."],
  ],
];

describe("explain", () => {
  const place = { account: mainAccount, region: region("us-east-1"), organizationMembers: members };

  test.each(cases)("%j", (changes, fields, isLogged, why) => {
    const destination = { kind: "trail", incarnation: "t1" };
    expect(explain([trail(changes)], fields, place)).toEqual([{ destination, isLogged, why }]);
  });

  test("says what the index does", () => {
    fc.assert(
      fc.property(anyTrails, anyEvent, anyPlace, (trails, fields, where) => {
        const set = buildSelectorIndex(trails, { version: 1, organizationMembers: members }).match(
          fields,
          where,
        );
        const explanations = explain(trails, fields, { ...where, organizationMembers: members });
        expect(explanations.map(({ destination }) => destination)).toEqual(
          trails.map(({ destination }) => destination),
        );
        for (const { destination, isLogged, why } of explanations) {
          expect(isLogged).toBe(set.destinations.includes(destination));
          expect(why.length).toBeGreaterThan(0);
        }
      }),
      { seed: 424_242, numRuns: 5000 },
    );
  });
});
