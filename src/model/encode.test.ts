// Writing inputs and outputs: the types of api.md §1.3, and that every valid input survives the way there and back.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unreachable } from "./assert.ts";
import { decodeInput } from "./decode.ts";
import { encodeOutput, inputAsJson } from "./encode.ts";
import { operationShapes, shapes } from "./generated/shapes.ts";
import type { Input, OperationName } from "./operations.ts";

const operationNames = Object.keys(operationShapes) as OperationName[];
// The tables below also hold outputs that no handler could return.
const encode = encodeOutput as (operation: OperationName, output: unknown) => unknown;

describe("encodeOutput", () => {
  test.each<[string, OperationName, unknown, string]>([
    ["no members", "AddTags", {}, "{}"],
    ["only modelled members", "AddTags", { Extra: 1 }, "{}"],
    [
      "nested: only modelled members",
      "GetTrail",
      { Trail: { Name: "a", secret: 1 } },
      '{"Trail":{"Name":"a"}}',
    ],
    ["undefined and null are left out", "ListTrails", { Trails: [], NextToken: undefined }, '{"Trails":[]}'],
    ["booleans, also false", "GetTrailStatus", { IsLogging: false }, '{"IsLogging":false}'],
    [
      "milliseconds as a fraction",
      "LookupEvents",
      { Events: [{ EventTime: new Date(1_441_139_757_497) }] },
      '{"Events":[{"EventTime":1441139757.497}]}',
    ],
    [
      "whole seconds",
      "LookupEvents",
      { Events: [{ EventTime: new Date(1_441_139_757_000) }] },
      '{"Events":[{"EventTime":1441139757}]}',
    ],
    [
      "blobs as base64",
      "ListPublicKeys",
      { PublicKeyList: [{ Value: Uint8Array.of(0, 255, 16) }] },
      '{"PublicKeyList":[{"Value":"AP8Q"}]}',
    ],
    [
      "lists of lists of maps",
      "GetQueryResults",
      { QueryResultRows: [[{ a: "1" }, { __proto__x: "2" }]] },
      '{"QueryResultRows":[[{"a":"1"},{"__proto__x":"2"}]]}',
    ],
    ["numbers", "ListInsightsMetricData", { Values: [0, 1.5] }, '{"Values":[0,1.5]}'],
  ])("%s", (_name, operation, output, json) => {
    expect(JSON.stringify(encode(operation, output))).toBe(json);
  });

  test.each<[string, OperationName, unknown]>([
    ["a text where a time belongs", "GetTrailStatus", { LatestDeliveryTime: "now" }],
    ["an invalid time", "GetTrailStatus", { LatestDeliveryTime: new Date(Number.NaN) }],
    ["a number where a text belongs", "GetTrail", { Trail: { Name: 1 } }],
    ["a number that JSON does not have", "ListInsightsMetricData", { Values: [Number.NaN] }],
    ["a text where a list belongs", "ListTrails", { Trails: "none" }],
  ])("%s is our own bug", (_name, operation, output) => {
    expect(() => encode(operation, output)).toThrow(/^Assertion failed/);
  });
});

describe("every valid input of every operation", () => {
  test("there are 60 operations", () => {
    expect(operationNames).toHaveLength(60);
  });

  test.each(operationNames)("%s survives the way to JSON and back", (operation) => {
    fc.assert(
      fc.property(valueOf(operationShapes[operation].input), (input) => {
        const json = JSON.stringify(inputAsJson(operation, input as Input<OperationName>));
        expect(decodeInput(operation, new TextEncoder().encode(json))).toEqual(input);
      }),
      { seed: 60, numRuns: 25 },
    );
  });
});

/** Valid values of a shape. A pattern is met by the characters that it allows, or by one of the listed samples. */
function valueOf(shapeName: string): fc.Arbitrary<unknown> {
  const shape = shapes[shapeName];
  if (!shape) throw new Error(`No shape ${shapeName}`);
  const { min = 0, max } = shape as { min?: number; max?: number };
  switch (shape.type) {
    case "structure": {
      const members = Object.entries(shape.members).map(([name, member]) => [name, valueOf(member)]);
      const model: Record<string, fc.Arbitrary<unknown>> = Object.fromEntries(members);
      return fc.record(model, { requiredKeys: [...shape.required], noNullPrototype: true });
    }
    case "list": {
      const minLength = shapeName === "ResourceIdList" ? 1 : min;
      return fc.array(valueOf(shape.member), { minLength, maxLength: Math.min(max ?? 3, minLength + 3) });
    }
    case "map":
      return fc.dictionary(valueOf(shape.key) as fc.Arbitrary<string>, valueOf(shape.value), {
        minKeys: min,
        maxKeys: max ?? 3,
        noNullPrototype: true,
      });
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.integer({ min, max: max ?? 1_000_000 });
    case "number":
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case "timestamp":
      return fc.integer({ min: 0, max: 4_000_000_000_000 }).map((ms) => new Date(ms));
    case "blob":
      return fc.uint8Array();
    case "string":
      return shape.enum ? fc.constantFrom(...shape.enum) : textOf(shapeName, shape);
    default:
      return unreachable(shape);
  }
}

const samples: Readonly<Record<string, readonly string[]>> = {
  DeliveryS3Uri: ["s3://my-bucket", "s3://a.b-c/prefix/x y"],
  EventSource: ["s3.amazonaws.com", "a-b_9.amazonaws.com"],
  QueryAlias: ["a", "Alias-1._x"],
  TimeOfDay: ["00:00", "23:59"],
};

function textOf(
  shapeName: string,
  shape: { min?: number; max?: number; pattern?: string },
): fc.Arbitrary<string> {
  const known = samples[shapeName];
  if (known) return fc.constantFrom(...known);
  const { pattern } = shape;
  const min = shape.min ?? (shape.pattern === undefined ? 0 : 1);
  const max = shape.max ?? min + 30;
  const length = { minLength: min, maxLength: Math.min(max, min + 30) };
  if (pattern === undefined)
    return fc.string({ unit: "grapheme-composite", ...length }).filter(fits(min, max));
  const allowed = new RegExp(`^(?:${pattern.replace("(?s)", "")})$`, "u");
  const characters = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
  const unit = fc.constantFrom(...characters.filter((character) => allowed.test(character)));
  return fc.string({ unit, ...length });
}

function fits(min: number, max: number): (text: string) => boolean {
  return (text) => {
    const characters = Array.from(text).length;
    return characters >= min && characters <= max;
  };
}
