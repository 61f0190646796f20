// Multipart uploads at the bucket door, asked directly: what every operation answers, every error it gives, and checksums.
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checksumBytes, digestBytes } from "../../src/bucket/content-digest.ts";
import { openDirectoryBuckets } from "../../src/bucket/directory.ts";
import type { ChecksumAlgorithm, DirectoryStore } from "../../src/bucket/object-contract.ts";
import { checksumAlgorithms } from "../../src/bucket/read-traits.ts";
import { createBucketDoor } from "../../src/bucket/s3-door.ts";
import { testCaller } from "../conformance/serve-bucket-door.ts";
import { type Answer, askDoor, type Asked, codeOf, every, textOf } from "./bucket-asking.ts";

const nowMs = 1_768_037_113_500;
const clock = { nowMs: () => nowMs, monotonicMs: () => 0, sleep: () => Promise.resolve() };
const mebibyte = 1024 * 1024;

let root = "";
let store: DirectoryStore;
let count = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "cairn-uploads-"));
  store = openDirectoryBuckets({ root, clock });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const ask = (line: string, asked: Asked = {}) => askDoor(store, line, asked);

async function newBucket(): Promise<string> {
  count += 1;
  const bucket = `uploads-${count}`;
  await store.create(bucket);
  return bucket;
}

type Headers = Readonly<Record<string, string>>;

/** Begins an upload of `key`; gives its path with the id. */
async function begin(path: string, headers: Headers = {}): Promise<string> {
  const answer = await ask(`POST ${path}?uploads`, { headers });
  expect(answer.status, textOf(answer)).toBe(200);
  return `${path}?uploadId=${every(textOf(answer), "UploadId")[0] ?? ""}`;
}

const partLine = (upload: string, number: number | string) => `PUT ${upload}&partNumber=${number}`;

async function putPart(upload: string, number: number, body: string | Uint8Array): Promise<string> {
  const answer = await ask(partLine(upload, number), { body });
  expect(answer.status, textOf(answer)).toBe(200);
  return answer.headers["etag"] ?? "";
}

interface Part {
  readonly number: number | string;
  readonly etag: string;
  readonly more?: string;
}

