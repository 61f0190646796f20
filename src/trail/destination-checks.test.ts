// What CreateTrail and UpdateTrail ask the services that a trail names (api.md §2.6; formats.md §2.6, §4.3, §5.1), and
// what they make of the answers.
import { describe, expect, test } from "vitest";
import type { KeyDescription, Keys, LogGroups, ServiceOutcome, Services } from "../aws/contract.ts";
import type { Input } from "../model/operations.ts";
import {
  callFrom,
  delegate,
  documentsOf,
  management,
  mary,
  openTrailWorld,
  organization,
  refusalOf,
  type TrailWorld,
  trailArnOf,
} from "./trail.test-world.ts";
import { createTrailOperations } from "./trail-operations.ts";

const topicArn = `arn:aws:sns:us-east-2:${mary}:topic`;
const group = `arn:aws:logs:us-east-2:${mary}:log-group:trails:*`;
const role = `arn:aws:iam::${mary}:role/to-logs`;
const keyArn = `arn:aws:kms:us-east-2:${mary}:key/0123abcd-0123-0123-0123-0123456789ab`;
const otherKeyArn = keyArn.replace("0123abcd", "fedc0123");
const aliasArn = `arn:aws:kms:us-east-2:${mary}:alias/trail`;
const base = { Name: "my-trail", S3BucketName: "my-bucket" };
const logsInput = { CloudWatchLogsLogGroupArn: group, CloudWatchLogsRoleArn: role };
const full = { ...base, SnsTopicName: "topic", KmsKeyId: keyArn, ...logsInput };

const refused = (code: string): ServiceOutcome => ({ kind: "refused", code, message: "it says why" });
const unknown: ServiceOutcome = { kind: "unknown", message: "ECONNREFUSED" };
const good: KeyDescription = { arn: keyArn, isEnabled: true, isUsable: true };

/** Services that do what the test says, and a list of what they were asked. */
interface ServiceWorld extends TrailWorld {
  /** Undefined: the service is not configured. */
  answers: {
    publish?: ServiceOutcome | Promise<ServiceOutcome>;
    createStream?: ServiceOutcome;
    describe?: Awaited<ReturnType<Keys["describe"]>>;
    probe?: ServiceOutcome;
  };
  readonly asked: string[];
  /** Runs inside the next publish, before it is answered. */
  meanwhile: (() => Promise<unknown>) | undefined;
}

const done = { kind: "done" } as const;
const allGood = {
  publish: done,
  createStream: done,
  describe: { kind: "key", key: good },
  probe: done,
} as const;

async function openServiceWorld(
  answers: ServiceWorld["answers"] = allGood,
  configuration: Parameters<typeof openTrailWorld>[0] = {},
): Promise<ServiceWorld> {
  const trails = await openTrailWorld(configuration);
  trails.buckets.set("other-bucket", { kind: "none" });
  const asked: string[] = [];
  const world: ServiceWorld = Object.assign(trails, { answers: { ...answers }, asked, meanwhile: undefined });
  const services: Services = {
    topics: {
      async publish(topic, message) {
        asked.push(`publish ${topic}: ${message}`);
        const { meanwhile } = world;
        world.meanwhile = undefined;
        await meanwhile?.();
        return world.answers.publish ?? unknown;
      },
    },
    logGroups: logGroupsOf(world),
    keys: {
      async describe(keyId) {
        asked.push(`describe ${keyId}`);
        return world.answers.describe ?? { kind: "unknown", message: "" };
      },
      async probe(keyId, trailArn) {
        asked.push(`probe ${keyId} ${trailArn}`);
        return world.answers.probe ?? unknown;
      },
    },
    close() {},
  };
  world.operations = createTrailOperations(world.registry, { ...world.ports, services });
  return world;
}

