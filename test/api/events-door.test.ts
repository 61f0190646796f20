// POST /events over HTTP: the forms of a batch, what is filled in, what is refused and how, and the log files that
// come of it: byte for byte, in the right folder, under the right name, one gzip member each.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, inflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, elsewhere, home, makeBucket, organization, startApi } from "../harness/api-fixture.ts";
import { type CairnProcess, startCairn } from "../harness/cairn-process.ts";
import { type EventRecord, managementEvent, objectEvent } from "../harness/events.ts";
import { type LogFile, logFiles, until } from "../harness/log-files.ts";

const mebibyte = 1024 * 1024;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** The caller of unsigned requests. */
const caller = "123456789012";
const bucket = "event-logs";

let api: Api;
beforeAll(async () => {
  api = await startApi({
    args: ["--body-bytes-max", "8MB", "--log-file-bytes-max", "2MB", "--regions", "us-east-1,eu-west-1"],
  });
  await makeBucket(api.url, bucket);
  const client = api.as(caller);
  await client.createTrail({ Name: "all-trail", S3BucketName: bucket, IsMultiRegionTrail: true });
  const category = (name: string) => ({ Field: "eventCategory", Equals: [name] });
  await client.putEventSelectors({
    TrailName: "all-trail",
    AdvancedEventSelectors: [
      { FieldSelectors: [category("Management")] },
      { FieldSelectors: [category("Data"), { Field: "resources.type", Equals: ["AWS::S3::Object"] }] },
      {
        FieldSelectors: [
          category("NetworkActivity"),
          { Field: "eventSource", Equals: ["ec2.amazonaws.com"] },
        ],
      },
    ],
  });
  await client.putInsightSelectors({
    TrailName: "all-trail",
    InsightSelectors: [{ InsightType: "ApiCallRateInsight" }],
  });
  await client.startLogging({ Name: "all-trail" });
});
afterAll(() => api.dispose());

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly json: { accepted?: number; rejected?: { index: number; code: string; message: string }[] };
}

async function post(
  body: string | Uint8Array,
  headers: Record<string, string> = {},
  url = api.url,
): Promise<Answer> {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const response = await fetch(`${url}/events`, { method: "POST", headers, body: new Uint8Array(bytes) });
  const text = await response.text();
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    json: JSON.parse(text) as Answer["json"],
  };
}

const files = () => logFiles(api.cairn.dataDir, bucket);
const idsOf = (file: LogFile) => file.records.map((record) => String(record["eventID"]));

/** The log files that hold the records, once all are there. */
async function filesWith(ids: readonly string[], inBucket = bucket): Promise<LogFile[]> {
  const holding = () =>
    logFiles(api.cairn.dataDir, inBucket).filter((file) => idsOf(file).some((id) => ids.includes(id)));
  await until(`${ids.length} records are delivered`, () => {
    const delivered = new Set(holding().flatMap(idsOf));
    return ids.every((id) => delivered.has(id));
  });
  return holding();
}

/** The one delivered record that has all these members. */
async function delivered(
  members: Record<string, unknown>,
): Promise<{ record: Record<string, unknown>; text: string }> {
  const [name = "", value] = Object.entries(members)[0] ?? [];
  const find = () =>
    files().flatMap((file) =>
      file.records.filter((record) => record[name] === value).map((record) => ({ record, text: file.text })),
    );
  await until(`the record with ${name} ${String(value)} is delivered`, () => find().length > 0);
  const [found] = find();
  if (!found) throw new Error("The record was there and is gone.");
  return found;
}

const ok = (accepted: number) => ({ status: 200, json: { accepted, rejected: [] } });
const batch = (count: number): EventRecord[] => Array.from({ length: count }, () => managementEvent());
const lines = (records: readonly unknown[], end = "\n") =>
  records.map((record) => JSON.stringify(record)).join(end);

