// Log files that were stitched from many deflated pieces (delivery/compose.ts), and the readers that people use: each must
// see all of the one member, and the AWS CLI must find it unchanged.
import { spawnSync } from "node:child_process";
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGunzip, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aws, awsRaw } from "../harness/aws-cli.ts";
import { type Api, bucket, makeBucket, startApi, trailArn } from "../harness/api-fixture.ts";
import { managementEvent, postEvents } from "../harness/events.ts";
import { logFiles, until } from "../harness/log-files.ts";
import { awsCliWithEndpoints, describeWith, program } from "../harness/outside-program.ts";

const account = "710000000001";
const trail = "stitched";
const eventCount = 6_000;

const java = `
import java.io.*; import java.util.zip.*;
class Reader { public static void main(String[] a) throws Exception {
  try (InputStream in = new GZIPInputStream(new FileInputStream(a[0]))) { in.transferTo(System.out); } } }`;
const pythonGzip = "import gzip,sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())";
const pythonZlib =
  "import sys,zlib; sys.stdout.buffer.write(zlib.decompress(open(sys.argv[1],'rb').read(), 16 + zlib.MAX_WBITS))";

describe("a log file of many pieces", () => {
  let api: Api;
  let folder: string;
  let path: string;
  let text: Buffer;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "cairn-readers-"));
    api = await startApi({ interval: "2s", args: ["--digest-interval", "2s"] });
    await makeBucket(api.url, bucket);
    const client = api.as(account);
    await client.createTrail({ Name: trail, S3BucketName: bucket, EnableLogFileValidation: true });
    await client.createTrail({ Name: "writes", S3BucketName: bucket, S3KeyPrefix: "writes" });
    await client.putEventSelectors({ TrailName: "writes", EventSelectors: [{ ReadWriteType: "WriteOnly" }] });
    await client.startLogging({ Name: trail });
    await client.startLogging({ Name: "writes" });
    // Two groups of several pieces: what both trails log, and what one of them logs.
    for (let posted = 0; posted < eventCount; posted += 1_000) {
      const events = Array.from({ length: 1_000 }, (_, n) =>
        managementEvent({
          recipientAccountId: account,
          readOnly: n % 2 === 0,
          requestParameters: { n: posted + n },
        }),
      );
      expect(await postEvents(api.url, events)).toMatchObject({ accepted: 1_000 });
    }
    const files = () => logFiles(api.cairn.dataDir, bucket).filter(({ key }) => key.startsWith("AWSLogs/"));
    const count = () => files().reduce((sum, { records }) => sum + records.length, 0);
    await until("everything is delivered", () => count() >= eventCount, 30_000);
    const [largest] = files().toSorted((left, right) => right.text.length - left.text.length);
    if (!largest) throw new Error("there is a log file");
    path = join(api.cairn.dataDir, "buckets", bucket, largest.key);
    text = Buffer.from(largest.text);
  }, 60_000);
  afterAll(async () => {
    await api?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What the command prints for the file. */
  function read(command: string, ...args: readonly string[]): Buffer {
    const { stdout, stderr, status } = spawnSync(command, [...args, path], { maxBuffer: 100_000_000 });
    expect([status, String(stderr)]).toEqual([0, ""]);
    return stdout;
  }

  test("has several pieces, and Node reads them at once and as a stream", async () => {
    const bytes = readFileSync(path);
    // Every piece ends with the empty stored block of a sync flush.
    expect(bytes.toString("latin1").split("\x00\x00\xff\xff").length - 1).toBeGreaterThanOrEqual(4);
    expect(gunzipSync(bytes).equals(text)).toBe(true);
    const chunks: Uint8Array[] = [];
    for await (const chunk of createReadStream(path).pipe(createGunzip())) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(text)).toBe(true);
    expect(JSON.parse(text.toString())).toHaveProperty("Records");
  });

  describeWith([program("zcat", "zcat", ["--version"])])("zcat", () => {
    test("reads all of it", () => expect(read("zcat").equals(text)).toBe(true));
  });

  describeWith([program("Python (python3)", "python3", ["--version"])])("Python", () => {
    test("reads all of it by gzip", () => expect(read("python3", "-c", pythonGzip).equals(text)).toBe(true));
    test("reads all of it by zlib.decompress, which looks at one member only", () =>
      expect(read("python3", "-c", pythonZlib).equals(text)).toBe(true));
  });

  describeWith([program("a JDK (java, javac)", "javac", ["-version"])])("Java", () => {
    test("reads all of it by GZIPInputStream", () => {
      const source = join(folder, "Reader.java");
      writeFileSync(source, java);
      expect(read("java", source).equals(text)).toBe(true);
    });
  });

  describeWith([awsCliWithEndpoints])("validate-logs", () => {
    test("finds it valid", async () => {
      await aws({ url: api.url, region: "us-east-1", accessKeyId: account }, [
        "cloudtrail",
        "stop-logging",
        "--name",
        trail,
      ]);
      const startTime = new Date(Date.now() - 3_600_000).toISOString();
      const options = { url: api.url, region: "us-east-1", accessKeyId: account };
      const words = [
        "--region",
        "us-east-1",
        "--start-time",
        startTime,
        "--trail-arn",
        trailArn(account, trail),
      ];
      const validate = async () => (await awsRaw(options, ["cloudtrail", "validate-logs", ...words])).stdout;
      let said = "";
      for (let tries = 0; tries < 20 && !/log files valid/.test(said); tries += 1) said = await validate();
      expect(said).toMatch(/(\d+)\/\1 digest files valid\n(\d+)\/\2 log files valid/);
    }, 60_000);
  });
});
