// UpdateTrail over the API: what it merges and clears, every refusal with its exact text, and what it leaves alone.
import type { UpdateTrailCommandInput } from "@aws-sdk/client-cloudtrail";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Api,
  bucket,
  elsewhere,
  expectRefusalWithoutTrace,
  home,
  makeBucket,
  makeTrail,
  organization,
  type Refusal,
  refusalCheck,
  s3,
  startApi,
  trailArn,
} from "../harness/api-fixture.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { logFiles, until } from "../harness/log-files.ts";
import { changingSuite, referenceSuite } from "./trail-references.suite.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await makeBucket(api.url, "second-bucket");
});
afterAll(() => api.dispose());

const subject = {
  api: () => api,
  run: (client: ReturnType<Api["as"]>, Name: string | undefined) => client.updateTrail({ Name }),
};
referenceSuite(subject);
changingSuite(subject);

const keyArn = "arn:aws:kms:us-east-1:999999999999:key/0123abcd-1234-5678-9abc-0123456789ab";
const logGroup = (account: string, region = home) => `arn:aws:logs:${region}:${account}:log-group:trail:*`;
const role = (account: string) => `arn:aws:iam::${account}:role/CloudTrail_Logs`;

const everySetting = (account: string) => ({
  S3KeyPrefix: "audit",
  SnsTopicName: "trail-topic",
  IncludeGlobalServiceEvents: true,
  IsMultiRegionTrail: true,
  EnableLogFileValidation: true,
  CloudWatchLogsLogGroupArn: logGroup(account),
  CloudWatchLogsRoleArn: role(account),
  KmsKeyId: keyArn,
});

/** The answer for a trail made with `everySetting`. */
const everyMember = (account: string) => ({
  Name: "my-trail",
  S3BucketName: bucket,
  S3KeyPrefix: "audit",
  SnsTopicName: "trail-topic",
  SnsTopicARN: `arn:aws:sns:${home}:${account}:trail-topic`,
  IncludeGlobalServiceEvents: true,
  IsMultiRegionTrail: true,
  TrailARN: trailArn(account, "my-trail"),
  LogFileValidationEnabled: true,
  CloudWatchLogsLogGroupArn: logGroup(account),
  CloudWatchLogsRoleArn: role(account),
  KmsKeyId: keyArn,
  IsOrganizationTrail: false,
});

type Members = ReturnType<typeof everyMember>;
const without = (members: Members, ...names: (keyof Members)[]) =>
  Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name as keyof Members)));

