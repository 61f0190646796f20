// The trails of the benches: five of different kinds, and any number of a realistic mix. In the form in which a trail
// stores its selectors; the API's form is made of it.
import type { AdvancedEventSelector } from "@aws-sdk/client-cloudtrail";
import type { AdvancedSelector, FieldSelector, TrailSelectors } from "../src/selector/selectors.ts";
import { type Draw, seededDraw } from "./records/draw.ts";

export type BenchTrails = Readonly<Record<string, TrailSelectors>>;

const management: FieldSelector = { field: "eventCategory", Equals: ["Management"] };
const data: FieldSelector = { field: "eventCategory", Equals: ["Data"] };
const writes: FieldSelector = { field: "readOnly", Equals: ["false"] };
const ofType = (type: string): FieldSelector => ({ field: "resources.type", Equals: [type] });
const s3Objects = ofType("AWS::S3::Object");

const everythingSelectors = advanced([management], [data, s3Objects]);

/** Five trails as an installation may have them; the synthetic records match 2.4 of them on average. */
export const fiveTrails: BenchTrails = {
  management: advanced([management]),
  "management-writes": advanced([management, writes]),
  "no-kms": advanced([management, { field: "eventSource", NotEquals: ["kms.amazonaws.com"] }]),
  objects: advanced([
    ...[data, s3Objects],
    {
      field: "resources.ARN",
      StartsWith: [
        "arn:aws:s3:::acme-audit-log/AWSLogs/123456789012/CloudTrail/",
        "arn:aws:s3:::acme-assets/",
      ],
    },
  ]),
  everything: everythingSelectors,
};

/** `count` trails that all log everything. */
export function equalTrails(count: number): BenchTrails {
  const names = Array.from({ length: count }, (_, index) => `everything-${String(index)}`);
  return Object.fromEntries(names.map((name) => [name, everythingSelectors]));
}

/** Takes `count` trails' selectors: management, writes only, excluded sources, S3 prefixes, Lambda, DynamoDB, principals. */
export function mixedSelectors(count: number): TrailSelectors[] {
  const draw = seededDraw(1234);
  return Array.from({ length: count }, () => oneOfMix(draw));
}

function oneOfMix(draw: Draw): TrailSelectors {
  const kind = draw.fraction();
  if (kind < 0.3) return advanced([management]);
  if (kind < 0.45) return advanced([management, writes]);
  if (kind < 0.55) return advanced([management, { field: "eventSource", NotEquals: ["kms.amazonaws.com"] }]);
  if (kind < 0.8)
    return advanced([data, s3Objects, { field: "resources.ARN", StartsWith: prefixes(draw) }], [management]);
  if (kind < 0.9) {
    const names: FieldSelector = { field: "eventName", Equals: ["PutItem", "DeleteItem"] };
    return advanced([data, ofType("AWS::Lambda::Function")], [data, ofType("AWS::DynamoDB::Table"), names]);
  }
  const not: FieldSelector = {
    field: "userIdentity.arn",
    NotStartsWith: [`arn:aws:iam::123456789012:user/${draw.pick(["deploy", "ci", "backup", "mira"])}`],
  };
  return advanced([data, s3Objects, writes, not]);
}

/** Some lie in the buckets that the synthetic records name, most beside them. */
function prefixes(draw: Draw): string[] {
  return Array.from({ length: 1 + draw.below(4) }, () => {
    const bucket = draw.pick(["acme-audit-log", "acme-audit-log", "acme-assets", "data-lake", "backup"]);
    const year = draw.pick(["2026/07/10", "2026/07/11", "2025/12", "vpcflowlogs"]);
    return `arn:aws:s3:::${bucket}/AWSLogs/123456789012/CloudTrail/us-east-1/${year}/${draw.hex(draw.below(3))}`;
  });
}

function advanced(...selectors: readonly (readonly FieldSelector[])[]): TrailSelectors {
  return { kind: "advanced", selectors: selectors.map((fieldSelectors) => ({ fieldSelectors })) };
}

/** The input of PutEventSelectors for such selectors. */
export function apiSelectors(selectors: TrailSelectors): AdvancedEventSelector[] {
  if (selectors.kind !== "advanced") throw new Error("The benches use advanced selectors only.");
  return selectors.selectors.map(({ fieldSelectors }: AdvancedSelector) => ({
    FieldSelectors: fieldSelectors.map(({ field, ...operators }) => ({
      Field: field,
      ...(Object.fromEntries(
        Object.entries(operators).map(([operator, values]) => [operator, [...values]]),
      ) as Record<string, string[]>),
    })),
  }));
}
