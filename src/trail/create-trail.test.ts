// CreateTrail (api.md §4.1, §2.2-§2.8).
import { describe, expect, test } from "vitest";
import type { Input } from "../model/operations.ts";
import {
  callFrom,
  delegate,
  documentsOf,
  ireland,
  management,
  mary,
  member,
  ohio,
  openTrailWorld,
  organization,
  refusalOf,
  stranger,
  trailArnOf,
  virginia,
} from "./trail.test-world.ts";

type CreateInput = Input<"CreateTrail">;
const base: CreateInput = { Name: "my-trail", S3BucketName: "my-bucket" };
const policyFor = (folder: string, bucket = "my-bucket") =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Action: "s3:GetBucketAcl",
        Resource: `arn:aws:s3:::${bucket}`,
      },
      {
        Effect: "Allow",
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Action: "s3:PutObject",
        Resource: `arn:aws:s3:::${bucket}/${folder}/*`,
        Condition: { StringEquals: { "s3:x-amz-acl": "bucket-owner-full-control" } },
      },
    ],
  });

describe("CreateTrail answers", () => {
  test("with the defaults, and nothing that is unset", async () => {
    const { operations } = await openTrailWorld();
    expect(await operations.CreateTrail(base, callFrom())).toStrictEqual({
      Name: "my-trail",
      S3BucketName: "my-bucket",
      IncludeGlobalServiceEvents: true,
      IsMultiRegionTrail: false,
      TrailARN: trailArnOf("my-trail"),
      LogFileValidationEnabled: false,
      IsOrganizationTrail: false,
    });
  });

  test("with everything that was given", async () => {
    const { operations } = await openTrailWorld();
    const logs = {
      CloudWatchLogsLogGroupArn: `arn:aws:logs:us-east-2:${mary}:log-group:/cloudtrail/main:*`,
      CloudWatchLogsRoleArn: `arn:aws:iam::${mary}:role/service/to-logs`,
    };
    const output = await operations.CreateTrail(
      {
        ...base,
        ...logs,
        S3KeyPrefix: "logs/of mary/",
        SnsTopicName: "my-topic",
        IsMultiRegionTrail: true,
        EnableLogFileValidation: true,
        KmsKeyId: "mrk-0123456789abcdef0123456789abcdef",
        TagsList: [{ Key: "Group", Value: "Marketing" }],
      },
      callFrom(),
    );
    expect(output).toStrictEqual({
      Name: "my-trail",
      S3BucketName: "my-bucket",
      S3KeyPrefix: "logs/of mary/",
      SnsTopicName: "my-topic",
      SnsTopicARN: `arn:aws:sns:us-east-2:${mary}:my-topic`,
      IncludeGlobalServiceEvents: true,
      IsMultiRegionTrail: true,
      TrailARN: trailArnOf("my-trail"),
      LogFileValidationEnabled: true,
      ...logs,
      KmsKeyId: `arn:aws:kms:us-east-2:${mary}:key/mrk-0123456789abcdef0123456789abcdef`,
      IsOrganizationTrail: false,
    });
  });

  test("and the trail does not log, has the default selector, no Insights, and its tags", async () => {
    const { operations } = await openTrailWorld();
    await operations.CreateTrail({ ...base, TagsList: [{ Key: "b", Value: "1" }, { Key: "a" }] }, callFrom());
    expect((await operations.GetTrailStatus({ Name: "my-trail" }, callFrom())).IsLogging).toBe(false);
    expect(await operations.GetEventSelectors({ TrailName: "my-trail" }, callFrom())).toStrictEqual({
      TrailARN: trailArnOf("my-trail"),
      EventSelectors: [
        {
          ReadWriteType: "All",
          IncludeManagementEvents: true,
          DataResources: [],
          ExcludeManagementEventSources: [],
        },
      ],
    });
    const { Trail } = await operations.GetTrail({ Name: "my-trail" }, callFrom());
    expect(Trail).toMatchObject({ HasCustomEventSelectors: false, HasInsightSelectors: false });
    const tags = await operations.ListTags({ ResourceIdList: [trailArnOf("my-trail")] }, callFrom());
    expect(tags.ResourceTagList?.[0]?.TagsList).toEqual([
      { Key: "b", Value: "1" },
      { Key: "a", Value: "" },
    ]);
  });

  test("an empty optional text counts as absent", async () => {
    const { operations } = await openTrailWorld();
    const empty = {
      S3KeyPrefix: "",
      SnsTopicName: "",
      KmsKeyId: "",
      CloudWatchLogsLogGroupArn: "",
      CloudWatchLogsRoleArn: "",
    };
    const output = await operations.CreateTrail({ ...base, ...empty }, callFrom());
    expect(Object.keys(output)).toEqual([
      "Name",
      "S3BucketName",
      "IncludeGlobalServiceEvents",
      "IsMultiRegionTrail",
      "TrailARN",
      "LogFileValidationEnabled",
      "IsOrganizationTrail",
    ]);
  });

  test.each([
    [
      "0123abcd-0123-0123-0123-0123456789ab",
      `arn:aws:kms:us-east-2:${mary}:key/0123abcd-0123-0123-0123-0123456789ab`,
    ],
    ["alias/my-key", `arn:aws:kms:us-east-2:${mary}:alias/my-key`],
    ["arn:aws:kms:us-east-1:111122223333:alias/x", "arn:aws:kms:us-east-1:111122223333:alias/x"],
    [
      "arn:aws:kms:us-east-1:111122223333:key/0123abcd-0123-0123-0123-0123456789ab",
      "arn:aws:kms:us-east-1:111122223333:key/0123abcd-0123-0123-0123-0123456789ab",
    ],
  ])("the key %s is kept as an ARN", async (KmsKeyId, arn) => {
    const { operations } = await openTrailWorld();
    expect((await operations.CreateTrail({ ...base, KmsKeyId }, callFrom())).KmsKeyId).toBe(arn);
  });

  test("a topic ARN is given back as both members", async () => {
    const { operations } = await openTrailWorld();
    const SnsTopicName = "arn:aws:sns:us-east-1:111122223333:their-topic";
    expect(await operations.CreateTrail({ ...base, SnsTopicName }, callFrom())).toMatchObject({
      SnsTopicName,
      SnsTopicARN: SnsTopicName,
    });
  });

  test("the partition follows the Region", async () => {
    const { operations } = await openTrailWorld();
    const { region } = await import("./trail.test-world.ts");
    const output = await operations.CreateTrail(
      { ...base, SnsTopicName: "topic" },
      callFrom(mary, region("cn-north-1")),
    );
    expect(output.TrailARN).toBe(`arn:aws-cn:cloudtrail:cn-north-1:${mary}:trail/my-trail`);
    expect(output.SnsTopicARN).toBe(`arn:aws-cn:sns:cn-north-1:${mary}:topic`);
  });
});