describe("the answer is the whole trail after the change", () => {
  test.each<[what: string, change: object, expected: (members: Members) => object]>([
    ["nothing given", {}, (members) => members],
    [
      "the bucket",
      { S3BucketName: "second-bucket" },
      (members) => ({ ...members, S3BucketName: "second-bucket" }),
    ],
    ["the prefix", { S3KeyPrefix: "other/" }, (members) => ({ ...members, S3KeyPrefix: "other/" })],
    ["no prefix", { S3KeyPrefix: "" }, (members) => without(members, "S3KeyPrefix")],
    ["no topic", { SnsTopicName: "" }, (members) => without(members, "SnsTopicName", "SnsTopicARN")],
    ["no key", { KmsKeyId: "" }, (members) => without(members, "KmsKeyId")],
    [
      "no log group",
      { CloudWatchLogsLogGroupArn: "" },
      (members) => without(members, "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"),
    ],
    [
      "no role",
      { CloudWatchLogsRoleArn: "" },
      (members) => without(members, "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"),
    ],
    [
      "neither log group nor role",
      { CloudWatchLogsLogGroupArn: "", CloudWatchLogsRoleArn: "" },
      (members) => without(members, "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"),
    ],
    [
      "one Region only",
      { IsMultiRegionTrail: false },
      (members) => ({ ...members, IsMultiRegionTrail: false }),
    ],
    [
      "one Region without global events",
      { IsMultiRegionTrail: false, IncludeGlobalServiceEvents: false },
      (members) => ({ ...members, IsMultiRegionTrail: false, IncludeGlobalServiceEvents: false }),
    ],
    [
      "no validation",
      { EnableLogFileValidation: false },
      (members) => ({ ...members, LogFileValidationEnabled: false }),
    ],
    ["null members", { S3KeyPrefix: null, IsMultiRegionTrail: null }, (members) => members],
  ])("%s", async (_what, change, expected) => {
    const account = api.newAccount();
    await makeTrail(api.as(account), "my-trail", everySetting(account));
    const answer = await api.raw("UpdateTrail", { Name: "my-trail", ...change }, { account });
    expect(answer.json).toEqual(expected(everyMember(account)));
    const { LogFileValidationEnabled, ...settings } = expected(everyMember(account)) as Members;
    const { json } = await api.raw("GetTrail", { Name: "my-trail" }, { account });
    expect(json).toEqual({
      Trail: {
        ...settings,
        LogFileValidationEnabled,
        HomeRegion: home,
        HasCustomEventSelectors: false,
        HasInsightSelectors: false,
      },
    });
  });

  test("a trail is found by its ARN too", async () => {
    const client = api.as(api.newAccount());
    const Name = await makeTrail(client, "my-trail");
    expect((await client.updateTrail({ Name, S3KeyPrefix: "audit" })).S3KeyPrefix).toBe("audit");
  });

  test("selectors, Insights, logging and tags stay", async () => {
    const client = api.as(api.newAccount());
    const arn = await makeTrail(client, "my-trail", { TagsList: [{ Key: "Team", Value: "audit" }] });
    await client.putEventSelectors({ TrailName: arn, EventSelectors: [{ ReadWriteType: "WriteOnly" }] });
    await client.putInsightSelectors({
      TrailName: arn,
      InsightSelectors: [{ InsightType: "ApiCallRateInsight" }],
    });
    await client.startLogging({ Name: arn });
    const facts = async () => ({
      selectors: (await client.getEventSelectors({ TrailName: arn })).EventSelectors,
      insights: (await client.getInsightSelectors({ TrailName: arn })).InsightSelectors,
      started: (await client.getTrailStatus({ Name: arn })).StartLoggingTime,
      tags: (await client.listTags({ ResourceIdList: [arn] })).ResourceTagList,
    });
    const before = await facts();
    await client.updateTrail({ Name: arn, S3BucketName: "second-bucket", IsMultiRegionTrail: true });
    expect(await facts()).toEqual(before);
    expect((await client.getTrailStatus({ Name: arn })).IsLogging).toBe(true);
  });
});

test("the next log files go to the new bucket and prefix", async () => {
  await makeBucket(api.url, "old-home");
  await makeBucket(api.url, "new-home");
  const account = api.newAccount();
  const client = api.as(account);
  await client.createTrail({ Name: "my-trail", S3BucketName: "old-home" });
  await client.startLogging({ Name: "my-trail" });
  const delivered = async (bucket: string) => {
    const event = managementEvent({ recipientAccountId: account });
    await postEvents(api.url, [event]);
    const holding = () =>
      logFiles(api.cairn.dataDir, bucket).find(({ records }) =>
        records.some((record) => record["eventID"] === event.eventID),
      );
    await until(`the event is in ${bucket}`, () => holding() !== undefined);
    return holding()?.key;
  };
  expect(await delivered("old-home")).toMatch(/^AWSLogs\//);
  await client.updateTrail({ Name: "my-trail", S3BucketName: "new-home", S3KeyPrefix: "audit" });
  expect(await delivered("new-home")).toMatch(/^audit\/AWSLogs\//);
});

describe("shadows", () => {
  const arnsIn = async (account: string, region: string) =>
    (await api.as(account, region).listTrails({})).Trails?.map((trail) => trail.TrailARN);

  test("appear and disappear with the multi-Region setting", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    const arn = await makeTrail(client, "my-trail");
    expect(await arnsIn(account, elsewhere)).toEqual([]);
    await client.updateTrail({ Name: arn, IsMultiRegionTrail: true });
    expect(await arnsIn(account, elsewhere)).toEqual([arn]);
    await client.updateTrail({ Name: arn, IsMultiRegionTrail: false });
    expect(await arnsIn(account, elsewhere)).toEqual([]);
  });

  test("need a name that is free in every Region", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    await makeTrail(client, "my-trail");
    await makeTrail(api.as(account, elsewhere), "my-trail");
    await expectRefusalWithoutTrace(
      client,
      () => client.updateTrail({ Name: "my-trail", IsMultiRegionTrail: true }),
      ["TrailAlreadyExistsException", `Trail my-trail already exists for customer: ${account}`],
    );
  });

  test("need room in every Region", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    await makeTrail(client, "my-trail");
    for (let index = 0; index < 5; index++) await makeTrail(api.as(account, elsewhere), `trail-${index}`);
    await expectRefusalWithoutTrace(
      client,
      () => client.updateTrail({ Name: "my-trail", IsMultiRegionTrail: true }),
      ["MaximumNumberOfTrailsExceededException", `User: ${account} already has 5 trails in ${elsewhere}.`],
    );
  });
});