describe("a batch may be", () => {
  test.each<
    [what: string, form: (records: EventRecord[]) => string | Uint8Array, headers?: Record<string, string>]
  >([
    ["records line by line", (records) => lines(records)],
    ["lines with an end after the last", (records) => `${lines(records)}\n`],
    ["lines ended the other way, with blank ones", (records) => `\r\n${lines(records, "\r\n\r\n")}\r\n`],
    ["a JSON array", (records) => JSON.stringify(records)],
    ["an array over many lines", (records) => JSON.stringify(records, null, 2)],
    ["a CloudTrail log file", (records) => JSON.stringify({ Records: records })],
    ["a log file over many lines", (records) => JSON.stringify({ Records: records }, null, "\t")],
    ["gzipped lines", (records) => gzipSync(lines(records)), { "content-encoding": "gzip" }],
    [
      "a gzipped log file",
      (records) => gzipSync(JSON.stringify({ Records: records })),
      { "content-encoding": "gzip" },
    ],
    ["a log file sent as it lies there", (records) => gzipSync(JSON.stringify({ Records: records }))],
    ["an array of any content type", (records) => JSON.stringify(records), { "content-type": "text/plain" }],
  ])("%s", async (_what, form, headers) => {
    const records = batch(3);
    expect(await post(form(records), headers)).toMatchObject(ok(3));
    const found = (await filesWith(records.map((record) => record.eventID))).flatMap((file) => file.records);
    for (const record of records) {
      expect(found.filter((other) => other["eventID"] === record.eventID)).toEqual([record]);
    }
  });

  test.each<[what: string, body: string | Uint8Array]>([
    ["nothing", ""],
    ["blank lines", "\n \r\n"],
    ["an empty array", "[]"],
    ["a log file without records", '{"Records":[]}'],
    ["nothing, gzipped", gzipSync("")],
  ])("empty: %s", async (_what, body) => {
    expect(await post(body)).toMatchObject(ok(0));
  });

  test("posted twice: two records", async () => {
    const [record] = batch(1);
    const body = lines([record]);
    await post(body);
    await post(body);
    const id = record?.eventID ?? "";
    await until(
      "both are delivered",
      () =>
        files()
          .flatMap(idsOf)
          .filter((other) => other === id).length === 2,
    );
  });
});

describe("records are kept byte for byte", () => {
  const id = () => crypto.randomUUID();
  const open = (eventID: string) =>
    `{"eventID":"${eventID}","eventVersion":"1.11","userIdentity":{"type":"Root"},"eventTime":"2026-01-10T09:18:41Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","awsRegion":"us-east-1","eventType":"AwsApiCall","recipientAccountId":"${caller}","eventCategory":"Management"`;

  test.each<[what: string, members: string]>([
    ["unusual spacing", ' ,  "requestParameters" :\t{ "a" : [ 1 , 2 ]  , "b":{ } }  '],
    ["escapes", ',"requestParameters":{"a":"\\u0041\\/\\b\\f\\n\\r\\t\\"\\\\","\\u0062":"\\ud83d\\ude00"}'],
    ["raw characters of every width", ',"requestParameters":{"a":"ä€😀\u2028\u007f\ufeff","日本":"語"}'],
    [
      "numbers no double holds",
      ',"requestParameters":{"a":12345678901234567890123,"b":1.50,"c":1e400,"d":-0}',
    ],
    ["members twice", ',"requestParameters":{"a":1,"a":2}'],
    [
      "members in an odd order, and unknown ones",
      ',"zebra":null,"additionalEventData":{"x":[[],{}]},"__proto__":{"y":1}',
    ],
    ["braces and brackets in texts", ',"requestParameters":{"a":"}]{[,\\"}"}'],
  ])("%s", async (_what, members) => {
    const eventID = id();
    const text = `${open(eventID)}${members}}`;
    for (const body of [text, `[${text}]`, `{"Records":[${text}]}`]) {
      expect(await post(body)).toMatchObject(ok(1));
    }
    const occurrences = () => files().flatMap((file) => file.text.split(text)).length - files().length;
    await until("all three are in log files as sent", () => occurrences() === 3);
  });

  test("over several lines they are joined to one, and nothing else", async () => {
    const record = managementEvent({
      requestParameters: { text: 'a \n b \\ " } {', list: [1, "  ", { deep: [] }] },
    });
    expect(await post(JSON.stringify([record], null, 4).replaceAll("\n", "\r\n"))).toMatchObject(ok(1));
    const [file] = await filesWith([record.eventID]);
    expect(file?.text).toContain(JSON.stringify(record));
    expect(file?.text).not.toMatch(/[\r\n]/);
  });

  test("of one megabyte too", async () => {
    const record = managementEvent();
    const text = JSON.stringify({ ...record, requestParameters: { filler: "x".repeat(999_000) } });
    expect(await post(text)).toMatchObject(ok(1));
    const [file] = await filesWith([record.eventID]);
    expect(file?.text.includes(text)).toBe(true);
  });

  test("but not beyond: a larger one is refused alone", async () => {
    const [small] = batch(1);
    const large = managementEvent({ requestParameters: { filler: "x".repeat(mebibyte) } });
    const answer = await post(lines([large, small]));
    expect(answer).toMatchObject({ status: 200, json: { accepted: 1, rejected: [{ index: 0 }] } });
  });
});