const group = `arn:aws:logs:us-east-2:${mary}:log-group:trails:*`;
const role = `arn:aws:iam::${mary}:role/to-logs`;
const invalidGroup =
  "InvalidCloudWatchLogsLogGroupArnException: CloudTrail cannot validate the specified log group ARN.";
const invalidBucket = (name: string) =>
  `InvalidS3BucketNameException: ${name} is not a valid S3 bucket name.`;

const refused: readonly (readonly [string, Partial<CreateInput>, string])[] = [
  ["no name", { Name: undefined }, "InvalidTrailNameException: Trail name cannot be blank!"],
  [
    "a bad name",
    { Name: "my-trail!" },
    "InvalidTrailNameException: Trail name must ends with a letter or number.",
  ],
  [
    "an ARN as a name",
    { Name: trailArnOf("my-trail") },
    "InvalidTrailNameException: Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).",
  ],
  [
    "multi-Region without global service events",
    { IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false },
    "InvalidParameterCombinationException: Multi-Region trail must include global service events.",
  ],
  ["a key id of no form", { KmsKeyId: "my key" }, "InvalidKmsKeyIdException: Invalid KMS key ID: my key."],
  [
    "the key ARN of another service",
    { KmsKeyId: `arn:aws:s3:us-east-2:${mary}:key/0123abcd-0123-0123-0123-0123456789ab` },
    `InvalidKmsKeyIdException: Invalid KMS key ID: arn:aws:s3:us-east-2:${mary}:key/0123abcd-0123-0123-0123-0123456789ab.`,
  ],
  [
    "an alias without a name",
    { KmsKeyId: "alias/" },
    "InvalidKmsKeyIdException: Invalid KMS key ID: alias/.",
  ],
  [
    "a log group without a role",
    { CloudWatchLogsLogGroupArn: group },
    "InvalidCloudWatchLogsRoleArnException: You must specify a log group and a role ARN.",
  ],
  [
    "a role without a log group",
    { CloudWatchLogsRoleArn: role },
    "InvalidCloudWatchLogsLogGroupArnException: You must specify a log group and a role ARN.",
  ],
  [
    "a log group without :*",
    { CloudWatchLogsLogGroupArn: group.slice(0, -2), CloudWatchLogsRoleArn: role },
    invalidGroup,
  ],
  [
    "a log group that is no ARN",
    { CloudWatchLogsLogGroupArn: "trails:*", CloudWatchLogsRoleArn: role },
    invalidGroup,
  ],
  [
    "a log group of another Region",
    { CloudWatchLogsLogGroupArn: group.replace("us-east-2", "us-east-1"), CloudWatchLogsRoleArn: role },
    "InvalidCloudWatchLogsLogGroupArnException: You must specify a log group that is in the current region.",
  ],
  [
    "a role that is none",
    { CloudWatchLogsLogGroupArn: group, CloudWatchLogsRoleArn: "admin" },
    "InvalidCloudWatchLogsRoleArnException: The role ARN admin is not valid.",
  ],
  [
    "a topic name of wrong characters",
    { SnsTopicName: "my topic" },
    "InvalidSnsTopicNameException: my topic is not a valid SNS topic name.",
  ],
  [
    "a topic name too long",
    { SnsTopicName: "t".repeat(257) },
    `InvalidSnsTopicNameException: ${"t".repeat(257)} is not a valid SNS topic name.`,
  ],
  [
    "a topic ARN of another service",
    { SnsTopicName: `arn:aws:sqs:us-east-2:${mary}:q` },
    `InvalidSnsTopicNameException: arn:aws:sqs:us-east-2:${mary}:q is not a valid SNS topic name.`,
  ],
  [
    "a FIFO topic",
    { SnsTopicName: "my-topic.fifo" },
    "InvalidSnsTopicNameException: my-topic.fifo is not a valid SNS topic name.",
  ],
  [
    "a FIFO topic by ARN",
    { SnsTopicName: `arn:aws:sns:us-east-2:${mary}:my-topic.fifo` },
    `InvalidSnsTopicNameException: arn:aws:sns:us-east-2:${mary}:my-topic.fifo is not a valid SNS topic name.`,
  ],
  ...[
    "",
    "ab",
    "b".repeat(64),
    "My-bucket",
    "my_bucket",
    "my..bucket",
    "my.-bucket",
    "my-.bucket",
    "mybucket-",
    "-mybucket",
    ".bucket",
    "192.168.5.4",
  ].map(
    (name) =>
      [`the bucket name ${JSON.stringify(name)}`, { S3BucketName: name }, invalidBucket(name)] as const,
  ),
  ["no bucket", { S3BucketName: undefined }, invalidBucket("")],
  [
    "a prefix too long",
    { S3KeyPrefix: "p".repeat(201) },
    "InvalidS3PrefixException: S3 prefix is longer than maximum length: 200",
  ],
  [
    "a prefix with a leading slash",
    { S3KeyPrefix: "/logs" },
    "InvalidS3PrefixException: S3 prefix must not begin with a slash: /logs",
  ],
  [
    "a prefix with a control character",
    { S3KeyPrefix: "a\u0000b" },
    "InvalidS3PrefixException: S3 prefix a\u0000b has characters that cannot be used in an object key.",
  ],
  ["an empty tag key", { TagsList: [{ Key: "" }] }, "InvalidTagParameterException: Tag key  is not valid."],
  [
    "a tag key with wrong characters",
    { TagsList: [{ Key: "a#b" }] },
    "InvalidTagParameterException: Tag key a#b is not valid.",
  ],
  [
    "a tag key too long",
    { TagsList: [{ Key: "k".repeat(129) }] },
    `InvalidTagParameterException: Tag key ${"k".repeat(129)} is not valid.`,
  ],
  [
    "a tag value too long",
    { TagsList: [{ Key: "k", Value: "v".repeat(257) }] },
    `InvalidTagParameterException: Tag value ${"v".repeat(257)} is not valid.`,
  ],
  [
    "a tag value with wrong characters",
    { TagsList: [{ Key: "k", Value: "v;" }] },
    "InvalidTagParameterException: Tag value v; is not valid.",
  ],
  [
    "a tag key twice",
    {
      TagsList: [
        { Key: "k", Value: "1" },
        { Key: "k", Value: "1" },
      ],
    },
    "InvalidTagParameterException: Tag key k occurs more than once.",
  ],
  [
    "a reserved tag key",
    { TagsList: [{ Key: "aws:x" }] },
    "InvalidTagParameterException: Tag key aws:x begins with the reserved prefix aws:.",
  ],
  [
    "51 tags",
    { TagsList: Array.from({ length: 51 }, (_, n) => ({ Key: `k${n}` })) },
    "TagsLimitExceededException: The number of tags exceeds the limit of 50.",
  ],
  [
    "an organization trail without an organization",
    { IsOrganizationTrail: true },
    `OrganizationsNotInUseException: The account ${mary} is not a member of an organization.`,
  ],
  [
    "a bucket that is not there",
    { S3BucketName: "nobodys-bucket" },
    "S3BucketDoesNotExistException: S3 bucket nobodys-bucket does not exist!",
  ],
];

