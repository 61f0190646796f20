// The recorder in the real process: the AWS CLI through it to a server that verifies signatures, a journal that is full,
// its own bucket behind it, and credentials from a configuration file.
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer, request as tlsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CloudTrailClient, CreateTrailCommand, StartLoggingCommand } from "@aws-sdk/client-cloudtrail";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { awsRaw } from "../harness/aws-cli.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { awsCli, describeWith, program } from "../harness/outside-program.ts";
import {
  freePort,
  type S3Server,
  versitygw,
  versitygwCredentials,
  versitygwServer,
} from "../harness/versitygw.ts";
import { scoped } from "./recorder-fixture.ts";

const region = "us-east-1";
const folder = mkdtempSync(join(tmpdir(), "cairn-recorder-"));
const running: CairnProcess[] = [];
async function start(options: Parameters<typeof startCairn>[0]): Promise<CairnProcess> {
  const cairn = await startCairn(options);
  running.push(cairn);
  return cairn;
}
afterEach(async () => {
  for (const cairn of running.splice(0)) await cairn.dispose();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function metrics(cairn: CairnProcess, name: string): Promise<number> {
  const text = await (await fetch(`${cairn.url}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^cairn_${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

describeWith([versitygw])("in front of versitygw, which verifies signatures", () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await versitygwServer();
    await server.start();
  });
  afterAll(() => server.dispose());

  describeWith([awsCli])("the AWS CLI", () => {
    test("copies up and down, in parts and with checksums, and lists", { timeout: 120_000 }, async () => {
      const cairn = await start({ args: ["--auth", "off", "--s3-endpoint", server.url] });
      const aws = async (...args: string[]) => {
        const { code, stdout, stderr } = await awsRaw(
          { url: cairn.url, region, ...versitygwCredentials },
          args,
        );
        expect([code, stderr.includes("rror")], stderr).toEqual([0, false]);
        return stdout;
      };
      const file = join(folder, "up");
      const bytes = randomBytes(25_000_000);
      writeFileSync(file, bytes);
      await aws("s3", "mb", "s3://through");
      await aws("s3", "cp", file, "s3://through/a b/ü.bin", "--metadata", "who=me");
      await aws("s3", "cp", "s3://through/a b/ü.bin", join(folder, "down"));
      expect(readFileSync(join(folder, "down")).equals(bytes)).toBe(true);
      expect(await aws("s3", "ls", "s3://through", "--recursive")).toContain("a b/ü.bin");
      const copied = await metrics(cairn, "recorder_calls_total");
      expect(copied).toBeGreaterThan(8);
      expect(await metrics(cairn, 'events_accepted_total{door="recorder"}')).toBeGreaterThanOrEqual(0);
      expect(await metrics(cairn, "recorder_unrecorded_total")).toBe(0);
    });
  });

  test("a wrong secret is refused by the service, not by Cairn", async () => {
    const cairn = await start({ args: ["--auth", "off", "--s3-endpoint", server.url] });
    const credentials = { ...versitygwCredentials, secretAccessKey: "guessed" };
    const s3 = new S3Client({
      endpoint: cairn.url,
      region,
      credentials,
      forcePathStyle: true,
      maxAttempts: 1,
    });
    await expect(s3.send(new GetObjectCommand({ Bucket: "bucket", Key: "k" }))).rejects.toMatchObject({
      name: "SignatureDoesNotMatch",
    });
  });

  test("with resign from a file: the caller's key stays here, the service sees its own", async () => {
    const secretFile = join(folder, "secret");
    writeFileSync(secretFile, `${versitygwCredentials.secretAccessKey}\n`, { mode: 0o600 });
    const config = join(folder, "cairn.yaml");
    const mary = { accessKeyId: "AKIAMARY", secretAccessKey: "marys-secret-key" };
    const yaml = `
accounts:
  - id: "123456789012"
    users:
      - name: mary
        accessKeys: [{ accessKeyId: ${mary.accessKeyId}, secretAccessKey: ${mary.secretAccessKey} }]
        policies: [{ Version: "2012-10-17", Statement: [
          { Effect: Allow, Action: ["s3:CreateBucket", "s3:PutObject"], Resource: "*" } ] }]
endpoints:
  s3:
    url: ${server.url}
    resign: { accessKeyId: ${versitygwCredentials.accessKeyId}, secretAccessKeyFile: ${secretFile} }
`;
    writeFileSync(config, yaml, { mode: 0o600 });
    const cairn = await start({ args: ["--auth", "on", "--config", config] });
    const s3 = new S3Client({
      endpoint: cairn.url,
      region,
      credentials: mary,
      forcePathStyle: true,
      maxAttempts: 1,
    });
    await s3.send(new CreateBucketCommand({ Bucket: "marys" }));
    await s3.send(new PutObjectCommand({ Bucket: "marys", Key: "k", Body: "hello" }));
    await expect(s3.send(new GetObjectCommand({ Bucket: "marys", Key: "k" }))).rejects.toMatchObject({
      name: "AccessDenied",
      message: expect.stringContaining(
        "is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::marys/k",
      ) as unknown,
    });
    expect(await metrics(cairn, 'recorder_failures_total{service="s3",reason="denied"}')).toBe(1);
    for (const secret of [mary.secretAccessKey, versitygwCredentials.secretAccessKey]) {
      expect(cairn.log()).not.toContain(secret);
    }
  });

  test("its own bucket behind its own recorder ends at once and makes no events of itself", {
    timeout: 60_000,
  }, async () => {
    const port = await freePort();
    const dataDir = mkdtempSync(join(tmpdir(), "cairn-loop-"));
    const client = { endpoint: `http://127.0.0.1:${port}`, region, credentials: versitygwCredentials };
    const base = {
      dataDir,
      port,
      env: { AWS_ACCESS_KEY_ID: "test-access-key", AWS_SECRET_ACCESS_KEY: "test-secret-key-of-versitygw" },
    };
    const args = ["--auth", "off", "--delivery-interval", "500ms"];
    const first = await start({ ...base, args: [...args, "--s3-endpoint", server.url] });
    await new S3Client({ ...client, forcePathStyle: true }).send(
      new CreateBucketCommand({ Bucket: "looping" }),
    );
    const trails = new CloudTrailClient(client);
    await trails.send(new CreateTrailCommand({ Name: "looping", S3BucketName: "looping" }));
    await trails.send(new StartLoggingCommand({ Name: "looping" }));
    await first.end("SIGTERM");

    const looping = await start({ ...base, args: [...args, "--s3-endpoint", client.endpoint] });
    await postEvents(looping.url, [managementEvent({})]);
    const events = () => metrics(looping, "events_accepted_total");
    for (let at = 0; at < 40 && (await metrics(looping, "delivery_failures_total")) === 0; at++)
      await sleep(250);
    const [accepted, refused] = [await events(), await metrics(looping, "recorder_refused_total")];
    expect(refused).toBeGreaterThan(0);
    await sleep(3000);
    // The delivery is tried again, in its own time; nothing comes of it but counts.
    expect(await events()).toBe(accepted);
    expect(await metrics(looping, "recorder_refused_total")).toBeLessThan(refused + 20);
    expect(await metrics(looping, "recorder_own_deliveries_total")).toBeGreaterThan(0);
    await looping.end("SIGTERM");
    rmSync(dataDir, { recursive: true, force: true });
  });
});

describe("while the journal is full", () => {
  let service: Server;
  let url: string;
  let asked = 0;
  beforeAll(async () => {
    service = createServer((incoming, outgoing) => {
      asked++;
      incoming.resume().on("end", () => outgoing.end("{}"));
    });
    service.listen(0, "127.0.0.1");
    await once(service, "listening");
    url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  });
  afterAll(() => void service.close());

  async function full(policy: string): Promise<CairnProcess> {
    const limits = ["--journal-bytes-max", "24MB", "--journal-reserve", "8MB", "--delivery-interval", "1h"];
    const args = ["--auth", "off", "--endpoints", `dynamodb=${url}`, "--recorder-policy", policy, ...limits];
    const cairn = await start({ args });
    const event = managementEvent({ requestParameters: { filler: "x".repeat(200_000) } });
    for (let posts = 0; posts < 300; posts++)
      if ((await postEvents(cairn.url, [event])).status !== 200) break;
    return cairn;
  }

  const call = (cairn: CairnProcess) =>
    fetch(cairn.url, {
      method: "POST",
      headers: scoped("dynamodb", {
        "x-amz-target": "DynamoDB_20120810.PutItem",
        "content-type": "application/x-amz-json-1.0",
      }),
      body: JSON.stringify({ TableName: "t", Item: { id: { S: "1" }, filler: { S: "y".repeat(1000) } } }),
    });

  test("pass-and-count lets calls pass, counts them and shows them", async () => {
    const cairn = await full("pass-and-count");
    let unrecorded = 0;
    // What is left of the journal's room takes small records for a while.
    for (let at = 0; at < 3000 && unrecorded === 0; at++) {
      expect((await call(cairn)).status).toBe(200);
      if (at % 50 === 0) unrecorded = await metrics(cairn, "recorder_unrecorded_total");
    }
    expect(unrecorded).toBeGreaterThan(0);
    const status = (await (await fetch(`${cairn.url}/statusz`)).json()) as {
      health: { parts: Record<string, { ok: boolean; detail?: string }> };
    };
    expect(status.health.parts["recorder"]?.detail).toMatch(
      /^\d+ calls passed without a record, the last one at /,
    );
    expect(cairn.log()).toContain("Calls passed without a record");
  });

  test("record-or-refuse refuses before anything is passed on", async () => {
    const cairn = await full("record-or-refuse");
    let answer = await call(cairn);
    for (let at = 0; at < 3000 && answer.status === 200; at++) answer = await call(cairn);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      __type: expect.stringContaining("ServiceUnavailable") as unknown,
    });
    const before = asked;
    for (let at = 0; at < 10; at++) expect((await call(cairn)).status).toBe(503);
    expect(asked).toBe(before);
    expect(await metrics(cairn, "recorder_unrecorded_total")).toBe(0);
  });
});