describe("absent members are filled in before the last brace", () => {
  const full = managementEvent();
  const dataEvent = objectEvent({ operation: "PutObject", bucket: "b", key: "k", readOnly: false });

  test.each<[what: string, record: EventRecord, absent: string[], filled: Record<string, unknown>]>([
    ["eventID", full, ["eventID"], { eventID: expect.stringMatching(uuid) }],
    ["recipientAccountId, the caller's", full, ["recipientAccountId"], { recipientAccountId: caller }],
    ["eventType", full, ["eventType"], { eventType: "AwsApiCall" }],
    ["eventCategory", full, ["eventCategory"], { eventCategory: "Management" }],
    [
      "eventCategory without managementEvent",
      full,
      ["eventCategory", "managementEvent"],
      { eventCategory: "Management" },
    ],
    ["eventCategory of a data event", dataEvent, ["eventCategory"], { eventCategory: "Data" }],
    [
      "all four",
      full,
      ["eventID", "recipientAccountId", "eventType", "eventCategory"],
      {
        eventID: expect.stringMatching(uuid),
        recipientAccountId: caller,
        eventType: "AwsApiCall",
        eventCategory: "Management",
      },
    ],
  ])("%s", async (_what, complete, absent, filled) => {
    const requestID = crypto.randomUUID();
    const given = Object.fromEntries(
      Object.entries({ ...complete, requestID }).filter(([name]) => !absent.includes(name)),
    );
    // A space before the last brace shows that the bytes around it stay.
    const sent = `${JSON.stringify(given).slice(0, -1)} }`;
    expect(await post(sent)).toMatchObject(ok(1));
    const { record, text } = await delivered({ requestID });
    expect(record).toEqual({ ...given, ...filled });
    expect(text).toContain(sent.slice(0, -1));
  });

  test("recipientAccountId of a signed caller is its account", async () => {
    const account = "111122223333";
    const { recipientAccountId: _, ...record } = managementEvent();
    await makeBucket(api.url, "caller-logs");
    await api.as(account).createTrail({ Name: "their-trail", S3BucketName: "caller-logs" });
    await api.as(account).startLogging({ Name: "their-trail" });
    const scope = `AWS4-HMAC-SHA256 Credential=${account}/20260101/us-east-1/cairn/aws4_request, SignedHeaders=host, Signature=0`;
    expect(await post(JSON.stringify(record), { authorization: scope })).toMatchObject(ok(1));
    const [file] = await filesWith([record.eventID], "caller-logs");
    expect(file?.key).toContain(`AWSLogs/${account}/`);
  });
});

