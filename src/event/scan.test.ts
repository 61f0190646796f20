// The scanner: every form of a body, every way to be wrong, and its agreement with JSON.parse on random bytes.
import { gunzipSync, gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compactRecord, scanBatch } from "./scan.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const bytesOf = (body: string | Uint8Array) => (typeof body === "string" ? encoder.encode(body) : body);

/** The scan of a body as short texts: `a:PutObject@3-20` for a record by its eventName, `!` and the problem otherwise. */
function summary(body: string | Uint8Array): string[] | string {
  const bytes = bytesOf(body);
  const scan = scanBatch(bytes);
  if (scan.kind === "malformed") return `malformed: ${scan.message}`;
  expect(scan.records.map(({ index }) => index)).toEqual(scan.records.map((_, index) => index));
  return scan.records.map((record) =>
    "problem" in record
      ? `! ${record.problem.replace(/(not valid JSON: ).*/s, "$1…")}`
      : `${record.fields.eventName} ${decoder.decode(bytes.subarray(record.start, record.end))}`,
  );
}

const a = '{"eventName":"A"}';
const b = '{ "eventName" : "B" }';
const notJson = "! The record is not valid JSON: …";
const notObject = "! The record is not a JSON object.";
const notUtf8 = "! The record is not valid UTF-8.";
const surrogate = "! The record has an unpaired surrogate escape, which no UTF-8 text can hold.";
const tooLarge = "! The record is larger than 1048576 bytes.";
const tooDeep = "! The record is nested deeper than 100 levels.";
const noForm =
  'malformed: The body is neither records line by line, nor a JSON array of records, nor {"Records":[…]}.';

/** A record of that many bytes. */
const sized = (length: number) => `{"eventName":"A","x":"${"x".repeat(length - 24)}"}`;
/** A record whose deepest place has that many open brackets. */
const nested = (depth: number) => `{"x":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)},"eventName":"A"}`;

describe("forms of a body", () => {
  test.each<readonly [string, string | Uint8Array, readonly string[]]>([
    ["empty", "", []],
    ["white space", " \r\n\t ", []],
    ["only a byte order mark", "\uFEFF", []],
    ["one record", a, [`A ${a}`]],
    [
      "one record over several lines",
      '{\n  "eventName": "A",\r\n  "x": {\n  }\n}\n',
      ['A {\n  "eventName": "A",\r\n  "x": {\n  }\n}'],
    ],
    ["an empty object", "{}", ["undefined {}"]],
    ["NDJSON", `${a}\n${b}`, [`A ${a}`, `B ${b}`]],
    ["NDJSON with a last line feed", `${a}\n${b}\n`, [`A ${a}`, `B ${b}`]],
    ["NDJSON with CRLF", `${a}\r\n${b}\r\n`, [`A ${a}`, `B ${b}`]],
    ["NDJSON with blank lines and spaces", `\n\n  ${a}  \n \t\r\n${b}\n\n`, [`A ${a}`, `B ${b}`]],
    ["NDJSON with a byte order mark", `\uFEFF${a}\n${b}`, [`A ${a}`, `B ${b}`]],
    ["a byte order mark in a later line", `${a}\n\uFEFF${b}`, [`A ${a}`, notJson]],
    ["array", `[${a},${b}]`, [`A ${a}`, `B ${b}`]],
    ["array with white space", ` \n[ ${a}\n,\t${b} ]\r\n`, [`A ${a}`, `B ${b}`]],
    ["array with a byte order mark", `\uFEFF[${a}]`, [`A ${a}`]],
    ["empty array", "[]", []],
    ["empty array with white space", "[ \n ]", []],
    ["log file", `{"Records":[${a},${b}]}`, [`A ${a}`, `B ${b}`]],
    ["log file with white space", `\n{ "Records" :\n[ ${a} , ${b} ]\n}\n`, [`A ${a}`, `B ${b}`]],
    ["empty log file", '{"Records":[]}', []],
    ["log file with other members", `{"version":{"a":[1,"}"]},"Records":[${a}],"n":null}`, [`A ${a}`]],
    ["log file with an escaped key", `{"R\\u0065cords":[${a}]}`, [`A ${a}`]],
    ["log file with two lists: the last wins", `{"Records":[${a}],"Records":[${b}]}`, [`B ${b}`]],
    [
      "Records that is no list is a record",
      '{"Records":{},"eventName":"A"}',
      ['A {"Records":{},"eventName":"A"}'],
    ],
    [
      "Records that is a list only at first is a record",
      '{"Records":[],"Records":1}',
      ['undefined {"Records":[],"Records":1}'],
    ],
    [
      "brackets, quotes and backslashes in strings",
      `[{"eventName":"]}\\"[{\\\\"},${a}]`,
      [']}"[{\\ {"eventName":"]}\\"[{\\\\"}', `A ${a}`],
    ],
    [
      "a repeated key: the last wins",
      '{"eventName":"A","eventName":"B"}',
      ['B {"eventName":"A","eventName":"B"}'],
    ],
    ["an escaped key", '{"event\\u004eame":"A"}', ['A {"event\\u004eame":"A"}']],
    [
      "a key __proto__ is a key like others",
      '{"__proto__":{"eventName":"A"}}',
      ['undefined {"__proto__":{"eventName":"A"}}'],
    ],
    ["exactly 1 MB", sized(1024 * 1024), [`A ${sized(1024 * 1024)}`]],
    ["exactly 100 levels", nested(100), [`A ${nested(100)}`]],
    [
      "surrogate pairs and escaped backslashes",
      '{"eventName":"A","x":"\\uD83D\\uDE00 \\\\ud800"}',
      ['A {"eventName":"A","x":"\\uD83D\\uDE00 \\\\ud800"}'],
    ],
  ])("%s", (_name, body, expected) => {
    expect(summary(body)).toEqual(expected);
  });
});

