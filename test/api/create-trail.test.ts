// CreateTrail over the API: what it answers, every refusal with its exact text, and that a refusal leaves nothing.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CreateTrailCommandInput } from "@aws-sdk/client-cloudtrail";
import {
  type Api,
  bucket,
  elsewhere,
  expectRefusal,
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
import { badNames } from "./trail-references.suite.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const keyId = "0123abcd-1234-5678-9abc-0123456789ab";
const multiRegionKeyId = `mrk-${"0123456789abcdef".repeat(2)}`;
const logGroup = (account: string, region = home) =>
  `arn:aws:logs:${region}:${account}:log-group:CloudTrail/logs:*`;
const role = (account: string) => `arn:aws:iam::${account}:role/CloudTrail_Logs`;

/** The answer for a trail with nothing but a name and a bucket. */
const plainAnswer = (account: string, name: string) => ({
  Name: name,
  S3BucketName: bucket,
  IncludeGlobalServiceEvents: true,
  IsMultiRegionTrail: false,
  TrailARN: trailArn(account, name),
  LogFileValidationEnabled: false,
  IsOrganizationTrail: false,
});

describe("a new trail", () => {
  test("is answered with its settings and defaults, and nothing that is unset", async () => {
    const account = api.newAccount();
    const answer = await api.raw("CreateTrail", { Name: "my-trail", S3BucketName: bucket }, { account });
    expect(answer.status).toBe(200);
    expect(answer.contentType).toBe("application/x-amz-json-1.1");
    expect(answer.requestId).toMatch(uuid);
    expect(answer.json).toEqual(plainAnswer(account, "my-trail"));
  });

  test("with every setting is answered with all of them, but never its tags", async () => {
    const account = api.newAccount();
    const answer = await api.raw(
      "CreateTrail",
      {
        Name: "full-trail",
        S3BucketName: bucket,
        S3KeyPrefix: "audit/all",
        SnsTopicName: "trail-topic",
        IncludeGlobalServiceEvents: true,
        IsMultiRegionTrail: true,
        EnableLogFileValidation: true,
        CloudWatchLogsLogGroupArn: logGroup(account),
        CloudWatchLogsRoleArn: role(account),
        KmsKeyId: keyId,
        IsOrganizationTrail: false,
        TagsList: [{ Key: "Team", Value: "audit" }],
      },
      { account },
    );
    expect(answer.json).toEqual({
      Name: "full-trail",
      S3BucketName: bucket,
      S3KeyPrefix: "audit/all",
      SnsTopicName: "trail-topic",
      SnsTopicARN: `arn:aws:sns:${home}:${account}:trail-topic`,
      IncludeGlobalServiceEvents: true,
      IsMultiRegionTrail: true,
      TrailARN: trailArn(account, "full-trail"),
      LogFileValidationEnabled: true,
      CloudWatchLogsLogGroupArn: logGroup(account),
      CloudWatchLogsRoleArn: role(account),
      KmsKeyId: `arn:aws:kms:${home}:${account}:key/${keyId}`,
      IsOrganizationTrail: false,
    });
  });

  test("takes null, empty optional strings and unknown members as absent", async () => {
    const account = api.newAccount();
    const input = {
      Name: "lean-trail",
      S3BucketName: bucket,
      S3KeyPrefix: "",
      SnsTopicName: "",
      KmsKeyId: "",
      CloudWatchLogsLogGroupArn: "",
      CloudWatchLogsRoleArn: "",
      IsMultiRegionTrail: null,
      TagsList: null,
      Colour: "blue",
    };
    const answer = await api.raw("CreateTrail", input, { account });
    expect(answer.json).toEqual(plainAnswer(account, "lean-trail"));
  });

  test("does not log, has the default selector and no Insights", async () => {
    const client = api.as(api.newAccount());
    const arn = await makeTrail(client, "quiet-trail");
    expect((await client.getTrailStatus({ Name: arn })).IsLogging).toBe(false);
    expect((await client.getEventSelectors({ TrailName: arn })).EventSelectors).toEqual([
      {
        ReadWriteType: "All",
        IncludeManagementEvents: true,
        DataResources: [],
        ExcludeManagementEventSources: [],
      },
    ]);
    await expectRefusal(client.getInsightSelectors({ TrailName: arn }), [
      "InsightNotEnabledException",
      "Trail quiet-trail does not have Insights enabled. Edit the trail settings to enable Insights, and then try the operation again.",
    ]);
  });

  test("has its tags at once, a missing value as the empty text", async () => {
    const client = api.as(api.newAccount());
    const TagsList = [
      { Key: "Team", Value: "audit" },
      { Key: "Größe + = . _ : / @ -", Value: "x" },
      { Key: "Bare" },
    ];
    const arn = await makeTrail(client, "tagged-trail", { TagsList });
    expect((await client.listTags({ ResourceIdList: [arn] })).ResourceTagList).toEqual([
      { ResourceId: arn, TagsList: [...TagsList.slice(0, 2), { Key: "Bare", Value: "" }] },
    ]);
  });

  test.each([
    ["cn-north-1", "aws-cn"],
    ["us-gov-west-1", "aws-us-gov"],
    ["eu-central-2", "aws"],
  ])("in %s has an ARN of the partition %s", async (region, partition) => {
    const account = api.newAccount();
    expect(await makeTrail(api.as(account, region), "far-trail")).toBe(
      `arn:${partition}:cloudtrail:${region}:${account}:trail/far-trail`,
    );
  });

  test.each([
    ["my.trail_1-x", "separators"],
    ["abc", "three characters"],
    ["a".repeat(128), "128 characters"],
    ["1.2.3", "three numbers"],
  ])("may be called %s (%s)", async (Name) => {
    const account = api.newAccount();
    expect(await makeTrail(api.as(account), Name)).toBe(trailArn(account, Name));
  });

  test.each([
    [
      "a multi-Region key id",
      multiRegionKeyId,
      (account: string) => `arn:aws:kms:${home}:${account}:key/${multiRegionKeyId}`,
    ],
    [
      "a key ARN",
      `arn:aws:kms:eu-west-1:999999999999:key/${keyId}`,
      () => `arn:aws:kms:eu-west-1:999999999999:key/${keyId}`,
    ],
  ])("gives back %s as a key ARN", async (_what, KmsKeyId, expected) => {
    const account = api.newAccount();
    const answer = await api.as(account).createTrail({ Name: "kms-trail", S3BucketName: bucket, KmsKeyId });
    expect(answer.KmsKeyId).toBe(expected(account));
  });

  test.each(["alias/audit", "arn:aws:kms:us-east-1:999999999999:alias/audit"])(
    "takes the key %s",
    async (KmsKeyId) => {
      const answer = await api
        .as(api.newAccount())
        .createTrail({ Name: "kms-trail", S3BucketName: bucket, KmsKeyId });
      expect(answer.KmsKeyId).toMatch(/^arn:aws:kms:us-east-1:\d{12}:alias\/audit$/);
    },
  );

  test("repeats a topic's ARN in both members", async () => {
    const topic = "arn:aws:sns:eu-west-1:999999999999:their-topic";
    const answer = await api
      .as(api.newAccount())
      .createTrail({ Name: "sns-trail", S3BucketName: bucket, SnsTopicName: topic });
    expect(answer).toMatchObject({ SnsTopicName: topic, SnsTopicARN: topic });
  });

  test("keeps the prefix as given, up to 200 characters", async () => {
    const client = api.as(api.newAccount());
    for (const S3KeyPrefix of ["with/slash/", "p".repeat(200)]) {
      const answer = await client.createTrail({
        Name: `prefix-${S3KeyPrefix.length}`,
        S3BucketName: bucket,
        S3KeyPrefix,
      });
      expect(answer.S3KeyPrefix).toBe(S3KeyPrefix);
    }
  });
});

const bucketRefusal = (name: string): Refusal => [
  "InvalidS3BucketNameException",
  `${name} is not a valid S3 bucket name.`,
];
const pair = "You must specify a log group and a role ARN.";
const constraint = (value: string, field: string, text: string) =>
  `1 validation error detected: Value ${value} at '${field}' failed to satisfy constraint: ${text}`;
const someTags = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ Key: `Key${index}`, Value: "" }));