describe("CreateTrail refuses", () => {
  test.each(refused)("%s, and creates nothing", async (_what, input, refusal) => {
    const world = await openTrailWorld();
    expect(await refusalOf(world.operations.CreateTrail({ ...base, ...input }, callFrom()))).toBe(refusal);
    expect(await documentsOf(world)).toEqual([]);
    expect(world.registry.ofOwner(mary)).toEqual([]);
  });

  test("the same name again, even with the same input", async () => {
    const { operations } = await openTrailWorld();
    await operations.CreateTrail(base, callFrom());
    const refusal = `TrailAlreadyExistsException: Trail my-trail already exists for customer: ${mary}`;
    expect(await refusalOf(operations.CreateTrail(base, callFrom()))).toBe(refusal);
    // Names are case-sensitive, and unique per owner and home Region only.
    expect(await refusalOf(operations.CreateTrail({ ...base, Name: "My-Trail" }, callFrom()))).toBe(
      "accepted",
    );
    expect(await refusalOf(operations.CreateTrail(base, callFrom(stranger)))).toBe("accepted");
    expect(await refusalOf(operations.CreateTrail(base, callFrom(mary, ireland)))).toBe("accepted");
  });

  test("a name that a multi-Region trail occupies everywhere", async () => {
    const { operations } = await openTrailWorld();
    await operations.CreateTrail({ ...base, IsMultiRegionTrail: true }, callFrom());
    const refusal = `TrailAlreadyExistsException: Trail my-trail already exists for customer: ${mary}`;
    expect(await refusalOf(operations.CreateTrail(base, callFrom(mary, ireland)))).toBe(refusal);
    expect(await refusalOf(operations.CreateTrail(base, callFrom(stranger, ireland)))).toBe("accepted");
  });

  test("a multi-Region trail whose name is taken in another Region", async () => {
    const { operations } = await openTrailWorld();
    await operations.CreateTrail(base, callFrom(mary, ireland));
    const refusal = `TrailAlreadyExistsException: Trail my-trail already exists for customer: ${mary}`;
    expect(await refusalOf(operations.CreateTrail({ ...base, IsMultiRegionTrail: true }, callFrom()))).toBe(
      refusal,
    );
  });

  test("the sixth trail of a Region", async () => {
    const { operations } = await openTrailWorld();
    for (let n = 1; n <= 5; n++) await operations.CreateTrail({ ...base, Name: `trail-${n}` }, callFrom());
    expect(await refusalOf(operations.CreateTrail(base, callFrom()))).toBe(
      `MaximumNumberOfTrailsExceededException: User: ${mary} already has 5 trails in us-east-2.`,
    );
    expect(await refusalOf(operations.CreateTrail(base, callFrom(mary, ireland)))).toBe("accepted");
    await operations.DeleteTrail({ Name: "trail-1" }, callFrom());
    expect(await refusalOf(operations.CreateTrail(base, callFrom()))).toBe("accepted");
  });

  test("the sixth where multi-Region trails of other Regions count", async () => {
    const { operations } = await openTrailWorld();
    for (let n = 1; n <= 5; n++) {
      await operations.CreateTrail({ ...base, Name: `trail-${n}`, IsMultiRegionTrail: true }, callFrom());
    }
    expect(await refusalOf(operations.CreateTrail(base, callFrom(mary, ireland)))).toBe(
      `MaximumNumberOfTrailsExceededException: User: ${mary} already has 5 trails in eu-west-1.`,
    );
  });

  test("a multi-Region trail when another Region is full", async () => {
    const { operations } = await openTrailWorld();
    for (let n = 1; n <= 5; n++) {
      await operations.CreateTrail({ ...base, Name: `trail-${n}` }, callFrom(mary, ireland));
    }
    expect(await refusalOf(operations.CreateTrail({ ...base, IsMultiRegionTrail: true }, callFrom()))).toBe(
      `MaximumNumberOfTrailsExceededException: User: ${mary} already has 5 trails in eu-west-1.`,
    );
    expect(await refusalOf(operations.CreateTrail(base, callFrom()))).toBe("accepted");
  });

  test("by the configured quotas", async () => {
    const world = await openTrailWorld();
    world.configuration = {
      ...world.configuration,
      quotas: { ...world.configuration.quotas, trailsPerRegion: 1, tagsPerResource: 1 },
    };
    const TagsList = [{ Key: "a" }, { Key: "b" }];
    expect(await refusalOf(world.operations.CreateTrail({ ...base, TagsList }, callFrom()))).toBe(
      "TagsLimitExceededException: The number of tags exceeds the limit of 1.",
    );
    await world.operations.CreateTrail(base, callFrom());
    expect(await refusalOf(world.operations.CreateTrail({ ...base, Name: "other" }, callFrom()))).toBe(
      `MaximumNumberOfTrailsExceededException: User: ${mary} already has 1 trails in us-east-2.`,
    );
  });
});