function completion(parts: readonly Part[]): string {
  const listed = parts.map(
    ({ number, etag, more = "" }) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>${etag.replaceAll('"', "&quot;")}</ETag>${more}</Part>`,
  );
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${listed.join("")}</CompleteMultipartUpload>`;
}

const complete = (upload: string, parts: readonly Part[], headers: Headers = {}) =>
  ask(`POST ${upload}`, { body: completion(parts), headers });

const md5Of = (bytes: string | Uint8Array) => createHash("md5").update(bytes).digest();
const quoted = (bytes: string | Uint8Array) => `"${md5Of(bytes).toString("hex")}"`;

describe("an upload", () => {
  test("is begun, filled out of order, listed, completed; the same again", async () => {
    const bucket = await newBucket();
    const headers = {
      "content-type": "text/x",
      "content-language": "de",
      "cache-control": "no-cache",
      expires: "Thu, 01 Dec 2033 16:00:00 GMT",
      "x-amz-meta-a": "b",
      "x-amz-tagging": "t=1&u=2",
      "x-amz-server-side-encryption": "AES256",
    };
    const upload = await begin(`/${bucket}/dir/large%20file`, headers);
    const [first, last] = [Buffer.alloc(5 * mebibyte, "a"), Buffer.from("the end")];
    await putPart(upload, 7, last);
    await putPart(upload, 2, "replaced");
    await putPart(upload, 2, first);
    await putPart(upload, 9_999, "left out");
    expect((await store.list({ bucket })).objects, "no object yet").toEqual([]);
    expect(codeOf(await ask(`GET /${bucket}/dir/large%20file`))).toBe("NoSuchKey");

    const parts = [
      { number: 2, etag: quoted(first) },
      { number: 7, etag: md5Of(last).toString("hex") },
    ];
    const etag = `${createHash("md5")
      .update(Buffer.concat([md5Of(first), md5Of(last)]))
      .digest("hex")}-2`;
    const made = await complete(upload, parts);
    expect(made.status).toBe(200);
    expect(textOf(made)).toContain(`<ETag>&quot;${etag}&quot;</ETag>`);
    expect(every(textOf(made), "Location")).toEqual([`/${bucket}/dir/large%20file`]);
    expect(every(textOf(made), "Key")).toEqual(["dir/large file"]);

    const got = await ask(`GET /${bucket}/dir/large%20file`);
    const { "x-amz-tagging": _tags, ...kept } = headers;
    expect(got).toMatchObject({
      status: 200,
      headers: { ...kept, etag: `"${etag}"`, "x-amz-tagging-count": "2" },
    });
    expect(Buffer.concat([first, last]).equals(Buffer.from(got.body))).toBe(true);
    const again = await complete(upload, parts);
    expect([again.status, textOf(again)]).toEqual([200, textOf(made)]);
    expect(codeOf(await complete(upload, parts.slice(0, 1)))).toBe("NoSuchUpload");
    for (const line of [`GET ${upload}`, `DELETE ${upload}`, partLine(upload, 1)]) {
      const gone = await ask(line);
      expect([gone.status, codeOf(gone)], line).toEqual([404, "NoSuchUpload"]);
    }
    expect(await readdir(join(root, ".cairn/buckets", bucket, "uploads"))).toEqual([]);
  });

  test("is aborted: nothing is left of it", async () => {
    const bucket = await newBucket();
    const upload = await begin(`/${bucket}/k`);
    await putPart(upload, 1, "some");
    const folder = join(root, ".cairn/buckets", bucket, "uploads");
    const [id = ""] = await readdir(folder);
    for (const name of await readdir(join(folder, id))) {
      expect((await stat(join(folder, id, name))).mode & 0o777, name).toBe(0o600);
    }
    expect((await ask(`DELETE ${upload}`)).status).toBe(204);
    expect(await readdir(folder)).toEqual([]);
    expect(codeOf(await ask(`DELETE ${upload}`))).toBe("NoSuchUpload");
    expect((await ask(`DELETE /${bucket}`)).status, "the bucket is empty").toBe(204);
  });

  test("keeps a bucket's removal possible, and goes with it", async () => {
    const bucket = await newBucket();
    const upload = await begin(`/${bucket}/k`);
    await putPart(upload, 1, "some");
    expect((await ask(`DELETE /${bucket}`)).status).toBe(204);
    expect(codeOf(await ask(`GET ${upload}`))).toBe("NoSuchBucket");
    await store.create(bucket);
    expect(codeOf(await ask(`GET ${upload}`))).toBe("NoSuchUpload");
  });

  test("two completions at once make one object and answer the same", async () => {
    const bucket = await newBucket();
    const upload = await begin(`/${bucket}/k`);
    const etag = await putPart(upload, 1, "only");
    const answers = await Promise.all([1, 2, 3].map(() => complete(upload, [{ number: 1, etag }])));
    expect(new Set(answers.map(textOf)).size).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test("is completed only when absent, or only over a certain object", async () => {
    const bucket = await newBucket();
    await ask(`PUT /${bucket}/k`, { body: "there" });
    const upload = await begin(`/${bucket}/k`);
    const parts = [{ number: 1, etag: await putPart(upload, 1, "new") }];
    const refused = await complete(upload, parts, { "if-none-match": "*" });
    expect([refused.status, codeOf(refused)]).toEqual([412, "PreconditionFailed"]);
    expect(codeOf(await complete(upload, parts, { "if-match": '"other"' }))).toBe("PreconditionFailed");
    expect(textOf(await ask(`GET /${bucket}/k`))).toBe("there");
    expect((await complete(upload, parts, { "if-match": quoted("there") })).status).toBe(200);
    expect(textOf(await ask(`GET /${bucket}/k`))).toBe("new");
    expect((await complete(upload, parts, { "if-none-match": "*" })).status, "its own object").toBe(200);
  });

  test("is read by parts and in ranges", async () => {
    const bucket = await newBucket();
    const upload = await begin(`/${bucket}/k`);
    const bodies = [Buffer.alloc(5 * mebibyte, "a"), Buffer.alloc(6 * mebibyte, "b"), Buffer.from("c")];
    const parts = [];
    for (const [index, body] of bodies.entries()) {
      parts.push({ number: index + 1, etag: await putPart(upload, index + 1, body) });
    }
    await complete(upload, parts);
    const size = 11 * mebibyte + 1;
    const second = await ask(`GET /${bucket}/k?partNumber=2`);
    expect(second).toMatchObject({
      status: 206,
      headers: {
        "content-range": `bytes ${5 * mebibyte}-${11 * mebibyte - 1}/${size}`,
        "content-length": String(6 * mebibyte),
        "x-amz-mp-parts-count": "3",
      },
    });
    expect(bodies[1]?.equals(Buffer.from(second.body))).toBe(true);
    expect((await ask(`HEAD /${bucket}/k?partNumber=3`)).headers).toMatchObject({ "content-length": "1" });
    const beyond = await ask(`GET /${bucket}/k?partNumber=4`);
    expect([beyond.status, codeOf(beyond)]).toEqual([416, "InvalidPartNumber"]);
    const both = await ask(`GET /${bucket}/k?partNumber=1`, { headers: { range: "bytes=0-1" } });
    expect(codeOf(both)).toBe("InvalidRequest");
    const border = await ask(`GET /${bucket}/k`, {
      headers: { range: `bytes=${5 * mebibyte - 2}-${5 * mebibyte + 1}` },
    });
    expect([border.status, textOf(border)]).toEqual([206, "aabb"]);
    const asked = { "x-amz-object-attributes": "ETag,ObjectParts,ObjectSize,StorageClass,Checksum" };
    const attributes = textOf(await ask(`GET /${bucket}/k?attributes`, { headers: asked }));
    expect([every(attributes, "PartsCount"), every(attributes, "ObjectSize")]).toEqual([
      ["3"],
      [String(size)],
    ]);
  });
});

describe("errors", () => {
  test.each([
    ["0", "InvalidArgument"],
    ["10001", "InvalidArgument"],
    ["x", "InvalidArgument"],
    ["", "InvalidArgument"],
    ["-1", "InvalidArgument"],
  ])("part number %s: %s", async (number, code) => {
    const upload = await begin(`/${await newBucket()}/k`);
    expect(codeOf(await ask(partLine(upload, number), { body: "x" }))).toBe(code);
  });

  test.each([
    ["nonsense"],
    [""],
    ["../../../escape"],
    ["0mwqtzr2b9bd003af45134693b84b8192efef2ecf"],
    ["..%2f..%2fpolicy.json"],
  ])("upload id %s: NoSuchUpload", async (id) => {
    const bucket = await newBucket();
    await begin(`/${bucket}/k`);
    const path = `/${bucket}/k?uploadId=${id}`;
    const body = completion([{ number: 1, etag: quoted("x") }]);
    for (const line of [`PUT ${path}&partNumber=1`, `GET ${path}`, `DELETE ${path}`, `POST ${path}`]) {
      const answer = await ask(line, line.startsWith("POST") ? { body } : {});
      expect([answer.status, codeOf(answer)], line).toEqual([404, "NoSuchUpload"]);
    }
  });

  test("another key's upload is none of this key", async () => {
    const bucket = await newBucket();
    const upload = await begin(`/${bucket}/k`);
    expect(codeOf(await ask(`DELETE ${upload.replace("/k?", "/other?")}`))).toBe("NoSuchUpload");
    expect((await ask(`GET ${upload}`)).status).toBe(200);
  });

  const bad: readonly [string, string][] = [
    ["", "InvalidRequest"],
    ["nonsense", "MalformedXML"],
    ["<CompleteMultipartUpload/>", "MalformedXML"],
    ["<Other/>", "MalformedXML"],
    ["<CompleteMultipartUpload><Part><ETag>x</ETag></Part></CompleteMultipartUpload>", "MalformedXML"],
    [completion([{ number: "one", etag: "x" }]), "MalformedXML"],
    [completion([{ number: 10_001, etag: "x" }]), "InvalidArgument"],
    [completion([{ number: 3, etag: quoted("x") }]), "InvalidPart"],
    [completion([{ number: 1, etag: quoted("other") }]), "InvalidPart"],
    [completion([2, 1].map((number) => ({ number, etag: quoted("x") }))), "InvalidPartOrder"],
    [completion([1, 1].map((number) => ({ number, etag: quoted("x") }))), "InvalidPartOrder"],
    [completion([1, 2].map((number) => ({ number, etag: quoted("x") }))), "EntityTooSmall"],
  ];
  test.each(bad)("completed with %s: %s", async (body, code) => {
    const bucket = await newBucket();
    const upload = await begin(`/${bucket}/k`);
    for (const number of [1, 2]) await putPart(upload, number, "x");
    const answer = await ask(`POST ${upload}`, { body });
    expect([answer.status, codeOf(answer)]).toEqual([400, code]);
    expect(codeOf(await ask(`HEAD /${bucket}/k`)), "nothing was made").toBeUndefined();
    expect((await complete(upload, [{ number: 1, etag: quoted("x") }])).status, "it goes on").toBe(200);
  });

  test("say what they are about", async () => {
    const upload = await begin(`/${await newBucket()}/k`);
    await putPart(upload, 1, "x");
    await putPart(upload, 2, "x");
    const id = upload.split("=")[1] ?? "";
    const missing = textOf(await complete(upload, [{ number: 5, etag: quoted("y") }]));
    expect([every(missing, "UploadId"), every(missing, "PartNumber")]).toEqual([[id], ["5"]]);
    const small = textOf(
      await complete(
        upload,
        [1, 2].map((number) => ({ number, etag: quoted("x") })),
      ),
    );
    expect([
      every(small, "ProposedSize"),
      every(small, "MinSizeAllowed"),
      every(small, "PartNumber"),
    ]).toEqual([["1"], [String(5 * mebibyte)], ["1"]]);
  });

  test.each([
    ["POST /no-such-bucket/k?uploads", "NoSuchBucket"],
    ["PUT /no-such-bucket/k?partNumber=1&uploadId=x", "NoSuchBucket"],
    ["GET /no-such-bucket?uploads", "NoSuchBucket"],
    ["GET /no-such-bucket/k?uploadId=x", "NoSuchBucket"],
    [`POST /{bucket}/${"k".repeat(1025)}?uploads`, "KeyTooLongError"],
    ["GET /{bucket}?uploads&max-uploads=x", "InvalidArgument"],
    ["GET /{bucket}?uploads&encoding-type=hex", "InvalidArgument"],
  ])("%s: %s", async (line, code) => {
    expect(codeOf(await ask(line.replace("{bucket}", await newBucket())))).toBe(code);
  });

  test.each([
    [{ "x-amz-storage-class": "GLACIER" }, "NotImplemented"],
    [{ "x-amz-server-side-encryption": "aws:kms" }, "NotImplemented"],
    [{ "x-amz-tagging": "a=b&a=c" }, "InvalidArgument"],
    [{ "x-amz-checksum-algorithm": "MD6" }, "InvalidRequest"],
    [{ "x-amz-checksum-type": "COMPOSITE" }, "InvalidRequest"],
    [{ "x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-type": "FULL_OBJECT" }, "InvalidRequest"],
    [{ "x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "COMPOSITE" }, "InvalidRequest"],
  ] as [Headers, string][])("begun with %j: %s", async (headers, code) => {
    expect(codeOf(await ask(`POST /${await newBucket()}/k?uploads`, { headers }))).toBe(code);
  });

  test("a part's digests are compared", async () => {
    const upload = await begin(`/${await newBucket()}/k`);
    const cases: readonly [Headers, string][] = [
      [{ "content-md5": md5Of("other").toString("base64") }, "BadDigest"],
      [{ "content-md5": "nonsense" }, "InvalidDigest"],
      [{ "x-amz-checksum-crc32": "AAAAAA==" }, "BadDigest"],
      [{ "x-amz-checksum-crc32": "nonsense" }, "InvalidRequest"],
      [{ "x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-sha1": "x" }, "InvalidRequest"],
    ];
    for (const [headers, code] of cases) {
      expect(codeOf(await ask(partLine(upload, 1), { headers, body: "x" })), JSON.stringify(headers)).toBe(
        code,
      );
    }
    expect(textOf(await ask(`GET ${upload}`)), "no such part").not.toContain("<Part>");
  });
});

const header = (algorithm: ChecksumAlgorithm) => `x-amz-checksum-${algorithm.toLowerCase()}`;

async function sum(algorithm: ChecksumAlgorithm, bytes: Uint8Array): Promise<string> {
  return Buffer.from(await checksumBytes(algorithm, bytes)).toString("base64");
}

test("a disk that is full is no failure of ours, and nothing is left of the part", async () => {
  const bucket = await newBucket();
  const upload = await begin(`/${bucket}/k`);
  const full = Object.assign(new Error("no space left"), { code: "ENOSPC" });
  const failing: DirectoryStore = Object.create(store, {
    uploads: { value: Object.create(store.uploads, { putPart: { value: () => Promise.reject(full) } }) },
  });
  const messages: string[] = [];
  const log = {
    debug() {},
    info() {},
    warn() {},
    error: (_: unknown, text: string) => void messages.push(text),
  };
  const answer = await createBucketDoor(failing, { log })({
    ...{ method: "PUT", path: `/${bucket}/k`, headers: {}, body: Buffer.from("x"), caller: testCaller },
    ...{ requestId: "R", may: () => true },
    query: new URLSearchParams(`partNumber=1&${upload.split("?")[1] ?? ""}`),
  });
  expect(answer).toMatchObject({ status: 503, body: expect.stringContaining("<Code>ServiceUnavailable<") });
  expect(messages).toEqual(["The bucket directory failed."]);
});

describe("checksums", () => {
  const bodies = [Buffer.alloc(5 * mebibyte, "a"), Buffer.from("the end")];

  test("are those of the standard", async () => {
    const text = Buffer.from("123456789");
    const hex = async (algorithm: ChecksumAlgorithm) =>
      Buffer.from(await sum(algorithm, text), "base64").toString("hex");
    expect(await hex("CRC32")).toBe("cbf43926");
    expect(await hex("CRC32C")).toBe("e3069283");
    expect(await hex("CRC64NVME")).toBe("ae8b14860a799888");
    expect((await digestBytes(text, "SHA256")).checksum).toBe(
      createHash("sha256").update(text).digest("base64"),
    );
  });

  test.each(checksumAlgorithms)("%s of an object put at once", async (algorithm) => {
    const bucket = await newBucket();
    const value = await sum(algorithm, Buffer.from("text"));
    const put = await ask(`PUT /${bucket}/k`, { headers: { [header(algorithm)]: value }, body: "text" });
    expect(put.headers).toMatchObject({ [header(algorithm)]: value, "x-amz-checksum-type": "FULL_OBJECT" });
    const mode = { "x-amz-checksum-mode": "ENABLED" };
    expect((await ask(`GET /${bucket}/k`, { headers: mode })).headers).toMatchObject({
      [header(algorithm)]: value,
    });
    expect((await ask(`GET /${bucket}/k`)).headers[header(algorithm)]).toBeUndefined();
    const part = await ask(`GET /${bucket}/k`, { headers: { ...mode, range: "bytes=0-1" } });
    expect(part.headers[header(algorithm)], "not of a part").toBeUndefined();
    const wrong = await ask(`PUT /${bucket}/k`, { headers: { [header(algorithm)]: value }, body: "other" });
    expect(codeOf(wrong)).toBe("BadDigest");
  });

  const kinds = checksumAlgorithms.flatMap((algorithm) =>
    (["COMPOSITE", "FULL_OBJECT"] as const)
      .filter((type) => (algorithm.startsWith("SHA") ? type === "COMPOSITE" : true))
      .filter((type) => algorithm !== "CRC64NVME" || type === "FULL_OBJECT")
      .map((type) => [algorithm, type] as const),
  );
  test.each(kinds)("%s %s of an upload", async (algorithm, type) => {
    const bucket = await newBucket();
    const began = { "x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": type };
    const upload = await begin(`/${bucket}/k`, began);
    const parts = [];
    const sums: Buffer[] = [];
    for (const [index, body] of bodies.entries()) {
      const value = await sum(algorithm, body);
      sums.push(Buffer.from(value, "base64"));
      const put = await ask(partLine(upload, index + 1), { headers: { [header(algorithm)]: value }, body });
      expect(put.headers[header(algorithm)]).toBe(value);
      const more = `<Checksum${algorithm}>${value}</Checksum${algorithm}>`;
      parts.push({ number: index + 1, etag: put.headers["etag"] ?? "", more });
    }
    const whole = await sum(algorithm, Buffer.concat(bodies));
    const composite = `${await sum(algorithm, Buffer.concat(sums))}-2`;
    const expected = type === "FULL_OBJECT" ? whole : composite;
    const wrongPart = [{ ...parts[0], number: 1, etag: parts[0]?.etag ?? "", more: parts[1]?.more ?? "" }];
    expect(codeOf(await complete(upload, wrongPart))).toBe("InvalidPart");
    const wrong = await complete(upload, parts, {
      [header(algorithm)]: await sum(algorithm, Buffer.from("x")),
    });
    expect(codeOf(wrong)).toBe("BadDigest");
    const wrongSize = await complete(upload, parts, { "x-amz-mp-object-size": "5" });
    expect(codeOf(wrongSize)).toBe("InvalidRequest");
    const otherType = type === "COMPOSITE" ? "FULL_OBJECT" : "COMPOSITE";
    expect(codeOf(await complete(upload, parts, { "x-amz-checksum-type": otherType }))).toBe(
      "InvalidRequest",
    );
    const made = await complete(upload, parts, {
      ...{ [header(algorithm)]: expected, "x-amz-checksum-type": type },
      "x-amz-mp-object-size": String(5 * mebibyte + 7),
    });
    expect(textOf(made)).toContain(`<Checksum${algorithm}>${expected}</Checksum${algorithm}>`);
    expect(every(textOf(made), "ChecksumType")).toEqual([type]);
    const head = await ask(`HEAD /${bucket}/k`, { headers: { "x-amz-checksum-mode": "ENABLED" } });
    expect(head.headers).toMatchObject({ [header(algorithm)]: expected, "x-amz-checksum-type": type });
  });

  test("parts bear the algorithm of their upload", async () => {
    const upload = await begin(`/${await newBucket()}/k`, { "x-amz-checksum-algorithm": "SHA256" });
    const none = await ask(partLine(upload, 1), { body: "x" });
    expect(textOf(none)).toContain("expected checksum Type: sha256, actual checksum Type: null");
    const other = await ask(partLine(upload, 1), {
      headers: { "x-amz-checksum-crc32": await sum("CRC32", Buffer.from("x")) },
      body: "x",
    });
    expect(textOf(other)).toContain("expected checksum Type: sha256, actual checksum Type: crc32");
  });
});

describe("copied parts", () => {
  test("come from a whole object, or a range of one", async () => {
    const bucket = await newBucket();
    const source = Buffer.concat([Buffer.alloc(5 * mebibyte, "a"), Buffer.from("0123456789")]);
    await ask(`PUT /${bucket}/from%20here`, { body: source });
    const from = { "x-amz-copy-source": `${bucket}/from%20here` };
    const upload = await begin(`/${bucket}/to`, { "x-amz-checksum-algorithm": "CRC32" });
    const first = await ask(partLine(upload, 1), { headers: from });
    expect(first.status, textOf(first)).toBe(200);
    const range = { ...from, "x-amz-copy-source-range": `bytes=${5 * mebibyte}-${5 * mebibyte + 3}` };
    const second = await ask(partLine(upload, 2), { headers: range });
    expect(every(textOf(second), "ChecksumCRC32")).toEqual([await sum("CRC32", Buffer.from("0123"))]);
    const parts = [first, second].map((answer, index) => ({
      number: index + 1,
      etag: every(textOf(answer), "ETag")[0]?.replaceAll("&quot;", '"') ?? "",
    }));
    expect((await complete(upload, parts)).status).toBe(200);
    const got = await ask(`GET /${bucket}/to`);
    expect(Buffer.concat([source, Buffer.from("0123")]).equals(Buffer.from(got.body))).toBe(true);
  });

  test.each([
    [{ "x-amz-copy-source-range": "bytes=0-10" }, "InvalidArgument"],
    [{ "x-amz-copy-source-range": "bytes=3-2" }, "InvalidArgument"],
    [{ "x-amz-copy-source-range": "bytes=-2" }, "InvalidArgument"],
    [{ "x-amz-copy-source-range": "0-1" }, "InvalidArgument"],
    [{ "x-amz-copy-source-if-match": '"other"' }, "PreconditionFailed"],
    [{ "x-amz-copy-source": "{bucket}/none" }, "NoSuchKey"],
    [{ "x-amz-copy-source": "no-such-bucket/k" }, "NoSuchBucket"],
    [{ "x-amz-copy-source": "nonsense" }, "InvalidArgument"],
  ] as [Headers, string][])("with %j: %s", async (wanted, code) => {
    const bucket = await newBucket();
    await ask(`PUT /${bucket}/k`, { body: "0123456789" });
    const upload = await begin(`/${bucket}/to`);
    const headers = Object.fromEntries(
      Object.entries({ "x-amz-copy-source": `${bucket}/k`, ...wanted }).map(([name, value]) => [
        name,
        value.replace("{bucket}", bucket),
      ]),
    );
    expect(codeOf(await ask(partLine(upload, 1), { headers }))).toBe(code);
  });

  test("need the right to read the source", async () => {
    const bucket = await newBucket();
    await ask(`PUT /${bucket}/k`, { body: "0123456789" });
    const upload = await begin(`/${bucket}/to`);
    const may = (action: string) => action !== "s3:GetObject";
    const answer = await ask(partLine(upload, 1), { headers: { "x-amz-copy-source": `${bucket}/k` }, may });
    expect(codeOf(answer)).toBe("AccessDenied");
  });
});

describe("lists", () => {
  test("of parts go page by page", async () => {
    const upload = await begin(`/${await newBucket()}/k`);
    for (const number of [1, 3, 20, 100]) await putPart(upload, number, `part ${number}`);
    const first = textOf(await ask(`GET ${upload}&max-parts=3`));
    expect([every(first, "PartNumber"), every(first, "IsTruncated")]).toEqual([["1", "3", "20"], ["true"]]);
    const next = every(first, "NextPartNumberMarker")[0] ?? "";
    const rest = textOf(await ask(`GET ${upload}&part-number-marker=${next}`));
    expect([every(rest, "PartNumber"), every(rest, "IsTruncated")]).toEqual([["100"], ["false"]]);
    expect(every(rest, "Size")).toEqual(["8"]);
    expect(every(rest, "LastModified")).toEqual(["2026-01-10T09:25:13.500Z"]);
  });

  async function three(): Promise<{ bucket: string; ids: readonly string[] }> {
    const bucket = await newBucket();
    const ids: string[] = [];
    for (const [key, unique] of [
      ["b/1", "2"],
      ["a", "1"],
      ["b/2", "3"],
      ["a", "9"],
    ] as const) {
      const initiator = { account: "1", arn: "arn:aws:iam::1:user/x" };
      ids.push(await store.uploads.create({ bucket, key, initiator, metadata: {} }, unique));
    }
    return { bucket, ids };
  }

  test("of uploads are sorted, cut, and joined by a delimiter", async () => {
    const { bucket, ids } = await three();
    const all = textOf(await ask(`GET /${bucket}?uploads`));
    expect(every(all, "UploadId")).toEqual([ids[1], ids[3], ids[0], ids[2]]);
    expect(every(all, "Key")).toEqual(["a", "a", "b/1", "b/2"]);
    const some = textOf(await ask(`GET /${bucket}?uploads&prefix=b/`));
    expect(every(some, "Key")).toEqual(["b/1", "b/2"]);
    const joined = textOf(await ask(`GET /${bucket}?uploads&delimiter=/`));
    expect(every(joined, "Key")).toEqual(["a", "a"]);
    expect(every(joined, "Prefix")).toEqual(["", "b/"]);
    expect(every(textOf(await ask(`GET /${bucket}?uploads&key-marker=a`)), "Key")).toEqual(["b/1", "b/2"]);
  });

  test.each([1, 2, 3])("of uploads neither repeat nor lose with pages of %i", async (size) => {
    const { bucket, ids } = await three();
    const seen: (string | undefined)[] = [];
    let marker = "";
    for (let page = 0; page < 10; page++) {
      const xml = textOf(await ask(`GET /${bucket}?uploads&max-uploads=${size}${marker}`));
      seen.push(...every(xml, "UploadId"));
      if (every(xml, "IsTruncated")[0] === "false") break;
      const [key = "", id = ""] = [every(xml, "NextKeyMarker")[0], every(xml, "NextUploadIdMarker")[0]];
      marker = `&key-marker=${encodeURIComponent(key)}&upload-id-marker=${id}`;
    }
    expect(seen).toEqual([ids[1], ids[3], ids[0], ids[2]]);
  });
});

test("random requests about uploads are answered, never with a failure of ours", async () => {
  const bucket = await newBucket();
  const upload = await begin(`/${bucket}/k`);
  const id = upload.split("=")[1] ?? "";
  const parameter = fc.constantFrom(
    ...[
      "uploads",
      `uploadId=${id}`,
      "uploadId=x",
      "partNumber=1",
      "partNumber=0",
      "max-parts=1",
      "max-uploads=0",
    ],
    ...["part-number-marker=5", "key-marker=k", "upload-id-marker=x", "delimiter=/", "attributes", "tagging"],
  );
  const headers = fc.dictionary(
    fc.constantFrom(
      ...["x-amz-checksum-crc32", "x-amz-checksum-algorithm", "x-amz-checksum-type", "x-amz-mp-object-size"],
      ...[
        "x-amz-copy-source",
        "x-amz-copy-source-range",
        "if-match",
        "x-amz-tagging",
        "x-amz-tagging-directive",
      ],
    ),
    fc.oneof(fc.string(), fc.constantFrom(`${bucket}/k`, "bytes=0-1", "CRC32", "COMPOSITE", "*", "a=b")),
  );
  const body = fc.oneof(fc.string(), fc.constant(completion([{ number: 1, etag: quoted("x") }])));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("GET", "HEAD", "PUT", "POST", "DELETE"),
      fc.constantFrom(`/${bucket}/k`, `/${bucket}`, `/${bucket}/other`),
      fc.array(parameter),
      headers,
      body,
      async (method, path, query, headers, body) => {
        const answer: Answer = await ask(`${method} ${path}?${query.join("&")}`, { headers, body });
        expect(answer.status === 501 || answer.status < 500, `${answer.status} ${textOf(answer)}`).toBe(true);
      },
    ),
    { seed: 20_260_110, numRuns: 600 },
  );
});
