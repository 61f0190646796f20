// The bucket door, asked directly: every operation it has, every error it gives, and what it refuses to pretend.
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDirectoryBuckets } from "../../src/bucket/directory.ts";
import type { DirectoryStore } from "../../src/bucket/object-contract.ts";
import { testCaller } from "../conformance/serve-bucket-door.ts";
import { type Asked, askDoor, codeOf, every, textOf } from "./bucket-asking.ts";

// Sat, 10 Jan 2026 09:25:13.500 GMT
const nowMs = 1_768_037_113_500;
const clock = { nowMs: () => nowMs, monotonicMs: () => 0, sleep: () => Promise.resolve() };

let root = "";
let store: DirectoryStore;
let count = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "cairn-door-"));
  store = openDirectoryBuckets({ root, clock });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const ask = (line: string, asked: Asked = {}) => askDoor(store, line, { requestId: "REQ1", ...asked });

async function newBucket(objects: Readonly<Record<string, string>> = {}): Promise<string> {
  count += 1;
  const bucket = `door-${count}`;
  await store.create(bucket);
  for (const [key, text] of Object.entries(objects)) {
    await store.put({ bucket, key, body: Buffer.from(text), metadata: {} });
  }
  return bucket;
}

const etagOf = (text: string) => `"${createHash("md5").update(text).digest("hex")}"`;

describe("buckets", () => {
  test("are made, found, located, listed and removed", async () => {
    expect(await ask("PUT /made-here")).toMatchObject({ status: 200, headers: { location: "/made-here" } });
    expect((await ask("PUT /made-here")).status, "again in us-east-1").toBe(200);
    const body = `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>`;
    expect((await ask("PUT /made-there/", { body })).status).toBe(200);
    const again = await ask("PUT /made-there", { body });
    expect([again.status, codeOf(again)]).toEqual([409, "BucketAlreadyOwnedByYou"]);
    expect(await ask("HEAD /made-there")).toMatchObject({
      status: 200,
      headers: { "x-amz-bucket-region": "eu-west-1", "x-amz-request-id": "REQ1" },
      body: "",
    });
    expect((await ask("HEAD /made-here")).headers["x-amz-bucket-region"]).toBe("us-east-1");
    expect(textOf(await ask("GET /made-there?location"))).toMatch(/<LocationConstraint [^>]*>eu-west-1</);
    expect(textOf(await ask("GET /made-here?location"))).toMatch(
      /<LocationConstraint [^>]*><\/LocationConstraint>/,
    );
    const listed = textOf(await ask("GET /"));
    expect(every(listed, "Name")).toEqual(expect.arrayContaining(["made-here", "made-there"]));
    expect(listed).toContain("<CreationDate>2026-01-10T09:25:13.500Z</CreationDate>");
    expect((await ask("DELETE /made-there")).status).toBe(204);
    expect((await ask("HEAD /made-there")).status).toBe(404);
  });

  test("have an ACL whose owner is the caller's account", async () => {
    const bucket = await newBucket({ k: "x" });
    for (const line of [`GET /${bucket}?acl`, `GET /${bucket}/k?acl`]) {
      const xml = textOf(await ask(line));
      const ids = every(xml, "ID");
      expect(ids).toHaveLength(2);
      expect(ids[0]).toMatch(/^[0-9a-f]{64}$/);
      expect(ids[1]).toBe(ids[0]);
      expect(every(xml, "Permission")).toEqual(["FULL_CONTROL"]);
    }
  });

  test("keep a policy", async () => {
    const bucket = await newBucket();
    expect(codeOf(await ask(`GET /${bucket}?policy`))).toBe("NoSuchBucketPolicy");
    const resource = `arn:aws:s3:::${bucket}/*`;
    const statement = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: resource };
    const body = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    expect((await ask(`PUT /${bucket}?policy`, { body })).status).toBe(204);
    const answer = await ask(`GET /${bucket}?policy`);
    expect([answer.status, answer.headers["content-type"], textOf(answer)]).toEqual([
      200,
      "application/json",
      body,
    ]);
    for (const bad of [
      "",
      "[]",
      "{}",
      JSON.stringify({ Statement: { ...statement, Principal: undefined } }),
      JSON.stringify({ Statement: { ...statement, Action: "sqs:SendMessage" } }),
      JSON.stringify({ Statement: { ...statement, Resource: "arn:aws:s3:::another/*" } }),
      JSON.stringify({ Statement: { ...statement, Sid: "x".repeat(21_000) } }),
    ]) {
      const refused = await ask(`PUT /${bucket}?policy`, { body: bad });
      expect([refused.status, codeOf(refused)], bad.slice(0, 60)).toEqual([400, "MalformedPolicy"]);
    }
    expect((await ask(`DELETE /${bucket}?policy`)).status).toBe(204);
    expect((await ask(`GET /${bucket}?policy`)).status).toBe(404);
  });

  const settings: readonly [string, number, string][] = [
    ["versioning", 200, "VersioningConfiguration"],
    ["logging", 200, "BucketLoggingStatus"],
    ["notification", 200, "NotificationConfiguration"],
    ["requestPayment", 200, "BucketOwner"],
    ["accelerate", 200, "AccelerateConfiguration"],
    ["encryption", 404, "ServerSideEncryptionConfigurationNotFoundError"],
    ["tagging", 404, "NoSuchTagSet"],
    ["lifecycle", 404, "NoSuchLifecycleConfiguration"],
    ["cors", 404, "NoSuchCORSConfiguration"],
    ["website", 404, "NoSuchWebsiteConfiguration"],
    ["replication", 404, "ReplicationConfigurationNotFoundError"],
    ["object-lock", 404, "ObjectLockConfigurationNotFoundError"],
    ["publicAccessBlock", 404, "NoSuchPublicAccessBlockConfiguration"],
    ["ownershipControls", 404, "OwnershipControlsNotFoundError"],
  ];
  test.each(settings)("answer ?%s as a bucket without it: %i", async (name, status, content) => {
    const answer = await ask(`GET /${await newBucket()}?${name}`);
    expect(answer.status).toBe(status);
    expect(textOf(answer)).toContain(content);
    expect(codeOf(await ask(`GET /no-such-bucket?${name}`))).toBe("NoSuchBucket");
  });
});

