// The call sequences of Terraform's aws_cloudtrail and of CloudFormation (api.md §9.1, §9.3).
import { describe, expect, test } from "vitest";
import { callFrom, mary, openTrailWorld, refusalOf, trailArnOf } from "./trail.test-world.ts";

const arn = trailArnOf("my-trail");
const defaultBasic = {
  ReadWriteType: "All" as const,
  IncludeManagementEvents: true,
  DataResources: [],
  ExcludeManagementEventSources: [],
};
const basic = [
  {
    ReadWriteType: "WriteOnly" as const,
    IncludeManagementEvents: true,
    DataResources: [{ Type: "AWS::S3::Object", Values: ["arn:aws:s3:::two/", "arn:aws:s3:::one/x"] }],
    ExcludeManagementEventSources: ["kms.amazonaws.com"],
  },
];
const advanced = [
  { Name: "", FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"] }] },
  {
    Name: "reads",
    FieldSelectors: [
      { Field: "eventCategory", Equals: ["Data"] },
      { Field: "resources.type", Equals: ["AWS::S3::Object"] },
      { Field: "readOnly", Equals: ["true"] },
    ],
  },
];

async function openTerraform() {
  const world = await openTrailWorld();
  const call = callFrom();
  const { operations } = world;
  const put = async (input: object) => operations.PutEventSelectors({ TrailName: arn, ...input }, call);
  /** The provider's read: every call it makes, as it makes them. */
  const read = async () => {
    const { trailList } = await operations.DescribeTrails({ trailNameList: [arn] }, call);
    const [trail] = trailList ?? [];
    if (!trail) return "gone";
    const { IsLogging } = await operations.GetTrailStatus({ Name: arn }, call);
    const selectors = trail.HasCustomEventSelectors
      ? await operations.GetEventSelectors({ TrailName: arn }, call)
      : undefined;
    const insights = trail.HasInsightSelectors
      ? await operations.GetInsightSelectors({ TrailName: arn }, call)
      : undefined;
    const { ResourceTagList } = await operations.ListTags({ ResourceIdList: [arn] }, call);
    return { trail, IsLogging, selectors, insights, tags: ResourceTagList?.[0]?.TagsList };
  };
  const apply = async () => {
    const created = await operations.CreateTrail(
      { Name: "my-trail", S3BucketName: "my-bucket", IncludeGlobalServiceEvents: true },
      call,
    );
    expect(created.TrailARN).toBe(arn);
    await operations.StartLogging({ Name: arn }, call);
  };
  return { operations, call, put, read, apply };
}

describe("Terraform", () => {
  test("creates, reads, updates, clears and deletes", async () => {
    const { operations, call, read, apply } = await openTerraform();
    expect(await read()).toBe("gone");
    await apply();
    expect(await read()).toStrictEqual({
      trail: {
        Name: "my-trail",
        S3BucketName: "my-bucket",
        IncludeGlobalServiceEvents: true,
        IsMultiRegionTrail: false,
        HomeRegion: "us-east-2",
        TrailARN: arn,
        LogFileValidationEnabled: false,
        HasCustomEventSelectors: false,
        HasInsightSelectors: false,
        IsOrganizationTrail: false,
      },
      IsLogging: true,
      selectors: undefined,
      insights: undefined,
      tags: [],
    });
    await operations.PutInsightSelectors(
      { TrailName: arn, InsightSelectors: [{ InsightType: "ApiCallRateInsight" }] },
      call,
    );
    await operations.UpdateTrail(
      { Name: arn, S3KeyPrefix: "p", SnsTopicName: "t", KmsKeyId: "alias/k" },
      call,
    );
    expect(await read()).toMatchObject({
      trail: { S3KeyPrefix: "p", SnsTopicARN: `arn:aws:sns:us-east-2:${mary}:t` },
      insights: { InsightSelectors: [{ InsightType: "ApiCallRateInsight" }] },
    });
    await operations.UpdateTrail(
      {
        Name: arn,
        S3KeyPrefix: "",
        SnsTopicName: "",
        KmsKeyId: "",
        CloudWatchLogsLogGroupArn: "",
        CloudWatchLogsRoleArn: "",
      },
      call,
    );
    await operations.PutInsightSelectors({ TrailName: arn, InsightSelectors: [] }, call);
    await operations.StopLogging({ Name: arn }, call);
    const cleared = await read();
    expect(cleared).toMatchObject({ IsLogging: false, insights: undefined });
    for (const member of ["S3KeyPrefix", "SnsTopicName", "SnsTopicARN", "KmsKeyId"]) {
      expect(cleared).not.toHaveProperty(["trail", member]);
    }
    await operations.DeleteTrail({ Name: arn }, call);
    expect(await read()).toBe("gone");
    expect(await refusalOf(operations.DeleteTrail({ Name: arn }, call))).toContain("TrailNotFoundException");
  });

  test("removes the basic block: the default selector is put explicitly", async () => {
    const { put, read, apply } = await openTerraform();
    await apply();
    await put({ EventSelectors: basic });
    expect(await read()).toMatchObject({ selectors: { EventSelectors: basic } });
    await put({
      EventSelectors: [{ ReadWriteType: "All", IncludeManagementEvents: true, DataResources: [] }],
    });
    expect(await read()).toMatchObject({ selectors: undefined });
  });

  test("removes the advanced block: an empty advanced list", async () => {
    const { put, read, apply, operations, call } = await openTerraform();
    await apply();
    await put({ AdvancedEventSelectors: advanced });
    // An empty Name reads back as absent: Terraform treats both alike.
    const { Name: _empty, ...unnamed } = advanced[0] ?? {};
    expect(await read()).toMatchObject({ selectors: { AdvancedEventSelectors: [unnamed, advanced[1]] } });
    await put({ AdvancedEventSelectors: [] });
    expect(await read()).toMatchObject({ selectors: undefined });
    expect(await operations.GetEventSelectors({ TrailName: arn }, call)).toMatchObject({
      EventSelectors: [defaultBasic],
    });
  });

  test("goes from basic to advanced: the default basic first", async () => {
    const { put, read, apply } = await openTerraform();
    await apply();
    await put({ EventSelectors: basic });
    await put({
      EventSelectors: [{ ReadWriteType: "All", IncludeManagementEvents: true, DataResources: [] }],
    });
    await put({ AdvancedEventSelectors: advanced.slice(1) });
    expect(await read()).toMatchObject({ selectors: { AdvancedEventSelectors: advanced.slice(1) } });
  });

  test("goes from advanced to basic: basic first, then an empty advanced list", async () => {
    const { put, read, apply } = await openTerraform();
    await apply();
    await put({ AdvancedEventSelectors: advanced });
    await put({ EventSelectors: basic });
    await put({ AdvancedEventSelectors: [] });
    expect(await read()).toMatchObject({ selectors: { EventSelectors: basic } });
  });

  test("changes tags: removed with key and value, then added", async () => {
    const { operations, call, read, apply } = await openTerraform();
    await apply();
    const ResourceId = arn;
    await operations.AddTags(
      {
        ResourceId,
        TagsList: [
          { Key: "a", Value: "1" },
          { Key: "b", Value: "2" },
        ],
      },
      call,
    );
    await operations.RemoveTags({ ResourceId, TagsList: [{ Key: "a", Value: "1" }] }, call);
    await operations.AddTags({ ResourceId, TagsList: [{ Key: "b", Value: "3" }] }, call);
    expect(await read()).toMatchObject({ tags: [{ Key: "b", Value: "3" }] });
  });
});

describe("CloudFormation", () => {
  test("starts and stops by name, and deletes", async () => {
    const { operations, call, read } = await openTerraform();
    await operations.CreateTrail({ Name: "my-trail", S3BucketName: "my-bucket" }, call);
    await operations.StartLogging({ Name: "my-trail" }, call);
    expect(await read()).toMatchObject({ IsLogging: true });
    await operations.StopLogging({ Name: "my-trail" }, call);
    await operations.DeleteTrail({ Name: "my-trail" }, call);
    expect(await read()).toBe("gone");
  });

  test("is told what is wrong with a selector that logs nothing", async () => {
    const { put, apply } = await openTerraform();
    await apply();
    expect(await refusalOf(put({ EventSelectors: [{ IncludeManagementEvents: false }] }))).toBe(
      "InvalidEventSelectorsException: Invalid combination of parameters in EventSelectors. When includeManagementEvents is false, DataResources must not be empty",
    );
    const DataResources = [{ Type: "AWS::S3::Object", Values: ["arn:aws:s3:::bucket"] }];
    expect(await refusalOf(put({ EventSelectors: [{ DataResources }] }))).toBe(
      "InvalidEventSelectorsException: Value arn:aws:s3:::bucket for DataResources.Values is invalid.",
    );
  });
});
