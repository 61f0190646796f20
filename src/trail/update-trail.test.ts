// UpdateTrail (api.md §4.2, §2.4-§2.6).
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
  openTrailWorld,
  organization,
  refusalOf,
  type TrailWorld,
  trailArnOf,
} from "./trail.test-world.ts";

const logGroup = `arn:aws:logs:us-east-2:${mary}:log-group:trails:*`;
const role = `arn:aws:iam::${mary}:role/to-logs`;
const key = `arn:aws:kms:us-east-2:${mary}:key/0123abcd-0123-0123-0123-0123456789ab`;

/** A world with `my-trail`, which has every setting. */
async function openWorldWithTrail(): Promise<TrailWorld> {
  const world = await openTrailWorld();
  world.buckets.set("other-bucket", { kind: "none" });
  await world.operations.CreateTrail(
    {
      Name: "my-trail",
      S3BucketName: "my-bucket",
      S3KeyPrefix: "prefix",
      SnsTopicName: "topic",
      KmsKeyId: key,
      CloudWatchLogsLogGroupArn: logGroup,
      CloudWatchLogsRoleArn: role,
      TagsList: [{ Key: "a", Value: "1" }],
    },
    callFrom(),
  );
  return world;
}

const full = {
  Name: "my-trail",
  S3BucketName: "my-bucket",
  S3KeyPrefix: "prefix",
  SnsTopicName: "topic",
  SnsTopicARN: `arn:aws:sns:us-east-2:${mary}:topic`,
  IncludeGlobalServiceEvents: true,
  IsMultiRegionTrail: false,
  TrailARN: trailArnOf("my-trail"),
  LogFileValidationEnabled: false,
  CloudWatchLogsLogGroupArn: logGroup,
  CloudWatchLogsRoleArn: role,
  KmsKeyId: key,
  IsOrganizationTrail: false,
};
type UpdateInput = Input<"UpdateTrail">;

const merges: readonly (readonly [string, Omit<UpdateInput, "Name">, object, readonly string[]])[] = [
  ["nothing", {}, {}, []],
  ["the bucket", { S3BucketName: "other-bucket" }, { S3BucketName: "other-bucket" }, []],
  ["the prefix", { S3KeyPrefix: "new/" }, { S3KeyPrefix: "new/" }, []],
  ["no prefix", { S3KeyPrefix: "" }, {}, ["S3KeyPrefix"]],
  ["no topic", { SnsTopicName: "" }, {}, ["SnsTopicName", "SnsTopicARN"]],
  ["no key", { KmsKeyId: "" }, {}, ["KmsKeyId"]],
  [
    "no log group",
    { CloudWatchLogsLogGroupArn: "" },
    {},
    ["CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"],
  ],
  ["no role", { CloudWatchLogsRoleArn: "" }, {}, ["CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"]],
  [
    "neither",
    { CloudWatchLogsLogGroupArn: "", CloudWatchLogsRoleArn: "" },
    {},
    ["CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"],
  ],
  ["another role", { CloudWatchLogsRoleArn: `${role}-2` }, { CloudWatchLogsRoleArn: `${role}-2` }, []],
  ["multi-Region", { IsMultiRegionTrail: true }, { IsMultiRegionTrail: true }, []],
  ["no global events", { IncludeGlobalServiceEvents: false }, { IncludeGlobalServiceEvents: false }, []],
  ["validation", { EnableLogFileValidation: true }, { LogFileValidationEnabled: true }, []],
  ["plain, as it is", { IsOrganizationTrail: false }, {}, []],
];