test("an upload under way when the server stops is finished, and its record kept", async () => {
  const hash = createHash("sha256");
  const service = createServer((incoming, outgoing) => {
    incoming
      .on("data", (piece: Buffer) => hash.update(piece))
      .on("end", () => outgoing.end(hash.digest("hex")));
  });
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const cairn = await start({ args: ["--auth", "off", "--endpoints", `lambda=${url}`] });
  const body = new ReadableStream({
    async start(controller) {
      for (let at = 0; at < 10; at++) {
        controller.enqueue(Buffer.from("x"));
        await sleep(150);
      }
      controller.close();
    },
  });
  const init = { method: "POST", headers: scoped("lambda"), body, duplex: "half" };
  const answer = fetch(`${cairn.url}/2015-03-31/functions/f/invocations`, init as RequestInit);
  await sleep(500);
  const ended = cairn.end("SIGTERM");
  expect(await (await answer).text()).toBe(createHash("sha256").update("x".repeat(10)).digest("hex"));
  expect(await ended).toBe(0);
  service.close();
});

describeWith([program("openssl", "openssl", ["version"])])("TLS on both sides", () => {
  test("a service is believed by its certificate, and only by that", { timeout: 60_000 }, async () => {
    const [certificate, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
    const subject = ["-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"];
    const names = ["-addext", "subjectAltName=DNS:localhost"];
    const made = spawnSync("openssl", [
      "req",
      "-x509",
      ...subject,
      ...names,
      "-keyout",
      key,
      "-out",
      certificate,
    ]);
    expect(made.status).toBe(0);
    const options = { cert: readFileSync(certificate), key: readFileSync(key) };
    const service = createTlsServer(options, (incoming, outgoing) => {
      incoming.resume().on("end", () => outgoing.end(`${incoming.headers.host} ${incoming.headers.via}`));
    });
    service.on("tlsClientError", () => undefined);
    service.listen(0, "127.0.0.1");
    await once(service, "listening");
    const { port } = service.address() as AddressInfo;
    const endpoints = `sqs=https://localhost:${port},sns=https://127.0.0.1:${port}`;
    const tls = ["--tls-certificate-file", certificate, "--tls-key-file", key];
    const args = ["--auth", "off", "--endpoints", endpoints, ...tls];
    const call = (cairn: CairnProcess, name: string) =>
      new Promise<{ status: number; text: string }>((resolve, reject) => {
        const ca = options.cert;
        const url = cairn.url.replace("127.0.0.1", "localhost");
        const request = tlsRequest(url, { method: "POST", headers: scoped(name), ca }, (answer) => {
          void answer.toArray().then((pieces) => {
            resolve({ status: answer.statusCode ?? 0, text: pieces.join("") });
          }, reject);
        });
        request.on("error", reject).end("{}");
      });
    const trusting = await start({ args, env: { NODE_EXTRA_CA_CERTS: certificate } });
    const answer = await call(trusting, "sqs");
    expect(answer.text).toMatch(/^localhost:\d+ 1\.1 cairn-\w{20}$/);
    // Not a name in the certificate.
    expect((await call(trusting, "sns")).status).toBe(502);
    const strange = await start({ args });
    expect((await call(strange, "sqs")).status).toBe(502);
    service.close();
  });
});
