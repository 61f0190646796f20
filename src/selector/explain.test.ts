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
import { type ExplainedPlace, type Explanation, explainerOf } from "./explain.ts";
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

const place = { account: mainAccount, region: region("us-east-1"), organizationMembers: members };

const explain = (scope: TrailScope, fields: RecordFields, where: ExplainedPlace): Explanation =>
  explainerOf(scope)(fields, where);

describe("explain", () => {
  test.each(cases)("%j", (changes, fields, isLogged, why) => {
    const explanation = explain(trail(changes), fields, place);
    expect({ isLogged: explanation.isLogged, why: explanation.why }).toEqual({ isLogged, why });
    expect(explanation.changes.length > 0).toBe(!isLogged);
  });

  test("tells of every field what was demanded, what the event has, and what would have to change", () => {
    const selectors = advanced([data, objects, { field: "eventName", StartsWith: ["Put"] }]);
    const { why: _, ...explanation } = explain(
      trail({ selectors }),
      { ...put, eventName: "GetObject" },
      place,
    );
    const refusal =
      'The event has eventName "GetObject", which does not satisfy eventName StartsWith ["Put"].';
    expect(explanation).toEqual({
      isLogged: false,
      changes: [`For selector 1 to match this would have to be otherwise: ${refusal}`],
      scope: [
        { demand: "account", holds: true },
        { demand: "region", holds: true },
        { demand: "global-service", holds: true },
      ],
      decidedBy: "selectors",
      selectors: [
        {
          label: "Selector 1",
          matches: false,
          conditions: [
            { field: "eventCategory", demand: 'Equals ["Data"]', holds: true, value: "Data" },
            { field: "eventName", demand: 'StartsWith ["Put"]', holds: false, value: "GetObject", refusal },
            {
              field: "resources.type",
              demand: 'resources.type Equals ["AWS::S3::Object"]',
              holds: true,
              resources: [{ type: "AWS::S3::Object", arn: "arn:aws:s3:::bucket/key", fails: [] }],
            },
          ],
        },
      ],
    });
  });

  test("tells for each resource which fields it fails: one must pass them all", () => {
    const arn = { field: "resources.ARN", StartsWith: ["arn:aws:s3:::other/"] };
    const event = dataEvent([
      { type: "AWS::S3::Object", arn: "arn:aws:s3:::bucket/key" },
      { type: "AWS::S3::Bucket", arn: "arn:aws:s3:::other/" },
    ]);
    const [selector] = explain(trail({ selectors: advanced([data, objects, arn]) }), event, place).selectors;
    expect(selector?.conditions.at(-1)).toMatchObject({
      holds: false,
      resources: [{ fails: ["resources.ARN"] }, { fails: ["resources.type"] }],
    });
  });

  test("names the nearest selectors only", () => {
    const selectors = advanced(
      [data, { field: "eventName", Equals: ["Put"] }, { field: "eventSource", Equals: ["a"] }],
      [data, { field: "eventName", Equals: ["Get"] }],
    );
    const { changes } = explain(trail({ selectors }), put, place);
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatch(/^For selector 2 to match/);
  });

  test("says what the index does", () => {
    fc.assert(
      fc.property(anyTrails, anyEvent, anyPlace, (trails, fields, where) => {
        const set = buildSelectorIndex(trails, { version: 1, organizationMembers: members }).match(
          fields,
          where,
        );
        for (const one of trails) {
          const explanation = explain(one, fields, { ...where, organizationMembers: members });
          const isLogged = set.destinations.includes(one.destination);
          expect([explanation.isLogged, ...problemsOf(explanation)]).toEqual([isLogged]);
        }
      }),
      { seed: 424_242, numRuns: 3000 },
    );
  }, 30_000);
});

/** What is told in parts adds up to the verdict. */
function problemsOf({ isLogged, why, changes, scope, decidedBy, selectors }: Explanation): string[] {
  const problems: string[] = [];
  const hold = (what: string, isTrue: boolean): void => void (isTrue || problems.push(what));
  hold("a reason", why.length > 0);
  hold("changes unless it is logged", changes.length > 0 !== isLogged);
  const matches = scope.every(({ holds }) => holds) && selectors.some((selector) => selector.matches);
  if (decidedBy === "selectors") hold("a selector that matches", isLogged === matches);
  for (const selector of selectors) {
    hold("all conditions", selector.matches === selector.conditions.every(({ holds }) => holds));
    for (const { holds, refusal, resources } of selector.conditions) {
      hold("a refusal for what fails", (refusal === undefined) === holds);
      if (resources) hold("one resource", resources.some(({ fails }) => fails.length === 0) === holds);
    }
  }
  return problems;
}