describe("UpdateTrail merges", () => {
  test.each(merges)("%s", async (_what, input, changed, removed) => {
    const world = await openWorldWithTrail();
    const expected = Object.fromEntries(
      Object.entries({ ...full, ...changed }).filter(([name]) => !removed.includes(name)),
    );
    for (const Name of ["my-trail", full.TrailARN]) {
      expect(await world.operations.UpdateTrail({ Name, ...input }, callFrom())).toStrictEqual(expected);
    }
    await world.reopen();
    const { Trail } = await world.operations.GetTrail({ Name: "my-trail" }, callFrom());
    expect(Trail).toStrictEqual({
      ...expected,
      HomeRegion: "us-east-2",
      HasCustomEventSelectors: false,
      HasInsightSelectors: false,
    });
  });

  test("and leaves selectors, Insights, logging and tags alone", async () => {
    const { operations, registry } = await openWorldWithTrail();
    const name = "my-trail";
    await operations.StartLogging({ Name: name }, callFrom());
    await operations.PutEventSelectors(
      { TrailName: name, EventSelectors: [{ ReadWriteType: "WriteOnly" }] },
      callFrom(),
    );
    const InsightSelectors = [{ InsightType: "ApiCallRateInsight" as const }];
    await operations.PutInsightSelectors({ TrailName: name, InsightSelectors }, callFrom());
    const [before] = registry.ofOwner(mary);
    await operations.UpdateTrail(
      { Name: name, S3KeyPrefix: "elsewhere", IsMultiRegionTrail: true },
      callFrom(),
    );
    const [after] = registry.ofOwner(mary);
    expect({ ...after, settings: {} }).toEqual({ ...before, settings: {} });
    expect(after?.settings).toEqual({ ...before?.settings, keyPrefix: "elsewhere", isMultiRegion: true });
  });

  test("only a Name answers the current settings without looking at the bucket", async () => {
    const { operations, buckets } = await openWorldWithTrail();
    buckets.clear();
    expect(await operations.UpdateTrail({ Name: "my-trail" }, callFrom())).toStrictEqual(full);
  });

  test("a trail without validation becomes one that needs its digest folder allowed", async () => {
    const { operations, buckets } = await openWorldWithTrail();
    const statement = (Action: string, Resource: string) => ({
      Effect: "Allow",
      Principal: { Service: "cloudtrail.amazonaws.com" },
      Action,
      Resource,
    });
    const text = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        statement("s3:GetBucketAcl", "arn:aws:s3:::my-bucket"),
        statement("s3:PutObject", `arn:aws:s3:::my-bucket/prefix/AWSLogs/${mary}/CloudTrail/*`),
      ],
    });
    buckets.set("my-bucket", { kind: "policy", text });
    const update = async (input: Omit<UpdateInput, "Name">) =>
      refusalOf(operations.UpdateTrail({ Name: "my-trail", ...input }, callFrom()));
    expect(await update({ SnsTopicName: "other" })).toBe("accepted");
    expect(await update({ EnableLogFileValidation: true })).toBe(
      "InsufficientS3BucketPolicyException: Incorrect S3 bucket policy is detected for bucket: my-bucket",
    );
  });
});