describe("a record is refused alone, with its place and the reason", () => {
  const without = (name: string, record: EventRecord = managementEvent()) =>
    Object.fromEntries(Object.entries(record).filter(([other]) => other !== name));
  const named = (name: string) => expect.stringContaining(name);

  test.each<[what: string, record: unknown, message: unknown]>([
    ...["eventVersion", "eventTime", "eventSource", "eventName", "awsRegion", "userIdentity"].map(
      (name): [string, unknown, unknown] => [`without ${name}`, without(name), named(name)],
    ),
    ...["eventSource", "eventName", "awsRegion"].map((name): [string, unknown, unknown] => [
      `a data event without ${name}`,
      without(name, objectEvent({ operation: "GetObject", bucket: "b", key: "k", readOnly: true })),
      named(name),
    ]),
    ["of a Region that is not configured", managementEvent({ awsRegion: "ap-south-1" }), named("awsRegion")],
    ["of a Region that is none", managementEvent({ awsRegion: "" }), named("awsRegion")],
    [
      "of an account that is none",
      managementEvent({ recipientAccountId: "1234" }),
      named("recipientAccountId"),
    ],
    ["with a number for a name", managementEvent({ eventName: 5 }), named("eventName")],
    [
      "with a category that is none",
      managementEvent({ eventCategory: "Everything" }),
      named("eventCategory"),
    ],
    ["that is a list", [], expect.any(String)],
    ["that is a text", "record", expect.any(String)],
    ["that is null", null, expect.any(String)],
    ["that is empty", {}, expect.any(String)],
  ])("%s", async (_what, record, message) => {
    const [before, after] = batch(2);
    const answer = await post(lines([before, record, after]));
    expect(answer).toMatchObject({ status: 200, json: { accepted: 2, rejected: [{ index: 1, message }] } });
    expect(answer.json.rejected).toHaveLength(1);
    expect(answer.json.rejected?.[0]?.code).toMatch(/^[A-Z][A-Za-z]+$/);
    await filesWith([before?.eventID ?? "", after?.eventID ?? ""]);
  });

  test("also in an array", async () => {
    const answer = await post(JSON.stringify([{ bad: true }, managementEvent(), { worse: true }]));
    expect(answer).toMatchObject({
      status: 200,
      json: { accepted: 1, rejected: [{ index: 0 }, { index: 2 }] },
    });
  });

  test("a broken line between good ones", async () => {
    const [before, after] = batch(2);
    const body = `${JSON.stringify(before)}\n{"eventID": \n${JSON.stringify(after)}`;
    expect(await post(body)).toMatchObject({ status: 200, json: { accepted: 2, rejected: [{ index: 1 }] } });
  });

  test("a line that is no UTF-8", async () => {
    const good = new TextEncoder().encode(`\n${JSON.stringify(managementEvent())}`);
    const bad = new TextEncoder().encode(JSON.stringify(managementEvent({ userAgent: "??" })));
    bad[new TextDecoder().decode(bad).indexOf("??")] = 0xff;
    const answer = await post(Buffer.concat([bad, good]));
    expect(answer).toMatchObject({ status: 200, json: { accepted: 1, rejected: [{ index: 0 }] } });
  });

  test("all of them: 400, still one by one", async () => {
    const answer = await post(lines([{ bad: true }, { worse: true }]));
    expect(answer).toMatchObject({
      status: 400,
      json: { accepted: 0, rejected: [{ index: 0 }, { index: 1 }] },
    });
  });
});

