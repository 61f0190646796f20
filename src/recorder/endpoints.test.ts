// Which endpoint a service has, and AWS's own host names.
import { expect, test } from "vitest";
import { parseRegion } from "../model/regions.ts";
import { addressFor, awsHost, endpointOf, isForwarded } from "./endpoints.ts";
import type { RecorderConfiguration, ServiceEndpoint } from "./ports.ts";

const url = (text: string): ServiceEndpoint => ({ target: { kind: "url", url: text } });

function configuration(
  endpoints: Readonly<Record<string, ServiceEndpoint>>,
  withEmbeddedBuckets: boolean,
): RecorderConfiguration {
  return {
    policy: "pass-and-count",
    endpoints: new Map(Object.entries(endpoints)),
    withEmbeddedBuckets,
    ...{ upstreamTimeoutMs: 1, clientTimeoutMs: 1, resignedBodyBytesMax: 1 },
  };
}

test("a service has its own endpoint or the default one; Cairn's own never go on, nor do embedded buckets", () => {
  const both = configuration({ sqs: url("http://a"), default: url("http://b") }, true);
  expect(
    ["sqs", "sns", "cloudtrail", "cloudtrail-data", "cairn", "s3"].map((name) => isForwarded(both, name)),
  ).toEqual([...[true, true, false, false, false, false]]);
  expect(endpointOf(both.endpoints, "sqs")).toEqual(url("http://a"));
  expect(endpointOf(both.endpoints, "sns")).toEqual(url("http://b"));
  const odd = ["", "constructor", "__proto__", "a/b", "\xe9", "a".repeat(65)];
  expect(odd.filter((name) => isForwarded(both, name))).toEqual([]);
  const one = configuration({ s3: url("http://a") }, false);
  expect(["s3", "sns"].map((name) => isForwarded(one, name))).toEqual([true, false]);
});

test.each([
  [
    "http://127.0.0.1:9000",
    { isTls: false, hostname: "127.0.0.1", port: 9000, host: "127.0.0.1:9000", basePath: "" },
  ],
  [
    "https://s3.example.com/base/",
    { isTls: true, hostname: "s3.example.com", port: 443, host: "s3.example.com", basePath: "/base" },
  ],
  ["http://[::1]:81", { isTls: false, hostname: "::1", port: 81, host: "[::1]:81", basePath: "" }],
])("the address of %s", (text, wanted) => {
  expect(addressFor(url(text), "s3", region("us-east-1"))).toEqual(wanted);
});

test.each([
  ["dynamodb", "eu-west-1", "dynamodb.eu-west-1.amazonaws.com"],
  ["iam", "us-east-1", "iam.amazonaws.com"],
  ["ses", "us-east-1", "email.us-east-1.amazonaws.com"],
  ["sqs", "cn-north-1", "sqs.cn-north-1.amazonaws.com.cn"],
  ["kms", "us-gov-west-1", "kms.us-gov-west-1.amazonaws.com"],
  ["bedrock", "us-east-1", undefined],
  ["a/b@evil", "us-east-1", undefined],
])("AWS's host of %s in %s", (service, name, host) => {
  expect(awsHost(service, region(name))).toBe(host);
});

function region(name: string) {
  const known = parseRegion(name);
  if (!known) throw new Error(`${name} is no Region.`);
  return known;
}