const invalidUtf8 = (text: string) =>
  Uint8Array.from(encoder.encode(text), (code) => (code === 0x23 ? 0xff : code));

describe("a bad record never takes its neighbours with it", () => {
  test.each<readonly [string, string | Uint8Array, readonly string[]]>([
    ["a line that is no JSON", `${a}\n{"eventName":}\n${b}`, [`A ${a}`, notJson, `B ${b}`]],
    ["the first line is cut", `{"eventName":"A"\n${a}\n${b}`, [notJson, `A ${a}`, `B ${b}`]],
    ["the first line ends inside a string", `{"eventName":"A\n${a}\n${b}`, [notJson, `A ${a}`, `B ${b}`]],
    ["the last line is cut", `${a}\n{"eventName":"B`, [`A ${a}`, notJson]],
    ["two broken lines that balance each other", `{"x":{\n${a}\n}}`, [notJson, `A ${a}`, notJson]],
    ["the first line is garbage", `garbage\n${a}`, [notJson, `A ${a}`]],
    ["two records in one line", `${a}${a}\n${b}`, [notJson, `B ${b}`]],
    ["lines that are no objects", `${a}\n1\nnull\n"x"\n[1]\ntrue`, [`A ${a}`, ...Array(5).fill(notObject)]],
    [
      "array elements that are no objects",
      `[1,${a},null,"x",[{}],-1.5e3,true]`,
      [notObject, `A ${a}`, ...Array(5).fill(notObject)],
    ],
    ["a line that is too large", `${a}\n${sized(1024 * 1024 + 1)}\n${b}`, [`A ${a}`, tooLarge, `B ${b}`]],
    ["an element that is too large", `[${a},${sized(1024 * 1024 + 1)},${b}]`, [`A ${a}`, tooLarge, `B ${b}`]],
    ["a line nested too deeply", `${a}\n${nested(101)}\n${b}`, [`A ${a}`, tooDeep, `B ${b}`]],
    ["an element nested too deeply", `[${a},${nested(101)},${b}]`, [`A ${a}`, tooDeep, `B ${b}`]],
    ["a single record nested too deeply", nested(5000), [tooDeep]],
    ["a line that opens brackets only", `${a}\n${"[".repeat(100_000)}\n${b}`, [`A ${a}`, notJson, `B ${b}`]],
    ["a line that is not UTF-8", invalidUtf8(`${a}\n{"eventName":"#"}\n${b}`), [`A ${a}`, notUtf8, `B ${b}`]],
    [
      "an element that is not UTF-8",
      invalidUtf8(`[${a},{"eventName":"#"},${b}]`),
      [`A ${a}`, notUtf8, `B ${b}`],
    ],
    ["a lone high surrogate", `${a}\n{"x":"\\uD83D"}`, [`A ${a}`, surrogate]],
    ["a lone low surrogate", `[${a},{"x":"a\\udE00"}]`, [`A ${a}`, surrogate]],
    ["a pair the wrong way round", '{"x":"\\uDE00\\uD83D"}', [surrogate]],
    ["a pair torn apart", '{"x":"\\uD83D \\uDE00"}', [surrogate]],
    ["a lone surrogate in a key", '{"\\ud800":1}', [surrogate]],
    ["a lone surrogate behind an escaped backslash", '{"x":"\\\\\\ud800"}', [surrogate]],
  ])("%s", (_name, body, expected) => {
    expect(summary(body)).toEqual(expected);
  });

  test.each([
    ["eventName", "1", "The member eventName must be a string."],
    ["eventName", "null", "The member eventName is null; it must be a string."],
    ["eventID", "null", "The member eventID is null; it must be a string."],
    ["recipientAccountId", "123456789012", "The member recipientAccountId must be a string."],
    ["eventCategory", "null", "The member eventCategory is null; it must be a string."],
    ["eventTime", "[]", "The member eventTime must be a string."],
    ["errorCode", "{}", "The member errorCode must be a string."],
    ["sessionCredentialFromConsole", "true", "The member sessionCredentialFromConsole must be a string."],
    ["readOnly", '"true"', "The member readOnly must be a boolean."],
    ["managementEvent", "0", "The member managementEvent must be a boolean."],
    ["userIdentity", '"root"', "The member userIdentity must be an object."],
    ["userIdentity", "[]", "The member userIdentity must be an object."],
    ["userIdentity", '{"arn":1}', "The member userIdentity.arn must be a string."],
    ["insightDetails", '{"insightType":[]}', "The member insightDetails.insightType must be a string."],
    ["resources", "{}", "The member resources must be an array."],
    ["resources", "[{},null]", "An entry of resources is not an object."],
    ["resources", '[{"type":1}]', "The member resources.type must be a string."],
    ["resources", '[{"ARNPrefix":1}]', "The member resources.ARN must be a string."],
  ])("a wrong type: %s %s", (name, value, problem) => {
    const record = `{"${name}":${value}}`;
    const expected = [`A ${a}`, `! ${problem}`];
    expect(summary(`${a}\n${record}`)).toEqual(expected);
    expect(summary(`[${a},${record}]`)).toEqual(expected);
  });
});