function logGroupsOf(world: ServiceWorld): LogGroups {
  return {
    async createStream(of, stream) {
      world.asked.push(`createStream ${of.arn} ${of.roleArn} ${stream}`);
      return world.answers.createStream ?? unknown;
    },
    putEvents: () => Promise.reject(new Error("Nothing is put at a check.")),
  };
}

const create = async (world: TrailWorld, input: Input<"CreateTrail"> = full) =>
  refusalOf(world.operations.CreateTrail(input, callFrom()));
const update = async (world: TrailWorld, input: Omit<Input<"UpdateTrail">, "Name">) =>
  refusalOf(world.operations.UpdateTrail({ Name: "my-trail", ...input }, callFrom()));

const question = {
  describe: `describe ${keyArn}`,
  probe: `probe ${keyArn} ${trailArnOf("my-trail")}`,
  publish: `publish ${topicArn}: CloudTrail validation message.`,
  stream: `createStream ${group} ${role} ${mary}_CloudTrail_us-east-2`,
};

describe("CreateTrail asks", () => {
  test("key, topic and log group, in this order, and only once", async () => {
    const world = await openServiceWorld();
    expect(await create(world)).toBe("accepted");
    expect(world.asked).toEqual([question.describe, question.probe, question.publish, question.stream]);
    expect(world.warnings).toEqual([]);
  });

  test("nobody about what the trail does not name", async () => {
    const world = await openServiceWorld();
    expect(await create(world, base)).toBe("accepted");
    expect(world.asked).toEqual([]);
  });

  test("for the organization's log stream of the management account", async () => {
    const world = await openServiceWorld(allGood, { organization });
    const input = { ...base, ...logsInput, IsOrganizationTrail: true };
    expect(await refusalOf(world.operations.CreateTrail(input, callFrom(delegate)))).toBe("accepted");
    expect(world.asked).toEqual([`createStream ${group} ${role} org_${management}_CloudTrail_us-east-2`]);
  });
});

const notFound = `KmsKeyNotFoundException: KMS key ID ${keyArn} does not exist, or s3 bucket my-bucket and key are not in the same region.`;
const noEncryption = `InsufficientEncryptionPolicyException: Insufficient permissions to access S3 bucket my-bucket or KMS key ${keyArn}.`;
const disabled = `KmsException: KMS key ${keyArn} cannot be used: it is disabled or waits for its deletion.`;
const noTopic =
  "InsufficientSnsTopicPolicyException: SNS Topic does not exist or the topic policy is incorrect!";
const noGroup =
  "InvalidCloudWatchLogsLogGroupArnException: CloudTrail cannot validate the specified log group ARN.";

const refusals: readonly (readonly [string, ServiceWorld["answers"], string])[] = [
  ["a missing key", { describe: { kind: "missing" } }, notFound],
  ["a disabled key", { describe: { kind: "key", key: { ...good, isEnabled: false } } }, disabled],
  [
    "an asymmetric key",
    { describe: { kind: "key", key: { ...good, isUsable: false } } },
    `KmsException: KMS key ${keyArn} cannot be used: it is no symmetric encryption key.`,
  ],
  [
    "a key that may not be described",
    { describe: { kind: "refused", code: "AccessDeniedException", message: "" } },
    noEncryption,
  ],
  ["a key that may not be used", { probe: refused("AccessDeniedException") }, noEncryption],
  ["a key that vanished since", { probe: refused("NotFoundException") }, notFound],
  [
    "a key that KMS cannot use",
    { probe: refused("KMSInvalidStateException") },
    `KmsException: KMS key ${keyArn} cannot be used: KMS answers KMSInvalidStateException.`,
  ],
  ["a missing topic", { publish: refused("NotFound") }, noTopic],
  ["a topic that does not let CloudTrail in", { publish: refused("AuthorizationError") }, noTopic],
  [
    "a role that cannot be assumed",
    { createStream: refused("AssumeRole") },
    "InvalidCloudWatchLogsRoleArnException: Access denied. Check the trust relationships for your role.",
  ],
  ["a missing log group", { createStream: refused("ResourceNotFoundException") }, noGroup],
  ["a log group with a name of its own", { createStream: refused("InvalidParameterException") }, noGroup],
  [
    "a role that may not write to the group",
    { createStream: refused("AccessDeniedException") },
    "InvalidCloudWatchLogsLogGroupArnException: Access denied. Check the permissions for your role.",
  ],
];