type Case = readonly [what: string, input: Partial<CreateTrailCommandInput>, refusal: Refusal];

const refusals: readonly Case[] = [
  ...badNames.map(([what, Name, refusal]): Case => [what, { Name }, refusal]),
  [
    "an ARN for a name",
    { Name: "arn:aws:cloudtrail:us-east-1:123456789012:trail/my-trail" },
    [
      "InvalidTrailNameException",
      "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).",
    ],
  ],
  [
    "multi-Region without global service events",
    { IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false },
    ["InvalidParameterCombinationException", "Multi-Region trail must include global service events."],
  ],
  ["no bucket", { S3BucketName: undefined }, bucketRefusal("")],
  ...[
    "",
    "ab",
    "a".repeat(64),
    "Upper",
    "under_score",
    "a..b",
    "a.-b",
    "a-.b",
    "-abc",
    "abc-",
    "192.168.5.4",
  ].map(
    (S3BucketName): Case => [
      `the bucket name "${S3BucketName}"`,
      { S3BucketName },
      bucketRefusal(S3BucketName),
    ],
  ),
  [
    "a bucket that does not exist",
    { S3BucketName: "no-such-bucket" },
    ["S3BucketDoesNotExistException", "S3 bucket no-such-bucket does not exist!"],
  ],
  [
    "a prefix of 201 characters",
    { S3KeyPrefix: "p".repeat(201) },
    ["InvalidS3PrefixException", "S3 prefix is longer than maximum length: 200"],
  ],
  ["a prefix with a slash first", { S3KeyPrefix: "/logs" }, ["InvalidS3PrefixException", /\/logs/]],
  ["a prefix with a line break", { S3KeyPrefix: "lo\ngs" }, ["InvalidS3PrefixException", /./]],
  ...[
    "t".repeat(257),
    "bad topic",
    "arn:aws:sqs:us-east-1:123456789012:queue",
    "arn:aws:sns:us-east-1:12:topic",
  ].map(
    (SnsTopicName): Case => [
      `the topic "${SnsTopicName.slice(0, 40)}"`,
      { SnsTopicName },
      ["InvalidSnsTopicNameException", `${SnsTopicName} is not a valid SNS topic name.`],
    ],
  ),
  ...["my key", "key/0123abcd", "arn:aws:kms:us-east-1:123456789012:something", "arn:aws:s3:::bucket"].map(
    (KmsKeyId): Case => [
      `the key "${KmsKeyId}"`,
      { KmsKeyId },
      ["InvalidKmsKeyIdException", `Invalid KMS key ID: ${KmsKeyId}.`],
    ],
  ),
  [
    "a log group without role",
    { CloudWatchLogsLogGroupArn: logGroup("123456789012") },
    ["InvalidCloudWatchLogsRoleArnException", pair],
  ],
  [
    "a role without log group",
    { CloudWatchLogsRoleArn: role("123456789012") },
    ["InvalidCloudWatchLogsLogGroupArnException", pair],
  ],
  ...[logGroup("123456789012").slice(0, -2), "CloudTrail/logs", "arn:aws:s3:::bucket"].map(
    (CloudWatchLogsLogGroupArn): Case => [
      `the log group ${CloudWatchLogsLogGroupArn}`,
      { CloudWatchLogsLogGroupArn, CloudWatchLogsRoleArn: role("123456789012") },
      [
        "InvalidCloudWatchLogsLogGroupArnException",
        "CloudTrail cannot validate the specified log group ARN.",
      ],
    ],
  ),
  [
    "a log group of another Region",
    {
      CloudWatchLogsLogGroupArn: logGroup("123456789012", elsewhere),
      CloudWatchLogsRoleArn: role("123456789012"),
    },
    [
      "InvalidCloudWatchLogsLogGroupArnException",
      "You must specify a log group that is in the current region.",
    ],
  ],
  [
    "a role that is none",
    { CloudWatchLogsLogGroupArn: logGroup("123456789012"), CloudWatchLogsRoleArn: "some-role" },
    ["InvalidCloudWatchLogsRoleArnException", /some-role/],
  ],
  [
    "an empty tag key",
    { TagsList: [{ Key: "", Value: "x" }] },
    [
      "InvalidTagParameterException",
      constraint("''", "tagsList.1.member.key", "Member must have length greater than or equal to 1"),
    ],
  ],
  [
    "a tag without key",
    { TagsList: [{ Key: undefined, Value: "x" }] },
    ["InvalidTagParameterException", constraint("null", "tagsList.1.member.key", "Member must not be null")],
  ],
  [
    "a tag key of 129 characters",
    { TagsList: [{ Key: "Ok" }, { Key: "k".repeat(129) }] },
    [
      "InvalidTagParameterException",
      constraint(
        `'${"k".repeat(129)}'`,
        "tagsList.2.member.key",
        "Member must have length less than or equal to 128",
      ),
    ],
  ],
  [
    "a tag value of 257 characters",
    { TagsList: [{ Key: "Team", Value: "v".repeat(257) }] },
    [
      "InvalidTagParameterException",
      constraint(
        `'${"v".repeat(257)}'`,
        "tagsList.1.member.value",
        "Member must have length less than or equal to 256",
      ),
    ],
  ],
  [
    "a tag key with a tilde",
    { TagsList: [{ Key: "a~b" }] },
    ["InvalidTagParameterException", "Tag key a~b is not valid."],
  ],
  [
    "a tag value with a tilde",
    { TagsList: [{ Key: "Team", Value: "a~b" }] },
    ["InvalidTagParameterException", /a~b/],
  ],
  ["a reserved tag key", { TagsList: [{ Key: "aws:team" }] }, ["InvalidTagParameterException", /aws:team/]],
  [
    "a tag key twice",
    {
      TagsList: [
        { Key: "Team", Value: "a" },
        { Key: "Team", Value: "b" },
      ],
    },
    ["InvalidTagParameterException", /Team/],
  ],
  [
    "51 tags",
    { TagsList: someTags(51) },
    ["TagsLimitExceededException", "The number of tags exceeds the limit of 50."],
  ],
  ["201 tags", { TagsList: someTags(201) }, ["InvalidTagParameterException", /less than or equal to 200$/]],
];