describe("UpdateTrail refuses", () => {
  const unknown = (ref: string) => `TrailNotFoundException: Unknown trail: ${ref} for the user: ${mary}`;
  test.each<readonly [string, UpdateInput, string]>([
    [
      "a bad name",
      { Name: "x" },
      "InvalidTrailNameException: Trail name too short. Minimum allowed length: 3 characters. Specified name length: 1 characters.",
    ],
    [
      "a bad ARN",
      { Name: "arn:aws:s3:::x" },
      "CloudTrailARNInvalidException: Invalid Trail ARN: arn:aws:s3:::x",
    ],
    ["an unknown name", { Name: "nobody", S3KeyPrefix: "p" }, unknown(trailArnOf("nobody"))],
    ["an unknown ARN", { Name: trailArnOf("nobody"), S3KeyPrefix: "p" }, unknown(trailArnOf("nobody"))],
    [
      "an empty bucket name",
      { Name: "my-trail", S3BucketName: "" },
      "InvalidS3BucketNameException:  is not a valid S3 bucket name.",
    ],
    [
      "a missing bucket",
      { Name: "my-trail", S3BucketName: "nobodys-bucket" },
      "S3BucketDoesNotExistException: S3 bucket nobodys-bucket does not exist!",
    ],
    [
      "multi-Region without global events",
      { Name: "my-trail", IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false },
      "InvalidParameterCombinationException: Multi-Region trail must include global service events.",
    ],
    ["a bad key", { Name: "my-trail", KmsKeyId: "?" }, "InvalidKmsKeyIdException: Invalid KMS key ID: ?."],
    [
      "a bad topic",
      { Name: "my-trail", SnsTopicName: "?" },
      "InvalidSnsTopicNameException: ? is not a valid SNS topic name.",
    ],
    [
      "a bad prefix",
      { Name: "my-trail", S3KeyPrefix: "/" },
      "InvalidS3PrefixException: S3 prefix must not begin with a slash: /",
    ],
    [
      "half a pair",
      { Name: "my-trail", CloudWatchLogsLogGroupArn: "", CloudWatchLogsRoleArn: role },
      "InvalidCloudWatchLogsLogGroupArnException: You must specify a log group and a role ARN.",
    ],
    [
      "a bad log group",
      { Name: "my-trail", CloudWatchLogsLogGroupArn: "g" },
      "InvalidCloudWatchLogsLogGroupArnException: CloudTrail cannot validate the specified log group ARN.",
    ],
    [
      "an organization trail",
      { Name: "my-trail", IsOrganizationTrail: true },
      `OrganizationsNotInUseException: The account ${mary} is not a member of an organization.`,
    ],
  ])("%s, and changes nothing", async (_what, input, refusal) => {
    const world = await openWorldWithTrail();
    const before = await documentsOf(world);
    expect(await refusalOf(world.operations.UpdateTrail(input, callFrom()))).toBe(refusal);
    expect(await documentsOf(world)).toEqual(before);
    expect((await world.operations.GetTrail({ Name: "my-trail" }, callFrom())).Trail).toMatchObject(full);
  });

  test("what only the merged result breaks", async () => {
    const { operations } = await openWorldWithTrail();
    const combination =
      "InvalidParameterCombinationException: Multi-Region trail must include global service events.";
    const update = async (input: Omit<UpdateInput, "Name">) =>
      refusalOf(operations.UpdateTrail({ Name: "my-trail", ...input }, callFrom()));
    await update({ IncludeGlobalServiceEvents: false });
    expect(await update({ IsMultiRegionTrail: true })).toBe(combination);
    expect(await update({ IsMultiRegionTrail: true, IncludeGlobalServiceEvents: true })).toBe("accepted");
    expect(await update({ IncludeGlobalServiceEvents: false })).toBe(combination);
  });

  test("to become multi-Region where the name is taken or a Region is full", async () => {
    const { operations } = await openWorldWithTrail();
    const create = async (Name: string) =>
      operations.CreateTrail({ Name, S3BucketName: "my-bucket" }, callFrom(mary, ireland));
    const convert = async () =>
      refusalOf(operations.UpdateTrail({ Name: "my-trail", IsMultiRegionTrail: true }, callFrom()));
    await create("my-trail");
    expect(await convert()).toBe(
      `TrailAlreadyExistsException: Trail my-trail already exists for customer: ${mary}`,
    );
    await operations.DeleteTrail({ Name: "my-trail" }, callFrom(mary, ireland));
    for (let n = 1; n <= 5; n++) await create(`trail-${n}`);
    expect(await convert()).toBe(
      `MaximumNumberOfTrailsExceededException: User: ${mary} already has 5 trails in eu-west-1.`,
    );
    await operations.DeleteTrail({ Name: "trail-1" }, callFrom(mary, ireland));
    expect(await convert()).toBe("accepted");
    // It counts itself once only: a full home Region is no obstacle to what is there already.
    expect(await convert()).toBe("accepted");
  });

  test("a full home Region does not stop its own trail from becoming multi-Region", async () => {
    const { operations } = await openWorldWithTrail();
    for (let n = 1; n <= 4; n++) {
      await operations.CreateTrail({ Name: `trail-${n}`, S3BucketName: "my-bucket" }, callFrom());
    }
    expect(
      await refusalOf(operations.UpdateTrail({ Name: "my-trail", IsMultiRegionTrail: true }, callFrom())),
    ).toBe("accepted");
  });
});

describe("UpdateTrail converts organization trails", () => {
  const open = async () => {
    const world = await openTrailWorld({ organization });
    const create = async (Name: string, IsOrganizationTrail: boolean, caller = management) =>
      world.operations.CreateTrail(
        { Name, S3BucketName: "my-bucket", IsOrganizationTrail },
        callFrom(caller),
      );
    await create("plain", false);
    await create("shared", true);
    await create("delegates-own", false, delegate);
    await create("members-own", false, member);
    const update = async (Name: string, IsOrganizationTrail: boolean, caller = management) =>
      refusalOf(world.operations.UpdateTrail({ Name, IsOrganizationTrail }, callFrom(caller)));
    return { operations: world.operations, registry: world.registry, update };
  };
  const notMaster = (caller: string) =>
    `NotOrganizationMasterAccountException: The caller ${caller} is not the management account of the organization.`;

  test("both ways for the management account, with the place following", async () => {
    const { update, registry } = await open();
    const placeOf = (name: string) => {
      const trail = registry.ofOwner(management).find((candidate) => candidate.name === name);
      return registry.place(trail?.incarnation ?? "");
    };
    expect(await update("plain", true)).toBe("accepted");
    expect(placeOf("plain")).toMatchObject({ organizationId: "o-exampleorgid" });
    expect(await update("plain", true)).toBe("accepted");
    expect(await update("plain", false)).toBe("accepted");
    expect(placeOf("plain")).not.toHaveProperty("organizationId");
  });

  test("never for a delegated administrator, who may change other settings", async () => {
    const { update, operations } = await open();
    expect(await update(trailArnOf("shared"), false, delegate)).toBe(notMaster(delegate));
    expect(await update("delegates-own", true, delegate)).toBe(notMaster(delegate));
    expect(await update(trailArnOf("shared"), true, delegate)).toBe("accepted");
    const input = { Name: trailArnOf("shared"), S3KeyPrefix: "p" };
    expect(await refusalOf(operations.UpdateTrail(input, callFrom(delegate)))).toBe("accepted");
  });

  test("never for a member", async () => {
    const { update } = await open();
    expect(await update("members-own", true, member)).toBe(notMaster(member));
    expect(await update(trailArnOf("shared"), false, member)).toBe(
      "AccessDeniedException: Access Denied: You do not have permission to operate on this resource",
    );
  });

  test("also when the organization was configured away", async () => {
    const world = await openTrailWorld({ organization });
    await world.operations.CreateTrail(
      { Name: "shared", S3BucketName: "my-bucket", IsOrganizationTrail: true },
      callFrom(management),
    );
    const { organization: _gone, ...without } = world.configuration;
    world.configuration = without;
    const update = async (IsOrganizationTrail: boolean) =>
      refusalOf(world.operations.UpdateTrail({ Name: "shared", IsOrganizationTrail }, callFrom(management)));
    expect(await update(true)).toBe(
      `OrganizationsNotInUseException: The account ${management} is not a member of an organization.`,
    );
    expect(await update(false)).toBe("accepted");
    expect(world.registry.ofOwner(management)[0]).not.toHaveProperty("organizationId");
  });
});

