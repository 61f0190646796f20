// Calls that nobody should write, and services that nobody knows: nothing secret is said, nothing takes long, nothing throws.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { account, described, headOf, passed, understood } from "./passed-call.test-world.ts";

const form = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";

describe("what nobody should write", () => {
  test("a call that names two operations is allowed by none of them alone", async () => {
    const request = {
      service: "iam",
      headers: form,
      query: "Action=GetUser",
      body: "Action=DeleteUser&UserName=bob",
    };
    expect((await understood(request)).deedOf(passed(request).request, account)).toEqual({
      action: "iam:*",
      resource: "*",
    });
  });

  test("an error that repeats a secret does not say it", async () => {
    const request = {
      service: "cognito-idp",
      headers: { "x-amz-target": "AWSCognitoIdentityProviderService.SignUp" },
      body: JSON.stringify({ ClientId: "c", Username: "u", Password: "hunter22" }),
    };
    const said = (message: string) => ({
      status: 400,
      body: JSON.stringify({ __type: "InvalidPasswordException", message }),
    });
    expect((await described(request, said("hunter22 is too short"))).errorMessage).toBe(
      `${hidden} is too short`,
    );
    expect((await described(request, said("Value 'other' at 'password' failed"))).errorMessage).toBe(
      `Value '${hidden}' at 'password' failed`,
    );
  });

  test("a value is hidden when the key beside it is a secret's name", async () => {
    const tags = [
      { Key: "DB_PASSWORD", Value: "geheim" },
      { Key: "team", Value: "blue" },
    ];
    const request = { service: "dynamodb", headers: { "x-amz-target": "DynamoDB_20120810.TagResource" } };
    const body = JSON.stringify({
      ResourceArn: "arn:aws:dynamodb:us-east-1:111122223333:table/t",
      Tags: tags,
    });
    expect((await described({ ...request, body })).requestParameters).toMatchObject({
      tags: [
        { key: "DB_PASSWORD", value: hidden },
        { key: "team", value: "blue" },
      ],
    });
    const tagged = "Action=TagUser&UserName=u&Tags.member.1.Key=secret&Tags.member.1.Value=geheim";
    expect(
      (await described({ service: "iam", headers: form, body: tagged })).requestParameters,
    ).toMatchObject({
      tags: [{ key: "secret", value: hidden }],
    });
  });

  test("unknown services keep what is shallow and no secret", async () => {
    const body = JSON.stringify({
      Name: "n",
      ApiKey: "geheim",
      Deep: { x: "geheim" },
      Count: 3,
      Long: "x".repeat(300),
    });
    expect(
      await described({ service: "widgets", headers: { "x-amz-target": "Widgets.CreateWidget" }, body }),
    ).toMatchObject({
      eventSource: "widgets.amazonaws.com",
      eventName: "CreateWidget",
      requestParameters: { name: "n", apiKey: hidden, count: 3 },
    });
  });

  test("bodies that are cut say so, and what they are about is known", async () => {
    const request = {
      service: "dynamodb",
      headers: { "x-amz-target": "DynamoDB_20120810.BatchWriteItem" },
      body: '{"RequestItems":{"Music":[{"PutRequest":{"Item":{"a":{"S":"x, {y\\""}}}},{"PutRequest":{"It',
    };
    const call = passed(request);
    const head = await understood(request);
    expect(
      head.describe(
        { ...call, request: { kind: "cut", bytes: call.request.bytes }, bytesIn: 2_000_000 },
        account,
      ),
    ).toMatchObject({
      eventName: "BatchWriteItem",
      resources: [{ ARN: "arn:aws:dynamodb:us-east-1:111122223333:table/Music" }],
      requestParameters: { reason: "requestParameters too large", omitted: true, originalSize: 2_000_000 },
    });
    expect(head.deedOf({ kind: "cut", bytes: call.request.bytes }, account)).toEqual({
      action: "dynamodb:*",
      resource: "*",
    });
  });

  test("nothing takes long", async () => {
    const long = (text: string) => text.repeat(Math.ceil(300_000 / text.length));
    const texts = [
      ...[
        "a.",
        "nwk",
        "://a:",
        "?sig=",
        "'",
        "''",
        "1",
        "<a ",
        '<a b="',
        "<a/>",
        "<a>",
        "&#x41;",
        "a.1.",
        "&a=1",
      ].map(long),
      ...["[", '{"a":', '{"a":"b",', "{}"].map(long),
    ];
    const requests = texts.flatMap((text) => [
      {
        service: "s3",
        method: "PUT",
        path: "/b",
        query: "tagging",
        body: `<Tagging>${text.slice(0, 250_000)}`,
      },
      { service: "iam", headers: form, body: `Action=CreateUser&UserName=x://${text}` },
      { service: "rds", headers: form, body: `Action=CreateDBInstance&Tags.${text}` },
      {
        service: "dynamodb",
        headers: { "x-amz-target": "DynamoDB_20120810.ExecuteStatement" },
        body: JSON.stringify({ Statement: text }),
      },
      {
        service: "widgets",
        headers: { "x-amz-target": "W.X" },
        body: JSON.stringify({ [text]: "v", y: text }),
      },
      {
        service: "sqs",
        headers: { "x-amz-target": "AmazonSQS.SendMessage" },
        body: `{"QueueUrl":${JSON.stringify(`http://${text}`)}}`,
      },
      { service: "kms", headers: { "x-amz-target": "TrentService.Encrypt" }, body: text },
      { service: "lambda", method: "GET", path: `/2015-03-31/functions/${text.slice(0, 8000)}` },
    ]);
    for (const request of requests) {
      const head = await understood(request);
      const call = passed(request, { status: 400, body: JSON.stringify({ message: "x".repeat(1000) }) });
      const before = process.cpuUsage();
      head.describe(call, account);
      head.deedOf(call.request, account);
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1000).toBeLessThan(1000);
    }
  }, 60_000);

  test("nothing makes it throw", async () => {
    const services = [
      "s3",
      "ec2",
      "iam",
      "sqs",
      "dynamodb",
      "lambda",
      "route53",
      "monitoring",
      "sts",
      "kms",
      "widgets",
      "",
    ];
    const target = fc.constantFrom(
      "AmazonSQS.SendMessage",
      "DynamoDB_20120810.PutItem",
      "TrentService.Encrypt",
      "x",
      ".",
      "Nope.Nope",
    );
    const junk = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constantFrom(
        "<a><b>",
        "<Error><Code>",
        "{",
        "Action=RunInstances&UserData.1.2.3=x",
        "Action=%",
        "\u0000",
        "[".repeat(5000),
      ),
    );
    const request = fc.record({
      service: fc.constantFrom(...services),
      method: fc.constantFrom("GET", "PUT", "POST", "HEAD", "DELETE", "OPTIONS", "BREW"),
      path: fc.oneof(
        fc.constantFrom(
          "/",
          "//",
          "/%",
          "/b/%zz",
          "/2015-03-31/functions/%/invocations",
          "/service/a/operation/b",
        ),
        fc.string().map((text) => `/${text}`),
      ),
      query: fc.oneof(
        fc.constant(""),
        fc.string(),
        fc.constantFrom("Action=x", "list-type=2&prefix=%", "X-Amz-Signature=s"),
      ),
      headers: fc.record(
        {
          "x-amz-target": target,
          "content-type": fc.constantFrom("application/cbor", "application/json", form["content-type"]),
          "content-encoding": fc.constantFrom("gzip", "identity"),
        },
        { requiredKeys: [] },
      ),
      body: fc.oneof(junk, fc.uint8Array({ maxLength: 200 })),
    });
    const answer = fc.record({
      status: fc.constantFrom(200, 204, 304, 400, 404, 500, 599),
      body: fc.oneof(junk, fc.uint8Array({ maxLength: 200 })),
      headers: fc.record(
        { "content-type": fc.constantFrom("application/cbor", "text/xml") },
        { requiredKeys: [] },
      ),
    });
    await fc.assert(
      fc.asyncProperty(request, answer, async (asked, answered) => {
        const head = await understood(asked);
        const call = passed(asked, answered);
        const description = head.describe(call, account);
        expect(description.eventName).toMatch(/^[A-Za-z0-9_.-]{1,128}$/);
        expect(description.eventSource).toMatch(/^[a-z0-9.-]+\.amazonaws\.com$/);
        JSON.stringify(description);
        head.deedOf(call.request, account);
        head.errorAnswer({ status: 502, code: "BadGateway", message: "m", requestId: "r" });
      }),
      { numRuns: 1500 },
    );
    expect(headOf({ service: "s3" }).path).toBe("/");
  });
});