describe("a body that is none of the forms is refused whole", () => {
  test.each<readonly [string, string | Uint8Array, string]>([
    ["a word", "hello", noForm],
    ["a scalar", "null", noForm],
    ["a string", '"x"', noForm],
    ["gzip that was not announced", new Uint8Array(gzipSync(encoder.encode(a))), noForm],
    ["an open array", `[${a},${b}`, "malformed: The array is not closed."],
    ["an array that ends behind a comma", `[${a},`, "malformed: The array is not closed."],
    ["only a bracket", "[", "malformed: The array is not closed."],
    [
      "an array that ends inside an element",
      `[${a},{"eventName":"B`,
      "malformed: The array is broken at its element 1.",
    ],
    ["a comma too many", `[${a},]`, "malformed: The array is broken at its element 1."],
    ["a comma first", `[,${a}]`, "malformed: The array is broken at its element 0."],
    ["no comma", `[${a} ${b}]`, "malformed: The array is broken after its element 0."],
    ["text behind the array", `[${a}]x`, "malformed: The array is broken after its element 0."],
    ["text behind an empty array", "[]{}", "malformed: The array is broken at its element 0."],
    ["a second array", `[${a}]\n[${b}]`, "malformed: The array is broken after its element 0."],
    [
      "an element that is no JSON",
      `[${a},{"x":},${b}]`,
      "malformed: The array's element 1 is not valid JSON: the array cannot be trusted.",
    ],
    [
      "a word as an element",
      `[${a},nil]`,
      "malformed: The array's element 1 is not valid JSON: the array cannot be trusted.",
    ],
    [
      "brackets that do not fit",
      `[{"x":[}],${a}]`,
      "malformed: The array's element 0 is not valid JSON: the array cannot be trusted.",
    ],
    ["an open log file", `{"Records":[${a},${b}`, 'malformed: The "Records" object is not closed.'],
    [
      "a log file without its last brace",
      `{ "Records": [${a}]`,
      'malformed: The "Records" object is not closed.',
    ],
    [
      "a log file with a broken element",
      `{"Records":[${a},{"x":}]}`,
      "malformed: The array's element 1 is not valid JSON: the array cannot be trusted.",
    ],
    [
      "a log file with a broken member beside",
      `{"x":nil,"Records":[${a}]}`,
      'malformed: A member beside "Records" is not valid JSON, too large or nested too deeply.',
    ],
    [
      "a log file with a broken key beside",
      `{"\\x":1,"Records":[${a}]}`,
      'malformed: A member beside "Records" is not valid JSON, too large or nested too deeply.',
    ],
    [
      "a log file with a deep member beside",
      `{"x":${nested(101)},"Records":[${a}]}`,
      'malformed: A member beside "Records" is not valid JSON, too large or nested too deeply.',
    ],
    [
      "too many lines",
      "{}\n".repeat(200_001),
      "malformed: The body has more than 200000 records. Send it in several parts.",
    ],
    [
      "too many elements",
      `[${"{},".repeat(200_000)}{}]`,
      "malformed: The body has more than 200000 records. Send it in several parts.",
    ],
  ])("%s", (_name, body, expected) => {
    expect(summary(body)).toBe(expected);
  });

  test("one object that is no JSON is one bad record", () => {
    expect(summary('{"eventName":nil}')).toEqual([notJson]);
    expect(summary('{\n"eventName": nil\n}')).toEqual([notJson]);
    expect(summary('{"eventName":"A"')).toEqual([notJson]);
  });
});

