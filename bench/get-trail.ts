// GetTrail with authentication on: every request's signature is verified, every call journaled before its answer and
// delivered. The load generator sends one signed request again and again, so that its own signing costs nothing.
import { createHash, createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudTrailClient, CreateTrailCommand, StartLoggingCommand } from "@aws-sdk/client-cloudtrail";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Figure } from "./main.ts";
import { serverUnderTest } from "./server-under-test.ts";

const requestCount = 20_000;
const connections = 16;

const credentials = {
  accessKeyId: "AKIABENCHBENCHBENCH1",
  secretAccessKey: "bench-secret-of-forty-characters-00000000",
};
const region = "us-east-1";
const configuration = `
accounts:
  - id: "123456789012"
    users:
      - name: bench
        accessKeys: [{ accessKeyId: ${credentials.accessKeyId}, secretAccessKey: ${credentials.secretAccessKey} }]
        policies: [{ Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "*", Resource: "*" }] }]
`;

export async function getTrail(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "cairn-bench-"));
  writeFileSync(join(folder, "cairn.yaml"), configuration, { mode: 0o600 });
  const server = await serverUnderTest([
    "--auth",
    "on",
    "--config",
    join(folder, "cairn.yaml"),
    "--delivery-interval",
    "1s",
  ]);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  try {
    await makeTrail(server.url);
    const headers = await signedHeaders(server.url);
    const cpuBefore = await server.cpuSeconds();
    const start = performance.now();
    await callAll(server.url, { agent, headers });
    const seconds = (performance.now() - start) / 1000;
    const cpuSeconds = (await server.cpuSeconds()) - cpuBefore;
    return [
      {
        what: "GetTrail per second, verified, journaled before its answer, delivered",
        value: requestCount / seconds,
        unit: "/s",
      },
      { what: "CPU per call", value: (cpuSeconds / requestCount) * 1e6, unit: "µs" },
    ];
  } finally {
    agent.destroy();
    await server.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function makeTrail(endpoint: string): Promise<void> {
  const s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: "bench-calls" }));
  const trails = new CloudTrailClient({ endpoint, region, credentials });
  await trails.send(new CreateTrailCommand({ Name: "bench-trail", S3BucketName: "bench-calls" }));
  await trails.send(new StartLoggingCommand({ Name: "bench-trail" }));
}

const body = '{"Name":"bench-trail"}';

/** Valid for the five minutes of the permitted clock skew. */
async function signedHeaders(url: string): Promise<Record<string, string>> {
  const { hostname, port } = new URL(url);
  const signer = new SignatureV4({ service: "cloudtrail", region, credentials, sha256: Sha256 });
  const signed = await signer.sign({
    ...{ method: "POST", protocol: "http:", hostname, port: Number(port), path: "/", body },
    headers: {
      host: `${hostname}:${port}`,
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "CloudTrail_20131101.GetTrail",
    },
  });
  return signed.headers;
}

/** The signer takes its hash as a class with update and digest. */
class Sha256 {
  readonly #chunks: Uint8Array[] = [];
  readonly #key: Uint8Array | undefined;
  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#key = key === undefined ? undefined : bytesOf(key);
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#chunks.push(bytesOf(data));
  }
  digest(): Promise<Uint8Array> {
    const hash = this.#key ? createHmac("sha256", this.#key) : createHash("sha256");
    for (const chunk of this.#chunks) hash.update(chunk);
    return Promise.resolve(hash.digest());
  }
  reset(): void {
    this.#chunks.length = 0;
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

interface Load {
  readonly agent: Agent;
  readonly headers: Record<string, string>;
}

async function callAll(url: string, load: Load): Promise<void> {
  let left = requestCount;
  const caller = async () => {
    while (left-- > 0) await call(url, load);
  };
  await Promise.all(Array.from({ length: connections }, caller));
}

function call(url: string, { agent, headers }: Load): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      response.resume().on("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`GetTrail was answered ${response.statusCode}.`));
      });
    });
    sent.on("error", reject).end(body);
  });
}
