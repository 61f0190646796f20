// Errors that Cairn makes in a service's place, read by the vendor's own clients.
import { KMSClient, ListKeysCommand } from "@aws-sdk/client-kms";
import { GetObjectCommand, HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { ListTopicsCommand, SNSClient } from "@aws-sdk/client-sns";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { describe, expect, test } from "vitest";
import type { ServiceErrorAnswer } from "../../src/recorder/contract.ts";
import { parseCbor } from "../../src/recorder/service/cbor.ts";
import { passed, type TestRequest, understood } from "../../src/recorder/service/passed-call.test-world.ts";
import { errorOf } from "../../src/recorder/service/service-error.ts";
import { readBody } from "../../src/recorder/service/read-body.ts";

const error = {
  status: 502,
  code: "BadGateway",
  message: "The service <did> & did not answer.",
  requestId: "11111111-2222-4333-8444-555555555555",
};

async function answerTo(request: TestRequest): Promise<ServiceErrorAnswer> {
  return (await understood(request)).errorAnswer(error);
}

/** Hands a client one answer, and what it makes of it. */
async function readBy(
  make: (handler: unknown) => { send(command: never): Promise<unknown> },
  command: unknown,
  answer: ServiceErrorAnswer,
) {
  const body = typeof answer.body === "string" ? new TextEncoder().encode(answer.body) : answer.body;
  const handler = {
    handle: async () => ({
      response: {
        statusCode: answer.status,
        headers: answer.headers,
        body: new Blob([new Uint8Array(body)]).stream(),
      },
    }),
    metadata: { handlerProtocol: "http/1.1" },
  };
  const thrown: unknown = await make(handler)
    .send(command as never)
    .then(
      () => undefined,
      (caught: unknown) => caught,
    );
  if (!(thrown instanceof Error)) throw new Error("The client took it for a success.");
  return thrown;
}

const configuration = (requestHandler: unknown) => ({
  region: "us-east-1",
  endpoint: "http://127.0.0.1:4577",
  credentials: { accessKeyId: "AKIA", secretAccessKey: "x" },
  maxAttempts: 1,
  requestHandler: requestHandler as never,
});
const form = { "content-type": "application/x-www-form-urlencoded" };

describe("an error", () => {
  test.each([
    [
      "SQS (JSON)",
      { service: "sqs", headers: { "x-amz-target": "AmazonSQS.ListQueues" } },
      (h: unknown) => new SQSClient(configuration(h)),
      new ListQueuesCommand({}),
    ],
    [
      "KMS (JSON)",
      { service: "kms", headers: { "x-amz-target": "TrentService.ListKeys" } },
      (h: unknown) => new KMSClient(configuration(h)),
      new ListKeysCommand({}),
    ],
    [
      "SNS (Query)",
      { service: "sns", headers: form, body: "Action=ListTopics" },
      (h: unknown) => new SNSClient(configuration(h)),
      new ListTopicsCommand({}),
    ],
    [
      "STS (Query)",
      { service: "sts", headers: form, body: "Action=GetCallerIdentity" },
      (h: unknown) => new STSClient(configuration(h)),
      new GetCallerIdentityCommand({}),
    ],
    [
      "S3",
      { service: "s3", method: "GET", path: "/b/k" },
      (h: unknown) => new S3Client(configuration(h)),
      new GetObjectCommand({ Bucket: "b", Key: "k" }),
    ],
  ] as const)("of %s is read by its client", async (_, request, make, command) => {
    const thrown = await readBy(make, command, await answerTo(request));
    expect(thrown.name).toBe(error.code);
    expect(thrown.message).toContain("did not answer");
  });

  test("of a HEAD has no body", async () => {
    const answer = await answerTo({ service: "s3", method: "HEAD", path: "/b/k" });
    expect(answer.body).toBe("");
    const thrown = await readBy(
      (h) => new S3Client(configuration(h)),
      new HeadObjectCommand({ Bucket: "b", Key: "k" }),
      answer,
    );
    expect(thrown.message).not.toBe("");
  });

  test.each([
    [
      "EC2",
      { service: "ec2", headers: form, body: "Action=DescribeVpcs" },
      "<Response><Errors><Error><Code>BadGateway</Code>",
    ],
    [
      "REST JSON",
      { service: "lambda", method: "GET", path: "/2015-03-31/functions" },
      '{"code":"BadGateway"',
    ],
    ["REST XML", { service: "route53", method: "GET", path: "/2013-04-01/hostedzone" }, "<ErrorResponse"],
    ["an unknown service", { service: "widgets", method: "GET", path: "/things" }, '{"code":"BadGateway"'],
  ])("of %s has its form", async (_, request, start) => {
    const { body } = await answerTo(request);
    expect(body).toContain(start);
    if (String(body).startsWith("<")) expect(body).not.toContain("<did>");
  });

  test("in CBOR can be read again", async () => {
    const request = {
      service: "monitoring",
      path: "/service/GraniteServiceVersion20100801/operation/ListMetrics",
      headers: { "content-type": "application/cbor" },
    };
    const { body, headers } = await answerTo(request);
    expect(headers["smithy-protocol"]).toBe("rpc-v2-cbor");
    expect(parseCbor(body as Uint8Array)).toEqual({ __type: error.code, message: error.message });
  });

  test("of every form is read back by the recorder itself", async () => {
    for (const request of [
      { service: "sqs", headers: { "x-amz-target": "AmazonSQS.ListQueues" } },
      { service: "sns", headers: form, body: "Action=ListTopics" },
      { service: "ec2", headers: form, body: "Action=DescribeVpcs" },
      { service: "lambda", method: "GET", path: "/2015-03-31/functions" },
      { service: "s3", method: "GET", path: "/b/k" },
      {
        service: "monitoring",
        path: "/service/x/operation/ListMetrics",
        headers: { "content-type": "application/cbor" },
      },
    ]) {
      const { body, headers, status } = await answerTo(request);
      const { answer } = passed(request, { body, headers, status });
      const said = errorOf(status, answer.headers, readBody(answer.body, answer.headers));
      expect(said).toEqual({ code: error.code, message: error.message });
    }
  });
});
