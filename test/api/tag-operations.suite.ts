// What AddTags, RemoveTags and ListTags refuse about the ARN of their resource (api.md §6.5), written once.
import type { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { describe, test } from "vitest";
import {
  type Api,
  elsewhere,
  expectRefusal,
  home,
  makeTrail,
  type Refusal,
  trailArn,
} from "../harness/api-fixture.ts";

const id = "11111111-2222-3333-4444-555555555555";
const arnOf = (account: string, resource: string) => `arn:aws:cloudtrail:${home}:${account}:${resource}`;
const notFound = (arn: string): Refusal => [
  "ResourceNotFoundException",
  `The resource with ARN ${arn} was not found.`,
];

type Case = readonly [what: string, resource: (account: string) => string, refusal: (arn: string) => Refusal];

const refusals: readonly Case[] = [
  ["a bare name", () => "my-trail", () => ["CloudTrailARNInvalidException", /my-trail/]],
  ["an empty text", () => "", () => ["CloudTrailARNInvalidException", /./]],
  ["half an ARN", () => "arn:aws:cloudtrail", () => ["CloudTrailARNInvalidException", /arn:aws:cloudtrail/]],
  [
    "the ARN of a bucket",
    () => "arn:aws:s3:::trail-logs",
    () => ["CloudTrailARNInvalidException", /trail-logs/],
  ],
  [
    "a trail's ARN with a bad name",
    (account) => arnOf(account, "trail/a--b"),
    () => [
      "InvalidTrailNameException",
      "Trail name or ARN cannot have adjacent periods (.), hyphens (-), or underscores (_).",
    ],
  ],
  ["an unknown trail", (account) => arnOf(account, "trail/unknown-trail"), notFound],
  ["an unknown dashboard", (account) => arnOf(account, "dashboard/unknown"), notFound],
  [
    "a store's ARN without id",
    (account) => arnOf(account, "eventdatastore/short"),
    (arn) => ["EventDataStoreARNInvalidException", `The event data store ARN ${arn} is not valid.`],
  ],
  [
    "an unknown store",
    (account) => arnOf(account, `eventdatastore/${id}`),
    (arn) => ["EventDataStoreNotFoundException", `The event data store ${arn} was not found.`],
  ],
  [
    "a channel's ARN without id",
    (account) => arnOf(account, "channel/short"),
    (arn) => ["ChannelARNInvalidException", `The channel ARN ${arn} is not valid.`],
  ],
  [
    "another kind of resource",
    (account) => arnOf(account, "widget/blue"),
    (arn) => ["ResourceTypeNotSupportedException", `The resource type of ${arn} is not supported.`],
  ],
];

interface Subject {
  readonly api: () => Api;
  readonly run: (client: CloudTrail, arn: string) => Promise<unknown>;
}

export function taggedResourceSuite({ api, run }: Subject): void {
  describe("the resource", () => {
    test.each(refusals)("is refused: %s", async (_what, resource, refusal) => {
      const account = api().newAccount();
      const arn = resource(account);
      await expectRefusal(run(api().as(account), arn), refusal(arn));
    });

    test.each([true, false])(
      "is refused from another Region (multi-Region: %s)",
      async (IsMultiRegionTrail) => {
        const account = api().newAccount();
        const arn = await makeTrail(api().as(account), "my-trail", { IsMultiRegionTrail });
        await expectRefusal(run(api().as(account, elsewhere), arn), [
          "CloudTrailARNInvalidException",
          `Region in ARN is wrong, you can only access resources in region ${elsewhere}.`,
        ]);
      },
    );

    test("of another account is refused, there or not", async () => {
      const owner = api().newAccount();
      const arn = await makeTrail(api().as(owner), "my-trail");
      for (const resource of [arn, trailArn(owner, "other-trail")]) {
        await expectRefusal(run(api().as(api().newAccount()), resource), [
          "CloudTrailARNInvalidException",
          "You cannot have resources belonging to multiple owners",
        ]);
      }
    });
  });
}