describe("is refused, and nothing is made", () => {
  let client: ReturnType<Api["as"]>;
  let check: Awaited<ReturnType<typeof refusalCheck>>;
  beforeAll(async () => {
    client = api.as(api.newAccount());
    await makeTrail(client, "taken-trail", { TagsList: [{ Key: "Team", Value: "audit" }] });
    check = await refusalCheck(client);
  });

  test.each(refusals)("%s", async (_what, change, refusal) => {
    const input = { Name: "new-trail", S3BucketName: bucket, ...change };
    await check(() => client.createTrail(input), refusal);
  });

  const takenName = { Name: "taken-trail" };
  const missingBucket = { S3BucketName: "no-such-bucket" };
  const badTags = { TagsList: [{ Key: "a~b" }] };
  const badKey = { KmsKeyId: "my key" };
  const badPrefix = { S3KeyPrefix: "/logs" };
  const badCombination = { IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false };
  const organizationTrail = { IsOrganizationTrail: true };

  test.each([
    ["the name", { Name: "?", ...badCombination }, "InvalidTrailNameException"],
    [
      "the combination",
      { ...badCombination, ...badKey, ...missingBucket },
      "InvalidParameterCombinationException",
    ],
    ["the syntax", { ...badPrefix, ...badTags, ...missingBucket }, "InvalidS3PrefixException"],
    ["the tags", { ...badTags, ...organizationTrail, ...missingBucket }, "InvalidTagParameterException"],
    [
      "the organization",
      { ...organizationTrail, ...takenName, ...missingBucket },
      "OrganizationsNotInUseException",
    ],
    ["the taken name", { ...takenName, ...missingBucket }, "TrailAlreadyExistsException"],
  ])("%s is looked at first", async (_what, change, name) => {
    const input = { Name: "new-trail", S3BucketName: bucket, ...change };
    await check(() => client.createTrail(input), [name, /./]);
  });
});