describe("CreateTrail checks in order", () => {
  // Each entry breaks one rule more than the one below it: the first that is broken is reported.
  const broken: readonly (readonly [Partial<CreateInput>, string])[] = [
    [{ Name: "x" }, "InvalidTrailNameException"],
    [{ IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false }, "InvalidParameterCombinationException"],
    [{ KmsKeyId: "?" }, "InvalidKmsKeyIdException"],
    [{ CloudWatchLogsRoleArn: role }, "InvalidCloudWatchLogsLogGroupArnException"],
    [{ SnsTopicName: "?" }, "InvalidSnsTopicNameException"],
    [{ S3BucketName: "?" }, "InvalidS3BucketNameException"],
    [{ S3KeyPrefix: "/" }, "InvalidS3PrefixException"],
    [{ TagsList: [{ Key: "?" }] }, "InvalidTagParameterException"],
    [{ IsOrganizationTrail: true }, "OrganizationsNotInUseException"],
  ];
  test.each(broken.map((entry, index) => [entry[1], index] as const))("%s", async (code, index) => {
    const { operations } = await openTrailWorld();
    const input = Object.assign(
      {},
      base,
      ...broken
        .slice(index)
        .map(([part]) => part)
        .reverse(),
    );
    expect(await refusalOf(operations.CreateTrail(input, callFrom()))).toMatch(new RegExp(`^${code}:`));
  });

  test("name taken, then quota, then bucket, then policy", async () => {
    const world = await openTrailWorld({ bucketPolicyCheck: "strict" });
    const { operations, buckets } = world;
    buckets.set("my-bucket", { kind: "policy", text: policyFor(`AWSLogs/${mary}`) });
    for (let n = 1; n <= 5; n++) await operations.CreateTrail({ ...base, Name: `trail-${n}` }, callFrom());
    const noBucket = { ...base, S3BucketName: "nobodys-bucket" };
    const codeOf = async (input: CreateInput) =>
      (await refusalOf(operations.CreateTrail(input, callFrom()))).split(":")[0];
    expect(await codeOf({ ...noBucket, Name: "trail-1" })).toBe("TrailAlreadyExistsException");
    expect(await codeOf(noBucket)).toBe("MaximumNumberOfTrailsExceededException");
    await operations.DeleteTrail({ Name: "trail-1" }, callFrom());
    expect(await codeOf(noBucket)).toBe("S3BucketDoesNotExistException");
    buckets.set("my-bucket", { kind: "none" });
    expect(await codeOf(base)).toBe("InsufficientS3BucketPolicyException");
  });
});