describe("UpdateTrail at the same time", () => {
  test("updates of different members all survive", async () => {
    const { operations, buckets } = await openWorldWithTrail();
    // Every look at the bucket takes its time, so that all of them overlap.
    for (const bucket of ["my-bucket", "other-bucket"]) {
      buckets.set(bucket, async () => {
        await new Promise((resolve) => setImmediate(resolve));
        return { kind: "none" };
      });
    }
    const inputs: readonly Omit<UpdateInput, "Name">[] = [
      { S3BucketName: "other-bucket" },
      { S3KeyPrefix: "new" },
      { SnsTopicName: "new-topic" },
      { KmsKeyId: "" },
      { CloudWatchLogsLogGroupArn: "" },
      { IsMultiRegionTrail: true },
      { EnableLogFileValidation: true },
    ];
    await Promise.all(
      inputs.map(async (input) => operations.UpdateTrail({ Name: "my-trail", ...input }, callFrom())),
    );
    expect((await operations.GetTrail({ Name: "my-trail" }, callFrom())).Trail).toStrictEqual({
      Name: "my-trail",
      S3BucketName: "other-bucket",
      S3KeyPrefix: "new",
      SnsTopicName: "new-topic",
      SnsTopicARN: `arn:aws:sns:us-east-2:${mary}:new-topic`,
      IncludeGlobalServiceEvents: true,
      IsMultiRegionTrail: true,
      TrailARN: trailArnOf("my-trail"),
      LogFileValidationEnabled: true,
      IsOrganizationTrail: false,
      HomeRegion: "us-east-2",
      HasCustomEventSelectors: false,
      HasInsightSelectors: false,
    });
  });

  test("conversions never bring a Region over its quota", async () => {
    const { operations, registry } = await openTrailWorld();
    for (let n = 1; n <= 3; n++) {
      await operations.CreateTrail({ Name: `ohio-${n}`, S3BucketName: "my-bucket" }, callFrom());
      await operations.CreateTrail(
        { Name: `ireland-${n}`, S3BucketName: "my-bucket" },
        callFrom(mary, ireland),
      );
    }
    await Promise.all(
      [1, 2, 3].flatMap((n) => [
        refusalOf(operations.UpdateTrail({ Name: `ohio-${n}`, IsMultiRegionTrail: true }, callFrom())),
        refusalOf(
          operations.UpdateTrail({ Name: `ireland-${n}`, IsMultiRegionTrail: true }, callFrom(mary, ireland)),
        ),
      ]),
    );
    for (const region of ["us-east-2", "eu-west-1"]) {
      const count = registry
        .ofOwner(mary)
        .filter((trail) => trail.settings.isMultiRegion || trail.homeRegion === region).length;
      expect(count).toBe(5);
    }
  });

  test("a trail deleted while its bucket was looked at is not found", async () => {
    const { operations, buckets } = await openWorldWithTrail();
    let answer: () => void = () => {};
    const asked = new Promise<void>((resolve) => {
      buckets.set("other-bucket", async () => {
        resolve();
        return new Promise((done) => {
          answer = () => done({ kind: "none" });
        });
      });
    });
    const update = refusalOf(
      operations.UpdateTrail({ Name: "my-trail", S3BucketName: "other-bucket" }, callFrom()),
    );
    await asked;
    await operations.DeleteTrail({ Name: "my-trail" }, callFrom());
    answer();
    expect(await update).toBe(
      `TrailNotFoundException: Unknown trail: ${trailArnOf("my-trail")} for the user: ${mary}`,
    );
  });
});