describe("a body that is no batch is refused whole", () => {
  test.each<[what: string, body: string | Uint8Array, headers?: Record<string, string>]>([
    ["a text", "hello"],
    ["a number", "5"],
    ["a cut-off array", JSON.stringify(batch(2)).slice(0, -1)],
    ["a cut-off log file", JSON.stringify({ Records: batch(2) }).slice(0, -2)],
    ["what is said to be gzip and is not", lines(batch(1)), { "content-encoding": "gzip" }],
    ["cut-off gzip", gzipSync(lines(batch(50))).subarray(0, 200), { "content-encoding": "gzip" }],
  ])("%s", async (_what, body, headers) => {
    const answer = await post(body, headers);
    expect(answer.status).toBe(400);
    expect(answer.json.accepted ?? 0).toBe(0);
  });

  test.each(["GET", "PUT", "DELETE"])("%s is no way to post", async (method) => {
    const response = await fetch(`${api.url}/events`, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toContain("POST");
  });

  test("too large, plain or inflated: 413", async () => {
    const large = "\n".repeat(9 * mebibyte);
    for (const answer of [
      await post(large),
      await post(gzipSync(large), { "content-encoding": "gzip" }),
      await post(gzipSync(large)),
    ]) {
      expect(answer.status).toBe(413);
    }
    expect(await post(lines(batch(1)))).toMatchObject(ok(1));
  });
});

describe("log files", () => {
  const minuteLabel = /_(\d{8}T\d{4})Z_[A-Za-z0-9]{16}\.json\.gz$/;

  function expectName(
    key: string,
    place: { account: string; region: string; folder: string; root?: string },
  ): void {
    const { account, region, folder, root = "AWSLogs" } = place;
    expect(key).toMatch(
      new RegExp(
        `^${root}/${account}/${folder}/${region}/\\d{4}/\\d\\d/\\d\\d/${account}_${folder}_${region}_\\d{8}T\\d{4}Z_[A-Za-z0-9]{16}\\.json\\.gz$`,
      ),
    );
    const label = minuteLabel.exec(key)?.[1] ?? "";
    expect(Number(label.slice(-2)) % 5).toBe(0);
    expect(key).toContain(`/${label.slice(0, 4)}/${label.slice(4, 6)}/${label.slice(6, 8)}/`);
    const labelMs = Date.UTC(
      ...([
        Number(label.slice(0, 4)),
        Number(label.slice(4, 6)) - 1,
        ...[label.slice(6, 8), label.slice(9, 11), label.slice(11)].map(Number),
      ] as [number, number, number, number, number]),
    );
    expect(Math.abs(Date.now() - labelMs)).toBeLessThan(10 * 60_000);
  }

  test("hold one account and one Region each", async () => {
    const places = [home, elsewhere].map((awsRegion) => managementEvent({ awsRegion }));
    await post(lines(places));
    for (const event of places) {
      const [file] = await filesWith([event.eventID]);
      const region = String(event["awsRegion"]);
      expectName(file?.key ?? "", { account: caller, region, folder: "CloudTrail" });
      for (const record of file?.records ?? []) {
        expect(record).toMatchObject({ awsRegion: region, recipientAccountId: caller });
      }
    }
  });

  test("of an organization trail stand under the organization, one per member", async () => {
    await makeBucket(api.url, "org-logs");
    const client = api.as(organization.management);
    await client.createTrail({
      ...{ Name: "org-trail", S3BucketName: "org-logs", S3KeyPrefix: "audit" },
      ...{ IsOrganizationTrail: true, IsMultiRegionTrail: true },
    });
    await client.startLogging({ Name: "org-trail" });
    const accounts = [organization.management, organization.member, "999999999999"];
    const events = accounts.map((recipientAccountId) => managementEvent({ recipientAccountId }));
    await post(lines(events));
    for (const [index, account] of accounts.slice(0, 2).entries()) {
      const [file] = await filesWith([events[index]?.eventID ?? ""], "org-logs");
      const root = `audit/AWSLogs/${organization.id}`;
      expectName(file?.key ?? "", { account, region: home, folder: "CloudTrail", root });
    }
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(logFiles(api.cairn.dataDir, "org-logs").flatMap(idsOf)).not.toContain(events[2]?.eventID);
    await client.deleteTrail({ Name: "org-trail" });
  });

  const network = () => {
    const {
      requestParameters: _,
      responseElements: _r,
      readOnly: _o,
      managementEvent: _m,
      userAgent: _u,
      ...rest
    } = managementEvent({
      eventType: "AwsVpceEvent",
      eventCategory: "NetworkActivity",
      vpcEndpointId: "vpce-1a2b3c4d",
      vpcEndpointAccountId: caller,
    });
    return rest as unknown as EventRecord;
  };
  const insight = (insightType: string): EventRecord => ({
    eventVersion: "1.11",
    eventTime: "2026-01-10T09:18:00Z",
    awsRegion: home,
    eventID: crypto.randomUUID(),
    eventType: "AwsCloudTrailInsight",
    recipientAccountId: caller,
    sharedEventID: crypto.randomUUID(),
    insightDetails: {
      state: "Start",
      eventSource: "ec2.amazonaws.com",
      eventName: "RunInstances",
      insightType,
      insightContext: {},
    },
    eventCategory: "Insight",
  });

  test.each<[folder: string, event: () => EventRecord]>([
    ["CloudTrail", () => objectEvent({ operation: "GetObject", bucket: "b", key: "k", readOnly: true })],
    ["CloudTrail-NetworkActivity", network],
    ["CloudTrail-Insight", () => insight("ApiCallRateInsight")],
  ])("%s", async (folder, make) => {
    const event = make();
    expect(await post(lines([event]))).toMatchObject(ok(1));
    const [file] = await filesWith([event.eventID]);
    expectName(file?.key ?? "", { account: caller, region: home, folder });
    expect(file?.records).toContainEqual(event);
  });

  test("leave out Insights the trail has not turned on, and audit events", async () => {
    const audit = {
      eventVersion: "1.11",
      eventCategory: "ActivityAuditLog",
      eventType: "ActivityLog",
      eventID: crypto.randomUUID(),
      eventTime: "2026-01-10T09:18:41Z",
      awsRegion: home,
      recipientAccountId: caller,
      metadata: {
        ingestionTime: "2026-01-10T09:18:41Z",
        channelARN: "arn:aws:cloudtrail:us-east-1:1:channel/x",
      },
      eventData: { version: "1.0" },
    };
    const other = insight("ApiErrorRateInsight");
    const [last] = batch(1);
    expect(await post(lines([audit, other, last]))).toMatchObject(ok(3));
    await filesWith([last?.eventID ?? ""]);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(files().flatMap(idsOf)).not.toContain(other.eventID);
    expect(files().flatMap(idsOf)).not.toContain(audit.eventID);
  });

  test("are one line of JSON in exactly one gzip member", async () => {
    await filesWith(await postedIds(3));
    const root = join(api.cairn.dataDir, "buckets", bucket);
    const paths = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".json.gz"))
      .map((entry) => join(entry.parentPath, entry.name));
    expect(paths.length).toBeGreaterThan(3);
    for (const path of paths) expectOneMember(readFileSync(path));
    for (const file of files()) {
      expect(file.text).toMatch(/^\{"Records":\[\{.*\}\]\}$/su);
      expect(file.text).not.toMatch(/[\r\n]/);
      expect(file.records.length).toBeGreaterThan(0);
    }
  });

  test("are split at the limit, and every record is there once", async () => {
    const filler = "x".repeat(700_000);
    const records = Array.from({ length: 10 }, () => managementEvent({ requestParameters: { filler } }));
    expect(await post(lines(records))).toMatchObject(ok(10));
    const ids = records.map((record) => record.eventID);
    const found = await filesWith(ids);
    expect(found.length).toBeGreaterThanOrEqual(5);
    for (const file of found) expect(Buffer.byteLength(file.text)).toBeLessThanOrEqual(2 * mebibyte);
    expect(
      found
        .flatMap(idsOf)
        .filter((id) => ids.includes(id))
        .toSorted(),
    ).toEqual(ids.toSorted());
  });

  async function postedIds(count: number): Promise<string[]> {
    const records = batch(count);
    await post(lines(records));
    return records.map((record) => record.eventID);
  }

  function expectOneMember(bytes: Uint8Array): void {
    // Magic, deflate, and no optional parts: the header has ten bytes, the trailer eight.
    expect([...bytes.subarray(0, 4)]).toEqual([0x1f, 0x8b, 8, 0]);
    const { engine } = inflateRawSync(bytes.subarray(10), { info: true }) as unknown as {
      engine: { bytesWritten: number };
    };
    expect(10 + engine.bytesWritten + 8).toBe(bytes.length);
  }
});