describe("objects", () => {
  const headers = {
    "content-type": "application/json",
    "content-encoding": "gzip",
    "cache-control": "no-cache",
    "content-disposition": "inline",
    "x-amz-meta-signature": "abc",
    "x-amz-server-side-encryption": "AES256",
    "x-amz-acl": "bucket-owner-full-control",
  };

  test("are put, read, described and deleted", async () => {
    const bucket = await newBucket();
    const put = await ask(`PUT /${bucket}/dir/a%20b%2Bc%3F+d.json.gz`, { headers, body: "0123456789" });
    expect(put).toMatchObject({
      status: 200,
      headers: { etag: etagOf("0123456789"), "x-amz-server-side-encryption": "AES256" },
    });
    expect((await store.list({ bucket })).objects.map(({ key }) => key)).toEqual(["dir/a b+c?+d.json.gz"]);
    const path = `/${bucket}/dir/a%20b+c%3F%2Bd.json.gz`;
    const { "x-amz-acl": _acl, ...kept } = headers;
    const described = {
      ...kept,
      etag: etagOf("0123456789"),
      "accept-ranges": "bytes",
      "last-modified": "Sat, 10 Jan 2026 09:25:13 GMT",
    };
    const got = await ask(`GET ${path}`);
    expect(got).toMatchObject({ status: 200, headers: described });
    expect(textOf(got)).toBe("0123456789");
    const head = await ask(`HEAD ${path}`);
    expect(head).toMatchObject({ status: 200, headers: { ...described, "content-length": "10" }, body: "" });
    expect((await ask(`DELETE ${path}`)).status).toBe(204);
    expect((await ask(`DELETE ${path}`)).status, "again").toBe(204);
    expect(await ask(`HEAD ${path}`)).toMatchObject({ status: 404, body: "" });
    expect(codeOf(await ask(`GET ${path}`))).toBe("NoSuchKey");
  });

  const ranges: readonly [string, number, string, string?][] = [
    ["bytes=0-0", 206, "0", "bytes 0-0/10"],
    ["bytes=2-4", 206, "234", "bytes 2-4/10"],
    ["bytes=7-", 206, "789", "bytes 7-9/10"],
    ["bytes=-2", 206, "89", "bytes 8-9/10"],
    ["bytes=-99", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=5-99", 206, "56789", "bytes 5-9/10"],
    ["bytes=10-", 416, ""],
    ["bytes=-0", 416, ""],
    ["bytes=4-2", 200, "0123456789"],
    ["bytes=a-b", 200, "0123456789"],
    ["bytes=0-1,3-4", 200, "0123456789"],
    ["lines=0-1", 200, "0123456789"],
  ];
  test.each(ranges)("Range %s: %i", async (range, status, text, contentRange) => {
    const bucket = await newBucket({ k: "0123456789" });
    const got = await ask(`GET /${bucket}/k`, { headers: { range } });
    expect(got.status).toBe(status);
    if (status === 416) return expect(codeOf(got)).toBe("InvalidRange");
    expect(textOf(got)).toBe(text);
    expect(got.headers["content-range"]).toBe(contentRange);
    const head = await ask(`HEAD /${bucket}/k`, { headers: { range } });
    expect([head.status, head.headers["content-length"]]).toEqual([status, String(text.length)]);
  });

  const etag = etagOf("text");
  const [before, at, after] = ["25:12", "25:13", "25:14"].map((time) => `Sat, 10 Jan 2026 09:${time} GMT`);
  const conditions: readonly [Readonly<Record<string, string | undefined>>, number][] = [
    [{ "if-match": etag }, 200],
    [{ "if-match": "*" }, 200],
    [{ "if-match": '"other"' }, 412],
    [{ "if-match": etag, "if-unmodified-since": before }, 200],
    [{ "if-none-match": etag }, 304],
    [{ "if-none-match": `"x", W/${etag}` }, 304],
    [{ "if-none-match": '"other"' }, 200],
    [{ "if-none-match": '"other"', "if-modified-since": after }, 200],
    [{ "if-modified-since": before }, 200],
    [{ "if-modified-since": at }, 304],
    [{ "if-modified-since": after }, 304],
    [{ "if-modified-since": "nonsense" }, 200],
    [{ "if-unmodified-since": before }, 412],
    [{ "if-unmodified-since": at }, 200],
  ];
  test.each(conditions)("preconditions %j: %i", async (wanted, status) => {
    const bucket = await newBucket({ k: "text" });
    const headers = Object.fromEntries(Object.entries(wanted).map(([name, value]) => [name, value ?? ""]));
    const answer = await ask(`GET /${bucket}/k`, { headers });
    expect(answer.status).toBe(status);
    if (status === 304) expect(answer).toMatchObject({ headers: { etag }, body: "" });
    expect((await ask(`HEAD /${bucket}/k`, { headers })).status).toBe(status);
  });

  test("may be answered with other headers", async () => {
    const bucket = await newBucket({ k: "text" });
    const query =
      "response-content-type=text/x&response-content-disposition=attachment&response-expires=never";
    const answer = await ask(`GET /${bucket}/k?${query}`);
    expect(answer.headers).toMatchObject({
      "content-type": "text/x",
      "content-disposition": "attachment",
      expires: "never",
    });
    expect(codeOf(await ask(`GET /${bucket}/k?response-content-type=a%0d%0ab`))).toBe("InvalidArgument");
  });

  const body = "the body";
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(body));
  const digests: readonly [Readonly<Record<string, string>>, string | undefined][] = [
    [{ "content-md5": createHash("md5").update(body).digest("base64") }, undefined],
    [{ "content-md5": createHash("md5").update("other").digest("base64") }, "BadDigest"],
    [{ "content-md5": "nonsense" }, "InvalidDigest"],
    [{ "x-amz-checksum-crc32": crc.toString("base64") }, undefined],
    [{ "x-amz-checksum-crc32": "AAAAAA==" }, "BadDigest"],
    [{ "x-amz-checksum-sha256": createHash("sha256").update(body).digest("base64") }, undefined],
    [{ "x-amz-checksum-sha256": createHash("sha256").update("other").digest("base64") }, "BadDigest"],
    [{ "x-amz-checksum-sha1": createHash("sha1").update("other").digest("base64") }, "BadDigest"],
  ];
  test.each(digests)("digests of a body %j: %s", async (headers, code) => {
    const bucket = await newBucket();
    const answer = await ask(`PUT /${bucket}/k`, { headers, body });
    expect([answer.status, codeOf(answer)]).toEqual([code === undefined ? 200 : 400, code]);
    expect(await store.head(bucket, "k"))[code === undefined ? "toBeDefined" : "toBeUndefined"]();
  });

  test("are put only when absent", async () => {
    const bucket = await newBucket();
    const headers = { "if-none-match": "*" };
    expect((await ask(`PUT /${bucket}/k`, { headers, body: "one" })).status).toBe(200);
    const second = await ask(`PUT /${bucket}/k`, { headers, body: "two" });
    expect([second.status, codeOf(second)]).toEqual([412, "PreconditionFailed"]);
    expect(textOf(await ask(`GET /${bucket}/k`))).toBe("one");
  });

  test("are copied", async () => {
    const bucket = await newBucket();
    await ask(`PUT /${bucket}/from%20here`, { headers, body: "text" });
    const source = { "x-amz-copy-source": `/${bucket}/from%20here` };
    const copied = await ask(`PUT /${bucket}/to`, { headers: source });
    expect(copied.status).toBe(200);
    expect(textOf(copied)).toContain(`<ETag>${etagOf("text").replaceAll('"', "&quot;")}</ETag>`);
    expect((await ask(`HEAD /${bucket}/to`)).headers).toMatchObject({ "x-amz-meta-signature": "abc" });
    const replace = { ...source, "x-amz-metadata-directive": "REPLACE", "x-amz-meta-new": "1" };
    expect((await ask(`PUT /${bucket}/from%20here`, { headers: replace })).status).toBe(200);
    const replaced = (await ask(`HEAD /${bucket}/from%20here`)).headers;
    expect([replaced["x-amz-meta-new"], replaced["x-amz-meta-signature"]]).toEqual(["1", undefined]);
    const refusals: readonly [Readonly<Record<string, string>>, string][] = [
      [{ "x-amz-copy-source": `${bucket}/none` }, "NoSuchKey"],
      [{ "x-amz-copy-source": "no-such-bucket/k" }, "NoSuchBucket"],
      [{ "x-amz-copy-source": "nonsense" }, "InvalidArgument"],
      [{ "x-amz-copy-source": "%zz/k" }, "InvalidArgument"],
      [{ "x-amz-copy-source": `${bucket}/to` }, "InvalidRequest"],
      [{ "x-amz-copy-source": `${bucket}/from%20here?versionId=7` }, "NoSuchVersion"],
      [{ ...source, "x-amz-copy-source-if-match": '"other"' }, "PreconditionFailed"],
    ];
    for (const [headers, code] of refusals)
      expect(codeOf(await ask(`PUT /${bucket}/to`, { headers }))).toBe(code);
    const mayNotRead = (action: string) => action !== "s3:GetObject";
    expect(codeOf(await ask(`PUT /${bucket}/to`, { headers: source, may: mayNotRead }))).toBe("AccessDenied");
  });

  test("keep tags, which come and go with headers of their own", async () => {
    const bucket = await newBucket();
    const tagging = { "x-amz-tagging": "a=1&b=%C3%BC+x" };
    expect((await ask(`PUT /${bucket}/k`, { headers: tagging, body: "text" })).status).toBe(200);
    const tagsOf = async (path: string) => {
      const xml = textOf(await ask(`GET ${path}?tagging`));
      return every(xml, "Key").map((key, index) => `${key}=${every(xml, "Value")[index]}`);
    };
    expect(await tagsOf(`/${bucket}/k`)).toEqual(["a=1", "b=ü x"]);
    const head = await ask(`HEAD /${bucket}/k`);
    expect(head.headers["x-amz-tagging-count"]).toBe("2");
    const mayNotSee = await ask(`HEAD /${bucket}/k`, { may: (action) => action !== "s3:GetObjectTagging" });
    expect(mayNotSee.headers["x-amz-tagging-count"]).toBeUndefined();
    const body = "<Tagging><TagSet><Tag><Key>new</Key><Value></Value></Tag></TagSet></Tagging>";
    expect((await ask(`PUT /${bucket}/k?tagging`, { body })).status).toBe(200);
    expect(await tagsOf(`/${bucket}/k`)).toEqual(["new="]);
    const after = await ask(`HEAD /${bucket}/k`);
    expect([after.headers["etag"], after.headers["last-modified"]]).toEqual([
      head.headers["etag"],
      head.headers["last-modified"],
    ]);
    const copied = { "x-amz-copy-source": `${bucket}/k` };
    await ask(`PUT /${bucket}/with`, { headers: copied });
    expect(await tagsOf(`/${bucket}/with`)).toEqual(["new="]);
    const other = { ...copied, "x-amz-tagging-directive": "REPLACE", "x-amz-tagging": "c=3" };
    await ask(`PUT /${bucket}/other`, { headers: other });
    expect(await tagsOf(`/${bucket}/other`)).toEqual(["c=3"]);
    for (const action of ["s3:GetObjectTagging", "s3:PutObjectTagging"]) {
      const may = (asked: string) => asked !== action;
      expect(codeOf(await ask(`PUT /${bucket}/x`, { headers: copied, may })), action).toBe("AccessDenied");
    }
    const mayNotTag = (action: string) => action !== "s3:PutObjectTagging";
    expect(codeOf(await ask(`PUT /${bucket}/x`, { headers: tagging, may: mayNotTag }))).toBe("AccessDenied");
    expect((await ask(`DELETE /${bucket}/k?tagging`)).status).toBe(204);
    expect(await tagsOf(`/${bucket}/k`)).toEqual([]);
    expect((await ask(`HEAD /${bucket}/k`)).headers["x-amz-tagging-count"]).toBeUndefined();
    expect(codeOf(await ask(`PUT /${bucket}/none?tagging`, { body }))).toBe("NoSuchKey");
  });

  const tag = (key: string, value = "v") => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
  const tagged = (...tags: readonly string[]) => `<Tagging><TagSet>${tags.join("")}</TagSet></Tagging>`;
  const badTags: readonly [string, string][] = [
    [tagged(...Array.from({ length: 11 }, (_, index) => tag(`k${index}`))), "BadRequest"],
    [tagged(tag("")), "InvalidTag"],
    [tagged(tag("k".repeat(129))), "InvalidTag"],
    [tagged(tag("k", "v".repeat(257))), "InvalidTag"],
    [tagged(tag("aws:x")), "InvalidTag"],
    [tagged(tag("k!")), "InvalidTag"],
    [tagged(tag("k"), tag("k")), "InvalidTag"],
    [tagged("<Tag><Key>k</Key></Tag>"), "MalformedXML"],
    ["<Tagging/>", "MalformedXML"],
    ["", "MalformedXML"],
  ];
  test.each(badTags)("tags %s: %s", async (body, code) => {
    const bucket = await newBucket({ k: "x" });
    const answer = await ask(`PUT /${bucket}/k?tagging`, { body });
    expect([answer.status, codeOf(answer)]).toEqual([400, code]);
    if (code !== "BadRequest") expect(codeOf(await ask(`PUT /${bucket}?tagging`, { body }))).toBe(code);
  });

  test.each([
    ["a=1&a=2", "InvalidArgument"],
    ["a=1=2", "InvalidArgument"],
    ["a=%zz", "InvalidArgument"],
    [Array.from({ length: 11 }, (_, index) => `k${index}=v`).join("&"), "BadRequest"],
    ["aws:a=1", "InvalidTag"],
  ])("x-amz-tagging %s: %s", async (header, code) => {
    const bucket = await newBucket();
    const headers = { "x-amz-tagging": header };
    expect(codeOf(await ask(`PUT /${bucket}/k`, { headers, body: "x" }))).toBe(code);
    expect(await store.head(bucket, "k")).toBeUndefined();
  });

  test("of buckets have tags too", async () => {
    const bucket = await newBucket();
    expect((await ask(`PUT /${bucket}?tagging`, { body: tagged(tag("a"), tag("b")) })).status).toBe(204);
    expect(every(textOf(await ask(`GET /${bucket}?tagging`)), "Key")).toEqual(["a", "b"]);
    expect((await ask(`DELETE /${bucket}?tagging`)).status).toBe(204);
    expect(codeOf(await ask(`GET /${bucket}?tagging`))).toBe("NoSuchTagSet");
  });

  test("are put, copied and deleted only over a certain object", async () => {
    const bucket = await newBucket({ k: "one" });
    const [right, wrong] = [{ "if-match": etagOf("one") }, { "if-match": '"other"' }];
    expect(codeOf(await ask(`PUT /${bucket}/k`, { headers: wrong, body: "two" }))).toBe("PreconditionFailed");
    expect(codeOf(await ask(`DELETE /${bucket}/k`, { headers: wrong }))).toBe("PreconditionFailed");
    expect(codeOf(await ask(`PUT /${bucket}/none`, { headers: right, body: "two" }))).toBe("NoSuchKey");
    const copy = { "x-amz-copy-source": `${bucket}/k`, "if-none-match": "*" };
    expect(
      codeOf(await ask(`PUT /${bucket}/k`, { headers: { ...copy, "x-amz-metadata-directive": "REPLACE" } })),
    ).toBe("PreconditionFailed");
    expect((await ask(`PUT /${bucket}/k`, { headers: right, body: "two" })).status).toBe(200);
    expect((await ask(`DELETE /${bucket}/k`, { headers: { "if-match": etagOf("two") } })).status).toBe(204);
  });

  test("that are large are streamed, and a reader who goes lets go of them", async () => {
    const bucket = await newBucket();
    const large = Buffer.alloc(3 * 1024 * 1024, "0123456789");
    await ask(`PUT /${bucket}/k`, { body: large });
    const got = await ask(`GET /${bucket}/k`);
    expect([got.headers["content-length"], large.equals(Buffer.from(got.body))]).toEqual([
      String(large.length),
      true,
    ]);
    const part = await ask(`GET /${bucket}/k`, { headers: { range: "bytes=1000000-2999999" } });
    expect(large.subarray(1_000_000, 3_000_000).equals(Buffer.from(part.body))).toBe(true);
    const object = await store.open(bucket, "k");
    if (!object) throw new Error("There is no object.");
    // Whoever reads on reads the object that was there.
    await ask(`PUT /${bucket}/k`, { body: "another" });
    const pieces: Uint8Array[] = [];
    for await (const piece of object.pieces({ first: 0, last: large.length - 1 })) pieces.push(piece);
    expect(large.equals(Buffer.concat(pieces))).toBe(true);
    await object.close();
  });

  test("are deleted many at once", async () => {
    const bucket = await newBucket({ a: "1", "b&<c>": "2", "d\u0001": "3", " e ": "4", kept: "5" });
    const object = (key: string) => `<Object><Key>${key}</Key></Object>`;
    const keys = ["a", "b&amp;&lt;c&gt;", "d&#x1;", " e ", "missing", "kept", ""].map(object).join("\n");
    const body = `<?xml version="1.0"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${keys}</Delete>`;
    const may = (_action: string, resource: string) => !resource.endsWith("/kept");
    const xml = textOf(await ask(`POST /${bucket}?delete`, { body, may }));
    expect(xml.match(/<Deleted>/g)).toHaveLength(5);
    expect(xml).toContain("<Key>kept</Key><Code>AccessDenied</Code>");
    expect((await store.list({ bucket })).objects.map(({ key }) => key)).toEqual(["kept"]);
    const quiet = textOf(
      await ask(`POST /${bucket}?delete`, { body: `<Delete><Quiet>true</Quiet>${object("kept")}</Delete>` }),
    );
    expect(quiet).not.toContain("<Deleted>");
    expect((await store.list({ bucket })).objects).toEqual([]);
    const many = `<Delete>${object("x").repeat(1001)}</Delete>`;
    const entity = `<!DOCTYPE Delete [<!ENTITY x "y">]><Delete>${object("&x;")}</Delete>`;
    for (const bad of ["", "nonsense", "<Delete>", "<Delete/>", "<Other/>", many, entity]) {
      expect(codeOf(await ask(`POST /${bucket}?delete`, { body: bad })), bad.slice(0, 40)).toBe(
        "MalformedXML",
      );
    }
  });
});

