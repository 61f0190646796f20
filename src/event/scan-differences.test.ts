// The scanner against the plain one and JSON.parse: mutated records, records cut by windows, texts in great number.
import { describe, expect, test } from "vitest";
import { mutatedBody, largeBody, seededRandom } from "../../test/fuzz/mutated-bodies.ts";
import { differenceOf, nothingSeen } from "../../test/fuzz/scanner-differences.ts";
import { eventTimeOf } from "./event-time.ts";
import { scanBatch, type ScannedRecord } from "./scan.ts";

const bytesOf = (text: string) => Buffer.from(text);
const encoded = (value: unknown) => bytesOf(JSON.stringify(value));

/** A record that lacks nothing, of about a kilobyte; `changes` go over it. */
function whole(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    eventVersion: "1.11",
    userIdentity: { type: "Root", arn: "arn:aws:iam::123456789012:root", note: "x".repeat(600) },
    eventTime: "2026-01-10T09:18:41Z",
    eventSource: "s3.amazonaws.com",
    eventName: "GetObject",
    awsRegion: "us-east-1",
    requestParameters: { key: "é/日本", list: [1, 2.5, null, { a: [] }] },
    eventID: "0c1f6d1e-7a3c-4f5d-9d50-3f8e2b1a9c77",
    readOnly: true,
    resources: [{ type: "AWS::S3::Object", ARN: "arn:aws:s3:::b/é" }],
    eventType: "AwsApiCall",
    recipientAccountId: "123456789012",
    eventCategory: "Data",
    ...changes,
  };
}

function recordsOf(bytes: Uint8Array): readonly ScannedRecord[] {
  const scan = scanBatch(bytes);
  if (scan.kind === "malformed") throw new Error(scan.message);
  return scan.records;
}

const isAffirmed = (record: ScannedRecord) => record.constructor !== Object;

describe("the scanner says what the plain one says", () => {
  test("of 50,000 mutated records", { timeout: 120_000 }, () => {
    const random = seededRandom(15);
    const seen = nothingSeen();
    for (let put = 0; put < 50_000; ) {
      const { bytes, records } = mutatedBody(random);
      const difference = differenceOf(bytes, seen);
      if (difference !== undefined) throw new Error(`${difference}\n${bytes.toString("latin1")}`);
      put += records;
    }
    // Each kind of answer was compared often.
    expect(Math.min(seen.problems, seen.affirmed)).toBeGreaterThan(10_000);
    expect(Math.min(seen.malformed, seen.complete)).toBeGreaterThan(2000);
  });

  test("of bodies of several windows", { timeout: 60_000 }, () => {
    const random = seededRandom(16);
    const seen = nothingSeen();
    for (let turn = 0; turn < 25; turn += 1) {
      const difference = differenceOf(largeBody(random).bytes, seen);
      if (difference !== undefined) throw new Error(difference);
    }
    expect(seen.affirmed).toBeGreaterThan(5000);
  });

  test("wherever a window ends", { timeout: 60_000 }, () => {
    const record = JSON.stringify(whole());
    const seen = nothingSeen();
    for (const [head, gap, tail] of [
      ["", "\n", ""],
      ["[", " , ", "]"],
      ['{"Records":[', ",", "]}"],
    ] as const) {
      // The window is 512 KB: its end moves through a whole record and what stands around it.
      for (let shift = 0; shift < record.length + 20; shift += 17) {
        const first = JSON.stringify(whole({ pad: "p".repeat(512 * 1024 - 2 * record.length + shift) }));
        const body = bytesOf(head + [first, record, record, record].join(gap) + tail);
        expect(differenceOf(body, seen)).toBeUndefined();
      }
    }
    expect(seen.affirmed).toBe(seen.records);
  });
});