describe("the Region of a trail decides too", () => {
  const account = "444455556666";
  const trails = [
    { name: "near-all", region: home, settings: {} },
    { name: "near-regional", region: home, settings: { IncludeGlobalServiceEvents: false } },
    { name: "far-all", region: elsewhere, settings: {} },
    { name: "far-multi", region: elsewhere, settings: { IsMultiRegionTrail: true } },
  ] as const;
  beforeAll(async () => {
    for (const { name, region, settings } of trails) {
      await makeBucket(api.url, name);
      await api.as(account, region).createTrail({ Name: name, S3BucketName: name, ...settings });
      await api.as(account, region).startLogging({ Name: name });
    }
  });

  test.each<[what: string, eventSource: string, awsRegion: string, expected: string[]]>([
    ["a Region's event", "ec2.amazonaws.com", home, ["near-all", "near-regional", "far-multi"]],
    ["an event of the other Region", "ec2.amazonaws.com", elsewhere, ["far-all", "far-multi"]],
    ["a global service's event", "iam.amazonaws.com", home, ["near-all", "far-multi"]],
  ])("%s", async (_what, eventSource, awsRegion, expected) => {
    const event = managementEvent({ eventSource, awsRegion, recipientAccountId: account });
    await post(lines([event]));
    for (const name of expected) await filesWith([event.eventID], name);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const reached = trails
      .map(({ name }) => name)
      .filter((name) => logFiles(api.cairn.dataDir, name).flatMap(idsOf).includes(event.eventID));
    expect(reached).toEqual(expected);
  });
});