describe("listing", () => {
  const objects = { "a/1": "x", "a/2": "xx", "b c+d": "x", "e&f": "x", "é/ü": "x" };

  test("version 2: pages by continuation token", async () => {
    const bucket = await newBucket(objects);
    const first = textOf(await ask(`GET /${bucket}?list-type=2&max-keys=2`));
    expect(every(first, "Key")).toEqual(["a/1", "a/2"]);
    expect(every(first, "Size")).toEqual(["1", "2"]);
    expect([every(first, "IsTruncated"), every(first, "KeyCount"), every(first, "MaxKeys")]).toEqual([
      ["true"],
      ["2"],
      ["2"],
    ]);
    expect(first).not.toContain("<Owner>");
    const token = every(first, "NextContinuationToken")[0] ?? "";
    const rest = textOf(
      await ask(
        `GET /${bucket}?list-type=2&fetch-owner=true&continuation-token=${encodeURIComponent(token)}`,
      ),
    );
    expect(every(rest, "Key")).toEqual(["b c+d", "e&amp;f", "é/ü"]);
    expect(every(rest, "IsTruncated")).toEqual(["false"]);
    expect(rest).toContain("<Owner>");
    const after = textOf(await ask(`GET /${bucket}?list-type=2&start-after=a/2`));
    expect([every(after, "StartAfter"), every(after, "Key")]).toEqual([["a/2"], ["b c+d", "e&amp;f", "é/ü"]]);
  });

  test("version 1: pages by marker", async () => {
    const bucket = await newBucket(objects);
    const first = textOf(await ask(`GET /${bucket}?delimiter=/&max-keys=1`));
    expect(every(first, "Prefix")).toEqual(["", "a/"]);
    expect(every(first, "NextMarker")).toEqual(["a/"]);
    const second = textOf(await ask(`GET /${bucket}?delimiter=/&marker=a/`));
    expect([every(second, "Key"), every(second, "Prefix")]).toEqual([
      ["b c+d", "e&amp;f"],
      ["", "é/"],
    ]);
    expect(every(second, "Marker")).toEqual(["a/"]);
    expect(every(textOf(await ask(`GET /${bucket}?max-keys=1`)), "NextMarker")).toEqual([]);
  });

  test("encodes keys when asked", async () => {
    const bucket = await newBucket(objects);
    const xml = textOf(await ask(`GET /${bucket}?list-type=2&encoding-type=url&delimiter=/`));
    expect(every(xml, "Key")).toEqual(["b%20c%2Bd", "e%26f"]);
    expect(every(xml, "Prefix")).toEqual(["", "a/", "%C3%A9/"]);
    expect([every(xml, "EncodingType"), every(xml, "Delimiter")]).toEqual([["url"], ["/"]]);
  });

  test("of nothing", async () => {
    const bucket = await newBucket(objects);
    const none = textOf(await ask(`GET /${bucket}?list-type=2&max-keys=0`));
    expect([every(none, "Key"), every(none, "IsTruncated")]).toEqual([[], ["false"]]);
    expect(every(textOf(await ask(`GET /${bucket}?list-type=2&prefix=zzz`)), "KeyCount")).toEqual(["0"]);
  });

  test.each([
    "max-keys=-1",
    "max-keys=x",
    "encoding-type=base64",
    "list-type=3",
    "list-type=2&continuation-token=",
    "list-type=2&continuation-token=!!",
  ])("refuses %s", async (query) => {
    expect(codeOf(await ask(`GET /${await newBucket()}?${query}`))).toBe("InvalidArgument");
  });
});