describe("CreateTrail refuses and creates nothing", () => {
  test.each(refusals)("%s", async (_name, answers, expected) => {
    const world = await openServiceWorld({ ...allGood, ...answers });
    expect(await create(world)).toBe(expected);
    expect(await documentsOf(world)).toEqual([]);
    expect(world.warnings).toEqual([]);
  });

  test("bucket, then key, then topic, then log group", async () => {
    const world = await openServiceWorld({
      ...allGood,
      probe: refused("AccessDeniedException"),
      publish: refused("NotFound"),
      createStream: refused("ResourceNotFoundException"),
    });
    expect(await create(world, { ...full, S3BucketName: "nobodys-bucket" })).toBe(
      "S3BucketDoesNotExistException: S3 bucket nobodys-bucket does not exist!",
    );
    expect(await create(world)).toBe(noEncryption);
    expect(world.asked.filter((what) => what.startsWith("publish"))).toEqual([]);
    world.answers.probe = done;
    expect(await create(world)).toBe(noTopic);
    expect(world.asked.filter((what) => what.startsWith("createStream"))).toEqual([]);
    world.answers.publish = done;
    expect(await create(world)).toBe(noGroup);
    world.answers.createStream = done;
    expect(await create(world)).toBe("accepted");
  });
});

const skipped = (subject: string) => `The ${subject} of a trail could not be checked; the check is skipped.`;

describe("a check that cannot be made is skipped with a warning", () => {
  test("without any service", async () => {
    const world = await openTrailWorld();
    expect(await create(world)).toBe("accepted");
    expect(world.warnings).toEqual([skipped("KMS key"), skipped("SNS topic"), skipped("log group")]);
  });

  test("without an answer", async () => {
    const world = await openServiceWorld({});
    expect(await create(world)).toBe("accepted");
    expect(world.warnings).toEqual([skipped("KMS key"), skipped("SNS topic"), skipped("log group")]);
  });

  test.each([
    "ThrottlingException",
    "ExpiredTokenException",
    "UnrecognizedClientException",
    "UnknownOperationException",
  ])("when %s says nothing of the matter", async (code) => {
    const world = await openServiceWorld({
      ...allGood,
      probe: refused(code),
      publish: refused(code),
      createStream: refused(code),
    });
    expect(await create(world)).toBe("accepted");
    expect(world.warnings).toEqual([skipped("KMS key"), skipped("SNS topic"), skipped("log group")]);
  });

  test("when the service breaks", async () => {
    const world = await openServiceWorld({ ...allGood, publish: Promise.reject(new Error("a bug")) });
    expect(await create(world)).toBe("accepted");
    expect(world.warnings).toEqual([skipped("SNS topic")]);
  });

  test("when it does not answer within ten seconds", async () => {
    const world = await openServiceWorld({ ...allGood, publish: new Promise(() => {}) });
    world.sleepScale = 0.001;
    expect(await create(world)).toBe("accepted");
    expect(world.warnings).toEqual([skipped("SNS topic")]);
  });
});