describe("the fields of a record", () => {
  test("are its own, also when the scanner has read all that it has room for", () => {
    const arnOf = (at: number) => `arn:aws:s3:::bucket-${at}`;
    const lines = Array.from({ length: 2_500 }, (_, at) =>
      JSON.stringify({ eventVersion: "1.11", resources: [{ type: "AWS::S3::Bucket", ARN: arnOf(at) }] }),
    );
    const scan = scanBatch(encoder.encode(lines.join("\n")));
    const records = scan.kind === "records" ? scan.records : [];
    expect(records.map((record) => "fields" in record && record.fields.resources)).toEqual(
      lines.map((_, at) => [{ type: "AWS::S3::Bucket", arn: arnOf(at) }]),
    );
  });

  test("are what JSON.parse gives, absent where the record has none", () => {
    const record = {
      eventVersion: "1.11",
      userIdentity: { type: "IAMUser", arn: "arn:aws:iam::123456789012:user/märy" },
      eventTime: "2026-01-10T09:18:41Z",
      eventSource: "s3.amazonaws.com",
      eventName: "PutObject",
      awsRegion: "us-east-1",
      errorCode: null,
      readOnly: false,
      resources: [
        { accountId: "123456789012", type: "AWS::S3::Bucket", ARN: "arn:aws:s3:::bucket" },
        { type: "AWS::S3::Object", ARNPrefix: "arn:aws:s3:::bucket/pre" },
        { type: null, ARN: null, ARNPrefix: "x" },
        {},
      ],
      vpcEndpointId: "vpce-1",
      sessionCredentialFromConsole: "true",
      insightDetails: { insightType: "ApiCallRateInsight" },
    };
    const scan = scanBatch(encoder.encode(JSON.stringify(record)));
    expect(scan).toMatchObject({ kind: "records", records: [{ index: 0, start: 0 }] });
    const [scanned] = scan.kind === "records" ? scan.records : [];
    expect(scanned && "fields" in scanned && scanned.fields).toEqual({
      eventVersion: "1.11",
      hasUserIdentity: true,
      userIdentityArn: "arn:aws:iam::123456789012:user/märy",
      eventTime: "2026-01-10T09:18:41Z",
      eventSource: "s3.amazonaws.com",
      eventName: "PutObject",
      awsRegion: "us-east-1",
      readOnly: false,
      resources: [
        { type: "AWS::S3::Bucket", arn: "arn:aws:s3:::bucket" },
        { type: "AWS::S3::Object", arn: "arn:aws:s3:::bucket/pre" },
        { arn: "x" },
        {},
      ],
      vpcEndpointId: "vpce-1",
      sessionCredentialFromConsole: "true",
      insightType: "ApiCallRateInsight",
    });
  });

  test.each([
    ["{}", false],
    ['{"userIdentity":null}', true],
    ['{"userIdentity":{}}', true],
  ])("userIdentity of %s exists: %s", (body, expected) => {
    const scan = scanBatch(encoder.encode(body));
    expect(scan).toMatchObject({ records: [{ fields: { hasUserIdentity: expected, resources: [] } }] });
  });
});

