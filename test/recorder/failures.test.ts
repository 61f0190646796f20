// Calls that fail, by the service's word, by its silence, or by what the client sent: what each leaves in the record.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unsignedScope } from "../harness/api-fixture.ts";
import { type BotoAnswer, type BotoCall, boto3, runBoto3 } from "../harness/boto3.ts";
import { moto } from "../harness/moto.ts";
import { describeWith } from "../harness/outside-program.ts";
import { account, type LoggedRecord, type RecorderWorld, region, startWorld } from "./recorder-world.ts";

type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

/** A service that misbehaves as the name of the table, the first word of the body or the path says. */
async function misbehavingService(): Promise<{ url: string; close(): Promise<void> }> {
  const json = (response: ServerResponse, status: number, type: string, message = "As you wished.") =>
    response
      .writeHead(status, {
        "content-type": "application/x-amz-json-1.0",
        "x-amzn-requestid": `id-of-${type}`,
      })
      .end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message }));
  const behaviours: Readonly<Record<string, Behaviour>> = {
    throttle: (_request, response) => json(response, 400, "ThrottlingException"),
    broken: (_request, response) => json(response, 500, "InternalServerError"),
    denied: (_request, response) =>
      json(response, 400, "AccessDeniedException", "User: x is not authorized."),
    unknownKey: (_request, response) => json(response, 400, "UnrecognizedClientException"),
    html: (_request, response) =>
      response.writeHead(503, { "content-type": "text/html" }).end("<html><h1>Down</h1></html>"),
    silent: () => {},
    torn: (_request, response) => {
      response.writeHead(200, { "content-type": "application/x-amz-json-1.0", "content-length": "500" });
      response.write('{"Item":');
      setTimeout(() => response.destroy(), 100);
    },
    reset: (_request, response) => response.destroy(),
  };
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      const wish = /"TableName": ?"(\w+)"/.exec(body)?.[1] ?? "";
      (behaviours[wish] ?? ((_request, anyway) => json(anyway, 400, "ValidationException")))(
        request,
        response,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const unverified = (reason: string) => ({ additionalEventData: { identityVerified: false, reason } });
const nobody = unverified("Nobody checked the signature.");
const refused = unverified("The service refused the signature.");

/** Table → what the client was answered, and what the record says. */
const failures: readonly (readonly [
  table: string,
  answer: Partial<BotoAnswer>,
  record: Readonly<Record<string, unknown>>,
])[] = [
  [
    "throttle",
    { status: 400, error: "ThrottlingException" },
    {
      errorCode: "ThrottlingException",
      errorMessage: "As you wished.",
      requestID: "id-of-ThrottlingException",
      ...nobody,
    },
  ],
  ["broken", { status: 500, error: "InternalServerError" }, { errorCode: "InternalServerError", ...nobody }],
  [
    "denied",
    { status: 400, error: "AccessDeniedException" },
    {
      errorCode: expect.stringMatching(/^AccessDenied(Exception)?$/),
      errorMessage: "User: x is not authorized.",
    },
  ],
  [
    "unknownKey",
    { status: 400, error: "UnrecognizedClientException" },
    { errorCode: "UnrecognizedClientException", ...refused },
  ],
  ["html", { status: 503 }, { errorCode: "ServiceUnavailable", ...nobody }],
  ["silent", { status: 504, error: "GatewayTimeout" }, { errorCode: "GatewayTimeout", ...nobody }],
  ["reset", { status: 502, error: "BadGateway" }, { errorCode: "BadGateway", ...nobody }],
];

describeWith([boto3, moto])("a service that fails", () => {
  let world: RecorderWorld;
  let service: Awaited<ReturnType<typeof misbehavingService>>;
  let answers: readonly BotoAnswer[] = [];
  let records: readonly LoggedRecord[] = [];
  const call = (table: string): BotoCall => ({
    ...{ service: "dynamodb", operation: "GetItem" },
    parameters: { TableName: table, Key: { id: { S: "1" } } },
  });

  beforeAll(async () => {
    service = await misbehavingService();
    world = await startWorld(
      [...["--upstream-timeout", "1s"]],
      `dynamodb=${service.url},sqs=http://127.0.0.1:9`,
    );
    answers = await runBoto3({
      ...{
        endpoint: world.cairn.url,
        region,
        credentials: { accessKeyId: account, secretAccessKey: "unchecked" },
      },
      calls: [
        ...failures.map(([table]) => call(table)),
        call("torn"),
        { service: "sqs", operation: "ListQueues" },
      ],
    });
    records = await world.untilRecorded(failures.length + 2);
  }, 60_000);
  afterAll(async () => {
    await world.dispose();
    await service.close();
  });

  const recordOf = (table: string) =>
    records.find(({ requestParameters }) =>
      JSON.stringify(requestParameters)?.includes(`"tableName":"${table}"`),
    );

  test.each(failures.map(([table, answer, record], at) => ({ table, answer, record, at })))(
    "$table",
    ({ table, answer, record, at }) => {
      expect(answers[at]).toMatchObject(answer);
      expect(recordOf(table)).toMatchObject({
        ...{ eventSource: "dynamodb.amazonaws.com", eventName: "GetItem", eventType: "AwsApiCall" },
        ...{ responseElements: null, userIdentity: { type: "Unknown", accountId: account } },
        ...record,
      });
    },
  );

  test("an answer that ends in the middle is a call that was made", () => {
    expect(answers[failures.length]?.status).toBe(0);
    expect(recordOf("torn")).toMatchObject({
      eventName: "GetItem",
      requestParameters: { tableName: "torn" },
    });
  });

  test("nobody at the configured address", () => {
    expect(answers[failures.length + 1]).toMatchObject({
      status: 502,
      error: expect.stringContaining("BadGateway"),
    });
    expect(records.find(({ eventSource }) => eventSource === "sqs.amazonaws.com")).toMatchObject({
      ...{ eventName: "ListQueues", errorCode: "BadGateway", ...nobody },
    });
  });
});

describeWith([moto])("a request that is no proper one", () => {
  let world: RecorderWorld;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.dispose());

  const post = async (service: string, headers: Record<string, string>, body: string, path = "/") => {
    const response = await fetch(`${world.cairn.url}${path}`, {
      method: "POST",
      headers: { authorization: unsignedScope({ account }, service), ...headers },
      body,
    });
    await response.arrayBuffer();
    return response.status;
  };

  test("is recorded with what is known of it", async () => {
    const target = {
      "x-amz-target": "DynamoDB_20120810.PutItem",
      "content-type": "application/x-amz-json-1.0",
    };
    await post("dynamodb", target, '{"TableName": "t", "Item": {');
    await post("dynamodb", { ...target, "x-amz-target": "DynamoDB_20120810.Nonsense" }, "{}");
    await post(
      "iam",
      { "content-type": "application/x-www-form-urlencoded" },
      "Action=CreateUser&Version=2010-05-08&UserName=%zz%",
    );
    await post("ec2", { "content-type": "application/x-www-form-urlencoded" }, "\u0000\u0001=\u0002");
    await post("unheard-of", {}, '{"password":"planted-unheard-of","name":"x"}', "/things/1");
    // What cannot be read names no resource, so no selector of data events takes it: PutItem is not in the log.
    const records = await world.untilRecorded(4);
    const by = (source: string) => records.filter(({ eventSource }) => eventSource === source);
    expect(by("dynamodb.amazonaws.com")).toMatchObject([
      { eventName: "Nonsense", errorCode: expect.any(String), responseElements: null },
    ]);
    expect(by("iam.amazonaws.com")).toMatchObject([{ eventName: "CreateUser" }]);
    expect(by("ec2.amazonaws.com")).toHaveLength(1);
    expect(by("unheard-of.amazonaws.com")).toHaveLength(1);
    expect(JSON.stringify(records)).not.toContain("planted");
  });
});