describe("the key of a trail", () => {
  const keyOf = async (world: TrailWorld) =>
    (await world.operations.GetTrail({ Name: "my-trail" }, callFrom())).Trail?.KmsKeyId;

  test.each([
    ["an alias", "alias/trail", aliasArn],
    ["an alias ARN", aliasArn, aliasArn],
    ["a key id", "0123abcd-0123-0123-0123-0123456789ab", keyArn],
    ["a key ARN", keyArn, keyArn],
  ])("given as %s is kept and answered as its ARN", async (_form, KmsKeyId, asked) => {
    const world = await openServiceWorld();
    const output = await world.operations.CreateTrail({ ...base, KmsKeyId }, callFrom());
    expect(output.KmsKeyId).toBe(keyArn);
    expect(world.asked).toEqual([`describe ${asked}`, question.probe]);
    expect(await keyOf(world)).toBe(keyArn);
  });

  test("stays an alias while KMS does not answer, and is found at the next update", async () => {
    const world = await openServiceWorld({});
    await world.operations.CreateTrail({ ...base, KmsKeyId: "alias/trail" }, callFrom());
    expect(await keyOf(world)).toBe(aliasArn);
    world.answers = { describe: { kind: "key", key: good }, probe: done };
    expect(await update(world, { S3KeyPrefix: "p" })).toBe("accepted");
    expect(await keyOf(world)).toBe(keyArn);
  });

  test("is the one that the bucket's policy has to allow, not its alias", async () => {
    const world = await openServiceWorld();
    world.buckets.set("my-bucket", { kind: "policy", text: policyWantingKey(keyArn) });
    expect(await create(world, { ...base, KmsKeyId: "alias/trail" })).toBe("accepted");
    world.buckets.set("my-bucket", { kind: "policy", text: policyWantingKey(otherKeyArn) });
    expect(await create(world, { ...base, Name: "other", KmsKeyId: "alias/trail" })).toMatch(
      /^InsufficientS3BucketPolicyException:/,
    );
  });

  test("given by an alias again means what the alias means now", async () => {
    const world = await openServiceWorld();
    await create(world, { ...base, KmsKeyId: "alias/trail" });
    world.answers.describe = { kind: "key", key: { ...good, arn: otherKeyArn } };
    expect(await update(world, { KmsKeyId: "alias/trail" })).toBe("accepted");
    expect(await keyOf(world)).toBe(otherKeyArn);
  });
});

function policyWantingKey(arn: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Action: "s3:GetBucketAcl",
        Resource: "arn:aws:s3:::my-bucket",
      },
      {
        Effect: "Allow",
        Principal: { Service: "cloudtrail.amazonaws.com" },
        Action: "s3:PutObject",
        Resource: `arn:aws:s3:::my-bucket/AWSLogs/${mary}/*`,
        Condition: { StringEquals: { "s3:x-amz-server-side-encryption-aws-kms-key-id": arn } },
      },
    ],
  });
}