describe("compactRecord", () => {
  test.each([
    ["one line keeps its bytes, spaces too", '{ "a" : 1 }', '{ "a" : 1 }'],
    ["line feeds", '{\n  "a": [1, 2],\n\t"b": "x y"\n}', '{"a":[1,2],"b":"x y"}'],
    ["carriage returns", '{\r"a": 1}', '{"a":1}'],
    ["strings stay untouched", '{\n"a \\" b": "\\\\", "c": " \\n "}', '{"a \\" b":"\\\\","c":" \\n "}'],
  ])("%s", (_name, record, expected) => {
    const bytes = encoder.encode(record);
    const compact = compactRecord(bytes);
    expect(decoder.decode(compact)).toBe(expected);
    if (record === expected) expect(compact).toBe(bytes);
  });

  test("never changes what a record says", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 1, "\t"), (value, indent) => {
        const pretty = JSON.stringify({ value }, null, indent);
        const compact = decoder.decode(compactRecord(encoder.encode(pretty)));
        expect(compact).toBe(pretty.includes("\n") ? JSON.stringify({ value }) : pretty);
      }),
      { seed: 11, numRuns: 2000 },
    );
  });
});

/** What the body means, said with JSON.parse alone; undefined where the forms overlap with broken text. */
function oracle(body: string): { records: unknown[] } | "malformed" {
  const parse = (text: string): { value: unknown } | undefined => {
    try {
      return { value: JSON.parse(text) };
    } catch {
      return undefined;
    }
  };
  const text = body.replace(/^\uFEFF/, "").replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  if (text === "") return { records: [] };
  const whole = parse(text);
  if (text.startsWith("[")) return whole ? { records: whole.value as unknown[] } : "malformed";
  if (whole && text.startsWith("{")) {
    const { Records: records } = whole.value as { Records?: unknown };
    return { records: Array.isArray(records) ? records : [whole.value] };
  }
  const lines = text.split("\n").filter((line) => /[^ \t\r]/.test(line));
  return { records: lines.map((line) => parse(line)?.value) };
}