const combination: Refusal = [
  "InvalidParameterCombinationException",
  "Multi-Region trail must include global service events.",
];
const pair = "You must specify a log group and a role ARN.";
const groupOf = "123456789012";
type Case = readonly [what: string, change: Partial<UpdateTrailCommandInput>, refusal: Refusal];

const refusals: readonly Case[] = [
  ["multi-Region while global events are off", { IsMultiRegionTrail: true }, combination],
  [
    "an empty bucket name",
    { S3BucketName: "" },
    ["InvalidS3BucketNameException", " is not a valid S3 bucket name."],
  ],
  [
    "a bad bucket name",
    { S3BucketName: "Upper" },
    ["InvalidS3BucketNameException", "Upper is not a valid S3 bucket name."],
  ],
  [
    "a bucket that does not exist",
    { S3BucketName: "no-such-bucket" },
    ["S3BucketDoesNotExistException", "S3 bucket no-such-bucket does not exist!"],
  ],
  [
    "a long prefix",
    { S3KeyPrefix: "p".repeat(201) },
    ["InvalidS3PrefixException", "S3 prefix is longer than maximum length: 200"],
  ],
  ["a prefix with a slash first", { S3KeyPrefix: "/logs" }, ["InvalidS3PrefixException", /\/logs/]],
  [
    "a bad topic",
    { SnsTopicName: "bad topic" },
    ["InvalidSnsTopicNameException", "bad topic is not a valid SNS topic name."],
  ],
  ["a bad key", { KmsKeyId: "my key" }, ["InvalidKmsKeyIdException", "Invalid KMS key ID: my key."]],
  [
    "a log group without role",
    { CloudWatchLogsLogGroupArn: logGroup(groupOf) },
    ["InvalidCloudWatchLogsRoleArnException", pair],
  ],
  [
    "a role without log group",
    { CloudWatchLogsRoleArn: role(groupOf) },
    ["InvalidCloudWatchLogsLogGroupArnException", pair],
  ],
  [
    "a log group without :*",
    { CloudWatchLogsLogGroupArn: logGroup(groupOf).slice(0, -2), CloudWatchLogsRoleArn: role(groupOf) },
    ["InvalidCloudWatchLogsLogGroupArnException", "CloudTrail cannot validate the specified log group ARN."],
  ],
  [
    "a log group of another Region",
    { CloudWatchLogsLogGroupArn: logGroup(groupOf, elsewhere), CloudWatchLogsRoleArn: role(groupOf) },
    [
      "InvalidCloudWatchLogsLogGroupArnException",
      "You must specify a log group that is in the current region.",
    ],
  ],
  [
    "a role that is none",
    { CloudWatchLogsLogGroupArn: logGroup(groupOf), CloudWatchLogsRoleArn: "some-role" },
    ["InvalidCloudWatchLogsRoleArnException", /some-role/],
  ],
];