describe("errors", () => {
  const cases: readonly [string, number, string, Asked?][] = [
    ["GET /no-such-bucket", 404, "NoSuchBucket"],
    ["GET /no-such-bucket/k", 404, "NoSuchBucket"],
    ["PUT /no-such-bucket/k", 404, "NoSuchBucket"],
    ["DELETE /no-such-bucket/k", 404, "NoSuchBucket"],
    ["DELETE /no-such-bucket", 404, "NoSuchBucket"],
    ["GET /no-such-bucket?location", 404, "NoSuchBucket"],
    ["PUT /no-such-bucket?policy", 404, "NoSuchBucket"],
    ["POST /no-such-bucket?delete", 404, "NoSuchBucket"],
    ["PUT /Bad_Name", 400, "InvalidBucketName"],
    ["PUT /..", 400, "InvalidBucketName"],
    ["PUT /%2e%2e%2fescape", 404, "NoSuchBucket"],
    ["PUT /new-one", 400, "MalformedXML", { body: "<nonsense" }],
    ["PUT /new-one", 400, "InvalidLocationConstraint", { body: constraint("mars") }],
    ["PUT /new-one", 400, "InvalidLocationConstraint", { body: constraint("us-east-1") }],
    ["PUT /new-one", 501, "NotImplemented", { headers: { "x-amz-bucket-object-lock-enabled": "true" } }],
    ["DELETE /{bucket}", 409, "BucketNotEmpty"],
    ["GET /{bucket}/none", 404, "NoSuchKey"],
    ["GET /{bucket}/k?versionId=7", 404, "NoSuchVersion"],
    ["GET /{bucket}/%zz", 400, "InvalidURI"],
    ["GET /%ff%fe/k", 400, "InvalidURI"],
    [`PUT /{bucket}/${"x".repeat(1025)}`, 400, "KeyTooLongError"],
    ["PUT /{bucket}/k", 400, "MetadataTooLarge", { headers: { "x-amz-meta-x": "y".repeat(2049) } }],
    ["PUT /{bucket}/k", 501, "NotImplemented", { headers: { "x-amz-server-side-encryption": "aws:kms" } }],
    ["PUT /{bucket}/k", 501, "NotImplemented", { headers: { "x-amz-storage-class": "GLACIER" } }],
    ["PUT /{bucket}/k", 501, "NotImplemented", { headers: { "if-none-match": '"abc"' } }],
    ["POST /", 405, "MethodNotAllowed"],
    ["PATCH /{bucket}/k", 405, "MethodNotAllowed"],
    ["OPTIONS /{bucket}", 405, "MethodNotAllowed"],
  ];
  test.each(cases)("%s: %i %s", async (line, status, code, asked) => {
    const bucket = await newBucket({ k: "x" });
    const answer = await ask(line.replace("{bucket}", bucket), asked);
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    const form =
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<Error><Code>\w+<\/Code><Message>[^<]+<\/Message><Resource>[^<]*<\/Resource><RequestId>REQ1<\/RequestId><\/Error>$/;
    expect(textOf(answer)).toMatch(form);
  });

  const missing: readonly [string, string][] = [
    ["GET /{bucket}?versions", "ListObjectVersions"],
    ["PUT /{bucket}?acl", "PutBucketAcl"],
    ["PUT /{bucket}?versioning", "PutBucketVersioning"],
    ["DELETE /{bucket}?lifecycle", "DeleteBucketLifecycleConfiguration"],
    ["PUT /{bucket}/k?acl", "PutObjectAcl"],
    ["GET /{bucket}/k?retention", "GetObjectRetention"],
    ["POST /{bucket}", "PostObject"],
  ];
  test.each(missing)("%s is not implemented, by name: %s", async (line, operation) => {
    const bucket = await newBucket({ k: "x" });
    const answer = await ask(line.replace("{bucket}", bucket), { body: "anything" });
    expect([answer.status, codeOf(answer)]).toEqual([501, "NotImplemented"]);
    expect(textOf(answer)).toContain(operation);
    expect(textOf(await ask(`GET /${bucket}/k`)), "nothing changed").toBe("x");
  });

  test("random requests are answered, never with a failure of ours", async () => {
    const bucket = await newBucket({ k: "x" });
    const method = fc.constantFrom("GET", "HEAD", "PUT", "POST", "DELETE", "x");
    const parameter = fc.constantFrom(
      "acl",
      "policy",
      "delete",
      "list-type=2",
      "uploads",
      "prefix=%ff",
      "max-keys=9",
      "x=",
      "location",
    );
    const path = fc.oneof(fc.constantFrom(`/${bucket}`, `/${bucket}/k`, "/"), fc.webPath(), fc.string());
    const headers = fc.dictionary(
      fc.constantFrom(
        "range",
        "if-match",
        "content-md5",
        "x-amz-copy-source",
        "content-encoding",
        "x-amz-meta-a",
        "if-modified-since",
      ),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(
        method,
        path,
        fc.array(parameter),
        headers,
        fc.string(),
        async (method, path, query, headers, body) => {
          const answer = await ask(`${method} ${path.replaceAll("?", "")}?${query.join("&")}`, {
            headers,
            body,
          });
          expect(answer.status === 501 || answer.status < 500, `${answer.status} ${textOf(answer)}`).toBe(
            true,
          );
        },
      ),
      { seed: 20_260_110, numRuns: 500 },
    );
  });
});

