// What CreateTrail refuses, with its exact text, and in which order it looks (api.md §2.2-§2.8, §4.1).
import { describe, expect, test } from "vitest";
import type { Input } from "../model/operations.ts";
import {
  callFrom,
  documentsOf,
  ireland,
  mary,
  openTrailWorld,
  policyFor,
  refusalOf,
  stranger,
  trailArnOf,
} from "./trail.test-world.ts";

type CreateInput = Input<"CreateTrail">;
const base: CreateInput = { Name: "my-trail", S3BucketName: "my-bucket" };

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