describe("CreateTrail and the bucket's policy", () => {
  const none = { kind: "none" } as const;
  const right = { kind: "policy", text: policyFor(`AWSLogs/${mary}`) } as const;
  const wrong = { kind: "policy", text: policyFor("AWSLogs/111122223333") } as const;
  const garbage = { kind: "policy", text: "no policy" } as const;
  const unreadable = { kind: "unreadable", message: "AccessDenied" } as const;
  const refusal =
    "InsufficientS3BucketPolicyException: Incorrect S3 bucket policy is detected for bucket: my-bucket";
  test.each([
    ["strict", none, refusal],
    ["strict", wrong, refusal],
    ["strict", garbage, refusal],
    ["strict", right, "accepted"],
    ["strict", unreadable, "accepted"],
    ["when-present", none, "accepted"],
    ["when-present", wrong, refusal],
    ["when-present", garbage, refusal],
    ["when-present", right, "accepted"],
    ["when-present", unreadable, "accepted"],
    ["off", none, "accepted"],
    ["off", wrong, "accepted"],
  ] as const)("%s, %j: %s", async (bucketPolicyCheck, policy, expected) => {
    const world = await openTrailWorld({ bucketPolicyCheck });
    world.buckets.set("my-bucket", policy);
    expect(await refusalOf(world.operations.CreateTrail(base, callFrom()))).toBe(expected);
    expect(world.registry.ofOwner(mary)).toHaveLength(expected === "accepted" ? 1 : 0);
  });

  test("off still wants the bucket to exist", async () => {
    const { operations } = await openTrailWorld({ bucketPolicyCheck: "off" });
    expect(
      await refusalOf(operations.CreateTrail({ ...base, S3BucketName: "nobodys-bucket" }, callFrom())),
    ).toBe("S3BucketDoesNotExistException: S3 bucket nobodys-bucket does not exist!");
  });

  test("the prefix and the digest folder belong to what must be allowed", async () => {
    const { operations, buckets } = await openTrailWorld();
    buckets.set("my-bucket", { kind: "policy", text: policyFor(`AWSLogs/${mary}/CloudTrail`) });
    expect(await refusalOf(operations.CreateTrail({ ...base, S3KeyPrefix: "p" }, callFrom()))).toBe(refusal);
    expect(
      await refusalOf(operations.CreateTrail({ ...base, EnableLogFileValidation: true }, callFrom())),
    ).toBe(refusal);
    expect(await refusalOf(operations.CreateTrail(base, callFrom()))).toBe("accepted");
    buckets.set("my-bucket", { kind: "policy", text: policyFor(`p/AWSLogs/${mary}`) });
    const Name = "other";
    expect(await refusalOf(operations.CreateTrail({ ...base, Name }, callFrom()))).toBe(refusal);
    expect(
      await refusalOf(
        operations.CreateTrail(
          { ...base, Name, S3KeyPrefix: "p", EnableLogFileValidation: true },
          callFrom(),
        ),
      ),
    ).toBe("accepted");
  });

  test("a store that does not know is not a reason to refuse", async () => {
    const world = await openTrailWorld();
    world.presence = async () => "unknown";
    expect(
      await refusalOf(world.operations.CreateTrail({ ...base, S3BucketName: "far-bucket" }, callFrom())),
    ).toBe("accepted");
    world.presence = async () => {
      throw new Error("no route to host");
    };
    expect(await refusalOf(world.operations.CreateTrail({ ...base, Name: "other" }, callFrom()))).toBe(
      "accepted",
    );
    expect(world.warnings).toContain("The bucket of a trail could not be checked; the check is skipped.");
  });

  test("a store that never answers is waited for no longer than ten seconds, and told to stop", async () => {
    const world = await openTrailWorld();
    world.sleepScale = 0.001;
    let isAborted = false;
    world.presence = async (_bucket, signal) =>
      new Promise(() => {
        signal?.addEventListener("abort", () => {
          isAborted = true;
        });
      });
    expect(await refusalOf(world.operations.CreateTrail(base, callFrom()))).toBe("accepted");
    expect(isAborted).toBe(true);
    expect(world.warnings).toEqual([
      "The store did not answer about the bucket of a trail in time; the check is skipped.",
    ]);
  });
});