describe("authorization", () => {
  const arn = (rest: string) => `arn:aws:s3:::${rest}`;
  const cases: readonly [string, string, string][] = [
    ["GET /", "s3:ListAllMyBuckets", "*"],
    ["PUT /b-1", "s3:CreateBucket", arn("b-1")],
    ["HEAD /b-1", "s3:ListBucket", arn("b-1")],
    ["DELETE /b-1", "s3:DeleteBucket", arn("b-1")],
    ["GET /b-1", "s3:ListBucket", arn("b-1")],
    ["GET /b-1?list-type=2&prefix=x", "s3:ListBucket", arn("b-1")],
    ["GET /b-1?location", "s3:GetBucketLocation", arn("b-1")],
    ["GET /b-1?acl", "s3:GetBucketAcl", arn("b-1")],
    ["GET /b-1?policy", "s3:GetBucketPolicy", arn("b-1")],
    ["PUT /b-1?policy", "s3:PutBucketPolicy", arn("b-1")],
    ["DELETE /b-1?policy", "s3:DeleteBucketPolicy", arn("b-1")],
    ["GET /b-1?versioning", "s3:GetBucketVersioning", arn("b-1")],
    ["GET /b-1/k/l%20m", "s3:GetObject", arn("b-1/k/l m")],
    ["HEAD /b-1/k", "s3:GetObject", arn("b-1/k")],
    ["PUT /b-1/k", "s3:PutObject", arn("b-1/k")],
    ["DELETE /b-1/k", "s3:DeleteObject", arn("b-1/k")],
    ["GET /b-1/k?acl", "s3:GetObjectAcl", arn("b-1/k")],
    ["GET /b-1/k?tagging", "s3:GetObjectTagging", arn("b-1/k")],
    ["PUT /b-1/k?tagging", "s3:PutObjectTagging", arn("b-1/k")],
    ["DELETE /b-1/k?tagging", "s3:DeleteObjectTagging", arn("b-1/k")],
    ["GET /b-1/k?attributes", "s3:GetObjectAttributes", arn("b-1/k")],
    ["GET /b-1?tagging", "s3:GetBucketTagging", arn("b-1")],
    ["PUT /b-1?tagging", "s3:PutBucketTagging", arn("b-1")],
    ["DELETE /b-1?tagging", "s3:PutBucketTagging", arn("b-1")],
    ["POST /b-1/k?uploads", "s3:PutObject", arn("b-1/k")],
    ["PUT /b-1/k?partNumber=1&uploadId=x", "s3:PutObject", arn("b-1/k")],
    ["POST /b-1/k?uploadId=x", "s3:PutObject", arn("b-1/k")],
    ["DELETE /b-1/k?uploadId=x", "s3:AbortMultipartUpload", arn("b-1/k")],
    ["GET /b-1/k?uploadId=x", "s3:ListMultipartUploadParts", arn("b-1/k")],
    ["GET /b-1?uploads", "s3:ListBucketMultipartUploads", arn("b-1")],
  ];
  test.each(cases)("%s asks for %s", async (line, action, resource) => {
    const asked: [string, string][] = [];
    const answer = await ask(line, {
      may: (action, resource) => {
        asked.push([action, resource]);
        return false;
      },
    });
    expect(asked).toEqual([[action, resource]]);
    expect(answer.status).toBe(403);
    if (line.startsWith("HEAD")) return expect(answer.body).toBe("");
    expect(codeOf(answer)).toBe("AccessDenied");
    expect(textOf(answer)).toContain(`${testCaller.arn} is not authorized to perform: ${action}`);
  });
});

function constraint(region: string): string {
  return `<CreateBucketConfiguration><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
}
