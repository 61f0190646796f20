// The walk of AWS's own guides with the unmodified AWS CLI: tags, describe, status, selectors (the JSON of
// api.md §8), start/stop, delete; then what reaches the bucket.
import { afterAll, beforeAll, expect, test } from "vitest";
import { aws, awsRaw, type CliOptions } from "../harness/aws-cli.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { managementEvent, objectEvent, postEvents } from "../harness/events.ts";
import { deliveredIds, logFiles, until } from "../harness/log-files.ts";
import { awsCli, describeWith } from "../harness/outside-program.ts";

const account = "123456789012";
const arn = (name: string, region = "us-east-2") => `arn:aws:cloudtrail:${region}:${account}:trail/${name}`;
const defaultSelector = {
  ReadWriteType: "All",
  IncludeManagementEvents: true,
  DataResources: [],
  ExcludeManagementEventSources: [],
};

describeWith([awsCli])("the guides' commands with the AWS CLI", () => {
  let cairn: CairnProcess;
  let cli: CliOptions;
  const run = (...args: string[]) => aws(cli, args);

  beforeAll(async () => {
    cairn = await startCairn();
    cli = { url: cairn.url };
    await run("s3", "mb", "s3://my-bucket");
    await run("cloudtrail", "create-trail", "--name", "my-trail", "--s3-bucket-name", "my-bucket");
  });
  afterAll(() => cairn.dispose());

  test("create-trail answers with the settings and does not log yet", async () => {
    const answer = await run(
      ...["cloudtrail", "create-trail", "--name", "marketing", "--s3-bucket-name", "my-bucket"],
      ...["--is-multi-region-trail", "--tags-list", "Key=Group,Value=Marketing"],
    );
    expect(answer).toEqual({
      Name: "marketing",
      S3BucketName: "my-bucket",
      IncludeGlobalServiceEvents: true,
      IsMultiRegionTrail: true,
      TrailARN: arn("marketing"),
      LogFileValidationEnabled: false,
      IsOrganizationTrail: false,
    });
    expect(await run("cloudtrail", "get-trail-status", "--name", "marketing")).toEqual({
      IsLogging: false,
      LatestDeliveryAttemptTime: "",
      LatestNotificationAttemptTime: "",
      LatestNotificationAttemptSucceeded: "",
      LatestDeliveryAttemptSucceeded: "",
      TimeLoggingStarted: "",
      TimeLoggingStopped: "",
    });
    await run("cloudtrail", "delete-trail", "--name", "marketing");
  });

  test("tags are added, listed for several trails in order, and removed by key", async () => {
    await run("cloudtrail", "create-trail", "--name", "Trail2", "--s3-bucket-name", "my-bucket");
    await run(
      "cloudtrail",
      "add-tags",
      "--resource-id",
      arn("my-trail"),
      "--tags-list",
      "Key=Name,Value=Alice",
      "Key=Location,Value=Ohio",
    );
    await run("cloudtrail", "add-tags", "--resource-id", arn("Trail2"), "--tags-list", "Key=Name,Value=Bob");
    expect(
      await run("cloudtrail", "list-tags", "--resource-id-list", arn("my-trail"), arn("Trail2")),
    ).toEqual({
      ResourceTagList: [
        {
          ResourceId: arn("my-trail"),
          TagsList: [
            { Key: "Name", Value: "Alice" },
            { Key: "Location", Value: "Ohio" },
          ],
        },
        { ResourceId: arn("Trail2"), TagsList: [{ Key: "Name", Value: "Bob" }] },
      ],
    });
    await run(
      "cloudtrail",
      "remove-tags",
      "--resource-id",
      arn("my-trail"),
      "--tags-list",
      "Key=Name",
      "Key=Location",
    );
    expect(await run("cloudtrail", "list-tags", "--resource-id-list", arn("my-trail"))).toEqual({
      ResourceTagList: [{ ResourceId: arn("my-trail"), TagsList: [] }],
    });
    await run("cloudtrail", "delete-trail", "--name", "Trail2");
  });

  test("describe-trails and get-trail show the same trail", async () => {
    const trail = {
      Name: "my-trail",
      S3BucketName: "my-bucket",
      IncludeGlobalServiceEvents: true,
      IsMultiRegionTrail: false,
      HomeRegion: "us-east-2",
      TrailARN: arn("my-trail"),
      LogFileValidationEnabled: false,
      HasCustomEventSelectors: false,
      HasInsightSelectors: false,
      IsOrganizationTrail: false,
    };
    expect(await run("cloudtrail", "describe-trails")).toEqual({ trailList: [trail] });
    expect(await run("cloudtrail", "describe-trails", "--trail-name-list", "my-trail")).toEqual({
      trailList: [trail],
    });
    expect(await run("cloudtrail", "get-trail", "--name", "my-trail")).toEqual({ Trail: trail });
    expect(await run("cloudtrail", "list-trails")).toEqual({
      Trails: [{ TrailARN: arn("my-trail"), Name: "my-trail", HomeRegion: "us-east-2" }],
    });
  });

  test("get-event-selectors of an unconfigured trail gives the default", async () => {
    expect(await run("cloudtrail", "get-event-selectors", "--trail-name", "my-trail")).toEqual({
      TrailARN: arn("my-trail"),
      EventSelectors: [defaultSelector],
    });
  });

  test.each([
    [
      "the basic example",
      [
        {
          ReadWriteType: "All",
          IncludeManagementEvents: true,
          DataResources: [
            {
              Type: "AWS::S3::Object",
              Values: ["arn:aws:s3:::mybucket/prefix", "arn:aws:s3:::mybucket2/prefix2"],
            },
            {
              Type: "AWS::Lambda::Function",
              Values: ["arn:aws:lambda:us-west-2:999999999999:function:hello-world-python-function"],
            },
          ],
        },
      ],
    ],
    [
      "everything",
      [
        {
          ReadWriteType: "All",
          IncludeManagementEvents: true,
          DataResources: [
            { Type: "AWS::S3::Object", Values: ["arn:aws:s3:::"] },
            { Type: "AWS::Lambda::Function", Values: ["arn:aws:lambda"] },
          ],
        },
      ],
    ],
    [
      "excluding KMS",
      [
        {
          ReadWriteType: "All",
          ExcludeManagementEventSources: ["kms.amazonaws.com"],
          IncludeManagementEvents: true,
        },
      ],
    ],
  ])("put-event-selectors takes %s and gives it back normalised", async (_name, selectors) => {
    const answer = await run(
      ...["cloudtrail", "put-event-selectors", "--trail-name", "my-trail"],
      ...["--event-selectors", JSON.stringify(selectors)],
    );
    const expected = {
      TrailARN: arn("my-trail"),
      EventSelectors: selectors.map((selector) => ({ ...defaultSelector, ...selector })),
    };
    expect(answer).toEqual(expected);
    expect(await run("cloudtrail", "get-event-selectors", "--trail-name", "my-trail")).toEqual(expected);
  });

  test("put-event-selectors takes the advanced example and drops the basic ones", async () => {
    const selectors = [
      {
        Name: "Log all management events",
        FieldSelectors: [{ Field: "eventCategory", Equals: ["Management"] }],
      },
      {
        Name: "Log PutObject and DeleteObject events for all but one bucket",
        FieldSelectors: [
          { Field: "eventCategory", Equals: ["Data"] },
          { Field: "resources.type", Equals: ["AWS::S3::Object"] },
          { Field: "eventName", Equals: ["PutObject", "DeleteObject"] },
          { Field: "resources.ARN", NotStartsWith: ["arn:aws:s3:::sample_bucket_name/"] },
        ],
      },
      {
        Name: "Log data plane actions on MyLambdaFunction",
        FieldSelectors: [
          { Field: "eventCategory", Equals: ["Data"] },
          { Field: "resources.type", Equals: ["AWS::Lambda::Function"] },
          { Field: "eventName", Equals: ["Invoke"] },
          { Field: "resources.ARN", Equals: ["arn:aws:lambda:us-east-2:123456789012:function:myFunction"] },
        ],
      },
    ];
    const answer = await run(
      ...["cloudtrail", "put-event-selectors", "--trail-name", "my-trail"],
      ...["--advanced-event-selectors", JSON.stringify(selectors)],
    );
    expect(answer).toEqual({ TrailARN: arn("my-trail"), AdvancedEventSelectors: selectors });
    expect(await run("cloudtrail", "get-event-selectors", "--trail-name", "my-trail")).toEqual(answer);
  });

  test("a wrong selector is refused with the service's own words", async () => {
    const { code, stderr } = await awsRaw(cli, [
      ...["cloudtrail", "put-event-selectors", "--trail-name", "my-trail", "--event-selectors"],
      JSON.stringify([
        {
          ReadWriteType: "All",
          DataResources: [{ Type: "AWS::S3::Object", Values: ["arn:aws:s3:::mybucket"] }],
        },
      ]),
    ]);
    expect(code).not.toBe(0);
    expect(stderr).toContain(
      "An error occurred (InvalidEventSelectorsException) when calling the PutEventSelectors operation: " +
        "Value arn:aws:s3:::mybucket for DataResources.Values is invalid.",
    );
  });

  test("logging starts, chosen events arrive as log files, logging stops", async () => {
    await run("cloudtrail", "start-logging", "--name", "my-trail");
    const inRegion = { awsRegion: "us-east-2" };
    const chosen = [
      managementEvent(inRegion),
      objectEvent({ operation: "PutObject", bucket: "other", key: "k", readOnly: false }, inRegion),
    ];
    const left = [
      managementEvent(),
      objectEvent({ operation: "GetObject", bucket: "other", key: "k", readOnly: true }, inRegion),
      objectEvent(
        { operation: "PutObject", bucket: "sample_bucket_name", key: "k", readOnly: false },
        inRegion,
      ),
    ];
    const answer = await postEvents(cairn.url, [...chosen, ...left]);
    expect(answer).toEqual({ status: 200, accepted: 5, rejected: [] });
    const ids = chosen.map((event) => event.eventID);
    await until("both chosen events are delivered", () =>
      ids.every((id) => deliveredIds(cairn.dataDir, "my-bucket").includes(id)),
    );
    const delivered = deliveredIds(cairn.dataDir, "my-bucket");
    for (const event of left) expect(delivered).not.toContain(event.eventID);

    const status = (await run("cloudtrail", "get-trail-status", "--name", "my-trail")) as Record<
      string,
      unknown
    >;
    expect(status["IsLogging"]).toBe(true);
    expect(status["LatestDeliveryAttemptSucceeded"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(status["LatestDeliveryError"]).toBeUndefined();

    const [file] = logFiles(cairn.dataDir, "my-bucket");
    expect(file?.key).toMatch(
      /^AWSLogs\/123456789012\/CloudTrail\/us-east-2\/\d{4}\/\d\d\/\d\d\/123456789012_CloudTrail_us-east-2_\d{8}T\d{4}Z_[A-Za-z0-9]{16}\.json\.gz$/,
    );
    expect(file?.text.startsWith('{"Records":[{')).toBe(true);

    await run("cloudtrail", "stop-logging", "--name", "my-trail");
    const late = managementEvent(inRegion);
    await postEvents(cairn.url, [late]);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(deliveredIds(cairn.dataDir, "my-bucket")).not.toContain(late.eventID);
  });

  test("aws s3 reads the log files back", async () => {
    const listing = await awsRaw(cli, ["s3", "ls", "--recursive", "s3://my-bucket"]);
    const key = /(AWSLogs\S+\.json\.gz)/.exec(listing.stdout)?.[1];
    expect(key).toBeDefined();
    const copied = await awsRaw(cli, ["s3", "cp", `s3://my-bucket/${key}`, `${cairn.dataDir}/copy.json.gz`]);
    expect(copied.stderr).toBe("");
    const head = (await run("s3api", "head-object", "--bucket", "my-bucket", "--key", key ?? "")) as Record<
      string,
      unknown
    >;
    expect(head).toMatchObject({
      ContentType: "application/json",
      ContentEncoding: "gzip",
      ServerSideEncryption: "AES256",
    });
  });

  test("own calls, reads and failures among them, are events in the log files", async () => {
    await run("cloudtrail", "start-logging", "--name", "my-trail");
    await awsRaw(cli, ["cloudtrail", "get-trail", "--name", "no-such-trail"]);
    const own = () =>
      logFiles(cairn.dataDir, "my-bucket")
        .flatMap((file) => file.records)
        .filter((record) => record["eventSource"] === "cloudtrail.amazonaws.com");
    await until("the failed call is delivered", () =>
      own().some((record) => record["errorCode"] !== undefined),
    );
    expect(own().find((record) => record["errorCode"] !== undefined)).toMatchObject({
      eventName: "GetTrail",
      errorCode: "TrailNotFoundException",
      errorMessage: "Unknown trail: no-such-trail for the user: 123456789012",
      requestParameters: { name: "no-such-trail" },
      responseElements: null,
      readOnly: true,
      awsRegion: "us-east-2",
    });
    expect(own().map((record) => record["eventName"])).toContain("GetTrailStatus");
  });

  test("delete-trail ends it", async () => {
    await run("cloudtrail", "delete-trail", "--name", "my-trail");
    expect(await run("cloudtrail", "describe-trails")).toEqual({ trailList: [] });
    const { stderr } = await awsRaw(cli, ["cloudtrail", "get-trail-status", "--name", "my-trail"]);
    expect(stderr).toContain(`Unknown trail: ${arn("my-trail")} for the user: ${account}`);
  });
});
