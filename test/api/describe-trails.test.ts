// DescribeTrails over the API: which trails are listed, from where, in which order, and with which members.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Api,
  bucket,
  elsewhere,
  expectRefusal,
  home,
  makeTrail,
  organization,
  startApi,
  trailArn,
} from "../harness/api-fixture.ts";
import { badReferences, withOrganizationTrail } from "./trail-references.suite.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.dispose());

type Request = Parameters<ReturnType<Api["as"]>["describeTrails"]>[0];
const names = async (client: ReturnType<Api["as"]>, input: Request = {}) =>
  (await client.describeTrails(input)).trailList?.map((trail) => trail.Name);

test("without trails the list is there and empty", async () => {
  const answer = await api.raw("DescribeTrails", {}, { account: api.newAccount() });
  expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: '{"trailList":[]}' });
});

test("a plain trail has exactly the members that are set", async () => {
  const account = api.newAccount();
  await makeTrail(api.as(account), "my-trail");
  const answer = await api.raw("DescribeTrails", { trailNameList: [] }, { account });
  expect(answer.json).toEqual({
    trailList: [
      {
        Name: "my-trail",
        S3BucketName: bucket,
        IncludeGlobalServiceEvents: true,
        IsMultiRegionTrail: false,
        HomeRegion: home,
        TrailARN: trailArn(account, "my-trail"),
        LogFileValidationEnabled: false,
        HasCustomEventSelectors: false,
        HasInsightSelectors: false,
        IsOrganizationTrail: false,
      },
    ],
  });
});