describe("CreateTrail of an organization trail", () => {
  const input = { ...base, IsOrganizationTrail: true, IsMultiRegionTrail: true };

  test("belongs to the management account", async () => {
    const { operations, registry } = await openTrailWorld({ organization });
    const output = await operations.CreateTrail(input, callFrom(management));
    expect(output).toMatchObject({ IsOrganizationTrail: true, TrailARN: trailArnOf("my-trail") });
    expect(registry.ofOwner(management)[0]).toMatchObject({ organizationId: "o-exampleorgid" });
  });

  test("belongs to it also when a delegated administrator makes it", async () => {
    const { operations, registry } = await openTrailWorld({ organization });
    const output = await operations.CreateTrail(input, callFrom(delegate));
    expect(output.TrailARN).toBe(trailArnOf("my-trail"));
    expect(registry.ofOwner(delegate)).toEqual([]);
    const incarnation = registry.ofOwner(management)[0]?.incarnation ?? "";
    expect(registry.place(incarnation)).toMatchObject({
      owner: management,
      organizationId: "o-exampleorgid",
    });
    expect(await refusalOf(operations.CreateTrail(input, callFrom(delegate)))).toBe(
      `TrailAlreadyExistsException: Trail my-trail already exists for customer: ${management}`,
    );
  });

  test.each([
    [
      member,
      `NotOrganizationMasterAccountException: The caller ${member} is not the management account of the organization.`,
    ],
    [stranger, `OrganizationsNotInUseException: The account ${stranger} is not a member of an organization.`],
  ])("is refused to %s", async (caller, refusal) => {
    const { operations } = await openTrailWorld({ organization });
    expect(await refusalOf(operations.CreateTrail(input, callFrom(caller)))).toBe(refusal);
  });

  test("needs a policy for the organization's folder", async () => {
    const { operations, buckets } = await openTrailWorld({ organization });
    buckets.set("my-bucket", { kind: "policy", text: policyFor(`AWSLogs/${management}`) });
    expect(await refusalOf(operations.CreateTrail(input, callFrom(management)))).toBe(
      "InsufficientS3BucketPolicyException: Incorrect S3 bucket policy is detected for bucket: my-bucket",
    );
    buckets.set("my-bucket", { kind: "policy", text: policyFor("AWSLogs") });
    expect(await refusalOf(operations.CreateTrail(input, callFrom(management)))).toBe("accepted");
  });
});