describe("the scanner against JSON.parse", () => {
  const isRecord = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
  const token = fc.constantFrom(
    ...["{", "}", "[", "]", ",", ":", '"', "\\", "\n", "\r\n", " ", "null", "1", "-", "e", "0", '"Records"'],
    ...[a, b, '{"eventName":"C","x":[{}]}', '"eventName":', '"\\u0041"', '"x"', "é", "\uFEFF", "\u0001"],
  );
  const soup = fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join(""));
  const record = fc.record({ eventName: fc.string({ unit: "binary" }) }, { requiredKeys: [] });
  const list = fc.array(fc.oneof({ weight: 4, arbitrary: record }, fc.jsonValue()), { maxLength: 4 });
  const form = fc
    .tuple(list, fc.constantFrom(0, 1))
    .chain(([values, indent]) =>
      fc.constantFrom(
        JSON.stringify(values, null, indent),
        JSON.stringify({ Records: values }, null, indent),
        JSON.stringify({ other: 1, Records: values }, null, indent),
        values.map((value) => JSON.stringify(value)).join("\n"),
        values.map((value) => JSON.stringify(value)).join("\r\n"),
      ),
    );
  /** A good body with one byte replaced, removed or inserted. */
  const damaged = fc
    .tuple(
      form,
      fc.nat(200),
      fc.constantFrom("", "x", '"', "{", "}", "[", "]", ",", "\n", "\\"),
      fc.boolean(),
    )
    .map(([body, place, text, isReplacing]) => {
      const at = place % (body.length + 1);
      return body.slice(0, at) + text + body.slice(isReplacing ? at + 1 : at);
    });

  test("agrees on every body about what is a record, and on its name", { timeout: 60_000 }, () => {
    const seen = { records: 0, problems: 0, malformed: 0 };
    fc.assert(
      fc.property(fc.oneof(soup, form, damaged), (drawn) => {
        const bytes = encoder.encode(drawn);
        const body = decoder.decode(bytes);
        const scan = scanBatch(bytes);
        const expected = oracle(body);
        if (scan.kind === "malformed") {
          seen.malformed += 1;
          // Refused whole only when nothing in it could have been a record by itself.
          if (expected !== "malformed" && !looksLikeFile(body)) {
            expect(expected.records.filter(isRecord)).toEqual([]);
          }
          return;
        }
        if (expected === "malformed") throw new Error(`Accepted ${JSON.stringify(drawn)}`);
        const names = (values: readonly unknown[]) =>
          values.filter(isRecord).map((value) => (value as { eventName?: unknown }).eventName);
        const scanned = scan.records.map((one) => {
          if ("problem" in one) seen.problems += 1;
          else seen.records += 1;
          return "problem" in one ? undefined : { eventName: one.fields.eventName };
        });
        const readable = expected.records.filter(isReadable);
        expect(names(scanned)).toEqual(names(readable));
        for (const one of scan.records) {
          if ("problem" in one) continue;
          expect(isRecord(JSON.parse(decoder.decode(bytes.subarray(one.start, one.end))))).toBe(true);
        }
      }),
      { seed: 60_000, numRuns: 20_000 },
    );
    expect(seen.records).toBeGreaterThan(3000);
    expect(seen.problems).toBeGreaterThan(3000);
    expect(seen.malformed).toBeGreaterThan(1000);
  });

  const looksLikeFile = (body: string) => /^\uFEFF?\s*\{\s*"Records"\s*:\s*\[|"Records"\s*:\s*\[/.test(body);

  /** The generated values may have members that the scanner reads, of a wrong type; random names hit only this one. */
  function isReadable(value: unknown): boolean {
    if (!isRecord(value)) return false;
    const { eventName } = value as { eventName?: unknown };
    if (eventName !== undefined && typeof eventName !== "string") return false;
    return !/\\u[dD][89a-fA-F]/.test(JSON.stringify(value));
  }

  test("does not fail on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(["records", "malformed"]).toContain(scanBatch(bytes).kind);
      }),
      { seed: 5, numRuns: 5000 },
    );
  });

  test("keeps a gzip round trip byte for byte", () => {
    const body = encoder.encode(`{"Records":[${a},${b}]}`);
    expect(scanBatch(new Uint8Array(gunzipSync(gzipSync(body))))).toEqual(scanBatch(body));
  });
});