test("a trail with every setting shows them all", async () => {
  const account = api.newAccount();
  const group = `arn:aws:logs:${home}:${account}:log-group:trail:*`;
  const role = `arn:aws:iam::${account}:role/CloudTrail_Logs`;
  const arn = await makeTrail(api.as(account), "my-trail", {
    S3KeyPrefix: "audit",
    SnsTopicName: "trail-topic",
    IsMultiRegionTrail: true,
    EnableLogFileValidation: true,
    CloudWatchLogsLogGroupArn: group,
    CloudWatchLogsRoleArn: role,
    KmsKeyId: "0123abcd-1234-5678-9abc-0123456789ab",
    TagsList: [{ Key: "Team", Value: "audit" }],
  });
  await api.as(account).putEventSelectors({
    TrailName: arn,
    AdvancedEventSelectors: [{ FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"] }] }],
  });
  await api.as(account).putInsightSelectors({
    TrailName: arn,
    InsightSelectors: [{ InsightType: "ApiErrorRateInsight" }],
  });
  const answer = await api.raw("DescribeTrails", { trailNameList: [arn] }, { account });
  expect(answer.json).toEqual({
    trailList: [
      {
        Name: "my-trail",
        S3BucketName: bucket,
        S3KeyPrefix: "audit",
        SnsTopicName: "trail-topic",
        SnsTopicARN: `arn:aws:sns:${home}:${account}:trail-topic`,
        IncludeGlobalServiceEvents: true,
        IsMultiRegionTrail: true,
        HomeRegion: home,
        TrailARN: arn,
        LogFileValidationEnabled: true,
        CloudWatchLogsLogGroupArn: group,
        CloudWatchLogsRoleArn: role,
        KmsKeyId: `arn:aws:kms:${home}:${account}:key/0123abcd-1234-5678-9abc-0123456789ab`,
        HasCustomEventSelectors: true,
        HasInsightSelectors: true,
        IsOrganizationTrail: false,
      },
    ],
  });
});

describe("trails of several Regions", () => {
  let account = "";
  beforeAll(async () => {
    account = api.newAccount();
    await makeTrail(api.as(account, elsewhere), "far-multi", { IsMultiRegionTrail: true });
    await makeTrail(api.as(account, elsewhere), "far-single");
    await makeTrail(api.as(account), "zulu-single");
    await makeTrail(api.as(account), "alpha-multi", { IsMultiRegionTrail: true });
  });
  const client = (region = home) => api.as(account, region);
  const arn = (name: string, region = home) => trailArn(account, name, region);

  test("home trails come first, in creation order, then shadows", async () => {
    expect(await names(client())).toEqual(["zulu-single", "alpha-multi", "far-multi"]);
    expect(await names(client(elsewhere))).toEqual(["far-multi", "far-single", "alpha-multi"]);
    expect(await names(client("ap-south-1"))).toEqual(["far-multi", "alpha-multi"]);
  });

  test("a shadow has the ARN and home Region of its trail", async () => {
    const [shadow] = (await client("ap-south-1").describeTrails({})).trailList ?? [];
    expect(shadow).toMatchObject({ TrailARN: arn("far-multi", elsewhere), HomeRegion: elsewhere });
  });

  test("includeShadowTrails=false leaves home trails only", async () => {
    const input = { includeShadowTrails: false };
    expect(await names(client(), input)).toEqual(["zulu-single", "alpha-multi"]);
    expect(await names(client("ap-south-1"), input)).toEqual([]);
    const listed = { ...input, trailNameList: [arn("far-multi", elsewhere), "alpha-multi"] };
    expect(await names(client(), listed)).toEqual(["alpha-multi"]);
  });

  test.each<[what: string, list: () => string[], expected: string[]]>([
    [
      "names and ARNs in list order",
      () => ["alpha-multi", arn("zulu-single")],
      ["alpha-multi", "zulu-single"],
    ],
    ["duplicates once", () => ["alpha-multi", "alpha-multi", arn("alpha-multi")], ["alpha-multi"]],
    ["unknown ones left out", () => ["no-such-trail", "zulu-single", arn("other-trail")], ["zulu-single"]],
    ["a shadow by ARN", () => [arn("far-multi", elsewhere)], ["far-multi"]],
    ["no shadow by name", () => ["far-multi"], []],
    ["no single-Region trail of another Region by ARN", () => [arn("far-single", elsewhere)], []],
    ["no trail of another account", () => [trailArn("999999999999", "alpha-multi")], []],
  ])("a list gives %s", async (_what, list, expected) => {
    expect(await names(client(), { trailNameList: list() })).toEqual(expected);
  });

  test("another account sees none of them, not even by ARN", async () => {
    const stranger = api.as(api.newAccount());
    expect(await names(stranger)).toEqual([]);
    expect(await names(stranger, { trailNameList: [arn("alpha-multi")] })).toEqual([]);
  });
});

describe("organization trails", () => {
  test.each([organization.member, organization.delegated])("are shadows for %s", async (account) => {
    await withOrganizationTrail(api, `shown-${account}`, async (arn) => {
      const client = api.as(account);
      const { trailList = [] } = await client.describeTrails({});
      expect(trailList).toMatchObject([
        { TrailARN: arn, IsOrganizationTrail: true, HomeRegion: home, S3BucketName: bucket },
      ]);
      expect(await names(client, { trailNameList: [arn] })).toEqual([`shown-${account}`]);
      expect(await names(client, { trailNameList: [`shown-${account}`] })).toEqual([]);
      expect(await names(client, { includeShadowTrails: false })).toEqual([]);
      expect(await names(api.as(account, elsewhere))).toEqual([`shown-${account}`]);
    });
  });

  test("are no shadow for the management account at home", async () => {
    await withOrganizationTrail(api, "own-org-trail", async () => {
      const client = api.as(organization.management);
      expect(await names(client, { includeShadowTrails: false })).toEqual(["own-org-trail"]);
    });
  });

  test("are not seen outside the organization", async () => {
    await withOrganizationTrail(api, "closed-org-trail", async (arn) => {
      const stranger = api.as(api.newAccount());
      expect(await names(stranger)).toEqual([]);
      expect(await names(stranger, { trailNameList: [arn] })).toEqual([]);
    });
  });
});

describe("a malformed entry is refused", () => {
  const entries = badReferences.filter(([, entry]) => entry !== undefined);
  test.each(entries)("%s", async (_what, entry = "", refusal) => {
    const client = api.as(api.newAccount());
    await makeTrail(client, "my-trail");
    await expectRefusal(client.describeTrails({ trailNameList: ["my-trail", entry] }), refusal);
  });
});
