// Real S3 clients against the embedded buckets: large files up and down, copies, tags, presigned URLs, with and without
// authentication; and every call of theirs is an event.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeConfig } from "../harness/api-fixture.ts";
import { aws, awsRaw } from "../harness/aws-cli.ts";
import { boto3 } from "../harness/boto3.ts";
import { type CairnProcess, cleanEnvironment, startCairn } from "../harness/cairn-process.ts";
import { logFiles, until } from "../harness/log-files.ts";
import { awsCli, describeWith } from "../harness/outside-program.ts";

const mebibyte = 1024 * 1024;
const region = "us-east-1";
const mary = { accessKeyId: "AKIAMARY000000000001", secretAccessKey: "marys-secret-of-the-tests-0000001" };
const tom = { accessKeyId: "AKIATOM0000000000001", secretAccessKey: "toms-secret-of-the-tests-00000001" };
const anybody = { accessKeyId: "123456789012", secretAccessKey: "anything" };

const user = (name: string, accessKey: object, Statement: readonly object[]) => ({
  ...{ name, accessKeys: [accessKey] },
  policies: [{ Version: "2012-10-17", Statement }],
});
const configuration = JSON.stringify({
  accounts: [
    {
      id: "123456789012",
      name: "main",
      users: [
        user("mary", mary, [{ Effect: "Allow", Action: "*", Resource: "*" }]),
        user("tom", tom, [
          { Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::signed-urls/open/*" },
        ]),
      ],
    },
  ],
});

let folder = "";
let open: CairnProcess;
let guarded: CairnProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cairn-clients-"));
  open = await startCairn();
  guarded = await startCairn({ args: ["--auth", "on", "--config", writeConfig(folder, configuration)] });
});
afterAll(async () => {
  await open.dispose();
  await guarded.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** The same bytes each time, no two blocks alike. */
function largeFile(name: string, mebibytes: number): string {
  const path = join(folder, name);
  const block = Buffer.alloc(mebibyte, createHash("sha512").update(name).digest());
  const blocks = Array.from({ length: mebibytes }, (_, index) => {
    const copy = Buffer.from(block);
    copy.writeUInt32BE(index, 0);
    return copy;
  });
  writeFileSync(path, Buffer.concat(blocks));
  return path;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  const stream = createReadStream(path).on("data", (piece) => hash.update(piece));
  await once(stream, "end");
  return hash.digest("hex");
}

function sdk(url: string, credentials = anybody): S3Client {
  const own = { ...credentials };
  return new S3Client({ endpoint: url, region, forcePathStyle: true, credentials: own, maxAttempts: 1 });
}

const python = fileURLToPath(new URL("../harness/boto3-buckets.py", import.meta.url));

async function boto(asked: Readonly<Record<string, unknown>>): Promise<unknown> {
  const child = spawn("python3", [python], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...cleanEnvironment(), AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.end(JSON.stringify(asked));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`boto3 ended with ${String(code)}: ${stderr}`);
  return JSON.parse(stdout);
}

/** A member of an answer, as text. */
function textIn(value: unknown, name: string): string {
  const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  return typeof found === "string" || typeof found === "number" ? String(found) : "";
}

const isOfS3 = (record: Readonly<Record<string, unknown>>) => record["eventSource"] === "s3.amazonaws.com";

describeWith([awsCli])("the AWS CLI", { timeout: 180_000 }, () => {
  test("copies a file of 100 MB up, over and down again", async () => {
    const { url } = open;
    const file = largeFile("large", 100);
    await aws({ url }, ["s3", "mb", "s3://cli-large"]);
    await aws({ url }, ["s3", "cp", "--only-show-errors", file, "s3://cli-large/a/large"]);
    const head = await aws({ url }, [
      ...["s3api", "head-object", "--bucket", "cli-large", "--key", "a/large", "--checksum-mode", "ENABLED"],
    ]);
    expect(head).toMatchObject({
      ContentLength: 100 * mebibyte,
      ETag: expect.stringMatching(/^"[0-9a-f]{32}-13"$/),
      ChecksumCRC32: expect.stringMatching(/^[A-Za-z0-9+/=]{8}-13$/),
      ChecksumType: "COMPOSITE",
    });
    await aws({ url }, ["s3", "cp", "--only-show-errors", "s3://cli-large/a/large", "s3://cli-large/b"]);
    await aws({ url }, ["s3", "mv", "--only-show-errors", "s3://cli-large/b", "s3://cli-large/c"]);
    const down = join(folder, "down");
    await aws({ url }, ["s3", "cp", "--only-show-errors", "s3://cli-large/c", down]);
    expect(await sha256Of(down)).toBe(await sha256Of(file));
    const { stdout } = await awsRaw({ url }, ["s3", "ls", "--recursive", "s3://cli-large"]);
    expect(stdout.match(/\S+$/gm)).toEqual(["a/large", "c"]);
    expect(
      await aws({ url }, ["s3api", "list-multipart-uploads", "--bucket", "cli-large"]),
    ).not.toHaveProperty("Uploads");
    await aws({ url }, ["s3", "rb", "--force", "s3://cli-large"]);
  });

  test("syncs a folder up, between buckets and down", async () => {
    const { url } = open;
    const from = join(folder, "tree");
    mkdirSync(join(from, "sub dir"), { recursive: true });
    for (const name of ["a", "b ü", "sub dir/c+d", "sub dir/e"])
      writeFileSync(join(from, name), `the text of ${name}`);
    writeFileSync(join(from, "large"), readFileSync(largeFile("sync", 20)));
    for (const bucket of ["cli-one", "cli-two"]) await aws({ url }, ["s3", "mb", `s3://${bucket}`]);
    await aws({ url }, ["s3", "sync", "--only-show-errors", from, "s3://cli-one/t"]);
    const again = await awsRaw({ url }, ["s3", "sync", "--dryrun", from, "s3://cli-one/t"]);
    expect([again.code, again.stdout]).toEqual([0, ""]);
    await aws({ url }, ["s3", "sync", "--only-show-errors", "s3://cli-one", "s3://cli-two"]);
    const to = join(folder, "tree-back");
    await aws({ url }, ["s3", "sync", "--only-show-errors", "s3://cli-two/t", to]);
    for (const name of ["a", "b ü", "sub dir/c+d", "sub dir/e", "large"]) {
      expect(await sha256Of(join(to, name)), name).toBe(await sha256Of(join(from, name)));
    }
    await aws({ url }, ["s3", "rm", "--recursive", "--only-show-errors", "s3://cli-two"]);
    for (const bucket of ["cli-one", "cli-two"])
      await aws({ url }, ["s3", "rb", "--force", `s3://${bucket}`]);
  });

  test("calls the operations one by one", async () => {
    const api = (...args: string[]) => aws({ url: guarded.url, region, ...mary }, ["s3api", ...args]);
    const object = ["--bucket", "cli-api", "--key", "dir/k"];
    const [part, rest] = [join(folder, "part"), join(folder, "rest")];
    writeFileSync(part, Buffer.alloc(5 * mebibyte, "a"));
    writeFileSync(rest, "the rest");
    await api("create-bucket", "--bucket", "cli-api");
    const created = await api("create-multipart-upload", ...object, "--metadata", "a=b", "--tagging", "t=1");
    const upload = [...object, "--upload-id", textIn(created, "UploadId")];
    const first = await api("upload-part", ...upload, "--part-number", "1", "--body", part);
    const second = await api("upload-part", ...upload, "--part-number", "2", "--body", rest);
    const listed = await api("list-parts", ...upload);
    expect(listed).toMatchObject({
      Parts: [
        { PartNumber: 1, Size: 5 * mebibyte },
        { PartNumber: 2, Size: 8 },
      ],
    });
    const parts = [first, second].map((answer, index) => ({
      ...{ PartNumber: index + 1, ETag: textIn(answer, "ETag") },
    }));
    const made = await api(
      ...["complete-multipart-upload", ...upload, "--multipart-upload", JSON.stringify({ Parts: parts })],
    );
    expect(made).toMatchObject({ Key: "dir/k", ETag: expect.stringMatching(/-2"$/) });
    const attributes = ["--object-attributes", "ETag", "ObjectParts", "ObjectSize", "StorageClass"];
    expect(await api("get-object-attributes", ...object, ...attributes)).toMatchObject({
      ...{ ObjectSize: 5 * mebibyte + 8, ObjectParts: { TotalPartsCount: 2 }, StorageClass: "STANDARD" },
    });
    const out = join(folder, "out");
    expect(await api("get-object", ...object, "--part-number", "2", out)).toMatchObject({
      ...{ PartsCount: 2, Metadata: { a: "b" }, TagCount: 1 },
    });
    expect(readFileSync(out, "utf8")).toBe("the rest");
    await api("put-object-tagging", ...object, "--tagging", "TagSet=[{Key=new,Value=x y}]");
    expect(await api("get-object-tagging", ...object)).toEqual({ TagSet: [{ Key: "new", Value: "x y" }] });
    await api("delete-object-tagging", ...object);
    expect(await api("get-object-tagging", ...object)).toEqual({ TagSet: [] });
    await api("put-bucket-tagging", "--bucket", "cli-api", "--tagging", "TagSet=[{Key=b,Value=c}]");
    expect(await api("get-bucket-tagging", "--bucket", "cli-api")).toEqual({
      TagSet: [{ Key: "b", Value: "c" }],
    });
    const copy = ["copy-object", "--bucket", "cli-api", "--key", "copy", "--copy-source", "cli-api/dir/k"];
    const digest = createHash("sha256").update(readFileSync(part)).update("the rest").digest("base64");
    expect(await api(...copy, "--checksum-algorithm", "SHA256")).toMatchObject({
      CopyObjectResult: { ChecksumSHA256: digest, ETag: expect.stringMatching(/^"[0-9a-f]{32}"$/) },
    });
    const other = await api("create-multipart-upload", ...object);
    const abandoned = [...object, "--upload-id", textIn(other, "UploadId")];
    const range = ["--copy-source", "cli-api/copy", "--copy-source-range", "bytes=0-9"];
    expect(await api("upload-part-copy", ...abandoned, "--part-number", "1", ...range)).toMatchObject({
      CopyPartResult: { ETag: expect.stringMatching(/^"[0-9a-f]{32}"$/) },
    });
    await api("abort-multipart-upload", ...abandoned);
    const gone = await awsRaw({ url: guarded.url, region, ...mary }, ["s3api", "list-parts", ...abandoned]);
    expect(gone.stderr).toContain("(NoSuchUpload)");
  });

  test("makes events of all it does", async () => {
    const cli = { url: open.url, region };
    const file = largeFile("recorded", 9);
    for (const bucket of ["cli-logs", "cli-seen"]) await aws(cli, ["s3", "mb", `s3://${bucket}`]);
    await aws(cli, ["cloudtrail", "create-trail", "--name", "seen", "--s3-bucket-name", "cli-logs"]);
    const DataResources = [{ Type: "AWS::S3::Object", Values: ["arn:aws:s3:::cli-seen/"] }];
    const selectors = JSON.stringify([
      { ReadWriteType: "All", IncludeManagementEvents: true, DataResources },
    ]);
    await aws(cli, [
      ...["cloudtrail", "put-event-selectors", "--trail-name", "seen", "--event-selectors", selectors],
    ]);
    await aws(cli, ["cloudtrail", "start-logging", "--name", "seen"]);
    await aws(cli, ["s3", "cp", "--only-show-errors", file, "s3://cli-seen/large"]);
    await aws(cli, ["s3", "mv", "--only-show-errors", "s3://cli-seen/large", "s3://cli-seen/moved"]);
    const missing = await awsRaw(cli, [
      "s3api",
      "get-object",
      "--bucket",
      "cli-seen",
      "--key",
      "none",
      "/dev/null",
    ]);
    expect(missing.code).not.toBe(0);
    await aws(cli, [
      "s3api",
      "put-bucket-tagging",
      "--bucket",
      "cli-seen",
      "--tagging",
      "TagSet=[{Key=a,Value=b}]",
    ]);
    const seen = () =>
      logFiles(open.dataDir, "cli-logs")
        .flatMap(({ records }) => records)
        .filter(isOfS3);
    await until("the last call is logged", () =>
      seen().some((record) => record["eventName"] === "PutBucketTagging"),
    );
    const counts: Record<string, number> = {};
    for (const { eventName } of seen()) counts[String(eventName)] = (counts[String(eventName)] ?? 0) + 1;
    expect(counts).toMatchObject({
      ...{ CreateMultipartUpload: 2, UploadPart: 2, UploadPartCopy: 2, CompleteMultipartUpload: 2 },
      ...{ HeadObject: 1, DeleteObject: 1, GetObject: 1, PutBucketTagging: 1 },
    });
    const failed = seen().find((record) => record["eventName"] === "GetObject");
    expect(failed).toMatchObject({
      ...{ errorCode: "NoSuchKey", readOnly: true, managementEvent: false, eventCategory: "Data" },
      requestParameters: { bucketName: "cli-seen", key: "none" },
      resources: expect.arrayContaining([{ type: "AWS::S3::Object", ARN: "arn:aws:s3:::cli-seen/none" }]),
    });
    const bytes = seen()
      .filter((record) => record["eventName"] === "UploadPart")
      .map(({ additionalEventData }) => Number(textIn(additionalEventData, "bytesTransferredIn")));
    expect(bytes.sort((left, right) => left - right)).toEqual([mebibyte, 8 * mebibyte]);
  });

  test("presigns URLs, which end", async () => {
    const cli = { url: guarded.url, region, ...mary };
    await aws(cli, ["s3", "mb", "s3://cli-signed"]);
    const file = join(folder, "signed");
    writeFileSync(file, "signed text");
    await aws(cli, ["s3", "cp", "--only-show-errors", file, "s3://cli-signed/dir/a b"]);
    const presign = async (seconds: number) =>
      (
        await awsRaw(cli, ["s3", "presign", "s3://cli-signed/dir/a b", "--expires-in", String(seconds)])
      ).stdout.trim();
    const url = await presign(60);
    const got = await fetch(url);
    expect([got.status, await got.text()]).toEqual([200, "signed text"]);
    const other = await fetch(url.replace("a%20b", "other"));
    expect([other.status, await other.text()]).toEqual([
      403,
      expect.stringContaining("SignatureDoesNotMatch"),
    ]);
    const ended = await fetch(await presign(-5));
    expect([ended.status, await ended.text()]).toEqual([403, expect.stringContaining("Request has expired")]);
  });
});

describeWith([boto3])("boto3", () => {
  test.each(["open", "guarded"] as const)("transfers large objects (%s)", async (which) => {
    const { url } = which === "open" ? open : guarded;
    const credentials = which === "open" ? anybody : mary;
    const bucket = `boto-${which}`;
    await sdk(url, credentials).send(new CreateBucketCommand({ Bucket: bucket }));
    const asked = { do: "transfers", endpoint: url, ...credentials, bucket, thousands: 21_000 };
    expect(await boto(asked)).toEqual({
      same: true,
      head: {
        ...{ ContentLength: 21_000_000, ContentType: "text/x", Metadata: { "made-by": "boto3" } },
        ...{ ChecksumType: "COMPOSITE", TagCount: 2 },
      },
      tags: { a: "1", b: "2" },
      keys: ["dir/copied", "dir/large"],
    });
  });

  const bucket = "signed-urls";
  beforeAll(async () => {
    await sdk(guarded.url, mary).send(new CreateBucketCommand({ Bucket: bucket }));
    await sdk(open.url).send(new CreateBucketCommand({ Bucket: bucket }));
  });

  const kinds = (["s3v4", "s3"] as const).flatMap((version) =>
    (["open", "guarded"] as const).map((which) => [version, which] as const),
  );
  test.each(kinds)("presigns every kind of call (%s, %s)", async (version, which) => {
    const { url } = which === "open" ? open : guarded;
    const object = { Bucket: bucket, Key: `dir/${version} ü+?&` };
    const urls = (await boto({
      ...{ do: "presigned", version, endpoint: url, bucket },
      ...(which === "open" ? anybody : mary),
      urls: [
        ["put_object", { ...object, ContentType: "text/x", Metadata: { a: "b" } }, 60],
        ["head_object", object, 60],
        ["get_object", { ...object, ResponseContentType: "text/other" }, 60],
        ["get_object", object, 1],
        ["delete_object", object, 60],
        ["list_objects_v2", { Bucket: bucket, Prefix: `dir/${version} ` }, 60],
      ],
    })) as string[];
    const [put = "", head = "", get = "", ended = "", remove = "", list = ""] = urls;
    const headers = { "content-type": "text/x", ...(version === "s3v4" ? { "x-amz-meta-a": "b" } : {}) };
    const stored = await fetch(put, { method: "PUT", body: "the text", headers });
    expect([stored.status, await stored.text()]).toEqual([200, ""]);
    const seen = await fetch(head, { method: "HEAD" });
    expect([seen.status, seen.headers.get("x-amz-meta-a")]).toEqual([200, "b"]);
    const got = await fetch(get);
    expect([got.status, got.headers.get("content-type"), await got.text()]).toEqual([
      200,
      "text/other",
      "the text",
    ]);
    await sleep(2_100);
    const late = await fetch(ended);
    expect([late.status, await late.text()]).toEqual([403, expect.stringContaining("Request has expired")]);
    expect(await (await fetch(list)).text()).toContain("<KeyCount>1</KeyCount>");
    if (which === "guarded") {
      const changed = await fetch(get.replace("text%2Fother", "text%2Fhtml"));
      expect([changed.status, await changed.text()]).toEqual([
        403,
        expect.stringContaining("SignatureDoesNotMatch"),
      ]);
      expect((await fetch(get, { method: "DELETE" })).status, "another method").toBe(403);
    }
    expect((await fetch(remove, { method: "DELETE" })).status).toBe(204);
    expect((await fetch(get)).status).toBe(404);
  });

  test.each(["s3v4", "s3"] as const)("presigned calls may what their signer may (%s)", async (version) => {
    const client = sdk(guarded.url, mary);
    for (const Key of ["open/a", "closed/a"])
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Key }));
    const asked = { do: "presigned", version, endpoint: guarded.url, ...tom };
    const urls = (await boto({
      ...asked,
      urls: ["open/a", "closed/a"].map((Key) => ["get_object", { Bucket: bucket, Key }, 60]),
    })) as string[];
    const answers = await Promise.all(urls.map((url) => fetch(url)));
    expect(await answers[0]?.text()).toBe("open/a");
    expect([answers[1]?.status, await answers[1]?.text()]).toEqual([
      403,
      expect.stringContaining("AccessDenied"),
    ]);
  });

  test("presigned calls in virtual-host style", async () => {
    const local = guarded.url.replace("127.0.0.1", "localhost");
    const asked = { do: "presigned", endpoint: local, style: "virtual", ...mary };
    for (const version of ["s3v4", "s3"]) {
      const [url = ""] = (await boto({
        ...{ ...asked, version },
        urls: [["get_object", { Bucket: bucket, Key: "open/a" }, 60]],
      })) as string[];
      expect(new URL(url).hostname).toBe(`${bucket}.localhost`);
      const { status, stdout } = await curl(
        url.replace(`${bucket}.localhost`, "127.0.0.1"),
        new URL(url).host,
      );
      expect([status, stdout], version).toEqual([0, "open/a"]);
    }
  });
});

/** Not every machine resolves names below localhost; the Host header is what counts. */
async function curl(url: string, host: string): Promise<{ status: unknown; stdout: string }> {
  const child = spawn("curl", ["--silent", "--fail-with-body", "--header", `Host: ${host}`, url], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  const [status] = await once(child, "close");
  return { status, stdout };
}

describe("the SDK for JavaScript", () => {
  test.each(["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const)(
    "uploads in parts with %s, and checks what it reads back",
    async (ChecksumAlgorithm) => {
      const client = sdk(open.url);
      const Bucket = `sdk-${ChecksumAlgorithm.toLowerCase()}`;
      await client.send(new CreateBucketCommand({ Bucket }));
      const Key = "dir/large";
      const created = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm }));
      const upload = { Bucket, Key, UploadId: created.UploadId };
      const bodies = [Buffer.alloc(5 * mebibyte, "a"), Buffer.alloc(5 * mebibyte, "b"), Buffer.from("c")];
      const Parts = await Promise.all(
        bodies.map(async (Body, index) => {
          const PartNumber = index + 1;
          // A stream goes as aws-chunked, its checksum in a trailer.
          const streamed =
            index === 1 ? { Body: Readable.from([Body]), ContentLength: Body.length } : { Body };
          const part = await client.send(
            new UploadPartCommand({ ...upload, PartNumber, ...streamed, ChecksumAlgorithm }),
          );
          const name = `Checksum${ChecksumAlgorithm}` as const;
          return { PartNumber, ETag: part.ETag, [name]: part[name] };
        }),
      );
      expect((await client.send(new ListPartsCommand(upload))).Parts).toHaveLength(3);
      expect((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads).toHaveLength(1);
      const made = await client.send(
        new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }),
      );
      expect(made.ETag).toMatch(/^"[0-9a-f]{32}-3"$/);
      expect(made.Location).toBe(`${open.url}/${Bucket}/${Key}`);
      expect(made[`Checksum${ChecksumAlgorithm}`]).toBeDefined();
      const got = await client.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
      const bytes = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
      expect(bytes.equals(Buffer.concat(bodies))).toBe(true);
      const second = await client.send(new GetObjectCommand({ Bucket, Key, PartNumber: 2 }));
      expect([second.PartsCount, (await second.Body?.transformToString())?.length]).toEqual([
        3,
        5 * mebibyte,
      ]);
      client.destroy();
    },
  );

  test("copies with tags, whole and in parts", async () => {
    const client = sdk(guarded.url, mary);
    const Bucket = "sdk-copies";
    await client.send(new CreateBucketCommand({ Bucket }));
    const Body = Buffer.alloc(6 * mebibyte, "x");
    await client.send(new PutObjectCommand({ Bucket, Key: "from", Body, Tagging: "a=1" }));
    const CopySource = `${Bucket}/from`;
    const copied = await client.send(new CopyObjectCommand({ Bucket, Key: "to", CopySource }));
    expect(copied.CopyObjectResult?.ETag).toBe(`"${createHash("md5").update(Body).digest("hex")}"`);
    expect(copied.CopyObjectResult?.ChecksumCRC32).toBeDefined();
    const tags = await client.send(new GetObjectTaggingCommand({ Bucket, Key: "to" }));
    expect(tags.TagSet).toEqual([{ Key: "a", Value: "1" }]);
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: "twice" }));
    const upload = { Bucket, Key: "twice", UploadId };
    const Parts = [];
    for (const PartNumber of [1, 2]) {
      const part = await client.send(new UploadPartCopyCommand({ ...upload, PartNumber, CopySource }));
      Parts.push({ PartNumber, ETag: part.CopyPartResult?.ETag });
    }
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    const got = await client.send(new GetObjectCommand({ Bucket, Key: "twice" }));
    expect(got.ContentLength).toBe(12 * mebibyte);
    await got.Body?.transformToWebStream().cancel();
    client.destroy();
  });
});