describe("records that nearly all are", () => {
  test("are affirmed and complete, in every form", () => {
    const own = [
      whole(),
      whole({ eventCategory: "Management", resources: null }),
      whole({ errorCode: "AccessDenied" }),
    ];
    const bodies = [
      own.map((one) => JSON.stringify(one)).join("\n"),
      JSON.stringify(own),
      JSON.stringify(own, null, 2),
      JSON.stringify({ Records: own }),
      JSON.stringify({ Records: own }, null, "\t"),
      JSON.stringify({ version: 1, Records: own }),
    ];
    const expected = own.map((one) => recordsOf(encoded(one))).flatMap((records) => fieldsOf(records));
    for (const body of bodies) {
      const records = recordsOf(bytesOf(body));
      expect(records.every(isAffirmed), body.slice(0, 30)).toBe(true);
      expect(records.every((one) => "fields" in one && one.isComplete)).toBe(true);
      expect(fieldsOf(records)).toEqual(expected);
    }
  });

  test("are affirmed one by one when they span lines", () => {
    const [record] = recordsOf(bytesOf(JSON.stringify(whole(), null, 2)));
    expect(record && isAffirmed(record) && "fields" in record && record.mayHaveLineBreak).toBe(true);
  });

  test("are affirmed with empty keys, which are no keys that matter", () => {
    const record = whole({
      "": "a",
      userIdentity: { "": "b" },
      resources: [{ "": "c", type: "d" }, { "": { "": 1 } }],
    });
    const records = recordsOf(encoded(record));
    expect(records.map(isAffirmed)).toEqual([true]);
    expect(fieldsOf(records)).toEqual([
      {
        ...(fieldsOf(recordsOf(encoded(whole())))[0] as object),
        userIdentityArn: undefined,
        resources: [{ type: "d" }, {}],
      },
    ]);
    expect(differenceOf(encoded(record), nothingSeen())).toBeUndefined();
  });

  test("are affirmed with escapes in texts that are not shared", () => {
    const record = whole({
      requestParameters: { a: "\ud83d\ude00 \n" },
      userIdentity: { arn: "a/b" },
      resources: [{ ARN: "é" }],
    });
    const text = JSON.stringify(record)
      .replaceAll(/[^ -~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .replaceAll("/", "\\/");
    const [own] = recordsOf(bytesOf(text));
    expect(text).toContain("\\ud83d\\ude00");
    expect(own && isAffirmed(own) && "fields" in own && own.inPlace.userIdentityArn).toBe("a/b");
    expect(own && fieldsOf([own])).toEqual(fieldsOf(recordsOf(encoded(record))));
  });

  test.each(["eventTime", "eventID"] as const)("are complete by the form of %s", (name) => {
    const good = String(whole()[name]);
    const seen = nothingSeen();
    const others = ["0", "9", "Z", "z", "-", ":", "T", "/", "@", "[", "`", "{", "é", ""];
    const forms = Array.from({ length: good.length }).flatMap((_, at) =>
      others.map((one) => good.slice(0, at) + one + good.slice(at + 1)),
    );
    const days = ["02-29", "02-28", "04-31", "12-31", "13-01", "00-10", "01-00"].flatMap((day) =>
      ["1900", "2000", "2023", "2024"].map((year) => `${year}-${day}T23:59:60Z`),
    );
    const body = [...forms, ...days].map((value) => JSON.stringify(whole({ [name]: value }))).join("\n");
    expect(differenceOf(bytesOf(body), seen)).toBeUndefined();
    expect(seen.affirmed).toBe(seen.records);
    expect(seen.complete).toBeGreaterThan(10);
    expect(seen.complete).toBeLessThan(seen.records / 2);
  });

  test.each([
    ["a key with an escape", '{"event\\u004eame":"A"}'],
    ["a repeated key", '{"eventName":"A","eventName":"B"}'],
    ["a key Records", '{"Records":1}'],
    ["a text too long to share", JSON.stringify({ eventName: "n".repeat(129) })],
    ["a shared text with an escape", '{"eventName":"\\u0041"}'],
  ])("or are read plainly: %s", (_name, text) => {
    const records = recordsOf(bytesOf(text));
    expect(records.map(isAffirmed)).toEqual([false]);
  });

  function fieldsOf(records: readonly ScannedRecord[]): unknown[] {
    return records.map((record) => ("fields" in record ? record.fields : record.problem));
  }
});

describe("shared texts", () => {
  const names = (records: readonly ScannedRecord[]) =>
    records.map((record) => ("fields" in record ? record.inPlace.eventName : undefined));

  test("are right when there are more of them than are kept", () => {
    const seen = nothingSeen();
    for (const turn of [1, 2, 3]) {
      const body = Array.from({ length: 20_000 }, (_, at) =>
        JSON.stringify({ eventName: `Name${turn}-${at}`, errorCode: "AccessDenied", readOnly: true }),
      ).join("\n");
      expect(differenceOf(bytesOf(body), seen), `turn ${turn}`).toBeUndefined();
    }
    // The first ones of each turn were kept, the others read plainly.
    expect(seen.affirmed).toBeGreaterThan(3 * 12_000);
    expect(seen.affirmed).toBeLessThan(seen.records);
  });

  test.each([
    ["Name023924", "Name077039"],
    ["Name085159", "Name137466"],
  ])("are told apart where their hashes are equal: %s and %s", (...own) => {
    // Found by trying: should the hash change (assembly/interned.ts), so must they.
    const records = recordsOf(bytesOf(own.map((eventName) => JSON.stringify({ eventName })).join("\n")));
    expect(records.map(isAffirmed)).toEqual([true, true]);
    expect(names(records)).toEqual(own);
  });

  test("are not taken for one that goes on", () => {
    const body = [
      '{"eventName":"Name5"}',
      '{"eventName":"Name5x}',
      '{"eventName":"Name5x"}',
      '{"eventName":"Name"}',
    ];
    expect(names(recordsOf(bytesOf(body.join("\n"))))).toEqual(["Name5", undefined, "Name5x", "Name"]);
    expect(differenceOf(bytesOf(body.join("\n")), nothingSeen())).toBeUndefined();
  });

  test("of an earlier body stay what they were", () => {
    const before = recordsOf(encoded({ eventName: "Before" }));
    for (let turn = 0; turn < 40; turn += 1) {
      recordsOf(bytesOf(Array.from({ length: 500 }, (_, at) => `{"eventName":"${turn}-${at}"}`).join("\n")));
    }
    expect(names(before)).toEqual(["Before"]);
  });
});

describe("eventTimeOf", () => {
  test.each([
    ["a record", JSON.stringify(whole()), "2026-01-10T09:18:41Z"],
    ["a time of another form", '{"eventTime":"now"}', "now"],
    ["a record that is odd", '{"event\\u0054ime":"now","eventTime":"then"}', "then"],
    ["a time with an escape", '{"eventTime":"no\\u0077"}', "now"],
    ["no time", '{"a":{"eventTime":"inner"}}', undefined],
    ["no record", "[1]", undefined],
    ["no JSON", '{"eventTime":"now"', undefined],
  ])("of %s", (_name, text, expected) => {
    expect(eventTimeOf(bytesOf(text))).toBe(expected);
  });
});
