// The index against the plain engine: anything that can be said in selectors, also what validation would refuse, over
// few short texts that are beginnings and ends of one another, so that everything collides.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RecordFields, RecordResource } from "../event/record.ts";
import {
  account,
  advanced,
  dataEvent,
  mainAccount,
  members,
  otherAccount,
  region,
  trail,
} from "./arbitraries.test-support.ts";
import type { TrailScope } from "./match-set.ts";
import { plainIndex } from "./plain-index.test-support.ts";
import type { EventPlace } from "./scope.ts";
import { buildSelectorIndex, type IndexOptions, type SelectorIndex } from "./selector-index.ts";
import {
  type AdvancedSelector,
  type BasicSelector,
  type FieldSelector,
  selectorOperators,
  type TrailSelectors,
} from "./selectors.ts";

const virginia = region("us-east-1");
const here = { account: mainAccount, region: virginia };

const long = "arn:aws:s3:::a-long-beginning-that-all-have-in-common";
// Short ones of two letters; long ones that part at their ends or at their beginnings; what no text should break.
const anyText = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 4 }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom("", "a", "b"), fc.constantFrom("", "a", "ab", "/"))
      .map(([first, last]) => `${first}${long}${last}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...["", long.slice(0, 9), long.slice(9), "😀", "\ud83d", "\ude00a", "\0", "__proto__", "undefined"],
      ...["true", "false", "constructor", "é", "e\u0301"],
    ),
  },
);
const anyType = fc.oneof(
  fc.constantFrom("AWS::S3::Object", "AWS::S3::Bucket", "AWS::QApps::QApp", "AWS::QApps:QApp"),
  anyText,
);
const anySource = fc.oneof(
  fc.constantFrom("iam.amazonaws.com", "s3.amazonaws.com", "kms.amazonaws.com"),
  anyText,
);
const anyCategory = fc.constantFrom(
  ...[
    "Management",
    "Management",
    "Data",
    "Data",
    "Data",
    "NetworkActivity",
    "Insight",
    "Aggregated",
    "",
    "data",
  ],
);

const anyResource: fc.Arbitrary<RecordResource> = fc.record(
  { type: anyType, arn: anyText },
  { requiredKeys: [] },
);
const anyEvent: fc.Arbitrary<RecordFields> = fc
  .record(
    {
      eventSource: anySource,
      eventName: anyText,
      eventType: anyText,
      eventCategory: anyCategory,
      managementEvent: fc.boolean(),
      readOnly: fc.boolean(),
      errorCode: anyText,
      vpcEndpointId: anyText,
      sessionCredentialFromConsole: anyText,
      userIdentityArn: anyText,
      insightType: fc.constantFrom("a", "ab", "A,B", ""),
    },
    { requiredKeys: [] },
  )
  .chain((fields) =>
    fc
      .array(anyResource, { maxLength: 5 })
      .map((resources) => ({ ...fields, hasUserIdentity: true, resources })),
  );

function anyFieldOf(name: string, texts: fc.Arbitrary<string>): fc.Arbitrary<FieldSelector> {
  const values = fc.array(texts, { minLength: 1, maxLength: 4 });
  const operators = Object.fromEntries(selectorOperators.map((operator) => [operator, values]));
  return fc
    .subarray([...selectorOperators], { minLength: 1, maxLength: 2 })
    .chain((chosen) => fc.record(operators, { requiredKeys: [] }).map((given) => ({ chosen, given })))
    .map(({ chosen, given }) => ({
      field: name,
      ...Object.fromEntries(chosen.map((operator) => [operator, given[operator] ?? ["a"]])),
    }));
}

/** Any fields, two of the same too, and some that no record has. */
const anyFieldSelector = fc.oneof(
  anyFieldOf("resources.type", anyType),
  anyFieldOf("resources.ARN", anyText),
  anyFieldOf("resources.ARN", anyText),
  anyFieldOf("resources.name", anyText),
  anyFieldOf("eventSource", anySource),
  anyFieldOf("eventName", anyText),
  anyFieldOf("eventName", anyText),
  anyFieldOf("userIdentity.arn", anyText),
  anyFieldOf("readOnly", fc.constantFrom("true", "false", "t", "")),
  anyFieldOf("eventType", anyText),
  anyFieldOf("errorCode", anyText),
  anyFieldOf("vpcEndpointId", anyText),
  anyFieldOf("sessionCredentialFromConsole", anyText),
  anyFieldOf("insightType", anyText),
  anyFieldOf("eventTime", anyText),
);
const anyAdvanced: fc.Arbitrary<AdvancedSelector> = fc
  .tuple(
    fc.oneof(
      { weight: 8, arbitrary: anyCategory.map((value) => [{ field: "eventCategory", Equals: [value] }]) },
      {
        weight: 1,
        arbitrary: fc.constantFrom<FieldSelector[]>(
          [],
          [{ field: "eventCategory", NotEquals: ["Data"] }],
          [
            { field: "eventCategory", EndsWith: ["t", "y"] },
            { field: "eventCategory", StartsWith: ["M"] },
          ],
        ),
      },
    ),
    fc.array(anyFieldSelector, { maxLength: 4 }),
  )
  .map(([category, fields]) => ({ fieldSelectors: [...category, ...fields] }));

const anyObjectValue = fc.oneof(anyText, fc.constantFrom("arn:aws:s3", "arn:aws:s3:::", "arn:aws:lambda"));
const anyBasic: fc.Arbitrary<BasicSelector> = fc.record({
  readWriteType: fc.constantFrom("All" as const, "ReadOnly" as const, "WriteOnly" as const),
  includeManagementEvents: fc.boolean(),
  dataResources: fc.array(
    fc.record({
      type: fc.constantFrom("AWS::S3::Object", "AWS::S3::Bucket", "AWS::Lambda::Function"),
      values: fc.array(anyObjectValue, { maxLength: 4 }),
    }),
    { maxLength: 3 },
  ),
  excludeManagementEventSources: fc.array(anySource, { maxLength: 2 }),
});

const anySelectors: fc.Arbitrary<TrailSelectors> = fc.oneof(
  fc.array(anyBasic, { maxLength: 3 }).map((selectors): TrailSelectors => ({ kind: "basic", selectors })),
  fc
    .array(anyAdvanced, { maxLength: 4 })
    .map((selectors): TrailSelectors => ({ kind: "advanced", selectors })),
);

const accounts = [mainAccount, otherAccount, account("333333333333"), account("444444444444")];
const regions = [virginia, region("eu-west-1"), region("ap-south-1")];
const anyPlace = fc.record({
  account: fc.constantFrom(...accounts),
  region: fc.constantFrom(...regions),
});

/** Some trails share their selectors, as the same object or as an equal one. */
const anyTrails: fc.Arbitrary<TrailScope[]> = fc
  .tuple(fc.array(anySelectors, { minLength: 1, maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }))
  .chain(([choices, picks]) =>
    fc.tuple(
      ...picks.map((pick, index) =>
        fc.record({
          account: fc.constantFrom(...accounts.slice(0, 3)),
          homeRegion: fc.constantFrom(...regions.slice(0, 2)),
          isMultiRegion: fc.boolean(),
          includeGlobalServiceEvents: fc.boolean(),
          isOrganization: fc.boolean(),
          insightTypes: fc.subarray(["a", "ab", "A,B"]),
          selectors: fc.constant(choices[pick % choices.length] ?? { kind: "basic" as const, selectors: [] }),
          destination: fc.constant({ kind: "trail" as const, incarnation: `${(index * 7) % 12}-trail` }),
        }),
      ),
    ),
  );

const anyBus = fc.constantFrom("off" as const, "write" as const, "all" as const);

type PlacedEvent = readonly [RecordFields, EventPlace];

/** Most of them at one place, so that they have trails in common. */
const manyEvents: fc.Arbitrary<PlacedEvent[]> = anyPlace.chain((place) =>
  fc.array(
    fc.tuple(
      anyEvent,
      fc.oneof({ weight: 2, arbitrary: fc.constant(place) }, { weight: 1, arbitrary: anyPlace }),
    ),
    { minLength: 8, maxLength: 16 },
  ),
);

function decided(index: SelectorIndex, [fields, place]: PlacedEvent) {
  const { folder, destinations } = index.match(fields, place);
  return { folder, destinations: destinations.map(({ incarnation }) => incarnation) };
}

const build = (scopes: readonly TrailScope[], options: Partial<IndexOptions> = {}) =>
  buildSelectorIndex(scopes, { version: 1, organizationMembers: members, ...options });

describe("the index and the plain engine", () => {
  test("decide alike, the first time and again, with a memo that holds and with one that never does", () => {
    let logged = 0;
    fc.assert(
      fc.property(anyTrails, manyEvents, anyBus, (trails, events, eventBus) => {
        const plain = plainIndex(trails, { organizationMembers: members, eventBus });
        const index = build(trails, { eventBus });
        const forgetful = build(trails, { eventBus, memoBytesMax: 0 });
        const expected = events.map(([fields, place]) => plain(fields, place));
        for (const one of [index, index, forgetful]) {
          expect(events.map((placed) => decided(one, placed))).toEqual(expected);
        }
        const sets = events.map(([fields, place]) => index.match(fields, { ...place }));
        for (const [number, set] of sets.entries()) {
          const place = events[number]?.[1];
          expect(set).toMatchObject(place ?? {});
          const same = expected.findIndex(
            (other, at) => equalTexts(other, expected[number]) && equalTexts(events[at]?.[1], place),
          );
          expect(sets[same]).toBe(set);
          logged += set.destinations.length;
        }
      }),
      { seed: 20_261_121, numRuns: 1000 },
    );
    expect(logged).toBeGreaterThan(2500);
  }, 120_000);

  test("decide alike over versions that take over what is compiled, also when the older ones go on", () => {
    fc.assert(
      fc.property(fc.array(anyTrails, { minLength: 2, maxLength: 5 }), manyEvents, (versions, events) => {
        let replaces: SelectorIndex | undefined;
        const built: { index: SelectorIndex; expected: unknown[] }[] = [];
        for (const [number, changed] of versions.entries()) {
          // Some trails stay as they are, some go, some come.
          const kept = number > 0 ? (versions[number - 1] ?? []).slice(number % 3) : [];
          const trails = [
            ...kept,
            ...changed.map((one, at) => ({ ...one, destination: named(`${number}-${at}`) })),
          ];
          const index = build(trails, { ...(replaces && { replaces }) });
          const plain = plainIndex(trails, { organizationMembers: members });
          built.push({ index, expected: events.map(([fields, place]) => plain(fields, place)) });
          for (const { index: one, expected } of built) {
            expect(events.map((placed) => decided(one, placed))).toEqual(expected);
          }
          replaces = index;
        }
      }),
      { seed: 20_261_122, numRuns: 500 },
    );
  }, 120_000);

  const objectsIn = (...beginnings: string[]) => [
    { field: "eventCategory", Equals: ["Data"] },
    { field: "resources.type", Equals: ["AWS::S3::Object"] },
    { field: "resources.ARN", StartsWith: beginnings },
  ];

  test("drop what is compiled of trails that are gone, once it is most of it", () => {
    const wordy = (number: number) =>
      trail({
        destination: named("t"),
        selectors: advanced(
          objectsIn(...Array.from({ length: 498 }, (_, at) => `arn:aws:s3:::${number}-${at}/`)),
        ),
      });
    let index = build([wordy(0)]);
    for (let number = 1; number <= 60; number += 1) {
      index = build([wordy(number)], { version: number, replaces: index });
      const logs = (of: number) =>
        index.match(dataEvent([{ type: "AWS::S3::Object", arn: `arn:aws:s3:::${of}-497/key` }]), here)
          .destinations;
      expect(logs(number)).toHaveLength(1);
      expect(logs(number - 1)).toHaveLength(0);
    }
  });

  test("read each field of an event at most twice, and none that no selector asks for", () => {
    const reads: Record<string, number> = {};
    const counted = <Fields extends object>(fields: Fields): Fields =>
      new Proxy(fields, {
        get(target, name, receiver): unknown {
          reads[String(name)] = (reads[String(name)] ?? 0) + 1;
          return Reflect.get(target, name, receiver);
        },
        ownKeys: () => expect.unreachable("an event is never spread"),
      });
    const index = build([
      trail({ destination: named("a"), includeGlobalServiceEvents: false }),
      trail({
        destination: named("b"),
        selectors: advanced([...objectsIn("arn:aws:s3:::b/"), anyName("Put")]),
      }),
    ]);
    const plain = dataEvent([{ type: "AWS::S3::Object", arn: "arn:aws:s3:::b/k" }]);
    const fields = counted({ ...plain, resources: plain.resources.map(counted) });
    for (let time = 0; time < 2; time += 1) {
      for (const name of Object.keys(reads)) delete reads[name];
      expect(index.match(fields, here).destinations).toHaveLength(1);
      expect(Object.keys(reads).sort()).toEqual(
        ["arn", "eventCategory", "eventName", "eventSource", "resources", "type"].sort(),
      );
      expect(Math.max(...Object.values(reads))).toBeLessThanOrEqual(2);
    }
  });
});

function equalTexts(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function named(incarnation: string): TrailScope["destination"] {
  return { kind: "trail", incarnation };
}

function anyName(...StartsWith: string[]): FieldSelector {
  return { field: "eventName", StartsWith };
}