describe("a full journal", () => {
  let cairn: CairnProcess;
  beforeAll(async () => {
    const limits = ["--journal-bytes-max", "24MB", "--journal-reserve", "8MB"];
    cairn = await startCairn({ args: ["--auth", "off", "--delivery-interval", "1h", ...limits] });
  });
  afterAll(() => cairn.dispose());

  test("refuses events with 503 and a time to wait, but still takes calls", async () => {
    await makeBucket(cairn.url, bucket);
    const credentials = { accessKeyId: caller, secretAccessKey: "not-checked" };
    const { CloudTrail } = await import("@aws-sdk/client-cloudtrail");
    const client = new CloudTrail({ endpoint: cairn.url, region: home, credentials, maxAttempts: 1 });
    await client.createTrail({ Name: "my-trail", S3BucketName: bucket });
    await client.startLogging({ Name: "my-trail" });
    const filler = "x".repeat(900_000);
    let accepted = 0;
    let answer: Answer;
    do {
      answer = await post(lines([managementEvent({ requestParameters: { filler } })]), {}, cairn.url);
      accepted += answer.json.accepted ?? 0;
    } while (answer.status === 200 && accepted < 60);
    expect(accepted).toBeGreaterThan(5);
    expect(answer.status).toBe(503);
    expect(Number(answer.retryAfter)).toBeGreaterThan(0);
    expect(answer.json).toMatchObject({ __type: "ThrottlingException" });
    expect((await client.getTrailStatus({ Name: "my-trail" })).IsLogging).toBe(true);
    await client.stopLogging({ Name: "my-trail" });
    expect((await client.getTrailStatus({ Name: "my-trail" })).IsLogging).toBe(false);
  });
});