describe("the bucket's policy", () => {
  const service = { Service: "cloudtrail.amazonaws.com" };
  const statements = (name: string, folder: string) => [
    { Effect: "Allow", Principal: service, Action: "s3:GetBucketAcl", Resource: `arn:aws:s3:::${name}` },
    {
      Effect: "Allow",
      Principal: service,
      Action: "s3:PutObject",
      Resource: `arn:aws:s3:::${name}/${folder}/*`,
      Condition: { StringEquals: { "s3:x-amz-acl": "bucket-owner-full-control" } },
    },
  ];
  const putPolicy = async (name: string, Statement: readonly unknown[]) => {
    await makeBucket(api.url, name);
    const policy = JSON.stringify({ Version: "2012-10-17", Statement });
    const { status, text } = await s3(api.url, "PUT", `${name}?policy`, policy);
    expect({ ok: status < 300, text }).toEqual({ ok: true, text: "" });
  };
  const incorrect = (name: string): Refusal => [
    "InsufficientS3BucketPolicyException",
    `Incorrect S3 bucket policy is detected for bucket: ${name}`,
  ];

  test("that lets CloudTrail write is accepted, a prefix beside it is not", async () => {
    const account = api.newAccount();
    await putPolicy("policy-good", statements("policy-good", `logs/AWSLogs/${account}`));
    const client = api.as(account);
    const input = { Name: "good-trail", S3BucketName: "policy-good" };
    for (const S3KeyPrefix of [undefined, "other"]) {
      await expectRefusalWithoutTrace(
        client,
        () => client.createTrail({ ...input, ...(S3KeyPrefix && { S3KeyPrefix }) }),
        incorrect("policy-good"),
      );
    }
    expect((await client.createTrail({ ...input, S3KeyPrefix: "logs" })).S3KeyPrefix).toBe("logs");
  });

  test.each([
    ["no ACL check", (name: string, account: string) => statements(name, `AWSLogs/${account}`).slice(1)],
    ["no write", (name: string, account: string) => statements(name, `AWSLogs/${account}`).slice(0, 1)],
    ["another account's folder", (name: string) => statements(name, "AWSLogs/999999999999")],
    [
      "an explicit deny",
      (name: string, account: string) => [
        ...statements(name, `AWSLogs/${account}`),
        { Effect: "Deny", Principal: "*", Action: "s3:PutObject", Resource: `arn:aws:s3:::${name}/*` },
      ],
    ],
    [
      "another trail's ARN as the source",
      (name: string, account: string) =>
        statements(name, `AWSLogs/${account}`).map((statement) => ({
          ...statement,
          Condition: { StringEquals: { "aws:SourceArn": trailArn(account, "other-trail") } },
        })),
    ],
  ])("with %s is refused", async (what, policy) => {
    const account = api.newAccount();
    const name = `policy-${what.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
    await putPolicy(name, policy(name, account));
    const client = api.as(account);
    await expectRefusalWithoutTrace(
      client,
      () => client.createTrail({ Name: "new-trail", S3BucketName: name }),
      incorrect(name),
    );
  });

  test("must name the organization's folder for an organization trail", async () => {
    const client = api.as(organization.management);
    const IsOrganizationTrail = true;
    await putPolicy(
      "policy-org-missing",
      statements("policy-org-missing", `AWSLogs/${organization.management}`),
    );
    await expectRefusalWithoutTrace(
      client,
      () =>
        client.createTrail({ Name: "org-trail", S3BucketName: "policy-org-missing", IsOrganizationTrail }),
      incorrect("policy-org-missing"),
    );
    await putPolicy("policy-org", [
      ...statements("policy-org", `AWSLogs/${organization.management}`),
      ...statements("policy-org", `AWSLogs/${organization.id}`).slice(1),
    ]);
    await client.createTrail({ Name: "org-trail", S3BucketName: "policy-org", IsOrganizationTrail });
    await client.deleteTrail({ Name: "org-trail" });
  });
});

describe("the setting --bucket-policy", () => {
  const policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Deny", Principal: "*", Action: "s3:*", Resource: "*" }],
  });
  const incorrect = (name: string): Refusal => [
    "InsufficientS3BucketPolicyException",
    `Incorrect S3 bucket policy is detected for bucket: ${name}`,
  ];

  // `trail-logs` has no policy, `denying-bucket` one that lets nobody in.
  test.each<[mode: string, refused: string[]]>([
    ["strict", [bucket, "denying-bucket"]],
    ["when-present", ["denying-bucket"]],
    ["off", []],
  ])("%s", async (mode, refused) => {
    const other = await startApi({ args: ["--bucket-policy", mode] });
    try {
      await makeBucket(other.url, "denying-bucket");
      await s3(other.url, "PUT", "denying-bucket?policy", policy);
      const client = other.as(other.newAccount());
      for (const S3BucketName of [bucket, "denying-bucket"]) {
        const call = client.createTrail({ Name: `trail-in-${S3BucketName}`, S3BucketName });
        if (refused.includes(S3BucketName)) await expectRefusal(call, incorrect(S3BucketName));
        else expect((await call).S3BucketName).toBe(S3BucketName);
      }
      await expectRefusal(client.createTrail({ Name: "new-trail", S3BucketName: "no-such-bucket" }), [
        "S3BucketDoesNotExistException",
        "S3 bucket no-such-bucket does not exist!",
      ]);
    } finally {
      await other.dispose();
    }
  });
});