describe("UpdateTrail asks only about what is new", () => {
  const cases: readonly (readonly [string, Omit<Input<"UpdateTrail">, "Name">, readonly string[]])[] = [
    ["nothing else", { S3KeyPrefix: "new", IsMultiRegionTrail: true, EnableLogFileValidation: true }, []],
    ["the same again", { SnsTopicName: "topic", KmsKeyId: keyArn, ...logsInput }, []],
    ["the same topic by its ARN", { SnsTopicName: topicArn }, []],
    ["another bucket", { S3BucketName: "other-bucket" }, []],
    ["all cleared", { SnsTopicName: "", KmsKeyId: "", CloudWatchLogsLogGroupArn: "" }, []],
    [
      "a topic",
      { SnsTopicName: "new" },
      [`publish ${topicArn.replace(/topic$/, "new")}: CloudTrail validation message.`],
    ],
    [
      "a key",
      { KmsKeyId: otherKeyArn },
      [`describe ${otherKeyArn}`, `probe ${keyArn} ${trailArnOf("my-trail")}`],
    ],
    [
      "a role",
      { CloudWatchLogsRoleArn: `${role}-2` },
      [`createStream ${group} ${role}-2 ${mary}_CloudTrail_us-east-2`],
    ],
    [
      "an organization",
      { IsOrganizationTrail: true },
      [`createStream ${group} ${role} org_${mary}_CloudTrail_us-east-2`],
    ],
  ];
  test.each(cases)("%s", async (_name, input, expected) => {
    const world = await openServiceWorld(allGood, { organization });
    await create(world);
    world.asked.length = 0;
    expect(await update(world, input)).toBe("accepted");
    expect(world.asked).toEqual(expected);
  });

  test.each(refusals)("%s refuses it, and the trail stays as it was", async (_name, answers, expected) => {
    const world = await openServiceWorld();
    await create(world, base);
    const before = await documentsOf(world);
    world.answers = { ...allGood, ...answers };
    const { Name: _, S3BucketName: __, ...settings } = full;
    expect(await update(world, settings)).toBe(expected);
    expect(await documentsOf(world)).toEqual(before);
  });

  test("a folder for digests that the bucket's policy does not allow", async () => {
    const world = await openServiceWorld();
    const policy = policyWantingKey(keyArn).replace(`AWSLogs/${mary}/*`, `AWSLogs/${mary}/CloudTrail/*`);
    world.buckets.set("my-bucket", { kind: "policy", text: policy });
    await create(world, { ...base, KmsKeyId: keyArn });
    const before = await documentsOf(world);
    expect(await update(world, { EnableLogFileValidation: true })).toBe(
      "InsufficientS3BucketPolicyException: Incorrect S3 bucket policy is detected for bucket: my-bucket",
    );
    expect(await documentsOf(world)).toEqual(before);
  });
});

describe("UpdateTrail while another update moves the trail", () => {
  const trailOf = async (world: TrailWorld) =>
    (await world.operations.GetTrail({ Name: "my-trail" }, callFrom())).Trail;

  test("asks no second time about what it asked", async () => {
    const world = await openServiceWorld();
    await create(world);
    world.asked.length = 0;
    // The bucket changes under it, so its plan has to be checked again; the topic is known by then.
    world.meanwhile = async () => update(world, { S3BucketName: "other-bucket" });
    expect(await update(world, { SnsTopicName: "new" })).toBe("accepted");
    expect(world.asked).toHaveLength(1);
    expect(await trailOf(world)).toMatchObject({ S3BucketName: "other-bucket", SnsTopicName: "new" });
  });

  test("takes over what the other one asked about", async () => {
    const world = await openServiceWorld();
    await create(world);
    world.asked.length = 0;
    world.meanwhile = async () => update(world, { CloudWatchLogsRoleArn: `${role}-2` });
    expect(await update(world, { SnsTopicName: "new" })).toBe("accepted");
    expect(world.asked.map((what) => what.split(" ")[0])).toEqual(["publish", "createStream"]);
    expect(await trailOf(world)).toMatchObject({
      CloudWatchLogsRoleArn: `${role}-2`,
      SnsTopicName: "new",
    });
  });

  test("asks about the pair that neither of them asked about", async () => {
    const world = await openServiceWorld(allGood, { organization });
    await create(world);
    world.asked.length = 0;
    world.meanwhile = async () => update(world, { IsOrganizationTrail: true });
    expect(await update(world, { SnsTopicName: "new", CloudWatchLogsRoleArn: `${role}-2` })).toBe("accepted");
    expect(world.asked).toContain(`createStream ${group} ${role}-2 org_${mary}_CloudTrail_us-east-2`);
    expect(world.asked.filter((what) => what.startsWith("publish"))).toHaveLength(1);
  });

  test("stores the key that its alias was found to mean", async () => {
    const world = await openServiceWorld();
    await create(world);
    world.meanwhile = async () => update(world, { S3KeyPrefix: "moved" });
    expect(await update(world, { SnsTopicName: "new", KmsKeyId: "alias/trail" })).toBe("accepted");
    expect(await trailOf(world)).toMatchObject({ KmsKeyId: keyArn, S3KeyPrefix: "moved" });
  });
});