describe("is refused, and nothing is changed", () => {
  let client: ReturnType<Api["as"]>;
  let check: Awaited<ReturnType<typeof refusalCheck>>;
  beforeAll(async () => {
    client = api.as(api.newAccount());
    await makeTrail(client, "my-trail", { IncludeGlobalServiceEvents: false, S3KeyPrefix: "audit" });
    check = await refusalCheck(client);
  });

  test.each(refusals)("%s", async (_what, change, refusal) => {
    // A good change in the same call must not be kept either.
    const input = { Name: "my-trail", EnableLogFileValidation: true, ...change };
    await check(() => client.updateTrail(input), refusal);
  });

  test("global events off on a stored multi-Region trail", async () => {
    const client = api.as(api.newAccount());
    await makeTrail(client, "my-trail", { IsMultiRegionTrail: true });
    await expectRefusalWithoutTrace(
      client,
      () => client.updateTrail({ Name: "my-trail", IncludeGlobalServiceEvents: false }),
      combination,
    );
  });

  test("a bucket whose policy does not let CloudTrail write", async () => {
    await makeBucket(api.url, "closed-bucket");
    const Statement = [
      { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::closed-bucket/*" },
    ];
    await s3(api.url, "PUT", "closed-bucket?policy", JSON.stringify({ Version: "2012-10-17", Statement }));
    const client = api.as(api.newAccount());
    await makeTrail(client, "my-trail");
    await expectRefusalWithoutTrace(
      client,
      () => client.updateTrail({ Name: "my-trail", S3BucketName: "closed-bucket" }),
      [
        "InsufficientS3BucketPolicyException",
        "Incorrect S3 bucket policy is detected for bucket: closed-bucket",
      ],
    );
  });
});

describe("organization trails", () => {
  test("the management account converts a trail and back", async () => {
    const client = api.as(organization.management);
    const member = api.as(organization.member);
    const arn = await makeTrail(client, "turning-trail");
    expect((await client.updateTrail({ Name: arn, IsOrganizationTrail: true })).IsOrganizationTrail).toBe(
      true,
    );
    expect((await member.listTrails({})).Trails?.map((trail) => trail.TrailARN)).toEqual([arn]);
    expect((await client.updateTrail({ Name: arn, IsOrganizationTrail: false })).IsOrganizationTrail).toBe(
      false,
    );
    expect((await member.listTrails({})).Trails).toEqual([]);
    await client.deleteTrail({ Name: arn });
  });

  test("a delegated administrator changes one but cannot convert it", async () => {
    const client = api.as(organization.management);
    const delegated = api.as(organization.delegated);
    const arn = await makeTrail(client, "kept-trail", { IsOrganizationTrail: true });
    expect((await delegated.updateTrail({ Name: arn, S3KeyPrefix: "org" })).S3KeyPrefix).toBe("org");
    await expectRefusalWithoutTrace(
      client,
      () => delegated.updateTrail({ Name: arn, IsOrganizationTrail: false }),
      [
        "NotOrganizationMasterAccountException",
        `The caller ${organization.delegated} is not the management account of the organization.`,
      ],
    );
    await client.deleteTrail({ Name: arn });
  });

  test("a member cannot make its trail one", async () => {
    const client = api.as(organization.member);
    await makeTrail(client, "plain-trail");
    await expectRefusalWithoutTrace(
      client,
      () => client.updateTrail({ Name: "plain-trail", IsOrganizationTrail: true }),
      [
        "NotOrganizationMasterAccountException",
        `The caller ${organization.member} is not the management account of the organization.`,
      ],
    );
    await client.deleteTrail({ Name: "plain-trail" });
  });

  test("an account outside the organization cannot either", async () => {
    const account = api.newAccount();
    const client = api.as(account);
    await makeTrail(client, "plain-trail");
    await expectRefusalWithoutTrace(
      client,
      () => client.updateTrail({ Name: "plain-trail", IsOrganizationTrail: true }),
      ["OrganizationsNotInUseException", `The account ${account} is not a member of an organization.`],
    );
  });
});
