// The readers of what comes from outside: XML, CBOR, cut JSON, forms; and single values as records write them.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCbor } from "./cbor.ts";
import { parseCutJson } from "./cut-json.ts";
import { parseParameters } from "./query-parameters.ts";
import { longDate, shownText, timestampText } from "./record-values.ts";
import { isSecretName } from "./secrecy.ts";
import { child, descendant, parseXml } from "./xml-tree.ts";

describe("XML", () => {
  test("elements, attributes, entities, CDATA and comments", () => {
    const root = parseXml(
      `<?xml version="1.0"?><!-- <no/> --><a:A xmlns="u" q='1"2'><B>x &lt;&#65;&#x42;&amp; y</B><C/><B><![CDATA[<raw>]]></B></a:A>`,
    );
    expect(root?.name).toBe("A");
    expect([...(root?.attributes ?? [])]).toEqual([
      ["xmlns", "u"],
      ["q", '1"2'],
    ]);
    expect(root?.children.map(({ name, text }) => [name, text])).toEqual([
      ["B", "x <AB& y"],
      ["C", ""],
      ["B", "<raw>"],
    ]);
    expect(child(root, "B")?.text).toBe("x <AB& y");
    expect(descendant(root, "C")?.text).toBe("");
  });

  test("what ends too early is read as far as it goes; what is too deep or too much is not", () => {
    expect(parseXml("<a><b>x</b><c")?.children.map(({ name }) => name)).toEqual(["b"]);
    expect(parseXml("text")).toBeUndefined();
    expect(parseXml("<a>".repeat(10_000))?.name).toBe("a");
    expect(parseXml(`<a>${"<b/>".repeat(100_000)}</a>`)?.children.length).toBeLessThanOrEqual(50_000);
    expect(parseXml(`<a>${'<b c="'.repeat(50_000)}</a>`)?.name).toBe("a");
  });

  test("nothing makes it throw", () => {
    const pieces = fc.array(
      fc.constantFrom(
        "<",
        ">",
        "</",
        "/>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        '"',
        "'",
        "a",
        " ",
        "=",
        "&",
        "&#x110000;",
        "&lt;",
        "<?",
        "?>",
      ),
    );
    fc.assert(fc.property(pieces, (parts) => void parseXml(parts.join(""))));
  });
});

describe("CBOR", () => {
  const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));

  // RFC 8949, appendix A.
  test.each([
    ["1903e8", 1000],
    ["3903e7", -1000],
    ["f93e00", 1.5],
    ["fb3ff199999999999a", 1.1],
    ["c11a514b67b0", 1363896240],
    ["83010203", [1, 2, 3]],
    ["a26161016162820203", { a: 1, b: [2, 3] }],
    ["bf61610161629f0203ffff", { a: 1, b: [2, 3] }],
    ["7f657374726561646d696e67ff", "streaming"],
    ["f6", null],
    ["f5", true],
  ])("%s", (hex, value) => {
    expect(parseCbor(bytes(hex))).toEqual(value);
  });

  test("what is none is undefined", () => {
    for (const hex of [
      "",
      "5b7fffffffffffffff",
      "9bffffffffffffffff",
      "a1",
      "ff",
      "1c",
      "a10102",
      "81".repeat(1000),
    ]) {
      expect(parseCbor(bytes(hex))).toBeUndefined();
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (some) => void parseCbor(some)));
  });
});

describe("JSON that was cut", () => {
  test("gives what was complete", () => {
    expect(parseCutJson('{"TableName":"Music","Items":[{"a":1},{"b":"x,}')).toEqual({
      TableName: "Music",
      Items: [{ a: 1 }],
    });
    expect(parseCutJson('{"a":"')).toBeUndefined();
    expect(parseCutJson('{"a":1,"b":"\\')).toEqual({ a: 1 });
  });

  test("is a part of the whole, wherever it is cut", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 2 }), fc.nat(), (value, at) => {
        const text = JSON.stringify(value);
        const cut = parseCutJson(text.slice(0, at % text.length));
        if (typeof cut !== "object" || cut === null) return;
        const whole = JSON.parse(text) as Record<string, unknown>;
        for (const name of Object.keys(cut)) expect(Object.hasOwn(whole, name)).toBe(true);
      }),
    );
  });
});

test("a form's parameters become a tree", () => {
  const root = parseParameters("Action=X&Tags.member.1.Key=a%20b&Tags.member.1.Value=c+d&Empty=&Bad=%zz&&");
  const key = root.children?.get("Tags")?.children?.get("member")?.children?.get("1")?.children;
  expect([key?.get("Key")?.text, key?.get("Value")?.text]).toEqual(["a b", "c d"]);
  expect([root.children?.get("Empty")?.text, root.children?.get("Bad")?.text]).toEqual(["", "%zz"]);
});

describe("values", () => {
  test("times have the long form, in UTC", () => {
    expect(longDate(Date.UTC(2026, 0, 10, 9, 18, 41))).toBe("Jan 10, 2026, 9:18:41 AM");
    expect(longDate(Date.UTC(2023, 6, 10, 12, 0, 5))).toBe("Jul 10, 2023, 12:00:05 PM");
    expect(longDate(Date.UTC(2023, 6, 10, 0, 0, 5))).toBe("Jul 10, 2023, 12:00:05 AM");
    expect(longDate(1e300)).toBeUndefined();
    expect(timestampText("2018-01-16T00:41:43.123Z")).toBe("Jan 16, 2018, 12:41:43 AM");
    expect(timestampText(1_700_000_000.5)).toBe("Nov 14, 2023, 10:13:20 PM");
    expect(timestampText("some day")).toBe("some day");
  });

  test("URLs lose their passwords and signatures", () => {
    expect(shownText("see https://u:geheim@h/x?X-Amz-Signature=abc&y=1")).toBe(
      "see https://u:HIDDEN_DUE_TO_SECURITY_REASONS@h/x?X-Amz-Signature=HIDDEN_DUE_TO_SECURITY_REASONS&y=1",
    );
    expect(shownText("arn:aws:s3:::b")).toBe("arn:aws:s3:::b");
  });

  test.each([
    "password",
    "MasterUserPassword",
    "SecretString",
    "db_password",
    "GITHUB_TOKEN",
    "x-api-key",
    "privateKey",
    "AuthToken",
    "GenAppKey",
  ])("%s is a secret's name", (name) => expect(isSecretName(name)).toBe(true));

  test.each([
    "SecretId",
    "NextToken",
    "ClientRequestToken",
    "idempotencyToken",
    "accessKeyId",
    "PasswordResetRequired",
    "PublicKey",
    "PartitionKey",
    "KmsKeyId",
  ])("%s is none", (name) => expect(isSecretName(name)).toBe(false));
});