describeWith([moto, boto3])("a service with policies", () => {
  let world: RecorderWorld;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.dispose());

  test("denies a user by name", async () => {
    const root = { accessKeyId: account, secretAccessKey: "unchecked" };
    const prepared = await runBoto3({
      ...{ endpoint: world.cairn.url, region, credentials: root },
      calls: [
        { service: "iam", operation: "CreateUser", parameters: { UserName: "eve" } },
        { service: "iam", operation: "CreateAccessKey", parameters: { UserName: "eve" }, save: "key" },
      ],
    });
    const key = JSON.parse(JSON.stringify(prepared[1]?.answer))["AccessKey"] as Record<string, string>;
    await world.moto.enforcePolicies(true);
    const eve = { accessKeyId: key["AccessKeyId"] ?? "", secretAccessKey: key["SecretAccessKey"] ?? "" };
    const denied = await runBoto3({
      ...{ endpoint: world.cairn.url, region, credentials: eve },
      calls: [
        { service: "sns", operation: "ListTopics" },
        { service: "ec2", operation: "DescribeInstances" },
        {
          service: "sns",
          operation: "ListTopics",
          credentials: { ...eve, secretAccessKey: "another-secret" },
        },
      ],
    });
    await world.moto.enforcePolicies(false);
    expect(denied.map(({ status }) => status)).toEqual([403, 403, 403]);
    const records = await world.untilRecorded(5);
    const listed = records.filter(({ eventName }) => eventName === "ListTopics");
    expect(listed.find(({ errorCode }) => errorCode === "AccessDenied")).toMatchObject({
      userIdentity: { type: "IAMUser", userName: "eve", arn: `arn:aws:iam::${account}:user/eve` },
      errorMessage: expect.stringContaining("is not authorized to perform"),
    });
    expect(listed.find(({ errorCode }) => errorCode !== "AccessDenied")).toMatchObject({
      errorCode: "SignatureDoesNotMatch",
      userIdentity: { type: "Unknown", accountId: account, accessKeyId: eve.accessKeyId },
      ...refused,
    });
    expect(records.find(({ eventName }) => eventName === "DescribeInstances")).toMatchObject({
      errorCode: `Client.${denied[1]?.error ?? ""}`,
      userIdentity: { type: "IAMUser", userName: "eve" },
    });
  });
});
