// What the graph remembers: nothing that callers can invent, and a bounded cost for what they combine.
import { describe, expect, test } from "vitest";
import type { RecordFields } from "../event/record.ts";
import { advanced, dataEvent, event } from "./arbitraries.test-support.ts";
import { DecisionGraph } from "./decision-graph.ts";
import { DemandCatalog, type DemandedCategory } from "./demands.ts";
import type { FieldSelector, TrailSelectors } from "./selectors.ts";

const data: FieldSelector = { field: "eventCategory", Equals: ["Data"] };
const objects: FieldSelector = { field: "resources.type", Equals: ["AWS::S3::Object"] };
const bucket = (name: string): FieldSelector => ({
  field: "resources.ARN",
  StartsWith: [`arn:aws:s3:::${name}/`],
});

function graphOf(...all: TrailSelectors[]) {
  const catalog = new DemandCatalog();
  const graph = new DecisionGraph(catalog);
  const set = graph.setOf(all.map((selectors) => catalog.demandOf({ selectors, insightTypes: [] })));
  const met = (fields: RecordFields, category: DemandedCategory = "Data") =>
    graph.decide(set, category, fields).met.map(({ id }) => id);
  return { memo: graph.memo, met };
}

describe("the demands of all trails so far", () => {
  const wordy = (number: number): TrailSelectors =>
    advanced([
      data,
      objects,
      { ...bucket("a"), StartsWith: Array.from({ length: 400 }, (_, at) => `${number}${at}`) },
    ]);
  const demandIn = (catalog: DemandCatalog, selectors: TrailSelectors) =>
    catalog.demandOf({ selectors, insightTypes: [] });

  test("are one for equal selectors, whichever object says them, and apart for other Insights", () => {
    const catalog = new DemandCatalog();
    const demand = demandIn(catalog, wordy(1));
    expect(demandIn(catalog, wordy(1))).toBe(demand);
    expect(demandIn(catalog, wordy(2))).not.toBe(demand);
    expect(catalog.demandOf({ selectors: wordy(1), insightTypes: ["a,b"] })).not.toBe(demand);
    expect(catalog.demandOf({ selectors: wordy(1), insightTypes: ["a", "b"] })).not.toBe(
      catalog.demandOf({ selectors: wordy(1), insightTypes: ["a,b"] }),
    );
  });

  test("are worth keeping until most of them are nobody's", () => {
    const catalog = new DemandCatalog();
    const demands = Array.from({ length: 100 }, (_, number) => demandIn(catalog, wordy(number)));
    expect(catalog.isWorthKeeping(demands)).toBe(true);
    expect(catalog.isWorthKeeping(demands.slice(50))).toBe(true);
    expect(catalog.isWorthKeeping(demands.slice(90))).toBe(false);
    expect(catalog.isWorthKeeping([...demands.slice(90), ...demands.slice(90), ...demands.slice(90)])).toBe(
      false,
    );
  });
});

describe("the decision graph", () => {
  const selectors = [
    advanced([data, objects, bucket("a"), { field: "eventName", Equals: ["PutObject"] }]),
    advanced([data, objects, bucket("b"), { field: "eventName", StartsWith: ["Get"], NotEndsWith: ["Acl"] }]),
    advanced([data, objects, { field: "userIdentity.arn", NotStartsWith: ["arn:aws:sts::"] }, bucket("c")]),
    advanced([data, { field: "resources.type", Equals: ["AWS::DynamoDB::Table"] }]),
  ];
  const object = (name: string, changes: Partial<RecordFields> = {}) =>
    dataEvent([{ type: "AWS::S3::Object", arn: `arn:aws:s3:::${name}` }], changes);

  test("does not grow with values that no selector mentions", () => {
    const { memo, met } = graphOf(...selectors);
    const invented = (number: number) => [
      object("a/k", { eventName: `Invented${number}` }),
      object(`z${number}/k`),
      object("b/k", { eventName: `GetObject${number}` }),
      object("c/k", { userIdentityArn: `arn:aws:iam::123456789012:user/${number}` }),
      dataEvent([{ type: `AWS::Invented::${number}`, arn: "arn:aws:s3:::a/k" }]),
      object("a/k", {
        eventSource: `${number}.amazonaws.com`,
        eventType: `${number}`,
        errorCode: `${number}`,
      }),
    ];
    const first = invented(0).map((fields) => met(fields));
    const bytesAfter = (from: number, to: number) => {
      for (let number = from; number < to; number += 1) {
        expect(invented(number).map((fields) => met(fields))).toEqual(first);
      }
      return memo.bytes;
    };
    // A few types are kept, whatever they are.
    const bytes = bytesAfter(1, 100);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(20_000);
    expect(bytesAfter(100, 2000)).toBe(bytes);
  });

  test("does not grow with more resources of the same kinds", () => {
    const { memo, met } = graphOf(...selectors);
    const resources = [
      { type: "AWS::S3::Object", arn: "arn:aws:s3:::c/1" },
      { type: "AWS::DynamoDB::Table", arn: "t" },
      {},
    ];
    const often = (times: number) => dataEvent(Array.from({ length: times }, () => resources).flat());
    expect(met(often(2))).toEqual([2, 3]);
    const { bytes } = memo;
    expect(met(often(1000))).toEqual([2, 3]);
    expect(memo.bytes).toBe(bytes);
  });

  test("tells how much it remembers of what callers combine, and nothing of combinations of many", () => {
    const many = Array.from({ length: 12 }, (_, number) => advanced([data, objects, bucket(String(number))]));
    const { memo, met } = graphOf(...many);
    const combine = (chosen: number, times: number) => {
      const numbers = many.map((_, number) => number).filter((number) => chosen & (1 << number));
      const resources = numbers.map((number) => ({
        type: "AWS::S3::Object",
        arn: `arn:aws:s3:::${number}/k`,
      }));
      expect(met(dataEvent(Array.from({ length: times }, () => resources).flat()))).toEqual(numbers);
      return numbers.length;
    };
    let verdicts = 0;
    for (let chosen = 1; chosen < 4096; chosen += 1) if (combine(chosen, 9) > 0) verdicts += 1;
    const ofVerdicts = memo.bytes;
    expect(ofVerdicts / verdicts).toBeLessThan(500);
    for (let chosen = 1; chosen < 4096; chosen += 1) combine(chosen, 1);
    expect((memo.bytes - ofVerdicts) / verdicts).toBeGreaterThan(200);
  });

  test("asks nothing when nothing is left to ask", () => {
    const { met } = graphOf(...selectors);
    expect(met(event(), "Management")).toEqual([]);
    expect(met(event(), "Insight")).toEqual([]);
  });
});
