// What CreateTrail makes (api.md §4.1), with the bucket's policy, in an organization, and many at once.
import { describe, expect, test } from "vitest";
import type { Input } from "../model/operations.ts";
import {
  callFrom,
  delegate,
  ireland,
  management,
  mary,
  member,
  ohio,
  openTrailWorld,
  organization,
  policyFor,
  refusalOf,
  stranger,
  trailArnOf,
  virginia,
} from "./trail.test-world.ts";

type CreateInput = Input<"CreateTrail">;
const base: CreateInput = { Name: "my-trail", S3BucketName: "my-bucket" };

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
