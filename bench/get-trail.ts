// GetTrail: signed by the load generator, answered and journaled by the server; requests per second and CPU each.
import { CreateTrailCommand, StartLoggingCommand } from "@aws-sdk/client-cloudtrail";
import { Agent, request } from "node:http";
import type { Figure } from "./main.ts";
import { makeBucket, serverUnderTest } from "./server-under-test.ts";

const requestCount = 20_000;
const connections = 16;

export async function getTrail(): Promise<readonly Figure[]> {
  const server = await serverUnderTest(["--delivery-interval", "1s"]);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  try {
    await makeBucket(server.url, "bench-calls");
    await server.client.send(new CreateTrailCommand({ Name: "bench-trail", S3BucketName: "bench-calls" }));
    await server.client.send(new StartLoggingCommand({ Name: "bench-trail" }));
    const cpuBefore = await server.cpuSeconds();
    const start = performance.now();
    await callAll(server.url, agent);
    const seconds = (performance.now() - start) / 1000;
    const cpuSeconds = (await server.cpuSeconds()) - cpuBefore;
    return [
      {
        what: "GetTrail per second, each call journaled before its answer",
        value: requestCount / seconds,
        unit: "/s",
      },
      { what: "CPU per call", value: (cpuSeconds / requestCount) * 1e6, unit: "µs" },
    ];
  } finally {
    agent.destroy();
    await server.dispose();
  }
}

async function callAll(url: string, agent: Agent): Promise<void> {
  let left = requestCount;
  const caller = async () => {
    while (left-- > 0) await call(url, agent);
  };
  await Promise.all(Array.from({ length: connections }, caller));
}

function call(url: string, agent: Agent): Promise<void> {
  const headers = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": "CloudTrail_20131101.GetTrail",
    authorization:
      "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/cloudtrail/aws4_request, SignedHeaders=host, Signature=0",
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      response.resume().on("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`GetTrail was answered ${response.statusCode}.`));
      });
    });
    sent.on("error", reject).end('{"Name":"bench-trail"}');
  });
}