describe("CreateTrail at the same time", () => {
  test("of a hundred who want one name, one gets it", async () => {
    const { operations, registry } = await openTrailWorld();
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, async () => refusalOf(operations.CreateTrail(base, callFrom()))),
    );
    expect(outcomes.filter((outcome) => outcome === "accepted")).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(
      new Set([
        "accepted",
        `TrailAlreadyExistsException: Trail my-trail already exists for customer: ${mary}`,
      ]),
    );
    expect(registry.ofOwner(mary)).toHaveLength(1);
  });

  test("the quota is never exceeded, in no Region", async () => {
    const { operations, registry } = await openTrailWorld();
    const regions = [ohio, ireland, virginia];
    await Promise.all(
      Array.from({ length: 60 }, async (_, n) =>
        refusalOf(
          operations.CreateTrail(
            { ...base, Name: `trail-${n}`, IsMultiRegionTrail: n % 4 === 0 },
            callFrom(mary, regions[n % 3]),
          ),
        ),
      ),
    );
    const trails = registry.ofOwner(mary);
    for (const region of regions) {
      const inRegion = trails.filter((trail) => trail.settings.isMultiRegion || trail.homeRegion === region);
      expect(inRegion).toHaveLength(5);
    }
  });

  test("a slow bucket of one trail does not hold up the account's other trails", async () => {
    const world = await openTrailWorld();
    let answer: () => void = () => {};
    world.buckets.set(
      "slow-bucket",
      async () =>
        new Promise((resolve) => {
          answer = () => resolve({ kind: "none" });
        }),
    );
    const slow = world.operations.CreateTrail({ ...base, S3BucketName: "slow-bucket" }, callFrom());
    expect(await refusalOf(world.operations.CreateTrail(base, callFrom()))).toBe("accepted");
    answer();
    expect(await refusalOf(slow)).toBe(
      `TrailAlreadyExistsException: Trail my-trail already exists for customer: ${mary}`,
    );
  });
});
